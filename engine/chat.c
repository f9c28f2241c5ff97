/* SPDX-License-Identifier: MIT */
/* Chat on the data channel. Channel thread, but for attach and detach. */
#include "engine/chat_state.h"

#include "engine/io/wake.h"
#include "engine/reach.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_TYPING (500 * TDM_MS)

static const enum tdm_channel_kind kinds[] = {TDM_KIND_CHAT, 0};

/* Text of a stranger's, made fit to be shown in place. */
static void clean_line(char *line, size_t capacity)
{
    char clean[256];
    size_t size = tdm_chat_clean(line, strlen(line), clean, sizeof clean - 1);

    clean[size] = '\0';
    (void)snprintf(line, capacity, "%s", clean);
}

void tdm_chat_contact(const char *uri, char *who, size_t capacity)
{
    tdm_reach_contact(uri, who, capacity);
    clean_line(who, capacity);
}

void tdm_chat_tell(struct tandem_chat *chat, const struct tandem_chat_event *event,
                   const char *text)
{
    struct tandem_chat_event e = *event;
    size_t size = text ? strlen(text) : 0;
    size_t kept = tdm_chat_clean(text, size, e.text, sizeof e.text - 1);

    e.text[kept] = '\0';
    clean_line(e.address, sizeof e.address);
    e.cut = size > sizeof e.text - 1;
    struct tdm_chat_news *news = malloc(sizeof *news);
    size_t used = offsetof(struct tandem_chat_event, text) + kept + 1;

    if (!news)
        return; /* The history has it. */
    news->next = NULL;
    news->size = used;
    memcpy(&news->event, &e, used);
    if (chat->last)
        chat->last->next = news;
    else
        chat->first = news;
    chat->last = news;
    chat->news_count++;
    tdm_wake_signal(chat->event_fd);
}

void tdm_chat_flow(struct tandem_chat *chat)
{
    if (chat->seat && chat->out && tdm_chat_has(&chat->core))
        (void)tdm_rider_ready(chat->seat, chat->out);
}

bool tdm_chat_meet(struct tandem_chat *chat, const char *peer)
{
    pthread_mutex_lock(&chat->lock);
    bool is_free = !chat->seat;

    if (is_free) {
        tdm_chat_contact(peer, chat->peer, sizeof chat->peer);
        (void)snprintf(chat->address, sizeof chat->address, "%s", peer);
        chat->vouch = TDM_CHAT_HOLDS;
        chat->end_known = false;
        chat->kept_back = 0;
    }
    pthread_mutex_unlock(&chat->lock);
    return is_free;
}

/* An event about whom the channel is with. */
static void tell_peer(struct tandem_chat *chat, struct tandem_chat_event *event, const char *text)
{
    (void)snprintf(event->who, sizeof event->who, "%s", chat->peer);
    (void)snprintf(event->address, sizeof event->address, "%s", chat->address);
    tdm_chat_tell(chat, event, text);
}

static void tell_link(struct tandem_chat *chat, bool on)
{
    struct tandem_chat_event event = {.kind = TANDEM_CHAT_LINKED, .on = on};

    tell_peer(chat, &event, NULL);
}

/* A channel is told of once its certificate was looked at: what is said then may leave. */
static void tell_linked(struct tandem_chat *chat)
{
    bool looked_at =
        !chat->end_known || memcmp(chat->vouched_for, chat->end, sizeof chat->end) == 0;

    if (!chat->up || chat->linked || !looked_at)
        return;
    chat->linked = true;
    tell_link(chat, true);
}

void tdm_chat_vouch(struct tandem_chat *chat, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                    enum tdm_chat_vouch vouch)
{
    pthread_mutex_lock(&chat->lock);
    bool news =
        chat->vouch != vouch || memcmp(chat->vouched_for, peer, sizeof chat->vouched_for) != 0;

    chat->vouch = vouch;
    memcpy(chat->vouched_for, peer, sizeof chat->vouched_for);
    tell_linked(chat);
    if (news && chat->seat) {
        chat->said_again = false;
        tdm_rider_wake(chat->seat);
    }
    pthread_mutex_unlock(&chat->lock);
}

bool tdm_chat_may_tell(const struct tandem_chat *chat)
{
    return chat->up && chat->end_known && chat->vouch != TDM_CHAT_HOLDS &&
           memcmp(chat->vouched_for, chat->end, sizeof chat->end) == 0;
}

const char *tdm_chat_cleaned(struct tandem_chat *chat, const char *text, size_t size)
{
    size_t kept = tdm_chat_clean(text, size, chat->clean, TDM_CHAT_TEXT_MAX);

    chat->clean[kept] = '\0';
    return chat->clean;
}

void tdm_chat_heard(struct tandem_chat *chat, const char *who, const char *address,
                    const struct tdm_chat_message *m)
{
    const char *text = tdm_chat_cleaned(chat, m->text, m->size);
    struct tdm_history_entry entry = {
        .contact = who, .id = m->id, .sent_ms = m->sent_ms, .text = text};
    bool known = false;

    (void)tdm_history_add(chat->history, &entry, &known, NULL);
    if (known)
        return;
    struct tandem_chat_event event = {
        .kind = TANDEM_CHAT_RECEIVED, .id = m->id, .sent_ms = m->sent_ms};

    (void)snprintf(event.who, sizeof event.who, "%s", who);
    (void)snprintf(event.address, sizeof event.address, "%s", address);
    tdm_chat_tell(chat, &event, text);
}

/* The host alone of "user@host": what was said before the user was known waits under it. NULL:
 * there is no user. */
static const char *host_of(const char *contact)
{
    const char *at = strchr(contact, '@');

    return at ? at + 1 : NULL;
}

bool tdm_chat_mark(struct tandem_chat *chat, uint64_t id, enum tdm_history_state state)
{
    const char *host = host_of(chat->peer);

    return tdm_history_mark(chat->history, chat->peer, id, state) == TDM_OK ||
           (host && tdm_history_mark(chat->history, host, id, state) == TDM_OK);
}

void tdm_chat_enter(struct tandem_chat *chat, const struct tdm_chat_message *m)
{
    /* What was held comes first. More than can be held waits for the next channel. */
    if ((chat->held_count || tdm_chat_put(&chat->core, m) != TDM_OK) &&
        chat->held_count < TDM_CHAT_HELD)
        chat->held[chat->held_count++] = m->id;
}

static struct tdm_chat_message message_of(const struct tdm_history_entry *e)
{
    return (struct tdm_chat_message){.kind = TDM_CHAT_TEXT,
                                     .id = e->id,
                                     .sent_ms = e->sent_ms,
                                     .text = e->text,
                                     .size = (uint32_t)strlen(e->text)};
}

/* What was said to one certificate is not for another. */
static bool is_for(const struct tandem_chat *chat, const struct tdm_history_entry *e)
{
    return !e->peer_known || chat->vouch == TDM_CHAT_TRUSTED ||
           memcmp(e->peer, chat->end, sizeof chat->end) == 0;
}

/* The oldest entry that was not taken yet of lists that are each in order; NULL: all were. */
static const struct tdm_history_entry *next_of(const struct tdm_history_rows *lists,
                                               uint32_t *taken, size_t count)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if (taken[i] < lists[i].count &&
            (best == count ||
             lists[i].entries[taken[i]].sent_ms < lists[best].entries[taken[best]].sent_ms))
            best = i;
    return best < count ? &lists[best].entries[taken[best]++] : NULL;
}

/* What we said to this contact and nobody confirmed, in its order, once it is known to be the
 * contact. */
static void say_again(struct tandem_chat *chat)
{
    static const enum tdm_history_state states[] = {TDM_HISTORY_WAITING, TDM_HISTORY_FAILED};
    const char *const names[] = {host_of(chat->peer), chat->peer};
    struct tdm_history_rows lists[4] = {{0}};
    const struct tdm_history_entry *e;
    uint32_t taken[4] = {0};

    if (chat->said_again || !tdm_chat_may_tell(chat))
        return;
    chat->said_again = true;
    chat->kept_back = 0;
    for (size_t i = 0; i < 4; i++)
        if (names[i / 2])
            (void)tdm_history_find(chat->history, names[i / 2], true, NULL, (int)states[i % 2],
                                   TDM_CHAT_AGAIN, &lists[i], NULL);
    while ((e = next_of(lists, taken, 4))) {
        struct tdm_chat_message m = message_of(e);

        if (is_for(chat, e))
            tdm_chat_enter(chat, &m);
    }
    for (size_t i = 0; i < 4; i++)
        tdm_history_free(&lists[i]);
}

/* Room has come. */
static void enter_held(struct tandem_chat *chat)
{
    uint32_t gone = 0;

    for (; gone < chat->held_count; gone++) {
        struct tdm_history_rows rows;
        enum tdm_err err = TDM_OK;

        if (tdm_history_get(chat->history, chat->held[gone], &rows) != TDM_OK)
            continue;
        if (rows.count) {
            struct tdm_chat_message m = message_of(&rows.entries[0]);

            err = tdm_chat_put(&chat->core, &m);
        }
        tdm_history_free(&rows);
        if (err != TDM_OK)
            break;
    }
    chat->held_count -= gone;
    memmove(chat->held, chat->held + gone, chat->held_count * sizeof *chat->held);
}

static void attach(void *rider, struct tdm_rider_seat *seat)
{
    struct tandem_chat *chat = rider;

    pthread_mutex_lock(&chat->lock);
    chat->seat = seat;
    chat->refused = false;
    pthread_mutex_unlock(&chat->lock);
}

static void detach(void *rider)
{
    struct tandem_chat *chat = rider;

    pthread_mutex_lock(&chat->lock);
    if (chat->linked)
        tell_link(chat, false);
    chat->linked = false;
    chat->seat = NULL;
    chat->up = chat->typing = false;
    chat->in = chat->out = 0;
    chat->held_count = 0;
    pthread_mutex_unlock(&chat->lock);
}

/* What arrived was told, or there is room to tell it: the other side may send more. */
static void consume(struct tandem_chat *chat)
{
    if (!chat->unconsumed || chat->news_count >= TDM_CHAT_EVENTS)
        return;
    if (chat->in)
        (void)tdm_rider_consumed(chat->seat, chat->in, chat->unconsumed);
    chat->unconsumed = 0;
}

/* Streams anew: what was not confirmed is said again on ours. */
static void link_anew(struct tandem_chat *chat)
{
    if (chat->out)
        (void)tdm_rider_reset(chat->seat, chat->out);
    chat->in = chat->out = 0;
    chat->unconsumed = 0;
    chat->held_count = 0;
    chat->refused = false;
    chat->epoch++;
    tdm_chat_restart(&chat->core);
    chat->said_again = false;
    (void)tdm_rider_open(chat->seat, TDM_KIND_CHAT, TDM_CLASS_BOARD, chat->epoch);
}

static void up(void *rider, tdm_time now, bool resumed)
{
    struct tandem_chat *chat = rider;

    uint8_t end[TDM_FINGERPRINT_BYTES];
    bool end_known = tdm_rider_peer(chat->seat, end);

    (void)now;
    pthread_mutex_lock(&chat->lock);
    bool same = end_known && chat->end_known && memcmp(end, chat->end, sizeof chat->end) == 0;

    chat->end_known = end_known;
    memcpy(chat->end, end, sizeof chat->end);
    if (!resumed)
        chat->out = 0; /* It went with the channel. */
    if (!resumed || !same)
        link_anew(chat);
    chat->up = true;
    tell_linked(chat);
    say_again(chat);
    tdm_chat_flow(chat);
    pthread_mutex_unlock(&chat->lock);
}

static void opened(void *rider, tdm_time now, const struct tdm_rider_stream *stream)
{
    struct tandem_chat *chat = rider;

    (void)now;
    pthread_mutex_lock(&chat->lock);
    if (!stream->tag) {
        chat->in = stream->id;
        chat->unconsumed = 0;
    } else if (stream->tag == chat->epoch)
        chat->out = stream->id;
    else if (stream->id)
        (void)tdm_rider_reset(chat->seat, stream->id);
    tdm_chat_flow(chat);
    pthread_mutex_unlock(&chat->lock);
}

static void take(struct tandem_chat *chat, const struct tdm_chat_message *m)
{
    struct tandem_chat_event event = {.id = m->id, .sent_ms = m->sent_ms};

    switch (m->kind) {
    case TDM_CHAT_TEXT:
    case TDM_CHAT_FILE:
        tdm_chat_heard(chat, chat->peer, chat->address, m);
        break;
    case TDM_CHAT_EDIT:
        event.kind = TANDEM_CHAT_EDITED;
        if (tdm_history_edit(chat->history, chat->peer, m->id, false,
                             tdm_chat_cleaned(chat, m->text, m->size)) == TDM_OK)
            tell_peer(chat, &event, chat->clean);
        break;
    case TDM_CHAT_RECEIPT:
        event.kind = m->receipt == TDM_CHAT_READ ? TANDEM_CHAT_WAS_READ : TANDEM_CHAT_DELIVERED;
        if (tdm_chat_mark(chat, m->id,
                          m->receipt == TDM_CHAT_READ ? TDM_HISTORY_READ : TDM_HISTORY_DELIVERED))
            tell_peer(chat, &event, NULL);
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

    if (typing != chat->typing)
        tell_peer(chat, &event, NULL);
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
    if (stream == chat->in)
        chat->unconsumed += size;
    else
        (void)tdm_rider_consumed(chat->seat, stream, size);
    consume(chat);
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
    enter_held(chat);
    tdm_chat_flow(chat);
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
    if (stream == chat->in) {
        chat->in = 0; /* Theirs: they begin anew, or talk no more. */
        chat->unconsumed = 0;
    } else if (stream == chat->out) {
        /* They do not want to hear from us in this call. */
        chat->out = 0;
        chat->refused = true;
        if (!chat->linked)
            tell_link(chat, true); /* They were quicker than the look at their certificate. */
        chat->linked = true;
        tell_link(chat, false);
    }
    pthread_mutex_unlock(&chat->lock);
}

static tdm_time run(void *rider, tdm_time now)
{
    struct tandem_chat *chat = rider;

    pthread_mutex_lock(&chat->lock);
    say_again(chat);
    consume(chat);
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
