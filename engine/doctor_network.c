/* SPDX-License-Identifier: MIT */
/* The doctor's looks at what lies between here and the servers: NATs, relays, gateways. */
#include "engine/doctor.h"

#include "engine/core/turn_client.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/look.h"
#include "engine/io/lookup.h"
#include "engine/io/server_link.h"
#include "engine/io/udp.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RELAY_WITHIN   (4 * TDM_S)
#define LOOKUP_WITHIN  (3 * TDM_S)
#define GATEWAY_WITHIN (6 * TDM_S)
#define GATEWAY_TURN   (100 * TDM_MS)

static double ms_of(tdm_time t)
{
    return (double)t / TDM_MS;
}

/* Looks the address of a server up. */
static bool resolve(const char *name, uint16_t port, struct tdm_address *address)
{
    struct tdm_address list[TDM_LOOKUP_MAX];
    struct tdm_lookup *lookup;
    struct tdm_cause cause;
    uint32_t count = 0;
    bool found = false;

    if (tdm_address_parse(address, name, port) == TDM_OK)
        return true;
    int wake = tdm_wake_open(&cause);

    if (wake >= 0 && tdm_lookup_start(&lookup, name, wake, &cause) == TDM_OK) {
        (void)tdm_wait_until(tdm_clock_now() + LOOKUP_WITHIN, wake, -1);
        found = tdm_lookup_take(lookup, list, &count) == TDM_OK && count > 0;
        tdm_lookup_free(lookup);
    }
    if (found) {
        *address = list[0];
        address->port = port;
    }
    if (wake >= 0)
        (void)close(wake);
    return found;
}

/* One TURN server being tried over one way: an allocation, then a packet through it to ourselves.
 */
struct relay {
    struct tdm_turn_client client;
    struct tdm_turn_client_out out;
    struct tdm_udp udp[2]; /* The client's, where it is UDP; the one that plays the other side. */
    struct tdm_server_link link;
    bool stream, linked, sent, passed, refused;
    struct tdm_udp_batch batch;
};

static const char knock[] = "tandem doctor";

static void relay_step(struct relay *r, const struct tdm_turn_client_in *in)
{
    static const struct tdm_address any;
    const struct tdm_turn_client_out *out = &r->out;

    tdm_turn_client_step(&r->client, tdm_clock_now(), in, &r->out);
    if (out->size && r->stream)
        tdm_server_link_write(&r->link, out->data, out->size);
    else if (out->size)
        (void)tdm_udp_send(&r->udp[0], &any, &r->client.server,
                           &(struct tdm_udp_piece){out->data, out->size}, 1);
    if (out->payload_size == sizeof knock && memcmp(out->payload, knock, sizeof knock) == 0)
        r->passed = true;
    if (out->told == TDM_TURN_TOLD_REFUSED)
        r->refused = true;
    if (out->told == TDM_TURN_TOLD_PERMITTED && !r->sent) {
        const struct tdm_address *relayed = tdm_turn_client_relayed(&r->client, TDM_IPV4);

        r->sent = true;
        if (relayed)
            (void)tdm_udp_send(&r->udp[1], &any, relayed,
                               &(struct tdm_udp_piece){knock, sizeof knock}, 1);
    }
    if (out->told == TDM_TURN_TOLD_ALLOCATED) {
        struct tdm_turn_client_in permit = {.kind = TDM_TURN_PERMIT, .peer = r->client.mapped};

        relay_step(r, &permit); /* NOLINT(misc-no-recursion): once, it tells ALLOCATED once. */
    }
}

static void relay_receive(struct relay *r, tdm_time now)
{
    struct tdm_turn_client_in in = {.kind = TDM_TURN_MESSAGE, .from = r->client.server};
    uint8_t *data;

    if (r->stream) {
        tdm_server_link_run(&r->link);
        if (r->link.up != r->linked || r->link.broken) {
            in.kind = r->link.broken ? TDM_TURN_LINK_DOWN : TDM_TURN_LINK_UP;
            r->linked = r->link.up;
            relay_step(r, &in);
            in.kind = TDM_TURN_MESSAGE;
        }
        while (!r->link.broken && tdm_server_link_read(&r->link, &data, &in.size)) {
            in.data = data;
            relay_step(r, &in);
        }
        return;
    }
    if (tdm_udp_receive(&r->udp[0], now, &r->batch) != TDM_OK)
        return;
    for (uint32_t i = 0; i < r->batch.count; i++) {
        in.from = r->batch.datagrams[i].from;
        in.data = r->batch.bytes[i];
        in.size = r->batch.datagrams[i].size;
        relay_step(r, &in);
    }
}

static bool relay_open(struct relay *r, const struct tdm_ice_uri *uri, const struct tdm_address *at,
                       struct tdm_cause *cause)
{
    struct tdm_turn_client_config config = {.server = *at,
                                            .stream = uri->server.link != TDM_ICE_OVER_UDP,
                                            .user = uri->server.user,
                                            .password = uri->server.password,
                                            .lifetime_s = 60,
                                            .seed = tdm_entropy_u64()};
    struct tdm_tls *tls = NULL;

    r->stream = config.stream;
    tdm_turn_client_init(&r->client, &config, tdm_clock_now());
    tdm_server_link_init(&r->link);
    if (tdm_udp_open_pair(NULL, 0, 0, r->udp, cause) != TDM_OK)
        return false;
    if (!r->stream)
        return true;
    int fd = tdm_server_link_connect(at);

    if (fd < 0)
        return tdm_fail(cause, TDM_E_GONE, "no way to it") == TDM_OK;
    if (uri->server.link == TDM_ICE_OVER_TLS &&
        tdm_tls_create(&tls, &(struct tdm_tls_config){.fd = fd, .client = true, .host = uri->host},
                       cause) != TDM_OK)
        return false;
    tdm_server_link_open(&r->link, fd, tls);
    return true;
}

/* Until a packet passed, the server said no, or time is over. */
static void relay_run(struct relay *r)
{
    tdm_time deadline = tdm_clock_now() + RELAY_WITHIN;

    relay_step(r, NULL);
    while (!r->passed && !r->refused && r->client.state != TDM_TURN_FAILED &&
           tdm_clock_now() < deadline) {
        int fd = r->stream ? r->link.fd : r->udp[0].fd;
        short events = r->stream ? tdm_server_link_events(&r->link) : POLLIN;
        tdm_time left = tdm_time_min(deadline, r->out.wake_at) - tdm_clock_now();
        struct pollfd polled = {.fd = fd, .events = events};

        (void)poll(&polled, 1, (int)(tdm_time_max(left, 0) / TDM_MS + 1));
        relay_receive(r, tdm_clock_now());
        relay_step(r, NULL);
    }
}

static void relay_close(struct relay *r)
{
    if (r->client.state == TDM_TURN_ALLOCATED)
        relay_step(r, &(struct tdm_turn_client_in){.kind = TDM_TURN_CLOSE});
    tdm_server_link_close(&r->link);
    tdm_udp_close(&r->udp[0]);
    tdm_udp_close(&r->udp[1]);
    free(r);
}

static bool relay_say(struct tandem_finding *f, const struct relay *r, const char *host,
                      enum tdm_doctor_answer *fact, char why[256])
{
    char text[TDM_ADDRESS_TEXT_MAX] = "";
    const struct tdm_address *relayed = tdm_turn_client_relayed(&r->client, TDM_IPV4);

    if (relayed)
        tdm_address_text(relayed, text);
    *fact = r->client.state == TDM_TURN_ALLOCATED ? TDM_DOCTOR_YES : TDM_DOCTOR_NO;
    if (r->client.rtt != TDM_NEVER)
        f->ms = ms_of(r->client.rtt);
    if (r->passed)
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "%s lends %s, and a packet came through it",
                              host, text);
    if (*fact == TDM_DOCTOR_YES)
        return tdm_doctor_say(
            f, r->refused ? TANDEM_WORKS : TANDEM_HINDERED,
            r->refused ? NULL : "let the server's relay ports through its firewall",
            r->refused ? "%s lends %s; it takes no packet from this network's own "
                         "address, so none was sent through"
                       : "%s lends %s, but a packet sent there did not arrive",
            host, text);
    (void)snprintf(why, 256, "%s",
                   r->client.why[0] ? r->client.why : "it does not answer in four seconds");
    return tdm_doctor_say(f, TANDEM_BROKEN,
                          "check name, port, user and password, and whether a firewall lets it "
                          "through",
                          "%s: %.180s", host, why);
}

static bool relay(struct tandem_doctor *d, struct tandem_finding *f, enum tdm_ice_server_link way)
{
    for (uint8_t i = 0; i < d->server_count; i++) {
        const struct tdm_ice_uri *uri = &d->servers[i];
        struct tdm_address at;
        struct tdm_cause cause = {""};
        struct relay *r;
        bool said;

        if (uri->server.kind != TDM_ICE_TURN || uri->server.link != way)
            continue;
        if (!resolve(uri->host, uri->port, &at)) {
            d->facts.relay[way] = TDM_DOCTOR_NO;
            (void)snprintf(d->facts.relay_why[way], 256, "there is no host of that name");
            return tdm_doctor_say(f, TANDEM_BROKEN, "check the name", "no host is called %s",
                                  uri->host);
        }
        r = calloc(1, sizeof *r);
        if (!r)
            return false;
        if (relay_open(r, uri, &at, &cause)) {
            relay_run(r);
            said = relay_say(f, r, uri->host, &d->facts.relay[way], d->facts.relay_why[way]);
        } else {
            d->facts.relay[way] = TDM_DOCTOR_NO;
            said = tdm_doctor_say(f, TANDEM_BROKEN, "check the server's name and port", "%s: %s",
                                  uri->host, cause.text);
        }
        relay_close(r);
        return said;
    }
    return false;
}

bool tdm_doctor_relay_udp(struct tandem_doctor *d, struct tandem_finding *f)
{
    return relay(d, f, TDM_ICE_OVER_UDP);
}

bool tdm_doctor_relay_tcp(struct tandem_doctor *d, struct tandem_finding *f)
{
    return relay(d, f, TDM_ICE_OVER_TCP);
}

bool tdm_doctor_relay_tls(struct tandem_doctor *d, struct tandem_finding *f)
{
    return relay(d, f, TDM_ICE_OVER_TLS);
}

/* The probe of the NAT on two sockets of its own. */
struct probing {
    struct tdm_nat_probe probe;
    struct tdm_nat_probe_out out;
    struct tdm_udp udp[2];
    struct tdm_udp_batch batch;
};

static void probe_step(struct probing *p, const struct tdm_nat_probe_in *in)
{
    static const struct tdm_address any;

    tdm_nat_probe_step(&p->probe, tdm_clock_now(), in, &p->out);
    for (uint8_t i = 0; i < p->out.count; i++)
        (void)tdm_udp_send(&p->udp[p->out.sends[i].socket], &any, &p->out.sends[i].to,
                           &(struct tdm_udp_piece){p->out.sends[i].data, p->out.sends[i].size}, 1);
}

static void probe_run(struct probing *p)
{
    probe_step(p, NULL);
    while (!p->probe.facts.done) {
        struct pollfd polled[2] = {{p->udp[0].fd, POLLIN, 0}, {p->udp[1].fd, POLLIN, 0}};
        tdm_time left = p->out.wake_at - tdm_clock_now();

        (void)poll(polled, 2, (int)(tdm_time_max(left, 0) / TDM_MS + 1));
        for (uint8_t s = 0; s < 2; s++) {
            if (tdm_udp_receive(&p->udp[s], tdm_clock_now(), &p->batch) != TDM_OK)
                continue;
            for (uint32_t i = 0; i < p->batch.count; i++)
                probe_step(p, &(struct tdm_nat_probe_in){.socket = s,
                                                         .from = p->batch.datagrams[i].from,
                                                         .data = p->batch.bytes[i],
                                                         .size = p->batch.datagrams[i].size});
        }
        probe_step(p, NULL);
    }
}

static bool nat_say(struct tandem_finding *f, const struct tdm_nat_facts *nat)
{
    char mapped[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(&nat->mapped, mapped);
    if (nat->udp != TDM_NAT_YES)
        return tdm_doctor_say(f, TANDEM_BROKEN,
                              "allow UDP in the firewall, or use a relay over TCP or TLS "
                              "(turn:...?transport=tcp, turns:...)",
                              "UDP is blocked, or the STUN server is down: it does not answer");
    f->ms = ms_of(nat->rtt);
    if (nat->behind == TDM_NAT_NO)
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "no NAT: the outside sees %s", mapped);
    return tdm_doctor_say(
        f, nat->mapping == TDM_NAT_INDEPENDENT ? TANDEM_WORKS : TANDEM_HINDERED,
        nat->mapping == TDM_NAT_INDEPENDENT || nat->mapping == TDM_NAT_UNKNOWN
            ? NULL
            : "switch UPnP or NAT-PMP on in the gateway, or name a relay (--turn): two such NATs "
              "find no direct path",
        "a NAT shows us as %s; mapping %s, filtering %s, hairpin %s", mapped,
        tdm_nat_behaviour_name(nat->mapping), tdm_nat_behaviour_name(nat->filtering),
        nat->hairpin == TDM_NAT_YES  ? "yes"
        : nat->hairpin == TDM_NAT_NO ? "no"
                                     : "unknown");
}

bool tdm_doctor_nat(struct tandem_doctor *d, struct tandem_finding *f)
{
    struct tdm_nat_probe_config config = {.seed = tdm_entropy_u64()};
    struct tdm_cause cause = {""};
    struct probing *p;

    for (uint8_t i = 0; i < d->server_count; i++) {
        struct tdm_address *at = &config.servers[config.server_count];

        if (d->servers[i].server.link != TDM_ICE_OVER_UDP)
            continue;
        if (!resolve(d->servers[i].host, d->servers[i].port, at))
            return tdm_doctor_say(f, TANDEM_BROKEN, "check the name", "no host is called %s",
                                  d->servers[i].host);
        config.server_count = (uint8_t)(config.server_count + (at->family == TDM_IPV4));
    }
    if (!config.server_count || !(p = calloc(1, sizeof *p)))
        return tdm_doctor_say(f, TANDEM_UNTESTED,
                              "name a STUN or TURN server (--stun HOST, or one tandem serve "
                              "elsewhere)",
                              "not asked what NAT there is: no server over UDP was named");
    d->facts.stun = TDM_DOCTOR_YES;
    if (tdm_udp_open_pair(NULL, 0, 0, p->udp, &cause) != TDM_OK) {
        free(p);
        return tdm_doctor_say(f, TANDEM_BROKEN, NULL, "%s", cause.text);
    }
    for (int i = 0; i < 2; i++) {
        (void)tdm_look_source(&config.servers[0], &config.local[i]);
        config.local[i].port = p->udp[i].port;
    }
    tdm_nat_probe_init(&p->probe, &config, tdm_clock_now());
    probe_run(p);
    d->facts.nat = p->probe.facts;
    tdm_udp_close(&p->udp[0]);
    tdm_udp_close(&p->udp[1]);
    free(p);
    return nat_say(f, &d->facts.nat);
}

bool tdm_doctor_packets(struct tandem_doctor *d, struct tandem_finding *f)
{
    const struct tdm_nat_facts *nat = &d->facts.nat;

    if (nat->udp != TDM_NAT_YES)
        return false;
    uint32_t mtu = tdm_look_mtu(&nat->server);

    if (nat->medium != TDM_NAT_YES)
        return tdm_doctor_say(f, TANDEM_BROKEN,
                              "raise the MTU of the VPN or tunnel on the way to 1280 at least",
                              "UDP packets of 1200 bytes are lost on the way, smaller ones pass");
    if (nat->big == TDM_NAT_YES && mtu >= 1500)
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "packets of 1500 bytes pass");
    return tdm_doctor_say(f, TANDEM_WORKS, NULL,
                          "packets of 1500 bytes do not pass whole (MTU here %u); ours are smaller",
                          mtu);
}

static bool gateway(struct tandem_doctor *d, struct tandem_finding *f, enum tdm_port_map_kind kind)
{
    tdm_time deadline = tdm_clock_now() + GATEWAY_WITHIN;
    struct tdm_port_map_report report;
    struct tdm_address udp, tcp;
    char text[TDM_ADDRESS_TEXT_MAX];

    if (!d->map)
        return false;
    tdm_port_map_report(d->map, kind, &report);
    while (tdm_clock_now() < deadline &&
           (!report.looked || (report.found && report.mappings < 2))) {
        (void)tdm_wait_until(tdm_clock_now() + GATEWAY_TURN, -1, -1);
        tdm_port_map_report(d->map, kind, &report);
    }
    if (report.mappings && tdm_port_map_of(d->map, d->test_port, false, &udp)) {
        d->facts.mapped = TDM_DOCTOR_YES;
        d->facts.mapped_udp = udp;
        if (tdm_port_map_of(d->map, d->test_port, true, &tcp))
            d->facts.mapped_tcp = tcp;
        tdm_address_text(&udp, text);
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "%s; it opened %s for us", report.facts.words,
                              text);
    }
    if (d->facts.mapped == TDM_DOCTOR_UNASKED)
        d->facts.mapped = TDM_DOCTOR_NO;
    return tdm_doctor_say(
        f, report.found ? TANDEM_HINDERED : TANDEM_UNTESTED,
        d->facts.nat.behind == TDM_NAT_YES ? "switch UPnP or NAT-PMP on in the gateway" : NULL,
        "%s", report.looked ? report.facts.words : "still being looked for");
}

bool tdm_doctor_natpmp(struct tandem_doctor *d, struct tandem_finding *f)
{
    return gateway(d, f, TDM_PORT_MAP_NATPMP);
}

bool tdm_doctor_upnp(struct tandem_doctor *d, struct tandem_finding *f)
{
    return gateway(d, f, TDM_PORT_MAP_UPNP);
}
