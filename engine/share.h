/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_H
#define TDM_ENGINE_SHARE_H

/*
 * A shared screen as a rider of the data channel (engine/channel_rider.h) and as the program sees
 * it (include/tandem/share.h). It moves bytes between streams and the threads that work:
 * engine/share_give.h and engine/share_watch.h (pictures), engine/share_hand.h (consent and
 * control).
 */

#include "engine/channel_rider.h"
#include "engine/core/media_desc.h"
#include "engine/link.h"
#include "tandem/share.h"

extern const struct tdm_rider_ops tdm_share_rider; /* Its rider is a struct tandem_share. */

/** Before it is attached: with whom. False: it is in another call. */
bool tdm_share_meet(struct tandem_share *share, const char *peer);

/** The other side is a contact whose certificate is the one that it had in earlier calls, or that
 *  the user trusts. Forgotten with the next tdm_share_meet. Any thread. */
void tdm_share_known(struct tandem_share *share);

/* Moving regions by the call's RTP (engine/call_region.h). Control thread. */

/** What the call's m=video line would be used for: enum tdm_direction. */
enum tdm_direction tdm_share_regions(struct tandem_share *share);
/** The call has such a line; `sends`: its transport stands. Until tdm_share_leave_rtp. */
void tdm_share_join_rtp(struct tandem_share *share, struct tdm_link *link, bool sends);
void tdm_share_leave_rtp(struct tandem_share *share);

#endif
