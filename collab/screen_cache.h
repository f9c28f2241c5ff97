/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_CACHE_H
#define TDM_COLLAB_SCREEN_CACHE_H

/*
 * What the viewer keeps of tiles that were shown before, as the host remembers it: two keyed hashes
 * of 64 bits for each slot, no pixels. The host says which tile goes into which slot. Slots that
 * were not used for long give way (a clock with one bit each); none that the frame in the making
 * uses.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_SCREEN_NO_SLOT UINT32_MAX

struct tdm_screen_cache;

size_t tdm_screen_cache_bytes(uint32_t slots);
struct tdm_screen_cache *tdm_screen_cache_init(void *storage, uint32_t slots);
/** Uses no more than so many from now on, and forgets all. */
void tdm_screen_cache_limit(struct tdm_screen_cache *c, uint32_t slots);
uint32_t tdm_screen_cache_slots(const struct tdm_screen_cache *c);

/** Is there a tile with this first hash? Saves computing the second. */
bool tdm_screen_cache_may_have(const struct tdm_screen_cache *c, uint64_t first);
/** The slot of a tile, for the frame `id`; or TDM_SCREEN_NO_SLOT. */
uint32_t tdm_screen_cache_find(struct tdm_screen_cache *c, uint64_t first, uint64_t second,
                               uint32_t id);
/** A slot for it, from the frame `id` on; TDM_SCREEN_NO_SLOT: that frame uses all. */
uint32_t tdm_screen_cache_put(struct tdm_screen_cache *c, uint64_t first, uint64_t second,
                              uint32_t id);
/** Forgets what frames after `id` have put: the viewer never had them, or not whole. */
void tdm_screen_cache_drop_after(struct tdm_screen_cache *c, uint32_t id);

#endif
