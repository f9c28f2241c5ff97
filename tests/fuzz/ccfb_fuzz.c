/* SPDX-License-Identifier: MIT */
/* A message that opens is walked to its end within its bounds, and what a receiver tells of any
 * arrivals opens and says the same; the log of what was sent takes either, and settles each packet
 * once. */

#include "engine/core/arrivals.h"
#include "engine/core/sent_log.h"
#include "engine/wire/rtcp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 400

static struct tdm_sent_log sent;

static void take(const struct tdm_ccfb_reader *reader)
{
    struct tdm_ack acks[16];
    uint32_t count, all = 0;

    tdm_sent_log_ccfb(&sent, *reader);
    while ((count = tdm_sent_log_read(&sent, acks, 16)))
        for (uint32_t i = 0; i < count; i++, all++)
            assert(acks[i].bytes == 100);
    assert(all <= TDM_SENT_LOG_PACKETS);
    assert(sent.inflight_bytes <= (uint64_t)TDM_SENT_LOG_PACKETS * 100);
}

static void leave(uint32_t ssrc, uint16_t seq, tdm_time now)
{
    tdm_sent_log_packet(&sent, now,
                        &(struct tdm_sent_note){
                            .ssrc = ssrc, .seq = seq, .bytes = 100, .number = TDM_SENT_LOG_NONE});
}

static void walk(const uint8_t *data, size_t size)
{
    struct tdm_ccfb_reader reader;
    struct tdm_ccfb_report report;
    size_t count = 0;

    if (tdm_ccfb_open(&reader, data, size) != TDM_OK)
        return;
    take(&reader);
    while (tdm_ccfb_next(&reader, &report) == TDM_OK) {
        assert(report.received || (report.age == TDM_NEVER && report.ecn == TDM_ECN_NONE));
        assert(report.age == TDM_NEVER || (report.age >= 0 && report.age < 8 * TDM_S));
        count++;
    }
    assert(count <= size / 2 && reader.blocks.ok && (!count || reader.reports.ok));
}

static void tell(struct tdm_arrivals *a, tdm_time now)
{
    uint8_t bytes[ROOM];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
    struct tdm_rtcp_item item;

    tdm_arrivals_write(a, now, (uint64_t)now, 1, sizeof bytes, &w);
    assert(w.ok);
    if (!tdm_writer_size(&w))
        return;
    struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));

    assert(tdm_rtcp_next(&reader, &item) == TDM_OK && item.kind == TDM_RTCP_CCFB);
    take(&item.ccfb);
    assert(tdm_rtcp_next(&reader, &item) == TDM_E_AGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tdm_arrivals arrivals;
    struct tdm_reader r = tdm_reader_of(data, size);
    tdm_time now = TDM_S;

    tdm_sent_log_init(&sent);
    for (uint16_t i = 0; i < 100; i++)
        leave(data && size > 4 ? (uint32_t)data[3] : 0, i, now);
    walk(data, size);
    tdm_arrivals_init(&arrivals);
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);

        now += (tdm_time)(op >> 4) * TDM_MS;
        if (op % 4 == 0) {
            tell(&arrivals, now);
        } else {
            uint16_t seq = tdm_read_u16(&r);

            leave(op % 16, seq, now);
            tdm_arrivals_packet(&arrivals, now, op % 16, seq, 1200, (enum tdm_ecn)(op >> 2 & 3),
                                now - (op & 2) * TDM_MS);
        }
        for (int i = 0; arrivals.due <= now; i++) {
            assert(i < 64); /* There is an end to what is to be told. */
            tell(&arrivals, now);
        }
    }
    return 0;
}
