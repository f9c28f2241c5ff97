/* SPDX-License-Identifier: MIT */
/* Which document is open, and who may draw on it. The board's lock is held. */
#include "engine/board_state.h"

#include "engine/board_words.h"
#include "engine/io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_found(struct tandem_board *b)
{
    const struct tdm_board_doc_found *f = &b->found;
    char text[200];

    if (!f->holes && !f->lost)
        return;
    (void)snprintf(text, sizeof text,
                   "the board's file was damaged: %llu bytes could not be used%s",
                   (unsigned long long)f->lost,
                   f->lost_content ? "; some work may be missing" : "; all work is there");
    tdm_board_tell(b, TANDEM_BOARD_NOTICE, text);
}

/* With a contact they come from the other side. */
static void tell_images(struct tandem_board *b)
{
    uint32_t missing = b->file ? tdm_board_doc_images_missing(b->doc) : 0;
    char text[320];

    if (!missing)
        return;
    (void)snprintf(text, sizeof text,
                   "%u of the images are not here: the folder %.200s.blobs belongs beside the file",
                   missing, b->file);
    tdm_board_tell(b, TANDEM_BOARD_NOTICE, text);
}

enum tdm_err tdm_board_open_document(struct tandem_board *b, const char *path,
                                     struct tdm_cause *cause)
{
    const struct tdm_door_preface *meant = b->file ? NULL : tdm_door_meant(&b->door);
    const struct tdm_board_doc_config config = {.path = *path ? path : NULL,
                                                .create = !b->read_only,
                                                .drop = b->file != NULL,
                                                .document = meant ? meant->id : NULL,
                                                .read_only = b->read_only,
                                                .until_ms = b->at_ms};
    static const uint8_t any[TDM_BOARD_DOCUMENT_BYTES];

    tdm_board_close_document(b);
    memset(&b->found, 0, sizeof b->found);
    enum tdm_err err = tdm_board_doc_open(&b->doc, &config, &b->found, cause);

    if (err != TDM_OK) {
        b->doc = NULL;
        return err;
    }
    (void)snprintf(b->path, sizeof b->path, "%s", path);
    tdm_board_doc_watch(b->doc, tdm_board_fresh_goes, b);
    b->link = tdm_board_link_init(b->link_storage, any);
    tdm_board_image_link_init(&b->images, b->doc);
    b->more_images = false;
    b->fresh_put = 0;
    b->disk_trouble = false;
    b->told_mark = 0;
    b->doc_wake = 0;
    tell_found(b);
    tell_images(b);
    tdm_board_tell(b, TANDEM_BOARD_OPENED, path);
    if (b->title)
        b->orders |= TDM_BOARD_ORDER_WINDOW;
    tdm_board_wake(b);
    return TDM_OK;
}

void tdm_board_close_document(struct tandem_board *b)
{
    if (!b->doc)
        return;
    tdm_board_pane_gone(b);
    tdm_board_image_link_free(&b->images);
    tdm_board_doc_close(b->doc);
    b->doc = NULL;
    b->link = NULL;
    b->linked = false;
    b->path[0] = '\0';
}

/* The document that the two mean. TDM_OK also when it is open already. */
static enum tdm_err open_meant(struct tandem_board *b, struct tdm_cause *cause)
{
    const struct tdm_door_preface *meant = tdm_door_meant(&b->door);
    char path[TDM_BOARD_PATH_MAX] = "";

    if (b->file)
        return b->doc ? TDM_OK : tdm_board_open_document(b, b->file, cause);
    if (b->folder) {
        enum tdm_err err =
            tdm_board_person_path(b->folder, b->print, meant ? meant->id : NULL, path, cause);

        if (err != TDM_OK)
            return err;
    }
    if (b->doc && strcmp(b->path, path) == 0)
        return TDM_OK;
    return tdm_board_open_document(b, path, cause);
}

static void remember(struct tandem_board *b, const enum tdm_door_rule *rule)
{
    struct tdm_board_person person;
    struct tdm_cause cause;

    if (!b->folder || !b->peer_known)
        return;
    tdm_board_person_read(b->folder, b->print, &person);
    (void)snprintf(person.who, sizeof person.who, "%s", b->who);
    if (rule)
        person.rule = *rule;
    if (tdm_board_person_write(b->folder, b->print, &person, &cause) != TDM_OK)
        tdm_board_tell(b, TANDEM_BOARD_NOTICE, cause.text);
}

static void look_up(struct tandem_board *b)
{
    struct tdm_board_person person = {.rule = TDM_DOOR_NEVER};

    if (b->peer_known)
        tdm_board_person_read(b->folder, b->print, &person);
    (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_RULE, .rule = person.rule});
}

static void ask(struct tandem_board *b)
{
    char text[sizeof b->who + TDM_DOOR_NAME_MAX + 120];
    const struct tdm_door_preface *theirs = &b->door.theirs;
    struct tdm_board_person person;

    tdm_board_person_read(b->folder, b->print, &person);
    (void)snprintf(text, sizeof text, "%s wants to draw with you%s%s%s%s", b->who,
                   theirs->document ? ", on the board \"" : "",
                   theirs->document ? theirs->name : "", theirs->document ? "\"" : "",
                   person.who[0] ? "" : "; there was no board with this person before");
    tdm_board_tell(b, TANDEM_BOARD_ASKED, text);
}

struct preface_fill {
    uint8_t bytes[TDM_DOOR_PREFACE_MAX];
    size_t size;
};

static size_t fill_preface(void *arg, uint8_t *room, size_t max)
{
    struct preface_fill *f = arg;
    size_t size = f->size <= max ? f->size : 0;

    memcpy(room, f->bytes, size);
    f->size -= size;
    return size;
}

static void open_streams(struct tandem_board *b)
{
    struct tdm_door_preface contacts = {.document = false};
    struct preface_fill fill;

    fill.size = tdm_door_preface_write(b->door.file ? &b->door.ours : &contacts, fill.bytes);
    tdm_board_seat_begin(&b->seat);
    (void)tdm_board_seat_send(&b->seat, TDM_BOARD_LANE_OPS, fill_preface, &fill);
}

static void join(struct tandem_board *b, bool anew)
{
    if (anew) {
        tdm_board_listen(tdm_board_doc_board(b->doc));
        tdm_board_link_start(b->link, tdm_board_doc_board(b->doc));
        b->link_pulled = 0;
        tdm_board_image_link_restart(&b->images);
        b->more_images = true;
        b->images_at = NULL;
        b->failed = false;
        remember(b, NULL);
    }
    b->linked = true;
    b->live_changed = true;
    tdm_board_pane_peer(b);
    tdm_board_tell(b, TANDEM_BOARD_JOINED, b->who);
}

static void part(struct tandem_board *b, enum tandem_board_event_kind kind, const char *why)
{
    b->linked = false;
    b->they_are_live = false;
    tdm_board_pane_show(b, tdm_clock_now());
    tdm_board_pane_peer(b);
    tdm_board_tell(b, kind, why);
}

static void open_for_door(struct tandem_board *b)
{
    struct tdm_cause cause = {"whose certificate it is was not proved"};
    enum tdm_err err = b->peer_known ? open_meant(b, &cause) : TDM_E_DENIED;

    if (err != TDM_OK)
        tdm_board_tell(b, TANDEM_BOARD_NOTICE, cause.text);
    (void)tdm_board_at_door(
        b, &(struct tdm_door_in){.kind = err == TDM_OK ? TDM_DOOR_READY : TDM_DOOR_FAILED});
}

size_t tdm_board_at_door(struct tandem_board *b, const struct tdm_door_in *in)
{
    struct tdm_door_out out;

    tdm_door_step(&b->door, in, &out);
    if (out.acts & TDM_DOOR_FORGET)
        tdm_board_tell(b, TANDEM_BOARD_LEFT, "nobody asks to draw any more");
    if (out.acts & TDM_DOOR_CLOSE)
        tdm_board_seat_end(&b->seat);
    if (out.acts & TDM_DOOR_STREAMS)
        open_streams(b);
    if (out.acts & (TDM_DOOR_JOINED | TDM_DOOR_GO_ON))
        join(b, (out.acts & TDM_DOOR_JOINED) != 0);
    if (out.acts & TDM_DOOR_BROKEN)
        part(b, TANDEM_BOARD_LEFT,
             "the connection broke: what is drawn meanwhile is merged when it is back");
    if (out.acts & TDM_DOOR_LEFT)
        part(b, TANDEM_BOARD_LEFT, out.why);
    if (out.acts & TDM_DOOR_REFUSED)
        part(b, TANDEM_BOARD_REFUSED, out.why);
    /* These answer at once, by another step. */
    if (out.acts & TDM_DOOR_LOOK_UP)
        look_up(b);
    if (out.acts & TDM_DOOR_ASK)
        ask(b);
    if (out.acts & TDM_DOOR_OPEN)
        open_for_door(b);
    return out.consumed;
}

void tdm_board_follow_orders(struct tandem_board *b)
{
    uint32_t orders = b->orders;

    b->orders &= ~(uint32_t)(TDM_BOARD_ORDER_INVITE | TDM_BOARD_ORDER_LEAVE);
    if (orders & TDM_BOARD_ORDER_INVITE)
        (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_INVITE});
    if (orders & TDM_BOARD_ORDER_LEAVE)
        (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_LEAVE});
}

enum tandem_status tandem_board_answer(struct tandem_board *b, bool yes, bool always,
                                       struct tandem_cause *cause)
{
    const enum tdm_door_rule rule = yes ? TDM_DOOR_ALWAYS : TDM_DOOR_NEVER;

    pthread_mutex_lock(&b->lock);
    bool asked = b->door.asking;

    if (asked && always)
        remember(b, &rule);
    if (asked)
        (void)tdm_board_at_door(b, &(struct tdm_door_in){.kind = TDM_DOOR_ANSWER, .yes = yes});
    tdm_board_wake(b);
    pthread_mutex_unlock(&b->lock);
    if (!asked && cause)
        (void)snprintf(cause->text, sizeof cause->text, "nobody asks to draw");
    return asked ? TANDEM_OK : TANDEM_INVALID;
}
