/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_RTCP_H
#define TDM_WIRE_RTCP_H

/*
 * RTCP packets: SR, RR, SDES (CNAME), BYE (RFC 3550), generic NACK, PLI and RPSI of our own form
 * (RFC 4585; reference_mark.h), FIR, TMMBR and TMMBN (RFC 5104), REMB
 * (draft-alvestrand-rmcat-remb), transport-wide feedback (twcc.h), congestion control feedback
 * (ccfb.h), XR with RRTR and DLRR (RFC 3611).
 *
 * A compound packet is read item by item: tdm_rtcp_next gives each known item and steps over what
 * it does not know. SDES gives an item for each source that has a CNAME, BYE for each source, FIR
 * for each entry, XR for each known block; a long NACK or TMMBR is several items. A packet that
 * starts with neither SR nor RR is read too (RFC 5506). It is written item by item with the writers
 * below, SR or RR first; each is a packet of its own.
 */

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/wire/ccfb.h"
#include "engine/wire/reference_mark.h"
#include "engine/wire/twcc.h"

#include <stdbool.h>
#include <stdint.h>

#define TDM_RTCP_REPORTS_MAX 31
#define TDM_RTCP_NACKS_MAX   64 /* FCI entries of one NACK: each a base and a bitmask of 16. */
#define TDM_RTCP_DLRR_MAX    8  /* Further sub-blocks of a block are stepped over. */
#define TDM_RTCP_TMMBR_MAX   8  /* Entries of one TMMBR or TMMBN. */

/** RFC 3550 section 6.4.1 report block. */
struct tdm_rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost;        /* /256 */
    int32_t cumulative_lost;      /* 24-bit signed */
    uint32_t highest_seq;         /* Extended. */
    uint32_t jitter;              /* RTP units. */
    uint32_t last_sr;             /* Middle 32 bits of NTP; 0 = none. */
    uint32_t delay_since_last_sr; /* 1/65536 s */
};

struct tdm_rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp; /* 32.32 fixed point. */
    uint32_t rtp_timestamp;
    uint32_t packet_count;
    uint32_t octet_count;
};

struct tdm_rtcp_nack {
    uint16_t pid;
    uint16_t blp;
};

/** RFC 5104 sections 4.2.1.1 and 4.2.2.1: of TMMBR `ssrc` is who shall send no more, of TMMBN who
 *  asked for it. */
struct tdm_rtcp_tmmbr {
    uint32_t ssrc;
    uint64_t bps; /* With `overhead` bytes beside the payload of each packet; UINT64_MAX: any. */
    uint16_t overhead;
};

/** RFC 3611 section 4.5 sub-block. */
struct tdm_rtcp_dlrr {
    uint32_t ssrc;
    uint32_t last_rr;
    uint32_t delay_since_last_rr;
};

enum tdm_rtcp_kind {
    TDM_RTCP_SR,
    TDM_RTCP_RR,
    TDM_RTCP_SDES,
    TDM_RTCP_BYE,
    TDM_RTCP_NACK,
    TDM_RTCP_PLI,
    TDM_RTCP_RPSI,
    TDM_RTCP_FIR,
    TDM_RTCP_TMMBR,
    TDM_RTCP_TMMBN,
    TDM_RTCP_REMB,
    TDM_RTCP_TWCC,
    TDM_RTCP_CCFB,
    TDM_RTCP_XR_RRTR,
    TDM_RTCP_XR_DLRR,
};

/** One item of a compound packet. */
struct tdm_rtcp_item {
    enum tdm_rtcp_kind kind;
    uint32_t sender_ssrc; /* SDES, BYE: whose; else who sent the packet. */
    uint32_t media_ssrc;  /* NACK, PLI; FIR: of the entry; REMB: the first listed, or 0; BYE: as
                             sender_ssrc. */
    union {
        struct tdm_rtcp_sr sr; /* Its report blocks follow in `reports`. */
        struct {
            uint16_t count;
            struct tdm_rtcp_nack entries[TDM_RTCP_NACKS_MAX];
        } nack;
        uint8_t fir_seq;
        struct {
            uint8_t count; /* TMMBN: 0 when nobody bounds the rate. */
            struct tdm_rtcp_tmmbr entries[TDM_RTCP_TMMBR_MAX];
        } tmmbr;
        struct tdm_reference_report references; /* RPSI */
        uint64_t remb_bps;
        struct tdm_twcc_reader twcc; /* To walk; borrows the packet. */
        struct tdm_ccfb_reader ccfb; /* The same. */
        uint64_t rrtr_ntp;
        struct {
            uint8_t count;
            struct tdm_rtcp_dlrr entries[TDM_RTCP_DLRR_MAX];
        } dlrr;
        char text[256]; /* SDES: the CNAME; BYE: the reason; NUL-terminated, printable ASCII or '?'.
                         */
    };
    uint8_t report_count; /* SR, RR */
    struct tdm_rtcp_report reports[TDM_RTCP_REPORTS_MAX];
};

/** State of walking one compound packet; init with data and size, then call next until not OK. */
struct tdm_rtcp_reader {
    struct tdm_reader bytes; /* Rest of the datagram. */
    struct tdm_reader part;  /* Rest of a packet whose entries come one by one. */
    bool part_open;
    uint8_t part_type, part_count;
    uint32_t part_ssrc, part_media_ssrc;
};

struct tdm_rtcp_reader tdm_rtcp_reader_of(const uint8_t *data, size_t size);

/** @return TDM_OK with the next known item; TDM_E_AGAIN at the end; TDM_E_MALFORMED when the rest
 *  cannot be read (items before it stand). */
enum tdm_err tdm_rtcp_next(struct tdm_rtcp_reader *reader, struct tdm_rtcp_item *item);

void tdm_rtcp_write_sr(struct tdm_writer *w, const struct tdm_rtcp_sr *sr,
                       const struct tdm_rtcp_report *reports, uint8_t report_count);
void tdm_rtcp_write_rr(struct tdm_writer *w, uint32_t ssrc, const struct tdm_rtcp_report *reports,
                       uint8_t report_count);
void tdm_rtcp_write_sdes(struct tdm_writer *w, uint32_t ssrc, const char *cname);
void tdm_rtcp_write_bye(struct tdm_writer *w, uint32_t ssrc, const char *reason);
void tdm_rtcp_write_nack(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                         const struct tdm_rtcp_nack *entries, uint16_t count);
void tdm_rtcp_write_pli(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc);
void tdm_rtcp_write_rpsi(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                         uint8_t payload_type, const struct tdm_reference_report *report);
void tdm_rtcp_write_fir(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                        uint8_t fir_seq);
/** `count` at least one. */
void tdm_rtcp_write_tmmbr(struct tdm_writer *w, uint32_t sender_ssrc,
                          const struct tdm_rtcp_tmmbr *entries, uint8_t count);
void tdm_rtcp_write_tmmbn(struct tdm_writer *w, uint32_t sender_ssrc,
                          const struct tdm_rtcp_tmmbr *entries, uint8_t count);
void tdm_rtcp_write_remb(struct tdm_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                         uint64_t bps);
void tdm_rtcp_write_rrtr(struct tdm_writer *w, uint32_t ssrc, uint64_t ntp);
void tdm_rtcp_write_dlrr(struct tdm_writer *w, uint32_t ssrc, const struct tdm_rtcp_dlrr *entries,
                         uint8_t count);

/** Packs sorted, ascending sequence numbers into NACK entries; returns the count of entries, at
 *  most `capacity`; `*taken` (may be NULL) says how many numbers they cover. */
uint16_t tdm_rtcp_nack_pack(const uint16_t *seqs, uint16_t seq_count, struct tdm_rtcp_nack *entries,
                            uint16_t capacity, uint16_t *taken);

#endif
