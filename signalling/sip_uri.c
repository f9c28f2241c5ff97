/* SPDX-License-Identifier: MIT */
#include "signalling/sip_uri.h"

#include "signalling/srv_records.h"
#include "signalling/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool plain(struct tdm_text t)
{
    for (const char *at = t.at; at < t.end; at++)
        if (*at <= ' ' || *at > '~' || strchr("<>\"\\", *at))
            return false;
    return true;
}

static enum tdm_err parse_parameters(struct tdm_text left, struct tdm_sip_uri *uri,
                                     struct tdm_cause *cause)
{
    while (left.at < left.end) {
        struct tdm_text value = tdm_text_until(&left, ';');
        struct tdm_text name = tdm_text_until(&value, '=');

        uri->phone |= tdm_text_equals(name, "user") && tdm_text_equals(value, "phone");
        if (!tdm_text_equals(name, "transport"))
            continue;
        uri->tcp = tdm_text_equals(value, "tcp");
        uri->udp = tdm_text_equals(value, "udp");
        if (uri->tls && uri->tcp) { /* sips: over TCP is TLS. */
            uri->tcp = false;
            continue;
        }
        uri->tls |= tdm_text_equals(value, "tls");
        if (uri->udp ? uri->tls : !uri->tcp && !tdm_text_equals(value, "tls"))
            return tdm_fail(cause, TDM_E_UNSUPPORTED,
                            "transport \"%.*s\" is not supported: use udp, tcp or tls",
                            (int)tdm_text_size(value), value.at);
    }
    return TDM_OK;
}

/* host, host:port, [v6], [v6]:port, or an IPv6 address without brackets. */
static bool parse_host(struct tdm_text t, struct tdm_sip_uri *uri)
{
    unsigned colons = 0;
    struct tdm_text host;
    uint64_t port;

    for (const char *at = t.at; at < t.end; at++)
        colons += *at == ':';
    if (t.at < t.end && *t.at == '[') {
        t.at++;
        host = tdm_text_until(&t, ']');
        uri->ipv6 = true;
        if (host.end == t.end)
            return false;
    } else if (colons > 1) {
        host = t;
        t.at = t.end;
        uri->ipv6 = true;
    } else {
        host.at = t.at;
        (void)tdm_text_until(&t, ':');
        host.end = t.at > host.at && t.at[-1] == ':' ? t.at - 1 : t.at;
        t.at = host.end;
    }
    if (t.at < t.end) {
        if (*t.at++ != ':' || !tdm_text_number(&t, UINT16_MAX, &port) || !port || t.at < t.end)
            return false;
        uri->port = (uint16_t)port;
    }
    if (host.at == host.end || !tdm_text_copy(host, uri->host, sizeof uri->host))
        return false;

    struct in6_addr v6;
    static const char host_characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    return uri->ipv6 ? inet_pton(AF_INET6, uri->host, &v6) == 1
                     : strspn(uri->host, host_characters) == strlen(uri->host);
}

enum tdm_err tdm_sip_uri_parse(const char *text, struct tdm_sip_uri *uri, struct tdm_cause *cause)
{
    struct tdm_text t = tdm_text_trim(tdm_text_of_string(text));
    enum tdm_err err;

    memset(uri, 0, sizeof *uri);
    if (t.at < t.end && *t.at == '<' && t.end[-1] == '>') {
        t.at++;
        t.end--;
    }
    if (!plain(t) || tdm_text_size(t) > 240)
        goto bad;
    if (tdm_text_size(t) > 5 && tdm_text_equals(tdm_text_of(t.at, 5), "sips:")) {
        uri->tls = true;
        t.at += 5;
    } else if (tdm_text_size(t) > 4 && tdm_text_equals(tdm_text_of(t.at, 4), "sip:")) {
        t.at += 4;
    }
    t = tdm_text_until(&t, '?');

    struct tdm_text whole = t;
    struct tdm_text user = tdm_text_until(&t, '@');

    if (user.end == whole.end)
        t = whole; /* There is no user part. */
    else if (!tdm_text_copy(user, uri->user, sizeof uri->user) || user.at == user.end)
        goto bad;

    struct tdm_text parameters = t;
    struct tdm_text host = tdm_text_until(&parameters, ';');

    if (!parse_host(host, uri))
        goto bad;
    err = parse_parameters(parameters, uri, cause);
    return err;
bad:
    return tdm_fail(cause, TDM_E_MALFORMED,
                    "\"%.80s\" is no address: write 10.0.0.7, host:5070, user@host or [::1]", text);
}

bool tdm_sip_uri_write(const struct tdm_sip_uri *uri, char *text, size_t capacity)
{
    char port[8] = "";
    int wrote;

    if (uri->port)
        (void)snprintf(port, sizeof port, ":%u", uri->port);
    wrote = snprintf(text, capacity, "sip:%s%s%s%s%s%s%s%s", uri->user, uri->user[0] ? "@" : "",
                     uri->ipv6 ? "[" : "", uri->host, uri->ipv6 ? "]" : "", port,
                     uri->tcp   ? ";transport=tcp"
                     : uri->udp ? ";transport=udp"
                     : uri->tls ? ";transport=tls"
                                : "",
                     uri->phone ? ";user=phone" : "");
    return wrote >= 0 && (size_t)wrote < capacity;
}

uint16_t tdm_sip_uri_port(const struct tdm_sip_uri *uri)
{
    return uri->port ? uri->port : uri->tls ? TDM_SIP_PORT_TLS : TDM_SIP_PORT;
}

static void add_host(const char *host, uint16_t port, struct sockaddr_storage *addresses,
                     uint32_t *count)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    char text[8];

    (void)snprintf(text, sizeof text, "%u", port);
    if (getaddrinfo(host, text, &hints, &found))
        return;
    for (int pass = 0; pass < 2; pass++) /* IPv4 first, as in tdm_sip_resolve. */
        for (const struct addrinfo *at = found; at && *count < TDM_SIP_ADDRESSES_MAX;
             at = at->ai_next) {
            if ((at->ai_family == AF_INET) != (pass == 0))
                continue;
            memset(&addresses[*count], 0, sizeof addresses[*count]);
            memcpy(&addresses[(*count)++], at->ai_addr, at->ai_addrlen);
        }
    freeaddrinfo(found);
}

static uint32_t ask_srv(const struct tdm_sip_uri *uri, uint64_t seed,
                        struct tdm_srv_record records[TDM_SRV_MAX])
{
    unsigned char answer[4096];
    struct __res_state state;
    char name[256];
    uint32_t count = 0;
    int size;

    (void)snprintf(name, sizeof name, "%s.%s",
                   uri->tls   ? "_sips._tcp"
                   : uri->tcp ? "_sip._tcp"
                              : "_sip._udp",
                   uri->host);
    memset(&state, 0, sizeof state);
    if (res_ninit(&state))
        return 0;
    size = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, sizeof answer);
    res_nclose(&state);
    if (size <= 0 || (size_t)size > sizeof answer ||
        tdm_srv_parse(answer, (size_t)size, records, &count) != TDM_OK)
        return 0;
    tdm_srv_order(records, count, seed);
    return count;
}

enum tdm_err tdm_sip_resolve_all(const struct tdm_sip_uri *uri, uint64_t seed,
                                 struct sockaddr_storage addresses[TDM_SIP_ADDRESSES_MAX],
                                 uint32_t *count, struct tdm_cause *cause)
{
    struct tdm_srv_record records[TDM_SRV_MAX];
    struct in_addr v4;
    bool named = !uri->ipv6 && inet_pton(AF_INET, uri->host, &v4) != 1;
    uint32_t srv_count = named && !uri->port ? ask_srv(uri, seed, records) : 0;

    *count = 0;
    for (uint32_t i = 0; i < srv_count; i++)
        add_host(records[i].target, records[i].port, addresses, count);
    if (!*count)
        add_host(uri->host, tdm_sip_uri_port(uri), addresses, count);
    return *count ? TDM_OK
                  : tdm_fail(cause, TDM_E_GONE,
                             "server \"%.100s\" is unknown: check its name and the network",
                             uri->host);
}

enum tdm_err tdm_sip_resolve(const struct tdm_sip_uri *uri, struct sockaddr_storage *address,
                             struct tdm_cause *cause)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL, *pick;
    char port[8];
    int failed;

    (void)snprintf(port, sizeof port, "%u", tdm_sip_uri_port(uri));
    failed = getaddrinfo(uri->host, port, &hints, &found);
    if (failed || !found)
        return tdm_fail(cause, TDM_E_GONE,
                        "host \"%s\" is unknown (%s): check its name, or use its address",
                        uri->host, gai_strerror(failed));
    for (pick = found; pick && pick->ai_family != AF_INET; pick = pick->ai_next)
        continue; /* IPv4 first: it is what peers on a LAN listen on. */
    if (!pick)
        pick = found;
    memset(address, 0, sizeof *address);
    memcpy(address, pick->ai_addr, pick->ai_addrlen);
    freeaddrinfo(found);
    return TDM_OK;
}

enum tdm_err tdm_sig_local_address_to(const struct sockaddr_storage *remote, char *address,
                                      size_t capacity, struct tdm_cause *cause)
{
    struct sockaddr_storage local = {0};
    socklen_t size = sizeof local;
    socklen_t remote_size =
        remote->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(remote->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)remote, remote_size) == 0 &&
              getsockname(fd, (struct sockaddr *)&local, &size) == 0 &&
              getnameinfo((const struct sockaddr *)&local, size, address, (socklen_t)capacity, NULL,
                          0, NI_NUMERICHOST) == 0;
    int error = errno;

    if (fd >= 0)
        (void)close(fd);
    return ok ? TDM_OK
              : tdm_fail(cause, TDM_E_GONE,
                         "there is no network route to the other side (error %d): check the "
                         "network connection",
                         error);
}

enum tdm_err tdm_sig_local_address(const char *text, char *address, size_t capacity,
                                   struct tdm_cause *cause)
{
    struct tdm_sip_uri uri;
    struct sockaddr_storage remote = {0};
    enum tdm_err err = tdm_sip_uri_parse(text, &uri, cause);

    if (!err)
        err = tdm_sip_resolve(&uri, &remote, cause);
    if (!err)
        err = tdm_sig_local_address_to(&remote, address, capacity, cause);
    return err;
}
