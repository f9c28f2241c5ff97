/* SPDX-License-Identifier: MIT */
#include "apps/files_options.h"

#include "apps/options.h"
#include "apps/parse.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_S 300

enum whose { BOTH, SEND_ONLY, GET_ONLY };

static const struct option {
    const char *name;
    const char *value; /* NULL: takes none. */
    enum whose whose;
    const char *help;
} options[] = {
    {"--dir", "DIR", GET_ONLY, "where files go; nothing there is replaced [.]"},
    {"--auto-accept", "RULE", GET_ONLY,
     "take without asking: all, from:ADDRESS, max:100M, type:image/*, type:.pdf; commas between "
     "what must all hold; may come again"},
    {"--max", "SIZE", GET_ONLY, "refuse offers above, like 2G"},
    {"--quota", "SIZE", GET_ONLY, "refuse what would make more than this in all"},
    {"--once", NULL, GET_ONLY, "end when the first caller is gone"},
    {"--retry", "SECONDS", SEND_ONLY, "try again for so long after a break [300]"},
    {"--plain", NULL, BOTH,
     "neither pack by zstd nor send only what the other side lacks of an older version"},
    {"--port", "PORT", BOTH, "SIP port here [5060; send: any]"},
    {"--listen", "ADDRESS", BOTH, "numeric address to listen on [all]"},
    {"--ports", "RANGE", BOTH, "A-B: TCP ports for the data channel [1503-1518]"},
    {"--ice", "LIST", BOTH, "stun: and turn: servers, commas between"},
    {"--json", NULL, BOTH, "one object a line: every offer, and the outcome"},
    {"--quiet", NULL, BOTH, "no progress"},
    {"--help", NULL, BOTH, "this text"},
};

static bool complain(const struct files_options *o, const char *format, const char *what)
{
    fprintf(stderr, "tandem %s: ", o->sending ? "send" : "get");
    fprintf(stderr, format, what);
    fprintf(stderr, "; see tandem %s --help\n", o->sending ? "send" : "get");
    return false;
}

static bool complain_value(const struct files_options *o, const char *option, const char *value)
{
    char text[300];

    (void)snprintf(text, sizeof text, "\"%.200s\" does not fit %s", value, option);
    return complain(o, "%s", text);
}

static bool parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(text, &end);

    if (end == text || !(value >= 0) || value > 1e18)
        return false;
    if (*end) {
        const char *unit = strchr(units, *end & ~0x20);

        if (!unit || end[1])
            return false;
        for (const char *u = units; u <= unit; u++)
            value *= 1024;
    }
    *bytes = (uint64_t)value;
    return true;
}

static bool parse_ports(const char *text, struct tandem_config *engine)
{
    const char *dash = strchr(text, '-');
    char first[8];

    if (!dash || dash - text >= (int)sizeof first)
        return false;
    memcpy(first, text, (size_t)(dash - text));
    first[dash - text] = 0;
    return parse_u16(first, &engine->channel_port_min) &&
           parse_u16(dash + 1, &engine->channel_port_max) &&
           engine->channel_port_min <= engine->channel_port_max;
}

static bool take_value(struct files_options *o, const char *name, const char *value)
{
    if (strcmp(name, "--dir") == 0)
        o->files.folder = value;
    else if (strcmp(name, "--auto-accept") == 0) {
        o->files.accept = o->rules;
        return parse_rule(value, o->rules, sizeof o->rules);
    } else if (strcmp(name, "--max") == 0)
        return parse_size(value, &o->files.size_max);
    else if (strcmp(name, "--quota") == 0)
        return parse_size(value, &o->files.quota_bytes);
    else if (strcmp(name, "--port") == 0) {
        o->engine.sip_port_may_change = false;
        return parse_u16(value, &o->engine.sip_port);
    } else if (strcmp(name, "--listen") == 0)
        o->engine.bind_address = value;
    else if (strcmp(name, "--ports") == 0)
        return parse_ports(value, &o->engine);
    else if (strcmp(name, "--ice") == 0)
        o->engine.ice_servers = value;
    else {
        char *end;

        o->retry_s = strtod(value, &end);
        return end != value && !*end && o->retry_s >= 0;
    }
    return true;
}

static void take_flag(struct files_options *o, const char *name)
{
    if (strcmp(name, "--json") == 0)
        o->json = true;
    else if (strcmp(name, "--quiet") == 0)
        o->quiet = true;
    else if (strcmp(name, "--once") == 0)
        o->once = true;
    else if (strcmp(name, "--plain") == 0)
        o->files.plain = true;
    else
        o->help = true;
}

static const struct option *find(const char *name, bool sending)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0 &&
            options[i].whose != (sending ? GET_ONLY : SEND_ONLY))
            return &options[i];
    return NULL;
}

bool files_options_parse(struct files_options *o, bool sending, int argc, char **argv)
{
    int kept = 0;
    bool names_only = false;

    *o = (struct files_options){.sending = sending, .retry_s = RETRY_S};
    o->engine.sip_port_may_change = sending;
    o->engine.listen = !sending;
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i], sending);

        if (strcmp(argv[i], "--") == 0 && !names_only) {
            names_only = true;
        } else if (names_only || argv[i][0] != '-') {
            argv[kept++] = argv[i];
        } else if (!option) {
            return complain(o, "no option \"%s\"", argv[i]);
        } else if (!option->value) {
            take_flag(o, argv[i]);
        } else if (++i == argc) {
            return complain(o, "%s needs a value", option->name);
        } else if (!take_value(o, option->name, argv[i])) {
            return complain_value(o, option->name, argv[i]);
        }
    }
    if (o->help)
        return true;
    if (sending && kept < 2)
        return complain(o, "%s", "name one or more files, and who shall get them");
    if (!sending && kept)
        return complain(o, "\"%s\" is too much", argv[0]);
    folders_keep_self(&o->self, &o->engine);
    o->paths = argv;
    o->path_count = sending ? kept - 1 : 0;
    o->who = sending ? argv[kept - 1] : NULL;
    return true;
}

void files_options_help(FILE *to, bool sending)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char left[40];

        if (options[i].whose == (sending ? GET_ONLY : SEND_ONLY))
            continue;
        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-20s %s\n", left, options[i].help);
    }
    fputc('\n', to);
    options_help_codes(to);
}
