/* SPDX-License-Identifier: MIT */
#include "engine/core/channel_state.h"

#define ACK_PERIOD    (10 * TDM_MS)
#define ACKS_A_PERIOD 4

/* One ACK for 8 KB, or on a fast connection for a quarter of what comes in 10 ms. */
static void count_inbound(struct tdm_channel *c, tdm_time now, size_t bytes)
{
    if (c->inbound.counted == c->inbound.told)
        c->inbound.since = now;
    c->inbound.counted += bytes;
    c->inbound.arrived_at = now;
    c->inbound.period_bytes += bytes;
    if (now - c->inbound.period_at < ACK_PERIOD)
        return;
    c->inbound.every_bytes = c->inbound.period_bytes / ACKS_A_PERIOD > TDM_CHANNEL_ACK_BYTES
                                 ? c->inbound.period_bytes / ACKS_A_PERIOD
                                 : TDM_CHANNEL_ACK_BYTES;
    c->inbound.period_bytes = 0;
    c->inbound.period_at = now;
}

static void take_open(struct tdm_channel *c, const struct tdm_record_head *head,
                      const uint8_t *body, struct tdm_channel_out *out)
{
    struct tdm_open open;

    if (tdm_open_parse(&open, body, head->body_size) != TDM_OK || open.cls == TDM_CLASS_CONTROL ||
        open.cls >= TDM_CLASS_COUNT) {
        tdm_channel_fail(c, "The other side opened a stream of a class that does not exist.");
        return;
    }
    if (tdm_channel_is_ours(c, head->stream) || head->stream <= c->highest_peer_id) {
        tdm_channel_fail(c, "The other side opened a stream under a number that is not its own.");
        return;
    }
    c->highest_peer_id = head->stream;
    struct tdm_channel_stream *s = tdm_channel_add(c, false, head->stream);

    if (s) {
        s->kind = open.kind;
        s->cls = (enum tdm_channel_class)open.cls;
        out->event = TDM_CHANNEL_EV_OPENED;
        out->stream = s->id;
        out->kind_of = s->kind;
        out->cls = s->cls;
    } else if (c->refused_count < TDM_CHANNEL_REFUSED_MAX) {
        c->refused[c->refused_count++] = head->stream;
    } else {
        tdm_channel_fail(c, "The other side opens streams without end.");
    }
}

/* A record for a stream that is over is of the past; for one that never was, a lie. */
static struct tdm_channel_stream *known_stream(struct tdm_channel *c, uint32_t id)
{
    struct tdm_channel_stream *s = tdm_channel_find(c, id);
    bool ever = tdm_channel_is_ours(c, id) ? id < c->next_id : id <= c->highest_peer_id;

    if (!s && !ever)
        tdm_channel_fail(c, "The other side speaks of a stream that was never opened.");
    return s;
}

static void take_reset(struct tdm_channel *c, struct tdm_channel_stream *s,
                       struct tdm_channel_out *out)
{
    if (s->id == 0) {
        tdm_channel_fail(c, "The other side gave up the control stream.");
        return;
    }
    s->reset_received = true;
    s->credit_due = TDM_NEVER;
    s->tell_acked = s->tell_rewind = s->ready = false;
    if (!s->reset_sent && !s->reset_due) {
        s->reset_due = true;
        out->event = TDM_CHANNEL_EV_RESET;
        out->stream = s->id;
    }
    tdm_channel_free_if_over(s);
}

/* NULL: it keeps the rules. */
static const char *data_broken(const struct tdm_channel_stream *s,
                               const struct tdm_record_head *head)
{
    if (head->flags & TDM_RECORD_FIN && s->id == 0)
        return "The other side ended the control stream.";
    if (s->fin_received)
        return "The other side went on with a stream after its end.";
    if (head->flags & TDM_RECORD_EPHEMERAL && s->cls != TDM_CLASS_LATEST)
        return "The other side marked a stream as passing that is not.";
    if (tdm_channel_by_credit(s) && s->received + head->body_size > s->granted)
        return "The other side sent more of a stream than it was allowed.";
    return NULL;
}

static void take_data(struct tdm_channel *c, tdm_time now, const struct tdm_record_head *head,
                      const uint8_t *body, struct tdm_channel_out *out)
{
    struct tdm_channel_stream *s = known_stream(c, head->stream);

    if (!s)
        return;
    if (head->flags & TDM_RECORD_RST) {
        take_reset(c, s, out);
        return;
    }
    if (s->reset_due || s->reset_sent) /* On its way when we gave the stream up. */
        return;
    const char *broken = data_broken(s, head);

    if (broken) {
        tdm_channel_fail(c, broken);
        return;
    }
    if (head->body_size == 0 && !(head->flags & TDM_RECORD_FIN))
        return;
    s->received += head->body_size;
    s->fin_received = head->flags & TDM_RECORD_FIN;
    if (!tdm_channel_by_credit(s))
        s->consumed = s->received;
    tdm_channel_plan_credit(s, now);
    out->event = TDM_CHANNEL_EV_RECORD;
    out->stream = s->id;
    out->cls = s->cls;
    out->kind_of = s->kind;
    out->data = body;
    out->size = head->body_size;
    out->fin = s->fin_received;
}

static void take_credit(struct tdm_channel *c, const struct tdm_record_head *head,
                        const uint8_t *body)
{
    struct tdm_channel_stream *s = known_stream(c, head->stream);
    struct tdm_credit credit;
    bool fin = head->flags & TDM_RECORD_FIN;

    if (!s || s->reset_due || s->reset_sent)
        return;
    if (tdm_credit_parse(&credit, body, head->body_size) != TDM_OK) {
        tdm_channel_fail(c, "The other side sent a record that cannot be read.");
        return;
    }
    if (credit.received > s->sent || (fin && !(s->fin_sent && credit.received == s->sent))) {
        tdm_channel_fail(c, "The other side acknowledged what was never sent.");
        return;
    }
    s->tell_acked = s->tell_acked || credit.received > s->acked || (fin && !s->fin_acked);
    s->acked = credit.received > s->acked ? credit.received : s->acked;
    s->fin_acked = s->fin_acked || fin;
    s->limit = credit.limit > s->limit ? credit.limit : s->limit;
}

static void take_ack(struct tdm_channel *c, tdm_time now, const struct tdm_record_head *head,
                     const uint8_t *body)
{
    struct tdm_ack ack;

    if (tdm_ack_parse(&ack, body, head->body_size) != TDM_OK)
        tdm_channel_fail(c, "The other side sent a record that cannot be read.");
    else if (tdm_channel_window_acked(&c->window, now, &ack) != TDM_OK)
        tdm_channel_fail(c, "The other side acknowledged what was never sent.");
}

static void take_unknown(struct tdm_channel *c, const struct tdm_record_head *head)
{
    c->stats.unknown_skipped++;
    if (head->flags & TDM_RECORD_MUST_UNDERSTAND)
        tdm_channel_fail(c, "The other side needs something that this version does not know: "
                            "update this program.");
}

static void take_record(struct tdm_channel *c, tdm_time now, const struct tdm_record_head *head,
                        const uint8_t *body, struct tdm_channel_out *out)
{
    bool greeting = head->type == TDM_RECORD_PREFACE || head->type == TDM_RECORD_RESUME;

    if (!greeting && !c->up && head->type <= TDM_RECORD_PING) {
        tdm_channel_fail(c, "The other side left its greeting out.");
        return;
    }
    switch (head->type) {
    case TDM_RECORD_PREFACE:
        tdm_channel_take_preface(c, body, head->body_size);
        break;
    case TDM_RECORD_RESUME:
        tdm_channel_take_resume(c, now, body, head->body_size);
        break;
    case TDM_RECORD_OPEN:
        take_open(c, head, body, out);
        break;
    case TDM_RECORD_DATA:
        take_data(c, now, head, body, out);
        break;
    case TDM_RECORD_CREDIT:
        take_credit(c, head, body);
        break;
    case TDM_RECORD_ACK:
        take_ack(c, now, head, body);
        break;
    case TDM_RECORD_PING:
        break;
    default:
        take_unknown(c, head);
    }
}

/* A record that is whole in the input is read there; else its parts are joined. `*taken` bytes of
 * the input belong to what was looked at. NULL: not whole yet, or not a record. */
static const uint8_t *next_record(struct tdm_channel *c, const uint8_t *data, size_t size,
                                  struct tdm_record_head *head, size_t *record_size, size_t *taken)
{
    const uint8_t *record = data;
    size_t have = size, head_size = 0;
    size_t held = c->partial_size;

    if (held) { /* As much as a head may take, to learn the record's size; then the rest. */
        size_t want = TDM_CHANNEL_HEAD_MAX;
        enum tdm_err err = tdm_record_head_parse(head, &head_size, c->partial, held);

        if (err == TDM_OK)
            want = head_size + head->body_size;
        *taken = want - held < size ? want - held : size;
        memcpy(c->partial + held, data, *taken);
        record = c->partial;
        have = held + *taken;
    }
    enum tdm_err err = tdm_record_head_parse(head, &head_size, record, have);

    if (err == TDM_E_MALFORMED || (!c->preface_received && record[0] != TDM_RECORD_PREFACE)) {
        tdm_channel_fail(c, c->preface_received
                                ? "The other side sent bytes that are no record of the channel."
                                : "The other side does not speak the data channel.");
        return NULL;
    }
    *record_size = head_size + head->body_size;
    if (err == TDM_OK && have >= *record_size) {
        *taken = *record_size - held;
        c->partial_size = 0;
        return record + head_size;
    }
    if (!held) {
        *taken = size < sizeof c->partial ? size : sizeof c->partial;
        memcpy(c->partial, data, *taken);
    }
    c->partial_size = held + *taken;
    return NULL;
}

void tdm_channel_receive(struct tdm_channel *c, tdm_time now, const struct tdm_channel_in *in,
                         struct tdm_channel_out *out)
{
    struct tdm_record_head head;
    size_t record_size = 0, taken = in->size;

    if (!in->size)
        return;
    c->heard_at = now;
    const uint8_t *body = next_record(c, in->data, in->size, &head, &record_size, &taken);

    out->consumed = taken;
    c->stats.bytes_received += taken;
    if (!body)
        return;
    c->stats.records_received++;
    if (head.type != TDM_RECORD_ACK)
        count_inbound(c, now, record_size);
    take_record(c, now, &head, body, out);
}
