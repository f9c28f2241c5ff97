/* SPDX-License-Identifier: MIT */
/* A walk ends, its items keep their bounds, and what is written of them reads the same. */

#include "engine/wire/rtcp.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_item(struct tdm_writer *w, const struct tdm_rtcp_item *item)
{
    switch (item->kind) {
    case TDM_RTCP_SR:
        tdm_rtcp_write_sr(w, &item->sr, item->reports, item->report_count);
        return;
    case TDM_RTCP_RR:
        tdm_rtcp_write_rr(w, item->sender_ssrc, item->reports, item->report_count);
        return;
    case TDM_RTCP_SDES:
        tdm_rtcp_write_sdes(w, item->sender_ssrc, item->text);
        return;
    case TDM_RTCP_BYE:
        tdm_rtcp_write_bye(w, item->sender_ssrc, item->text);
        return;
    case TDM_RTCP_NACK:
        tdm_rtcp_write_nack(w, item->sender_ssrc, item->media_ssrc, item->nack.entries,
                            item->nack.count);
        return;
    case TDM_RTCP_PLI:
        tdm_rtcp_write_pli(w, item->sender_ssrc, item->media_ssrc);
        return;
    case TDM_RTCP_RPSI:
        tdm_rtcp_write_rpsi(w, item->sender_ssrc, item->media_ssrc, 0, &item->references);
        break;
    case TDM_RTCP_FIR:
        tdm_rtcp_write_fir(w, item->sender_ssrc, item->media_ssrc, item->fir_seq);
        return;
    case TDM_RTCP_TMMBR:
        tdm_rtcp_write_tmmbr(w, item->sender_ssrc, item->tmmbr.entries, item->tmmbr.count);
        return;
    case TDM_RTCP_TMMBN:
        tdm_rtcp_write_tmmbn(w, item->sender_ssrc, item->tmmbr.entries, item->tmmbr.count);
        return;
    case TDM_RTCP_REMB:
        tdm_rtcp_write_remb(w, item->sender_ssrc, item->media_ssrc, item->remb_bps);
        return;
    case TDM_RTCP_TWCC: /* Their own targets walk them. */
    case TDM_RTCP_CCFB:
        tdm_rtcp_write_pli(w, item->sender_ssrc, item->media_ssrc);
        return;
    case TDM_RTCP_XR_RRTR:
        tdm_rtcp_write_rrtr(w, item->sender_ssrc, item->rrtr_ntp);
        return;
    case TDM_RTCP_XR_DLRR:
        tdm_rtcp_write_dlrr(w, item->sender_ssrc, item->dlrr.entries, item->dlrr.count);
        return;
    }
    abort(); /* Another kind. */
}

static void check_bounds(const struct tdm_rtcp_item *item)
{
    assert(item->report_count <= TDM_RTCP_REPORTS_MAX);
    assert(!item->report_count || item->kind == TDM_RTCP_SR || item->kind == TDM_RTCP_RR);
    if (item->kind == TDM_RTCP_NACK)
        assert(item->nack.count && item->nack.count <= TDM_RTCP_NACKS_MAX);
    if (item->kind == TDM_RTCP_TMMBR)
        assert(item->tmmbr.count && item->tmmbr.count <= TDM_RTCP_TMMBR_MAX);
    if (item->kind == TDM_RTCP_TMMBN)
        assert(item->tmmbr.count <= TDM_RTCP_TMMBR_MAX);
    if (item->kind == TDM_RTCP_XR_DLRR)
        assert(item->dlrr.count && item->dlrr.count <= TDM_RTCP_DLRR_MAX);
    if (item->kind == TDM_RTCP_SDES || item->kind == TDM_RTCP_BYE) {
        assert(memchr(item->text, '\0', sizeof item->text));
        for (const char *c = item->text; *c; c++)
            assert(*c >= ' ' && *c <= '~');
    }
}

/* The item's packet reads as one item, whose packet is the same bytes again. */
static void check_round_trip(const struct tdm_rtcp_item *item)
{
    uint8_t first[1024], second[1024];
    struct tdm_writer w = tdm_writer_of(first, sizeof first);
    struct tdm_writer v = tdm_writer_of(second, sizeof second);
    struct tdm_rtcp_item back;

    write_item(&w, item);
    assert(w.ok);
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(first, tdm_writer_size(&w));

    assert(tdm_rtcp_next(&reader, &back) == TDM_OK);
    assert(back.kind == (item->kind == TDM_RTCP_TWCC ? TDM_RTCP_PLI : item->kind));
    assert(back.sender_ssrc == item->sender_ssrc);
    write_item(&v, &back);
    assert(v.ok && tdm_writer_size(&v) == tdm_writer_size(&w));
    assert(memcmp(first, second, tdm_writer_size(&w)) == 0);
    assert(tdm_rtcp_next(&reader, &back) == TDM_E_AGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(data, size);
    struct tdm_rtcp_item item;
    size_t count = 0;
    enum tdm_err err;

    while ((err = tdm_rtcp_next(&reader, &item)) == TDM_OK) {
        assert(++count <= size / 4); /* No item is smaller than four bytes. */
        check_bounds(&item);
        check_round_trip(&item);
    }
    assert(err == TDM_E_AGAIN || err == TDM_E_MALFORMED);
    assert(tdm_rtcp_next(&reader, &item) == err); /* The end stays the end. */
    return 0;
}
