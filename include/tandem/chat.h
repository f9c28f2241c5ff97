/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_CHAT_H
#define TANDEM_CHAT_H

/*
 * Texts to and from other people: in a call over its data channel, otherwise as SIP messages, with
 * one history for both. Each text of ours is waiting, delivered, read or failed; what waits goes
 * out again in the next call with its contact. Who calls with another certificate than the contact
 * had before (TANDEM_EVENT_STRANGER) is told nothing until tandem_trust. docs/chat.md says how.
 *
 *     struct tandem_chat *chat;
 *     tandem_chat_create(&(struct tandem_chat_config){.history = "chat.db"}, &chat, &cause);
 *     config.chat = chat;                     the engine's messages by SIP
 *     media.channel = true; media.chat = chat; and those of a call
 *     tandem_chat_say(chat, engine, "paul@10.0.0.7", "hello", &id, &cause);
 *     ... poll tandem_chat_event_fd, tandem_chat_next_event ...
 *
 * Any thread may call; nothing is called back.
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tandem_chat;

struct tandem_chat_config {
    const char *history; /* SQLite file, made when it is not there, mode 0600; NULL: in memory. */
};

/** TANDEM_FAILED for a file that cannot be used; it is left as it is. */
TANDEM_API enum tandem_status tandem_chat_create(const struct tandem_chat_config *config,
                                                 struct tandem_chat **chat,
                                                 struct tandem_cause *cause);
/** After the engine that named it was destroyed. */
TANDEM_API void tandem_chat_destroy(struct tandem_chat *chat);

/**
 * Says something to `to` ("paul@10.0.0.7", "10.0.0.7:5070"): over the data channel of a call with
 * it, which keeps the text until the channel stands; or as a SIP message of `engine`, up to 8000
 * bytes. NULL: to whom the call is with. What is not fit to be shown is replaced.
 *
 * @param id  Names the text in events; may be NULL.
 *
 * TANDEM_INVALID: nobody to say it to, or too long (over 1 MiB: send a file). TANDEM_AGAIN: too
 * much waits to be sent, or too many events to be taken; nothing was kept, say it again later.
 */
TANDEM_API enum tandem_status tandem_chat_say(struct tandem_chat *chat, struct tandem *engine,
                                              const char *to, const char *text, uint64_t *id,
                                              struct tandem_cause *cause);
/** Changes a text of ours; "" takes it back. TANDEM_INVALID: no such text, or no call now. */
TANDEM_API enum tandem_status tandem_chat_edit(struct tandem_chat *chat, uint64_t id,
                                               const char *text, struct tandem_cause *cause);
/** Tells the author that a received text was read; and the other side that we are typing. Nothing
 *  without a call. */
TANDEM_API void tandem_chat_read(struct tandem_chat *chat, uint64_t id);
TANDEM_API void tandem_chat_typing(struct tandem_chat *chat, bool on);
/** The same to somebody, by a call's channel or else by SIP messages (RFC 3994) that are said again
 *  while it goes on: call it with each key, and with false when the text is sent or deleted. */
TANDEM_API void tandem_chat_typing_to(struct tandem_chat *chat, struct tandem *engine,
                                      const char *to, bool on);

enum tandem_chat_event_kind {
    TANDEM_CHAT_LINKED,    /* A call's channel takes texts (`on`) or no longer; who = with whom. */
    TANDEM_CHAT_RECEIVED,  /* A text; `cut`: all of it is in the history. */
    TANDEM_CHAT_EDITED,    /* Theirs was changed. */
    TANDEM_CHAT_DELIVERED, /* Ours is there; */
    TANDEM_CHAT_WAS_READ,  /* was read; */
    TANDEM_CHAT_FAILED,    /* could not be delivered now: text = why. */
    TANDEM_CHAT_TYPING,    /* The other side is typing (`on`), or no longer. */
    TANDEM_CHAT_STORED,    /* Ours is kept by a server until they are there. */
};

struct tandem_chat_event {
    enum tandem_chat_event_kind kind;
    uint64_t id;
    int64_t sent_ms; /* Unix time by the author's clock. */
    bool on, cut;
    int value;         /* FAILED: one of enum tandem_end. */
    char who[128];     /* "user@host": the contact, as in the history. */
    char address[256]; /* Where it can be reached, for tandem_chat_say; "" = not known. */
    char text[1024];   /* Fit to be shown: no controls but line ends and tabs. */
};

TANDEM_API int tandem_chat_event_fd(struct tandem_chat *chat);
/** Takes the oldest event; TANDEM_AGAIN when there is none. */
TANDEM_API enum tandem_status tandem_chat_next_event(struct tandem_chat *chat,
                                                     struct tandem_chat_event *event);

/** The history as JSON: a list of {who, id, sent_ms, state, edited, text}, oldest first, at most
 *  `limit` (0: 100), of `who` (NULL: all; only a host: everybody there) with every word of
 *  `words` (NULL: any). Free with tandem_free. NULL with a cause. */
TANDEM_API char *tandem_chat_history(struct tandem_chat *chat, const char *who, const char *words,
                                     uint32_t limit, struct tandem_cause *cause);

#ifdef __cplusplus
}
#endif

#endif
