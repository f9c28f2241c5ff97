/* SPDX-License-Identifier: MIT */
/* Chat on the data channel. Channel thread, but for attach and detach. */
#include "engine/chat_state.h"

#include "engine/io/wake.h"
#include "engine/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID_AGAIN  100 /* Texts without a confirmation, at most, in a new channel. */
#define LOOK_TYPING (500 * TDM_MS)

static const enum tdm_channel_kind kinds[] = {TDM_KIND_CHAT, 0};

void tdm_chat_tell(struct tandem_chat *chat, const struct tandem_chat_event *event,
                   const char *text)
{
    struct tandem_chat_event e = *event;
    size_t size = text ? strlen(text) : 0;
    size_t kept = tdm_chat_clean(text, size, e.text, sizeof e.text - 1);

    e.text[kept] = '\0';
    e.cut = size > sizeof e.text - 1;
    (void)tdm_ring_push(&chat->events, &e);
    tdm_wake_signal(chat->event_fd);
}

void tdm_chat_flow(struct tandem_chat *chat)
{
    if (chat->seat && chat->out && tdm_chat_has(&chat->core))
        (void)tdm_rider_ready(chat->seat, chat->out);
}

void tdm_chat_meet(struct tandem_chat *chat, const char *peer)
{
    pthread_mutex_lock(&chat->lock);
    tdm_reach_contact(peer, chat->peer, sizeof chat->peer);
    pthread_mutex_unlock(&chat->lock);
}

/* The text made fit to be kept and shown; in chat->clean, ended. */
static const char *cleaned(struct tandem_chat *chat, const struct tdm_chat_message *m)
{
    size_t size = tdm_chat_clean(m->text, m->size, chat->clean, TDM_CHAT_TEXT_MAX);

    chat->clean[size] = '\0';
    return chat->clean;
}

void tdm_chat_heard(struct tandem_chat *chat, const char *who, const struct tdm_chat_message *m)
{
    const char *text = cleaned(chat, m);
    struct tdm_history_entry entry = {
        .contact = who, .id = m->id, .sent_ms = m->sent_ms, .text = text};
    bool known = false;

    (void)tdm_history_add(chat->history, &entry, &known, NULL);
    if (known)
        return;
    struct tandem_chat_event event = {
        .kind = TANDEM_CHAT_RECEIVED, .id = m->id, .sent_ms = m->sent_ms};

    (void)snprintf(event.who, sizeof event.who, "%s", who);
    tdm_chat_tell(chat, &event, text);
}

/* What we said to this contact and nobody confirmed. */
static void say_again(struct tandem_chat *chat)
{
    static const enum tdm_history_state states[] = {TDM_HISTORY_WAITING, TDM_HISTORY_FAILED};
    struct tdm_history_rows rows;

    for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
        if (tdm_history_find(chat->history, chat->peer, NULL, (int)states[s], SAID_AGAIN, &rows,
                             NULL) != TDM_OK)
            continue;
        for (uint32_t i = 0; i < rows.count; i++) {
            const struct tdm_history_entry *e = &rows.entries[i];

            (void)tdm_chat_put(&chat->core,
                               &(struct tdm_chat_message){.kind = TDM_CHAT_TEXT,
                                                          .id = e->id,
                                                          .sent_ms = e->sent_ms,
                                                          .text = e->text,
                                                          .size = (uint32_t)strlen(e->text)});
        }
        tdm_history_free(&rows);
    }
}

static void attach(void *rider, struct tdm_rider_seat *seat)
{
    struct tandem_chat *chat = rider;

    pthread_mutex_lock(&chat->lock);
    chat->seat = seat;
    pthread_mutex_unlock(&chat->lock);
}

static void tell_link(struct tandem_chat *chat, bool on)
{
    struct tandem_chat_event event = {.kind = TANDEM_CHAT_LINKED, .on = on};

    (void)snprintf(event.who, sizeof event.who, "%s", chat->peer);
    tdm_chat_tell(chat, &event, NULL);
}

static void detach(void *rider)
{
    struct tandem_chat *chat = rider;

    pthread_mutex_lock(&chat->lock);
    if (chat->up)
        tell_link(chat, false);
    chat->seat = NULL;
    chat->up = false;
    chat->in = chat->out = 0;
    pthread_mutex_unlock(&chat->lock);
}

/* Streams anew: what was not confirmed is said again on ours. */
static void link_anew(struct tandem_chat *chat)
{
    if (chat->out)
        (void)tdm_rider_reset(chat->seat, chat->out);
    chat->in = chat->out = 0;
    chat->epoch++;
    tdm_chat_restart(&chat->core);
    say_again(chat);
    (void)tdm_rider_open(chat->seat, TDM_KIND_CHAT, TDM_CLASS_BOARD, chat->epoch);
}

static void up(void *rider, tdm_time now, bool resumed)
{
    struct tandem_chat *chat = rider;

    (void)now;
    pthread_mutex_lock(&chat->lock);
    if (!resumed) {
        chat->out = 0; /* It went with the channel. */
        link_anew(chat);
    }
    if (!chat->up)
        tell_link(chat, true);
    chat->up = true;
    tdm_chat_flow(chat);
    pthread_mutex_unlock(&chat->lock);
}

static void opened(void *rider, tdm_time now, const struct tdm_rider_stream *stream)
{
    struct tandem_chat *chat = rider;

    (void)now;
    pthread_mutex_lock(&chat->lock);
    if (!stream->tag)
        chat->in = stream->id;
    else if (stream->tag == chat->epoch)
        chat->out = stream->id;
    else if (stream->id)
        (void)tdm_rider_reset(chat->seat, stream->id);
    tdm_chat_flow(chat);
    pthread_mutex_unlock(&chat->lock);
}

static void take(struct tandem_chat *chat, const struct tdm_chat_message *m)
{
    struct tandem_chat_event event = {.id = m->id, .sent_ms = m->sent_ms};

    (void)snprintf(event.who, sizeof event.who, "%s", chat->peer);
    switch (m->kind) {
    case TDM_CHAT_TEXT:
    case TDM_CHAT_FILE:
        tdm_chat_heard(chat, chat->peer, m);
        break;
    case TDM_CHAT_EDIT:
        event.kind = TANDEM_CHAT_EDITED;
        if (tdm_history_edit(chat->history, chat->peer, m->id, false, cleaned(chat, m)) == TDM_OK)
            tdm_chat_tell(chat, &event, chat->clean);
        break;
    case TDM_CHAT_RECEIPT:
        event.kind = m->receipt == TDM_CHAT_READ ? TANDEM_CHAT_WAS_READ : TANDEM_CHAT_DELIVERED;
        if (tdm_history_mark(chat->history, chat->peer, m->id,
                             m->receipt == TDM_CHAT_READ ? TDM_HISTORY_READ
                                                         : TDM_HISTORY_DELIVERED) == TDM_OK)
            tdm_chat_tell(chat, &event, NULL);
        break;
    case TDM_CHAT_TYPING:
    case TDM_CHAT_OTHER:
        break;
    }
}

/* Tells when the other side begins or ends to type. @return when to look again. */
static tdm_time watch_typing(struct tandem_chat *chat, tdm_time now)
{
    bool typing = tdm_chat_typing(&chat->core, now);
    struct tandem_chat_event event = {.kind = TANDEM_CHAT_TYPING, .on = typing};

    if (typing != chat->typing) {
        (void)snprintf(event.who, sizeof event.who, "%s", chat->peer);
        tdm_chat_tell(chat, &event, NULL);
    }
    chat->typing = typing;
    return typing ? now + LOOK_TYPING : TDM_NEVER;
}

static void record(void *rider, tdm_time now, uint32_t stream, const uint8_t *data, size_t size,
                   bool fin)
{
    struct tandem_chat *chat = rider;

    (void)fin;
    pthread_mutex_lock(&chat->lock);
    for (size_t at = 0; at < size && stream == chat->in;) {
        struct tdm_chat_message m;
        bool again;

        at += tdm_chat_take(&chat->core, now, data + at, size - at, &m, &again);
        take(chat, &m);
    }
    (void)watch_typing(chat, now);
    (void)tdm_rider_consumed(chat->seat, stream, size);
    tdm_chat_flow(chat);
    pthread_mutex_unlock(&chat->lock);
}

static size_t pull(void *rider, tdm_time now, uint32_t stream, uint8_t *room, size_t max,
                   bool *more, bool *fin)
{
    struct tandem_chat *chat = rider;
    size_t filled = 0;

    (void)now;
    *fin = false;
    pthread_mutex_lock(&chat->lock);
    if (stream == chat->out)
        filled = tdm_chat_pull(&chat->core, room, max);
    *more = stream == chat->out && tdm_chat_has(&chat->core);
    pthread_mutex_unlock(&chat->lock);
    return filled;
}

static void acked(void *rider, tdm_time now, uint32_t stream, uint64_t offset, bool fin)
{
    struct tandem_chat *chat = rider;

    (void)now;
    (void)fin;
    pthread_mutex_lock(&chat->lock);
    if (stream == chat->out)
        tdm_chat_acked(&chat->core, offset);
    pthread_mutex_unlock(&chat->lock);
}

static void rewind_to(void *rider, tdm_time now, uint32_t stream, uint64_t offset)
{
    struct tandem_chat *chat = rider;

    (void)now;
    pthread_mutex_lock(&chat->lock);
    if (stream == chat->out)
        tdm_chat_rewind(&chat->core, offset);
    tdm_chat_flow(chat);
    pthread_mutex_unlock(&chat->lock);
}

static void reset(void *rider, tdm_time now, uint32_t stream)
{
    struct tandem_chat *chat = rider;

    (void)now;
    pthread_mutex_lock(&chat->lock);
    if (stream == chat->in)
        chat->in = 0; /* Theirs: they begin anew, or talk no more. */
    else if (stream == chat->out)
        chat->out = 0; /* They do not want to hear from us in this call. */
    pthread_mutex_unlock(&chat->lock);
}

static tdm_time run(void *rider, tdm_time now)
{
    struct tandem_chat *chat = rider;

    pthread_mutex_lock(&chat->lock);
    tdm_chat_flow(chat);
    tdm_time again = watch_typing(chat, now);

    pthread_mutex_unlock(&chat->lock);
    return again;
}

const struct tdm_rider_ops tdm_chat_rider = {
    .name = "chat",
    .kinds = kinds,
    .attach = attach,
    .detach = detach,
    .up = up,
    .opened = opened,
    .record = record,
    .pull = pull,
    .acked = acked,
    .rewind = rewind_to,
    .reset = reset,
    .run = run,
};
