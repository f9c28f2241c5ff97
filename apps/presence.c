/* SPDX-License-Identifier: MIT */
#include "apps/presence.h"

#include "apps/account_open.h"
#include "apps/contacts.h"
#include "apps/folders.h"
#include "apps/hooks.h"
#include "apps/options.h"
#include "apps/parse.h"
#include "apps/presence_show.h"
#include "apps/signals.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 64

struct presence_options {
    const char *words[WORDS_MAX];
    int word_count;
    const char *until, *note, *hook, *bind;
    uint16_t port, seconds;
    bool json, help, no_accounts;
};

static int complain(enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem presence: %s\n", why);
    return (int)code;
}

static int end(enum tandem_status status, const struct tandem_cause *cause)
{
    if (status == TANDEM_OK)
        return EXIT_DONE;
    return complain(status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED, cause->text);
}

struct tandem_presence *presence_open(const char *verb, struct tandem_contacts *contacts)
{
    struct tandem_presence_config config = {.contacts = contacts};
    struct tandem_presence *presence = NULL;
    struct tandem_cause cause = {""};
    char path[400];

    if (folders_settings("presence.conf", path, sizeof path))
        config.path = path;
    if (tandem_presence_create(&config, &presence, &cause) != TANDEM_OK)
        fprintf(stderr, "tandem %s: %s\n", verb, cause.text);
    return presence;
}

/* --- Options ---------------------------------------------------------------------------------- */

static bool take_value(struct presence_options *o, const char *name, const char *value)
{
    if (strcmp(name, "--until") == 0)
        o->until = value;
    else if (strcmp(name, "--note") == 0)
        o->note = value;
    else if (strcmp(name, "--on-presence") == 0)
        o->hook = value;
    else if (strcmp(name, "--bind") == 0)
        o->bind = value;
    else if (strcmp(name, "--port") == 0)
        return parse_u16(value, &o->port);
    else
        return parse_u16(value, &o->seconds);
    return *value != '\0';
}

static bool takes_value(const char *name)
{
    static const char *const names[] = {"--until", "--note", "--on-presence",
                                        "--bind",  "--port", "--seconds"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool parse(struct presence_options *o, int argc, char **argv)
{
    *o = (struct presence_options){.json = false};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            o->help = true;
        } else if (strcmp(argv[i], "--no-accounts") == 0) {
            o->no_accounts = true;
        } else if (takes_value(argv[i])) {
            if (i + 1 == argc || !take_value(o, argv[i], argv[i + 1])) {
                fprintf(stderr, "tandem presence: %s needs a value that fits; see --help\n",
                        argv[i]);
                return false;
            }
            i++;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "tandem presence: unknown option \"%s\"; see --help\n", argv[i]);
            return false;
        } else if (o->word_count == WORDS_MAX) {
            return false;
        } else {
            o->words[o->word_count++] = argv[i];
        }
    }
    return true;
}

/* --- What is ours ----------------------------------------------------------------------------- */

static int show(struct tandem_presence *presence, const struct presence_options *o)
{
    struct tandem_presence_event own;
    char *text = o->json ? tandem_presence_report(presence) : NULL;

    if (o->json) {
        puts(text ? text : "{}");
        tandem_free(text);
        return EXIT_DONE;
    }
    tandem_presence_own(presence, &own);
    (void)snprintf(own.who, sizeof own.who, "me");
    text = presence_show_line(&own, isatty(STDOUT_FILENO));
    puts(text ? text : own.state);
    free(text);
    return EXIT_DONE;
}

static int set(struct tandem_presence *presence, const struct presence_options *o)
{
    struct tandem_cause cause = {""};
    int64_t until = o->until ? presence_show_time_of(o->until) : 0;
    bool automatic = o->word_count == 2 && strcmp(o->words[1], "auto") == 0;
    enum tandem_status status;

    if (o->word_count != 2)
        return complain(EXIT_USAGE,
                        "to what? available, away, busy, offline...; auto sets nothing");
    if (o->until && !until)
        return complain(EXIT_USAGE, "--until takes 14:00, 90m, 2h, 3d or 2026-11-24 08:00");
    status = tandem_presence_set(presence, automatic ? NULL : o->words[1], o->note, until, &cause);
    return status == TANDEM_OK ? show(presence, o) : end(status, &cause);
}

static int print_schedule(struct tandem_presence *presence, bool json)
{
    char *text = tandem_presence_report(presence);
    json_t *report = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *rules = json_object_get(report, "schedule");

    if (json) {
        (void)json_dumpf(rules, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    for (size_t i = 0; !json && i < json_array_size(rules); i++)
        printf("%zu  %s\n", i + 1, json_string_value(json_array_get(rules, i)));
    if (!json && !json_array_size(rules))
        puts("no rules: this device takes calls at any time");
    json_decref(report);
    tandem_free(text);
    return EXIT_DONE;
}

/* "schedule add mon-fri 08:00-18:00 available", in one word or several. */
static int schedule(struct tandem_presence *presence, const struct presence_options *o)
{
    const char *what = o->word_count > 1 ? o->words[1] : "list";
    struct tandem_cause cause = {""};
    char rule[200] = "";
    uint16_t number = 0;

    if (strcmp(what, "list") == 0)
        return print_schedule(presence, o->json);
    for (int i = 2; i < o->word_count; i++) {
        size_t used = strlen(rule);

        (void)snprintf(rule + used, sizeof rule - used, "%s%s", used ? " " : "", o->words[i]);
    }
    if (strcmp(what, "add") == 0 && rule[0])
        return end(tandem_presence_schedule_add(presence, rule, &cause), &cause);
    if (strcmp(what, "remove") == 0 && parse_u16(rule, &number))
        return end(tandem_presence_schedule_remove(presence, number, &cause), &cause);
    return complain(EXIT_USAGE, "schedule list, schedule add \"mon-fri 08:00-18:00\" or schedule "
                                "remove NUMBER");
}

static int decide(struct tandem_presence *presence, const struct presence_options *o)
{
    static const char *const words[] = {"undecided", "allow", "polite", "block"};
    struct tandem_cause cause = {""};
    int policy = 0;

    while (strcmp(words[policy], o->words[0]) != 0)
        policy++;
    if (o->word_count != 2)
        return complain(EXIT_USAGE, "whom? tandem presence allow|polite|block|undecided WHO");
    return end(tandem_presence_decide(presence, o->words[1], (enum tandem_policy)policy, &cause),
               &cause);
}

/* --- Others ----------------------------------------------------------------------------------- */

struct watching {
    const struct presence_options *o;
    struct tandem_presence *presence;
    struct hooks hooks;
};

static void run_hook(struct watching *w, const struct tandem_presence_event *e)
{
    char since[32], until[32];
    const struct hook_fact facts[] = {
        {"TANDEM_EVENT", e->kind == TANDEM_PRESENCE_ASKED ? "asked" : "presence"},
        {"TANDEM_FROM", e->who},
        {"TANDEM_STATE", e->state},
        {"TANDEM_NOTE", e->note},
        {"TANDEM_SINCE", since},
        {"TANDEM_UNTIL", until},
        {NULL, NULL}};

    (void)snprintf(since, sizeof since, "%lld", (long long)e->since_s);
    (void)snprintf(until, sizeof until, "%lld", (long long)e->until_s);
    if (e->kind != TANDEM_PRESENCE_OWN)
        (void)hooks_run(&w->hooks, w->o->hook, facts);
}

static void take_event(struct watching *w, const struct tandem_presence_event *e)
{
    char *line;

    run_hook(w, e);
    if (w->o->json) {
        json_t *object = presence_show_object(e);

        (void)json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
    } else if (e->kind == TANDEM_PRESENCE_ASKED) {
        printf("%s wants to see when you are there: tandem presence allow|polite|block %s\n",
               e->who, e->who);
    } else {
        struct tandem_presence_event shown = *e;

        if (e->kind == TANDEM_PRESENCE_OWN)
            (void)snprintf(shown.who, sizeof shown.who, "me");
        line = presence_show_line(&shown, isatty(STDOUT_FILENO));
        puts(line ? line : shown.state);
        free(line);
    }
    (void)fflush(stdout);
}

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch_on(struct watching *w, struct tandem *engine, int signals)
{
    double until = now_s() + w->o->seconds;

    for (;;) {
        struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                               {.fd = tandem_presence_event_fd(w->presence), .events = POLLIN},
                               {.fd = tandem_event_fd(engine), .events = POLLIN}};
        struct tandem_presence_event event;
        struct tandem_event other;

        (void)poll(fds, 3, 1000);
        while (tandem_presence_next_event(w->presence, &event) == TANDEM_OK)
            take_event(w, &event);
        while (tandem_next_event(engine, &other) == TANDEM_OK) {
            if (other.kind == TANDEM_EVENT_INCOMING)
                (void)tandem_reject(other.call, false);
            else if (other.kind == TANDEM_EVENT_ACCOUNT || other.kind == TANDEM_EVENT_NOTICE)
                fprintf(stderr, "%s\n", other.text);
            if (other.kind == TANDEM_EVENT_ENDED)
                tandem_call_release(other.call);
        }
        hooks_look(&w->hooks);
        if (signals_take(signals) || (w->o->seconds && now_s() >= until))
            return;
    }
}

/* Everybody of the address book who is not marked otherwise. */
static void watch_book(struct tandem_presence *presence, struct tandem_contacts *contacts)
{
    struct tandem_contact_entry c;

    for (uint32_t i = 0; contacts && tandem_contacts_at(contacts, i, &c) == TANDEM_OK; i++)
        if (!c.unwatched && c.address_count)
            (void)tandem_presence_watch(presence, c.id, NULL, NULL);
}

static int watch(struct tandem_presence *presence, const struct presence_options *o,
                 struct tandem_contacts *contacts)
{
    struct watching w = {.o = o, .presence = presence};
    struct tandem_config config = {.presence = presence,
                                   .listen = true,
                                   .sip_port = o->port,
                                   .sip_port_may_change = !o->port,
                                   .bind_address = o->bind};
    struct tandem_cause cause = {""};
    struct tandem *engine = NULL;
    int signals = signals_open();
    enum tandem_status status = tandem_create(&config, &engine, &cause);
    bool invalid;

    if (status == TANDEM_OK && !o->no_accounts)
        (void)account_open_out(engine, NULL, NULL, NULL, &invalid, &cause);
    if (o->word_count == 1)
        watch_book(presence, contacts);
    for (int i = 1; status == TANDEM_OK && i < o->word_count; i++)
        status = tandem_presence_watch(presence, o->words[i], NULL, &cause);
    if (status == TANDEM_OK)
        watch_on(&w, engine, signals);
    hooks_close(&w.hooks);
    tandem_destroy(engine);
    return end(status, &cause);
}

static void help(void)
{
    puts("tandem presence WHAT [options]: who is there, and what others see of you\n\n"
         "  show                         your own state\n"
         "  set STATE                    available, away, busy, meeting, meal, vacation, travel,\n"
         "                               sleeping, working, offline; auto: nothing by hand\n"
         "  schedule list|add RULE|remove NUMBER\n"
         "                               when this device takes calls: \"mon-fri 08:00-18:00\"\n"
         "  watch [WHO...]               prints who comes and goes [the address book]\n"
         "  allow|polite|block|undecided WHO\n"
         "                               who may see you; polite: sees you offline, always\n\n"
         "  --until WHEN       set: 14:00, 90m, 2h, 3d, \"2026-11-24 08:00\"\n"
         "  --note TEXT        set: for those who see you\n"
         "  --on-presence CMD  watch: run this with TANDEM_FROM, TANDEM_STATE, TANDEM_NOTE\n"
         "  --seconds N        watch: so long [until Ctrl-C]\n"
         "  --port PORT        watch: SIP port here [any]\n"
         "  --bind ADDRESS     watch: address to listen on [all]\n"
         "  --no-accounts      watch: straight, whatever accounts there are\n"
         "  --json             the result, or each event, as an object\n"
         "  --help             this text\n");
    options_help_codes(stdout);
}

static int run(struct tandem_presence *presence, const struct presence_options *o,
               struct tandem_contacts *contacts)
{
    const char *what = o->word_count ? o->words[0] : "show";

    if (strcmp(what, "show") == 0)
        return show(presence, o);
    if (strcmp(what, "set") == 0)
        return set(presence, o);
    if (strcmp(what, "schedule") == 0)
        return schedule(presence, o);
    if (strcmp(what, "watch") == 0)
        return watch(presence, o, contacts);
    if (strcmp(what, "allow") == 0 || strcmp(what, "polite") == 0 || strcmp(what, "block") == 0 ||
        strcmp(what, "undecided") == 0)
        return decide(presence, o);
    return complain(EXIT_USAGE, "what? show, set, schedule, watch, allow, polite or block; see "
                                "--help");
}

int presence_run(int argc, char **argv)
{
    struct presence_options o;
    struct tandem_contacts *contacts;
    struct tandem_presence *presence;
    int code = EXIT_FAILED;

    if (!parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        help();
        return EXIT_DONE;
    }
    contacts = contacts_open("presence");
    presence = presence_open("presence", contacts);
    if (presence)
        code = run(presence, &o, contacts);
    tandem_presence_destroy(presence);
    tandem_contacts_close(contacts);
    return code;
}
