/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_ASSEMBLY_H
#define TDM_CORE_ASSEMBLY_H

/*
 * Video frames out of RTP packets: which packets make a frame, when it is decodable, and when to
 * stop waiting for a hole and go on from a keyframe. Frames come out in order, each once, complete
 * and as soon as the last packet is there; nothing is delayed to smooth it. Asking for missing
 * packets is nack.h; this core says below which number nothing is wanted any more.
 *
 *      base                          highest
 *       | frame | frame ..hole.. | keyframe |     a complete keyframe behind a hole is jumped to
 *
 * A sender that marks what its pictures refer to (wire/reference_mark.h) is believed: a picture is
 * jumped to as soon as it is whole and what it refers to came out, and never given when that did
 * not. What was jumped over never comes out. What came out is told back, and that mends: a keyframe
 * is asked for only when nothing comes out for long.
 */

#include "engine/base/codec_id.h"
#include "engine/base/err.h"
#include "engine/base/time.h"
#include "engine/wire/frame_timing.h"
#include "engine/wire/reference_mark.h"
#include "engine/wire/region_mark.h"
#include "engine/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_ASSEMBLY_PACKETS   1024 /* A power of two. */
#define TDM_ASSEMBLY_FRAME_MAX (512 * 1024)

struct tdm_assembly_packet {
    int64_t seq; /* Extended. */
    int64_t rtp_time;
    tdm_time arrival;
    bool marker;
    uint16_t size;          /* 0: padding alone, as some send to probe the path. */
    const uint8_t *payload; /* Copied by the step. */
    const uint8_t *timing;  /* TDM_FRAME_TIMING_BYTES of the header extension, or NULL. Copied. */
    bool marked;
    struct tdm_region_mark mark;
    bool has_reference;
    struct tdm_reference_mark reference;
};

enum tdm_assembly_in_kind {
    TDM_ASSEMBLY_PACKET,
    TDM_ASSEMBLY_RTT,     /* `rtt` sets how long a hole may wait for its repair. */
    TDM_ASSEMBLY_GIVE_UP, /* The hole will not be repaired. */
    TDM_ASSEMBLY_BROKEN,  /* The decoder failed: nothing before the next keyframe is of use. */
};

struct tdm_assembly_in {
    enum tdm_assembly_in_kind kind;
    union {
        struct tdm_assembly_packet packet;
        tdm_time rtt;
    };
};

struct tdm_assembly_frame {
    const uint8_t *data; /* As a decoder of codecs/codec.h takes it. Valid until the next step. */
    size_t size;
    bool keyframe;
    int64_t rtp_time;
    int64_t first_seq, last_seq;
    tdm_time first_arrival, last_arrival;
    bool has_timing;
    uint8_t timing[TDM_FRAME_TIMING_BYTES];
    bool marked; /* The last packet was; so are all of the frame. */
    struct tdm_region_mark mark;
};

struct tdm_assembly_out {
    bool has_frame;
    struct tdm_assembly_frame frame;
    bool keyframe_wanted;
    int64_t forget_before; /* No packet below this is wanted. */
    tdm_time wake_at;      /* Now, when there is more to look at. */
};

struct tdm_assembly_stats {
    uint64_t frames, keyframes;
    uint64_t dropped_frames;    /* Complete, but of no use without what came before. */
    uint64_t abandoned_packets; /* Received, of frames that never became whole. */
    uint64_t duplicate_packets, late_packets, malformed_packets;
    uint64_t holes_given_up;
    uint64_t jumped_holes; /* To a picture that does not need what is missing. */
};

struct tdm_assembly;

/** `can_repair`: the sender answers NACKs, so that a hole is worth a wait. `empty_between`: a hole
 *  between two pictures whose own numbers follow one another is none. */
struct tdm_assembly_config {
    enum tdm_codec_id codec; /* One that engine/core/payload_format.h knows. */
    bool can_repair;
    bool empty_between; /* Packets that are of no picture share its numbers, and may be lost. */
};

size_t tdm_assembly_bytes(void);
struct tdm_assembly *tdm_assembly_init(void *storage, const struct tdm_assembly_config *config,
                                       tdm_time now);
void tdm_assembly_step(struct tdm_assembly *a, tdm_time now, const struct tdm_assembly_in *in,
                       struct tdm_assembly_out *out);
/** What came out, for the sender; false when its pictures have no marks. */
bool tdm_assembly_report(const struct tdm_assembly *a, struct tdm_reference_report *report);

/** Whether a picture that came out lately referred to another than the last: holes may not matter.
 */
bool tdm_assembly_may_jump(const struct tdm_assembly *a);

const struct tdm_assembly_stats *tdm_assembly_stats_of(const struct tdm_assembly *a);

#endif
