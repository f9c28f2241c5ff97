/* SPDX-License-Identifier: MIT */
#include "engine/core/red_plan.h"

#include "engine/wire/red.h"

#include <math.h>
#include <string.h>

#define REACH        (40 * TDM_MS) /* A copy further back comes too late to be waited for. */
#define LOSS_BEGINS  0.003         /* Copies from here on, */
#define LOSS_ENDS    0.001         /* and until here. */
#define LOSS_LEFT    0.003         /* What may stay lost for one copy to be enough. */
#define ALONE        1.5           /* So near to that of strangers, going further back is no use. */
#define REPORT_SHARE 0.3
#define FATE_SHARE   0.004
#define STAY_SHARE   0.05
#define STAY_UNKNOWN 0.5  /* A burst of two is the guess. */
#define RESTART      1000 /* A number so far away belongs to no row. */
#define HEADER_BYTES 4    /* Of a copy; and every frame has one more. */

void tdm_red_plan_init(struct tdm_red_plan *p)
{
    memset(p, 0, sizeof *p);
    p->stay = -1;
}

void tdm_red_plan_report(struct tdm_red_plan *p, double loss)
{
    if (loss >= 0 && loss <= 1 && !p->fated)
        p->loss += REPORT_SHARE * (loss - p->loss);
}

void tdm_red_plan_fate(struct tdm_red_plan *p, bool lost)
{
    p->fated = true;
    p->loss += FATE_SHARE * ((lost ? 1 : 0) - p->loss);
    if (p->last_lost)
        p->stay = p->stay < 0 ? (lost ? STAY_UNKNOWN : 0)
                              : p->stay + STAY_SHARE * ((lost ? 1 : 0) - p->stay);
    p->last_lost = lost;
}

enum told { UNTOLD, CAME, LOST };

static uint8_t *told_at(struct tdm_red_plan *p, uint16_t seq)
{
    return &p->told[seq & (TDM_RED_PLAN_TOLD - 1)];
}

void tdm_red_plan_told(struct tdm_red_plan *p, uint16_t seq, bool lost)
{
    int16_t ahead = (int16_t)(seq - p->told_next);

    if (!p->fated || ahead < -RESTART || ahead > RESTART) { /* The first, or after a silence. */
        memset(p->told, UNTOLD, sizeof p->told);
        p->told_next = seq;
        ahead = 0;
    }
    if (ahead < 0)
        return;                                   /* Told before. */
    for (; ahead >= TDM_RED_PLAN_TOLD; ahead--) { /* Never told: as if it had not been sent. */
        *told_at(p, p->told_next) = UNTOLD;
        p->told_next++;
    }
    *told_at(p, seq) = lost ? LOST : CAME;
    for (uint8_t *at; *(at = told_at(p, p->told_next)) != UNTOLD; p->told_next++) {
        tdm_red_plan_fate(p, *at == LOST);
        *at = UNTOLD;
    }
}

/* Chance that a packet so far behind a lost one is lost too, where losses come in bursts that end
 * with a fixed chance (Gilbert). */
static double together(const struct tdm_red_plan *p, double stay, unsigned distance)
{
    double memory = fmax(stay - p->loss, 0) / fmax(1 - p->loss, 0.01);

    return p->loss + (1 - p->loss) * pow(memory, distance);
}

void tdm_red_plan_decide(struct tdm_red_plan *p, tdm_time frame, uint32_t frame_bps,
                         uint32_t spare_bps)
{
    double stay = p->stay < 0 ? STAY_UNKNOWN : p->stay;
    unsigned most = frame > 0 ? (unsigned)(REACH / frame) : 1;
    uint64_t header_bps = frame > 0 ? (uint64_t)(HEADER_BYTES * 8) * TDM_S / (uint64_t)frame : 0;
    uint64_t copy_bps = frame_bps + header_bps + 1;
    unsigned paid = (unsigned)(spare_bps / copy_bps), distance = 1;

    most = most < 1 ? 1 : most < TDM_RED_PLAN_FRAMES ? most : TDM_RED_PLAN_FRAMES - 1;
    if (p->loss < (p->copies ? LOSS_ENDS : LOSS_BEGINS) || !paid) {
        p->copies = 0;
        return;
    }
    while (distance < most && p->loss * together(p, stay, distance) > LOSS_LEFT &&
           together(p, stay, distance) > ALONE * p->loss)
        distance++;
    bool second = paid > 1 && most > 1 && p->loss * together(p, stay, distance) > LOSS_LEFT;

    p->copies = second ? 2 : 1;
    p->distance = (uint8_t)(second ? most / 2 : distance);
}

static const struct tdm_red_plan_frame *
frame_before(const struct tdm_red_plan *p, unsigned distance, int64_t rtp_time, uint32_t frame_rtp)
{
    if (!distance || distance > p->count || distance >= TDM_RED_PLAN_FRAMES)
        return NULL;
    const struct tdm_red_plan_frame *f =
        &p->frames[(p->count - distance) & (TDM_RED_PLAN_FRAMES - 1)];
    int64_t offset = rtp_time - f->rtp_time;

    return f->size && offset == (int64_t)distance * frame_rtp && offset <= TDM_RED_OFFSET_MAX
               ? f
               : NULL;
}

size_t tdm_red_plan_payload(struct tdm_red_plan *p, int64_t rtp_time, uint32_t frame_rtp,
                            uint8_t payload_type, const uint8_t *data, size_t size,
                            uint8_t *payload, size_t room)
{
    struct tdm_red red = {0};
    size_t used = 1 + size;

    for (unsigned i = p->copies; i > 0; i--) {
        const struct tdm_red_plan_frame *f = frame_before(p, p->distance * i, rtp_time, frame_rtp);

        if (!f || used + HEADER_BYTES + f->size > room)
            continue;
        used += HEADER_BYTES + f->size;
        red.blocks[red.count++] = (struct tdm_red_block){
            .payload_type = payload_type,
            .offset = (uint16_t)(rtp_time - f->rtp_time),
            .size = f->size,
            .data = f->data,
        };
    }
    red.blocks[red.count++] =
        (struct tdm_red_block){.payload_type = payload_type, .size = (uint16_t)size, .data = data};
    struct tdm_writer w = tdm_writer_of(payload, room);

    if (size <= UINT16_MAX)
        tdm_red_write(&w, &red);
    size_t written = size <= UINT16_MAX && w.ok ? tdm_writer_size(&w) : 0;
    struct tdm_red_plan_frame *f = &p->frames[p->count++ & (TDM_RED_PLAN_FRAMES - 1)];

    f->rtp_time = rtp_time;
    f->size = size <= TDM_RED_PLAN_FRAME_MAX ? (uint16_t)size : 0;
    if (f->size)
        memcpy(f->data, data, f->size);
    return written;
}
