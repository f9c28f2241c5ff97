/* SPDX-License-Identifier: MIT */
/* Other programs' files into a document: what a reader of board/ found becomes objects. */
#include "engine/board_doc_formats.h"

#include "board/excalidraw.h"
#include "board/image.h"
#include "board/pdf.h"
#include "board/svg.h"
#include "engine/base/bytes.h"
#include "engine/base/utf8.h"
#include "engine/io/board_blobs.h"
#include "engine/io/file_dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES TDM_EXCALIDRAW_MAX /* The largest of the limits of board/. */
#define IMAGE_SIDE     2048               /* px; larger ones are shown smaller. */
#define VALUES_MAX     32

/* A drawing on its way onto a board. */
struct placing {
    struct tdm_board_doc *doc;
    struct tdm_board *board;
    const struct tdm_drawing *drawing;
    struct tdm_board_id page;
    bool reused;                         /* That page is an empty one, to become the drawing's. */
    bool page_given;                     /* Waits for the first page of the drawing. */
    int32_t dx, dy;                      /* Added to places. */
    struct tdm_board_id *groups;         /* Of the drawing's, from 1 on; made when they are met. */
    uint8_t (*hashes)[TDM_SHA256_BYTES]; /* Of its images. */
    struct tdm_board_imported *imported;
};

/* Edits, repeated with more room. */

static bool relieve(struct placing *p, enum tdm_err err)
{
    if (err == TDM_E_SPACE)
        return tdm_board_doc_room(p->doc, tdm_board_room(p->board) + TDM_BOARD_ROOM) == TDM_OK;
    if (err != TDM_E_AGAIN)
        return false;
    (void)!tdm_board_doc_save(p->doc, NULL);
    return tdm_board_fresh_size(p->board) == 0;
}

static enum tdm_err add(struct placing *p, enum tdm_board_type type,
                        const struct tdm_board_value *values, size_t count, struct tdm_board_id *id)
{
    enum tdm_err err;

    do
        err = tdm_board_add(p->board, type, values, count, id);
    while (relieve(p, err));
    return err;
}

static enum tdm_err add_ink(struct placing *p, struct tdm_board_id id,
                            const struct tdm_board_point *points, uint32_t count)
{
    enum tdm_err err = TDM_OK;

    for (uint32_t at = 0, some; at < count && err == TDM_OK; at += some) {
        some = count - at < TDM_BOARD_INK_MAX ? count - at : TDM_BOARD_INK_MAX;
        do
            err = tdm_board_ink(p->board, id, points + at, some);
        while (relieve(p, err));
    }
    if (err == TDM_OK)
        do
            err = tdm_board_seal(p->board, id);
        while (relieve(p, err));
    return err;
}

static enum tdm_err add_text(struct placing *p, struct tdm_board_id id, const char *text)
{
    size_t left = strlen(text);
    enum tdm_err err = TDM_OK;
    uint32_t characters = 0, code;

    while (left && err == TDM_OK && characters < TDM_BOARD_TEXT_MAX) {
        uint32_t some = 0;
        size_t size = 0, step;

        while (size < left && characters + some < TDM_BOARD_TEXT_MAX &&
               (step = tdm_utf8_take((const uint8_t *)text + size, left - size, &code)) > 0 &&
               size + step <= TDM_BOARD_TYPED_MAX) {
            size += step;
            some++;
        }
        if (!size)
            break;
        do
            err = tdm_board_text_insert(p->board, id, characters, text, size);
        while (relieve(p, err));
        text += size;
        left -= size;
        characters += some;
    }
    return err;
}

/* An object's values, without those that it would read as anyway. */

struct values {
    struct tdm_board_value list[VALUES_MAX];
    size_t count;
    uint8_t crop[8];
};

static void say(struct values *v, struct tdm_board_value value)
{
    v->list[v->count++] = value;
}

static void say_unless(struct values *v, enum tdm_board_prop prop, int64_t number, int64_t usual)
{
    if (number != usual)
        say(v, tdm_board_int(prop, number));
}

static void say_text(struct values *v, enum tdm_board_prop prop, const char *text)
{
    size_t size = text ? strlen(text) : 0, whole = 0, step;
    uint32_t code;

    while (whole < size &&
           (step = tdm_utf8_take((const uint8_t *)text + whole, size - whole, &code)) > 0 &&
           whole + step <= TDM_BOARD_VALUE_MAX)
        whole += step;
    if (whole)
        say(v, tdm_board_bytes(prop, text, whole));
}

static void say_crop(struct values *v, const uint16_t crop[4])
{
    struct tdm_writer w = tdm_writer_of(v->crop, sizeof v->crop);

    if (!crop[0] && !crop[1] && !crop[2] && !crop[3])
        return;
    for (int i = 0; i < 4; i++)
        tdm_write_u16(&w, crop[i]);
    say(v, tdm_board_bytes(TDM_PROP_CROP, v->crop, sizeof v->crop));
}

static void say_all(const struct placing *p, const struct tdm_drawing_item *item, struct values *v)
{
    v->count = 0;
    say(v, tdm_board_ref(TDM_PROP_PAGE, p->page));
    say_unless(v, TDM_PROP_X, (int64_t)item->x + p->dx, 0);
    say_unless(v, TDM_PROP_Y, (int64_t)item->y + p->dy, 0);
    say_unless(v, TDM_PROP_W, item->w, 0);
    say_unless(v, TDM_PROP_H, item->h, 0);
    say_unless(v, TDM_PROP_ANGLE, item->angle, 0);
    say_unless(v, TDM_PROP_COLOUR, item->colour, TDM_BOARD_COLOUR_DEFAULT);
    say_unless(v, TDM_PROP_FILL, item->fill, 0);
    say_unless(v, TDM_PROP_WIDTH, item->width, TDM_BOARD_WIDTH_DEFAULT);
    say_unless(v, TDM_PROP_DASH, item->dash, TDM_DASH_SOLID);
    say_unless(v, TDM_PROP_OPACITY, item->opacity, 255);
    say_unless(v, TDM_PROP_CORNER, item->corner, 0);
    say_unless(v, TDM_PROP_LOCKED, item->locked, 0);
    say_unless(v, TDM_PROP_HEAD_START, item->head_start, TDM_HEAD_NONE);
    say_unless(v, TDM_PROP_HEAD_END, item->head_end,
               item->type == TDM_BOARD_ARROW ? TDM_HEAD_ARROW : TDM_HEAD_NONE);
    say_unless(v, TDM_PROP_FONT, item->font, TDM_FONT_SANS);
    say_unless(v, TDM_PROP_FONT_SIZE, item->font_size, TDM_BOARD_FONT_SIZE_DEFAULT);
    say_unless(v, TDM_PROP_ALIGN, item->align, TDM_ALIGN_START);
    say_unless(v, TDM_PROP_SCALE_X, item->flipped_x ? -TDM_BOARD_SCALE_ONE : TDM_BOARD_SCALE_ONE,
               TDM_BOARD_SCALE_ONE);
    say_unless(v, TDM_PROP_SCALE_Y, item->flipped_y ? -TDM_BOARD_SCALE_ONE : TDM_BOARD_SCALE_ONE,
               TDM_BOARD_SCALE_ONE);
    say_crop(v, item->crop);
    say_text(v, TDM_PROP_LINK, item->link);
    if (item->image >= 0)
        say(v, tdm_board_bytes(TDM_PROP_IMAGE, p->hashes[item->image], TDM_SHA256_BYTES));
}

/* Pages, groups, objects. */

static enum tdm_err place_page(struct placing *p, const struct tdm_drawing_item *item)
{
    struct values v = {.count = 0};

    enum tdm_err err = TDM_OK;

    p->imported->pages++;
    if (item && item->background)
        say(&v, tdm_board_int(TDM_PROP_BACKGROUND, item->background));
    say_text(&v, TDM_PROP_NAME, item ? item->text : NULL);
    if (!p->page_given)
        return add(p, TDM_BOARD_PAGE, v.list, v.count, &p->page);
    p->page_given = false;
    if (p->reused && v.count)
        do
            err = tdm_board_set(p->board, p->page, v.list, v.count);
        while (relieve(p, err));
    return err;
}

/* A group with those around it, the outermost first. */
static enum tdm_err place_group(struct placing *p, uint32_t group, struct tdm_board_id *id)
{
    const struct tdm_drawing *d = p->drawing;
    enum tdm_err err = TDM_OK;

    while (err == TDM_OK && tdm_board_same(p->groups[group], TDM_BOARD_NONE)) {
        uint32_t outer = group, steps = 0;

        while (d->parents[outer] && d->parents[outer] <= d->group_count &&
               tdm_board_same(p->groups[d->parents[outer]], TDM_BOARD_NONE) &&
               steps++ < d->group_count)
            outer = d->parents[outer];
        const struct tdm_board_value values[] = {
            tdm_board_ref(TDM_PROP_PAGE, p->page),
            tdm_board_ref(TDM_PROP_PARENT, d->parents[outer] <= d->group_count
                                               ? p->groups[d->parents[outer]]
                                               : TDM_BOARD_NONE)};

        err = add(p, TDM_BOARD_GROUP, values, d->parents[outer] ? 2 : 1, &p->groups[outer]);
    }
    *id = p->groups[group];
    return err;
}

static enum tdm_err place_item(struct placing *p, const struct tdm_drawing_item *item)
{
    struct tdm_board_id id, group;
    enum tdm_err err = TDM_OK;
    struct values v;

    say_all(p, item, &v);
    if (item->group && item->group <= p->drawing->group_count) {
        err = place_group(p, item->group, &group);
        say(&v, tdm_board_ref(TDM_PROP_PARENT, group));
    }
    if (err == TDM_OK)
        err = add(p, item->type, v.list, v.count, &id);
    if (err == TDM_OK && item->point_count)
        err = add_ink(p, id, item->points, item->point_count);
    if (err == TDM_OK && item->text)
        err = add_text(p, id, item->text);
    p->imported->objects += err == TDM_OK;
    return err;
}

static enum tdm_err place_images(struct placing *p, struct tdm_cause *cause)
{
    for (uint32_t i = 0; i < p->drawing->image_count; i++) {
        const struct tdm_drawing_image *image = &p->drawing->images[i];
        enum tdm_err err = TDM_OK;

        memcpy(p->hashes[i], image->hash, TDM_SHA256_BYTES);
        if (image->data)
            err = tdm_board_doc_blob_put(p->doc, image->data, image->size, p->hashes[i], cause);
        if (err != TDM_OK)
            return err;
        p->imported->images += image->data != NULL;
    }
    return TDM_OK;
}

/* The only page, when nothing stands on it. */
static bool empty_page(const struct tdm_board *b, struct tdm_board_id *page)
{
    const struct tdm_board_object *only = tdm_board_lowest(b, TDM_BOARD_NONE);

    if (!only || tdm_board_above(only) || tdm_board_lowest(b, tdm_board_id_of(only)))
        return false;
    *page = tdm_board_id_of(only);
    return true;
}

static void take_back(struct placing *p)
{
    struct tdm_board_undone undone;
    enum tdm_err err;

    do
        err = tdm_board_undo(p->board, &undone);
    while (relieve(p, err));
}

static enum tdm_err place_all(struct placing *p, struct tdm_cause *cause)
{
    const struct tdm_drawing *d = p->drawing;
    enum tdm_err err = place_images(p, cause);

    if (err != TDM_OK)
        return err;
    tdm_board_begin(p->board);
    if (d->count && d->items[0].type != TDM_BOARD_PAGE)
        err = place_page(p, NULL);
    for (uint32_t i = 0; i < d->count && err == TDM_OK; i++)
        err = d->items[i].type == TDM_BOARD_PAGE ? place_page(p, &d->items[i])
                                                 : place_item(p, &d->items[i]);
    tdm_board_end(p->board);
    if (err == TDM_OK)
        return TDM_OK;
    take_back(p);
    return tdm_fail(cause, err,
                    err == TDM_E_SPACE ? "the board is as large as boards may be"
                                       : "this does not fit on a board");
}

static enum tdm_err place(struct tdm_board_doc *doc, const struct tdm_drawing *drawing,
                          struct placing *p, struct tdm_cause *cause)
{
    p->doc = doc;
    p->board = tdm_board_doc_board(doc);
    p->drawing = drawing;
    p->groups = calloc((size_t)drawing->group_count + 1, sizeof *p->groups);
    p->hashes = calloc((size_t)drawing->image_count + 1, sizeof *p->hashes);
    if (!p->page_given)
        p->page_given = p->reused = empty_page(p->board, &p->page);
    enum tdm_err err = p->groups && p->hashes
                           ? place_all(p, cause)
                           : tdm_fail(cause, TDM_E_SYSTEM, "no memory for what is imported");

    free(p->groups);
    free(p->hashes);
    p->imported->skipped = drawing->skipped;
    memcpy(p->imported->missing, drawing->missing, sizeof p->imported->missing);
    return err;
}

/* What the bytes are. */

static enum tdm_err read_image(struct tdm_drawing *d, const uint8_t *data, size_t size,
                               struct tdm_cause *cause)
{
    struct tdm_image_info info;
    double scale = 1;

    tdm_drawing_init(d);
    enum tdm_err err = tdm_image_look(&info, data, size);

    if (err != TDM_OK)
        return tdm_fail(cause, err, "this image is spoiled, or too large for a board");
    if (info.width > IMAGE_SIDE || info.height > IMAGE_SIDE)
        scale = (double)IMAGE_SIDE / (info.width > info.height ? info.width : info.height);
    struct tdm_drawing_item *item = tdm_drawing_add(d, TDM_BOARD_IMAGE);

    if (item) {
        item->w = tdm_drawing_unit(info.width * scale);
        item->h = tdm_drawing_unit(info.height * scale);
        item->width = 0;
        item->image = tdm_drawing_image_add(d, data, size);
    }
    return item && item->image >= 0
               ? TDM_OK
               : tdm_fail(cause, TDM_E_SPACE, "this image is too large for a board");
}

/* PDFs are `path`'s, which is NULL where there is none. */
static enum tdm_err read_drawing(struct tdm_drawing *d, const uint8_t *data, size_t size,
                                 const char *path, const char **format, struct tdm_cause *cause)
{
    static const struct tdm_pdf_choice all;
    struct tdm_image_info info;
    size_t at = 0;

    tdm_drawing_init(d);
    if (size >= 5 && memcmp(data, "%PDF-", 5) == 0 && path) {
        *format = "pdf";
        return tdm_pdf_read(d, path, &all, cause);
    }
    if (tdm_image_look(&info, data, size) != TDM_E_UNSUPPORTED) {
        *format = "image";
        return read_image(d, data, size, cause);
    }
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < size && (data[at] == ' ' || (data[at] >= '\t' && data[at] <= '\r')))
        at++;
    if (at < size && data[at] == '{') {
        *format = "excalidraw";
        return tdm_excalidraw_read(d, (const char *)data + at, size - at, cause);
    }
    if (at < size && data[at] == '<') {
        *format = "svg";
        return tdm_svg_read(d, (const char *)data, size, cause);
    }
    return tdm_fail(cause, TDM_E_UNSUPPORTED,
                    "a board takes .excalidraw, SVG, PDF, PNG, JPEG and WebP: this is none");
}

enum tdm_err tdm_board_doc_file(const char *path, uint8_t **data, size_t *size,
                                struct tdm_cause *cause)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum tdm_err err = TDM_OK;
    struct stat s = {.st_size = 0};

    *data = NULL;
    if (fd < 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        err = tdm_fail(cause, TDM_E_SYSTEM, "cannot read %.160s: is it a file, and ours to read?",
                       path);
    else if ((uint64_t)s.st_size > FILE_MAX_BYTES)
        err = tdm_fail(cause, TDM_E_SPACE, "%.160s is larger than %zu MB", path,
                       FILE_MAX_BYTES >> 20);
    if (err == TDM_OK) {
        *size = (size_t)s.st_size;
        *data = malloc(*size + 1);
        if (!*data || (*size && tdm_fd_read(fd, *data, *size, 0) != 0))
            err = tdm_fail(cause, TDM_E_SYSTEM, "cannot read %.160s", path);
    }
    if (fd >= 0)
        (void)close(fd);
    return err;
}

enum tdm_err tdm_board_doc_import(struct tdm_board_doc *doc, const char *path,
                                  const struct tdm_board_id *page,
                                  struct tdm_board_imported *imported, struct tdm_cause *cause)
{
    struct placing p = {.imported = imported};
    struct tdm_drawing drawing;
    uint8_t *data;
    size_t size;

    *imported = (struct tdm_board_imported){.format = ""};
    enum tdm_err err = tdm_board_doc_file(path, &data, &size, cause);

    if (err == TDM_OK) {
        err = read_drawing(&drawing, data, size, path, &imported->format, cause);
        if (page) {
            p.page = *page;
            p.page_given = true;
        }
        if (err == TDM_OK)
            err = place(doc, &drawing, &p, cause);
        tdm_drawing_free(&drawing);
    }
    free(data);
    return err;
}

/* Brings the middle of what is drawn to a place. */
static void aim(struct placing *p, const struct tdm_drawing *d, int32_t x, int32_t y)
{
    int64_t left = INT32_MAX, top = INT32_MAX, right = INT32_MIN, bottom = INT32_MIN;

    for (uint32_t i = 0; i < d->count; i++) {
        if (d->items[i].type == TDM_BOARD_PAGE)
            continue;
        struct tdm_drawing_box box = tdm_drawing_box_of(&d->items[i]);

        left = box.x < left ? box.x : left;
        top = box.y < top ? box.y : top;
        right = (int64_t)box.x + box.w > right ? (int64_t)box.x + box.w : right;
        bottom = (int64_t)box.y + box.h > bottom ? (int64_t)box.y + box.h : bottom;
    }
    if (left > right)
        return;
    p->dx = (int32_t)(x - (left + right) / 2);
    p->dy = (int32_t)(y - (top + bottom) / 2);
}

enum tdm_err tdm_board_doc_paste(struct tdm_board_doc *doc, const void *data, size_t size,
                                 const struct tdm_board_id *page, int32_t x, int32_t y,
                                 struct tdm_board_imported *imported, struct tdm_cause *cause)
{
    struct placing p = {.imported = imported, .page = *page, .page_given = true};
    struct tdm_drawing drawing;

    *imported = (struct tdm_board_imported){.format = ""};
    enum tdm_err err = read_drawing(&drawing, data, size, NULL, &imported->format, cause);

    if (err == TDM_OK) {
        aim(&p, &drawing, x, y);
        err = place(doc, &drawing, &p, cause);
    }
    tdm_drawing_free(&drawing);
    return err;
}
