/* SPDX-License-Identifier: MIT */
#include "apps/options.h"

#include "apps/folders.h"
#include "apps/parse.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    TEXT,
    FLAG,
    NUMBER16,
    BITS,
    SIZE,
    SECONDS,
    MILLISECONDS,
    LATENCY,
    WAV,
    DIGITS,
    WEB,
    SERVER,
    PATHS,
    RULE
};

#define CALL   1
#define ANSWER 2
#define DEMO   4
#define ALL    (CALL | ANSWER | DEMO)

struct option {
    const char *name;
    enum kind kind;
    size_t at;
    unsigned verbs;
    const char *value, *help;
};

#define MEDIA(field)  offsetof(struct options, media.field)
#define ENGINE(field) offsetof(struct options, engine.field)
#define OWN(field)    offsetof(struct options, field)

static const struct option options[] = {
    {"--video", TEXT, MEDIA(video_source), ALL, "SPEC",
     "what the other side sees: cam[:/dev/video0], screen[:DISPLAY], file:PATH, pattern, off "
     "[cam]"},
    {"--audio", TEXT, MEDIA(audio_source), ALL, "SPEC",
     "what it hears: mic[:DEVICE], file:PATH, tone[:chirp|HZ], off [mic]"},
    {"--sink", TEXT, MEDIA(video_sink), ALL, "SPEC",
     "where its picture goes: window[:TITLE], null, off [window]"},
    {"--speaker", TEXT, MEDIA(audio_sink), ALL, "SPEC",
     "where its sound goes: speaker[:DEVICE], wav:PATH, null, off [speaker]"},
    {"--wav", WAV, 0, ALL, "FILE", "the same as --speaker wav:FILE"},
    {"-c:v", TEXT, MEDIA(video_codecs), ALL, "LIST",
     "video codecs in order: h264,vp8,vp9,av1, or an encoder: x264,openh264; auto: codec, "
     "preset, threads and size by this machine and -b:v [auto]"},
    {"-preset", TEXT, MEDIA(video_preset), ALL, "NAME",
     "preset of the video encoder, as in ffmpeg [by size and rate]"},
    {"-threads", NUMBER16, MEDIA(video_threads), ALL, "N",
     "threads that encode a picture [chosen]"},
    {"-c:a", TEXT, MEDIA(audio_codecs), ALL, "LIST",
     "audio codecs in order: opus,g722,pcmu,pcma, and l16 where both sides name it "
     "[opus,g722,pcmu,pcma]"},
    {"-b:v", BITS, MEDIA(video_bps), ALL, "BITS",
     "video bit rate at most, e.g. 1M or 800k [1500k]"},
    {"-b:a", BITS, MEDIA(audio_bps), ALL, "BITS",
     "audio bit rate; Opus adds redundancy and 4 ms up to 40k a channel [48k a channel, 64k for "
     "music]"},
    {"-ac", NUMBER16, MEDIA(audio_channels), ALL, "N", "audio channels: 1, or 2 for stereo [1]"},
    {"--music", FLAG, MEDIA(audio_music), ALL, NULL,
     "code the sound for music rather than for speech"},
    {"-s", SIZE, 0, ALL, "WxH", "size of the sent picture [1280x720]"},
    {"-r", NUMBER16, MEDIA(fps), ALL, "FPS", "frames a second [30]"},
    {"--frame-ms", MILLISECONDS, MEDIA(audio_frame_us), ALL, "MS",
     "length of an audio frame: 2.5, 5, 10, 20, 40, 60 [10]"},
    {"--budget", LATENCY, MEDIA(latency_ms), ALL, "MS",
     "latency budget of what we see and hear, e.g. 120ms: it is kept to, and the call says when "
     "and where it cannot be [none]"},
    {"--record", TEXT, MEDIA(record_path), CALL | ANSWER, "FILE",
     "record the other side into an MKV"},
    {"--sheet", TEXT, MEDIA(sheet_path), CALL | ANSWER, "FILE",
     "PNG contact sheet of what was shown"},
    {"--snapshot", TEXT, OWN(snapshot), CALL | ANSWER, "FILE", "PNG of the last picture"},
    {"--trace", TEXT, OWN(trace), CALL | ANSWER, "FILE",
     "Chrome-trace JSON of every frame's stages"},
    {"--report", TEXT, OWN(report), CALL | ANSWER, "FILE", "the figures of the call as JSON"},
    {"--out", TEXT, OWN(out), DEMO, "FOLDER", "where the demo's files go [out]"},
    {"--time-code", FLAG, MEDIA(time_code), ALL, NULL,
     "draw the capture time into the picture, and check the other side's"},
    {"--chat", FLAG, MEDIA(channel), CALL | ANSWER, NULL,
     "texts (key c) over a data channel beside the call; else they go as SIP messages"},
    {"--seconds", SECONDS, OWN(seconds), ALL, "N", "hang up after N seconds"},
    {"--ring", NUMBER16, MEDIA(ring_seconds), CALL | ANSWER, "N", "let it ring for N seconds [60]"},
    {"--dtmf", DIGITS, OWN(digits), CALL | ANSWER, "DIGITS",
     "send digits (0-9, *, #, A-D) once the call is up"},
    {"--send", PATHS, 0, CALL | ANSWER, "FILE",
     "send a file or folder once the call is up, beside sound and picture; may come again"},
    {"--share", TEXT, OWN(share), CALL | ANSWER, "WHAT",
     "show our screen beside the call: all, a monitor by its number, window (click it), window:ID, "
     "or "
     "WIDTHxHEIGHT+X+Y; who wants to control it asks (y, n; C takes it back)"},
    {"--assist", FLAG, OWN(assist), CALL | ANSWER, NULL,
     "see the screen that the other side shares, in a window of its own; C asks for control"},
    {"--board", FLAG, OWN(board), CALL | ANSWER, NULL,
     "open the board of you two with the call, in a window of its own; at answer with --auto: when "
     "they open it (key b opens it later)"},
    {"--get", TEXT, OWN(get), CALL | ANSWER, "DIR",
     "take files that are offered, into DIR; each is asked for unless a rule takes it"},
    {"--auto-accept", RULE, 0, CALL | ANSWER, "RULE",
     "with --get: take without asking: all, from:ADDRESS, max:100M, type:image/*, type:.pdf; "
     "commas "
     "between what must all hold; may come again"},
    {"--auto", FLAG, OWN(auto_answer), ANSWER, NULL, "answer without asking"},
    {"--on-call", TEXT, OWN(on_call), ANSWER, "CMD",
     "run this for each call, with TANDEM_FROM in its environment"},
    {"--keep", FLAG, OWN(keep), ANSWER, NULL, "wait for the next call afterwards"},
    {"--port", NUMBER16, ENGINE(sip_port), ALL, "PORT", "SIP port to listen on [5060]"},
    {"--web", WEB, ENGINE(web_port), ANSWER, "PORT",
     "let browsers call too, from a page at http://localhost:PORT/ [no]"},
    {"--web-address", TEXT, ENGINE(web_address), ANSWER, "ADDRESS",
     "address where browsers call [127.0.0.1]"},
    {"--web-token", TEXT, ENGINE(web_token), ANSWER, "TOKEN",
     "what browsers must show, whatever page they call from [only from our own page]"},
    {"--web-cert", TEXT, ENGINE(web_certificate), ANSWER, "FILE",
     "PEM certificate for HTTPS, without which browsers elsewhere have no camera"},
    {"--web-key", TEXT, ENGINE(web_key), ANSWER, "FILE", "its PEM key"},
    {"--bind", TEXT, ENGINE(bind_address), CALL | ANSWER, "ADDRESS", "address to listen on [all]"},
    {"--tls", FLAG, ENGINE(listen_tls), ANSWER, NULL,
     "take calls by TLS (sips:) too, at the port behind the SIP port"},
    {"--ca", TEXT, ENGINE(ca_file), CALL | ANSWER, "FILE",
     "PEM: who may sign certificates of SIP servers and of who is called by sips: [the system's "
     "list]"},
    {"--account", TEXT, OWN(account), CALL, "NAME",
     "call over this account [the one with the address's domain]"},
    {"--accounts", TEXT, OWN(accounts), CALL | ANSWER, "FILE",
     "of accounts [~/.config/tandem/accounts.json]"},
    {"--no-accounts", FLAG, OWN(no_accounts), CALL | ANSWER, NULL,
     "use none: calls go straight, and come so"},
    {"--name", TEXT, ENGINE(display_name), CALL | ANSWER, "NAME", "name that the other side sees"},
    {"--service", TEXT, ENGINE(service), CALL, "SERVER",
     "SIP server by which to ask who cannot be called to call here [none]"},
    {"--service-first", FLAG, ENGINE(service_first), CALL, NULL,
     "ask so at once, instead of when 4 s brought no answer"},
    {"--callback", TEXT, ENGINE(callback), CALL, "ADDRESS",
     "where they can call [this machine's address and port]"},
    {"--call-back", FLAG, ENGINE(may_be_asked_back), ANSWER, NULL,
     "with --auto: also call whoever asks to be called, at whatever address that names"},
    {"--stun", SERVER, 0, ALL, "SERVER",
     "HOST[:PORT] that tells how a NAT shows this machine; may come again"},
    {"--turn", SERVER, 0, ALL, "SERVER",
     "USER:PASSWORD@HOST[:PORT], a relay for when nothing else passes; over TCP with "
     "?transport=tcp behind it, over TLS with turns: before it; may come again"},
    {"--no-port-mapping", FLAG, OWN(no_port_mapping), CALL | ANSWER, NULL,
     "do not have the gateway open ports (UPnP, NAT-PMP)"},
    {"--relay-only", FLAG, ENGINE(relay_only), ALL, NULL,
     "only by the relay: the other side does not learn this machine's addresses"},
    {"--plain", FLAG, ENGINE(allow_plain), ALL, NULL,
     "NOT ENCRYPTED if the other side knows nothing better; such calls are refused otherwise"},
    {"--only-plain", FLAG, ENGINE(only_plain), ALL, NULL,
     "NOT ENCRYPTED at all, to look at packets or to measure"},
    {"--sdes", FLAG, ENGINE(allow_sdes), ALL, NULL,
     "keys in the call set-up, for old phones; whoever carries the set-up can read them"},
    {"--identity", TEXT, ENGINE(identity_path), ALL, "FILE",
     "key and certificate of this user [~/.config/tandem/identity.pem]"},
    {"--json", FLAG, OWN(json), ALL, NULL, "print the outcome as JSON, and nothing else on stdout"},
    {"--quiet", FLAG, OWN(quiet), ALL, NULL, "no line while the call runs"},
    {"--no-keys", FLAG, OWN(no_keys), CALL | ANSWER, NULL, "do not read keys from the terminal"},
    {"--help", FLAG, OWN(help), ALL, NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static unsigned verb_of(const char *verb)
{
    return strcmp(verb, "call") == 0 ? CALL : strcmp(verb, "answer") == 0 ? ANSWER : DEMO;
}

static bool parse_bits(const char *text, uint32_t *bits)
{
    char *end;
    double value = strtod(text, &end);

    if (*end == 'k' || *end == 'K')
        value *= 1e3, end++;
    else if (*end == 'M' || *end == 'm')
        value *= 1e6, end++;
    if (end == text || *end || value < 1 || value > 4e9)
        return false;
    *bits = (uint32_t)value;
    return true;
}

static bool parse_size(const char *text, struct tandem_media *media)
{
    char width[8];
    const char *x = strchr(text, 'x');

    if (!x || x - text >= (ptrdiff_t)sizeof width)
        return false;
    memcpy(width, text, (size_t)(x - text));
    width[x - text] = 0;
    return parse_u16(width, &media->width) && parse_u16(x + 1, &media->height);
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    return end != text && !*end && *seconds > 0 && *seconds < 1e7;
}

/* "2.5" to 2500 microseconds. */
static bool parse_milliseconds(const char *text, uint16_t *us)
{
    char *end;
    double ms = strtod(text, &end);

    if (end == text || *end || !(ms > 0 && ms <= 65))
        return false;
    *us = (uint16_t)(ms * 1000 + 0.5);
    return true;
}

/* "120ms", "120" or "0.12s"; how much is sensible is the engine's to say. */
static bool parse_latency(const char *text, uint16_t *ms)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text)
        return false;
    if (strcmp(end, "s") == 0)
        value *= 1000;
    else if (*end && strcmp(end, "ms") != 0)
        return false;
    if (!(value >= 1 && value <= UINT16_MAX))
        return false;
    *ms = (uint16_t)value;
    return true;
}

/* A list of URIs grows: "--turn ann:secret@relay" is "turn:ann:secret@relay". */
static bool add_server(struct options *o, const char *scheme, const char *text)
{
    size_t used = strlen(o->servers);
    bool is_uri = strncmp(text, "stun:", 5) == 0 || strncmp(text, "turn:", 5) == 0 ||
                  strncmp(text, "turns:", 6) == 0;
    int more = snprintf(o->servers + used, sizeof o->servers - used, "%s%s%s%s", used ? "," : "",
                        is_uri ? "" : scheme, is_uri ? "" : ":", text);

    o->engine.ice_servers = o->servers;
    return *text && more > 0 && (size_t)more < sizeof o->servers - used;
}

static bool add_path(struct options *o, const char *path)
{
    if (!*path || o->send_count == OPTIONS_SEND_MAX)
        return false;
    o->send[o->send_count++] = path;
    return true;
}

static bool take_value(struct options *o, const struct option *option, const char *text)
{
    char *field = (char *)o + option->at;

    switch (option->kind) {
    case SERVER:
        return add_server(o, option->name + 2, text);
    case PATHS:
        return add_path(o, text);
    case RULE:
        return parse_rule(text, o->rules, sizeof o->rules);
    case TEXT:
        memcpy(field, &text, sizeof text);
        return *text != 0;
    case DIGITS:
        memcpy(field, &text, sizeof text);
        return *text != 0 && strspn(text, "0123456789*#ABCD") == strlen(text);
    case NUMBER16:
        return parse_u16(text, (uint16_t *)(void *)field);
    case WEB:
        o->engine.web = true;
        return parse_u16(text, &o->engine.web_port);
    case BITS:
        return parse_bits(text, (uint32_t *)(void *)field);
    case SIZE:
        return parse_size(text, &o->media);
    case MILLISECONDS:
        return parse_milliseconds(text, (uint16_t *)(void *)field);
    case LATENCY:
        return parse_latency(text, (uint16_t *)(void *)field);
    case SECONDS:
        return parse_seconds(text, &o->seconds);
    case WAV:
        o->media.audio_sink = o->sink_text;
        return snprintf(o->sink_text, sizeof o->sink_text, "wav:%s", text) <
               (int)sizeof o->sink_text;
    case FLAG:
        *(bool *)(void *)field = true;
        break;
    }
    return true;
}

static const struct option *find(const char *name, unsigned verb)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (options[i].verbs & verb && strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static bool wrong(const char *verb, const char *what, const char *which)
{
    fprintf(stderr, "tandem %s: %s \"%s\"; see tandem %s --help\n", verb, what, which, verb);
    return false;
}

bool options_parse(struct options *o, const char *verb, int argc, char **argv)
{
    *o = (struct options){.out = "out"};
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i], verb_of(verb));

        if (!option && argv[i][0] == '-')
            return wrong(verb, "unknown option", argv[i]);
        if (!option && (o->to || verb_of(verb) != CALL))
            return wrong(verb, "one word too many:", argv[i]);
        if (!option) {
            o->to = argv[i];
            continue;
        }
        if (option->kind != FLAG && ++i == argc)
            return wrong(verb, "a value is missing behind", option->name);
        if (!take_value(o, option, argv[i])) {
            fprintf(stderr, "tandem %s: \"%s\" does not fit %s %s: %s\n", verb, argv[i],
                    option->name, option->value, option->help);
            return false;
        }
    }
    if (!o->media.video_codecs)
        o->media.video_codecs = "auto";
    if (!o->engine.web && (o->engine.web_address || o->engine.web_token))
        return wrong(verb, "there is no --web PORT to go with", "--web-...");
    if (!o->engine.web_certificate != !o->engine.web_key)
        return wrong(verb, "HTTPS needs both", "--web-cert, --web-key");
    if (!o->engine.service && (o->engine.service_first || o->engine.callback))
        return wrong(verb, "there is no --service SERVER to go with",
                     "--service-first, --callback");
    if (o->rules[0] && !o->get)
        return wrong(verb, "there is no --get DIR to go with", "--auto-accept");
    o->engine.map_ports = verb_of(verb) != DEMO && !o->no_port_mapping;
    if (!o->help)
        folders_keep_self(&o->self, &o->engine);
    if (verb_of(verb) == CALL && !o->to && !o->help) {
        fprintf(stderr, "tandem call: whom? e.g. tandem call 10.0.0.7\n");
        return false;
    }
    return true;
}

void options_help(FILE *to, const char *verb)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[40];

        if (!(options[i].verbs & verb_of(verb)))
            continue;
        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-20s %s\n", left, options[i].help);
    }
    options_help_codes(to);
}

void options_help_codes(FILE *to)
{
    fputs(
        "\nExit codes: 0 done, 1 failed, 2 usage, 3 busy or declined, 4 no answer, 5 unreachable, "
        "6 no common codec, 7 worse than before, 8 not secure\n",
        to);
}
