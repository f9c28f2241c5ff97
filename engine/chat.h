/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CHAT_H
#define TDM_ENGINE_CHAT_H

/*
 * Chat as a rider of the data channel (engine/channel_rider.h), as SIP messages, and as the program
 * sees it (include/tandem/chat.h): one history for both ways. After a new channel came, what was
 * said and never confirmed is said again; the other side knows a text by its id.
 */

#include "engine/channel_rider.h"
#include "signalling/signalling.h"
#include "tandem/chat.h"

extern const struct tdm_rider_ops tdm_chat_rider; /* Its rider is a struct tandem_chat. */

/** Before it is attached: with whom ("sip:..."). False: it is in another call. */
bool tdm_chat_meet(struct tandem_chat *chat, const char *peer);

/** What is known of a certificate. */
enum tdm_chat_vouch {
    TDM_CHAT_HOLDS,   /* Nothing yet, or it is not the one that the contact had before. */
    TDM_CHAT_MAY,     /* It is the contact's, or the first one. */
    TDM_CHAT_TRUSTED, /* The program said so: also for what was said to an earlier one. */
};

/** What it may be told who has the certificate `peer` and is at the other end of the channel. */
void tdm_chat_vouch(struct tandem_chat *chat, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                    enum tdm_chat_vouch vouch);

/** A SIP message that came, and what became of one of ours. Control thread. */
void tdm_chat_sip_in(struct tandem_chat *chat, const struct tdm_sig_event *event);
void tdm_chat_sip_done(struct tandem_chat *chat, const struct tdm_sig_event *event);

/** Who types by SIP, and what we say of it. Control thread. @return when to call again. */
tdm_time tdm_chat_run(struct tandem_chat *chat, struct tandem *engine, tdm_time now);

#endif
