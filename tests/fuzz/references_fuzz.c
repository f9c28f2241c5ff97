/* SPDX-License-Identifier: MIT */
/*
 * Bytes become reports (true ones and lies), plans and pictures, of which the encoder does what it
 * was asked or less. Checked: nothing is referred to that is not remembered, is before the last
 * keyframe or is beyond the encoder's reach.
 */

#include "engine/base/bytes.h"
#include "engine/core/references.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(struct tdm_references *r, struct tdm_reader *bytes, uint32_t number)
{
    uint16_t ago = tdm_read_u16(bytes);

    tdm_references_told(r, &(struct tdm_reference_report){.newest = (uint16_t)(number - ago),
                                                          .decoded = tdm_read_u64(bytes)});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader bytes = tdm_reader_of(data, size);
    struct tdm_references r;
    uint8_t reach = tdm_read_u8(&bytes), chains = tdm_read_u8(&bytes);
    uint32_t number = tdm_read_u32(&bytes);

    tdm_references_init(&r, reach, chains);
    while (tdm_reader_left(&bytes)) {
        uint8_t op = tdm_read_u8(&bytes);
        const struct tdm_repair_plan plan = {.chains = op & 7, .known_every = op >> 3 & 3};
        struct tdm_references_out out;

        if (op & 0x80) {
            report(&r, &bytes, number);
            continue;
        }
        tdm_references_step(&r, &plan, &out);
        assert(out.wanted <= TDM_REFERENCES_PICTURES && out.wanted <= r.next - r.first);
        assert(out.known <= reach && out.known <= r.next - r.first);
        assert(!out.keyframe || !out.known);
        uint8_t refers = op & 0x40 || out.keyframe ? 0 : out.wanted;

        if (op & 0x20) /* What was wanted is not kept. */
            refers = (uint8_t)(refers + tdm_read_u8(&bytes) % 8);
        number += 1u + (op & 0x20 ? tdm_read_u8(&bytes) : 0u);
        uint8_t distance = tdm_references_distance(&r, number, refers);

        assert(refers || !distance);
        tdm_references_coded(&r, number, refers);
    }
    return 0;
}
