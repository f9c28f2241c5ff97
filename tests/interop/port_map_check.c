/* SPDX-License-Identifier: MIT */
/* Keeps ports mapped at the gateways of this network and says what they answer, one line each:
 *     port_map_check SECONDS udp:PORT|tcp:PORT...
 * Ends, and gives the ports back, when the time is over or a line comes on standard input. */
#include "engine/io/clock.h"
#include "engine/io/port_map.h"
#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print(struct tdm_port_map *map, char *const ports[], int count)
{
    static const char *const names[] = {"natpmp", "upnp"};

    for (int kind = 0; kind < TDM_PORT_MAP_KINDS; kind++) {
        struct tdm_port_map_report report;

        tdm_port_map_report(map, (enum tdm_port_map_kind)kind, &report);
        if (report.looked)
            printf("%s found %d mappings %u: %s\n", names[kind], report.found, report.mappings,
                   report.facts.words);
    }
    for (int i = 0; i < count; i++) {
        struct tdm_address external;
        char text[TDM_ADDRESS_TEXT_MAX] = "-";
        bool tcp = strncmp(ports[i], "tcp:", 4) == 0;

        if (tdm_port_map_of(map, (uint16_t)strtoul(ports[i] + 4, NULL, 10), tcp, &external))
            tdm_address_text(&external, text);
        printf("%s is %s\n", ports[i], text);
    }
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct tdm_cause cause = {""};
    struct tdm_port_map *map;
    int wake = tdm_wake_open(&cause);

    if (argc < 3 || wake < 0)
        return 2;
    tdm_time end = tdm_clock_now() + strtol(argv[1], NULL, 10) * TDM_S;

    if (tdm_port_map_create(&map, &(struct tdm_port_map_config){.changed_wake = wake, .seed = 1},
                            &cause) != TDM_OK) {
        puts(cause.text);
        return 1;
    }
    for (int i = 2; i < argc; i++)
        tdm_port_map_want(map, (uint16_t)strtoul(argv[i] + 4, NULL, 10),
                          strncmp(argv[i], "tcp:", 4) == 0);
    for (;;) {
        enum tdm_wait why = tdm_wait_until(end, wake, STDIN_FILENO);

        if (why != TDM_WAIT_WAKE)
            break;
        tdm_wake_clear(wake);
        print(map, argv + 2, argc - 2);
    }
    tdm_time before = tdm_clock_now();

    tdm_port_map_destroy(map, 4 * TDM_S);
    printf("ended in %lld ms\n", (long long)((tdm_clock_now() - before) / TDM_MS));
    (void)close(wake);
    return 0;
}
