/* SPDX-License-Identifier: MIT */
/* The board's window, as its thread drives it. The board's lock is held. */
#include "engine/board_state.h"

#include "board/image.h"
#include "engine/board_doc_formats.h"
#include "engine/io/clock.h"
#include "render/board_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool give_room(void *arg)
{
    struct tandem_board *b = arg;

    /* Either may be what was short. */
    bool room = tdm_board_relieve(b, TDM_E_SPACE);

    return tdm_board_relieve(b, TDM_E_AGAIN) && room;
}

void tdm_board_pane_open(struct tandem_board *b)
{
    const struct tdm_board_window_config config = {.title = b->title ? b->title : "Board",
                                                   .peer = b->who[0] ? b->who : NULL,
                                                   .board = tdm_board_doc_board(b->doc),
                                                   .room = give_room,
                                                   .arg = b};

    if (b->window)
        return;
    b->window_err = tdm_board_window_create(&b->window, &config, tdm_clock_now(), &b->window_cause);
    if (b->window_err != TDM_OK) {
        b->window = NULL;
        tdm_board_tell(b, TANDEM_BOARD_NOTICE, b->window_cause.text);
        return;
    }
    tdm_board_pane_peer(b);
    b->window_wake = 0;
}

void tdm_board_pane_gone(struct tandem_board *b)
{
    if (b->window)
        tdm_board_window_destroy(b->window);
    b->window = NULL;
}

void tdm_board_pane_close(struct tandem_board *b)
{
    tdm_board_pane_gone(b);
    free(b->title);
    b->title = NULL;
    if (b->live.cursor || b->live.view_w) {
        b->live.cursor = false;
        b->live.view_w = 0;
        b->live_changed = true;
    }
}

static void take_live(struct tandem_board *b, const struct tdm_board_live *live)
{
    b->live = *live;
    b->live_changed = true;
}

void tdm_board_pane_show(struct tandem_board *b, tdm_time now)
{
    if (!b->window)
        return;
    tdm_board_window_show(b->window, now, b->they_are_live ? &b->their_live : NULL);
    b->dirty = true;
}

void tdm_board_pane_peer(struct tandem_board *b)
{
    if (!b->window || !b->who[0])
        return;
    tdm_board_window_peer(b->window, b->linked ? TDM_BOARD_PEER_HERE : TDM_BOARD_PEER_AWAY, b->who);
    b->dirty = true;
}

int tdm_board_pane_fd(const struct tandem_board *b)
{
    return b->window ? tdm_board_window_fd(b->window) : -1;
}

/* Gives the window the pixels of an image, if it is here. */
static void give_picture(struct tandem_board *b, const uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    struct tdm_cause why;
    struct tdm_image_pixels image;
    uint8_t *data;
    size_t size;

    if (tdm_board_doc_blob_get(b->doc, hash, &data, &size, &why) != TDM_OK) {
        (void)tdm_board_image_link_need(&b->images, hash);
        return;
    }
    if (tdm_image_decode(&image, data, size, &why) == TDM_OK) {
        const struct tdm_board_picture picture = {.hash = hash,
                                                  .width = (int)image.width,
                                                  .height = (int)image.height,
                                                  .stride = (int)image.stride,
                                                  .pixels = image.bgra};

        tdm_board_window_picture(b->window, &picture);
        tdm_image_free(&image);
        b->dirty = true;
    }
    free(data);
}

void tdm_board_pane_image(struct tandem_board *b, const uint8_t hash[TDM_BOARD_HASH_BYTES])
{
    if (b->window)
        give_picture(b, hash);
}

/* An image that the user pasted or dropped. */
static void place_image(struct tandem_board *b, const struct tdm_board_window_event *event,
                        tdm_time now)
{
    uint8_t hash[TDM_SHA256_BYTES];
    struct tdm_image_info info;
    struct tdm_cause why = {"this is no image that a board can show"};

    if (tdm_image_look(&info, event->data, event->size) != TDM_OK ||
        tdm_board_doc_blob_put(b->doc, event->data, event->size, hash, &why) != TDM_OK) {
        tdm_board_window_say(b->window, now, why.text);
        return;
    }
    tdm_board_window_place(b->window, now, hash, info.width, info.height, event->x, event->y);
}

static void import_file(struct tandem_board *b, const char *path, tdm_time now)
{
    struct tdm_board_imported imported;
    struct tdm_cause why;

    if (tdm_board_doc_import(b->doc, path, NULL, &imported, &why) != TDM_OK)
        tdm_board_window_say(b->window, now, why.text);
    else if (imported.skipped)
        tdm_board_window_say(b->window, now, imported.missing);
}

/* Where nobody asks for a name: beside each other, by the time. */
static void export_file(struct tandem_board *b, tdm_time now)
{
    const struct tdm_board_export_choice all = {.page = 0};
    char path[64], text[128];
    struct tdm_cause why;

    (void)snprintf(path, sizeof path, "board-%lld.pdf",
                   (long long)((now + tdm_clock_wall_offset()) / TDM_S));
    bool good = tdm_board_doc_export(b->doc, path, &all, &why) == TDM_OK;

    (void)snprintf(text, sizeof text, "all pages are in %s", path);
    tdm_board_window_say(b->window, now, good ? text : why.text);
    tdm_board_tell(b, TANDEM_BOARD_NOTICE, good ? text : why.text);
}

static void take_event(struct tandem_board *b, const struct tdm_board_window_event *event,
                       tdm_time now)
{
    switch (event->kind) {
    case TDM_BOARD_WINDOW_CLOSED:
        b->orders |= TDM_BOARD_ORDER_CLOSE_WINDOW;
        tdm_board_tell(b, TANDEM_BOARD_CLOSED, "");
        break;
    case TDM_BOARD_WINDOW_LIVE:
        take_live(b, &event->live);
        break;
    case TDM_BOARD_WINDOW_IMAGE:
        place_image(b, event, now);
        break;
    case TDM_BOARD_WINDOW_FILE:
        import_file(b, event->text, now);
        break;
    case TDM_BOARD_WINDOW_WANT:
        give_picture(b, event->hash);
        break;
    case TDM_BOARD_WINDOW_CHOOSE:
        tdm_board_window_say(b->window, now, "drop a file on the board, or paste an image");
        break;
    case TDM_BOARD_WINDOW_EXPORT:
        export_file(b, now);
        break;
    case TDM_BOARD_WINDOW_NO_ROOM:
        tdm_board_tell(b, TANDEM_BOARD_NOTICE, "the board is as large as boards may be");
        break;
    default:
        break;
    }
}

void tdm_board_pane_step(struct tandem_board *b, tdm_time now)
{
    struct tdm_board_window_event event;

    if (b->orders & TDM_BOARD_ORDER_WINDOW)
        tdm_board_pane_open(b);
    if (b->window) {
        b->window_wake = tdm_board_window_step(b->window, now);
        b->dirty = false;
        while (tdm_board_window_take(b->window, &event))
            take_event(b, &event, now);
        if (b->dirty) /* What was taken has changed something: an image, a notice. */
            b->window_wake = now;
    }
    if (b->orders & TDM_BOARD_ORDER_CLOSE_WINDOW)
        tdm_board_pane_close(b);
    b->orders &= ~(uint32_t)(TDM_BOARD_ORDER_WINDOW | TDM_BOARD_ORDER_CLOSE_WINDOW);
}
