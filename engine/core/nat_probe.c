/* SPDX-License-Identifier: MIT */
#include "engine/core/nat_probe.h"

#include "engine/base/rng.h"
#include "engine/wire/stun.h"

#include <string.h>

#define TRIES_MAX   4
#define FIRST_PAUSE (150 * TDM_MS) /* Doubles with each try: silence is certain after 2.25 s. */

static void open_question(struct tdm_nat_probe *p, tdm_time now, enum tdm_nat_question which,
                          const struct tdm_nat_question_record *as)
{
    struct tdm_nat_question_record *q = &p->questions[which];
    struct tdm_rng rng = tdm_rng_of(p->config.seed + (uint64_t)which * 0x9e37);

    if (q->state != TDM_NAT_Q_IDLE)
        return;
    *q = *as;
    q->state = TDM_NAT_Q_OPEN;
    q->due = now;
    for (size_t i = 0; i < sizeof q->id; i++)
        q->id[i] = (uint8_t)tdm_rng_u32(&rng);
}

void tdm_nat_probe_init(struct tdm_nat_probe *p, const struct tdm_nat_probe_config *config,
                        tdm_time now)
{
    memset(p, 0, sizeof *p);
    p->config = *config;
    p->facts.rtt = TDM_NEVER;
    for (int i = 0; i < config->server_count && i < TDM_NAT_SERVERS_MAX; i++)
        open_question(p, now, (enum tdm_nat_question)(TDM_NAT_Q_FIRST + i),
                      &(struct tdm_nat_question_record){.to = config->servers[i]});
}

static bool is_mine(const struct tdm_nat_probe *p, const struct tdm_address *a)
{
    const struct tdm_address *own = &p->config.local[0];

    return tdm_address_equal(a, own);
}

/* The first answer tells where to go on. */
static void after_first(struct tdm_nat_probe *p, tdm_time now,
                        const struct tdm_nat_question_record *q, const struct tdm_stun *m)
{
    struct tdm_nat_facts *f = &p->facts;
    const struct tdm_nat_question_record help = {.to = q->to, .socket = 1};

    f->udp = TDM_NAT_YES;
    f->server = q->to;
    f->mapped = m->mapped;
    f->rtt = now - q->asked;
    f->behind = is_mine(p, &m->mapped) ? TDM_NAT_NO : TDM_NAT_YES;
    f->port_kept = m->mapped.port == p->config.local[0].port;
    p->other = m->other_address;
    open_question(p, now, TDM_NAT_Q_SECOND, &help);
    open_question(p, now, TDM_NAT_Q_MEDIUM,
                  &(struct tdm_nat_question_record){.to = q->to, .size = TDM_NAT_MEDIUM});
    open_question(p, now, TDM_NAT_Q_BIG,
                  &(struct tdm_nat_question_record){.to = q->to, .size = TDM_NAT_BIG});
    if (p->other.family == q->to.family && !tdm_address_same_host(&p->other, &q->to)) {
        struct tdm_nat_question_record second = {.to = p->other}, third = {.to = p->other};

        second.to.port = q->to.port;
        open_question(p, now, TDM_NAT_Q_MAPPING_2, &second);
        open_question(p, now, TDM_NAT_Q_MAPPING_3, &third);
    }
}

/* Both sockets have their mappings now; and only behind a filter that has been opened to the server
 * itself do answers from its other addresses tell anything. */
static void after_second(struct tdm_nat_probe *p, tdm_time now,
                         const struct tdm_nat_question_record *q)
{
    open_question(p, now, TDM_NAT_Q_HAIRPIN,
                  &(struct tdm_nat_question_record){.to = p->facts.mapped, .socket = 1});
    open_question(p, now, TDM_NAT_Q_HAIRPIN_BACK,
                  &(struct tdm_nat_question_record){.to = q->mapped});
    if (p->other.family == TDM_ADDRESS_NONE)
        return;
    open_question(
        p, now, TDM_NAT_Q_OTHER_BOTH,
        &(struct tdm_nat_question_record){
            .to = q->to, .socket = 1, .change = TDM_STUN_CHANGE_IP | TDM_STUN_CHANGE_PORT});
    open_question(p, now, TDM_NAT_Q_OTHER_PORT,
                  &(struct tdm_nat_question_record){
                      .to = q->to, .socket = 1, .change = TDM_STUN_CHANGE_PORT});
}

static void take(struct tdm_nat_probe *p, tdm_time now, const struct tdm_nat_probe_in *in)
{
    struct tdm_stun m;

    if (tdm_stun_parse(&m, in->data, in->size) != TDM_OK || m.method != TDM_STUN_BINDING)
        return;
    for (int i = 0; i < TDM_NAT_QUESTIONS; i++) {
        struct tdm_nat_question_record *q = &p->questions[i];
        bool inside = i == TDM_NAT_Q_HAIRPIN || i == TDM_NAT_Q_HAIRPIN_BACK;
        bool turned = inside && m.kind == TDM_STUN_REQUEST && in->socket != q->socket;

        if (q->state != TDM_NAT_Q_OPEN || memcmp(m.id, q->id, sizeof q->id) != 0)
            continue;
        if (!turned && (m.kind != TDM_STUN_SUCCESS || in->socket != q->socket ||
                        m.mapped.family == TDM_ADDRESS_NONE))
            continue;
        /* A server that does not know CHANGE-REQUEST answers from where it was asked. */
        if (q->change && tdm_address_equal(&in->from, &q->to)) {
            p->other = (struct tdm_address){0};
            q->state = TDM_NAT_Q_SILENT;
            continue;
        }
        q->state = TDM_NAT_Q_ANSWERED;
        q->mapped = m.mapped;
        if (i < TDM_NAT_Q_FIRST + TDM_NAT_SERVERS_MAX && p->facts.udp != TDM_NAT_YES)
            after_first(p, now, q, &m);
        else if (i == TDM_NAT_Q_SECOND)
            after_second(p, now, q);
    }
}

static void ask(struct tdm_nat_question_record *q, tdm_time now, struct tdm_nat_probe_send *send)
{
    uint8_t filler[TDM_NAT_BIG] = {0};
    struct tdm_writer w =
        tdm_stun_begin(send->data, sizeof send->data, TDM_STUN_REQUEST, TDM_STUN_BINDING, q->id);

    if (q->change)
        tdm_stun_write_u32(&w, TDM_STUN_CHANGE_REQUEST, q->change);
    /* SOFTWARE need not be understood and may be ignored; several make a message of any size. */
    for (size_t left = q->size > TDM_STUN_HEADER_BYTES ? q->size - TDM_STUN_HEADER_BYTES : 0;
         left >= 8;) {
        size_t size = left > 700 ? 696 : left - 4;

        memset(filler, ' ', size);
        tdm_stun_write_bytes(&w, TDM_STUN_SOFTWARE, filler, size);
        left -= size + 4;
    }
    send->size = (uint16_t)tdm_stun_end(&w);
    send->to = q->to;
    send->socket = q->socket;
    q->asked = now;
    q->due = now + (FIRST_PAUSE << q->tries);
    q->tries++;
}

static enum tdm_nat_verdict verdict(const struct tdm_nat_probe *p, enum tdm_nat_question which)
{
    static const enum tdm_nat_verdict verdicts[] = {[TDM_NAT_Q_IDLE] = TDM_NAT_ASKING,
                                                    [TDM_NAT_Q_OPEN] = TDM_NAT_ASKING,
                                                    [TDM_NAT_Q_ANSWERED] = TDM_NAT_YES,
                                                    [TDM_NAT_Q_SILENT] = TDM_NAT_NO};

    return verdicts[p->questions[which].state];
}

static enum tdm_nat_behaviour mapping_of(const struct tdm_nat_probe *p)
{
    const struct tdm_nat_question_record *second = &p->questions[TDM_NAT_Q_MAPPING_2];
    const struct tdm_nat_question_record *third = &p->questions[TDM_NAT_Q_MAPPING_3];

    if (second->state == TDM_NAT_Q_ANSWERED) {
        if (tdm_address_equal(&second->mapped, &p->facts.mapped))
            return TDM_NAT_INDEPENDENT;
        if (third->state == TDM_NAT_Q_ANSWERED)
            return tdm_address_equal(&second->mapped, &third->mapped) ? TDM_NAT_ADDRESS
                                                                      : TDM_NAT_ADDRESS_PORT;
    }
    for (int i = 0; i < TDM_NAT_SERVERS_MAX; i++) {
        const struct tdm_nat_question_record *q = &p->questions[TDM_NAT_Q_FIRST + i];

        if (q->state == TDM_NAT_Q_ANSWERED && !tdm_address_equal(&q->to, &p->facts.server))
            return tdm_address_equal(&q->mapped, &p->facts.mapped) ? TDM_NAT_INDEPENDENT
                                                                   : TDM_NAT_DEPENDENT;
    }
    return TDM_NAT_UNKNOWN;
}

static enum tdm_nat_behaviour filtering_of(const struct tdm_nat_probe *p)
{
    enum tdm_nat_verdict both = verdict(p, TDM_NAT_Q_OTHER_BOTH);
    enum tdm_nat_verdict port = verdict(p, TDM_NAT_Q_OTHER_PORT);

    if (p->other.family == TDM_ADDRESS_NONE || both == TDM_NAT_ASKING)
        return TDM_NAT_UNKNOWN;
    if (both == TDM_NAT_YES)
        return TDM_NAT_INDEPENDENT;
    return port == TDM_NAT_YES  ? TDM_NAT_ADDRESS
           : port == TDM_NAT_NO ? TDM_NAT_ADDRESS_PORT
                                : TDM_NAT_UNKNOWN;
}

static void conclude(struct tdm_nat_probe *p, bool open)
{
    struct tdm_nat_facts *f = &p->facts;

    f->done = !open;
    if (f->done && f->udp != TDM_NAT_YES)
        f->udp = TDM_NAT_NO;
    f->mapping = mapping_of(p);
    f->filtering = filtering_of(p);
    if (f->behind == TDM_NAT_YES) {
        f->hairpin = verdict(p, TDM_NAT_Q_HAIRPIN);
        if (verdict(p, TDM_NAT_Q_HAIRPIN_BACK) == TDM_NAT_YES)
            f->hairpin = TDM_NAT_YES;
    }
    f->medium = verdict(p, TDM_NAT_Q_MEDIUM);
    f->big = verdict(p, TDM_NAT_Q_BIG);
}

void tdm_nat_probe_step(struct tdm_nat_probe *p, tdm_time now, const struct tdm_nat_probe_in *in,
                        struct tdm_nat_probe_out *out)
{
    bool open = false;

    out->count = 0;
    out->wake_at = TDM_NEVER;
    if (in)
        take(p, now, in);
    for (int i = 0; i < TDM_NAT_QUESTIONS; i++) {
        struct tdm_nat_question_record *q = &p->questions[i];

        if (q->state == TDM_NAT_Q_OPEN && q->due <= now && q->tries == TRIES_MAX)
            q->state = TDM_NAT_Q_SILENT;
        if (q->state != TDM_NAT_Q_OPEN)
            continue;
        open = true;
        if (q->due <= now && out->count < TDM_NAT_SENDS_MAX)
            ask(q, now, &out->sends[out->count++]);
        out->wake_at = tdm_time_min(out->wake_at, q->due);
    }
    conclude(p, open);
}

const char *tdm_nat_behaviour_name(enum tdm_nat_behaviour behaviour)
{
    static const char *const names[] = {
        [TDM_NAT_UNKNOWN] = "unknown",
        [TDM_NAT_INDEPENDENT] = "endpoint-independent",
        [TDM_NAT_ADDRESS] = "address-dependent",
        [TDM_NAT_ADDRESS_PORT] = "address- and port-dependent",
        [TDM_NAT_DEPENDENT] = "dependent on the other side",
    };

    return names[behaviour];
}
