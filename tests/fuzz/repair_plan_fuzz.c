/* SPDX-License-Identifier: MIT */
/*
 * Bytes become fates of packets, times (backwards, too) and means. Checked: what is measured stays
 * in its range, and a plan is finite, of what is allowed, and dear only when nothing cheaper is
 * there; so are the plans for generic repairs and for repetitions.
 */

#include "engine/base/bytes.h"
#include "engine/core/loss_pattern.h"
#include "engine/core/repair_plan.h"
#include "engine/core/repeat_plan.h"
#include "engine/core/xor_plan.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plan(const struct tdm_loss_pattern *p, tdm_time rtt, uint8_t flags)
{
    struct tdm_repair_path path = {tdm_loss_pattern_loss(p), tdm_loss_pattern_burst(p),
                                   tdm_loss_pattern_burst_time(p), rtt};
    struct tdm_repair_means means = {
        .ask = flags & 1,
        .code = flags & 2,
        .reach = flags & 4 ? 60 : 0,
        .chains = flags >> 3,
        .interval = (flags & 8 ? 16 : 33) * TDM_MS,
        .patience = 150 * TDM_MS,
        .packets = flags & 16 ? 1 : 40,
        .most = flags & 32 ? 0.1 : 0.5,
        .stalls = flags & 64 ? 0.01 : 0,
        .late = flags & 128 ? 0.04 : 0,
    };
    struct tdm_repair_plan plan;

    assert(path.loss >= 0 && path.loss <= 1 && path.burst >= 1);
    assert(path.burst_time >= 0 && path.burst_time <= 2 * TDM_S);
    tdm_repair_plan_make(&plan, &path, &means);
    assert(isfinite(plan.cost) && isfinite(plan.stalls) && isfinite(plan.late));
    assert(plan.stalls >= 0 && plan.late >= 0 && plan.cost >= 0);
    assert(plan.parity >= 0 && plan.parity <= means.most);
    assert(plan.chains >= 1 && plan.chains <= TDM_REPAIR_CHAINS_MAX);
    assert(means.ask || !plan.ask);
    assert(means.code || plan.parity == 0);
    assert(means.reach || (plan.chains == 1 && !plan.known_every));
    assert(plan.chains <= 1 || plan.chains <= means.chains);
}

static void check_others(const struct tdm_loss_pattern *p, tdm_time rtt, uint8_t flags)
{
    const struct tdm_repair_path path = {tdm_loss_pattern_loss(p), tdm_loss_pattern_burst(p),
                                         tdm_loss_pattern_burst_time(p), rtt};
    const struct tdm_repair_means means = {.ask = flags & 1,
                                           .interval = 33 * TDM_MS,
                                           .patience = 150 * TDM_MS,
                                           .packets = flags & 16 ? 1 : 40,
                                           .most = flags & 32 ? 0.1 : 0.5,
                                           .stalls = flags & 64 ? 0.01 : 0,
                                           .late = flags & 128 ? 0.04 : 0};
    struct tdm_repeat_budget budget = {flags & 7};
    struct tdm_repeat_plan repeat;
    struct tdm_xor_plan plan;

    tdm_xor_plan_make(&plan, &path, &means);
    assert(isfinite(plan.cost) && isfinite(plan.stalls) && isfinite(plan.late));
    assert(plan.part >= 0 && plan.part <= means.most);
    tdm_repeat_plan_make(&repeat, &path, (flags - 100) * 5 * TDM_MS);
    assert(repeat.times >= 1 && repeat.times <= TDM_REPEAT_MOST);
    assert(repeat.gap >= 0 && repeat.gap <= TDM_S);
    tdm_repeat_budget_spend(&budget, &repeat);
    assert(repeat.times >= 1 && repeat.times <= 1 + (flags & 7) && budget.packets >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_loss_pattern p;
    tdm_time now = 0;
    int plans = 0;

    tdm_loss_pattern_init(&p);
    while (tdm_reader_left(&r) && plans < 8) {
        uint8_t op = tdm_read_u8(&r);

        if (op == 255) {
            tdm_time rtt = (tdm_time)tdm_read_u16(&r) * TDM_MS;
            uint8_t flags = tdm_read_u8(&r);

            check_plan(&p, rtt, flags);
            check_others(&p, rtt, flags);
            plans++;
        } else if (op >= 250) {
            now += (tdm_time)(int16_t)tdm_read_u16(&r) * TDM_MS;
        } else {
            for (int i = 0; i <= op >> 1; i++, now += TDM_MS)
                tdm_loss_pattern_packet(&p, now, op & 1);
        }
    }
    check_plan(&p, 100 * TDM_MS, (uint8_t)size);
    return 0;
}
