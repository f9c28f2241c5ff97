/* SPDX-License-Identifier: MIT */
/* Bytes become arrivals of any lateness, losses and jumps of the way for the delay that a playout
 * aims at, and for the drift of the other clock. Checked: weights and costs are numbers, the delay
 * is one that an arrival had, and a drift is one that a clock can have. */

#include "engine/base/bytes.h"
#include "engine/core/drift.h"
#include "engine/core/lateness.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLD_MOST TDM_S /* Against stalls, above the quantile of a calm time. */
#define HOUR      (3600 * TDM_S)

/* Of either sign, an hour at most. */
static tdm_time wide(struct tdm_reader *r)
{
    uint8_t shift = tdm_read_u8(r);
    tdm_time value = (tdm_time)((uint64_t)(tdm_read_u8(r) + 1) << shift % 42);

    value = value > HOUR ? HOUR : value;
    return shift & 64 ? -value : value;
}

static void check(const struct tdm_lateness *l, const struct tdm_drift *d)
{
    tdm_time target = tdm_lateness_target(l);

    assert(target > l->lowest * TDM_MS - TDM_MS &&
           target <= (l->lowest + TDM_LATENESS_BUCKETS) * TDM_MS + HOLD_MOST);
    for (uint32_t i = 1; i < TDM_LATENESS_QUANTILES; i++)
        assert(tdm_lateness_recent(l, i) >= tdm_lateness_recent(l, i - 1));
    for (int i = 0; i < TDM_LATENESS_EXPERTS; i++)
        assert(isfinite(l->experts[i].cost_ms));
    for (int m = 0; m < TDM_LATENESS_MEMORIES; m++)
        assert(isfinite(l->memories[m].total) && l->memories[m].total >= 0);
    assert(fabs(d->ppm) <= 500 && !isnan(d->error_ppm) && d->error_ppm >= 0);
    assert(d->count <= TDM_DRIFT_POINTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_lateness l;
    static struct tdm_drift d;
    struct tdm_reader r = tdm_reader_of(data, size);
    tdm_time device = 0, origin = 0;

    tdm_lateness_init(&l);
    tdm_drift_init(&d);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        /* Around a way that jumps now and then; some from anywhere. */
        tdm_time late = op & 64 ? wide(&r) : origin + tdm_read_u8(&r) * TDM_MS / 4;
        tdm_time duration = (1 + (op & 7)) * 5 * TDM_MS / 2;

        device += duration;
        if (op & 32)
            device += op & 16 ? wide(&r) : 0; /* Back, too. */
        if (op >> 3 == 31) {
            origin = wide(&r);
            tdm_lateness_shift(&l, wide(&r));
        }
        if ((op & 24) == 24)
            tdm_lateness_lose(&l, tdm_read_u8(&r) / 200.0);
        tdm_lateness_add(&l, late, duration, op & 8);
        tdm_drift_add(&d, device, late);
        check(&l, &d);
    }
    return 0;
}
