/* SPDX-License-Identifier: MIT */
#include "board/drawing.h"

#include "engine/base/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES ((size_t)64 << 10)
#define TURN        65536.0
#define ITEMS_FIRST 64u
#define WORD_MAX    40

/* Storage, the newest in front; what is larger than a piece has one of its own. */
struct tdm_drawing_piece {
    struct tdm_drawing_piece *next;
    size_t used, size;
    alignas(max_align_t) uint8_t bytes[];
};

void tdm_drawing_init(struct tdm_drawing *d)
{
    *d = (struct tdm_drawing){.items = NULL};
}

void tdm_drawing_free(struct tdm_drawing *d)
{
    for (struct tdm_drawing_piece *piece = d->pieces, *next; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(d->items);
    free(d->images);
    free(d->parents);
    tdm_drawing_init(d);
}

void *tdm_drawing_room(struct tdm_drawing *d, size_t size)
{
    size_t step = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    struct tdm_drawing_piece *piece = d->pieces;

    if (size > TDM_DRAWING_BYTES_MAX || step > TDM_DRAWING_BYTES_MAX - d->bytes)
        return NULL;
    if (!piece || piece->size - piece->used < step) {
        size_t bytes = step > PIECE_BYTES ? step : PIECE_BYTES;

        piece = malloc(sizeof *piece + bytes);
        if (!piece)
            return NULL;
        *piece = (struct tdm_drawing_piece){.next = d->pieces, .size = bytes};
        d->pieces = piece;
    }
    piece->used += step;
    d->bytes += step;
    return piece->bytes + piece->used - step;
}

/* Room for one more in a list that doubles; false: no memory. */
static bool grow(void **list, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : ITEMS_FIRST;
    void *longer = realloc(*list, more * size);

    if (!longer)
        return false;
    *list = longer;
    *room = more;
    return true;
}

struct tdm_drawing_item *tdm_drawing_add(struct tdm_drawing *d, enum tdm_board_type type)
{
    if (d->count == TDM_DRAWING_ITEMS_MAX ||
        !grow((void **)&d->items, d->count, &d->room, sizeof *d->items))
        return NULL;
    struct tdm_drawing_item *item = &d->items[d->count++];

    *item = (struct tdm_drawing_item){
        .type = type,
        .colour = 0x1e1e1eff,
        .width = 2 * TDM_DRAWING_UNIT,
        .opacity = 255,
        .font_size = 20 * TDM_DRAWING_UNIT,
        .head_end = type == TDM_BOARD_ARROW ? TDM_HEAD_ARROW : TDM_HEAD_NONE,
        .image = -1,
    };
    return item;
}

uint32_t tdm_drawing_group(struct tdm_drawing *d, uint32_t parent)
{
    if (d->group_count == TDM_DRAWING_ITEMS_MAX ||
        !grow((void **)&d->parents, d->group_count + 1, &d->group_room, sizeof *d->parents))
        return TDM_DRAWING_NO_GROUP;
    d->parents[++d->group_count] = parent;
    return d->group_count;
}

const char *tdm_drawing_text(struct tdm_drawing *d, const char *text, size_t size)
{
    static const char instead[] = "\xef\xbf\xbd";
    const uint8_t *bytes = (const uint8_t *)text;
    size_t needed = 1, step;
    uint32_t code;

    for (size_t at = 0; at < size; at += step ? step : 1) {
        step = bytes[at] ? tdm_utf8_take(bytes + at, size - at, &code) : 0;
        needed += step ? step : sizeof instead - 1;
    }
    char *copy = tdm_drawing_room(d, needed), *to = copy;

    if (!copy)
        return NULL;
    for (size_t at = 0; at < size; at += step ? step : 1) {
        step = bytes[at] ? tdm_utf8_take(bytes + at, size - at, &code) : 0;
        memcpy(to, step ? text + at : instead, step ? step : sizeof instead - 1);
        to += step ? step : sizeof instead - 1;
    }
    *to = '\0';
    return copy;
}

static int32_t image_of(struct tdm_drawing *d, const uint8_t hash[TDM_SHA256_BYTES])
{
    for (uint32_t i = 0; i < d->image_count; i++)
        if (memcmp(d->images[i].hash, hash, TDM_SHA256_BYTES) == 0)
            return (int32_t)i;
    return -1;
}

int32_t tdm_drawing_image_name(struct tdm_drawing *d, const uint8_t hash[TDM_SHA256_BYTES])
{
    int32_t there = image_of(d, hash);

    if (there >= 0)
        return there;
    if (d->image_count == TDM_DRAWING_ITEMS_MAX ||
        !grow((void **)&d->images, d->image_count, &d->image_room, sizeof *d->images))
        return -1;
    d->images[d->image_count] = (struct tdm_drawing_image){.data = NULL};
    memcpy(d->images[d->image_count].hash, hash, TDM_SHA256_BYTES);
    return (int32_t)d->image_count++;
}

int32_t tdm_drawing_image_add(struct tdm_drawing *d, const uint8_t *data, size_t size)
{
    uint8_t hash[TDM_SHA256_BYTES];

    tdm_sha256(data, size, hash);
    int32_t index = tdm_drawing_image_name(d, hash);

    if (index < 0 || d->images[index].data)
        return index;
    uint8_t *copy = tdm_drawing_room(d, size);

    if (!copy)
        return -1;
    memcpy(copy, data, size);
    d->images[index].data = copy;
    d->images[index].size = size;
    return index;
}

void tdm_drawing_skip(struct tdm_drawing *d, const char *what)
{
    size_t used = strlen(d->missing), size = 0;
    char word[WORD_MAX];

    /* It comes from the file, and goes into a sentence for people. */
    what = *what ? what : "nameless";
    for (; what[size] && size < sizeof word - 1; size++)
        word[size] =
            isalnum((unsigned char)what[size]) || strchr(" :-_.", what[size]) ? what[size] : '?';
    word[size] = '\0';
    d->skipped++;
    for (const char *at = d->missing; *at; at += strcspn(at, ","), at += strspn(at, ", "))
        if (strncmp(at, word, size) == 0 && (at[size] == ',' || !at[size]))
            return;
    if (used + size + sizeof ", " <= sizeof d->missing)
        (void)snprintf(d->missing + used, sizeof d->missing - used, "%s%s", used ? ", " : "", word);
}

struct tdm_drawing_box tdm_drawing_box_of(const struct tdm_drawing_item *item)
{
    int64_t left = 0, top = 0, right = item->w, bottom = item->h;

    if (item->point_count) {
        left = right = item->points[0].x;
        top = bottom = item->points[0].y;
    } else if (item->w < 0 || item->h < 0) {
        left = item->w < 0 ? item->w : 0;
        top = item->h < 0 ? item->h : 0;
        right = item->w < 0 ? 0 : item->w;
        bottom = item->h < 0 ? 0 : item->h;
    }
    for (uint32_t i = 1; i < item->point_count; i++) {
        const struct tdm_board_point *p = &item->points[i];

        left = p->x < left ? p->x : left;
        right = p->x > right ? p->x : right;
        top = p->y < top ? p->y : top;
        bottom = p->y > bottom ? p->y : bottom;
    }
    return (struct tdm_drawing_box){(int32_t)(item->x + left), (int32_t)(item->y + top),
                                    (int32_t)(right - left), (int32_t)(bottom - top)};
}

int32_t tdm_drawing_unit(double pixels)
{
    double units = pixels * TDM_DRAWING_UNIT;

    if (!(units > -(double)TDM_BOARD_FAR))
        return isnan(units) ? 0 : -TDM_BOARD_FAR;
    return units < TDM_BOARD_FAR ? (int32_t)lround(units) : TDM_BOARD_FAR;
}

double tdm_drawing_pixels(int32_t units)
{
    return (double)units / TDM_DRAWING_UNIT;
}

uint16_t tdm_drawing_angle(double radians)
{
    double turns = radians / (2 * M_PI);

    if (!isfinite(turns))
        return 0;
    return (uint16_t)(lround((turns - floor(turns)) * TURN) & 0xffff);
}

double tdm_drawing_radians(uint16_t angle)
{
    return angle / TURN * 2 * M_PI;
}
