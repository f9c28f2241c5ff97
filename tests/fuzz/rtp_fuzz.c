/* SPDX-License-Identifier: MIT */
/* What parses borrows only from the input, and what is written of it parses to the same. */

#include "engine/wire/rtp.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(const uint8_t *part, size_t part_size, const uint8_t *data, size_t size)
{
    return part >= data && part_size <= size && part <= data + size - part_size;
}

static bool is_one_byte_form(const struct tdm_rtp *rtp)
{
    for (uint8_t i = 0; i < rtp->ext_count; i++) {
        const struct tdm_rtp_ext *ext = &rtp->exts[i];

        if (ext->id > 14 || !ext->size || ext->size > 16)
            return false;
    }
    return true;
}

static void check_equal(const struct tdm_rtp *a, const struct tdm_rtp *b)
{
    assert(a->marker == b->marker && a->payload_type == b->payload_type && a->seq == b->seq);
    assert(a->timestamp == b->timestamp && a->ssrc == b->ssrc && a->ext_count == b->ext_count);
    for (uint8_t i = 0; i < a->ext_count; i++) {
        assert(a->exts[i].id == b->exts[i].id && a->exts[i].size == b->exts[i].size);
        assert(memcmp(a->exts[i].data, b->exts[i].data, a->exts[i].size) == 0);
    }
    assert(a->payload_size == b->payload_size);
    assert(memcmp(a->payload, b->payload, a->payload_size) == 0);
}

static void check_round_trip(const struct tdm_rtp *rtp, size_t size)
{
    uint8_t *again = malloc(size + 16); /* Padding and CSRC go; extensions may get a new order. */
    struct tdm_writer w = tdm_writer_of(again, again ? size + 16 : 0);
    struct tdm_rtp back;

    tdm_rtp_write(&w, rtp);
    assert(w.ok == is_one_byte_form(rtp));
    if (w.ok) {
        assert(tdm_rtp_parse(&back, again, tdm_writer_size(&w)) == TDM_OK);
        check_equal(rtp, &back);
    }
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_rtp rtp;

    (void)tdm_rtp_is_rtcp(data, size);
    if (tdm_rtp_parse(&rtp, data, size))
        return 0;
    assert(is_inside(rtp.payload, rtp.payload_size, data, size));
    assert(rtp.ext_count <= TDM_RTP_EXT_MAX && rtp.payload_type < 128);
    for (uint8_t i = 0; i < rtp.ext_count; i++) {
        const struct tdm_rtp_ext *ext = &rtp.exts[i];

        assert(ext->id && is_inside(ext->data, ext->size, data, size));
        assert(ext->data + ext->size <= rtp.payload);
        assert(tdm_rtp_ext_find(&rtp, ext->id)->id == ext->id);
    }
    check_round_trip(&rtp, size);
    return 0;
}
