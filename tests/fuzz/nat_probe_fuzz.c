/* SPDX-License-Identifier: MIT */
/*
 * Bytes become answers to the probe's questions: true ones, other people's, from other addresses,
 * requests turned around, garbage; and steps of time. Checked: it ends within its tries, sends a
 * bounded number of datagrams, and never says more than it was told.
 */

#include "engine/base/bytes.h"
#include "engine/core/nat_probe.h"
#include "engine/wire/stun.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tdm_address address(uint8_t last, uint16_t port)
{
    return (struct tdm_address){.family = TDM_IPV4, .bytes = {44, 0, 0, last}, .port = port};
}

/* An answer to one of the questions that are open. */
static void answer(struct tdm_nat_probe *p, tdm_time now, struct tdm_reader *r,
                   struct tdm_nat_probe_out *out)
{
    uint8_t which = tdm_read_u8(r) % TDM_NAT_QUESTIONS, flags = tdm_read_u8(r), body[256];
    const struct tdm_nat_question_record *q = &p->questions[which];
    struct tdm_address mapped = address(tdm_read_u8(r), tdm_read_u16(r));
    struct tdm_address other = address(tdm_read_u8(r) & 3, 3479);
    struct tdm_nat_probe_in in = {.socket = flags & 1, .from = q->to, .data = body};
    struct tdm_writer w = tdm_stun_begin(body, sizeof body, (enum tdm_stun_class)(flags >> 1 & 3),
                                         TDM_STUN_BINDING, q->id);

    if (flags & 8)
        tdm_stun_write_address(&w, TDM_STUN_XOR_MAPPED_ADDRESS, &mapped);
    if (flags & 16)
        tdm_stun_write_address(&w, TDM_STUN_OTHER_ADDRESS, &other);
    if (flags & 32)
        in.from = other;
    in.size = tdm_stun_end(&w);
    tdm_nat_probe_step(p, now, &in, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_nat_probe_config config = {.server_count = 2, .seed = 3};
    struct tdm_nat_probe p;
    struct tdm_nat_probe_out out;
    tdm_time now = 0;
    uint32_t sent = 0;

    config.servers[0] = address(1, 3478);
    config.servers[1] = address(2, 3478);
    config.local[0] = address(9, 5000);
    config.local[1] = address(9, 5001);
    tdm_nat_probe_init(&p, &config, now);
    for (int turn = 0; !p.facts.done; turn++) {
        assert(turn < 100000);
        uint8_t op = tdm_read_u8(&r);

        if (tdm_reader_left(&r) == 0 || op < 64) {
            tdm_nat_probe_step(&p, now, NULL, &out);
            if (out.wake_at != TDM_NEVER)
                now = tdm_time_max(now, out.wake_at);
        } else if (op < 224) {
            answer(&p, now, &r, &out);
        } else {
            struct tdm_nat_probe_in in = {.socket = op & 1, .from = config.servers[0]};

            in.size = op & 31;
            in.data = tdm_read_bytes(&r, in.size);
            if (!in.data)
                continue;
            tdm_nat_probe_step(&p, now, &in, &out);
        }
        sent += out.count;
        assert(out.count <= TDM_NAT_SENDS_MAX && sent <= 4 * TDM_NAT_QUESTIONS);
        for (uint8_t i = 0; i < out.count; i++)
            assert(out.sends[i].size >= TDM_STUN_HEADER_BYTES && out.sends[i].size <= TDM_NAT_BIG &&
                   out.sends[i].socket < 2);
        assert(p.facts.udp == TDM_NAT_YES || p.facts.mapping == TDM_NAT_UNKNOWN);
    }
    return 0;
}
