/* SPDX-License-Identifier: MIT */

/*
 * Bytes become a link's settings and a run of pushes and pops. Packets are conserved, never
 * invented or changed unless bits are flipped, and never arrive before they were sent.
 */

#include "engine/base/bytes.h"
#include "sim/network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS_MAX 64

static double part_of(struct tdm_reader *r)
{
    return tdm_read_u8(r) / 255.0;
}

static tdm_time ms_of(struct tdm_reader *r)
{
    return tdm_read_u8(r) * TDM_MS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t trace[] = {1, 1, 7, 30};
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_sim_rate_step steps[2] = {{ms_of(&r), tdm_read_u16(&r) * 100u},
                                         {300 * TDM_MS, tdm_read_u16(&r) * 100u}};
    struct tdm_sim_window windows[1] = {{ms_of(&r), 256 * TDM_MS, tdm_read_u8(&r) & 1}};
    uint8_t shape = tdm_read_u8(&r);
    struct tdm_sim_link_config config = {
        .seed = tdm_read_u8(&r),
        .rate_bps = tdm_read_u16(&r) * 1000u,
        .rate_steps = steps,
        .rate_step_count = shape & 1 ? 2 : 0,
        .trace_ms = trace,
        .trace_count = (shape & 3) == 2 ? 4 : 0,
        .windows = windows,
        .window_count = shape >> 2 & 1,
        .queue_bytes = shape & 8 ? tdm_read_u16(&r) : 0,
        .queue_delay = shape & 16 ? ms_of(&r) : 0,
        .delay = ms_of(&r),
        .jitter_kind = (enum tdm_sim_jitter)(tdm_read_u8(&r) & 3),
        .jitter = ms_of(&r),
        .jitter_reorders = shape >> 5 & 1,
        .loss = part_of(&r) / 4,
        .ge_enter = part_of(&r),
        .ge_leave = part_of(&r),
        .ge_loss = part_of(&r),
        .reorder = part_of(&r),
        .reorder_delay = ms_of(&r),
        .duplicate = part_of(&r),
        .stall_interval = shape & 64 ? ms_of(&r) + 1 : 0,
        .stall_max = ms_of(&r),
        .packets_max = PACKETS_MAX,
    };
    void *storage = malloc(tdm_sim_link_bytes(&config));
    struct tdm_sim_link *link;
    const struct tdm_sim_link_stats *stats;
    struct tdm_sim_packet packet;
    tdm_time now = 0;

    if (!storage)
        return 0;
    link = tdm_sim_link_init(storage, &config);
    stats = tdm_sim_link_stats_of(link);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        uint8_t bytes[1500];

        now += (op >> 4) * TDM_MS;
        memset(bytes, (int)(stats->pushed & 0xff), sizeof(bytes));
        if (op & 8)
            tdm_sim_link_push(link, now, op, bytes, (size_t)(op & 7) * 200);
        else if (tdm_sim_link_pop(link, now, &packet)) {
            assert(packet.sent <= now && packet.number < stats->pushed);
            for (unsigned i = 0; i < packet.size; i++)
                assert(packet.data[i] == (packet.number & 0xff));
        }
        assert(stats->in_flight <= PACKETS_MAX);
        assert(stats->pushed + stats->copies == stats->delivered + stats->lost_random +
                                                    stats->lost_queue + stats->lost_cut +
                                                    stats->in_flight);
    }
    while (tdm_sim_link_due(link) != TDM_NEVER)
        assert(tdm_sim_link_pop(link, tdm_sim_link_due(link), &packet));
    assert(stats->in_flight == 0);
    free(storage);
    return 0;
}
