/* SPDX-License-Identifier: MIT */
/*
 * Bytes become packets, settings and steps of time (backwards, too). Checked: requests are for
 * missing packets, ascending and bounded; no wake in the past; time alone ends it.
 */

#include "engine/base/bytes.h"
#include "engine/core/nack.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tdm_nack *n, tdm_time now, const struct tdm_nack_out *out)
{
    assert(n->count <= TDM_NACK_MISSING_MAX && out->count <= n->count);
    assert(out->wake_at > now);
    assert((out->wake_at == TDM_NEVER) == (n->count == 0));
    for (uint16_t i = 0; i < n->count; i++)
        assert(n->missing[i].seq < n->highest_seq &&
               (i == 0 || n->missing[i].seq > n->missing[i - 1].seq));
    for (uint16_t i = 0, k = 0; i < out->count; i++, k++)
        while (out->seqs[i] != (uint16_t)n->missing[k].seq)
            assert(++k < n->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_nack n;
    struct tdm_nack_out out = {0};
    tdm_time now = 1000 * TDM_S;
    int64_t seq = 100000;

    tdm_nack_init(&n, now);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        struct tdm_nack_in in = {.kind = TDM_NACK_PACKET};

        if (op < 64) {
            seq += op - 16;
        } else if (op < 72) {
            seq += (int16_t)tdm_read_u16(&r);
        } else if (op < 80) {
            in.kind = TDM_NACK_RTT;
            in.rtt = (tdm_time)tdm_read_u16(&r) * TDM_MS;
        } else if (op < 96) {
            in.kind = TDM_NACK_FORGET_BEFORE;
            in.seq = seq - (op & 15) * 4;
        } else if (op < 104) {
            now -= (tdm_time)(op & 7) * 100 * TDM_MS;
        } else {
            now += (tdm_time)(op & 31) * (op & 32 ? 10 * TDM_MS : TDM_MS);
        }
        if (in.kind == TDM_NACK_PACKET)
            in.seq = seq;
        tdm_nack_step(&n, now, op < 96 ? &in : NULL, &out);
        check(&n, now, &out);
    }
    for (int turn = 0; n.count; turn++) {
        assert(turn < 20 * TDM_NACK_MISSING_MAX && out.wake_at != TDM_NEVER);
        now = tdm_time_max(now, out.wake_at);
        tdm_nack_step(&n, now, NULL, &out);
        check(&n, now, &out);
    }
    return 0;
}
