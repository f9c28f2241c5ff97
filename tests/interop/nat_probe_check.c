/* SPDX-License-Identifier: MIT */
/* Asks a STUN server what the NAT between does: nat_probe_check SERVER-ADDRESS LOCAL-ADDRESS */
#include "engine/core/nat_probe.h"
#include "engine/io/clock.h"
#include "engine/io/udp.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct tdm_nat_probe probe;
static struct tdm_nat_probe_out out;
static struct tdm_udp_batch batch;

static const char *verdict(enum tdm_nat_verdict v)
{
    static const char *const words[] = {"unknown", "no", "yes"};

    return words[v];
}

static void carry(const int fds[2])
{
    for (uint8_t i = 0; i < out.count; i++) {
        struct sockaddr_storage to;
        socklen_t size;
        char host[TDM_ADDRESS_TEXT_MAX];
        struct tdm_udp_piece piece = {out.sends[i].data, out.sends[i].size};

        tdm_address_host_text(&out.sends[i].to, host);
        if (tdm_udp_address(host, out.sends[i].to.port, &to, &size) == TDM_OK)
            (void)tdm_udp_send(fds[out.sends[i].socket], &to, size, &piece, 1);
    }
}

int main(int argc, char **argv)
{
    struct tdm_nat_probe_config config = {.server_count = 1, .seed = (uint64_t)tdm_clock_now()};
    struct tdm_cause cause = {""};
    int fds[2];
    uint16_t port;

    if (argc != 3 || tdm_address_parse(&config.servers[0], argv[1], 3478) != TDM_OK ||
        tdm_udp_open_pair(argv[2], 0, 0, fds, &port, &cause) != TDM_OK)
        return 2;
    for (int i = 0; i < 2; i++)
        (void)tdm_address_parse(&config.local[i], argv[2], (uint16_t)(port + i));
    tdm_nat_probe_init(&probe, &config, tdm_clock_now());
    tdm_nat_probe_step(&probe, tdm_clock_now(), NULL, &out);
    carry(fds);
    while (!probe.facts.done) {
        struct pollfd polled[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};

        (void)poll(polled, 2, (int)tdm_time_max((out.wake_at - tdm_clock_now()) / TDM_MS + 1, 0));
        tdm_time now = tdm_clock_now();

        for (uint8_t s = 0; s < 2; s++) {
            if (tdm_udp_receive(fds[s], now, &batch) != TDM_OK)
                continue;
            for (uint32_t i = 0; i < batch.count; i++) {
                struct tdm_nat_probe_in in = {.socket = s,
                                              .data = batch.bytes[i],
                                              .size = batch.datagrams[i].size};

                in.from = batch.datagrams[i].from;
                tdm_nat_probe_step(&probe, now, &in, &out);
                carry(fds);
            }
        }
        tdm_nat_probe_step(&probe, now, NULL, &out);
        carry(fds);
    }
    char mapped[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(&probe.facts.mapped, mapped);
    printf("udp %s nat %s mapping %s filtering %s hairpin %s big %s as %s\n",
           verdict(probe.facts.udp), verdict(probe.facts.behind),
           tdm_nat_behaviour_name(probe.facts.mapping),
           tdm_nat_behaviour_name(probe.facts.filtering), verdict(probe.facts.hairpin),
           verdict(probe.facts.big), mapped);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return 0;
}
