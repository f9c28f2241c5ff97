/* SPDX-License-Identifier: MIT */
/*
 * Bytes become messages of three clients, data of peers, a driver that does not always get a port,
 * and steps of time (backwards, too). A message may be raw, or a request that is signed rightly or
 * wrongly, so that every state is reached. Checked: output is bounded and parses; relays are opened
 * and closed once each; nothing goes to loopback; time alone ends every allocation.
 */

#include "tests/unit/core/turn_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 3

struct run {
    struct turn_rig rig;
    struct rig_client clients[CLIENTS];
    tdm_time latest; /* That the clock has shown. */
};

static void check_out(const struct turn_rig *rig)
{
    const struct tdm_turn_server_out *out = &rig->out;

    assert(out->client.size <= sizeof out->client.data && out->close_count <= 2);
    assert(out->peer.relay == TDM_TURN_SERVER_NO_RELAY ||
           rig->relays[out->peer.relay].family != TDM_ADDRESS_NONE);
    assert(out->peer.relay == TDM_TURN_SERVER_NO_RELAY || !tdm_address_is_loopback(&out->peer.to));
}

static struct tdm_address peer_of(uint8_t byte)
{
    static const char *const hosts[] = {"203.0.113.9", "203.0.113.10",  "198.51.100.1",
                                        "10.0.0.1",    "2001:db8::9",   "::1",
                                        "127.0.0.1",   "64:ff9b::a00:1"};

    return rig_address(hosts[byte & 7], (uint16_t)(4000 + (byte >> 3 & 3)));
}

static void write_attributes(struct rig_request *r, struct tdm_reader *bytes)
{
    uint16_t what = tdm_read_u16(bytes);
    struct tdm_address peer = peer_of(tdm_read_u8(bytes));

    if (what & 1)
        tdm_stun_write_u8(&r->w, TDM_STUN_REQUESTED_TRANSPORT, what & 2 ? 6 : 17);
    if (what & 4)
        tdm_stun_write_u32(&r->w, TDM_STUN_LIFETIME, tdm_read_u16(bytes) & 0x8fff);
    if (what & 8)
        tdm_stun_write_address(&r->w, TDM_STUN_XOR_PEER_ADDRESS, &peer);
    if (what & 16)
        tdm_stun_write_u16(&r->w, TDM_STUN_CHANNEL_NUMBER, (uint16_t)(0x3fff + (what >> 12)));
    if (what & 32)
        tdm_stun_write_family(&r->w, TDM_STUN_REQUESTED_FAMILY, what & 64 ? TDM_IPV6 : TDM_IPV4);
    if (what & 128)
        tdm_stun_write_family(&r->w, TDM_STUN_ADDITIONAL_FAMILY, TDM_IPV6);
    if (what & 256)
        tdm_stun_write_even_port(&r->w, what & 512);
    if (what & 1024)
        tdm_stun_write_text(&r->w, TDM_STUN_DATA_ATTRIBUTE, "data");
    if (what & 2048)
        tdm_stun_write_fingerprint(&r->w);
}

static void request(struct run *run, struct tdm_reader *bytes)
{
    static const uint16_t methods[] = {
        TDM_STUN_BINDING,      TDM_STUN_ALLOCATE,          TDM_STUN_ALLOCATE, TDM_STUN_REFRESH,
        TDM_STUN_CHANNEL_BIND, TDM_STUN_CREATE_PERMISSION, TDM_STUN_CONNECT,  TDM_STUN_SEND};
    uint8_t op = tdm_read_u8(bytes);
    struct rig_client *c = &run->clients[(op >> 3) % CLIENTS];
    struct rig_request r;
    struct tdm_stun answer;

    rig_begin(&run->rig, &r, methods[op & 7]);
    write_attributes(&r, bytes);
    if (!tdm_stun_end(&r.w))
        return;
    (void)rig_send(&run->rig, &r, c, &answer);
    check_out(&run->rig);
}

static void raw(struct run *run, const struct rig_client *c, struct tdm_reader *bytes, bool all)
{
    size_t size = all ? tdm_reader_left(bytes) : tdm_read_u8(bytes) & 31;
    const uint8_t *data = tdm_read_bytes(bytes, size);

    if (data)
        rig_message(&run->rig, c, data, size);
    check_out(&run->rig);
}

static void one(struct run *run, struct tdm_reader *bytes)
{
    uint8_t op = tdm_read_u8(bytes);
    const struct rig_client *c = &run->clients[op % CLIENTS];

    if (op < 110) {
        request(run, bytes);
    } else if (op < 150) {
        raw(run, c, bytes, op > 145);
    } else if (op < 170) {
        struct tdm_address peer = peer_of(tdm_read_u8(bytes));

        (void)rig_peer_sends(&run->rig, op % 16, &peer, "hello");
        check_out(&run->rig);
    } else if (op < 180) {
        struct tdm_address peer = peer_of(tdm_read_u8(bytes));

        (void)rig_indicate(&run->rig, c, &peer, "hello");
        check_out(&run->rig);
    } else if (op < 185) {
        run->rig.refuse_ports = op & 1;
    } else if (op < 190) {
        rig_step(&run->rig,
                 &(struct tdm_turn_server_in){.kind = TDM_TURN_SERVER_LINK_DOWN, .link = op & 3});
    } else if (op < 195) {
        rig_step(&run->rig, &(struct tdm_turn_server_in){.kind = TDM_TURN_SERVER_WALL,
                                                         .wall_s = RIG_WALL + tdm_read_u16(bytes)});
    } else if (op < 205) {
        run->latest = tdm_time_max(run->latest, run->rig.now);
        run->rig.now -= (tdm_time)(op & 7) * TDM_S;
        rig_step(&run->rig, NULL);
    } else {
        run->rig.now += (tdm_time)(op & 31) * (op & 32 ? 30 * TDM_S : 100 * TDM_MS);
        rig_step(&run->rig, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader bytes = tdm_reader_of(data, size);
    struct tdm_turn_server_config config = rig_config();
    struct run *run = calloc(1, sizeof *run);

    assert(run);
    config.allocations = 8;
    config.user_allocations = 2;
    config.allocation_bytes_per_s = 500;
    config.port_min = 50000;
    config.port_max = 50003;
    rig_start(&run->rig, &config);
    run->clients[0] = rig_client("203.0.113.77", 1, "ann", "apple");
    run->clients[1] = rig_client("203.0.113.78", 2, "bob", "berry");
    run->clients[1].link = 2;
    run->clients[2] = rig_client("203.0.113.77", 3, "ann", "wrong");
    while (tdm_reader_left(&bytes))
        one(run, &bytes);
    run->rig.now = tdm_time_max(run->latest, run->rig.now);
    rig_wait(&run->rig, 4000 * TDM_S);
    assert(run->rig.open_count == 0 && run->rig.opens == run->rig.closes);
    assert(tdm_turn_server_stats_of(run->rig.server)->allocations == 0);
    assert(run->rig.out.wake_at == TDM_NEVER);
    rig_stop(&run->rig);
    free(run);
    return 0;
}
