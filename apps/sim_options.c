/* SPDX-License-Identifier: MIT */
#include "apps/sim.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 100000

enum kind { FLAG, TEXT, SEEDS, ENCODER };

static const struct option {
    const char *name;
    enum kind kind;
    size_t at;
    const char *value, *help;
} options[] = {
    {"--list", FLAG, offsetof(struct sim_options, list), NULL, "name all scenarios, a line each"},
    {"--seeds", SEEDS, 0, "RANGE", "run each so many times, drawn from the seeds A..B [1..5]"},
    {"--peer", TEXT, offsetof(struct sim_options, peer), "NAME",
     "only this contender: tandem, or one of the models beside it [all]"},
    {"--trace", TEXT, offsetof(struct sim_options, trace), "FILE",
     "in place of what is drawn, for scenarios that take one: --list marks them with +"},
    {"--encoder", ENCODER, 0, "PARTS",
     "FILL,SPREAD: pictures take so many per cent of what they may, and vary so [97,3]"},
    {"--check", FLAG, offsetof(struct sim_options, check), NULL,
     "exit code 7 when a goal is not met by tandem's mean over the seeds"},
    {"--json", FLAG, offsetof(struct sim_options, json), NULL,
     "one object on stdout, in place of the tables"},
    {"--curves", FLAG, offsetof(struct sim_options, curves), NULL,
     "with --json: what each run was like over time"},
    {"--quiet", FLAG, offsetof(struct sim_options, quiet), NULL, "no line while it runs"},
    {"--help", FLAG, offsetof(struct sim_options, help), NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

/* A number alone; false for signs, blanks and what does not fit. */
static bool parse_number(const char *text, const char *end, uint64_t *value)
{
    *value = 0;
    if (text == end || end - text > 18)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *value = *value * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

/* "7" or "1..20". */
static bool parse_seeds(const char *text, struct sim_options *o)
{
    const char *end = text + strlen(text), *dots = strstr(text, "..");

    if (!parse_number(text, dots ? dots : end, &o->first))
        return false;
    o->last = o->first;
    return (!dots || parse_number(dots + 2, end, &o->last)) && o->last >= o->first &&
           o->last - o->first < SEEDS_MAX;
}

/* "85,20". */
static bool parse_encoder(const char *text, struct sim_options *o)
{
    const char *end = text + strlen(text), *comma = strchr(text, ',');
    uint64_t fill, spread;

    if (!comma || !parse_number(text, comma, &fill) || !parse_number(comma + 1, end, &spread) ||
        fill < 1 || fill > 200 || spread < 1 || spread > 100)
        return false;
    o->fill = (double)fill / 100;
    o->spread = (double)spread / 100;
    return true;
}

static bool wrong(const char *what, const char *which)
{
    fprintf(stderr, "tandem sim: %s \"%s\"; see tandem sim --help\n", what, which);
    return false;
}

static bool take_option(struct sim_options *o, int argc, char **argv, int *i)
{
    const struct option *option = find(argv[*i]);

    if (!option)
        return wrong("unknown option", argv[*i]);
    char *field = (char *)o + option->at;

    if (option->kind == FLAG) {
        *(bool *)(void *)field = true;
        return true;
    }
    if (++*i == argc)
        return wrong("a value is missing behind", option->name);
    if (option->kind == SEEDS)
        return parse_seeds(argv[*i], o) ||
               wrong("seeds are a number or two, as in --seeds 1..20, at most 100000, not",
                     argv[*i]);
    if (option->kind == ENCODER)
        return parse_encoder(argv[*i], o) ||
               wrong("an encoder is two percentages, as in --encoder 85,20, not", argv[*i]);
    memcpy(field, &argv[*i], sizeof argv[*i]);
    return *argv[*i] || wrong("a value is missing behind", option->name);
}

bool sim_options_parse(struct sim_options *o, int argc, char **argv)
{
    *o = (struct sim_options){.first = 1, .last = 5};
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] == '-') {
            if (!take_option(o, argc, argv, &i))
                return false;
        } else if (o->word_count == SIM_WORDS_MAX) {
            return wrong("one word too many:", argv[i]);
        } else {
            o->words[o->word_count++] = argv[i];
        }
    }
    if (!o->word_count && !o->list && !o->help) {
        fputs("tandem sim: which? tandem sim --list names them, e.g. tandem sim rfc8867-1\n",
              stderr);
        return false;
    }
    return !o->curves || o->json || wrong("curves are only in --json; add it to", "--curves");
}

void sim_options_help(FILE *to)
{
    fputs("tandem sim SCENARIO... [options]: named situations in virtual time, and what the engine "
          "makes of them\n\n"
          "SCENARIO is a name or a family of --list, or all. Each run is drawn from a seed and the "
          "same on\nevery machine; figures are means over the seeds.\n\n",
          to);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[32];

        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-16s %s\n", left, options[i].help);
    }
}
