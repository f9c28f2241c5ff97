/* SPDX-License-Identifier: MIT */
/*
 * Bytes become wishes, answers of a gateway (also ones that nobody asked for) and steps of time.
 * Checked: one action at a time, no wake in the past, an external address only for what is wanted,
 * and after the end nothing stays.
 */

#include "engine/base/bytes.h"
#include "engine/core/port_lease.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum tdm_port_lease_action waiting;

static void go(struct tdm_port_lease *l, tdm_time now, const struct tdm_port_lease_in *in,
               struct tdm_port_lease_out *out)
{
    tdm_port_lease_step(l, now, in, out);
    if (out->action != TDM_PORT_DO_NOTHING) {
        assert(waiting == TDM_PORT_DO_NOTHING || l->asked == out->action);
        waiting = out->action;
    } else {
        waiting = l->asked;
        assert(out->wake_at > now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_port_lease l;
    struct tdm_port_lease_out out = {0};
    tdm_time now = 0;

    waiting = TDM_PORT_DO_NOTHING;
    tdm_port_lease_init(&l, 1, now);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        struct tdm_port_lease_in in = {.kind = op % TDM_PORT_STOP};

        in.port = tdm_read_u8(&r) % 24;
        in.tcp = op & 0x80;
        in.lifetime = (tdm_time)tdm_read_u8(&r) * TDM_S;
        in.external = (struct tdm_address){.family = TDM_IPV4, .bytes = {44, 1, 2, op}, .port = op};
        now += (tdm_time)(op & 15) * TDM_S;
        go(&l, now, op & 0x40 ? NULL : &in, &out);
    }
    go(&l, now, &(struct tdm_port_lease_in){.kind = TDM_PORT_STOP}, &out);
    for (int i = 0; !out.done; i++) {
        assert(i < 3 * TDM_PORT_LEASES_MAX);
        struct tdm_port_lease_in in = {.kind = waiting == TDM_PORT_DO_MAP    ? TDM_PORT_FAILED
                                               : waiting == TDM_PORT_DO_FIND ? TDM_PORT_NOT_FOUND
                                                                             : TDM_PORT_UNMAPPED};

        go(&l, now, &in, &out);
    }
    for (int i = 0; i < TDM_PORT_LEASES_MAX; i++)
        assert(l.entries[i].state == TDM_PORT_FREE);
    return 0;
}
