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
#include <strings.h>

#define SAID_MAX 512

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

void tdm_board_pane_kept(struct tandem_board *b)
{
    struct tdm_cause why = {""};
    enum tdm_board_window_kept kept = TDM_BOARD_KEPT_ALL;

    if (!b->window || !b->path[0] || b->read_only)
        return;
    if (tdm_board_doc_state(b->doc, &why) != TDM_OK)
        kept = TDM_BOARD_KEPT_NOT;
    else if (b->doc_wake != TDM_NEVER)
        kept = TDM_BOARD_KEPT_SOON;
    if (tdm_board_window_kept(b->window, kept, why.text))
        b->window_wake = 0;
}

void tdm_board_pane_peer(struct tandem_board *b)
{
    if (!b->window || !b->who[0])
        return;
    tdm_board_window_peer(b->window, b->linked ? TDM_BOARD_PEER_HERE : TDM_BOARD_PEER_AWAY, b->who);
    if (!b->linked) {
        char text[SAID_MAX];

        (void)snprintf(text, sizeof text, "%s is offline: your work is kept", b->who);
        tdm_board_window_say(b->window, tdm_clock_now(), text);
    }
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

/* Bytes that the user pasted, dropped or chose: images are placed, drawings become objects. */
static void bring(struct tandem_board *b, const struct tdm_board_window_event *event, tdm_time now)
{
    struct tdm_board_imported imported = {.format = ""};
    uint8_t hash[TDM_SHA256_BYTES];
    struct tdm_image_info info;
    struct tdm_cause why;
    enum tdm_err err;

    if (tdm_image_look(&info, event->data, event->size) == TDM_OK) {
        err = tdm_board_doc_blob_put(b->doc, event->data, event->size, hash, &why);
        if (err == TDM_OK)
            tdm_board_window_place(b->window, now, hash, info.width, info.height, event->x,
                                   event->y);
    } else {
        err = tdm_board_doc_paste(b->doc, event->data, event->size, &event->page, event->board_x,
                                  event->board_y, &imported, &why);
    }
    if (err != TDM_OK)
        tdm_board_window_say(b->window, now, why.text);
    else if (imported.skipped)
        tdm_board_window_say(b->window, now, imported.missing);
    b->dirty = true;
}

static uint32_t page_count(const struct tdm_board *board)
{
    uint32_t count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(board, TDM_BOARD_NONE); o;
         o = tdm_board_above(o))
        count++;
    return count;
}

/* Pages of their own, to the first of which one goes. */
static enum tdm_err bring_pages(struct tandem_board *b, const char *path, tdm_time now,
                                struct tdm_cause *why)
{
    struct tdm_board_imported imported;
    uint32_t before = page_count(tdm_board_doc_board(b->doc));
    enum tdm_err err = tdm_board_doc_import(b->doc, path, NULL, &imported, why);

    if (err == TDM_OK && page_count(tdm_board_doc_board(b->doc)) > before)
        tdm_board_window_order(b->window, now, TDM_BOARD_DO_PAGE, before);
    if (err == TDM_OK)
        tdm_board_window_order(b->window, now, TDM_BOARD_DO_ZOOM_ALL, 0);
    return err;
}

static void bring_file(struct tandem_board *b, const struct tdm_board_window_event *event,
                       tdm_time now)
{
    struct tdm_board_window_event file = *event;
    struct tdm_cause why;
    uint8_t *data;
    enum tdm_err err = tdm_board_doc_file(event->text, &data, &file.size, &why);

    file.data = data;
    if (err == TDM_OK && file.size >= 5 && memcmp(data, "%PDF-", 5) == 0)
        err = bring_pages(b, event->text, now, &why);
    else if (err == TDM_OK)
        bring(b, &file, now);
    if (err != TDM_OK)
        tdm_board_window_say(b->window, now, why.text);
    b->dirty = true;
    free(data);
}

/* Which page it is, from 1. */
static int page_number(const struct tdm_board *board, struct tdm_board_id page)
{
    int number = 1;

    for (const struct tdm_board_object *o = tdm_board_lowest(board, TDM_BOARD_NONE); o;
         o = tdm_board_above(o), number++)
        if (tdm_board_same(tdm_board_id_of(o), page))
            return number;
    return 0;
}

/* A file of pixels or shapes shows one page: that which is looked at. */
static void export_file(struct tandem_board *b, const struct tdm_board_window_event *event,
                        tdm_time now)
{
    const char *ending = strrchr(event->text, '.');
    bool one = ending && (strcasecmp(ending, ".png") == 0 || strcasecmp(ending, ".svg") == 0);
    const struct tdm_board_export_choice choice = {
        .page = one ? page_number(tdm_board_doc_board(b->doc), event->page) : 0, .scale = 2};
    char text[SAID_MAX];
    struct tdm_cause why;
    bool good = tdm_board_doc_export(b->doc, event->text, &choice, &why) == TDM_OK;
    const char *name = strrchr(event->text, '/');

    (void)snprintf(text, sizeof text, "Saved as %s", name ? name + 1 : event->text);
    tdm_board_window_say(b->window, now, good ? text : why.text);
    (void)snprintf(text, sizeof text, "the board is in %s", event->text);
    tdm_board_tell(b, TANDEM_BOARD_NOTICE, good ? text : why.text);
    b->dirty = true;
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
        bring(b, event, now);
        break;
    case TDM_BOARD_WINDOW_FILE:
        bring_file(b, event, now);
        break;
    case TDM_BOARD_WINDOW_WANT:
        give_picture(b, event->hash);
        break;
    case TDM_BOARD_WINDOW_EXPORT:
        export_file(b, event, now);
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
