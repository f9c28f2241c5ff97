/* SPDX-License-Identifier: MIT */
#include "engine/io/file_session.h"

#include "engine/base/ring.h"
#include "engine/io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 256

struct tdm_file_session {
    struct tdm_files *core;
    struct tdm_file_store *store;
    bool control_ready, data_ready, failed;
    const char *why;
    tdm_time wake_at;
    struct tdm_file_store_answer waiting[TDM_FILE_STORE_SOURCES_MAX]; /* Ours, to be offered. */
    uint32_t waiting_count;
    struct tdm_ring events;
    struct tdm_file_session_event event_slots[EVENTS];
    uint32_t last_finished; /* The transfer whose name is `finished_name`. */
    char finished_name[TDM_FILE_NAME_MAX + 16];
    struct tdm_cause finished_cause;
    void *storage;
};

enum tdm_err tdm_file_session_create(struct tdm_file_session **session,
                                     const struct tdm_file_session_config *config,
                                     struct tdm_cause *cause)
{
    struct tdm_file_session *s = calloc(1, sizeof *s);
    enum tdm_err err = TDM_E_SYSTEM;

    if (s)
        s->storage = malloc(tdm_files_bytes());
    if (!s || !s->storage)
        (void)tdm_fail(cause, err, "no memory for files");
    else
        err = tdm_file_store_create(&s->store, &config->store, cause);
    if (err != TDM_OK) {
        if (s)
            free(s->storage);
        free(s);
        return err;
    }
    tdm_ring_init(&s->events, s->event_slots, sizeof *s->event_slots, EVENTS);
    s->wake_at = TDM_NEVER;
    s->core = tdm_files_init(s->storage, &config->core);
    *session = s;
    return TDM_OK;
}

void tdm_file_session_destroy(struct tdm_file_session *s)
{
    tdm_file_store_destroy(s->store);
    free(s->storage);
    free(s);
}

static void tell(struct tdm_file_session *s, const struct tdm_files_out *out)
{
    static const enum tdm_file_session_event_kind kinds[] = {
        [TDM_FILES_EV_OFFERED] = TDM_FILE_SESSION_OFFERED,
        [TDM_FILES_EV_ACCEPTED] = TDM_FILE_SESSION_ACCEPTED,
        [TDM_FILES_EV_PAUSED] = TDM_FILE_SESSION_PAUSED,
        [TDM_FILES_EV_RESUMED] = TDM_FILE_SESSION_RESUMED,
        [TDM_FILES_EV_ENDED] = TDM_FILE_SESSION_ENDED,
    };
    struct tdm_file_session_event *e = tdm_ring_reserve(&s->events);
    struct tdm_files_progress progress;

    if (!e)
        return;
    *e = (struct tdm_file_session_event){.kind = kinds[out->event],
                                         .transfer = out->transfer,
                                         .end = out->end,
                                         .pause = out->pause,
                                         .by_peer = out->by_peer};
    if (tdm_files_progress(s->core, out->transfer, &progress)) {
        e->desc = *progress.desc;
        e->sending = progress.sending;
    }
    if (out->event == TDM_FILES_EV_ENDED && out->transfer == s->last_finished)
        memcpy(e->name, s->finished_name, sizeof e->name);
    if (out->transfer == s->last_finished)
        e->cause = s->finished_cause;
    tdm_ring_commit(&s->events);
}

/* One input, and all that follows from it. */
static void step(struct tdm_file_session *s, const struct tdm_files_in *in,
                 struct tdm_files_out *out)
{
    struct tdm_files_out more;
    tdm_time now = tdm_clock_now();

    tdm_files_step(s->core, now, in, out);
    for (struct tdm_files_out *o = out;; o = &more) {
        s->control_ready = o->control_ready;
        s->data_ready = o->data_ready;
        s->failed = o->failed;
        s->why = o->why;
        s->wake_at = o->wake_at;
        if (o->job.kind)
            tdm_file_store_push(s->store, &o->job);
        if (o->event)
            tell(s, o);
        if (o->wake_at > now)
            return;
        tdm_files_step(s->core, now, NULL, &more);
    }
}

void tdm_file_session_link(struct tdm_file_session *s, const uint8_t *peer)
{
    struct tdm_files_in in = {.kind = peer ? TDM_FILES_LINK_UP : TDM_FILES_LINK_DOWN, .peer = peer};
    struct tdm_files_out out;

    step(s, &in, &out);
}

size_t tdm_file_session_take(struct tdm_file_session *s, bool content, const uint8_t *data,
                             size_t size)
{
    struct tdm_files_in in = {
        .kind = content ? TDM_FILES_DATA : TDM_FILES_CONTROL, .data = data, .size = size};
    struct tdm_files_out out;

    step(s, &in, &out);
    return out.consumed;
}

size_t tdm_file_session_fill(struct tdm_file_session *s, bool content, uint8_t *room, size_t size)
{
    struct tdm_files_in in = {
        .kind = content ? TDM_FILES_PULL_DATA : TDM_FILES_PULL_CONTROL, .room = room, .size = size};
    struct tdm_files_out out;

    step(s, &in, &out);
    return out.filled;
}

bool tdm_file_session_has(const struct tdm_file_session *s, bool content)
{
    return content ? s->data_ready : s->control_ready;
}

static void tell_added(struct tdm_file_session *s, enum tdm_file_session_event_kind kind,
                       uint32_t transfer, const struct tdm_file_store_answer *a)
{
    struct tdm_file_session_event *e = tdm_ring_reserve(&s->events);

    if (!e)
        return;
    *e = (struct tdm_file_session_event){.kind = kind,
                                         .transfer = transfer,
                                         .ticket = a->ticket,
                                         .sending = true,
                                         .desc = a->desc,
                                         .cause = a->cause};
    tdm_ring_commit(&s->events);
}

/* Files of ours that are hashed, as many as may be offered at once; the others wait. */
static void offer_waiting(struct tdm_file_session *s)
{
    while (s->waiting_count) {
        struct tdm_files_in in = {.kind = TDM_FILES_OFFER, .desc = &s->waiting[0].desc};
        struct tdm_files_out out;

        step(s, &in, &out);
        if (!out.transfer)
            return;
        tell_added(s, TDM_FILE_SESSION_ADDED, out.transfer, &s->waiting[0]);
        s->waiting_count--;
        memmove(s->waiting, s->waiting + 1, s->waiting_count * sizeof *s->waiting);
    }
}

/* A file of ours is hashed, or cannot be. */
static void take_added(struct tdm_file_session *s, const struct tdm_file_store_answer *a)
{
    assert(!a->ok || s->waiting_count < TDM_FILE_STORE_SOURCES_MAX);
    if (a->ok)
        s->waiting[s->waiting_count++] = *a;
    else
        tell_added(s, TDM_FILE_SESSION_NO_FILE, 0, a);
}

bool tdm_file_session_turn(struct tdm_file_session *s, const char **why)
{
    struct tdm_file_store_answer answer;

    while (tdm_file_store_pop(s->store, &answer)) {
        struct tdm_files_in in = {.kind = TDM_FILES_DONE, .done = &answer.done};
        struct tdm_files_out out;

        if (answer.added) {
            take_added(s, &answer);
            continue;
        }
        if (answer.done.kind == TDM_FILES_JOB_FINISH || answer.cause.text[0]) {
            s->last_finished = answer.done.transfer;
            memcpy(s->finished_name, answer.name, sizeof s->finished_name);
            s->finished_cause = answer.cause;
        }
        step(s, &in, &out);
    }
    if (s->wake_at <= tdm_clock_now()) {
        struct tdm_files_out out;

        step(s, NULL, &out);
    }
    offer_waiting(s);
    *why = s->why;
    return !s->failed;
}

tdm_time tdm_file_session_wake_at(const struct tdm_file_session *s)
{
    return s->wake_at;
}

enum tdm_err tdm_file_session_add(struct tdm_file_session *s, uint32_t ticket, const char *path)
{
    return tdm_file_store_add(s->store, ticket, path);
}

void tdm_file_session_wish(struct tdm_file_session *s, enum tdm_files_input wish, uint32_t transfer)
{
    struct tdm_files_in in = {.kind = wish, .transfer = transfer, .keep = true};
    struct tdm_files_out out;

    step(s, &in, &out);
}

bool tdm_file_session_next(struct tdm_file_session *s, struct tdm_file_session_event *event)
{
    return tdm_ring_pop(&s->events, event) == TDM_OK;
}

bool tdm_file_session_progress(const struct tdm_file_session *s, uint32_t transfer,
                               struct tdm_files_progress *progress)
{
    return tdm_files_progress(s->core, transfer, progress);
}

void tdm_file_session_hashing(struct tdm_file_session *s, uint64_t *done, uint64_t *total)
{
    tdm_file_store_hashing(s->store, done, total);
}
