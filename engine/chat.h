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

/** A SIP message that came, and what became of one of ours. Control thread. */
void tdm_chat_sip_in(struct tandem_chat *chat, const struct tdm_sig_event *event);
void tdm_chat_sip_done(struct tandem_chat *chat, const struct tdm_sig_event *event);

#endif
