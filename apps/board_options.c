/* SPDX-License-Identifier: MIT */
#include "apps/board_options.h"

#include "apps/options.h"
#include "apps/parse.h"

#include <stdlib.h>
#include <string.h>

static const struct option {
    const char *name;
    const char *value; /* NULL: takes none. */
    const char *help;
} options[] = {
    {"--file", "FILE", "with WHO: show and draw on this board instead of that of you two"},
    {"--yes", NULL, "draw with whoever asks, WITHOUT ASKING YOU"},
    {"--name", "NAME", "what stands beside your cursor at the other side [the contact's]"},
    {"--no-window", NULL, "no window; with --json a program draws"},
    {"--once", NULL, "without WHO: end when the first caller is gone"},
    {"--seconds", "N", "end after N seconds together; with open: after N seconds"},
    {"--page", "N", "export: this page, from 1 [png and svg: 1; pdf and excalidraw: all]"},
    {"--scale", "N", "export: pixels of a PNG for one of the board's [1]"},
    {"--at", "TIME",
     "info, export, open, replay: as it was then, in seconds since 1970; only to look at"},
    {"--steps", "N", "replay: this many times between the first and the last work on it [10]"},
    {"--port", "PORT", "SIP port here [5060; with WHO: any]"},
    {"--listen", "ADDRESS", "numeric address to listen on [all]"},
    {"--ports", "RANGE", "A-B: TCP ports for the data channel [1503-1518]"},
    {"--ice", "LIST", "stun: and turn: servers, commas between"},
    {"--no-accounts", NULL, "straight, whatever accounts there are"},
    {"--json", NULL, "one object a line: requests on stdin, answers and events on stdout"},
    {"--help", NULL, "this text"},
};

static bool complain(const char *format, const char *what)
{
    fputs("tandem board: ", stderr);
    fprintf(stderr, format, what);
    fputs("; see tandem board --help\n", stderr);
    return false;
}

static bool parse_number(const char *text, double most, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return end != text && !*end && *number > 0 && *number <= most;
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

static bool take_count(const char *value, double most, int *count)
{
    double number;
    bool good = parse_number(value, most, &number) && number >= 1;

    *count = good ? (int)number : 0;
    return good;
}

static bool take_value(struct board_options *o, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--file", &o->file},
                 {"--name", &o->name},
                 {"--listen", &o->engine.bind_address},
                 {"--ice", &o->engine.ice_servers}};
    double number;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].text = value;
            return *value != 0;
        }
    if (strcmp(name, "--seconds") == 0)
        return parse_number(value, 1e7, &o->seconds);
    if (strcmp(name, "--scale") == 0)
        return parse_number(value, 16, &o->scale);
    if (strcmp(name, "--page") == 0)
        return take_count(value, 1e6, &o->page);
    if (strcmp(name, "--steps") == 0)
        return take_count(value, 1000, &o->steps);
    if (strcmp(name, "--at") == 0) {
        bool good = parse_number(value, 1e11, &number);

        o->at_ms = good ? (int64_t)(number * 1000) : 0;
        return good;
    }
    if (strcmp(name, "--port") == 0)
        return parse_u16(value, &o->engine.sip_port);
    return parse_ports(value, &o->engine);
}

static void take_flag(struct board_options *o, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--yes", &o->yes},   {"--no-window", &o->no_window},
                 {"--once", &o->once}, {"--no-accounts", &o->no_accounts},
                 {"--json", &o->json}, {"--help", &o->help}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].name, name) == 0)
            *flags[i].flag = true;
}

bool board_options_parse(struct board_options *o, int argc, char **argv)
{
    *o = (struct board_options){.steps = 10};
    for (int i = 0; i < argc; i++) {
        const struct option *option = NULL;

        for (size_t k = 0; k < sizeof options / sizeof *options; k++)
            if (strcmp(options[k].name, argv[i]) == 0)
                option = &options[k];
        if (argv[i][0] != '-') {
            if (o->count == BOARD_WORDS_MAX)
                return complain("\"%s\" is too much", argv[i]);
            o->words[o->count++] = argv[i];
        } else if (!option) {
            return complain("no option \"%s\"", argv[i]);
        } else if (!option->value) {
            take_flag(o, argv[i]);
        } else if (++i == argc) {
            return complain("%s needs a value", option->name);
        } else if (!take_value(o, option->name, argv[i])) {
            return complain("%s is no value for that option", argv[i]);
        }
    }
    return true;
}

void board_options_help(FILE *to)
{
    fputs("tandem board [WHO]               draw with WHO, or with whoever calls and asks\n"
          "tandem board open FILE           draw on a file\n"
          "tandem board info FILE           what is in it\n"
          "tandem board export FILE OUT     to OUT.png, .svg, .pdf or .excalidraw\n"
          "tandem board import FILE IN      from .excalidraw, SVG, PDF, PNG, JPEG or WebP\n"
          "tandem board merge FILE OTHER    what OTHER has and FILE has not, into FILE\n"
          "tandem board replay FILE         how it came about\n"
          "tandem board compact FILE        gives up how it came about: a smaller file\n\n",
          to);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char left[40];

        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-20s %s\n", left, options[i].help);
    }
    options_help_codes(to);
}
