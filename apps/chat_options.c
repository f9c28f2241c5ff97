/* SPDX-License-Identifier: MIT */
#include "apps/chat_options.h"

#include "apps/folders.h"
#include "apps/options.h"
#include "apps/parse.h"

#include <stddef.h>
#include <string.h>

enum kind { FLAG, TEXT, NUMBER, PORTS };

#define OWN(field)    offsetof(struct chat_options, field)
#define ENGINE(field) offsetof(struct chat_options, engine.field)

static const struct option {
    const char *name;
    enum kind kind;
    size_t at;
    const char *value, *help;
} options[] = {
    {"--history", FLAG, OWN(history), NULL, "show what was said, with WHO or with all"},
    {"--search", TEXT, OWN(words), "WORDS", "of it, only what has all these words"},
    {"--limit", NUMBER, OWN(limit), "N", "of it, the last N [100]"},
    {"--messages", FLAG, OWN(messages), NULL, "by SIP messages alone, without a session"},
    {"--with", TEXT, OWN(who), "WHO", "of it, only with this one"},
    {"--on-message", TEXT, OWN(on_message), "CMD",
     "run this for each text, with TANDEM_FROM, TANDEM_TEXT"},
    {"--on-call", TEXT, OWN(on_call), "CMD", "run this for each call, with TANDEM_FROM"},
    {"--accounts", TEXT, OWN(accounts), "FILE", "of accounts [~/.config/tandem/accounts.json]"},
    {"--no-accounts", FLAG, OWN(no_accounts), NULL, "straight, whatever accounts there are"},
    {"--dir", TEXT, OWN(folder), "DIR", "where files go; nothing there is replaced [.]"},
    {"--name", TEXT, ENGINE(display_name), "NAME", "name that the other side sees"},
    {"--port", NUMBER, ENGINE(sip_port), "PORT", "SIP port here [5060, or any with WHO]"},
    {"--bind", TEXT, ENGINE(bind_address), "ADDRESS", "numeric address to listen on [all]"},
    {"--ports", PORTS, 0, "RANGE", "TCP ports for the data channel, as 1503-1518 [these]"},
    {"--ice", TEXT, ENGINE(ice_servers), "LIST", "stun: and turn: servers, commas between"},
    {"--json", FLAG, OWN(json), NULL, "one object a line: what happens, and the outcome"},
    {"--help", FLAG, OWN(help), NULL, "this text"},
};

static bool complain(const char *what, const char *which)
{
    fprintf(stderr, "tandem chat: %s \"%s\"; see tandem chat --help\n", what, which);
    return false;
}

static bool parse_ports(const char *text, struct tandem_config *engine)
{
    const char *dash = strchr(text, '-');
    char first[8];

    if (!dash || dash - text >= (ptrdiff_t)sizeof first)
        return false;
    memcpy(first, text, (size_t)(dash - text));
    first[dash - text] = '\0';
    return parse_u16(first, &engine->channel_port_min) &&
           parse_u16(dash + 1, &engine->channel_port_max) &&
           engine->channel_port_min <= engine->channel_port_max;
}

static bool take_value(struct chat_options *o, const struct option *option, const char *value)
{
    char *field = (char *)o + option->at;

    switch (option->kind) {
    case TEXT:
        memcpy(field, &value, sizeof value);
        return *value != '\0';
    case NUMBER:
        return parse_u16(value, (uint16_t *)(void *)field);
    case PORTS:
        return parse_ports(value, &o->engine);
    case FLAG:
        *(bool *)(void *)field = true;
        break;
    }
    return true;
}

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static bool take_word(struct chat_options *o, const char *word)
{
    if (!*word)
        return complain("an empty word is nobody and nothing:", word);
    if (!o->who)
        o->who = word;
    else if (!o->text)
        o->text = word;
    else
        return complain("one word too many (put the text in quotes):", word);
    return true;
}

/* What follows from all of them together. */
static bool settle(struct chat_options *o)
{
    if (o->help)
        return true;
    o->history |= o->words != NULL;
    if (o->history && o->text)
        return complain("the history has no use for", o->text);
    if (!o->history && o->limit)
        return complain("this goes with", "--history");
    o->engine.listen = !o->who;
    o->engine.sip_port_may_change = o->who && !o->engine.sip_port;
    folders_keep_self(&o->self, &o->engine);
    if (!folders_data("chat.db", o->kept, sizeof o->kept))
        o->kept[0] = '\0';
    return true;
}

bool chat_options_parse(struct chat_options *o, int argc, char **argv)
{
    bool words_only = false;

    *o = (struct chat_options){.folder = "."};
    for (int i = 0; i < argc; i++) {
        const struct option *option = words_only ? NULL : find(argv[i]);

        if (strcmp(argv[i], "--") == 0 && !words_only) {
            words_only = true;
        } else if (!option && (words_only || argv[i][0] != '-')) {
            if (!take_word(o, argv[i]))
                return false;
        } else if (!option) {
            return complain("unknown option", argv[i]);
        } else if (option->kind != FLAG && ++i == argc) {
            return complain("a value is missing behind", option->name);
        } else if (!take_value(o, option, argv[i])) {
            return complain("this does not fit the option before it:", argv[i]);
        }
    }
    return settle(o);
}

void chat_options_help(FILE *to)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        fprintf(to, "  %s %-*s %s\n", options[i].name, 17 - (int)strlen(options[i].name),
                options[i].value ? options[i].value : "", options[i].help);
    fputs(
        "\nIn a chat: /edit TEXT changes what you said last, /send FILE, /take and /refuse answer "
        "a file\nthat is offered, /history [WORDS], /quit; two slashes begin a text with one.\n",
        to);
    options_help_codes(to);
}
