/* SPDX-License-Identifier: MIT */
/* Files on the data channel. Channel thread, but for attach and detach. */
#include "engine/files_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum tdm_channel_kind kinds[TDM_FILES_STREAMS + 1] = {TDM_KIND_FILES,
                                                                   TDM_KIND_FILE_DATA, 0};
static const enum tdm_channel_class classes[TDM_FILES_STREAMS] = {TDM_CLASS_BOARD, TDM_CLASS_BULK};

static int which(const uint32_t streams[TDM_FILES_STREAMS], uint32_t stream)
{
    for (int i = 0; stream && i < TDM_FILES_STREAMS; i++)
        if (streams[i] == stream)
            return i;
    return -1;
}

void tdm_files_meet(struct tandem_files *files, const char *peer)
{
    pthread_mutex_lock(&files->lock);
    (void)snprintf(files->peer, sizeof files->peer, "%s", peer);
    pthread_mutex_unlock(&files->lock);
}

/* Keeps what the core did not take; false: there is no memory for it. */
static bool hold(struct tdm_held *h, const uint8_t *data, size_t size)
{
    if (h->size + size > h->room) {
        size_t room = 2 * (h->size + size);
        uint8_t *more = realloc(h->bytes, room);

        if (!more)
            return false;
        h->bytes = more;
        h->room = room;
    }
    memcpy(h->bytes + h->size, data, size);
    h->size += size;
    return true;
}

static void take_held(struct tandem_files *f, int i)
{
    struct tdm_held *h = &f->held[i];

    if (!h->size)
        return;
    size_t taken = tdm_file_session_take(f->session, i, h->bytes, h->size);

    if (!taken)
        return;
    h->size -= taken;
    memmove(h->bytes, h->bytes + taken, h->size);
    if (f->seat && f->in[i])
        (void)tdm_rider_consumed(f->seat, f->in[i], taken);
}

void tdm_files_flow(struct tandem_files *f)
{
    for (int i = 0; i < TDM_FILES_STREAMS; i++) {
        take_held(f, i);
        if (f->seat && f->out[i] && tdm_file_session_has(f->session, i))
            (void)tdm_rider_ready(f->seat, f->out[i]);
    }
}

void tdm_files_relink(struct tandem_files *f)
{
    f->epoch++;
    for (int i = 0; i < TDM_FILES_STREAMS; i++) {
        if (f->out[i])
            (void)tdm_rider_reset(f->seat, f->out[i]);
        f->out[i] = f->in[i] = 0;
        f->held[i].size = 0;
    }
    tdm_file_session_link(f->session, f->peer_print);
    for (int i = 0; i < TDM_FILES_STREAMS; i++)
        (void)tdm_rider_open(f->seat, kinds[i], classes[i], 2 * f->epoch + (uint64_t)i);
}

void tdm_files_turn(struct tandem_files *f)
{
    struct tdm_file_session_event event;
    const char *why;
    bool good = tdm_file_session_turn(f->session, &why);

    while (tdm_file_session_next(f->session, &event))
        tdm_files_heard(f, &event);
    if (!good && f->up && f->seat && f->relinks < TDM_FILES_RELINKS) {
        f->relinks++;
        tdm_files_relink(f);
    } else if (!good) {
        tdm_file_session_link(f->session, NULL);
    }
    tdm_files_flow(f);
}

static void attach(void *rider, struct tdm_rider_seat *seat)
{
    struct tandem_files *f = rider;

    pthread_mutex_lock(&f->lock);
    f->seat = seat;
    f->relinks = 0;
    pthread_mutex_unlock(&f->lock);
}

static void gone(struct tandem_files *f)
{
    f->up = false;
    memset(f->out, 0, sizeof f->out);
    memset(f->in, 0, sizeof f->in);
    f->held[TDM_FILES_MESSAGES].size = f->held[TDM_FILES_CONTENT].size = 0;
    tdm_file_session_link(f->session, NULL);
}

static void begin_anew(struct tandem_files *f)
{
    if (f->relinks++ < TDM_FILES_RELINKS)
        tdm_files_relink(f);
    else
        gone(f);
}

static void detach(void *rider)
{
    struct tandem_files *f = rider;

    pthread_mutex_lock(&f->lock);
    f->seat = NULL;
    gone(f);
    pthread_mutex_unlock(&f->lock);
}

static void up(void *rider, tdm_time now, bool resumed)
{
    struct tandem_files *f = rider;

    (void)now;
    pthread_mutex_lock(&f->lock);
    /* Without resuming there are no streams to give up. */
    if (!resumed)
        memset(f->out, 0, sizeof f->out);
    f->up = tdm_rider_peer(f->seat, f->peer_print);
    /* With nobody known there is nothing to say: a channel that stands has checked whom it met. */
    if (f->up)
        tdm_files_relink(f);
    pthread_mutex_unlock(&f->lock);
}

static void opened(void *rider, tdm_time now, const struct tdm_rider_stream *stream)
{
    struct tandem_files *f = rider;
    int i = stream->kind == TDM_KIND_FILES ? TDM_FILES_MESSAGES : TDM_FILES_CONTENT;

    (void)now;
    pthread_mutex_lock(&f->lock);
    if (stream->tag) {
        if (stream->tag / 2 == f->epoch)
            f->out[i] = stream->id;
        else if (stream->id)
            (void)tdm_rider_reset(f->seat, stream->id);
    } else {
        /* The other side begins anew before we have heard that it gave the old ones up. */
        if (f->in[i])
            tdm_files_relink(f);
        f->in[i] = stream->id;
    }
    tdm_files_flow(f);
    pthread_mutex_unlock(&f->lock);
}

static void record(void *rider, tdm_time now, uint32_t stream, const uint8_t *data, size_t size,
                   bool fin)
{
    struct tandem_files *f = rider;
    size_t taken = size;

    (void)now;
    (void)fin;
    pthread_mutex_lock(&f->lock);
    int i = which(f->in, stream);

    if (i >= 0) {
        taken = f->held[i].size ? 0 : tdm_file_session_take(f->session, i, data, size);
        if (taken < size && !hold(&f->held[i], data + taken, size - taken)) {
            begin_anew(f);
            taken = size;
        }
        tdm_files_turn(f);
    }
    /* Of a stream that is given up everything is done with. */
    if (taken)
        (void)tdm_rider_consumed(f->seat, stream, taken);
    pthread_mutex_unlock(&f->lock);
}

static size_t pull(void *rider, tdm_time now, uint32_t stream, uint8_t *room, size_t max,
                   bool *more, bool *fin)
{
    struct tandem_files *f = rider;
    size_t filled = 0;

    (void)now;
    *more = *fin = false;
    pthread_mutex_lock(&f->lock);
    int i = which(f->out, stream);

    if (i >= 0) {
        filled = tdm_file_session_fill(f->session, i, room, max);
        *more = tdm_file_session_has(f->session, i);
        tdm_files_flow(f);
    }
    pthread_mutex_unlock(&f->lock);
    return filled;
}

/* What was sent twice would be wrong: after a break the streams are new ones. */
static void rewind_to(void *rider, tdm_time now, uint32_t stream, uint64_t offset)
{
    (void)rider;
    (void)now;
    (void)stream;
    (void)offset;
}

static void reset(void *rider, tdm_time now, uint32_t stream)
{
    struct tandem_files *f = rider;

    (void)now;
    pthread_mutex_lock(&f->lock);
    if (which(f->in, stream) >= 0 || which(f->out, stream) >= 0)
        begin_anew(f);
    pthread_mutex_unlock(&f->lock);
}

static tdm_time run(void *rider, tdm_time now)
{
    struct tandem_files *f = rider;

    (void)now;
    pthread_mutex_lock(&f->lock);
    tdm_files_turn(f);
    tdm_time wake_at = tdm_file_session_wake_at(f->session);

    pthread_mutex_unlock(&f->lock);
    return wake_at;
}

const struct tdm_rider_ops tdm_files_rider = {
    .name = "files",
    .kinds = kinds,
    .attach = attach,
    .detach = detach,
    .up = up,
    .opened = opened,
    .record = record,
    .pull = pull,
    .rewind = rewind_to,
    .reset = reset,
    .run = run,
};
