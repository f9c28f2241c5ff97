/* SPDX-License-Identifier: MIT */
#include "apps/serve_options.h"

#include "apps/options.h"
#include "apps/parse.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, FLAG, PORT, NUMBER, BITS, PORTS, USER, PEERS };

struct option {
    const char *name;
    enum kind kind;
    size_t at;
    const char *value, *help;
};

#define CONFIG(field) offsetof(struct serve_options, config.field)
#define OWN(field)    offsetof(struct serve_options, field)

static const struct option options[] = {
    {"--listen", TEXT, CONFIG(listen), "LIST",
     "numeric addresses to listen on [all of this machine]"},
    {"--port", PORT, CONFIG(port), "PORT", "for UDP and TCP [3478]"},
    {"--tls-port", PORT, CONFIG(tls_port), "PORT", "for TLS over TCP, e.g. 5349 [none]"},
    {"--identity", TEXT, CONFIG(identity_path), "FILE",
     "key and certificate for TLS, made when it is not there"},
    {"--domain", TEXT, CONFIG(domain), "NAME",
     "people are NAME@domain [of the accounts there are, else tandem]"},
    {"--store", TEXT, CONFIG(store_path), "FILE",
     "accounts, and what must outlive a crash; made when it is not there "
     "[~/.local/state/tandem/serve.db]"},
    {"--sip-port", PORT, CONFIG(sip_port), "PORT", "SIP over UDP and TCP [5060]"},
    {"--sips-port", PORT, CONFIG(sips_port), "PORT",
     "SIP over TLS, e.g. 5061, with the certificate of --identity [none]"},
    {"--http-port", PORT, CONFIG(http_port), "PORT", "on 127.0.0.1: /status and /metrics [none]"},
    {"--no-sip", FLAG, OWN(no_sip), NULL, "STUN and TURN alone: nobody signs in here"},
    {"--no-announce", FLAG, CONFIG(no_announcement), NULL,
     "do not tell the networks of this machine of it (DNS-SD)"},
    {"--devices", NUMBER, CONFIG(devices), "N", "signed in at once [16384]"},
    {"--source-rate", NUMBER, CONFIG(source_rate), "N",
     "messages a second that one address may send [200]"},
    {"--sip-rate", NUMBER, CONFIG(total_rate), "N", "messages a second from all [20000]"},
    {"--secret-file", TEXT, OWN(secret_file), "FILE",
     "its first line is the secret of credentials that expire; made when it is not there "
     "[~/.local/state/tandem/serve-secret]"},
    {"--old-secret-file", TEXT, OWN(old_secret_file), "FILE",
     "the secret before it, whose credentials are still good [none]"},
    {"--user", USER, 0, "LOGIN",
     "NAME:PASSWORD, a user whose password does not expire; up to 8 [none]"},
    {"--no-secret", FLAG, OWN(no_secret), NULL,
     "no credentials that expire: without --user it is a STUN server alone"},
    {"--realm", TEXT, CONFIG(realm), "NAME", "[tandem]"},
    {"--relay-address", TEXT, CONFIG(relay_address), "LIST",
     "where peers find the relays: one IPv4, one IPv6 address; the public one behind a gateway "
     "that maps it one to one [of this machine]"},
    {"--relay-ports", PORTS, 0, "RANGE", "of the relays [49152-65535]"},
    {"--other-address", TEXT, CONFIG(other_address), "ADDRESS",
     "a second address of this machine, for clients that test their NAT [none]"},
    {"--allow-peers", PEERS, 0, "LIST",
     "of private,loopback,own: relay to these too, which is refused otherwise [none]"},
    {"--relays", NUMBER, CONFIG(allocations), "N", "at once [256]"},
    {"--user-relays", NUMBER, CONFIG(user_allocations), "N", "of one user at once [16]"},
    {"--host-relays", NUMBER, CONFIG(host_allocations), "N", "from one address at once [64]"},
    {"--relay-rate", BITS, CONFIG(allocation_bps), "BITS",
     "most that one relay may pass, in bit/s, e.g. 4M [no limit]"},
    {"--total-rate", BITS, CONFIG(total_bps), "BITS", "most of all relays together [no limit]"},
    {"--credential", TEXT, OWN(credential), "NAME",
     "print a credential for NAME that expires, and end"},
    {"--hours", NUMBER, OWN(hours), "N", "that the credential lives [24]"},
    {"--json", FLAG, OWN(json), NULL, "a JSON object a line on stdout for all that happens"},
    {"--quiet", FLAG, OWN(quiet), NULL, "nothing on stderr but what is wrong"},
    {"--help", FLAG, OWN(help), NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static bool parse_number(const char *text, uint32_t *value)
{
    char *end;

    errno = 0;
    unsigned long number = strtoul(text, &end, 10);

    *value = (uint32_t)number;
    return errno == 0 && end != text && !*end && *text != '-' && number > 0 && number <= 1000000;
}

/* "800k", "4M", "1.5G". */
static bool parse_bits(const char *text, uint64_t *value)
{
    char *end;
    double number = strtod(text, &end);
    double unit = *end == 'k' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : 1;

    if (end == text || number <= 0 || number * unit < 8 || number * unit > 1e15)
        return false;
    *value = (uint64_t)(number * unit);
    return !end[unit > 1];
}

static bool parse_ports(struct serve_options *o, const char *text)
{
    char from[8] = "";
    const char *dash = strchr(text, '-');

    if (!dash || (size_t)(dash - text) >= sizeof from)
        return false;
    memcpy(from, text, (size_t)(dash - text));
    return parse_u16(from, &o->config.relay_port_min) &&
           parse_u16(dash + 1, &o->config.relay_port_max) &&
           o->config.relay_port_min <= o->config.relay_port_max;
}

static bool add_user(struct serve_options *o, const char *text)
{
    size_t size = strlen(o->users), more = strlen(text);

    if (strchr(text, ',') || !strchr(text, ':') || size + more + 2 > sizeof o->users)
        return false;
    (void)snprintf(o->users + size, sizeof o->users - size, "%s%s", size ? "," : "", text);
    o->config.users = o->users;
    return true;
}

static bool allow_peers(struct serve_options *o, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, ",");

        if (size == 7 && memcmp(text, "private", size) == 0)
            o->config.allow_private = true;
        else if (size == 8 && memcmp(text, "loopback", size) == 0)
            o->config.allow_loopback = true;
        else if (size == 3 && memcmp(text, "own", size) == 0)
            o->config.allow_own = true;
        else
            return false;
        text += size;
        text += *text == ',';
    }
    return true;
}

static bool take_value(struct serve_options *o, const struct option *option, const char *text)
{
    char *field = (char *)o + option->at;

    switch (option->kind) {
    case TEXT:
        memcpy(field, &text, sizeof text);
        return *text != 0 || option->at == OWN(credential);
    case PORT:
        return parse_u16(text, (uint16_t *)(void *)field);
    case NUMBER:
        return parse_number(text, (uint32_t *)(void *)field);
    case BITS:
        return parse_bits(text, (uint64_t *)(void *)field);
    case PORTS:
        return parse_ports(o, text);
    case USER:
        return add_user(o, text);
    case PEERS:
        return allow_peers(o, text);
    case FLAG:
        *(bool *)(void *)field = true;
        break;
    }
    return true;
}

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static bool wrong(const char *what, const char *which)
{
    fprintf(stderr, "tandem serve: %s \"%s\"; see tandem serve --help\n", what, which);
    return false;
}

bool serve_options_parse(struct serve_options *o, int argc, char **argv)
{
    *o = (struct serve_options){.hours = 24};
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i]);

        if (!option)
            return wrong("unknown option", argv[i]);
        if (option->kind != FLAG && ++i == argc)
            return wrong("a value is missing behind", option->name);
        if (take_value(o, option, argv[i]))
            continue;
        fprintf(stderr, "tandem serve: \"%s\" does not fit %s %s: %s\n", argv[i], option->name,
                option->value, option->help);
        return false;
    }
    if (o->no_secret && (o->secret_file || o->old_secret_file || o->credential))
        return wrong("no secret is wanted, but one is named:",
                     o->credential ? "--credential" : "--secret-file");
    return true;
}

void serve_options_help(FILE *to)
{
    fputs("tandem serve [options]: where people sign in, see, write to and call each other (SIP), "
          "and a STUN and TURN server\n"
          "tandem serve adduser NAME: an account for somebody; deluser, lock, unlock, users: see "
          "tandem serve adduser --help\n\n",
          to);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[48];

        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-22s %s\n", left, options[i].help);
    }
    options_help_codes(to);
}
