/* SPDX-License-Identifier: MIT */
#include "engine/io/clock.h"
#include "engine/io/gateway.h"

#include <natpmp.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_WITHIN (1750 * TDM_MS) /* Three tries (RFC 6886 section 3.1) of the nine. */

struct tdm_gateway {
    natpmp_t natpmp;
};

/* Waits for the answer to the request that is out; the library repeats it. */
static int await(natpmp_t *p, int wake_fd, natpmpresp_t *response)
{
    tdm_time deadline = tdm_clock_now() + ANSWER_WITHIN;
    int code = NATPMP_TRYAGAIN;

    while (code == NATPMP_TRYAGAIN) {
        struct pollfd fds[2] = {{.fd = p->s, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
        struct timeval next;
        tdm_time left = deadline - tdm_clock_now();

        if (left <= 0 || getnatpmprequesttimeout(p, &next) != 0)
            return NATPMP_ERR_NOGATEWAYSUPPORT;
        left = tdm_time_min(left, next.tv_sec * TDM_S + next.tv_usec * TDM_US);
        (void)poll(fds, 2, (int)tdm_time_max(left / TDM_MS + 1, 0));
        if (fds[1].revents)
            return NATPMP_ERR_NOGATEWAYSUPPORT;
        code = readnatpmpresponseorretry(p, response);
    }
    return code;
}

static const char *words_of(int code)
{
    switch (code) {
    case NATPMP_ERR_CANNOTGETGATEWAY:
        return "no default route, so no gateway to ask for NAT-PMP";
    case NATPMP_ERR_UNSUPPORTEDVERSION:
        return "the gateway speaks only PCP, not NAT-PMP";
    case NATPMP_ERR_NOTAUTHORIZED:
        return "the gateway refuses port mappings by NAT-PMP: switch them on in it";
    case NATPMP_ERR_NETWORKFAILURE:
        return "the gateway has no address from its provider yet (NAT-PMP)";
    case NATPMP_ERR_OUTOFRESOURCES:
        return "the gateway has no port left to map (NAT-PMP)";
    default:
        return "the gateway does not answer NAT-PMP";
    }
}

static struct tdm_gateway *find(int wake_fd, struct tdm_gateway_facts *facts)
{
    struct tdm_gateway *g = calloc(1, sizeof *g);
    natpmpresp_t response;
    char text[TDM_ADDRESS_TEXT_MAX];

    *facts = (struct tdm_gateway_facts){0};
    if (!g)
        return NULL;
    int code = initnatpmp(&g->natpmp, 0, 0);

    if (code == 0) {
        code = sendpublicaddressrequest(&g->natpmp);
        code = code < 0 ? code : await(&g->natpmp, wake_fd, &response);
        if (code != 0 || response.type != NATPMP_RESPTYPE_PUBLICADDRESS) {
            (void)closenatpmp(&g->natpmp);
            code = code ? code : NATPMP_ERR_UNDEFINEDERROR;
        }
    }
    if (code != 0) {
        (void)snprintf(facts->words, sizeof facts->words, "%s", words_of(code));
        free(g);
        return NULL;
    }
    facts->external.family = TDM_IPV4;
    memcpy(facts->external.bytes, &response.pnu.publicaddress.addr, 4);
    tdm_address_host_text(&facts->external, text);
    (void)snprintf(
        facts->words, sizeof facts->words, "a NAT-PMP gateway with the address %.45s%s", text,
        tdm_address_is_private(&facts->external) ? ": there is a second NAT before it" : "");
    return g;
}

static int request(struct tdm_gateway *g, const struct tdm_port_lease_out *ask, uint16_t outer,
                   tdm_time lifetime, natpmpresp_t *response)
{
    int code =
        sendnewportmappingrequest(&g->natpmp, ask->tcp ? NATPMP_PROTOCOL_TCP : NATPMP_PROTOCOL_UDP,
                                  ask->port, outer, (uint32_t)(lifetime / TDM_S));

    return code < 0 ? code : await(&g->natpmp, -1, response);
}

static struct tdm_port_lease_in map(struct tdm_gateway *g, const struct tdm_port_lease_out *ask,
                                    struct tdm_gateway_facts *facts)
{
    natpmpresp_t response = {0};
    int code = request(g, ask, ask->external_port, ask->lifetime, &response);
    uint16_t type = ask->tcp ? NATPMP_RESPTYPE_TCPPORTMAPPING : NATPMP_RESPTYPE_UDPPORTMAPPING;

    if (code != 0 || response.type != type || response.pnu.newportmapping.lifetime == 0) {
        (void)snprintf(facts->words, sizeof facts->words, "%s", words_of(code));
        return (struct tdm_port_lease_in){.kind = TDM_PORT_FAILED};
    }
    struct tdm_port_lease_in answer = {
        .kind = TDM_PORT_MAPPED,
        .external = facts->external,
        .lifetime = (tdm_time)response.pnu.newportmapping.lifetime * TDM_S,
    };

    answer.external.port = response.pnu.newportmapping.mappedpublicport;
    return answer;
}

static void unmap(struct tdm_gateway *g, const struct tdm_port_lease_out *ask)
{
    natpmpresp_t response;

    (void)request(g, ask, 0, 0, &response); /* RFC 6886 section 3.4 */
}

static void destroy(struct tdm_gateway *g)
{
    (void)closenatpmp(&g->natpmp);
    free(g);
}

const struct tdm_gateway_ops tdm_gateway_natpmp = {
    .name = "NAT-PMP", .find = find, .map = map, .unmap = unmap, .destroy = destroy};
