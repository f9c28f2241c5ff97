/* SPDX-License-Identifier: MIT */
/*
 * Bytes become datagrams, writes, reads and steps of time for one end of the reliable stream. Heads
 * are right in their form, so that what they claim (acknowledgements, windows, ranges, echoes) is
 * what varies. Checked: bounds of what leaves, and that it settles.
 */
#include "engine/core/reliable.h"
#include "engine/wire/reliable_datagram.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(struct tdm_reliable *r, tdm_time now, const struct tdm_reliable_in *in)
{
    static struct tdm_reliable_out out;
    struct tdm_reliable_head head;

    for (int i = 0;; i++) {
        assert(i < 4096);
        tdm_reliable_step(r, now, in, &out);
        in = NULL;
        assert(out.size <= TDM_RELIABLE_DATAGRAM);
        assert(!out.size || tdm_reliable_parse(&head, out.data, out.size) == TDM_OK);
        assert(tdm_reliable_readable(r) <= TDM_RELIABLE_BUFFER);
        assert(tdm_reliable_room(r) <= TDM_RELIABLE_BUFFER);
        if (out.wake_at > now)
            return;
    }
}

static void give_head(struct tdm_reliable *r, tdm_time now, struct tdm_reader *in)
{
    static const uint8_t payload[900];
    uint8_t bytes[TDM_RELIABLE_DATAGRAM];
    size_t size = sizeof bytes;
    struct tdm_reliable_head head = {
        .flags = tdm_read_u8(in) & 15,
        .id = tdm_read_u8(in) % 4,
        .time_us = tdm_read_u16(in),
        .echo_us = tdm_read_u16(in),
        .delay_us = (uint32_t)(int8_t)tdm_read_u8(in),
        .offset = (uint64_t)tdm_read_u16(in) * 9,
        .acked = (uint64_t)tdm_read_u16(in) * 4,
        .window = (uint32_t)tdm_read_u8(in) << (tdm_read_u8(in) % 24),
        .range_count = tdm_read_u8(in) % 9,
        .data = payload,
    };

    for (uint8_t i = 0; i < head.range_count; i++)
        head.ranges[i] = (struct tdm_reliable_range){(uint32_t)tdm_read_u8(in) * 263,
                                                     (uint32_t)tdm_read_u8(in) << (i % 2 ? 24 : 5)};
    head.size = (size_t)tdm_read_u8(in) * 3;
    if (tdm_reliable_put(&head, bytes, &size) == TDM_OK)
        step(r, now,
             &(struct tdm_reliable_in){.kind = TDM_RELIABLE_RECEIVED, .data = bytes, .size = size});
}

static void act(struct tdm_reliable *r, tdm_time *now, struct tdm_reader *in)
{
    static uint8_t room[65536];
    uint8_t what = tdm_read_u8(in);
    size_t size;

    switch (what % 8) {
    case 0:
        (void)tdm_reliable_write(r, room, (size_t)tdm_read_u16(in));
        step(r, *now, NULL);
        break;
    case 1:
        (void)tdm_reliable_read(r, room, tdm_read_u16(in));
        step(r, *now, NULL);
        break;
    case 2:
        *now += (tdm_time)tdm_read_u16(in) * TDM_MS / 4;
        step(r, *now, NULL);
        break;
    case 3:
        size = tdm_read_u8(in);
        size = size < tdm_reader_left(in) ? size : tdm_reader_left(in);
        step(r, *now,
             &(struct tdm_reliable_in){
                 .kind = TDM_RELIABLE_RECEIVED, .data = tdm_read_bytes(in, size), .size = size});
        break;
    case 4:
        step(r, *now,
             &(struct tdm_reliable_in){.kind = what & 0x80 ? TDM_RELIABLE_CLOSE : TDM_RELIABLE_RATE,
                                       .rate_bps = (uint64_t)tdm_read_u16(in) * 1000});
        break;
    default:
        give_head(r, *now, in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *storage;
    struct tdm_reader in = tdm_reader_of(data, size);
    struct tdm_reliable_config config = {.opener = tdm_read_u8(&in) & 1, .id = 1};
    tdm_time now = TDM_S;

    if (!storage)
        storage = malloc(tdm_reliable_bytes());
    struct tdm_reliable *r = tdm_reliable_init(storage, &config, now);

    step(r, now, NULL);
    while (in.ok && tdm_reader_left(&in))
        act(r, &now, &in);
    return 0;
}
