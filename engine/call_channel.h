/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_CHANNEL_H
#define TDM_ENGINE_CALL_CHANNEL_H

/*
 * The data channel as a part of a call: offered and answered when the program wants it, made, told
 * what was agreed and ended as the description says, and shown to the program. The channel itself
 * is engine/channel_link.h. Control thread.
 */

#include "engine/channel_link.h"
#include "engine/core/share.h"
#include "signalling/offer_answer.h"
#include "tandem/tandem.h"

struct tandem_call;

struct tdm_call_channel {
    struct tdm_channel_link *link;  /* NULL: none. */
    struct tdm_channel_terms terms; /* As told last. */
    struct tdm_channel_media media; /* As told last. */
    uint16_t mapped_port;           /* That the gateway was asked to open; 0: none. */
    bool agreed;                    /* The other side takes part. */
    bool known;                     /* The share was told that the other side is no stranger. */
    bool chats;                     /* The program's chat rides on it. */
    struct tdm_channel_link_status status;
    char told[256];
    tdm_time up_at;    /* The last moment when it stood, in a call without media; 0: none. */
    char broke[256];   /* An interruption that is not told yet. */
    tdm_time broke_at; /* 0: none. */
    struct tdm_share share;
    struct {
        tdm_time since;
        uint64_t media_bytes, channel_bytes; /* Then. */
        uint64_t media_bps, used_bps;        /* Up to then. */
    } rates;
};

/** Opens the listener, so that its port can be offered; nothing when it is open or not wanted. */
enum tdm_err tdm_call_channel_open(struct tandem_call *call, struct tdm_cause *cause);
void tdm_call_channel_close(struct tandem_call *call);

void tdm_call_channel_capability(const struct tandem_call *call, struct tdm_capability *capability);

/** What was agreed has changed. */
enum tdm_err tdm_call_channel_follow(struct tandem_call *call, struct tdm_cause *cause);

/** After each status of the net: the channel gets what sound and picture leave. */
void tdm_call_channel_share(struct tandem_call *call);

/** Tells the chat what is known of the channel's certificate. */
void tdm_call_channel_vouch(struct tandem_call *call);

/** Takes what the channel's thread says. */
void tdm_call_channel_run(struct tandem_call *call, tdm_time now);

void tdm_call_channel_stats(const struct tandem_call *call, struct tandem_channel_stats *stats);

#endif
