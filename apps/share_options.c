/* SPDX-License-Identifier: MIT */
#include "apps/share_options.h"

#include "apps/folders.h"
#include "apps/options.h"
#include "apps/parse.h"

#include <stdlib.h>
#include <string.h>

enum whose { BOTH, SHARE_ONLY, ASSIST_ONLY };

static const struct option {
    const char *name;
    const char *value; /* NULL: takes none. */
    enum whose whose;
    const char *help;
} options[] = {
    {"--screen", "WHAT", SHARE_ONLY,
     "all, a monitor by its number from 1, window (click it; Escape or the right button cancels), "
     "window:ID, or WIDTHxHEIGHT+X+Y [all]"},
    {"--never", "LIST", SHARE_ONLY,
     "windows that are never shown, by a part of class or title, commas between; grey stands in "
     "their place"},
    {"--control", "HOW", SHARE_ONLY,
     "ask: the other side may ask to point and type, and you answer; never: it cannot even ask "
     "[ask]"},
    {"--allow", "LIST", SHARE_ONLY,
     "WITHOUT ASKING YOU, while this runs: view, pointer, keyboard, clipboard, files, annotate; "
     "commas between"},
    {"--for", "TIME", SHARE_ONLY, "what --allow gives ends after TIME, like 90, 10m or 2h [10m]"},
    {"--end-key", "KEY", SHARE_ONLY, "ends it all, pressed anywhere on the screen [ctrl+alt+End]"},
    {"--log", "FILE", SHARE_ONLY, "a line for each change of what is allowed [none]"},
    {"--desktop", "SPEC", SHARE_ONLY,
     "x11[:DISPLAY], or pattern[:NAME] for a test picture [x11 of $DISPLAY]"},
    {"--ask", "LIST", ASSIST_ONLY,
     "ask for more than sight at once: pointer, keyboard, clipboard, files, annotate (draw on it); "
     "commas between"},
    {"--snapshot", "FILE", ASSIST_ONLY, "PNG of the picture, to the last pixel, at the end"},
    {"--no-window", NULL, ASSIST_ONLY, "show nothing"},
    {"--board", "FILE", BOTH,
     "frozen frames, with what is drawn over them, become pages of this board (key f)"},
    {"--sound", NULL, BOTH,
     "what the desktop plays: give it, and hear it; not together with --voice at the one who "
     "gives"},
    {"--voice", NULL, BOTH, "talk, too; key v adds and drops it"},
    {"--audio", "SPEC", BOTH, "with voice: mic[:DEVICE], file:PATH, tone [mic]"},
    {"--speaker", "SPEC", BOTH, "with voice: speaker[:DEVICE], wav:PATH, null [speaker]"},
    {"--once", NULL, BOTH, "without WHO: end when the first caller is gone"},
    {"--seconds", "N", BOTH, "end after N seconds of sharing"},
    {"--port", "PORT", BOTH, "SIP port here [5060; with WHO: any]"},
    {"--listen", "ADDRESS", BOTH, "numeric address to listen on [all]"},
    {"--ports", "RANGE", BOTH, "A-B: TCP ports for the data channel [1503-1518]"},
    {"--ice", "LIST", BOTH, "stun: and turn: servers, commas between"},
    {"--no-accounts", NULL, BOTH, "straight, whatever accounts there are"},
    {"--json", NULL, BOTH,
     "one object a line: every event, and the outcome; takes requests about annotations on stdin"},
    {"--quiet", NULL, BOTH, "no figures while it runs"},
    {"--help", NULL, BOTH, "this text"},
};

static const struct {
    const char *name;
    unsigned scopes;
} names[] = {
    {"view", TANDEM_SHARE_VIEW},
    {"point", TANDEM_SHARE_POINT},
    {"pointer", TANDEM_SHARE_POINTER},
    {"keyboard", TANDEM_SHARE_KEYBOARD},
    {"clipboard", TANDEM_SHARE_CLIPBOARD_IN | TANDEM_SHARE_CLIPBOARD_OUT},
    {"clipboard-in", TANDEM_SHARE_CLIPBOARD_IN},
    {"clipboard-out", TANDEM_SHARE_CLIPBOARD_OUT},
    {"files", TANDEM_SHARE_FILES},
    {"annotate", TANDEM_SHARE_ANNOTATE},
};

#define NAME_COUNT (sizeof names / sizeof *names)

bool share_scopes_parse(const char *text, unsigned *scopes)
{
    *scopes = 0;
    for (const char *at = text; *at;) {
        size_t size = strcspn(at, ","), i = 0;

        while (i < NAME_COUNT &&
               (strlen(names[i].name) != size || memcmp(names[i].name, at, size) != 0))
            i++;
        if (i == NAME_COUNT)
            return false;
        *scopes |= names[i].scopes;
        at += size + (at[size] == ',');
    }
    return *scopes != 0;
}

const char *share_scopes_text(unsigned scopes, char *text, size_t capacity)
{
    unsigned left = scopes;

    (void)snprintf(text, capacity, "%s", scopes ? "" : "nothing");
    for (size_t i = 0; i < NAME_COUNT; i++) {
        size_t used = strlen(text);

        if (!(left & names[i].scopes) || names[i].scopes & ~left)
            continue;
        left &= ~names[i].scopes;
        (void)snprintf(text + used, capacity - used, "%s%s", used ? ", " : "", names[i].name);
    }
    return text;
}

static const char *verb(bool giving)
{
    return giving ? "share" : "assist";
}

static bool complain(const struct share_options *o, const char *format, const char *what)
{
    fprintf(stderr, "tandem %s: ", verb(o->giving));
    fprintf(stderr, format, what);
    fprintf(stderr, "; see tandem %s --help\n", verb(o->giving));
    return false;
}

static bool complain_value(const struct share_options *o, const char *option, const char *value)
{
    char text[300];

    (void)snprintf(text, sizeof text, "\"%.200s\" does not fit %s", value, option);
    return complain(o, "%s", text);
}

static bool parse_time(const char *text, double most, double *seconds)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || !(value > 0))
        return false;
    if (*end && !end[1] && strchr("smh", *end))
        value *= *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
    else if (*end)
        return false;
    *seconds = value;
    return value <= most;
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

/* Texts that are taken as they are. */
static const char **text_of(struct share_options *o, const char *name)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"--screen", &o->offer.what},
        {"--never", &o->share.never},
        {"--end-key", &o->share.revoke_key},
        {"--log", &o->share.log_path},
        {"--desktop", &o->share.desktop},
        {"--snapshot", &o->snapshot},
        {"--board", &o->board},
        {"--audio", &o->audio},
        {"--speaker", &o->speaker},
        {"--listen", &o->engine.bind_address},
        {"--ice", &o->engine.ice_servers},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0)
            return texts[i].text;
    return NULL;
}

static bool take_value(struct share_options *o, const char *name, const char *value)
{
    const char **text = text_of(o, name);
    double seconds = 0;

    if (text) {
        *text = value;
        return *value != 0;
    }
    if (strcmp(name, "--control") == 0) {
        o->offer.view_only = strcmp(value, "never") == 0;
        return o->offer.view_only || strcmp(value, "ask") == 0;
    }
    if (strcmp(name, "--allow") == 0)
        return share_scopes_parse(value, &o->offer.allow);
    if (strcmp(name, "--ask") == 0)
        return share_scopes_parse(value, &o->ask);
    if (strcmp(name, "--seconds") == 0)
        return parse_time(value, 1e7, &o->seconds);
    if (strcmp(name, "--for") == 0) {
        bool fits = parse_time(value, 8 * 3600, &seconds);

        o->offer.allow_s = (uint32_t)seconds;
        return fits;
    }
    if (strcmp(name, "--port") == 0) {
        o->engine.sip_port_may_change = false;
        return parse_u16(value, &o->engine.sip_port);
    }
    return parse_ports(value, &o->engine);
}

static void take_flag(struct share_options *o, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--no-window", &o->no_window},
                 {"--voice", &o->voice},
                 {"--sound", &o->sound},
                 {"--once", &o->once},
                 {"--no-accounts", &o->no_accounts},
                 {"--json", &o->json},
                 {"--quiet", &o->quiet},
                 {"--help", &o->help}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].name, name) == 0)
            *flags[i].flag = true;
}

static const struct option *find(const char *name, bool giving)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0 &&
            options[i].whose != (giving ? ASSIST_ONLY : SHARE_ONLY))
            return &options[i];
    return NULL;
}

/* Contacts know this user again by what lies in the settings. */
static void keep_identity(struct share_options *o)
{
    if (folders_settings("identity.pem", o->identity, sizeof o->identity) &&
        folders_settings("known", o->known, sizeof o->known)) {
        o->engine.identity_path = o->identity;
        o->engine.known_path = o->known;
    }
}

bool share_options_parse(struct share_options *o, bool giving, int argc, char **argv)
{
    *o = (struct share_options){.giving = giving};
    o->offer.allow_s = 600;
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i], giving);

        if (argv[i][0] != '-') {
            if (o->who)
                return complain(o, "\"%s\" is too much", argv[i]);
            o->who = argv[i];
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
    if (o->offer.view_only && o->offer.allow & ~(unsigned)TANDEM_SHARE_VIEW)
        return complain(o, "%s", "--control never and --allow contradict each other");
    if (giving && o->sound && o->voice)
        return complain(o, "%s", "--sound takes the place of --voice");
    o->engine.sip_port_may_change |= o->who && !o->engine.sip_port;
    o->engine.listen = !o->who;
    if (!o->help)
        keep_identity(o);
    return true;
}

void share_options_help(FILE *to, bool giving)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char left[40];

        if (options[i].whose == (giving ? ASSIST_ONLY : SHARE_ONLY))
            continue;
        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-20s %s\n", left, options[i].help);
    }
    fputs("\nKeys in the terminal: ", to);
    fputs(giving ? "y and n answer a question, r takes control back, f freezes, v talks or not, q "
                   "ends\n"
                 : "c asks for pointer and keyboard, r gives them back, f freezes, v talks or not, "
                   "q ends\n",
          to);
    options_help_codes(to);
}

void share_tell_choice(const char *what)
{
    if (what && strcmp(what, "window") == 0)
        fprintf(stderr, "click the window to be shown; Escape or the right button cancels\n");
}
