/* SPDX-License-Identifier: MIT */
#include "engine/reach.h"

#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/srtp.h"
#include "engine/io/wake.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LOOK_EVERY     (5 * TDM_MS)
#define GATEWAY_WITHIN (1 * TDM_S)

/* The SRTP library tests itself at its first use, for 40 ms: not in the first call. */
static enum tdm_err warm_up(struct tdm_cause *cause)
{
    const struct tdm_srtp_keys keys = {.profile = TDM_SRTP_AEAD_AES_128_GCM, .size = 28};
    struct tdm_srtp *srtp;
    enum tdm_err err = tdm_srtp_create(&srtp, &keys, cause);

    if (err == TDM_OK)
        tdm_srtp_destroy(srtp);
    return err;
}

enum tdm_err tdm_reach_open(struct tdm_reach *reach, const struct tandem_config *config,
                            int control_wake, struct tdm_cause *cause)
{
    enum tdm_err err;

    memset(reach, 0, sizeof *reach);
    reach->plain = config->allow_plain || config->only_plain;
    reach->only_plain = config->only_plain;
    reach->sdes = config->allow_sdes;
    reach->relay_only = config->relay_only;
    if (config->known_path)
        (void)snprintf(reach->known_path, sizeof reach->known_path, "%s", config->known_path);
    err = tdm_ice_uris_parse(config->ice_servers, reach->servers, &reach->server_count, cause);
    if (err != TDM_OK)
        return err;
    bool relays = false;

    for (uint8_t i = 0; i < reach->server_count; i++)
        relays |= reach->servers[i].server.kind == TDM_ICE_TURN;
    if (reach->relay_only && !relays)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "relays only, but no relay is named: add turn:USER:PASSWORD@HOST");
    for (uint8_t i = 0; i < reach->server_count && err == TDM_OK; i++)
        if (reach->servers[i].server.address.family == TDM_ADDRESS_NONE)
            err = tdm_lookup_start(&reach->lookups[i], reach->servers[i].host, control_wake, cause);
    if (err == TDM_OK && config->map_ports)
        err = tdm_port_map_create(
            &reach->ports,
            &(struct tdm_port_map_config){.changed_wake = control_wake, .seed = tdm_entropy_u64()},
            cause);
    if (err == TDM_OK)
        err = warm_up(cause);
    return err == TDM_OK ? tdm_identity_load(config->identity_path, &reach->identity, cause) : err;
}

void tdm_reach_close(struct tdm_reach *reach)
{
    for (uint8_t i = 0; i < reach->server_count; i++)
        tdm_lookup_free(reach->lookups[i]);
    if (reach->ports)
        tdm_port_map_destroy(reach->ports, GATEWAY_WITHIN);
    tdm_identity_free(reach->identity);
    memset(reach, 0, sizeof *reach);
}

/* @return whether one still runs. */
static bool take_lookups(struct tdm_reach *reach)
{
    bool running = false;

    for (uint8_t i = 0; i < reach->server_count; i++) {
        struct tdm_address list[TDM_LOOKUP_MAX];
        uint32_t count = 0;

        if (!reach->lookups[i])
            continue;
        enum tdm_err err = tdm_lookup_take(reach->lookups[i], list, &count);

        running |= err == TDM_E_AGAIN;
        if (err == TDM_E_AGAIN)
            continue;
        if (err == TDM_OK) {
            reach->servers[i].server.address = list[0];
            reach->servers[i].server.address.port = reach->servers[i].port;
        }
        tdm_lookup_free(reach->lookups[i]);
        reach->lookups[i] = NULL;
    }
    return running;
}

uint8_t tdm_reach_servers(struct tdm_reach *reach, tdm_time deadline,
                          struct tdm_ice_server servers[TDM_ICE_SERVERS_MAX])
{
    uint8_t count = 0;

    while (take_lookups(reach) && tdm_clock_now() < deadline) /* Its end wakes more than us. */
        (void)tdm_wait_until(tdm_clock_now() + LOOK_EVERY, -1, -1);
    for (uint8_t i = 0; i < reach->server_count; i++)
        if (reach->servers[i].server.address.family != TDM_ADDRESS_NONE)
            servers[count++] = reach->servers[i].server;
    return count;
}

void tdm_reach_contact(const char *uri, char *name, size_t capacity)
{
    const char *start = strncasecmp(uri, "sips:", 5) == 0  ? uri + 5
                        : strncasecmp(uri, "sip:", 4) == 0 ? uri + 4
                                                           : uri;
    const char *at = strchr(start, '@');
    const char *host = at ? at + 1 : start;
    size_t size = (size_t)(host - start);

    size += *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":;?>");
    (void)snprintf(name, capacity, "%.*s", (int)size, start);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}
