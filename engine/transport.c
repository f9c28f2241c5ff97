/* SPDX-License-Identifier: MIT */
#include "engine/transport.h"

#include "engine/base/rt.h"
#include "engine/io/wake.h"
#include "engine/wire/rtp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_AT_ONCE 256 /* Of an agent that has more to send. */

/* RFC 7983 section 7. */
static bool is_dtls(const uint8_t *data, size_t size)
{
    return size > 0 && data[0] >= 20 && data[0] <= 63;
}

static bool is_media(const uint8_t *data, size_t size)
{
    return size > 1 && data[0] >= 128 && data[0] <= 191;
}

enum tdm_err tdm_transport_init(struct tdm_transport *t, const struct tdm_udp *udp,
                                const struct tdm_ice_config *ice, tdm_time now,
                                struct tdm_cause *cause)
{
    memset(t, 0, sizeof *t);
    t->udp = *udp;
    t->ice_wake = t->dtls_wake = TDM_NEVER;
    t->status.agreed_at = t->status.path_at = t->status.ready_at = t->status.media_at = TDM_NEVER;
    for (int i = 0; i < TDM_ICE_SERVERS_MAX; i++)
        tdm_server_link_init(&t->links[i]);
    if (!ice)
        return TDM_OK;
    t->ice_storage = malloc(tdm_ice_bytes());
    if (!t->ice_storage)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory for a call");
    t->ice_config = *ice;
    t->ice = tdm_ice_init(t->ice_storage, ice, now);
    t->ice_wake = now;
    return TDM_OK;
}

static void send_raw(struct tdm_transport *t, uint8_t link, const struct tdm_address *from,
                     const struct tdm_address *to, const uint8_t *data, size_t size)
{
    if (!link)
        (void)tdm_udp_send(&t->udp, from, to, &(struct tdm_udp_piece){data, size}, 1);
    else if (link <= TDM_ICE_SERVERS_MAX)
        tdm_server_link_write(&t->links[link - 1], data, size);
}

static void drop_keys(struct tdm_transport *t)
{
    tdm_rt_foreign_enter();
    tdm_srtp_destroy(t->srtp);
    tdm_srtp_destroy(t->srtp_before);
    tdm_dtls_destroy(t->dtls);
    tdm_rt_foreign_leave();
    t->srtp = t->srtp_before = NULL;
    t->dtls = NULL;
    t->dtls_wake = TDM_NEVER;
}

/* Relays that stay behind would use up what their user may have. */
static void close_ice(struct tdm_transport *t)
{
    t->path.valid = false;
    if (!t->ice)
        return;
    tdm_ice_step(t->ice, t->now, &(struct tdm_ice_in){.kind = TDM_ICE_CLOSE}, &t->ice_out);
    for (uint8_t i = 0; i < t->ice_out.send_count; i++) {
        const struct tdm_ice_send *s = &t->ice_out.sends[i];

        send_raw(t, s->link, &s->from, &s->to, s->data, s->size);
    }
    t->ice = NULL;
    t->ice_wake = TDM_NEVER;
    for (int i = 0; i < TDM_ICE_SERVERS_MAX; i++)
        tdm_server_link_close(&t->links[i]);
}

void tdm_transport_free(struct tdm_transport *t)
{
    drop_keys(t);
    close_ice(t);
    free(t->ice_storage);
    t->ice_storage = NULL;
    tdm_udp_close(&t->udp);
}

static struct tdm_transport_told *tell(struct tdm_transport *t, enum tdm_transport_told_kind kind)
{
    /* The last one gives way when nobody looked for long. */
    struct tdm_transport_told *told =
        &t->told[t->told_count < TDM_TRANSPORT_TOLD_MAX ? t->told_count++ : t->told_count - 1];

    told->kind = kind;
    told->link = 0;
    told->why[0] = 0;
    return told;
}

bool tdm_transport_take_told(struct tdm_transport *t, struct tdm_transport_told *told)
{
    if (!t->told_count)
        return false;
    *told = t->told[0];
    t->told_count--;
    memmove(t->told, t->told + 1, t->told_count * sizeof *t->told);
    return true;
}

static void fail(struct tdm_transport *t, const char *why)
{
    if (t->failed)
        return;
    t->failed = true;
    (void)snprintf(tell(t, TDM_TRANSPORT_FAILED)->why, sizeof t->told[0].why, "%s", why);
}

static bool has_way(const struct tdm_transport *t)
{
    return t->status.ice ? t->path.valid : t->status.remote.family != TDM_ADDRESS_NONE;
}

/* After anything that may have changed it. */
static void update_ready(struct tdm_transport *t, tdm_time now)
{
    struct tdm_transport_status *s = &t->status;
    bool ready = s->agreed && !t->failed && has_way(t) && (s->proto == TDM_PROTO_RTP || t->srtp);

    if (s->agreed && has_way(t) && s->path_at == TDM_NEVER)
        s->path_at = now;
    if (ready && !s->ready) {
        if (s->ready_at == TDM_NEVER)
            s->ready_at = now;
        (void)tell(t, TDM_TRANSPORT_READY);
    }
    s->ready = ready;
}

static void take_ice_told(struct tdm_transport *t, const struct tdm_ice_told *told)
{
    struct tdm_transport_told *to;

    switch (told->kind) {
    case TDM_ICE_TOLD_CANDIDATE:
        tell(t, TDM_TRANSPORT_CANDIDATE)->candidate = told->candidate;
        break;
    case TDM_ICE_TOLD_GATHERED:
        (void)tell(t, TDM_TRANSPORT_GATHERED);
        break;
    case TDM_ICE_TOLD_PATH:
        tdm_ice_path(t->ice, &t->path);
        break;
    case TDM_ICE_TOLD_SILENT:
        (void)tell(t, TDM_TRANSPORT_SILENT);
        break;
    case TDM_ICE_TOLD_LOST:
        t->path.valid = false;
        (void)tell(t, TDM_TRANSPORT_LOST);
        break;
    case TDM_ICE_TOLD_LINK:
        tell(t, TDM_TRANSPORT_LINK)->link = told->link;
        break;
    case TDM_ICE_TOLD_SERVER_FAILED:
        to = tell(t, TDM_TRANSPORT_SERVER_FAILED);
        to->link = told->link;
        (void)snprintf(to->why, sizeof to->why, "%s", told->why ? told->why : "no answer");
        break;
    }
}

static void perform_ice(struct tdm_transport *t, tdm_time now)
{
    const struct tdm_ice_out *out = &t->ice_out;

    for (uint8_t i = 0; i < out->send_count; i++) {
        const struct tdm_ice_send *s = &out->sends[i];

        send_raw(t, s->link, &s->from, &s->to, s->data, s->size);
    }
    for (uint8_t i = 0; i < out->told_count; i++)
        take_ice_told(t, &out->told[i]);
    t->ice_wake = out->wake_at;
    if (out->told_count)
        update_ready(t, now);
}

static void after_path(struct tdm_transport *t, tdm_time now);

static void step_ice(struct tdm_transport *t, tdm_time now, const struct tdm_ice_in *in)
{
    bool had_way = has_way(t);

    tdm_ice_step(t->ice, now, in, &t->ice_out);
    perform_ice(t, now);
    if (!had_way && has_way(t))
        after_path(t, now);
}

/* What the agent still has to send. */
static void run_ice(struct tdm_transport *t, tdm_time now)
{
    for (int i = 0; i < STEPS_AT_ONCE && t->ice && t->ice_wake <= now; i++)
        step_ice(t, now, NULL);
}

/* What an agent needs that begins later. */
static void remember(struct tdm_transport *t, const struct tdm_ice_in *in)
{
    uint8_t at = 0;

    if (in->kind == TDM_ICE_RESTART) {
        (void)snprintf(t->ice_config.ufrag, sizeof t->ice_config.ufrag, "%s", in->ufrag);
        (void)snprintf(t->ice_config.pwd, sizeof t->ice_config.pwd, "%s", in->pwd);
    }
    if (in->kind != TDM_ICE_ADDRESS && in->kind != TDM_ICE_ADDRESS_GONE)
        return;
    while (at < t->address_count && !tdm_address_equal(&t->addresses[at], &in->address))
        at++;
    if (in->kind == TDM_ICE_ADDRESS_GONE && at < t->address_count) {
        t->address_count--;
        memmove(&t->addresses[at], &t->addresses[at + 1],
                (size_t)(t->address_count - at) * sizeof t->addresses[0]);
    }
    if (in->kind == TDM_ICE_ADDRESS && at == t->address_count && at < TDM_ICE_LOCAL_MAX)
        t->addresses[t->address_count++] = in->address;
}

void tdm_transport_ice(struct tdm_transport *t, tdm_time now, const struct tdm_ice_in *in)
{
    remember(t, in);
    if (!t->ice)
        return;
    step_ice(t, now, in);
    run_ice(t, now);
}

void tdm_transport_send_dtls(void *arg, const uint8_t *data, size_t size)
{
    struct tdm_transport *t = arg;
    uint8_t *packet = t->dtls_packet + TDM_ICE_WRAP_MAX;

    if (size > TDM_TRANSPORT_PACKET - TDM_SRTP_TRAILER)
        return;
    if (!t->status.ice) {
        if (t->dtls_to.family != TDM_ADDRESS_NONE)
            send_raw(t, 0, &t->local, &t->dtls_to, data, size);
        return;
    }
    memcpy(packet, data, size);
    packet = t->ice ? tdm_ice_wrap(t->ice, t->now, packet, &size) : NULL;
    if (packet)
        send_raw(t, t->path.link, &t->path.from, &t->path.to, packet, size);
}

/* Keys for the media, when the handshake has given new ones. */
static void take_keys(struct tdm_transport *t, tdm_time now)
{
    struct tdm_srtp_keys keys;
    struct tdm_cause cause = {""};
    struct tdm_srtp *srtp;

    if (t->keyed || tdm_dtls_keys(t->dtls, &keys) != TDM_OK)
        return;
    tdm_rt_foreign_enter();
    enum tdm_err err = tdm_srtp_create(&srtp, &keys, &cause);

    tdm_srtp_destroy(t->srtp_before);
    t->srtp_before = NULL;
    tdm_rt_foreign_leave();
    t->keyed = true;
    if (err != TDM_OK) {
        fail(t, cause.text);
        return;
    }
    t->srtp_before = t->srtp;
    t->srtp = srtp;
    t->status.profile = keys.profile;
    t->status.peer_known = tdm_dtls_peer(t->dtls, t->status.peer) == TDM_OK;
    if (!t->status.ice)
        t->status.remote = t->dtls_to;
    update_ready(t, now);
}

static void after_dtls(struct tdm_transport *t, tdm_time now)
{
    enum tdm_dtls_state state = tdm_dtls_state(t->dtls);

    if (state == TDM_DTLS_UP)
        take_keys(t, now);
    else if (state == TDM_DTLS_FAILED)
        fail(t, tdm_dtls_reason(t->dtls));
    t->dtls_wake = tdm_dtls_wake_at(t->dtls);
}

/* The other side may have a path, and begin, before our own check was answered or even its
 * description came. Waiting for it to try again would cost a tenth of a second. */
static void keep_early(struct tdm_transport *t, const struct tdm_address *from, const uint8_t *data,
                       size_t size)
{
    if (size > sizeof t->early)
        return;
    memcpy(t->early, data, size);
    t->early_size = (uint16_t)size;
    t->early_from = from ? *from : (struct tdm_address){.family = TDM_ADDRESS_NONE};
}

/* What the other side's data channel says; only an association that is up gives any. */
static void pass_data(struct tdm_transport *t, const uint8_t *data, size_t size)
{
    void *record = t->data && size ? tdm_record_ring_reserve(t->data, (uint32_t)size) : NULL;

    if (!record)
        return; /* Full: as if it were lost on the way. */
    memcpy(record, data, size);
    tdm_record_ring_commit(t->data);
    tdm_wake_signal(t->data_wake);
}

/* One datagram of DTLS, in the library's own calls. */
static void take_dtls(struct tdm_transport *t, tdm_time now, const uint8_t *data, size_t size)
{
    uint8_t application[TDM_DTLS_DATAGRAM + 100];
    size_t application_size = 0;

    if (!t->dtls || !has_way(t)) {
        keep_early(t, NULL, data, size);
        return;
    }
    tdm_dtls_receive(t->dtls, now, data, size, application, &application_size);
    after_dtls(t, now);
    pass_data(t, application, application_size);
}

/* There is a way now: the client of DTLS speaks first, the server takes what came early. */
static void after_path(struct tdm_transport *t, tdm_time now)
{
    update_ready(t, now);
    if (!t->dtls || !has_way(t))
        return;
    tdm_dtls_start(t->dtls, now);
    t->dtls_wake = tdm_dtls_wake_at(t->dtls);
    uint16_t size = t->early_size;
    /* What ICE had not vouched for counts only if it vouches for that address now. */
    bool known =
        t->early_from.family == TDM_ADDRESS_NONE || tdm_address_equal(&t->early_from, &t->path.to);

    t->early_size = 0;
    if (size && known)
        take_dtls(t, now, t->early, size);
}

/* Those who spoke without ICE so far, or not at all, agreed on it. */
static void begin_ice(struct tdm_transport *t, tdm_time now)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_ADDRESS};

    t->ice_config.seed++; /* Other transactions than the agent before. */
    t->ice = tdm_ice_init(t->ice_storage, &t->ice_config, now);
    t->ice_wake = now;
    for (uint8_t i = 0; i < t->address_count; i++) {
        in.address = t->addresses[i];
        step_ice(t, now, &in);
    }
    step_ice(t, now, &(struct tdm_ice_in){.kind = TDM_ICE_ADDRESSES_END});
}

static void agree_ice(struct tdm_transport *t, tdm_time now,
                      const struct tdm_transport_setup *setup)
{
    struct tdm_ice_in in = {
        .kind = TDM_ICE_REMOTE, .ufrag = setup->ufrag, .pwd = setup->pwd, .lite = setup->lite};

    step_ice(t, now, &in);
    in.kind = TDM_ICE_CANDIDATE;
    for (uint8_t i = 0; i < setup->candidate_count; i++) {
        in.candidate = setup->candidates[i];
        step_ice(t, now, &in);
    }
    in.kind = TDM_ICE_CANDIDATES_END;
    if (setup->end_of_candidates)
        step_ice(t, now, &in);
}

void tdm_transport_agree(struct tdm_transport *t, tdm_time now,
                         const struct tdm_transport_setup *setup)
{
    struct tdm_transport_status *s = &t->status;

    t->now = now;
    s->agreed = true;
    s->proto = setup->proto;
    s->ice = setup->ice && t->ice_storage;
    if (s->agreed_at == TDM_NEVER)
        s->agreed_at = now;
    if (!s->ice && !tdm_address_equal(&t->signalled, &setup->remote))
        s->remote = t->signalled = t->dtls_to = setup->remote;
    if (!s->ice)
        t->local = setup->local;
    if (!s->ice)
        close_ice(t);
    tdm_rt_foreign_enter();
    if (setup->dtls) {
        tdm_dtls_destroy(t->dtls);
        t->dtls = setup->dtls;
        t->keyed = t->failed = false;
    }
    if (setup->srtp) {
        tdm_srtp_destroy(t->srtp_before);
        t->srtp_before = t->srtp;
        t->srtp = setup->srtp;
        s->profile = setup->profile;
    }
    tdm_rt_foreign_leave();
    if (s->ice && !t->ice)
        begin_ice(t, now);
    if (s->ice)
        agree_ice(t, now, setup);
    if (setup->dtls)
        after_path(t, now);
    run_ice(t, now);
    update_ready(t, now);
}

void tdm_transport_rest(struct tdm_transport *t)
{
    drop_keys(t);
    close_ice(t);
    t->status.agreed = t->status.ready = false;
}

void tdm_transport_link(struct tdm_transport *t, tdm_time now, uint8_t link, int fd,
                        struct tdm_tls *tls)
{
    assert(link >= 1 && link <= TDM_ICE_SERVERS_MAX);
    tdm_server_link_open(&t->links[link - 1], fd, tls);
    if (t->link_count < link)
        t->link_count = link;
    t->now = now;
}

/* The other side has moved, and has proven that it is the one. */
static void latch(struct tdm_transport *t, const struct tdm_address *from,
                  const struct tdm_address *to)
{
    if (t->status.ice || !from || tdm_address_equal(&t->status.remote, from))
        return;
    t->status.remote = t->dtls_to = *from;
    t->local = *to;
}

/* By the keys of now, or for a moment by those before. */
static enum tdm_err unprotect(struct tdm_transport *t, bool rtcp, uint8_t *data, size_t *size)
{
    size_t before_size = *size;
    bool twice = t->srtp_before && before_size <= sizeof t->packets[0];

    if (twice)
        memcpy(t->packets[0], data, before_size);
    enum tdm_err err = tdm_srtp_unprotect(t->srtp, rtcp, data, size);

    if (err == TDM_OK || !twice)
        return err;
    memcpy(data, t->packets[0], before_size);
    *size = before_size;
    return tdm_srtp_unprotect(t->srtp_before, rtcp, data, size);
}

static bool take_media(struct tdm_transport *t, const struct tdm_address *from,
                       const struct tdm_address *to, uint8_t *data, size_t size,
                       struct tdm_transport_media *media)
{
    bool rtcp = tdm_rtp_is_rtcp(data, size);
    size_t clear = size;
    enum tdm_err err = TDM_OK;

    if (t->status.proto != TDM_PROTO_RTP) {
        if (!t->srtp || !is_media(data, size)) {
            t->status.refused++;
            return false;
        }
        err = unprotect(t, rtcp, data, &clear);
        if (err != TDM_OK) {
            t->status.denied++;
            return false;
        }
        latch(t, from, to);
    }
    if (t->status.media_at == TDM_NEVER)
        t->status.media_at = t->now;
    *media = (struct tdm_transport_media){.data = data, .size = clear, .rtcp = rtcp};
    return true;
}

/* Bytes of the application, whichever way they came. `from` NULL: ICE vouches for the way. */
static bool take_bytes(struct tdm_transport *t, tdm_time now, const struct tdm_address *from,
                       const struct tdm_address *to, uint8_t *data, size_t size,
                       struct tdm_transport_media *media)
{
    bool clear = t->status.agreed && t->status.proto == TDM_PROTO_RTP;

    if (is_dtls(data, size) && !clear) {
        bool proven = !from || t->keyed;

        /* Without ICE nothing vouches for who sends: before there are keys only the signalled host
         * is heard, from whatever port its gateway gives it. */
        if (!proven && !tdm_address_same_host(from, &t->signalled)) {
            t->status.refused++;
            return false;
        }
        if (!proven) {
            t->dtls_to = *from;
            t->local = *to;
        }
        take_dtls(t, now, data, size);
        return false;
    }
    if (t->status.agreed)
        return take_media(t, from, to, data, size, media);
    t->status.refused++;
    return false;
}

/* A datagram, or a message of a stream link, through the agent. */
static bool take_through_ice(struct tdm_transport *t, tdm_time now, struct tdm_ice_in *in,
                             uint8_t *data, size_t size, struct tdm_transport_media *media)
{
    in->kind = TDM_ICE_DATAGRAM;
    in->data = data;
    in->size = size;
    step_ice(t, now, in);
    bool app = t->ice && t->ice_out.app;
    size_t at = app ? (size_t)(t->ice_out.app_data - data) : 0;
    size_t app_size = t->ice_out.app_size;

    run_ice(t, now);
    return app && take_bytes(t, now, NULL, NULL, data + at, app_size, media);
}

bool tdm_transport_receive(struct tdm_transport *t, tdm_time now, const struct tdm_address *from,
                           const struct tdm_address *to, uint8_t *data, size_t size,
                           struct tdm_transport_media *media)
{
    t->now = now;
    if (t->ice && is_dtls(data, size) && !t->path.valid)
        keep_early(t, from, data, size);
    if (t->ice)
        return take_through_ice(t, now, &(struct tdm_ice_in){.from = *from, .to = *to}, data, size,
                                media);
    return take_bytes(t, now, from, to, data, size, media);
}

/* Whether the state of a link is news for the agent. */
static void note_link(struct tdm_transport *t, tdm_time now, uint8_t index, bool was_up)
{
    struct tdm_server_link *link = &t->links[index];
    struct tdm_ice_in in = {.kind = TDM_ICE_LINK_UP, .link = (uint8_t)(index + 1)};

    if (link->broken) {
        tdm_server_link_close(link);
        in.kind = TDM_ICE_LINK_DOWN;
    } else if (was_up || !link->up) {
        return;
    }
    tdm_transport_ice(t, now, &in);
}

bool tdm_transport_read_links(struct tdm_transport *t, tdm_time now,
                              struct tdm_transport_media *media)
{
    t->now = now;
    for (uint8_t i = 0; i < t->link_count; i++) {
        struct tdm_server_link *link = &t->links[i];
        bool was_up = link->up;
        uint8_t *data;
        size_t size;

        if (link->fd < 0 && !link->broken)
            continue;
        tdm_server_link_run(link);
        note_link(t, now, i, was_up);
        while (t->ice && tdm_server_link_read(link, &data, &size)) {
            struct tdm_ice_in in = {.link = (uint8_t)(i + 1)};

            if (take_through_ice(t, now, &in, data, size, media))
                return true;
        }
        note_link(t, now, i, true);
    }
    return false;
}

/* A copy of one packet, protected and wrapped for the way; false: it cannot leave. */
static bool prepare(struct tdm_transport *t, tdm_time now, bool rtcp,
                    const struct tdm_udp_piece *piece, uint8_t *storage,
                    struct tdm_udp_piece *ready)
{
    uint8_t *packet = storage + TDM_ICE_WRAP_MAX;
    size_t size = piece->size;

    if (size > TDM_TRANSPORT_PACKET - TDM_SRTP_TRAILER - 4)
        return false;
    memcpy(packet, piece->data, size);
    if (t->status.proto != TDM_PROTO_RTP &&
        tdm_srtp_protect(t->srtp, rtcp, packet, &size) != TDM_OK)
        return false;
    if (t->status.ice)
        packet = tdm_ice_wrap(t->ice, now, packet, &size);
    *ready = (struct tdm_udp_piece){packet, size};
    return packet != NULL;
}

static void send_batch(struct tdm_transport *t, const struct tdm_udp_piece *pieces, uint32_t count)
{
    const struct tdm_address *from = t->status.ice ? &t->path.from : &t->local;
    const struct tdm_address *to = t->status.ice ? &t->path.to : &t->status.remote;

    if (!t->status.ice || !t->path.link)
        (void)tdm_udp_send(&t->udp, from, to, pieces, count);
    else
        for (uint32_t i = 0; i < count; i++)
            send_raw(t, t->path.link, from, to, pieces[i].data, pieces[i].size);
}

void tdm_transport_send(struct tdm_transport *t, tdm_time now, bool rtcp,
                        const struct tdm_udp_piece *pieces, uint32_t count)
{
    if (!t->status.ready) {
        t->status.unsent += count;
        return;
    }
    if (t->status.proto == TDM_PROTO_RTP && !t->status.ice) {
        send_batch(t, pieces, count);
        return;
    }
    while (count) {
        uint32_t some = count < TDM_UDP_BATCH ? count : TDM_UDP_BATCH;
        struct tdm_udp_piece ready[TDM_UDP_BATCH];
        uint32_t ready_count = 0;

        for (uint32_t i = 0; i < some; i++)
            if (prepare(t, now, rtcp, &pieces[i], t->packets[i], &ready[ready_count]))
                ready_count++;
        t->status.unsent += some - ready_count;
        send_batch(t, ready, ready_count);
        pieces += some;
        count -= some;
    }
}

enum tdm_err tdm_transport_send_data(struct tdm_transport *t, tdm_time now, const uint8_t *data,
                                     size_t size)
{
    if (!t->dtls || !t->status.ready || tdm_dtls_state(t->dtls) != TDM_DTLS_UP)
        return TDM_E_AGAIN;
    t->now = now;
    return tdm_dtls_send(t->dtls, data, size);
}

void tdm_transport_tick(struct tdm_transport *t, tdm_time now)
{
    t->now = now;
    run_ice(t, now);
    if (t->dtls && now >= t->dtls_wake) {
        tdm_dtls_tick(t->dtls, now);
        after_dtls(t, now);
    }
}

tdm_time tdm_transport_wake_at(const struct tdm_transport *t)
{
    return tdm_time_min(t->ice_wake, t->dtls_wake);
}

void tdm_transport_status_of(struct tdm_transport *t, struct tdm_transport_status *status)
{
    if (t->status.ice && t->ice) {
        tdm_ice_path(t->ice, &t->status.path);
        tdm_ice_stats(t->ice, &t->status.ice_stats);
    }
    *status = t->status;
}
