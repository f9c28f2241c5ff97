/* SPDX-License-Identifier: MIT */
#include "engine/core/session_state.h"

#include <string.h>

#define REPLAN_EVERY   (2 * TDM_S)
#define COST_MOST      0.3
#define STALLS_WANTED  0.0005
#define LATE_WANTED    0.04
#define PACKETS_START  4
#define PACKETS_KEEP   0.95
#define BLOCK_PICTURES 4

void tdm_session_ulpfec_init(struct tdm_session *s, tdm_time now)
{
    struct session_ulpfec *u = &s->ulpfec;

    memset(u, 0, sizeof *u);
    u->packets = PACKETS_START;
    u->planned_at = now;
    u->block_from = -1;
    tdm_xor_decoder_init(&u->decoder);
}

/* Repairs take numbers of the pictures' own. Whether one that is lost was part of a picture is told
 * by the numbers of the pictures, which only these have; and our own timing extension is written
 * too late to be covered. */
static bool may_send(const struct tdm_stream *st)
{
    const struct tdm_stream_config *c = &st->config;

    return tdm_session_may_mend(st) && c->send_ulpfec_type && c->send_ulpfec_red_type &&
           !c->timing_ext_id && !c->send_parity_type &&
           (c->send_codec == TDM_CODEC_VP8 || c->send_codec == TDM_CODEC_VP9);
}

static const struct tdm_stream *sender_of(const struct tdm_session *s)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (may_send(&s->streams[i]))
            return &s->streams[i];
    return NULL;
}

static const struct tdm_stream *receiver_of(const struct tdm_session *s)
{
    for (int i = 0; i < TDM_SESSION_STREAMS; i++)
        if (tdm_session_may_mend(&s->streams[i]) && s->streams[i].config.receive_ulpfec_type)
            return &s->streams[i];
    return NULL;
}

bool tdm_session_is_ulpfec(const struct tdm_stream *st, uint8_t payload_type)
{
    return payload_type && tdm_session_may_mend(st) &&
           st->config.receive_ulpfec_type == payload_type;
}

bool tdm_session_is_ulpfec_red(const struct tdm_stream *st, uint8_t payload_type)
{
    return payload_type && tdm_session_may_mend(st) &&
           st->config.receive_ulpfec_red_type == payload_type;
}

bool tdm_session_sends_ulpfec(const struct tdm_session *s, const struct tdm_stream *st)
{
    return sender_of(s) == st;
}

bool tdm_session_takes_ulpfec(const struct tdm_session *s, const struct tdm_stream *st)
{
    return receiver_of(s) == st;
}

double tdm_session_ulpfec_part(const struct tdm_session *s, const struct tdm_stream *st)
{
    return may_send(st) && sender_of(s) == st ? s->ulpfec.plan.part : 0;
}

/* The sender's side. */

static void plan(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    struct session_ulpfec *u = &s->ulpfec;
    struct tdm_repair_path path;

    if (now < u->planned_at + REPLAN_EVERY || !s->clock.rtt)
        return;
    u->planned_at = now;
    tdm_session_path(s, st, &path);
    tdm_xor_plan_make(&u->plan, &path,
                      &(struct tdm_repair_means){
                          .ask = st->config.nack,
                          .interval = tdm_session_frame_interval(st),
                          .patience = REPAIR_PATIENCE,
                          .packets = u->packets,
                          .most = COST_MOST,
                          .stalls = STALLS_WANTED,
                          .late = LATE_WANTED,
                      });
}

bool tdm_session_ulpfec_begin(struct tdm_session *s, const struct tdm_stream *st, tdm_time now)
{
    struct session_ulpfec *u = &s->ulpfec;

    if (sender_of(s) != st)
        return false;
    plan(s, st, now);
    u->picture_from = st->tx.store.head;
    if (u->plan.part <= 0)
        u->block_from = -1;
    return u->plan.part > 0;
}

static struct tdm_send_packet *packet_at(struct tdm_stream *st, int64_t seq)
{
    const struct tdm_send_store *store = &st->tx.store;
    struct tdm_send_packet *p = &store->packets[(uint64_t)seq & (store->packet_count - 1)];

    return p->seq == seq && !p->parity ? p : NULL;
}

/* As it is without RED, and before it was numbered. */
static void add_plain(struct tdm_xor_sum *sum, const struct tdm_stream *st,
                      const struct tdm_send_packet *p)
{
    uint8_t bytes[TDM_RTP_PACKET_MAX];
    size_t head = (size_t)(p->size - p->payload_size);
    size_t rest = (size_t)(p->payload_size - p->red_bytes);

    memcpy(bytes, p->bytes, head);
    bytes[1] = (uint8_t)((bytes[1] & 0x80) | st->config.send_payload_type);
    if (p->number_at)
        memset(bytes + p->number_at, 0, TDM_TWCC_EXT_BYTES);
    memcpy(bytes + head, p->bytes + head + p->red_bytes, rest);
    tdm_xor_add(sum, bytes, head + rest);
}

/* One repair over the packets of `mask`, behind all that waits. */
static void write_repair(struct tdm_session *s, struct tdm_stream *st, int64_t base, uint64_t mask)
{
    struct session_ulpfec *u = &s->ulpfec;
    struct tdm_xor_sum sum = {0};
    uint8_t payload[TDM_RTP_PACKET_MAX] = {st->config.send_ulpfec_type};
    struct tdm_writer w = tdm_writer_of(payload + 1, sizeof payload - 1);

    for (int i = 0; i < TDM_ULPFEC_COVER_MAX; i++) {
        const struct tdm_send_packet *p = mask >> i & 1 ? packet_at(st, base + i) : NULL;

        if (p)
            add_plain(&sum, st, p);
        else
            mask &= ~(1ull << i);
    }
    tdm_ulpfec_write(&w, &(struct tdm_ulpfec){.flags = sum.flags,
                                              .type = sum.type,
                                              .timestamp = sum.timestamp,
                                              .length = sum.length,
                                              .base = (uint16_t)base,
                                              .mask = mask,
                                              .size = sum.size,
                                              .data = sum.body});
    size_t size = 1 + tdm_writer_size(&w);
    struct tdm_send_packet *p = tdm_send_store_reserve(&st->tx.store);

    if (!w.ok || !mask || !p || size > tdm_session_payload_max(st) + ULPFEC_EXTRA_BYTES)
        return; /* Nothing to cover, cut before repairs were agreed, or no room. */
    p->parity = true;
    p->red_bytes = 1;
    tdm_session_finish_packet(st, p, st->config.send_ulpfec_red_type,
                              (uint32_t)st->tx.rtp_last + st->tx.rtp_base, payload, size, false);
    u->repairs.sent++;
    u->repairs.sent_bytes += p->size;
}

/* Of a block that no mask reaches over each part gets its share. */
static void close_block(struct tdm_session *s, struct tdm_stream *st, int64_t to, double repairs)
{
    int64_t from = s->ulpfec.block_from;
    double all = (double)(to - from);

    for (; from < to; from += TDM_ULPFEC_COVER_MAX) {
        uint8_t count =
            (uint8_t)(to - from < TDM_ULPFEC_COVER_MAX ? to - from : TDM_ULPFEC_COVER_MAX);
        uint8_t of = (uint8_t)(repairs * count / all + 0.999);

        of = of > count ? count : of;
        for (uint8_t i = 0; i < of; i++)
            write_repair(s, st, from, tdm_xor_mask(count, i, of));
    }
    s->ulpfec.block_from = -1;
    s->ulpfec.block_pictures = 0;
}

void tdm_session_ulpfec_end(struct tdm_session *s, struct tdm_stream *st)
{
    struct session_ulpfec *u = &s->ulpfec;
    int64_t to = st->tx.store.head;
    int64_t count = to - u->picture_from;

    if (sender_of(s) != st || st->tx.cut_off || count <= 0 || count > STORE_PACKETS / 2)
        return;
    u->packets = u->packets * PACKETS_KEEP + (double)count * (1 - PACKETS_KEEP);
    if (!st->tx.wrap)
        return;
    if (u->block_from < 0 || to - u->block_from > STORE_PACKETS / 2)
        u->block_from = u->picture_from;
    u->block_pictures++;
    u->credit += (double)count * u->plan.part;
    double repairs = (double)(int64_t)u->credit;

    if (repairs < 1 && u->block_pictures < BLOCK_PICTURES)
        return;
    repairs = repairs < 1 ? 1 : repairs;
    u->credit -= repairs;
    close_block(s, st, to, repairs);
}

/* The receiver's side. */

static void keep(struct session_ulpfec *u, const struct tdm_xor_out *mended)
{
    for (uint8_t i = 0; i < mended->count && u->waiting_count < TDM_XOR_ROWS; i++)
        u->waiting[u->waiting_count++] = mended->packets[i]->seq;
}

/* Header and payload without what is between them: RED; and without the transport-wide number,
 * which is written after repairs were made (so do browsers). */
static size_t plain_of(const struct tdm_stream *st, const struct tdm_session_in *in,
                       const struct tdm_rtp *rtp, uint8_t bytes[TDM_DATAGRAM_MAX])
{
    const uint8_t *data = in->datagram.data, *end = data + in->datagram.size;
    const struct tdm_rtp_ext *number = tdm_rtp_ext_find(rtp, st->config.transport_cc_ext_id);
    size_t head = RTP_HEAD_BYTES + 4 * (size_t)(data[0] & 0x0f);

    if (in->datagram.size > TDM_DATAGRAM_MAX)
        return 0;
    if (data[0] & 0x10)
        head += 4 + 4 * (size_t)(data[head + 2] << 8 | data[head + 3]);
    memcpy(bytes, data, head);
    bytes[1] = (uint8_t)((data[1] & 0x80) | rtp->payload_type);
    if (number)
        memset(bytes + (number->data - data), 0, number->size);
    memcpy(bytes + head, rtp->payload, (size_t)(end - rtp->payload));
    return head + (size_t)(end - rtp->payload);
}

void tdm_session_ulpfec_came(struct tdm_session *s, const struct tdm_stream *st,
                             const struct tdm_session_in *in, const struct tdm_rtp *rtp,
                             int64_t seq, bool restarted)
{
    struct session_ulpfec *u = &s->ulpfec;
    uint8_t bytes[TDM_DATAGRAM_MAX];
    struct tdm_xor_out mended;

    if (!st->config.receive_ulpfec_type || receiver_of(s) != st)
        return;
    if (restarted) {
        tdm_xor_decoder_init(&u->decoder);
        u->waiting_count = 0;
    }
    tdm_xor_decoder_packet(&u->decoder, seq, bytes, plain_of(st, in, rtp, bytes), &mended);
    keep(u, &mended);
}

void tdm_session_take_ulpfec(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                             const struct tdm_rtp *rtp, int64_t seq)
{
    struct session_ulpfec *u = &s->ulpfec;
    struct tdm_xor_out mended;

    if (receiver_of(s) != st || tdm_xor_decoder_repair(&u->decoder, seq, rtp->payload,
                                                       rtp->payload_size, &mended) != TDM_OK) {
        st->rx.refused++;
        return;
    }
    tdm_session_repair_came(&u->repairs, now);
    keep(u, &mended);
}

void tdm_session_run_ulpfec(struct tdm_session *s, struct tdm_stream *st, tdm_time now,
                            struct tdm_session_out *out)
{
    struct session_ulpfec *u = &s->ulpfec;
    uint8_t taken = 0;

    if (receiver_of(s) != st)
        return;
    for (; taken < u->waiting_count && out->unit == TDM_UNIT_NONE; taken++) {
        const struct tdm_xor_packet *packet = tdm_xor_decoder_find(&u->decoder, u->waiting[taken]);

        if (packet)
            tdm_session_take_mended(s, st, now, packet->bytes, packet->size, packet->seq,
                                    &u->repairs, out);
    }
    u->waiting_count = (uint8_t)(u->waiting_count - taken);
    memmove(&u->waiting[0], &u->waiting[taken], u->waiting_count * sizeof u->waiting[0]);
    if (u->waiting_count)
        tdm_session_wake(out, now, "mended");
}
