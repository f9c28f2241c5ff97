/* SPDX-License-Identifier: MIT */
#include "codecs/reference_slots.h"

#include <assert.h>
#include <string.h>

#define NONE (-1)

void tdm_reference_slots_init(struct tdm_reference_slots *s, uint8_t count)
{
    assert(count >= 3 && count <= TDM_REFERENCE_SLOTS_MAX);
    memset(s, 0, sizeof *s);
    s->count = count;
    for (int i = 0; i < TDM_REFERENCE_SLOTS_MAX; i++)
        s->held[i] = NONE;
}

void tdm_reference_slots_wish(struct tdm_reference_slots *s, const struct tdm_reference *wish)
{
    s->wish = *wish;
}

/* The slot with the newest picture that is no newer than this; NONE without one. */
static int newest_until(const struct tdm_reference_slots *s, int64_t picture)
{
    int best = NONE;

    for (int i = 0; i < s->count; i++)
        if (s->held[i] >= 0 && s->held[i] <= picture &&
            (best == NONE || s->held[i] > s->held[best]))
            best = i;
    return best;
}

bool tdm_reference_slots_begin(struct tdm_reference_slots *s)
{
    int64_t wanted = s->next - (s->wish.wanted ? s->wish.wanted : 1);
    int known = s->wish.known ? newest_until(s, s->next - s->wish.known) : NONE;

    s->read = newest_until(s, wanted);
    s->write = NONE;
    for (int i = 0; i < s->count; i++)
        if (i != s->read && i != known && (s->write == NONE || s->held[i] < s->held[s->write]))
            s->write = i;
    return s->read != NONE;
}

uint8_t tdm_reference_slots_coded(struct tdm_reference_slots *s, bool keyframe)
{
    int64_t refers = keyframe || s->read == NONE ? 0 : s->next - s->held[s->read];

    for (int i = 0; i < s->count; i++)
        if (keyframe || i == s->write)
            s->held[i] = s->next;
    s->next++;
    s->wish = (struct tdm_reference){0};
    return refers < UINT8_MAX ? (uint8_t)refers : UINT8_MAX;
}
