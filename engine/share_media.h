/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_MEDIA_H
#define TDM_ENGINE_SHARE_MEDIA_H

/*
 * The way of a moving region over the RTP of a call: between the threads of a shared screen and the
 * rings of engine/link.h. The control thread says which link there is and whether it may be used
 * (engine/call_region.h); while there is none, regions go over the data channel. Nothing here
 * decides which region that is, nor what it may cost.
 *
 * `lock` guards the link's stay: after tdm_share_media_leave nobody touches it. It is held for no
 * longer than a unit is copied.
 */

#include "collab/screen.h"
#include "engine/link.h"

#include <pthread.h>

struct tdm_share_media {
    pthread_mutex_t lock;
    struct tdm_link *link;      /* NULL: none. */
    bool sends;                 /* Units may leave by it. */
    _Atomic bool wanted;        /* There are regions, and no RTP to send them by. */
    _Atomic uint64_t sent, got; /* Units. */
    uint32_t frame_id;          /* Of the last unit, for its trace. */
};

void tdm_share_media_init(struct tdm_share_media *m);
void tdm_share_media_free(struct tdm_share_media *m);

/** Control thread: what is agreed. `wake` is signalled when a unit has come. */
void tdm_share_media_join(struct tdm_share_media *m, struct tdm_link *link, bool sends, int wake);
void tdm_share_media_leave(struct tdm_share_media *m);

/** What the sender's next picture has to go by. */
struct tdm_share_media_state {
    bool sends;
    uint64_t bps;
    uint32_t waiting;     /* Packets of earlier pictures that have not left. */
    bool keyframe_wanted; /* Since the last call. */
};

void tdm_share_media_look(struct tdm_share_media *m, struct tdm_share_media_state *state);

/** When a picture was taken, and coded. */
struct tdm_share_unit_times {
    tdm_time captured, encode_start, encode_end;
};

/** Gives a unit to the net thread. False: it cannot leave this way; it is lost to the decoder at
 *  the other end. */
bool tdm_share_media_send(struct tdm_share_media *m, const struct tdm_screen_unit *unit,
                          bool keyframe, const struct tdm_share_unit_times *times);

/** Looks at the next unit that came: which region it is of, and when it came. */
bool tdm_share_media_peek(struct tdm_share_media *m, struct tdm_region_mark *mark, tdm_time *came);
/** Takes it into `room` of TDM_SCREEN_UNIT_MAX bytes. False: there is none, or it is no unit. */
bool tdm_share_media_take(struct tdm_share_media *m, uint8_t *room, struct tdm_screen_unit *unit);
/** It could not be decoded: a keyframe is asked for. */
void tdm_share_media_failed(struct tdm_share_media *m);

#endif
