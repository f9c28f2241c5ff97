/* SPDX-License-Identifier: MIT */
/*
 * Bytes become sizes, rates, fates of pictures and times (backwards, too). Checked: what comes out
 * is a step of the ladder, never more than the user's own, and a size changes only when it is said.
 */

#include "engine/base/bytes.h"
#include "engine/core/picture_steps.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_picture_steps s;
    struct tdm_picture_steps_out out;
    tdm_time now = 0;
    const struct tdm_picture_steps_config config = {
        .width = 16 + (tdm_read_u16(&r) & 4095 & ~1),
        .height = 16 + (tdm_read_u16(&r) & 4095 & ~1),
        .fps = 1 + tdm_read_u8(&r) % 120,
        .screen = tdm_read_u8(&r) & 1,
    };
    int width = config.width;

    tdm_picture_steps_init(&s, &config);
    assert(s.count >= 1 && s.count <= TDM_PICTURE_LEVELS_MAX);
    while (tdm_reader_left(&r)) {
        uint8_t flags = tdm_read_u8(&r);
        struct tdm_picture_steps_in in = {
            .bps = (uint64_t)tdm_read_u16(&r) << (flags & 31),
            .coded = flags & 32,
            .dropped = flags & 64,
            .fill = (double)(int8_t)tdm_read_u8(&r) / 16,
            .spent = (tdm_time)(int16_t)tdm_read_u16(&r) * TDM_MS,
        };

        now += (tdm_time)(int16_t)tdm_read_u16(&r) * TDM_MS;
        for (int i = 0; i <= (flags & 128 ? 40 : 0); i++, now += 33 * TDM_MS) {
            tdm_picture_steps_step(&s, now, &in, &out);
            assert(out.level.width > 0 && out.level.width <= config.width);
            assert(out.level.height > 0 && out.level.height <= config.height);
            assert(out.level.width % 2 == 0 && out.level.height % 2 == 0);
            assert(out.level.fps >= 1 && out.level.fps <= config.fps);
            assert(!config.screen || out.level.width == config.width);
            assert(out.resize == (out.level.width != width));
            assert((out.why == TDM_PICTURE_WHOLE) == (s.at == 0));
            assert(isfinite(s.bps) && isfinite(s.busy) && s.need > 0.2 && s.need <= 2);
            width = out.level.width;
        }
    }
    return 0;
}
