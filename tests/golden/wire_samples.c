/* SPDX-License-Identifier: MIT */
/*
 * Writes a pcap file of packets that engine/wire made, for tests/golden/tshark_wire.sh and
 * tests/golden/gst_wire.sh, and prints what another dissector must find in them, a line for each:
 * RTP header fields, or the RTCP compound's packet types. The second file gets the VP9 frames that
 * were cut.
 */

#include "engine/wire/dtmf.h"
#include "engine/wire/frame_timing.h"
#include "engine/wire/h264_payload.h"
#include "engine/wire/red.h"
#include "engine/wire/rtcp.h"
#include "engine/wire/rtp.h"
#include "engine/wire/ulpfec.h"
#include "engine/wire/vp8_payload.h"
#include "engine/wire/vp9_payload.h"
#include "tests/golden/hex.h"

#include <stdlib.h>

enum { PORT_RTP = 5004, PORT_RTCP = 5005, PORT_VP9 = 5006 };
enum {
    PT_VP8 = 96,
    PT_H264 = 97,
    PT_OPUS = 98,
    PT_EVENT = 101,
    PT_VP9 = 102,
    PT_RED = 103,
    PT_ULPFEC = 104
};

#define PAYLOAD_MAX 90 /* Small, so that every frame is cut. */

struct samples {
    FILE *file;
    uint32_t count;
    uint16_t seq;
};

static void put(struct samples *s, const void *data, size_t size)
{
    if (fwrite(data, 1, size, s->file) != size)
        abort();
}

static uint16_t checksum(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < size; i += 2)
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* One record: IPv4 and UDP headers without link layer, then the datagram. */
static void put_datagram(struct samples *s, uint16_t port, const uint8_t *data, size_t size)
{
    uint8_t headers[28] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1};
    struct tdm_writer w = tdm_writer_of(headers + 20, 8);
    size_t total = sizeof headers + size;
    uint32_t record[4] = {s->count / 50, s->count % 50 * 20000, (uint32_t)total, (uint32_t)total};

    headers[2] = (uint8_t)(total >> 8);
    headers[3] = (uint8_t)total;
    uint16_t sum = checksum(headers, 20);

    headers[10] = (uint8_t)(sum >> 8);
    headers[11] = (uint8_t)sum;
    tdm_write_u16(&w, port);
    tdm_write_u16(&w, port);
    tdm_write_u16(&w, (uint16_t)(size + 8));
    tdm_write_u16(&w, 0);
    put(s, record, sizeof record);
    put(s, headers, sizeof headers);
    put(s, data, size);
    s->count++;
}

static void put_rtp(struct samples *s, struct tdm_rtp *rtp)
{
    uint8_t packet[TDM_RTP_PACKET_MAX], timing[TDM_FRAME_TIMING_BYTES];
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);

    if (rtp->marker) {
        tdm_frame_timing_write(timing, &(struct tdm_frame_timing){.captured_us = 123456789,
                                                                  .frame_id = rtp->seq,
                                                                  .encode_start = TDM_MS,
                                                                  .encode_end = 5 * TDM_MS,
                                                                  .first_sent = 3 * TDM_MS,
                                                                  .last_sent = TDM_NEVER});
        rtp->ext_count = 2;
        rtp->exts[0] = (struct tdm_rtp_ext){.id = 3, .size = sizeof timing, .data = timing};
        rtp->exts[1] = (struct tdm_rtp_ext){.id = 5, .size = 1, .data = (const uint8_t *)"1"};
    }
    rtp->seq = s->seq++;
    rtp->ssrc = 0xcafe0000u + rtp->payload_type;
    tdm_rtp_write(&w, rtp);
    if (!w.ok)
        abort();
    put_datagram(s, rtp->payload_type == PT_VP9 ? PORT_VP9 : PORT_RTP, packet, tdm_writer_size(&w));
    printf("rtp %u %u 0x%08x %d %u %d\n", rtp->seq, rtp->timestamp, rtp->ssrc, rtp->marker,
           rtp->payload_type, rtp->ext_count > 0);
}

/* The frame that GStreamer sent in four packets, cut anew. */
static void put_vp8(struct samples *s)
{
    static const char *const names[] = {"gst_vp8_inter_0", "gst_vp8_inter_1", "gst_vp8_inter_2",
                                        "gst_vp8_inter_3"};
    uint8_t frame[2000], out[PAYLOAD_MAX];
    struct tdm_vp8_packetizer p;
    size_t size = 0, out_size;
    bool last;

    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_vp8_descriptor d;
        struct tdm_rtp rtp;

        if (tdm_rtp_parse(&rtp, bytes, bytes_of_capture(bytes, names[i])) ||
            tdm_vp8_parse(&d, rtp.payload, rtp.payload_size))
            abort();
        memcpy(frame + size, d.data, d.size);
        size += d.size;
    }
    tdm_vp8_packetizer_init(&p, frame, size, 0x7abc, sizeof out);
    while (tdm_vp8_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK)
        put_rtp(s, &(struct tdm_rtp){.marker = last,
                                     .payload_type = PT_VP8,
                                     .timestamp = 90000,
                                     .payload = out,
                                     .payload_size = out_size});
}

/* A small key frame of our own (its header only is VP9), then the picture that GStreamer sent in
 * two packets; on a port of their own, for another depayloader, which must come to what `path`
 * holds. */
static void put_vp9(struct samples *s, const char *path)
{
    static const char *const names[] = {"gst_vp9_inter_0", "gst_vp9_inter_1"};
    uint8_t frames[2][2000] = {{0x82, 0x49, 0x83, 0x42, 0x40, 0x15, 0xf0, 0x11, 0xf0}};
    size_t sizes[2] = {300, 0};
    FILE *file = fopen(path, "wb");

    for (size_t i = 9; i < sizes[0]; i++)
        frames[0][i] = (uint8_t)(i * 7);
    struct tdm_writer w = tdm_writer_of(frames[1], sizeof frames[1]);
    struct tdm_vp9_joiner j = {0};

    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_rtp rtp;

        if (tdm_rtp_parse(&rtp, bytes, bytes_of_capture(bytes, names[i])) ||
            tdm_vp9_join(&j, &w, rtp.payload, rtp.payload_size))
            abort();
    }
    sizes[1] = tdm_writer_size(&w);
    for (unsigned i = 0; i < 2; i++) {
        struct tdm_vp9_packetizer p;
        uint8_t out[PAYLOAD_MAX];
        size_t out_size;
        bool last;

        tdm_vp9_packetizer_init(&p, frames[i], sizes[i], (uint16_t)(0x7fff + i), sizeof out);
        while (tdm_vp9_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK)
            put_rtp(s, &(struct tdm_rtp){.marker = last,
                                         .payload_type = PT_VP9,
                                         .timestamp = 90000 + i * 3000,
                                         .payload = out,
                                         .payload_size = out_size});
        if (!file || fwrite(frames[i], 1, sizes[i], file) != sizes[i])
            abort();
    }
    if (fclose(file))
        abort();
}

static void put_nal(struct samples *s, const uint8_t *nal, size_t size, bool last_of_picture)
{
    uint8_t out[PAYLOAD_MAX];
    struct tdm_h264_packetizer p;
    size_t out_size;
    bool last;

    tdm_h264_packetizer_init(&p, nal, size, sizeof out);
    while (tdm_h264_packetizer_next(&p, out, sizeof out, &out_size, &last) == TDM_OK)
        put_rtp(s, &(struct tdm_rtp){.marker = last && last_of_picture,
                                     .payload_type = PT_H264,
                                     .timestamp = 90000,
                                     .payload = out,
                                     .payload_size = out_size});
}

/* Parameter sets and one picture that GStreamer sent, joined and cut anew. */
static void put_h264(struct samples *s)
{
    static const char *const names[] = {"gst_h264_stap", "gst_h264_aud", "gst_h264_slice_0",
                                        "gst_h264_slice_1", "gst_h264_slice_2"};
    uint8_t stream[2000];
    struct tdm_writer w = tdm_writer_of(stream, sizeof stream);
    struct tdm_h264_joiner j = {0};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t bytes[CAPTURE_BYTES_MAX];
        struct tdm_rtp rtp;

        if (tdm_rtp_parse(&rtp, bytes, bytes_of_capture(bytes, names[i])) ||
            tdm_h264_join(&j, &w, rtp.payload, rtp.payload_size))
            abort();
    }
    size_t size = tdm_writer_size(&w), start = 4;

    for (size_t i = 4; i <= size; i++) {
        if (i == size || (i + 4 < size && memcmp(stream + i, "\0\0\0\1", 4) == 0)) {
            put_nal(s, stream + start, i - start, i == size);
            start = i + 4;
        }
    }
}

static void put_audio(struct samples *s)
{
    uint8_t bytes[CAPTURE_BYTES_MAX], event[TDM_DTMF_BYTES];
    struct tdm_rtp opus;

    if (tdm_rtp_parse(&opus, bytes, bytes_of_capture(bytes, "gst_opus_padding_ext")))
        abort();
    put_rtp(s, &(struct tdm_rtp){.marker = true,
                                 .payload_type = PT_OPUS,
                                 .timestamp = 480,
                                 .payload = opus.payload,
                                 .payload_size = opus.payload_size});
    for (uint16_t i = 1; i <= 3; i++) {
        tdm_dtmf_write(event, &(struct tdm_dtmf){.event = 11,
                                                 .end = i == 3,
                                                 .volume_dbm0 = 10,
                                                 .duration = (uint16_t)(i * 480)});
        put_rtp(s, &(struct tdm_rtp){.marker = i == 1,
                                     .payload_type = PT_EVENT,
                                     .timestamp = 960,
                                     .payload = event,
                                     .payload_size = sizeof event});
    }
}

/* A generic repair of three packets, in RED. */
static void put_repair(struct samples *s)
{
    uint8_t repair[200], payload[220], body[100] = {1, 2, 3};
    struct tdm_writer w = tdm_writer_of(repair, sizeof repair);
    struct tdm_red red = {.count = 1};

    tdm_ulpfec_write(&w, &(struct tdm_ulpfec){.flags = 0x10,
                                              .type = PT_VP8,
                                              .timestamp = 3000,
                                              .length = 77,
                                              .base = 65533,
                                              .mask = 1 | 1 << 2 | 1ull << 20,
                                              .size = sizeof body,
                                              .data = body});
    red.blocks[0] = (struct tdm_red_block){
        .payload_type = PT_ULPFEC, .size = (uint16_t)tdm_writer_size(&w), .data = repair};
    w = tdm_writer_of(payload, sizeof payload);
    tdm_red_write(&w, &red);
    if (!w.ok)
        abort();
    put_rtp(s, &(struct tdm_rtp){.payload_type = PT_RED,
                                 .timestamp = 90000,
                                 .payload = payload,
                                 .payload_size = tdm_writer_size(&w)});
}

static const struct tdm_rtcp_report reports[2] = {
    {0xcafe0061, 12, -3, 70000, 44, 0x12345678, 65536},
    {0xcafe0062, 255, 8388607, 9, 0, 0, 0},
};

static void put_rtcp(struct samples *s, const struct tdm_writer *w, const char *types)
{
    if (!w->ok)
        abort();
    put_datagram(s, PORT_RTCP, w->start, tdm_writer_size(w));
    printf("rtcp %s\n", types);
}

static void put_reports(struct samples *s)
{
    uint8_t packet[TDM_RTP_PACKET_MAX];
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);
    const struct tdm_rtcp_sr sr = {0xcafe0060, 0xe000000080000000u, 90000, 17, 4096};
    const struct tdm_rtcp_dlrr dlrr[2] = {{0xcafe0061, 0x11112222, 333}, {0xcafe0062, 4, 5}};

    tdm_rtcp_write_sr(&w, &sr, reports, 2);
    tdm_rtcp_write_sdes(&w, 0xcafe0060, "someone@here");
    tdm_rtcp_write_dlrr(&w, 0xcafe0060, dlrr, 2);
    put_rtcp(s, &w, "200,202,207");
    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_rr(&w, 0xcafe0063, reports, 1);
    tdm_rtcp_write_sdes(&w, 0xcafe0063, "");
    tdm_rtcp_write_rrtr(&w, 0xcafe0063, 0xe000000080000000u);
    put_rtcp(s, &w, "201,202,207");
    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_rr(&w, 0xcafe0063, NULL, 0);
    tdm_rtcp_write_sdes(&w, 0xcafe0063, "abcd");
    tdm_rtcp_write_bye(&w, 0xcafe0063, "the call is over");
    put_rtcp(s, &w, "201,202,203");
    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_rr(&w, 0xcafe0063, NULL, 0);
    tdm_rtcp_write_bye(&w, 0xcafe0063, NULL);
    put_rtcp(s, &w, "201,203");
}

static void put_feedback(struct samples *s)
{
    static const uint16_t lost[] = {65530, 65535, 0, 9, 10, 100};
    static const struct tdm_rtcp_tmmbr tmmbr[] = {
        {.ssrc = 0xcafe0060, .bps = 2500000, .overhead = 40}, {.ssrc = 0xcafe0061, .bps = 64000}};
    uint8_t packet[TDM_RTP_PACKET_MAX];
    struct tdm_writer w = tdm_writer_of(packet, sizeof packet);
    struct tdm_rtcp_nack entries[8];
    uint16_t count = tdm_rtcp_nack_pack(lost, 6, entries, 8, NULL);

    tdm_rtcp_write_rr(&w, 0xcafe0063, reports, 2);
    tdm_rtcp_write_nack(&w, 0xcafe0063, 0xcafe0060, entries, count);
    tdm_rtcp_write_pli(&w, 0xcafe0063, 0xcafe0060);
    tdm_rtcp_write_fir(&w, 0xcafe0063, 0xcafe0060, 7);
    tdm_rtcp_write_remb(&w, 0xcafe0063, 0xcafe0060, 2500000);
    put_rtcp(s, &w, "201,205,206,206,206");
    w = tdm_writer_of(packet, sizeof packet);
    tdm_rtcp_write_rr(&w, 0xcafe0063, NULL, 0);
    tdm_rtcp_write_tmmbr(&w, 0xcafe0063, tmmbr, 2);
    tdm_rtcp_write_tmmbn(&w, 0xcafe0063, tmmbr, 1);
    put_rtcp(s, &w, "201,205,205");
}

int main(int argc, char **argv)
{
    /* Native byte order, version 2.4, link type 101: raw IP. */
    const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 101};
    struct samples s = {.file = argc == 3 ? fopen(argv[1], "wb") : NULL, .seq = 65530};

    if (!s.file) {
        (void)fprintf(stderr, "usage: %s FILE.pcap FRAMES.vp9\n", argv[0]);
        return 2;
    }
    put(&s, head, sizeof head);
    put_vp8(&s);
    put_h264(&s);
    put_audio(&s);
    put_vp9(&s, argv[2]);
    put_repair(&s);
    put_reports(&s);
    put_feedback(&s);
    return fclose(s.file) ? 1 : 0;
}
