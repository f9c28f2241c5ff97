/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CHAT_STATE_H
#define TDM_ENGINE_CHAT_STATE_H

/* The inside of engine/chat.h, shared by its two files. */

#include "collab/chat.h"
#include "engine/chat.h"
#include "engine/io/history.h"
#include "signalling/composing.h"

#include <pthread.h>

#define TDM_CHAT_EVENTS   512  /* With so many untold nothing more is taken from either side. */
#define TDM_CHAT_SIP_MAX  8000 /* Bytes of a text by SIP. */
#define TDM_CHAT_SIP_OPEN 256  /* Messages by SIP that have no answer yet. */
#define TDM_CHAT_TYPERS   8    /* People who type at once, by SIP. */
#define TDM_CHAT_HELD     128
#define TDM_CHAT_AGAIN    100 /* Texts without a confirmation, at most, in a new channel. */

/* Something to tell, as long as its text. */
struct tdm_chat_news {
    struct tdm_chat_news *next;
    size_t size; /* Of the event's bytes that are there. */
    struct tandem_chat_event event;
};

struct tdm_chat_by_sip {
    tdm_sig_id sig; /* 0: free. */
    tdm_time since;
    uint64_t id;
    char who[128], address[256];
};

/* Somebody who types, as SIP messages tell. */
struct tdm_chat_typer {
    tdm_time until; /* 0: free. */
    char who[128], address[256];
};

/* `lock` guards all of it; the history is written under it, as a rider may. */
struct tandem_chat {
    pthread_mutex_t lock;
    struct tdm_history *history;
    struct tdm_rider_seat *seat; /* NULL: no channel. */
    bool up, typing;
    bool linked;      /* The program was told that the channel stands. */
    bool refused;     /* The other side's channel stands, but takes no texts. */
    uint32_t out, in; /* Streams; 0: none. */
    uint64_t epoch;   /* Of our stream, as its tag. */
    bool end_known;
    uint8_t end[TDM_FINGERPRINT_BYTES]; /* The certificate at the other end; */
    enum tdm_chat_vouch vouch;          /* what is known of the one in vouched_for. */
    uint8_t vouched_for[TDM_FINGERPRINT_BYTES];
    bool said_again;
    char peer[128];               /* "user@host" of whom the channel is with, */
    char address[256];            /* and its URI. */
    uint64_t held[TDM_CHAT_HELD]; /* Ids of ours for whom `core` had no room. */
    uint32_t held_count;
    struct tdm_chat core;
    struct tdm_chat_by_sip by_sip[TDM_CHAT_SIP_OPEN];
    struct tdm_composing_out composing; /* What we say to `composing_to`, */
    char composing_to[256];
    tdm_sig_id composing_sig; /* by this message, */
    bool composing_refused;   /* unless they know nothing of it. */
    struct tdm_chat_typer typers[TDM_CHAT_TYPERS];
    char *clean; /* Room for the cleaned text of one message. */

    int event_fd;
    struct tdm_chat_news *first, *last;
    uint32_t news_count;
    size_t unconsumed;  /* Of their stream: withheld while too much is untold. */
    uint32_t kept_back; /* Texts that wait for say_again. */
};

/** Whether `to` means whom the channel is with. The lock is held. */
bool tdm_chat_is_peer(const struct tandem_chat *chat, const char *to);
/** The lock is held. `text` may be NULL. */
void tdm_chat_tell(struct tandem_chat *chat, const struct tandem_chat_event *event,
                   const char *text);
/** Has a text sent, or holds it until there is room. The lock is held. */
void tdm_chat_enter(struct tandem_chat *chat, const struct tdm_chat_message *m);
/** Whether who is at the other end may be told anything. The lock is held. */
bool tdm_chat_may_tell(const struct tandem_chat *chat);
/** How far a text of ours to the channel's peer got; false: there is none. The lock is held. */
bool tdm_chat_mark(struct tandem_chat *chat, uint64_t id, enum tdm_history_state state);
/** What there is to send is told to the channel. The lock is held. */
void tdm_chat_flow(struct tandem_chat *chat);
/** A text of somebody's, by whichever way, into the history and to the program; not if it is known
 *  already. The lock is held. */
void tdm_chat_heard(struct tandem_chat *chat, const char *who, const char *address,
                    const struct tdm_chat_message *m);
/** A text made fit to be kept and shown; it lies in `clean`. The lock is held. */
const char *tdm_chat_cleaned(struct tandem_chat *chat, const char *text, size_t size);
/** What came by SIP about somebody's typing; a text of theirs ends it. The lock is held. */
void tdm_chat_typed_there(struct tandem_chat *chat, const char *who, const char *address,
                          tdm_time until);
/** Whether a SIP message was about our typing. The lock is held. */
bool tdm_chat_composing_done(struct tandem_chat *chat, const struct tdm_sig_event *event);
/** The contact of a URI, fit to be shown. */
void tdm_chat_contact(const char *uri, char *who, size_t capacity);

#endif
