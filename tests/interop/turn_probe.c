/* SPDX-License-Identifier: MIT */
/*
 * Our TURN client core over real sockets, for another program's server: allocates, binds a channel
 * to an echoing peer of its own, sends by indication and by channel, and gives the relay back.
 * Prints what it learned, one line; exit code 0 when every datagram came back.
 *
 *     turn_probe udp|tcp SERVER PORT USER PASSWORD [PEER_HOST]
 */

#include "engine/core/turn_client.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/udp.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 50
#define LIMIT  (20 * TDM_S)

struct probe {
    struct tdm_turn_client client;
    struct tdm_turn_client_out out;
    struct tdm_udp udp, peer_udp;
    int tcp;
    struct tdm_address server, local, peer;
    bool bound;
    int sent, echoed, heard;
    uint8_t in[65536];
    size_t in_size;
};

static void carry(struct probe *p, const uint8_t *data, size_t size)
{
    static const struct tdm_address any = {.family = TDM_ADDRESS_NONE};

    if (p->tcp >= 0) {
        if (write(p->tcp, data, size) != (ssize_t)size)
            fprintf(stderr, "turn_probe: a message was not taken\n");
    } else {
        (void)tdm_udp_send(&p->udp, &any, &p->server,
                           &(struct tdm_udp_piece){.data = data, .size = size}, 1);
    }
}

static void step(struct probe *p, const struct tdm_turn_client_in *in)
{
    do {
        tdm_turn_client_step(&p->client, tdm_clock_now(), in, &p->out);
        if (p->out.size)
            carry(p, p->out.data, p->out.size);
        if (p->out.told == TDM_TURN_TOLD_BOUND)
            p->bound = true;
        if (p->out.told == TDM_TURN_TOLD_REFUSED)
            fprintf(stderr, "turn_probe: refused with %u\n", p->out.error_code);
        if (p->out.payload && p->out.payload_size == 5 && memcmp(p->out.payload, "hello", 5) == 0 &&
            tdm_address_equal(&p->out.payload_from, &p->peer))
            p->heard++;
        in = NULL;
    } while (p->out.wake_at <= tdm_clock_now());
}

static void message(struct probe *p, const struct tdm_address *from, const uint8_t *data,
                    size_t size)
{
    step(p, &(struct tdm_turn_client_in){
                .kind = TDM_TURN_MESSAGE, .from = *from, .data = data, .size = size});
}

static void read_tcp(struct probe *p)
{
    ssize_t got = read(p->tcp, p->in + p->in_size, sizeof p->in - p->in_size);
    size_t at = 0, frame;

    if (got <= 0) {
        step(p, &(struct tdm_turn_client_in){.kind = TDM_TURN_LINK_DOWN});
        return;
    }
    p->in_size += (size_t)got;
    while (tdm_turn_frame_size(p->in + at, p->in_size - at, &frame) == TDM_OK) {
        message(p, &p->server, p->in + at, frame);
        at += frame;
    }
    memmove(p->in, p->in + at, p->in_size - at);
    p->in_size -= at;
}

static void read_udp(struct probe *p)
{
    static struct tdm_udp_batch batch;

    if (p->udp.fd >= 0 && tdm_udp_receive(&p->udp, tdm_clock_now(), &batch) == TDM_OK)
        for (uint32_t i = 0; i < batch.count; i++)
            message(p, &batch.datagrams[i].from, batch.bytes[i], batch.datagrams[i].size);
}

static void echo(struct probe *p)
{
    static const struct tdm_address any = {.family = TDM_ADDRESS_NONE};
    static struct tdm_udp_batch batch;

    if (tdm_udp_receive(&p->peer_udp, tdm_clock_now(), &batch) != TDM_OK)
        return;
    for (uint32_t i = 0; i < batch.count; i++, p->echoed++)
        (void)tdm_udp_send(
            &p->peer_udp, &any, &batch.datagrams[i].from,
            &(struct tdm_udp_piece){.data = batch.bytes[i], .size = batch.datagrams[i].size}, 1);
}

static void wait_once(struct probe *p, int most_ms)
{
    struct pollfd fds[2] = {{.fd = p->tcp >= 0 ? p->tcp : p->udp.fd, .events = POLLIN},
                            {.fd = p->peer_udp.fd, .events = POLLIN}};
    tdm_time left = tdm_time_max(p->out.wake_at - tdm_clock_now(), 0);
    int timeout = left < most_ms * TDM_MS ? (int)(left / TDM_MS) + 1 : most_ms;

    if (poll(fds, 2, timeout) > 0) {
        if (fds[0].revents && p->tcp >= 0)
            read_tcp(p);
        else if (fds[0].revents)
            read_udp(p);
        if (fds[1].revents)
            echo(p);
    }
    if (p->out.wake_at <= tdm_clock_now())
        step(p, NULL);
}

static void say_hello(struct probe *p)
{
    uint8_t room[TDM_TURN_WRAP_MAX + 8] = {0}, *data = room + TDM_TURN_WRAP_MAX;
    size_t size = 5;

    memcpy(data, "hello", size);
    data = tdm_turn_client_wrap(&p->client, &p->peer, data, &size);
    if (data) {
        carry(p, data, size);
        p->sent++;
    }
}

static bool connect_tcp(struct probe *p)
{
    struct sockaddr_storage to;
    socklen_t size;

    if (!tdm_udp_sockaddr(&p->server, p->server.family, &to, &size))
        return false;
    p->tcp = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return p->tcp >= 0 && connect(p->tcp, (struct sockaddr *)&to, size) == 0;
}

static bool open_all(struct probe *p, char **argv, const char *peer_host)
{
    struct tdm_cause cause = {""};
    struct tdm_address any;
    bool stream = strcmp(argv[1], "tcp") == 0;

    p->tcp = p->udp.fd = p->peer_udp.fd = -1;
    if (tdm_address_parse(&p->server, argv[2], (uint16_t)strtoul(argv[3], NULL, 10)) != TDM_OK ||
        tdm_address_parse(&p->peer, peer_host, 13480) != TDM_OK)
        return false;
    any = (struct tdm_address){.family = p->server.family};
    if (stream ? !connect_tcp(p) : tdm_udp_open(&any, &p->udp, &cause) != TDM_OK)
        return false;
    if (tdm_udp_open(&p->peer, &p->peer_udp, &cause) != TDM_OK)
        return false;
    tdm_turn_client_init(&p->client,
                         &(struct tdm_turn_client_config){.server = p->server,
                                                          .stream = stream,
                                                          .user = argv[4],
                                                          .password = argv[5],
                                                          .want_ipv4 = p->peer.family == TDM_IPV4,
                                                          .want_ipv6 = p->peer.family == TDM_IPV6,
                                                          .seed = tdm_entropy_u64()},
                         tdm_clock_now());
    step(p, stream ? &(struct tdm_turn_client_in){.kind = TDM_TURN_LINK_UP} : NULL);
    step(p, &(struct tdm_turn_client_in){.kind = TDM_TURN_PERMIT, .peer = p->peer});
    return true;
}

static bool is_over(const struct probe *p)
{
    return p->client.state == TDM_TURN_CLOSED || p->client.state == TDM_TURN_FAILED;
}

static bool is_permitted(const struct probe *p)
{
    return p->client.permits[0].granted;
}

int main(int argc, char **argv)
{
    static struct probe p;
    tdm_time end = tdm_clock_now() + LIMIT;
    char relay[TDM_ADDRESS_TEXT_MAX] = "", mapped[TDM_ADDRESS_TEXT_MAX];

    if (argc < 6 || !open_all(&p, argv, argc > 6 ? argv[6] : "127.0.0.1")) {
        fprintf(stderr, "usage: turn_probe udp|tcp SERVER PORT USER PASSWORD [PEER_HOST]\n");
        return 2;
    }
    while (!is_over(&p) && !is_permitted(&p) && tdm_clock_now() < end)
        wait_once(&p, 100);
    for (int i = 0; i < 2 * ROUNDS && !is_over(&p) && tdm_clock_now() < end; i++) {
        if (i == ROUNDS) {
            step(&p, &(struct tdm_turn_client_in){.kind = TDM_TURN_BIND, .peer = p.peer});
            while (!p.bound && !is_over(&p) && tdm_clock_now() < end)
                wait_once(&p, 100);
        }
        say_hello(&p);
        for (int heard = p.heard, k = 0; p.heard == heard && k < 20; k++)
            wait_once(&p, 50);
    }
    const struct tdm_address *relayed = tdm_turn_client_relayed(&p.client, p.peer.family);

    if (relayed)
        tdm_address_text(relayed, relay);
    tdm_address_text(&p.client.mapped, mapped);
    step(&p, &(struct tdm_turn_client_in){.kind = TDM_TURN_CLOSE});
    while (!is_over(&p) && tdm_clock_now() < end)
        wait_once(&p, 100);
    printf("relay %s mapped %s bound %d sent %d echoed %d heard %d closed %d %s\n", relay, mapped,
           p.bound, p.sent, p.echoed, p.heard, p.client.state == TDM_TURN_CLOSED, p.client.why);
    return p.client.state == TDM_TURN_CLOSED && p.bound && p.heard == 2 * ROUNDS ? 0 : 1;
}
