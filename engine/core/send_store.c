/* SPDX-License-Identifier: MIT */
#include "engine/core/send_store.h"

#include <string.h>

void tdm_send_store_init(struct tdm_send_store *s, struct tdm_send_packet *packets,
                         uint32_t packet_count, uint16_t first_seq)
{
    assert(packet_count && (packet_count & (packet_count - 1)) == 0);
    s->packets = packets;
    s->packet_count = packet_count;
    s->next = s->head = 65536 + (int64_t)first_seq;
    s->open = false;
    s->resend_count = 0;
    for (uint32_t i = 0; i < packet_count; i++)
        packets[i].seq = -1;
}

static struct tdm_send_packet *packet_at(struct tdm_send_store *s, int64_t seq)
{
    return &s->packets[(uint64_t)seq & (s->packet_count - 1)];
}

struct tdm_send_packet *tdm_send_store_reserve(struct tdm_send_store *s)
{
    if (s->head - s->next >= s->packet_count / 2)
        return NULL;
    struct tdm_send_packet *p = packet_at(s, s->head);

    p->seq = s->head;
    p->timing_at = p->number_at = 0;
    p->marker = p->parity = false;
    p->red_bytes = 0;
    p->resent_at = 0;
    p->asked = false;
    return p;
}

void tdm_send_store_commit(struct tdm_send_store *s)
{
    s->head++;
}

void tdm_send_store_skip(struct tdm_send_store *s)
{
    packet_at(s, s->head)->seq = -1;
    if (s->next == s->head)
        s->next++;
    s->head++;
}

bool tdm_send_store_ask(struct tdm_send_store *s, tdm_time now, uint16_t seq, tdm_time quiet)
{
    int64_t extended = tdm_seq_extend(s->next, seq);
    struct tdm_send_packet *p = packet_at(s, extended);

    if (extended >= s->next || p->seq != extended || s->resend_count == TDM_SEND_RESEND_MAX)
        return false;
    if (p->asked || (p->resent_at && now - p->resent_at < quiet))
        return false;
    p->asked = true;
    s->resend[s->resend_count++] = extended;
    return true;
}

void tdm_send_store_forget_repairs(struct tdm_send_store *s)
{
    for (uint16_t i = 0; i < s->resend_count; i++)
        packet_at(s, s->resend[i])->asked = false;
    s->resend_count = 0;
}

struct tdm_send_packet *tdm_send_store_peek(struct tdm_send_store *s, bool *repair)
{
    while (s->resend_count) {
        struct tdm_send_packet *p = packet_at(s, s->resend[0]);

        if (p->seq == s->resend[0]) {
            *repair = true;
            return p;
        }
        tdm_send_store_sent(s, 0, true); /* Overwritten since it was asked for. */
    }
    *repair = false;
    while (tdm_send_store_waiting(s) && packet_at(s, s->next)->seq != s->next)
        s->next++; /* A hole left on purpose. */
    return tdm_send_store_waiting(s) ? packet_at(s, s->next) : NULL;
}

void tdm_send_store_sent(struct tdm_send_store *s, tdm_time now, bool repair)
{
    if (!repair) {
        s->next++;
        return;
    }
    struct tdm_send_packet *p = packet_at(s, s->resend[0]);

    if (p->seq == s->resend[0]) {
        p->resent_at = now;
        p->asked = false;
    }
    s->resend_count--;
    memmove(&s->resend[0], &s->resend[1], s->resend_count * sizeof s->resend[0]);
}

uint32_t tdm_send_store_waiting(const struct tdm_send_store *s)
{
    return (uint32_t)(s->head - s->next - (s->open && s->head > s->next ? 1 : 0));
}
