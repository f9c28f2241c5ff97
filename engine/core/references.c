/* SPDX-License-Identifier: MIT */
#include "engine/core/references.h"

#include <string.h>

#define MASK (TDM_REFERENCES_PICTURES - 1)
#define NONE (-1)

void tdm_references_init(struct tdm_references *r, uint8_t reach, uint8_t chains)
{
    memset(r, 0, sizeof *r);
    r->reach = reach < TDM_REFERENCES_PICTURES ? reach : TDM_REFERENCES_PICTURES - 1;
    r->chains = chains ? chains : 1;
}

static struct tdm_references_picture *picture_at(struct tdm_references *r, int64_t count)
{
    return &r->pictures[count & MASK];
}

/* The first that is remembered and may be referred to. */
static int64_t oldest_of(const struct tdm_references *r)
{
    int64_t oldest = r->next - TDM_REFERENCES_PICTURES;

    return oldest > r->first ? oldest : r->first;
}

void tdm_references_told(struct tdm_references *r, const struct tdm_reference_report *report)
{
    if (!r->next)
        return;
    uint32_t last = picture_at(r, r->next - 1)->number;
    int32_t ahead = (int16_t)(uint16_t)(report->newest - (uint16_t)last);
    uint32_t newest = last + (uint32_t)ahead;

    if (ahead > 0 || (r->told && (int32_t)(newest - r->told_newest) < 0))
        return; /* Of what was never sent; or it was overtaken. */
    r->told = true;
    r->told_newest = newest;
    for (int64_t i = oldest_of(r); i < r->next; i++) {
        struct tdm_references_picture *p = picture_at(r, i);
        int32_t age = (int32_t)(newest - p->number);

        if (age >= 0 && age < TDM_REFERENCE_REPORT_PICTURES)
            p->fate = report->decoded >> age & 1 ? TDM_REFERENCE_HAD : TDM_REFERENCE_LACKED;
        else if (age >= 0 && p->fate == TDM_REFERENCE_UNTOLD)
            p->fate = TDM_REFERENCE_LACKED;
    }
}

/* Whether what refers to this one waits for a picture that the other side lacks. */
static bool is_broken(struct tdm_references *r, int64_t count)
{
    int64_t oldest = oldest_of(r);

    while (count >= oldest && picture_at(r, count)->fate == TDM_REFERENCE_UNTOLD)
        count = picture_at(r, count)->refers;
    return count >= oldest && picture_at(r, count)->fate == TDM_REFERENCE_LACKED;
}

static int64_t newest_had(struct tdm_references *r)
{
    for (int64_t i = r->next - 1; i >= oldest_of(r); i--)
        if (picture_at(r, i)->fate == TDM_REFERENCE_HAD)
            return i;
    return NONE;
}

void tdm_references_step(struct tdm_references *r, const struct tdm_repair_plan *plan,
                         struct tdm_references_out *out)
{
    *out = (struct tdm_references_out){0};
    r->begins = false;
    if (!r->next)
        return;
    int64_t known = newest_had(r);
    int64_t chains = plan->chains > r->chains ? r->chains : plan->chains;
    int64_t refers = r->next - (chains > 1 ? chains : 1);
    bool has = known != NONE && r->next - known <= r->reach;
    bool due = has && plan->known_every && r->next - r->head >= plan->known_every;

    refers = refers < r->first ? r->first : refers;
    bool broken = is_broken(r, refers);

    out->known = has ? (uint8_t)(r->next - known) : 0;
    r->begins = has && (due || broken);
    out->keyframe = broken && !has;
    out->wanted = r->begins ? out->known : (uint8_t)(r->next - refers);
}

uint8_t tdm_references_distance(const struct tdm_references *r, uint32_t number, uint8_t refers)
{
    if (!refers || refers > TDM_REFERENCES_PICTURES || refers > r->next)
        return 0;
    uint32_t distance = number - r->pictures[(r->next - refers) & MASK].number;

    return distance < UINT8_MAX ? (uint8_t)distance : UINT8_MAX;
}

void tdm_references_coded(struct tdm_references *r, uint32_t number, uint8_t refers)
{
    bool keyframe = !refers || refers > r->next - r->first;

    if (keyframe)
        r->first = r->next;
    if (r->begins || keyframe)
        r->head = r->next;
    *picture_at(r, r->next) = (struct tdm_references_picture){
        .number = number, .refers = keyframe ? NONE : r->next - refers};
    r->next++;
}
