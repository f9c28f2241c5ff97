/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_COMPOSE_H
#define TDM_ENGINE_SHARE_COMPOSE_H

/*
 * Moving regions at the viewer: decodes their pictures, and puts together what is shown, which is
 * the core's pixels with the newest picture of each region over them. When a region is over, its
 * last picture stays until the pixels below were drawn anew.
 *
 * What comes from the host is bounded: a decoder takes nothing larger than its region, and what
 * does not decode, or to another size, is dropped. One thread calls what is here.
 */

#include "collab/screen.h"

struct tdm_share_compose;

/** NULL: no memory. */
struct tdm_share_compose *tdm_share_compose_create(void);
void tdm_share_compose_destroy(struct tdm_share_compose *compose);

/** These are all the regions that there are now. */
void tdm_share_compose_set(struct tdm_share_compose *compose, const struct tdm_screen_video *videos,
                           uint32_t count);

/** By which way a unit came. Each has its own chain of pictures, so that what is late on one of
 *  them does no harm to the other. */
enum tdm_share_way { TDM_SHARE_BY_CHANNEL, TDM_SHARE_BY_RTP, TDM_SHARE_WAYS };

enum tdm_share_drawn {
    TDM_SHARE_NOT_DRAWN, /* It is of no region that there is. */
    TDM_SHARE_BROKEN,    /* It could not be decoded. */
    TDM_SHARE_DRAWN,     /* There is a new picture of it. */
};

/** Decodes. When drawn: where, for tdm_share_compose_draw. */
enum tdm_share_drawn tdm_share_compose_unit(struct tdm_share_compose *compose,
                                            const struct tdm_screen_unit *unit,
                                            enum tdm_share_way way, uint8_t *surface,
                                            struct tdm_screen_rect *rect);

/** Whether there is this region. */
bool tdm_share_compose_has(const struct tdm_share_compose *compose, uint8_t stream,
                           uint32_t frame_id);

/** Draws a region's newest picture into what is shown of its surface. */
void tdm_share_compose_draw(const struct tdm_share_compose *compose, uint8_t stream,
                            const struct tdm_screen_image *shown);

/** Copies a rectangle of the core's pixels, with the regions over it. */
void tdm_share_compose_rect(const struct tdm_share_compose *compose, uint8_t surface,
                            const struct tdm_screen_image *shown, const uint8_t *pixels,
                            ptrdiff_t stride, const struct tdm_screen_rect *rect);

/** Where last pictures of regions that are over may still be seen; they are forgotten. */
bool tdm_share_compose_left(struct tdm_share_compose *compose, uint8_t surface,
                            struct tdm_screen_rect *rect);

#endif
