/* SPDX-License-Identifier: MIT */
#include "engine/wire/rtcp.h"

#include "engine/wire/rtcp_types.h"

#define SSRC_BYTES   ((size_t)4)
#define REPORT_BYTES ((size_t)24)
#define TEXT_MAX     255u

/* `count` is the five bits after the version: report count, source count or feedback format.
 * `body_bytes` is what follows these four bytes, a multiple of 4. */
static void write_head(struct tdm_writer *w, unsigned count, unsigned type, size_t body_bytes)
{
    assert(count < 32 && body_bytes % 4 == 0 && body_bytes / 4 <= UINT16_MAX);
    tdm_write_u8(w, (uint8_t)(0x80 | count));
    tdm_write_u8(w, (uint8_t)type);
    tdm_write_u16(w, (uint16_t)(body_bytes / 4));
}

static void write_reports(struct tdm_writer *w, const struct tdm_rtcp_report *reports,
                          uint8_t report_count)
{
    for (uint8_t i = 0; i < report_count; i++) {
        const struct tdm_rtcp_report *report = &reports[i];

        tdm_write_u32(w, report->ssrc);
        tdm_write_u8(w, report->fraction_lost);
        tdm_write_u24(w, (uint32_t)report->cumulative_lost & 0xffffff);
        tdm_write_u32(w, report->highest_seq);
        tdm_write_u32(w, report->jitter);
        tdm_write_u32(w, report->last_sr);
        tdm_write_u32(w, report->delay_since_last_sr);
    }
}

void tdm_rtcp_write_sr(struct tdm_writer *w, const struct tdm_rtcp_sr *sr,
                       const struct tdm_rtcp_report *reports, uint8_t report_count)
{
    assert(report_count <= TDM_RTCP_REPORTS_MAX);
    write_head(w, report_count, TYPE_SR, SSRC_BYTES + 20 + REPORT_BYTES * report_count);
    tdm_write_u32(w, sr->ssrc);
    tdm_write_u64(w, sr->ntp);
    tdm_write_u32(w, sr->rtp_timestamp);
    tdm_write_u32(w, sr->packet_count);
    tdm_write_u32(w, sr->octet_count);
    write_reports(w, reports, report_count);
}

void tdm_rtcp_write_rr(struct tdm_writer *w, uint32_t ssrc, const struct tdm_rtcp_report *reports,
                       uint8_t report_count)
{
    assert(report_count <= TDM_RTCP_REPORTS_MAX);
    write_head(w, report_count, TYPE_RR, SSRC_BYTES + REPORT_BYTES * report_count);
    tdm_write_u32(w, ssrc);
    write_reports(w, reports, report_count);
}

static size_t text_size(const char *text)
{
    return strnlen(text, TEXT_MAX);
}

/* A size byte, then the text. */
static void write_text(struct tdm_writer *w, const char *text)
{
    size_t size = text_size(text);

    tdm_write_u8(w, (uint8_t)size);
    tdm_write_bytes(w, text, size);
}

/* Zeros that fill `size` bytes up to a 32-bit boundary. */
static size_t padding_of(size_t size)
{
    return (4 - size % 4) % 4;
}

void tdm_rtcp_write_sdes(struct tdm_writer *w, uint32_t ssrc, const char *cname)
{
    size_t size = SSRC_BYTES + 2 + text_size(cname) + 1; /* With the zero that ends the items. */
    size_t padding = padding_of(size);

    write_head(w, 1, TYPE_SDES, size + padding);
    tdm_write_u32(w, ssrc);
    tdm_write_u8(w, SDES_CNAME);
    write_text(w, cname);
    tdm_write_uint(w, 0, 1 + padding);
}

void tdm_rtcp_write_bye(struct tdm_writer *w, uint32_t ssrc, const char *reason)
{
    size_t size = SSRC_BYTES + (reason ? 1 + text_size(reason) : 0);
    size_t padding = padding_of(size);

    write_head(w, 1, TYPE_BYE, size + padding);
    tdm_write_u32(w, ssrc);
    if (reason)
        write_text(w, reason);
    tdm_write_uint(w, 0, padding);
}

static void write_feedback_head(struct tdm_writer *w, unsigned format, unsigned type,
                                uint32_t sender_ssrc, uint32_t media_ssrc, size_t fci_bytes)
{
    write_head(w, format, type, 2 * SSRC_BYTES + fci_bytes);
    tdm_write_u32(w, sender_ssrc);
    tdm_write_u32(w, media_ssrc);
}

void tdm_rtcp_write_nack(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                         const struct tdm_rtcp_nack *entries, uint16_t count)
{
    assert(count);
    write_feedback_head(w, FMT_NACK, TYPE_RTPFB, sender_ssrc, media_ssrc, (size_t)count * 4);
    for (uint16_t i = 0; i < count; i++) {
        tdm_write_u16(w, entries[i].pid);
        tdm_write_u16(w, entries[i].blp);
    }
}

void tdm_rtcp_write_pli(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc)
{
    write_feedback_head(w, FMT_PLI, TYPE_PSFB, sender_ssrc, media_ssrc, 0);
}

/* RFC 4585 section 6.3.3.2. */
void tdm_rtcp_write_rpsi(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                         uint8_t payload_type, const struct tdm_reference_report *report)
{
    write_feedback_head(w, FMT_RPSI, TYPE_PSFB, sender_ssrc, media_ssrc, RPSI_BYTES);
    tdm_write_u8(w, RPSI_UNUSED_BITS);
    tdm_write_u8(w, payload_type & 0x7f);
    tdm_write_u16(w, report->newest);
    tdm_write_u16(w, (uint16_t)(report->decoded >> 32));
    tdm_write_u32(w, (uint32_t)report->decoded);
    tdm_write_u16(w, 0);
}

/* RFC 5104 section 4.3.1.1: the header's media SSRC is 0, the entry has the real one. */
void tdm_rtcp_write_fir(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                        uint8_t fir_seq)
{
    write_feedback_head(w, FMT_FIR, TYPE_PSFB, sender_ssrc, 0, 8);
    tdm_write_u32(w, media_ssrc);
    tdm_write_u8(w, fir_seq);
    tdm_write_u24(w, 0);
}

/* RFC 5104 section 4.2.1.1: the header's media SSRC is 0, the entries have the real ones. */
static void write_tmmbr(struct tdm_writer *w, unsigned format, uint32_t sender_ssrc,
                        const struct tdm_rtcp_tmmbr *entries, uint8_t count)
{
    write_feedback_head(w, format, TYPE_RTPFB, sender_ssrc, 0, (size_t)count * 8);
    for (uint8_t i = 0; i < count; i++) {
        uint64_t mantissa = entries[i].bps;
        uint32_t exponent = 0;

        for (; mantissa > TMMBR_MANTISSA_MAX; mantissa >>= 1)
            exponent++;
        if (entries[i].bps == UINT64_MAX)
            exponent = TMMBR_EXPONENT_MAX;
        tdm_write_u32(w, entries[i].ssrc);
        tdm_write_u32(w, exponent << 26 | (uint32_t)mantissa << 9 |
                             (entries[i].overhead & TMMBR_OVERHEAD_MAX));
    }
}

void tdm_rtcp_write_tmmbr(struct tdm_writer *w, uint32_t sender_ssrc,
                          const struct tdm_rtcp_tmmbr *entries, uint8_t count)
{
    assert(count);
    write_tmmbr(w, FMT_TMMBR, sender_ssrc, entries, count);
}

void tdm_rtcp_write_tmmbn(struct tdm_writer *w, uint32_t sender_ssrc,
                          const struct tdm_rtcp_tmmbr *entries, uint8_t count)
{
    write_tmmbr(w, FMT_TMMBN, sender_ssrc, entries, count);
}

void tdm_rtcp_write_remb(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                         uint64_t bps)
{
    uint32_t exponent = 0;

    while (bps >> exponent > 0x3ffff)
        exponent++;
    write_feedback_head(w, FMT_AFB, TYPE_PSFB, sender_ssrc, 0, 12);
    tdm_write_u32(w, REMB_NAME);
    tdm_write_u8(w, 1);
    tdm_write_u24(w, exponent << 18 | (uint32_t)(bps >> exponent));
    tdm_write_u32(w, media_ssrc);
}

static void write_xr_head(struct tdm_writer *w, uint32_t ssrc, uint8_t block_type,
                          size_t block_bytes)
{
    write_head(w, 0, TYPE_XR, SSRC_BYTES + 4 + block_bytes);
    tdm_write_u32(w, ssrc);
    tdm_write_u8(w, block_type);
    tdm_write_u8(w, 0);
    tdm_write_u16(w, (uint16_t)(block_bytes / 4));
}

void tdm_rtcp_write_rrtr(struct tdm_writer *w, uint32_t ssrc, uint64_t ntp)
{
    write_xr_head(w, ssrc, XR_RRTR, 8);
    tdm_write_u64(w, ntp);
}

void tdm_rtcp_write_dlrr(struct tdm_writer *w, uint32_t ssrc, const struct tdm_rtcp_dlrr *entries,
                         uint8_t count)
{
    write_xr_head(w, ssrc, XR_DLRR, (size_t)count * 12);
    for (uint8_t i = 0; i < count; i++) {
        tdm_write_u32(w, entries[i].ssrc);
        tdm_write_u32(w, entries[i].last_rr);
        tdm_write_u32(w, entries[i].delay_since_last_rr);
    }
}

uint16_t tdm_rtcp_nack_pack(const uint16_t *seqs, uint16_t seq_count, struct tdm_rtcp_nack *entries,
                            uint16_t capacity, uint16_t *taken)
{
    uint16_t count = 0, at = 0;

    while (at < seq_count) {
        uint16_t ahead = count ? (uint16_t)(seqs[at] - entries[count - 1].pid) : 0;

        if (count && ahead <= 16) {
            if (ahead) /* The same number again covers nothing new. */
                entries[count - 1].blp |= (uint16_t)(1u << (ahead - 1));
        } else if (count < capacity) {
            entries[count++] = (struct tdm_rtcp_nack){.pid = seqs[at]};
        } else {
            break;
        }
        at++;
    }
    if (taken)
        *taken = at;
    return count;
}
