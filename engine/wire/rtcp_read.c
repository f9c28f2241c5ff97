/* SPDX-License-Identifier: MIT */
#include "engine/wire/rtcp.h"

#include "engine/wire/rtcp_types.h"

/* RFC 3550 section 6.4.1. */
static void read_report(struct tdm_reader *r, struct tdm_rtcp_report *report)
{
    report->ssrc = tdm_read_u32(r);
    report->fraction_lost = tdm_read_u8(r);
    report->cumulative_lost = (int32_t)(tdm_read_u24(r) << 8) / 256; /* Extends the sign. */
    report->highest_seq = tdm_read_u32(r);
    report->jitter = tdm_read_u32(r);
    report->last_sr = tdm_read_u32(r);
    report->delay_since_last_sr = tdm_read_u32(r);
}

/* SR and RR. What follows the report blocks is a profile's extension, which we do not know. */
static enum tdm_err read_reports(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;

    item->kind = reader->part_type == TYPE_SR ? TDM_RTCP_SR : TDM_RTCP_RR;
    item->sender_ssrc = tdm_read_u32(r);
    if (item->kind == TDM_RTCP_SR) {
        item->sr.ssrc = item->sender_ssrc;
        item->sr.ntp = tdm_read_u64(r);
        item->sr.rtp_timestamp = tdm_read_u32(r);
        item->sr.packet_count = tdm_read_u32(r);
        item->sr.octet_count = tdm_read_u32(r);
    }
    item->report_count = reader->part_count;
    for (uint8_t i = 0; i < item->report_count; i++)
        read_report(r, &item->reports[i]);
    r->at = r->end;
    return r->ok ? TDM_OK : TDM_E_MALFORMED;
}

/* A peer's text goes to logs and screens: printable ASCII stays, every other byte becomes '?'. */
static void read_text(struct tdm_reader *r, char text[256])
{
    uint8_t size = tdm_read_u8(r);
    const uint8_t *bytes = tdm_read_bytes(r, size);
    uint8_t at = 0;

    for (; bytes && at < size; at++)
        text[at] = bytes[at] >= 0x20 && bytes[at] < 0x7f ? (char)bytes[at] : '?';
    text[at] = '\0';
}

/* One chunk: SSRC, items, one to four zero bytes up to a 32-bit boundary (RFC 3550 section 6.5).
 * TDM_E_AGAIN when it has no CNAME. */
static enum tdm_err read_sdes_chunk(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;
    bool has_cname = false;

    item->kind = TDM_RTCP_SDES;
    item->sender_ssrc = tdm_read_u32(r);
    for (uint8_t type; (type = tdm_read_u8(r)) != 0;) {
        if (type == SDES_CNAME && !has_cname) {
            read_text(r, item->text);
            has_cname = true;
        } else {
            tdm_read_skip(r, tdm_read_u8(r));
        }
    }
    tdm_read_skip(r, tdm_reader_left(r) % 4);
    reader->part_count--;
    if (!r->ok || (reader->part_count && !tdm_reader_left(r)))
        return TDM_E_MALFORMED;
    if (!reader->part_count)
        r->at = r->end;
    return has_cname ? TDM_OK : TDM_E_AGAIN;
}

/* Each source of a BYE is an item, with the reason that stands behind the last (section 6.6). */
static enum tdm_err read_bye(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;

    item->kind = TDM_RTCP_BYE;
    item->sender_ssrc = item->media_ssrc = tdm_read_u32(r);
    reader->part_count--;

    struct tdm_reader reason = *r;

    tdm_read_skip(&reason, (size_t)reader->part_count * 4);
    item->text[0] = '\0';
    if (reason.ok && tdm_reader_left(&reason))
        read_text(&reason, item->text);
    if (!reader->part_count)
        r->at = r->end;
    return reason.ok ? TDM_OK : TDM_E_MALFORMED;
}

/* RFC 4585 section 6.2.1. */
static enum tdm_err read_nack(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;

    item->kind = TDM_RTCP_NACK;
    item->nack.count = 0;
    while (tdm_reader_left(r) && item->nack.count < TDM_RTCP_NACKS_MAX) {
        struct tdm_rtcp_nack *entry = &item->nack.entries[item->nack.count++];

        entry->pid = tdm_read_u16(r);
        entry->blp = tdm_read_u16(r);
    }
    return r->ok && item->nack.count ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err read_twcc(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;
    size_t size = tdm_reader_left(r);

    item->kind = TDM_RTCP_TWCC;
    return tdm_twcc_open(&item->twcc, tdm_read_bytes(r, size), size);
}

static enum tdm_err read_ccfb(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;
    size_t size = tdm_reader_left(r);

    item->kind = TDM_RTCP_CCFB;
    return tdm_ccfb_open(&item->ccfb, tdm_read_bytes(r, size), size);
}

/* RFC 4585 section 6.3.1: nothing follows the two SSRCs. */
static enum tdm_err read_pli(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    item->kind = TDM_RTCP_PLI;
    return tdm_reader_left(&reader->part) ? TDM_E_MALFORMED : TDM_OK;
}

/* RFC 4585 section 6.3.3.2. TDM_E_AGAIN for what a codec understands and we do not. */
static enum tdm_err read_rpsi(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader r = reader->part;

    reader->part.at = reader->part.end;
    if (tdm_reader_left(&r) != RPSI_BYTES || tdm_read_u8(&r) != RPSI_UNUSED_BITS)
        return TDM_E_AGAIN;
    (void)tdm_read_u8(&r); /* Payload type. */
    item->kind = TDM_RTCP_RPSI;
    item->references.newest = tdm_read_u16(&r);
    item->references.decoded = (uint64_t)tdm_read_u16(&r) << 32;
    item->references.decoded |= tdm_read_u32(&r);
    return TDM_OK;
}

/* RFC 5104 section 4.3.1: the media SSRC stands in each entry. */
static enum tdm_err read_fir(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;

    item->kind = TDM_RTCP_FIR;
    item->media_ssrc = tdm_read_u32(r);
    item->fir_seq = tdm_read_u8(r);
    tdm_read_skip(r, 3);
    return r->ok ? TDM_OK : TDM_E_MALFORMED;
}

/* RFC 5104 sections 4.2.1.1 and 4.2.2.1: only a notification may be of nothing. */
static enum tdm_err read_tmmbr(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item,
                               enum tdm_rtcp_kind kind)
{
    struct tdm_reader *r = &reader->part;

    item->kind = kind;
    item->tmmbr.count = 0;
    while (tdm_reader_left(r) && item->tmmbr.count < TDM_RTCP_TMMBR_MAX) {
        struct tdm_rtcp_tmmbr *entry = &item->tmmbr.entries[item->tmmbr.count++];

        entry->ssrc = tdm_read_u32(r);
        uint32_t packed = tdm_read_u32(r);
        uint32_t exponent = packed >> 26;
        uint64_t mantissa = packed >> 9 & TMMBR_MANTISSA_MAX;

        entry->bps =
            mantissa << exponent >> exponent == mantissa ? mantissa << exponent : UINT64_MAX;
        entry->overhead = packed & TMMBR_OVERHEAD_MAX;
    }
    return r->ok && (item->tmmbr.count || kind == TDM_RTCP_TMMBN) ? TDM_OK : TDM_E_MALFORMED;
}

/* draft-alvestrand-rmcat-remb-03 section 2.2. TDM_E_AGAIN for another application's message. */
static enum tdm_err read_afb(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader r = reader->part;

    reader->part.at = reader->part.end;
    if (tdm_read_u32(&r) != REMB_NAME)
        return TDM_E_AGAIN;
    uint8_t ssrc_count = tdm_read_u8(&r);
    uint32_t packed = tdm_read_u24(&r);
    uint64_t mantissa = packed & 0x3ffff;
    uint32_t exponent = packed >> 18;

    item->kind = TDM_RTCP_REMB;
    item->remb_bps = mantissa << exponent;
    if (item->remb_bps >> exponent != mantissa)
        item->remb_bps = UINT64_MAX;
    if (tdm_reader_left(&r) < (size_t)ssrc_count * 4)
        return TDM_E_MALFORMED;
    item->media_ssrc = ssrc_count ? tdm_read_u32(&r) : 0;
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err read_dlrr(struct tdm_reader *block, struct tdm_rtcp_item *item)
{
    size_t size = tdm_reader_left(block);

    item->kind = TDM_RTCP_XR_DLRR;
    item->dlrr.count = 0;
    if (size % 12)
        return TDM_E_MALFORMED;
    while (tdm_reader_left(block) && item->dlrr.count < TDM_RTCP_DLRR_MAX) {
        struct tdm_rtcp_dlrr *entry = &item->dlrr.entries[item->dlrr.count++];

        entry->ssrc = tdm_read_u32(block);
        entry->last_rr = tdm_read_u32(block);
        entry->delay_since_last_rr = tdm_read_u32(block);
    }
    return size ? TDM_OK : TDM_E_AGAIN;
}

/* One block (RFC 3611 section 3); TDM_E_AGAIN for a kind that we do not know. */
static enum tdm_err read_xr_block(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    struct tdm_reader *r = &reader->part;
    uint8_t type = tdm_read_u8(r);

    tdm_read_skip(r, 1);
    struct tdm_reader block = tdm_read_sub(r, (size_t)tdm_read_u16(r) * 4);

    if (!block.ok)
        return TDM_E_MALFORMED;
    if (type == XR_DLRR)
        return read_dlrr(&block, item);
    if (type != XR_RRTR)
        return TDM_E_AGAIN;
    item->kind = TDM_RTCP_XR_RRTR;
    item->rrtr_ntp = tdm_read_u64(&block);
    return block.ok && !tdm_reader_left(&block) ? TDM_OK : TDM_E_MALFORMED;
}

/* Bytes of padding at the end of the packet at `body`, or -1 (RFC 3550 sections 6.4.1 and A.2).
 * Transport-wide feedback is padded to a word (section 3.1 of its draft), wherever it stands. */
static int padding_of(const struct tdm_reader *body, uint8_t type, bool is_last)
{
    size_t left = tdm_reader_left(body);
    int padding = left ? body->end[-1] : 0;
    bool in_order = (is_last && padding % 4 == 0) || type == TYPE_RTPFB;

    return in_order && padding && (size_t)padding <= left ? padding : -1;
}

/* RFC 8888 names the sources further down. */
static bool has_media(uint8_t type, uint8_t count)
{
    return (type == TYPE_RTPFB && count != FMT_CCFB) || type == TYPE_PSFB;
}

static bool has_sender(uint8_t type)
{
    return type == TYPE_RTPFB || type == TYPE_PSFB || type == TYPE_XR;
}

/* Opens the next packet of the compound as `part`. */
static enum tdm_err open_packet(struct tdm_rtcp_reader *reader)
{
    struct tdm_reader *r = &reader->bytes;

    if (r->ok && !tdm_reader_left(r))
        return TDM_E_AGAIN;
    uint8_t first = tdm_read_u8(r);

    reader->part_type = tdm_read_u8(r);
    reader->part_count = first & 0x1f;
    reader->part = tdm_read_sub(r, (size_t)tdm_read_u16(r) * 4);
    if (!r->ok || first >> 6 != 2)
        return TDM_E_MALFORMED;
    if (first & 0x20) {
        int padding = padding_of(&reader->part, reader->part_type, !tdm_reader_left(r));

        if (padding < 0)
            return TDM_E_MALFORMED;
        reader->part.end -= padding;
    }
    reader->part_open = true;
    reader->part_ssrc = reader->part_media_ssrc = 0;
    if (has_sender(reader->part_type))
        reader->part_ssrc = tdm_read_u32(&reader->part);
    if (has_media(reader->part_type, reader->part_count))
        reader->part_media_ssrc = tdm_read_u32(&reader->part);
    return reader->part.ok ? TDM_OK : TDM_E_MALFORMED;
}

/* The next item of the open packet; TDM_E_AGAIN when it was one to step over. */
static enum tdm_err read_part(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    item->report_count = 0;
    item->sender_ssrc = reader->part_ssrc;
    item->media_ssrc = reader->part_media_ssrc;
    switch (reader->part_type) {
    case TYPE_SR:
    case TYPE_RR:
        return read_reports(reader, item);
    case TYPE_SDES:
        if (reader->part_count)
            return read_sdes_chunk(reader, item);
        break;
    case TYPE_BYE:
        if (reader->part_count)
            return read_bye(reader, item);
        break;
    case TYPE_XR:
        if (tdm_reader_left(&reader->part))
            return read_xr_block(reader, item);
        break;
    case TYPE_RTPFB:
        if (reader->part_count == FMT_NACK)
            return read_nack(reader, item);
        if (reader->part_count == FMT_TMMBR)
            return read_tmmbr(reader, item, TDM_RTCP_TMMBR);
        if (reader->part_count == FMT_TMMBN)
            return read_tmmbr(reader, item, TDM_RTCP_TMMBN);
        if (reader->part_count == FMT_TWCC)
            return read_twcc(reader, item);
        if (reader->part_count == FMT_CCFB)
            return read_ccfb(reader, item);
        break;
    case TYPE_PSFB:
        if (reader->part_count == FMT_PLI)
            return read_pli(reader, item);
        if (reader->part_count == FMT_RPSI)
            return read_rpsi(reader, item);
        if (reader->part_count == FMT_FIR)
            return read_fir(reader, item);
        if (reader->part_count == FMT_AFB)
            return read_afb(reader, item);
        break;
    default:
        break;
    }
    reader->part.at = reader->part.end;
    return TDM_E_AGAIN;
}

struct tdm_rtcp_reader tdm_rtcp_reader_of(const uint8_t *data, size_t size)
{
    return (struct tdm_rtcp_reader){.bytes = tdm_reader_of(data, size)};
}

enum tdm_err tdm_rtcp_next(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item)
{
    for (;;) {
        enum tdm_err err = TDM_OK;

        if (!reader->part_open)
            err = open_packet(reader);
        if (err == TDM_E_AGAIN)
            return err;
        if (!err)
            err = read_part(reader, item);
        reader->part_open = err != TDM_E_MALFORMED && tdm_reader_left(&reader->part);
        if (err == TDM_E_AGAIN)
            continue;
        if (err)
            reader->bytes.ok = false; /* And so it stays malformed, however often it is asked. */
        return err;
    }
}
