/* SPDX-License-Identifier: MIT */
/* A message that opens is walked to its end within its bounds, and what we write of it says the
 * same; the log of what was sent takes it, whatever it says. */

#include "engine/core/sent_log.h"
#include "engine/wire/rtcp.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written in rows of what fits one message, and read again. */
static void check_round_trip(const tdm_time *arrivals, uint16_t base, uint16_t count)
{
    uint8_t bytes[TDM_TWCC_BYTES_MAX];

    for (uint16_t at = 0; at < count;) {
        uint16_t left = (uint16_t)(count - at);
        uint16_t most = left < TDM_TWCC_WRITE_MAX ? left : TDM_TWCC_WRITE_MAX;
        struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);
        uint16_t told = tdm_twcc_write(&w, &(struct tdm_twcc_feedback){
                                               .base_seq = (uint16_t)(base + at),
                                               .count = most,
                                               .arrivals = arrivals + at,
                                           });
        struct tdm_rtcp_reader reader = tdm_rtcp_reader_of(bytes, tdm_writer_size(&w));
        struct tdm_rtcp_item item;
        struct tdm_twcc_status status;

        assert(w.ok && told <= most);
        if (!told) {
            at = (uint16_t)(at + most);
            continue;
        }
        assert(tdm_rtcp_next(&reader, &item) == TDM_OK && item.kind == TDM_RTCP_TWCC);
        for (uint16_t i = 0; i < told; i++) {
            tdm_time expected = arrivals[at + i];

            assert(tdm_twcc_next(&item.twcc, &status) == TDM_OK);
            assert(status.seq == (uint16_t)(base + at + i));
            assert(status.received == (expected != TDM_NEVER));
            /* The reference has 24 bits. */
            assert(!status.received || (status.arrival - expected) % TDM_TWCC_WRAP == 0);
        }
        assert(tdm_twcc_next(&item.twcc, &status) == TDM_E_AGAIN);
        at = (uint16_t)(at + told);
    }
}

static void check_log(struct tdm_sent_log *log, tdm_time now, const struct tdm_twcc_reader *reader)
{
    struct tdm_ack acks[16];
    uint32_t count, all = 0;

    for (int i = 0; i < 40; i++)
        tdm_sent_log_packet(log, now,
                            &(struct tdm_sent_note){.ssrc = 1,
                                                    .seq = (uint16_t)log->next,
                                                    .bytes = 1200,
                                                    .number = (uint16_t)log->next});
    tdm_sent_log_twcc(log, 0, *reader);
    while ((count = tdm_sent_log_read(log, acks, 16)))
        all += count;
    assert(all <= TDM_SENT_LOG_PACKETS);
    assert(log->inflight_bytes <= (uint64_t)TDM_SENT_LOG_PACKETS * 1200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tdm_time arrivals[TDM_TWCC_READ_MAX];
    static struct tdm_sent_log log;
    struct tdm_reader r = tdm_reader_of(data, size);

    tdm_sent_log_init(&log);
    for (tdm_time now = 0; tdm_reader_left(&r); now += TDM_S) {
        struct tdm_reader message = tdm_read_sub(&r, tdm_read_u8(&r));
        struct tdm_twcc_reader reader;
        struct tdm_twcc_status status;
        uint16_t count = 0;

        if (!r.ok || tdm_twcc_open(&reader, message.at, tdm_reader_left(&message)) != TDM_OK)
            return 0;
        check_log(&log, now, &reader);
        uint16_t base = reader.seq;

        assert(reader.left && reader.left <= TDM_TWCC_READ_MAX);
        while (tdm_twcc_next(&reader, &status) == TDM_OK)
            arrivals[count++] = status.arrival;
        assert(reader.chunks.ok && reader.deltas.ok && !reader.left);
        check_round_trip(arrivals, base, count);
    }
    return 0;
}
