/* SPDX-License-Identifier: MIT */
/*
 * Bytes become what happens to two ICE agents that talk to each other and to a TURN server which
 * says what it likes: datagrams delivered, dropped, repeated, bent and invented, descriptions,
 * candidates, restarts, addresses that come and go, steps of time. Checked: what sim/ice_watch.h
 * checks; bytes handed over lie in the input; a wrapped datagram stays in its room.
 */

#include "engine/base/bytes.h"
#include "engine/wire/stun.h"
#include "sim/ice_watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE 16

struct message {
    uint8_t link;
    struct tdm_address from, to;
    uint16_t size;
    uint8_t data[TDM_ICE_BYTES_MAX];
};

struct agent {
    void *storage;
    struct tdm_ice *ice;
    struct tdm_sim_ice_watch watch;
    struct tdm_address address;
    char ufrag[33], pwd[65];
    tdm_time wake_at;
    uint32_t sent;
    struct message queue[QUEUE]; /* What it sent last. */
};

struct world {
    struct agent agents[2];
    tdm_time now;
    uint64_t restarts;
};

static struct tdm_address address_of(uint8_t host)
{
    struct tdm_address a = {.family = TDM_IPV4, .bytes = {192, 0, 2, host & 15}, .port = 5000};

    if (host & 16) {
        a.family = TDM_IPV6;
        a.bytes[15] = host & 15;
    }
    return a;
}

static void step(struct world *w, struct agent *a, const struct tdm_ice_in *in)
{
    static struct tdm_ice_out out;
    struct tdm_ice_path path;
    struct tdm_ice_stats stats;

    tdm_ice_step(a->ice, w->now, in, &out);
    tdm_ice_path(a->ice, &path);
    tdm_sim_ice_watch_step(&a->watch, w->now, in, &out, path.valid);
    if (a->watch.violations) {
        fprintf(stderr, "%s\n", a->watch.words);
        abort();
    }
    a->wake_at = out.wake_at;
    for (unsigned i = 0; i < out.send_count; i++) {
        struct message *m = &a->queue[a->sent++ % QUEUE];

        *m = (struct message){.link = out.sends[i].link,
                              .from = out.sends[i].from,
                              .to = out.sends[i].to,
                              .size = out.sends[i].size};
        if (m->from.family == TDM_ADDRESS_NONE)
            m->from = a->address;
        memcpy(m->data, out.sends[i].data, m->size);
    }
    if (out.app)
        assert(in && in->data && out.app_data >= in->data &&
               out.app_data + out.app_size <= in->data + in->size);
    tdm_ice_stats(a->ice, &stats);
    assert(!path.valid || (path.to.port && stats.pairs));
}

static void deliver(struct world *w, struct tdm_reader *r, struct agent *from, struct agent *to,
                    bool bend)
{
    const struct message *m = &from->queue[tdm_read_u8(r) % QUEUE];
    uint8_t copy[TDM_ICE_BYTES_MAX];
    struct tdm_ice_in in = {.kind = TDM_ICE_DATAGRAM,
                            .link = m->link,
                            .from = m->from,
                            .to = m->to,
                            .data = copy,
                            .size = m->size};

    if (!m->size)
        return;
    memcpy(copy, m->data, m->size);
    if (bend) {
        copy[tdm_read_u8(r) % m->size] ^= tdm_read_u8(r);
        in.from = address_of(tdm_read_u8(r));
    }
    step(w, to, &in);
}

/* A server's or stranger's message, well formed, with what the bytes say in it. */
static void invent(struct world *w, struct tdm_reader *r, struct agent *to)
{
    static const uint16_t methods[] = {TDM_STUN_BINDING,      TDM_STUN_ALLOCATE,
                                       TDM_STUN_REFRESH,      TDM_STUN_CREATE_PERMISSION,
                                       TDM_STUN_CHANNEL_BIND, TDM_STUN_DATA};
    const struct message *asked = &to->queue[tdm_read_u8(r) % QUEUE];
    uint8_t data[512], flags = tdm_read_u8(r);
    struct tdm_address about = address_of(tdm_read_u8(r));
    struct tdm_writer m = tdm_stun_begin(data, sizeof data, (enum tdm_stun_class)(flags & 3),
                                         methods[tdm_read_u8(r) % 6], asked->data + 8);

    tdm_stun_write_address(&m, TDM_STUN_XOR_MAPPED_ADDRESS, &about);
    if (flags & 4)
        tdm_stun_write_address(&m, TDM_STUN_XOR_RELAYED_ADDRESS, &about);
    if (flags & 8)
        tdm_stun_write_error(&m, TDM_STUN_UNAUTHENTICATED, NULL);
    if (flags & 16) {
        tdm_stun_write_text(&m, TDM_STUN_REALM, "r");
        tdm_stun_write_text(&m, TDM_STUN_NONCE, "n");
    }
    if (flags & 32) {
        tdm_stun_write_address(&m, TDM_STUN_XOR_PEER_ADDRESS, &about);
        tdm_stun_write_bytes(&m, TDM_STUN_DATA_ATTRIBUTE, asked->data, asked->size & 127);
    }
    if (flags & 64)
        tdm_stun_write_integrity(&m, to->pwd, strlen(to->pwd));
    if (flags & 128)
        tdm_stun_write_fingerprint(&m);
    struct tdm_ice_in in = {.kind = TDM_ICE_DATAGRAM,
                            .link = asked->link,
                            .from = asked->to,
                            .to = asked->from,
                            .data = data,
                            .size = tdm_stun_end(&m)};

    step(w, to, &in);
}

static void credentials(struct world *w, struct agent *a)
{
    w->restarts++;
    tdm_ice_credentials(w->restarts, w->restarts * 77, ~w->restarts, a->ufrag, a->pwd);
}

static void describe(struct world *w, struct agent *a, const struct agent *other)
{
    struct tdm_ice_in in = {.kind = TDM_ICE_REMOTE, .ufrag = other->ufrag, .pwd = other->pwd};

    step(w, a, &in);
}

static void wrap(struct world *w, struct agent *a, uint16_t size)
{
    uint8_t room[TDM_ICE_WRAP_MAX + 1200 + 3];
    size_t wrapped = size % 1200;
    const uint8_t *start = tdm_ice_wrap(a->ice, w->now, room + TDM_ICE_WRAP_MAX, &wrapped);

    assert(!start || (start >= room && start + wrapped <= room + sizeof room));
    assert(!start || !a->watch.lost);
}

static void input(struct world *w, struct tdm_reader *r, struct agent *a, struct agent *other)
{
    static const enum tdm_ice_input plain[] = {
        TDM_ICE_ADDRESS, TDM_ICE_ADDRESS_GONE, TDM_ICE_MAPPED,    TDM_ICE_ADDRESSES_END,
        TDM_ICE_LINK_UP, TDM_ICE_LINK_DOWN,    TDM_ICE_CANDIDATE, TDM_ICE_CANDIDATES_END};
    struct tdm_ice_in in = {.kind = plain[tdm_read_u8(r) % 8], .link = tdm_read_u8(r) % 4};

    in.address = address_of(tdm_read_u8(r));
    in.base = a->address;
    in.candidate.type = (enum tdm_ice_type)(in.link & 3);
    in.candidate.address =
        in.kind == TDM_ICE_CANDIDATE && in.link == 0 ? other->address : in.address;
    in.candidate.priority = tdm_read_u32(r);
    step(w, a, &in);
}

static void act(struct world *w, struct tdm_reader *r)
{
    uint8_t op = tdm_read_u8(r);
    struct agent *a = &w->agents[op & 1], *other = &w->agents[!(op & 1)];
    struct tdm_ice_in restart = {.kind = TDM_ICE_RESTART, .ufrag = a->ufrag, .pwd = a->pwd};

    switch (op >> 1 & 15) {
    case 0:
    case 1:
        input(w, r, a, other);
        break;
    case 2:
        describe(w, a, other);
        break;
    case 3:
        credentials(w, a);
        step(w, a, &restart);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        deliver(w, r, other, a, false);
        break;
    case 8:
        deliver(w, r, other, a, true);
        break;
    case 9:
        invent(w, r, a);
        break;
    case 10:
        wrap(w, a, tdm_read_u16(r));
        break;
    case 11:
        w->now += (tdm_time)tdm_read_u16(r) * TDM_MS;
        break;
    default: /* To the next thing that either wants to do. */
        w->now = tdm_time_max(w->now, tdm_time_min(a->wake_at, w->now + (op >> 5) * 50 * TDM_MS));
        step(w, a, NULL);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_ice_config config = {.seed = 1};
    uint8_t options = tdm_read_u8(&r);

    w.now = 1000 * TDM_S;
    w.restarts = 0;
    config.relay_only = (options & 3) == 3;
    config.server_count = options >> 2 & 3;
    for (uint8_t i = 0; i < config.server_count; i++)
        config.servers[i] = (struct tdm_ice_server){
            .kind = i ? TDM_ICE_TURN : TDM_ICE_STUN,
            .link = i == 2 ? TDM_ICE_OVER_TCP : TDM_ICE_OVER_UDP,
            .address = address_of(15),
            .user = "u",
            .password = "p",
        };
    for (unsigned i = 0; i < 2; i++) {
        struct agent *a = &w.agents[i];
        void *storage = a->storage ? a->storage : malloc(tdm_ice_bytes());

        memset(a, 0, sizeof *a);
        a->storage = storage;
        assert(storage);
        tdm_sim_ice_watch_init(&a->watch);
        a->address = address_of((uint8_t)(1 + i));
        credentials(&w, a);
        memcpy(config.ufrag, a->ufrag, sizeof config.ufrag);
        memcpy(config.pwd, a->pwd, sizeof config.pwd);
        config.controlling = options >> (4 + i) & 1;
        a->ice = tdm_ice_init(storage, &config, w.now);
        step(&w, a, &(struct tdm_ice_in){.kind = TDM_ICE_ADDRESS, .address = a->address});
    }
    while (tdm_reader_left(&r))
        act(&w, &r);
    return 0;
}
