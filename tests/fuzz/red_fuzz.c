/* SPDX-License-Identifier: MIT */
/* A payload that opens is written the same again where its copies were kept; and a plan that is fed
 * frames and fates of the input's choice makes payloads that open. */

#include "engine/core/red_plan.h"
#include "engine/wire/red.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_payload(const uint8_t *data, size_t size)
{
    uint8_t bytes[4096];
    struct tdm_red red;

    if (size > sizeof bytes || tdm_red_parse(&red, data, size) != TDM_OK)
        return;
    size_t sum = 0;

    for (uint8_t i = 0; i < red.count; i++) {
        assert(red.blocks[i].data >= data &&
               red.blocks[i].data + red.blocks[i].size <= data + size);
        sum += red.blocks[i].size + (i + 1 < red.count ? 4u : 1u);
    }
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

    tdm_red_write(&w, &red);
    assert(w.ok && tdm_writer_size(&w) == sum);
    if (sum == size)
        assert(memcmp(bytes, data, size) == 0);
}

static void drive_plan(const uint8_t *data, size_t size)
{
    static const uint8_t frame[600];
    struct tdm_red_plan plan;
    uint8_t payload[700];
    int64_t rtp_time = 0;

    tdm_red_plan_init(&plan);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        size_t length = data[i] * 2u, room = 1 + data[i + 1] * 2u;
        struct tdm_red red;

        tdm_red_plan_fate(&plan, data[i + 2] & 1);
        tdm_red_plan_told(&plan, (uint16_t)(data[i] << 8 | data[i + 1]), data[i + 3] & 1);
        if (data[i + 2] & 2)
            tdm_red_plan_report(&plan, data[i + 3] / 128.0);
        tdm_red_plan_decide(&plan, (tdm_time)data[i + 2] * TDM_MS, data[i + 3] * 1000u,
                            data[i + 1] * 1000u);
        rtp_time += (data[i + 2] >> 2) * 120;
        size_t made = tdm_red_plan_payload(&plan, rtp_time, 480, 111, frame, length, payload, room);

        assert(made <= room && (made || length + 1 > room));
        assert(!made || (tdm_red_parse(&red, payload, made) == TDM_OK &&
                         red.blocks[red.count - 1].size == length));
        assert(plan.copies <= TDM_RED_PLAN_COPIES_MAX && plan.loss >= 0 && plan.loss <= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_payload(data, size);
    drive_plan(data, size);
    return 0;
}
