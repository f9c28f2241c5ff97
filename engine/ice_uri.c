/* SPDX-License-Identifier: MIT */
#include "engine/ice_uri.h"

#include "engine/wire/stun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URI_MAX 400

static const struct {
    const char *scheme;
    enum tdm_ice_server_kind kind;
    enum tdm_ice_server_link link;
    uint16_t port;
} schemes[] = {
    {"stun:", TDM_ICE_STUN, TDM_ICE_OVER_UDP, TDM_STUN_PORT},
    {"turn:", TDM_ICE_TURN, TDM_ICE_OVER_UDP, TDM_STUN_PORT},
    {"turns:", TDM_ICE_TURN, TDM_ICE_OVER_TLS, TDM_STUN_TLS_PORT},
};

static enum tdm_err bad(struct tdm_cause *cause, const char *uri, const char *what)
{
    return tdm_fail(cause, TDM_E_MALFORMED,
                    "\"%.60s\" %s: write stun:HOST[:PORT], or turn:USER:PASSWORD@HOST[:PORT] "
                    "(?transport=tcp), or turns:",
                    uri, what);
}

/* "?transport=tcp" off the end. */
static bool take_transport(char *text, struct tdm_ice_server *server)
{
    char *query = strchr(text, '?');

    if (!query)
        return true;
    *query++ = 0;
    if (strcasecmp(query, "transport=tcp") == 0) {
        if (server->link == TDM_ICE_OVER_UDP)
            server->link = TDM_ICE_OVER_TCP;
        return server->kind == TDM_ICE_TURN;
    }
    return strcasecmp(query, "transport=udp") == 0 && server->link == TDM_ICE_OVER_UDP;
}

/* "user:password@" off the start; a user may have colons (the TURN REST scheme has). */
static char *take_user(char *text, struct tdm_ice_server *server)
{
    char *at = strrchr(text, '@');

    if (!at)
        return text;
    *at = 0;
    char *colon = strrchr(text, ':');

    if (!colon)
        return NULL;
    *colon = 0;
    bool fits =
        snprintf(server->user, sizeof server->user, "%s", text) < (int)sizeof server->user &&
        snprintf(server->password, sizeof server->password, "%s", colon + 1) <
            (int)sizeof server->password;

    return fits && *text ? at + 1 : NULL;
}

/* "host", "host:port", "[v6]", "[v6]:port", or a bare IPv6 address. */
static bool take_host(char *text, struct tdm_ice_uri *uri)
{
    char *end = *text == '[' ? strchr(text, ']') : NULL;
    char *colon = strrchr(text, ':');
    char *rest = NULL;

    if (*text == '[' && !end)
        return false;
    if (end) {
        text++;
        *end = 0;
        rest = end[1] == ':' ? end + 2 : NULL;
        if (!rest && end[1])
            return false;
    } else if (colon && colon == strchr(text, ':')) {
        *colon = 0;
        rest = colon + 1;
    }
    if (rest) {
        char *stop;
        unsigned long port = strtoul(rest, &stop, 10);

        if (!*rest || *stop || port < 1 || port > 65535)
            return false;
        uri->port = (uint16_t)port;
    }
    if (!*text || snprintf(uri->host, sizeof uri->host, "%s", text) >= (int)sizeof uri->host)
        return false;
    if (tdm_address_parse(&uri->server.address, text, uri->port) != TDM_OK)
        uri->server.address = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    return true;
}

static enum tdm_err parse_one(const char *original, struct tdm_ice_uri *uri,
                              struct tdm_cause *cause)
{
    char text[URI_MAX];
    char *rest = NULL;

    memset(uri, 0, sizeof *uri);
    if (snprintf(text, sizeof text, "%s", original) >= (int)sizeof text)
        return bad(cause, original, "is too long");
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(text, schemes[i].scheme, strlen(schemes[i].scheme)) == 0) {
            uri->server.kind = schemes[i].kind;
            uri->server.link = schemes[i].link;
            uri->port = schemes[i].port;
            rest = text + strlen(schemes[i].scheme);
        }
    if (!rest)
        return bad(cause, original, "is no server for ICE");
    if (!take_transport(rest, &uri->server))
        return bad(cause, original, "asks for a transport that there is not");
    rest = take_user(rest, &uri->server);
    if (!rest || (uri->server.kind == TDM_ICE_TURN && !uri->server.user[0]))
        return bad(cause, original, "needs a user and a password");
    return take_host(rest, uri) ? TDM_OK : bad(cause, original, "names no host");
}

enum tdm_err tdm_ice_uris_parse(const char *text, struct tdm_ice_uri list[TDM_ICE_SERVERS_MAX],
                                uint8_t *count, struct tdm_cause *cause)
{
    *count = 0;
    while (text && *text) {
        size_t size = strcspn(text, ", ");
        char one[URI_MAX + 1];

        if (size) {
            if (*count == TDM_ICE_SERVERS_MAX)
                return tdm_fail(cause, TDM_E_SPACE, "more than %d servers for ICE: name fewer",
                                TDM_ICE_SERVERS_MAX);
            (void)snprintf(one, sizeof one, "%.*s", (int)size, text);
            enum tdm_err err = parse_one(one, &list[*count], cause);

            if (err != TDM_OK)
                return err;
            ++*count;
        }
        text += size;
        text += *text != 0;
    }
    return TDM_OK;
}
