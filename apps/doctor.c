/* SPDX-License-Identifier: MIT */
#include "apps/doctor.h"

#include "apps/options.h"
#include "tandem/doctor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct doctor_options {
    struct tandem_doctor_config config;
    char servers[1024]; /* Backs config.ice_servers. */
    bool json, quiet, help;
};

static const char *const verdicts[] = {"works", "hindered", "broken", "untested"};
static const char *const marks[] = {"ok", "--", "!!", "  "};

static const struct {
    const char *option, *help;
} helps[] = {
    {"--stun SERVER", "HOST[:PORT]: ask it what NAT there is, and for packet sizes"},
    {"--turn SERVER", "USER:PASSWORD@HOST[:PORT]: try this relay, over UDP and TCP"},
    {"--server URI", "stun:..., turn:...[?transport=tcp] or turns:...; may come again"},
    {"--port PORT", "our SIP port [5060]"},
    {"--channel-port PORT", "of the data channel, here and there [1503]"},
    {"--audio SPEC", "the microphone that calls will use [mic]"},
    {"--video SPEC", "the camera [cam]"},
    {"--speaker SPEC", "the loudspeaker [speaker]"},
    {"--json", "one object on standard output"},
    {"--quiet", "only the services"},
    {"--help", "this text"},
};

static void help(void)
{
    puts("tandem doctor [HOST] [options]: what works here, what does not, why, and what to do\n\n"
         "  HOST is the other side, by address or host name, and is asked, too\n");
    for (size_t i = 0; i < sizeof helps / sizeof *helps; i++)
        printf("  %-22s %s\n", helps[i].option, helps[i].help);
    putchar('\n');
    options_help_codes(stdout);
}

static bool add_server(struct doctor_options *o, const char *scheme, const char *text,
                       const char *query)
{
    size_t used = strlen(o->servers);
    int size = snprintf(o->servers + used, sizeof o->servers - used, "%s%s%s%s", used ? "," : "",
                        scheme, text, query);

    if (size < 0 || (size_t)size >= sizeof o->servers - used) {
        fputs("tandem doctor: too many servers\n", stderr);
        return false;
    }
    o->config.ice_servers = o->servers;
    return true;
}

static bool port_of(const char *text, uint16_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*end || end == text || value == 0 || value > 65535) {
        fprintf(stderr, "tandem doctor: \"%s\" is no port: 1 to 65535\n", text);
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* An option with a value; false after a message. */
static bool take(struct doctor_options *o, const char *name, const char *value)
{
    struct tandem_doctor_config *c = &o->config;

    if (strcmp(name, "--stun") == 0)
        return add_server(o, strncmp(value, "stun:", 5) == 0 ? "" : "stun:", value, "");
    if (strcmp(name, "--turn") == 0 && strncmp(value, "turn", 4) == 0 && strchr(value, ':'))
        return add_server(o, "", value, "");
    if (strcmp(name, "--turn") == 0)
        return add_server(o, "turn:", value, "") && add_server(o, "turn:", value, "?transport=tcp");
    if (strcmp(name, "--server") == 0)
        return add_server(o, "", value, "");
    if (strcmp(name, "--port") == 0)
        return port_of(value, &c->sip_port);
    if (strcmp(name, "--channel-port") == 0)
        return port_of(value, &c->channel_port);
    if (strcmp(name, "--audio") == 0)
        c->audio_source = value;
    else if (strcmp(name, "--video") == 0)
        c->video_source = value;
    else if (strcmp(name, "--speaker") == 0)
        c->audio_sink = value;
    else {
        fprintf(stderr, "tandem doctor: no option %s; see tandem doctor --help\n", name);
        return false;
    }
    return true;
}

static bool parse(struct doctor_options *o, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--quiet") == 0) {
            o->quiet = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            o->help = true;
        } else if (argv[i][0] == '-') {
            if (i + 1 == argc && strncmp(argv[i], "--", 2) == 0) {
                fprintf(stderr, "tandem doctor: %s needs a value, or is no option\n", argv[i]);
                return false;
            }
            if (i + 1 == argc || !take(o, argv[i], argv[i + 1]))
                return false;
            i++;
        } else if (o->config.host) {
            fprintf(stderr, "tandem doctor: one host at a time, not \"%s\" too\n", argv[i]);
            return false;
        } else {
            o->config.host = argv[i];
        }
    }
    return true;
}

static void print_finding(const struct tandem_finding *f)
{
    printf(" %s %-15s %s", marks[f->verdict], f->check, f->found);
    if (f->ms > 0)
        printf(" (%.1f ms)", f->ms);
    putchar('\n');
    if (f->advice[0])
        printf("    %-15s -> %s\n", "", f->advice);
    (void)fflush(stdout);
}

static json_t *object_of(const char *name, const char *text, enum tandem_verdict verdict,
                         const char *key, const char *found, const char *advice)
{
    return json_pack("{s:s, s:s, s:s, s:s}", name, text, "verdict", verdicts[verdict], key, found,
                     "advice", advice);
}

/* Prints every service, or appends it to `list`. @return whether all work or were not tested. */
static bool sum_up(struct tandem_doctor *doctor, bool quiet, json_t *list)
{
    bool well = true;

    if (!list && !quiet)
        putchar('\n');
    for (int s = 0; s < TANDEM_SERVICES; s++) {
        struct tandem_service_state state;

        tandem_doctor_service(doctor, (enum tandem_service)s, &state);
        well &= state.verdict == TANDEM_WORKS || state.verdict == TANDEM_UNTESTED;
        if (list)
            json_array_append_new(list, object_of("service", state.name, state.verdict, "path",
                                                  state.path, state.advice));
        else
            printf("%-8s %-9s %s%s%s\n", state.name, verdicts[state.verdict], state.path,
                   state.advice[0] ? "; " : "", state.advice);
    }
    return well;
}

int doctor_run(int argc, char **argv)
{
    struct doctor_options o = {.json = false};
    struct tandem_cause cause = {""};
    struct tandem_finding finding;
    struct tandem_doctor *doctor;

    if (!parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        help();
        return EXIT_DONE;
    }
    if (tandem_doctor_create(&o.config, &doctor, &cause) != TANDEM_OK) {
        fprintf(stderr, "tandem doctor: %s\n", cause.text);
        return EXIT_USAGE;
    }
    json_t *checks = o.json ? json_array() : NULL, *services = o.json ? json_array() : NULL;

    while (tandem_doctor_next(doctor, &finding) == TANDEM_OK) {
        if (!checks && !o.quiet)
            print_finding(&finding);
        if (!checks)
            continue;
        json_t *entry = object_of("check", finding.check, finding.verdict, "found", finding.found,
                                  finding.advice);

        if (finding.ms > 0)
            json_object_set_new(entry, "ms", json_real(finding.ms));
        json_array_append_new(checks, entry);
    }
    bool well = sum_up(doctor, o.quiet, services);

    tandem_doctor_destroy(doctor);
    if (o.json) {
        json_t *root = json_pack("{s:o, s:o}", "services", services, "checks", checks);

        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    }
    return fflush(stdout) == 0 && well ? EXIT_DONE : EXIT_FAILED;
}
