/* SPDX-License-Identifier: MIT */
/* Servers that announce themselves on this machine's networks, for accounts that name none. */
#include "engine/account.h"

#include "engine/io/entropy.h"
#include "engine/io/lan_find.h"
#include "signalling/sip_uri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

_Static_assert((int)TANDEM_FOUND_MAX == TDM_LAN_SERVERS_MAX, "all that are found fit");

static void show(const struct tdm_lan_server *from, struct tandem_found_server *to)
{
    static const enum tandem_transport transports[] = {[TDM_LAN_UDP] = TANDEM_TRANSPORT_UDP,
                                                       [TDM_LAN_TCP] = TANDEM_TRANSPORT_TCP,
                                                       [TDM_LAN_TLS] = TANDEM_TRANSPORT_TLS};

    *to = (struct tandem_found_server){.transport = transports[from->transport]};
    (void)snprintf(to->name, sizeof to->name, "%s", from->name);
    (void)snprintf(to->domain, sizeof to->domain, "%s", from->domain);
    (void)snprintf(to->fingerprint, sizeof to->fingerprint, "%s", from->fingerprint);
    tdm_address_text(&from->address, to->server);
}

enum tandem_status tandem_servers_find(const char *domain, struct tandem_found_server *servers,
                                       size_t capacity, size_t *count, struct tandem_cause *cause)
{
    struct tdm_lan_server found[TDM_LAN_SERVERS_MAX];
    struct tdm_cause why = {""};
    uint32_t found_count;
    enum tdm_err err = tdm_lan_find(domain, TDM_LAN_FIND_TIME, found, &found_count, &why);

    *count = 0;
    for (; *count < found_count && *count < capacity; (*count)++)
        show(&found[*count], &servers[*count]);
    if (err == TDM_E_GONE) {
        if (cause)
            (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
        return TANDEM_UNREACHABLE;
    }
    return tdm_account_finish(err, &why, cause);
}

/* Whether DNS, or its own digits, say where an account's server is. */
static bool is_known(const struct tandem_account *settings)
{
    struct sockaddr_storage addresses[TDM_SIP_ADDRESSES_MAX];
    struct tdm_sip_uri uri;
    uint32_t count;

    if (settings->server[0] || settings->proxy[0])
        return true;
    if (tdm_sip_uri_parse(settings->address, &uri, NULL) != TDM_OK)
        return true; /* What is wrong with it, is said when it is added. */
    uri.tls |= settings->transport == TANDEM_TRANSPORT_TLS;
    uri.tcp |= settings->transport == TANDEM_TRANSPORT_TCP;
    return uri.port ||
           tdm_sip_resolve_all(&uri, tdm_entropy_u64(), addresses, &count, NULL) == TDM_OK;
}

/* The best of those with the account's transport: TLS whose certificate can be told, then UDP, as
 * accounts have it when nothing is said, then TCP. */
static const struct tandem_found_server *choose(const struct tandem_found_server *servers,
                                                size_t count, enum tandem_transport wanted)
{
    static const enum tandem_transport order[] = {TANDEM_TRANSPORT_TLS, TANDEM_TRANSPORT_UDP,
                                                  TANDEM_TRANSPORT_TCP};

    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (size_t i = 0; i < count; i++) {
            const struct tandem_found_server *s = &servers[i];
            bool fits = wanted ? s->transport == wanted
                               : s->transport != TANDEM_TRANSPORT_TLS || s->fingerprint[0];

            if (s->transport == order[k] && fits)
                return s;
        }
    return NULL;
}

static enum tandem_status say(struct tandem_cause *cause, enum tandem_status status,
                              const char *text)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", text);
    return status;
}

/* Another domain than the first one's; NULL: all have one. */
static const char *other_domain(const struct tandem_found_server *servers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcasecmp(servers[i].domain, servers[0].domain) != 0)
            return servers[i].domain;
    return NULL;
}

enum tandem_status tandem_account_discover(struct tandem_account *settings,
                                           struct tandem_found_server *found,
                                           struct tandem_cause *cause)
{
    struct tandem_found_server servers[TANDEM_FOUND_MAX];
    const char *domain = strchr(settings->address, '@'), *other;
    size_t count;
    char text[256];

    if (!settings->address[0] || settings->server[0] || settings->proxy[0] ||
        (domain && is_known(settings)))
        return TANDEM_AGAIN;
    domain = domain ? domain + 1 : NULL;
    enum tandem_status status =
        tandem_servers_find(domain, servers, TANDEM_FOUND_MAX, &count, cause);

    if (status != TANDEM_OK)
        return status;
    other = other_domain(servers, count);
    if (other) {
        (void)snprintf(text, sizeof text,
                       "there are several servers on this network (%.60s, %.60s): say NAME@DOMAIN",
                       servers[0].domain, other);
        return say(cause, TANDEM_INVALID, text);
    }
    const struct tandem_found_server *best = choose(servers, count, settings->transport);

    if (!best)
        return say(
            cause, TANDEM_UNREACHABLE,
            "the server on this network does not offer that transport: leave --transport out");
    *found = *best;
    if (!domain) {
        size_t size = strlen(settings->address);

        if (size + 1 + strlen(best->domain) >= sizeof settings->address)
            return say(cause, TANDEM_INVALID, "the address is too long");
        (void)snprintf(settings->address + size, sizeof settings->address - size, "@%s",
                       best->domain);
    }
    settings->transport = best->transport;
    if (best->transport == TANDEM_TRANSPORT_TLS && !settings->fingerprint[0] &&
        !settings->ca_file[0])
        (void)snprintf(settings->fingerprint, sizeof settings->fingerprint, "%s",
                       best->fingerprint);
    return TANDEM_OK;
}
