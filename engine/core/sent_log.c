/* SPDX-License-Identifier: MIT */
#include "engine/core/sent_log.h"

#include <string.h>

#define LOST_AFTER 3   /* Packets behind it that came (RFC 8888 leaves it to the sender). */
#define UNTOLD_MAX 512 /* One so far behind is not waited for any more. */

void tdm_sent_log_init(struct tdm_sent_log *log)
{
    memset(log, 0, sizeof *log);
    log->highest = -1;
}

static struct tdm_sent_packet *packet_at(struct tdm_sent_log *log, int64_t place)
{
    return &log->packets[(uint64_t)place & (TDM_SENT_LOG_PACKETS - 1)];
}

static int64_t oldest(const struct tdm_sent_log *log)
{
    return log->next > TDM_SENT_LOG_PACKETS ? log->next - TDM_SENT_LOG_PACKETS : 0;
}

/* Where a slot's packet stands in the row. */
static int64_t place_of(const struct tdm_sent_log *log, uint16_t slot)
{
    int64_t back = (log->next - 1 - slot) & (TDM_SENT_LOG_PACKETS - 1);

    return log->next - 1 - back;
}

static bool is_under_way(const struct tdm_sent_packet *p)
{
    return p->valid && (p->state == TDM_SENT_UNTOLD || p->state == TDM_SENT_MISSING);
}

static void leave(struct tdm_sent_log *log, const struct tdm_sent_packet *p)
{
    log->inflight_bytes -= p->bytes < log->inflight_bytes ? p->bytes : log->inflight_bytes;
}

/* Of one's own packets; the source that was silent longest gives way. */
static struct tdm_sent_source *source_for(struct tdm_sent_log *log, uint32_t ssrc)
{
    struct tdm_sent_source *oldest_one = &log->sources[0];

    for (int i = 0; i < TDM_SENT_LOG_SOURCES; i++) {
        struct tdm_sent_source *s = &log->sources[i];

        if (s->used && s->ssrc == ssrc)
            return s;
        if (!s->used || (oldest_one->used && s->last < oldest_one->last))
            oldest_one = s;
    }
    memset(oldest_one, 0, sizeof *oldest_one);
    oldest_one->used = true;
    oldest_one->ssrc = ssrc;
    return oldest_one;
}

static const struct tdm_sent_source *find_source(const struct tdm_sent_log *log, uint32_t ssrc)
{
    for (int i = 0; i < TDM_SENT_LOG_SOURCES; i++)
        if (log->sources[i].used && log->sources[i].ssrc == ssrc)
            return &log->sources[i];
    return NULL;
}

void tdm_sent_log_packet(struct tdm_sent_log *log, tdm_time now, const struct tdm_sent_note *note)
{
    struct tdm_sent_source *source = source_for(log, note->ssrc);
    int64_t place = log->next++;
    struct tdm_sent_packet *p = packet_at(log, place);
    uint16_t slot = (uint16_t)((uint64_t)place & (TDM_SENT_LOG_PACKETS - 1));

    if (is_under_way(p))
        leave(log, p); /* Nobody told of it in all this time. */
    *p = (struct tdm_sent_packet){.valid = true,
                                  .space = note->space,
                                  .seq = note->seq,
                                  .number = note->number,
                                  .ssrc = note->ssrc,
                                  .bytes = note->bytes,
                                  .at = now,
                                  .arrival = TDM_NEVER};
    log->inflight_bytes += note->bytes;
    source->last = place;
    source->slots[note->seq & (TDM_SENT_LOG_REACH - 1)] = slot;
    if (note->number != TDM_SENT_LOG_NONE)
        log->number_slots[(uint32_t)note->number & (TDM_SENT_LOG_REACH - 1)] = slot;
    if (log->settled < oldest(log))
        log->settled = oldest(log);
}

static struct tdm_sent_packet *find_seq(struct tdm_sent_log *log, uint32_t ssrc, uint16_t seq)
{
    const struct tdm_sent_source *source = find_source(log, ssrc);

    if (!source)
        return NULL;
    struct tdm_sent_packet *p = &log->packets[source->slots[seq & (TDM_SENT_LOG_REACH - 1)]];

    return p->valid && p->ssrc == ssrc && p->seq == seq ? p : NULL;
}

void tdm_sent_log_again(struct tdm_sent_log *log, uint32_t ssrc, uint16_t seq)
{
    struct tdm_sent_packet *p = find_seq(log, ssrc, seq);

    if (p)
        p->ambiguous = true;
}

/* The time nearest to the last one. */
static tdm_time in_full(struct tdm_peer_clock *clock, tdm_time time, tdm_time wrap)
{
    if (clock->known) {
        tdm_time ahead = (time - clock->last) % wrap;

        ahead = ahead > wrap / 2 ? ahead - wrap : ahead < -wrap / 2 ? ahead + wrap : ahead;
        time = clock->last + ahead;
        if (time > INT64_MAX / 8 || time < -(INT64_MAX / 8))
            time = 0; /* It ran round and round. */
    }
    clock->known = true;
    clock->last = time;
    return time;
}

/* `arrival` TDM_NEVER: when is not known. */
static void came(struct tdm_sent_log *log, struct tdm_sent_packet *p, tdm_time arrival, bool ce)
{
    int64_t place = place_of(log, (uint16_t)(p - log->packets));

    if (p->state == TDM_SENT_ARRIVED)
        return;
    if (is_under_way(p))
        leave(log, p);
    p->ambiguous |= p->state == TDM_SENT_LOST || arrival == TDM_NEVER;
    p->state = TDM_SENT_ARRIVED;
    p->arrival = arrival;
    p->ce = ce;
    p->news = true;
    log->highest = place > log->highest ? place : log->highest;
    log->low = place < log->low ? place : log->low;
}

static void is_missing(struct tdm_sent_packet *p)
{
    if (p->state == TDM_SENT_UNTOLD)
        p->state = TDM_SENT_MISSING;
}

void tdm_sent_log_ccfb(struct tdm_sent_log *log, struct tdm_ccfb_reader reader)
{
    tdm_time stamp = in_full(&log->report_clock, reader.timestamp, TDM_CCFB_WRAP);
    struct tdm_ccfb_report report;

    while (tdm_ccfb_next(&reader, &report) == TDM_OK) {
        struct tdm_sent_packet *p = find_seq(log, report.ssrc, report.seq);

        if (!p)
            continue;
        log->told++;
        log->told_capable += report.ecn != TDM_ECN_NONE;
        if (report.received)
            came(log, p, report.age == TDM_NEVER ? TDM_NEVER : stamp - report.age,
                 report.ecn == TDM_ECN_CE);
        else
            is_missing(p);
    }
}

void tdm_sent_log_twcc(struct tdm_sent_log *log, uint8_t space, struct tdm_twcc_reader reader)
{
    tdm_time base = in_full(&log->reference_clock, reader.time, TDM_TWCC_WRAP) - reader.time;
    struct tdm_twcc_status status;

    while (tdm_twcc_next(&reader, &status) == TDM_OK) {
        uint16_t slot = log->number_slots[status.seq & (TDM_SENT_LOG_REACH - 1)];
        struct tdm_sent_packet *p = &log->packets[slot];

        if (!p->valid || p->space != space || p->number != status.seq)
            continue;
        if (status.received)
            came(log, p, base + status.arrival, false);
        else
            is_missing(p);
    }
}

static struct tdm_ack ack_of(const struct tdm_sent_packet *p, bool again)
{
    return (struct tdm_ack){.sent = p->at,
                            .arrival = p->arrival,
                            .bytes = p->bytes,
                            .ce = p->ce,
                            .again = again,
                            .ssrc = p->ssrc,
                            .seq = p->seq};
}

/* What the message says of one packet of the row; false: nothing. */
static bool settle(struct tdm_sent_log *log, int64_t place, struct tdm_ack *ack)
{
    struct tdm_sent_packet *p = packet_at(log, place);

    if (p->news) {
        p->news = false;
        /* Of one whose time means nothing only that it is not under way any more. */
        *ack = ack_of(p, p->ambiguous);
        if (p->arrival == TDM_NEVER)
            ack->arrival = 0;
        return true;
    }
    if (p->state != TDM_SENT_MISSING || place > log->highest - LOST_AFTER)
        return false;
    p->state = TDM_SENT_LOST;
    leave(log, p);
    *ack = ack_of(p, false);
    return true;
}

uint32_t tdm_sent_log_read(struct tdm_sent_log *log, struct tdm_ack *acks, uint32_t capacity)
{
    uint32_t count = 0;
    int64_t place = log->low < log->settled ? log->low : log->settled;

    for (place = place > oldest(log) ? place : oldest(log);
         place <= log->highest && count < capacity; place++) {
        count += settle(log, place, &acks[count]);
        struct tdm_sent_packet *p = packet_at(log, place);

        if (place == log->settled && place < log->highest - UNTOLD_MAX && is_under_way(p)) {
            leave(log, p);
            p->state = TDM_SENT_LOST;
        }
        if (place == log->settled && !is_under_way(p))
            log->settled++;
    }
    log->low = place <= log->highest ? place : INT64_MAX;
    return count;
}
