/* SPDX-License-Identifier: MIT */
/* Asks a STUN server what the NAT between does: nat_probe_check SERVER-ADDRESS LOCAL-ADDRESS */
#include "engine/core/nat_probe.h"
#include "engine/io/clock.h"
#include "engine/io/udp.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct tdm_nat_probe probe;
static struct tdm_nat_probe_out out;
static struct tdm_udp_batch batch;

static const char *verdict(enum tdm_nat_verdict v)
{
    static const char *const words[] = {"unknown", "no", "yes"};

    return words[v];
}

static void carry(const struct tdm_udp udp[2])
{
    static const struct tdm_address any;

    for (uint8_t i = 0; i < out.count; i++)
        (void)tdm_udp_send(&udp[out.sends[i].socket], &any, &out.sends[i].to,
                           &(struct tdm_udp_piece){out.sends[i].data, out.sends[i].size}, 1);
}

int main(int argc, char **argv)
{
    struct tdm_nat_probe_config config = {.server_count = 1, .seed = (uint64_t)tdm_clock_now()};
    struct tdm_cause cause = {""};
    struct tdm_udp udp[2];

    if (argc != 3 || tdm_address_parse(&config.servers[0], argv[1], 3478) != TDM_OK ||
        tdm_udp_open_pair(argv[2], 0, 0, udp, &cause) != TDM_OK)
        return 2;
    for (int i = 0; i < 2; i++)
        (void)tdm_address_parse(&config.local[i], argv[2], udp[i].port);
    tdm_nat_probe_init(&probe, &config, tdm_clock_now());
    tdm_nat_probe_step(&probe, tdm_clock_now(), NULL, &out);
    carry(udp);
    while (!probe.facts.done) {
        struct pollfd polled[2] = {{udp[0].fd, POLLIN, 0}, {udp[1].fd, POLLIN, 0}};

        (void)poll(polled, 2, (int)tdm_time_max((out.wake_at - tdm_clock_now()) / TDM_MS + 1, 0));
        tdm_time now = tdm_clock_now();

        for (uint8_t s = 0; s < 2; s++) {
            if (tdm_udp_receive(&udp[s], now, &batch) != TDM_OK)
                continue;
            for (uint32_t i = 0; i < batch.count; i++) {
                struct tdm_nat_probe_in in = {
                    .socket = s, .data = batch.bytes[i], .size = batch.datagrams[i].size};

                in.from = batch.datagrams[i].from;
                tdm_nat_probe_step(&probe, now, &in, &out);
                carry(udp);
            }
        }
        tdm_nat_probe_step(&probe, now, NULL, &out);
        carry(udp);
    }
    char mapped[TDM_ADDRESS_TEXT_MAX];

    tdm_address_text(&probe.facts.mapped, mapped);
    printf("udp %s nat %s mapping %s filtering %s hairpin %s big %s as %s\n",
           verdict(probe.facts.udp), verdict(probe.facts.behind),
           tdm_nat_behaviour_name(probe.facts.mapping),
           tdm_nat_behaviour_name(probe.facts.filtering), verdict(probe.facts.hairpin),
           verdict(probe.facts.big), mapped);
    tdm_udp_close(&udp[0]);
    tdm_udp_close(&udp[1]);
    return 0;
}
