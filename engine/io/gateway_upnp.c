/* SPDX-License-Identifier: MIT */
#include "engine/io/gateway.h"
#include "engine/io/look.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISCOVERY_MS 2000 /* The library waits it out, whoever answers. */

/* Codes of WANIPConnection:2, section 2.5.16. */
#define ERROR_CONFLICT       718
#define ERROR_SAME_PORTS     724
#define ERROR_PERMANENT_ONLY 725

struct tdm_gateway {
    struct UPNPUrls urls;
    struct IGDdatas data;
    char local[64]; /* Our address towards it. */
};

static bool is_usable(const struct tdm_gateway *g)
{
    return g->urls.controlURL && g->urls.controlURL[0] && g->data.first.servicetype[0];
}

static void tell_external(const struct tdm_gateway *g, struct tdm_gateway_facts *facts)
{
    char text[64] = "";
    int code = UPNP_GetExternalIPAddress(g->urls.controlURL, g->data.first.servicetype, text);

    facts->external = (struct tdm_address){0};
    if (code != UPNPCOMMAND_SUCCESS || tdm_address_parse(&facts->external, text, 0) != TDM_OK)
        (void)snprintf(facts->words, sizeof facts->words,
                       "a UPnP gateway is there, but does not say its outer address");
    else if (tdm_address_is_private(&facts->external))
        (void)snprintf(facts->words, sizeof facts->words,
                       "the UPnP gateway itself has the private address %.45s: there is a second "
                       "NAT before it, which it cannot open",
                       text);
    else
        (void)snprintf(facts->words, sizeof facts->words, "a UPnP gateway with the address %.45s",
                       text);
}

static const char *const wanted[] = {"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                                     "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
                                     "urn:schemas-upnp-org:service:WANIPConnection:1",
                                     "urn:schemas-upnp-org:service:WANPPPConnection:1", NULL};

static struct tdm_gateway *find(int wake_fd, struct tdm_gateway_facts *facts)
{
    static const struct tdm_address everybody = {.family = TDM_IPV4, .bytes = {239, 255, 255, 250}};
    struct tdm_address own;
    int error = 0;

    /* Without a way to ask the library complains on standard error. */
    *facts = (struct tdm_gateway_facts){.words = "no network to look for a UPnP gateway in"};
    if (tdm_look_source(&everybody, &own) != TDM_OK)
        return NULL;
    struct tdm_gateway *g = calloc(1, sizeof *g);
    /* All at once: asked for one by one, each that is not there takes the whole time. */
    struct UPNPDev *devices =
        upnpDiscoverDevices(wanted, DISCOVERY_MS, NULL, NULL, 0, 0, 2, &error, 1);
    int kind = 0;

    (void)wake_fd; /* The library cannot be ended early. */
    *facts = (struct tdm_gateway_facts){0};
    if (g && devices)
        kind = UPNP_GetValidIGD(devices, &g->urls, &g->data, g->local, sizeof g->local);
    freeUPNPDevlist(devices);
    if (kind == 1 && is_usable(g)) {
        tell_external(g, facts);
        return g;
    }
    if (!devices)
        (void)snprintf(facts->words, sizeof facts->words,
                       "no UPnP gateway answered: there is none, or UPnP is switched off in it");
    else if (kind == 2)
        (void)snprintf(facts->words, sizeof facts->words,
                       "the UPnP gateway says that it is not connected to the Internet");
    else
        (void)snprintf(facts->words, sizeof facts->words,
                       "a UPnP device answered, but it is no gateway that maps ports");
    if (g) {
        if (kind > 0)
            FreeUPNPUrls(&g->urls);
        free(g);
    }
    return NULL;
}

static int add(struct tdm_gateway *g, const struct tdm_port_lease_out *ask, const char *lease)
{
    char outer[8], inner[8];

    (void)snprintf(outer, sizeof outer, "%u", ask->external_port);
    (void)snprintf(inner, sizeof inner, "%u", ask->port);
    return UPNP_AddPortMapping(g->urls.controlURL, g->data.first.servicetype, outer, inner,
                               g->local, "Tandem", ask->tcp ? "TCP" : "UDP", NULL, lease);
}

/* The library takes an answer without an error code for success, be it an error page: only what the
 * gateway lists is mapped. */
static bool is_listed(struct tdm_gateway *g, const struct tdm_port_lease_out *ask)
{
    char outer[8], client[40] = "", port[6] = "", text[80] = "", enabled[4] = "", lease[16] = "";

    (void)snprintf(outer, sizeof outer, "%u", ask->external_port);
    return UPNP_GetSpecificPortMappingEntry(g->urls.controlURL, g->data.first.servicetype, outer,
                                            ask->tcp ? "TCP" : "UDP", NULL, client, port, text,
                                            enabled, lease) == UPNPCOMMAND_SUCCESS &&
           strcmp(client, g->local) == 0 && strtoul(port, NULL, 10) == ask->port;
}

static struct tdm_port_lease_in map(struct tdm_gateway *g, const struct tdm_port_lease_out *ask,
                                    struct tdm_gateway_facts *facts)
{
    struct tdm_port_lease_in answer = {.kind = TDM_PORT_FAILED};
    char lease[24];

    (void)snprintf(lease, sizeof lease, "%lld", (long long)(ask->lifetime / TDM_S));
    answer.lifetime = ask->lifetime;
    int code = add(g, ask, lease);

    if (code == ERROR_PERMANENT_ONLY) {
        code = add(g, ask, "0");
        answer.lifetime = 0;
    }
    if (code == ERROR_CONFLICT) {
        answer.kind = TDM_PORT_TAKEN;
        return answer;
    }
    if (code == UPNPCOMMAND_SUCCESS && !is_listed(g, ask)) {
        (void)snprintf(facts->words, sizeof facts->words,
                       "the UPnP gateway does not do what it is asked: no port was mapped");
        return answer;
    }
    if (code == UPNPCOMMAND_SUCCESS)
        tell_external(g, facts);
    if (code == UPNPCOMMAND_SUCCESS && facts->external.family != TDM_ADDRESS_NONE) {
        answer.kind = TDM_PORT_MAPPED;
        answer.external = facts->external;
        answer.external.port = ask->external_port;
    } else if (code != UPNPCOMMAND_SUCCESS) {
        const char *why = strupnperror(code);

        (void)snprintf(facts->words, sizeof facts->words,
                       "the UPnP gateway refuses to map a port: %.80s (%d)%s",
                       why ? why : "unknown error", code,
                       code == ERROR_SAME_PORTS ? "; another program may hold it" : "");
    }
    return answer;
}

static void unmap(struct tdm_gateway *g, const struct tdm_port_lease_out *ask)
{
    char outer[8];

    (void)snprintf(outer, sizeof outer, "%u", ask->external_port);
    (void)UPNP_DeletePortMapping(g->urls.controlURL, g->data.first.servicetype, outer,
                                 ask->tcp ? "TCP" : "UDP", NULL);
}

static void destroy(struct tdm_gateway *g)
{
    FreeUPNPUrls(&g->urls);
    free(g);
}

const struct tdm_gateway_ops tdm_gateway_upnp = {
    .name = "UPnP", .find = find, .map = map, .unmap = unmap, .destroy = destroy};
