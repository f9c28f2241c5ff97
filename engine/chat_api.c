/* SPDX-License-Identifier: MIT */
/* include/tandem/chat.h: the program's side of chat, and texts by SIP. */
#include "engine/account.h"
#include "engine/chat_state.h"

#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/sip_uri.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define TYPING_SECONDS 8
#define HISTORY_LIMIT  100
#define SIP_PATIENCE   (40 * TDM_S) /* SIP gives up in 32 s. */

static int64_t now_ms(void)
{
    return (tdm_clock_now() + tdm_clock_wall_offset()) / TDM_MS;
}

enum tandem_status tandem_chat_create(const struct tandem_chat_config *config,
                                      struct tandem_chat **out, struct tandem_cause *cause)
{
    struct tandem_chat *chat = calloc(1, sizeof *chat);
    struct tdm_cause why = {"no memory for chat"};
    enum tdm_err err = TDM_E_SYSTEM;

    if (!chat)
        return TANDEM_FAILED;
    (void)pthread_mutex_init(&chat->lock, NULL);
    tdm_chat_init(&chat->core);
    chat->clean = malloc(TDM_CHAT_TEXT_MAX + 1);
    chat->event_fd = tdm_wake_open(&why);
    if (chat->clean && chat->event_fd >= 0)
        err = tdm_history_open(&chat->history, config ? config->history : NULL, &why);
    if (err != TDM_OK) {
        if (cause)
            (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
        tandem_chat_destroy(chat);
        return TANDEM_FAILED;
    }
    *out = chat;
    return TANDEM_OK;
}

void tandem_chat_destroy(struct tandem_chat *chat)
{
    if (!chat)
        return;
    assert(!chat->seat);
    tdm_history_close(chat->history);
    for (struct tdm_chat_news *news = chat->first; news;) {
        struct tdm_chat_news *next = news->next;

        free(news);
        news = next;
    }
    if (chat->event_fd >= 0)
        (void)close(chat->event_fd);
    (void)pthread_mutex_destroy(&chat->lock);
    free(chat->clean);
    free(chat);
}

/* One text by SIP, on the control thread. */
struct by_sip {
    struct tandem_chat *chat;
    const char *to, *who;
    uint64_t id;
    struct tdm_sig_body body;
    enum tdm_err err;
    struct tdm_cause cause;
};

/* One that an engine took with it when it ended is not answered any more. */
static bool is_open(const struct tdm_chat_by_sip *slot)
{
    return slot->sig && tdm_clock_now() < slot->since + SIP_PATIENCE;
}

/* The answer is an event that this thread takes later, so it finds the message's number. */
static void remember(const struct by_sip *s, tdm_sig_id sig)
{
    struct tandem_chat *chat = s->chat;

    pthread_mutex_lock(&chat->lock);
    struct tdm_chat_by_sip *slot = chat->by_sip;

    while (slot < chat->by_sip + TDM_CHAT_SIP_OPEN - 1 && is_open(slot) && slot->sig != sig)
        slot++;
    slot->sig = sig;
    slot->since = tdm_clock_now();
    slot->id = s->id;
    (void)snprintf(slot->who, sizeof slot->who, "%s", s->who);
    (void)snprintf(slot->address, sizeof slot->address, "%s", s->to);
    pthread_mutex_unlock(&chat->lock);
}

static void send_by_sip(struct tandem *engine, void *arg)
{
    struct by_sip *s = arg;
    struct tdm_engine_way way;
    tdm_sig_id sig = 0;

    s->err = tdm_engine_open_sig(engine, &s->cause);
    if (s->err == TDM_OK)
        s->err = tdm_engine_find_way(engine, s->to, &way, &s->cause);
    if (s->err == TDM_OK)
        s->err =
            engine->sig_ops->message(engine->sig, way.account, way.to, &s->body, &sig, &s->cause);
    if (s->err == TDM_OK)
        remember(s, sig);
}

static enum tandem_status fail(struct tandem_cause *cause, enum tandem_status status,
                               const char *words)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", words);
    return status;
}

/* The lock is not held: the control thread takes it while it works for us. */
static enum tandem_status say_by_sip(struct tandem_chat *chat, struct tandem *engine,
                                     const char *to, const struct tdm_history_entry *e,
                                     struct tandem_cause *cause)
{
    struct by_sip s = {.chat = chat,
                       .to = to,
                       .who = e->contact,
                       .id = e->id,
                       .body = {"text/plain;charset=UTF-8", e->text, strlen(e->text)},
                       .cause = {"nothing to send it by"}};

    tdm_engine_request(engine, send_by_sip, &s);
    if (s.err == TDM_OK)
        return TANDEM_OK;
    pthread_mutex_lock(&chat->lock);
    (void)tdm_history_mark(chat->history, e->contact, e->id, TDM_HISTORY_FAILED);
    pthread_mutex_unlock(&chat->lock);
    return fail(cause, tdm_engine_status(s.err), s.cause.text);
}

/* Whether `to` means whom the channel is with: host and port are the same, and the user where both
 * name one. */
bool tdm_chat_is_peer(const struct tandem_chat *chat, const char *to)
{
    struct tdm_sip_uri a, b;

    if (tdm_sip_uri_parse(to, &a, NULL) != TDM_OK ||
        tdm_sip_uri_parse(chat->address, &b, NULL) != TDM_OK)
        return false;
    return strcasecmp(a.host, b.host) == 0 &&
           (a.port ? a.port : TDM_SIP_PORT) == (b.port ? b.port : TDM_SIP_PORT) &&
           (!a.user[0] || !b.user[0] || strcasecmp(a.user, b.user) == 0);
}

/* Whether there is room for a text more, and for what becomes of it. */
static bool has_room(const struct tandem_chat *chat, bool here)
{
    uint32_t open = 0;

    for (uint32_t i = 0; i < TDM_CHAT_SIP_OPEN; i++)
        open += is_open(&chat->by_sip[i]);
    return chat->news_count < TDM_CHAT_EVENTS &&
           (here ? chat->held_count < TDM_CHAT_HELD && chat->kept_back < TDM_CHAT_AGAIN
                 : open < TDM_CHAT_SIP_OPEN / 2);
}

/* Into the history, and to the channel if it is for its peer; else *by_sip. The lock is held. */
static enum tandem_status keep(struct tandem_chat *chat, const char *to,
                               struct tdm_history_entry *e, bool *by_sip,
                               struct tandem_cause *cause)
{
    bool here = chat->seat && !chat->refused && (!to || tdm_chat_is_peer(chat, to));
    struct tdm_cause why = {""};

    if (!here && !to)
        return fail(cause, TANDEM_INVALID, "there is no call to say it in: name somebody");
    if (!here && strlen(e->text) > TDM_CHAT_SIP_MAX)
        return fail(cause, TANDEM_INVALID,
                    "too long to go without a call: at most 8000 bytes; call, or send a file");
    if (!has_room(chat, here))
        return fail(cause, TANDEM_AGAIN, "too much waits to be sent: say it again in a moment");
    if (here) {
        e->contact = chat->peer;
        e->peer_known = chat->end_known;
        memcpy(e->peer, chat->end, sizeof e->peer);
    }
    if (tdm_history_add(chat->history, e, NULL, &why) != TDM_OK)
        return fail(cause, TANDEM_FAILED, why.text);
    if (here && chat->said_again && tdm_chat_may_tell(chat)) /* Else say_again finds it. */
        tdm_chat_enter(chat, &(struct tdm_chat_message){.kind = TDM_CHAT_TEXT,
                                                        .id = e->id,
                                                        .sent_ms = e->sent_ms,
                                                        .text = e->text,
                                                        .size = (uint32_t)strlen(e->text)});
    else if (here)
        chat->kept_back++;
    if (here)
        tdm_rider_wake(chat->seat);
    *by_sip = !here;
    return TANDEM_OK;
}

enum tandem_status tandem_chat_say(struct tandem_chat *chat, struct tandem *engine, const char *to,
                                   const char *text, uint64_t *id_out, struct tandem_cause *cause)
{
    /* SQLite counts with a sign. */
    struct tdm_history_entry entry = {
        .id = tdm_entropy_u64() >> 1, .sent_ms = now_ms(), .state = TDM_HISTORY_WAITING};
    char who[128] = "", short_text[TDM_CHAT_SIP_MAX + 1];
    bool by_sip = false;

    if (!text[0] || (to && !to[0]))
        return fail(cause, TANDEM_INVALID, "there is nothing to say, or nobody to say it to");
    if (strlen(text) > TDM_CHAT_TEXT_MAX)
        return fail(cause, TANDEM_INVALID, "longer than 1 MiB: send it as a file");
    if (to)
        tdm_chat_contact(to, who, sizeof who);
    entry.contact = who;
    pthread_mutex_lock(&chat->lock);
    entry.text = tdm_chat_cleaned(chat, text, strlen(text));
    if (to && strcmp(chat->composing_to, to) == 0)
        chat->composing.active = false; /* The text says so itself (RFC 3994 section 3.3). */
    enum tandem_status status = keep(chat, to, &entry, &by_sip, cause);

    if (by_sip) { /* What lies in the chat may change once the lock is free. */
        (void)snprintf(short_text, sizeof short_text, "%s", entry.text);
        entry.text = short_text;
    }
    pthread_mutex_unlock(&chat->lock);
    if (id_out)
        *id_out = entry.id;
    if (status != TANDEM_OK || !by_sip)
        return status;
    return engine ? say_by_sip(chat, engine, to, &entry, cause)
                  : fail(cause, TANDEM_INVALID, "no engine to send it by");
}

enum tandem_status tandem_chat_edit(struct tandem_chat *chat, uint64_t id, const char *text,
                                    struct tandem_cause *cause)
{
    struct tdm_chat_message m = {.kind = TDM_CHAT_EDIT, .id = id, .sent_ms = now_ms()};
    enum tandem_status status = TANDEM_OK;

    if (strlen(text) > TDM_CHAT_TEXT_MAX)
        return fail(cause, TANDEM_INVALID, "longer than 1 MiB: send it as a file");
    pthread_mutex_lock(&chat->lock);
    m.text = tdm_chat_cleaned(chat, text, strlen(text));
    m.size = (uint32_t)strlen(m.text);
    if (!tdm_chat_may_tell(chat) || chat->refused ||
        tdm_history_edit(chat->history, chat->peer, id, true, m.text) != TDM_OK)
        status = fail(cause, TANDEM_INVALID, "no text of ours to whom this call is with");
    else if (tdm_chat_put(&chat->core, &m) != TDM_OK)
        status = fail(cause, TANDEM_FAILED, "too much waits to be sent");
    if (chat->seat)
        tdm_rider_wake(chat->seat);
    pthread_mutex_unlock(&chat->lock);
    return status;
}

static void put(struct tandem_chat *chat, const struct tdm_chat_message *m)
{
    if (!chat->up)
        return;
    (void)tdm_chat_put(&chat->core, m);
    tdm_rider_wake(chat->seat);
}

void tandem_chat_read(struct tandem_chat *chat, uint64_t id)
{
    pthread_mutex_lock(&chat->lock);
    put(chat,
        &(struct tdm_chat_message){.kind = TDM_CHAT_RECEIPT, .id = id, .receipt = TDM_CHAT_READ});
    pthread_mutex_unlock(&chat->lock);
}

void tandem_chat_typing(struct tandem_chat *chat, bool on)
{
    pthread_mutex_lock(&chat->lock);
    put(chat,
        &(struct tdm_chat_message){.kind = TDM_CHAT_TYPING, .seconds = on ? TYPING_SECONDS : 0});
    pthread_mutex_unlock(&chat->lock);
}

int tandem_chat_event_fd(struct tandem_chat *chat)
{
    return chat->event_fd;
}

enum tandem_status tandem_chat_next_event(struct tandem_chat *chat, struct tandem_chat_event *event)
{
    pthread_mutex_lock(&chat->lock);
    struct tdm_chat_news *news = chat->first;

    if (news) {
        memcpy(event, &news->event, news->size);
        chat->first = news->next;
        if (!chat->first)
            chat->last = NULL;
        if (chat->news_count-- == TDM_CHAT_EVENTS && chat->seat)
            tdm_rider_wake(chat->seat); /* There is room again. */
    } else {
        tdm_wake_clear(chat->event_fd);
    }
    pthread_mutex_unlock(&chat->lock);
    free(news);
    return news ? TANDEM_OK : TANDEM_AGAIN;
}

void tdm_chat_sip_in(struct tandem_chat *chat, const struct tdm_sig_event *event)
{
    struct tdm_chat_message m = {.kind = TDM_CHAT_TEXT,
                                 .id = tdm_entropy_u64() >> 1,
                                 .sent_ms = now_ms(),
                                 .text = (const char *)event->body,
                                 .size = event->body_size};
    char who[128];

    struct tdm_composing composing;
    tdm_time now = tdm_clock_now();
    bool typing = strcasecmp(event->content_type, TDM_COMPOSING_TYPE) == 0;

    if (typing ? tdm_composing_parse(&composing, event->body, event->body_size) != TDM_OK
               : strncasecmp(event->content_type, "text/plain", strlen("text/plain")) != 0)
        return;
    tdm_chat_contact(event->from, who, sizeof who);
    pthread_mutex_lock(&chat->lock);
    tdm_chat_typed_there(chat, who, event->from, typing ? tdm_composing_until(&composing, now) : 0);
    if (!typing)
        tdm_chat_heard(chat, who, event->from, &m);
    pthread_mutex_unlock(&chat->lock);
}

/* What an answer to a message means. */
static enum tandem_end end_of(const struct tdm_sig_event *event)
{
    if (event->kind == TDM_SIG_FAILED)
        return TANDEM_END_UNREACHABLE;
    switch (event->code) {
    case 404:
    case 410:
    case 604:
        return TANDEM_END_NOT_FOUND;
    case 408:
    case 480:
        return TANDEM_END_NO_ANSWER;
    case 486:
    case 600:
        return TANDEM_END_BUSY;
    case 403:
    case 603:
        return TANDEM_END_DECLINED;
    default:
        return TANDEM_END_FAILED;
    }
}

void tdm_chat_sip_done(struct tandem_chat *chat, const struct tdm_sig_event *event)
{
    bool taken = event->kind == TDM_SIG_MESSAGE_DONE && event->code / 100 == 2;
    bool stored = taken && event->code == 202; /* RFC 3428 section 7: not there, but kept. */
    struct tandem_chat_event told = {.kind = stored  ? TANDEM_CHAT_STORED
                                             : taken ? TANDEM_CHAT_DELIVERED
                                                     : TANDEM_CHAT_FAILED};

    pthread_mutex_lock(&chat->lock);
    struct tdm_chat_by_sip *slot = chat->by_sip;

    while (slot < chat->by_sip + TDM_CHAT_SIP_OPEN - 1 && slot->sig != event->id)
        slot++;
    if (!tdm_chat_composing_done(chat, event) && slot->sig == event->id && event->id) {
        slot->sig = 0;
        told.id = slot->id;
        told.value = taken ? 0 : (int)end_of(event);
        (void)snprintf(told.who, sizeof told.who, "%s", slot->who);
        (void)snprintf(told.address, sizeof told.address, "%s", slot->address);
        (void)tdm_history_mark(chat->history, slot->who, slot->id,
                               stored  ? TDM_HISTORY_STORED
                               : taken ? TDM_HISTORY_DELIVERED
                                       : TDM_HISTORY_FAILED);
        tdm_chat_tell(chat, &told, taken ? NULL : event->reason);
    }
    pthread_mutex_unlock(&chat->lock);
}

char *tandem_chat_history(struct tandem_chat *chat, const char *who, const char *words,
                          uint32_t limit, struct tandem_cause *cause)
{
    static const char *const states[] = {"received", "waiting", "delivered",
                                         "read",     "failed",  "stored"};
    struct tdm_history_rows rows;
    struct tdm_cause why = {""};
    char contact[128];

    if (who)
        tdm_chat_contact(who, contact, sizeof contact);
    pthread_mutex_lock(&chat->lock);
    enum tdm_err err = tdm_history_find(chat->history, who ? contact : NULL, false, words, -1,
                                        limit ? limit : HISTORY_LIMIT, &rows, &why);

    pthread_mutex_unlock(&chat->lock);
    if (err != TDM_OK) {
        (void)fail(cause, TANDEM_FAILED, why.text);
        return NULL;
    }
    json_t *list = json_array();

    for (uint32_t i = 0; i < rows.count; i++) {
        const struct tdm_history_entry *e = &rows.entries[i];

        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:s, s:b, s:s}", "who", e->contact,
                                              "id", (json_int_t)e->id, "sent_ms",
                                              (json_int_t)e->sent_ms, "state", states[e->state],
                                              "edited", e->edited, "text", e->text));
    }
    tdm_history_free(&rows);
    char *text = json_dumps(list, JSON_INDENT(2));

    json_decref(list);
    return text;
}
