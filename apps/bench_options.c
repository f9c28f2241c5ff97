/* SPDX-License-Identifier: MIT */
#include "apps/bench.h"
#include "apps/options.h"
#include "apps/parse.h"

#include <stddef.h>
#include <string.h>

enum kind { TEXT, FLAG, NUMBER16 };

#define CODEC   1
#define CALL    2
#define COSTS   4
#define CHANNEL 8
#define CONNECT 16
#define LATER   32 /* Needs what this build has not. */
#define ALL     (CODEC | CALL | COSTS | CHANNEL | CONNECT | LATER)

static const struct bench {
    const char *name;
    unsigned id;
    const char *help;
} benches[] = {
    {"codec", CODEC, "what the codecs of this build cost: latency, quality, bytes"},
    {"call", CALL,
     "whole calls from outside, glass to glass and mouth to ear, beside other programs"},
    {"costs", COSTS, "what calls choose their encoder by, measured once in a few seconds"},
    {"screen", LATER, "not in this build: sharing a screen, which it cannot do yet"},
    {"channel", CHANNEL,
     "the data channel: how late an urgent word is under a file, how fast the file, beside nc, scp "
     "and rsync"},
    {"connect", CONNECT, "from the answer to the first sound, by each kind of way"},
};

#define BENCH_COUNT (sizeof benches / sizeof *benches)

struct option {
    const char *name;
    enum kind kind;
    size_t at;
    unsigned benches;
    const char *value, *help;
};

#define CONFIG(field) offsetof(struct bench_options, config.field)
#define OWN(field)    offsetof(struct bench_options, field)

static const struct option options[] = {
    {"--codecs", TEXT, CONFIG(codecs), CODEC, "LIST",
     "encoders or codecs, each with a preset if wanted: x264, h264, vp8:12, opus, all [each with "
     "the preset that calls use, one faster and one slower]"},
    {"--sizes", TEXT, CONFIG(sizes), CODEC, "LIST", "[640x480,1280x720,1920x1080]"},
    {"--content", TEXT, CONFIG(content), CODEC, "LIST",
     "camera, text, scroll, slides, game, or NAME=FILE for a clip of your own [all five]"},
    {"--rates", TEXT, CONFIG(rates), CODEC, "LIST",
     "video bit rates for every size, e.g. 500k,1.5M [three that suit each size]"},
    {"-r", NUMBER16, CONFIG(fps), CODEC, "FPS", "frames a second [30]"},
    {"--threads", NUMBER16, CONFIG(threads), CODEC, "N", "threads of an encoder [1]"},
    {"--rounds", NUMBER16, CONFIG(rounds), CODEC | CONNECT, "N",
     "measure each cell or way so many times, in turns with the others"},
    {"--frames", NUMBER16, CONFIG(frames), CODEC, "N", "frames of a round, after its warm-up [60]"},
    {"--no-audio", FLAG, CONFIG(no_audio), CODEC, NULL, "leave the audio codecs out"},
    {"--quick", FLAG, CONFIG(quick), CODEC | CALL | CHANNEL | CONNECT, NULL,
     "codec: a small choice that ends within a minute; call, channel: one short run of each "
     "program; connect: three rounds"},
    {"--again", FLAG, OWN(again), COSTS, NULL, "measure anew, though it was measured before"},
    {"--json", TEXT, OWN(json), CODEC | CALL | COSTS | CHANNEL | CONNECT, "FILE",
     "the report as JSON; - for stdout, and no table"},
    {"--html", TEXT, OWN(html), CODEC, "FILE", "the report as one page for a browser"},
    {"--compare", TEXT, OWN(compare), CODEC, "FILE",
     "an older report: tells what changed; exit code 7 when something is worse"},
    {"--from", TEXT, OWN(from), CODEC, "FILE",
     "show, write and compare this stored report, and measure nothing"},
    {"--against", TEXT, OWN(against), CALL, "LIST", "other programs: baresip, gstreamer [both]"},
    {"--quiet", FLAG, OWN(quiet), ALL, NULL, "no line while it runs"},
    {"--help", FLAG, OWN(help), ALL, NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static const struct bench *bench_named(const char *name)
{
    for (size_t i = 0; name && i < BENCH_COUNT; i++)
        if (strcmp(benches[i].name, name) == 0)
            return &benches[i];
    return NULL;
}

static bool wrong(const char *what, const char *which)
{
    fprintf(stderr, "tandem bench: %s \"%s\"; see tandem bench --help\n", what, which);
    return false;
}

static bool take_value(struct bench_options *o, const struct option *option, const char *text)
{
    char *field = (char *)o + option->at;

    switch (option->kind) {
    case TEXT:
        memcpy(field, &text, sizeof text);
        return *text != 0;
    case NUMBER16:
        return parse_u16(text, (uint16_t *)(void *)field);
    case FLAG:
        *(bool *)(void *)field = true;
        break;
    }
    return true;
}

/* Takes the option at argv[*i] and its value. */
static bool take_option(struct bench_options *o, const struct bench *bench, int argc, char **argv,
                        int *i)
{
    const struct option *option = find(argv[*i]);

    if (!option)
        return wrong("unknown option", argv[*i]);
    if (bench && !(option->benches & bench->id)) {
        fprintf(stderr, "tandem bench %s: takes no %s; see tandem bench --help\n", bench->name,
                option->name);
        return false;
    }
    if (option->kind != FLAG && ++*i == argc)
        return wrong("a value is missing behind", option->name);
    if (take_value(o, option, argv[*i]))
        return true;
    fprintf(stderr, "tandem bench: \"%s\" does not fit %s %s: %s\n", argv[*i], option->name,
            option->value, option->help);
    return false;
}

/* The ones of the config say what to measure. */
static const char *given_for_measuring(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i]);

        if (!option)
            continue;
        if (option->at - offsetof(struct bench_options, config) <
            sizeof(struct tandem_bench_config))
            return option->name;
        i += option->kind != FLAG;
    }
    return NULL;
}

static bool allows_from(const struct bench_options *o, int argc, char **argv)
{
    const char *other = o->from ? given_for_measuring(argc, argv) : NULL;

    if (other)
        fprintf(stderr,
                "tandem bench codec: --from shows a stored report and measures nothing, so %s "
                "does not go with it\n",
                other);
    return !other;
}

bool bench_options_parse(struct bench_options *o, int argc, char **argv)
{
    const struct bench *bench = NULL;

    *o = (struct bench_options){.what = NULL};
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] == '-') {
            if (!take_option(o, bench, argc, argv, &i))
                return false;
            continue;
        }
        if (bench)
            return wrong("one word too many:", argv[i]);
        bench = bench_named(argv[i]);
        if (!bench)
            return wrong("there is no bench", argv[i]);
        o->what = bench->name;
    }
    if (!o->what && !o->help) {
        fprintf(stderr, "tandem bench: of what? e.g. tandem bench codec --quick\n");
        return false;
    }
    return allows_from(o, argc, argv);
}

void bench_options_help(FILE *to)
{
    fprintf(to, "tandem bench WHAT [options]: what codecs and calls cost on this machine\n\n");
    for (size_t i = 0; i < BENCH_COUNT; i++)
        fprintf(to, "  %-10s %s\n", benches[i].name, benches[i].help);
    fputc('\n', to);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        unsigned only = options[i].benches;
        char left[40];

        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-20s %s%s\n", left,
                only == CODEC   ? "codec: "
                : only == CALL  ? "call: "
                : only == COSTS ? "costs: "
                                : "",
                options[i].help);
    }
    options_help_codes(to);
}
