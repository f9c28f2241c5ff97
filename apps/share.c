/* SPDX-License-Identifier: MIT */
#include "apps/share.h"

#include "apps/account_open.h"
#include "apps/contacts.h"
#include "apps/line.h"
#include "apps/options.h"
#include "apps/share_options.h"
#include "apps/signals.h"
#include "apps/terminal.h"
#include "tandem/board.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS      200
#define LINE_EVERY_S 1.0
#define CONTROL      (TANDEM_SHARE_POINTER | TANDEM_SHARE_KEYBOARD)
#define CONTROL_ALL                                                                                \
    (CONTROL | TANDEM_SHARE_CLIPBOARD_IN | TANDEM_SHARE_CLIPBOARD_OUT | TANDEM_SHARE_FILES |       \
     TANDEM_SHARE_ANNOTATE)

/* One side, while the verb runs. */
struct side {
    struct share_options *o;
    struct terminal terminal;
    struct line line; /* --json: what comes on stdin. */
    bool input;
    struct tandem *engine;
    struct tandem_share *share;
    struct tandem_board *board; /* For frozen frames; NULL: none. */
    struct tandem_call *call;
    int signals;
    bool stop, up, was_up, was_shown, was_refused, voice, has_voice;
    int interrupts, end_value;
    unsigned asked; /* share: a question that waits for y or n. */
    unsigned allowed;
    double shown_at_s, line_at_s;
    char peer[256], reason[512];
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(struct side *s, const char *text)
{
    terminal_print(&s->terminal, text);
}

static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    (void)fflush(stdout);
    json_decref(object);
}

static const char *verb(const struct side *s)
{
    return s->o->giving ? "share" : "assist";
}

static void tell(struct side *s, const char *event, unsigned scopes, uint32_t seconds,
                 const char *line)
{
    char text[160];

    if (s->o->json)
        print_json(json_pack("{s:s, s:s, s:s, s:I, s:s}", "event", event, "peer", s->peer, "scopes",
                             share_scopes_text(scopes, text, sizeof text), "seconds",
                             (json_int_t)seconds, "text", line));
    if (*line)
        say(s, line);
}

static struct tandem_media media_of(const struct side *s)
{
    const struct share_options *o = s->o;
    bool plays = o->giving && o->sound, hears = o->voice || (!o->giving && o->sound);

    return (struct tandem_media){.video_source = "off",
                                 .video_sink = "off",
                                 .audio_source = o->voice ? (o->audio ? o->audio : "mic")
                                                 : plays  ? "desktop"
                                                          : "off",
                                 .audio_sink = !hears       ? "off"
                                               : o->speaker ? o->speaker
                                                            : "speaker",
                                 .audio_music = plays,
                                 .channel = true,
                                 .share = s->share};
}

static void fail(struct side *s, int end_value, const char *why)
{
    s->stop = true;
    s->end_value = end_value;
    (void)snprintf(s->reason, sizeof s->reason, "%s", why);
}

static void dial(struct side *s)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};
    enum tandem_status status = tandem_dial(s->engine, s->o->who, &media, &s->call, &cause);

    if (status == TANDEM_OK)
        return;
    s->call = NULL;
    fail(s, status == TANDEM_UNREACHABLE ? TANDEM_END_UNREACHABLE : TANDEM_END_FAILED, cause.text);
}

static void incoming(struct side *s, const struct tandem_event *e)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};

    if (s->call) {
        (void)tandem_reject(e->call, true);
        return;
    }
    (void)snprintf(s->peer, sizeof s->peer, "%s", e->text);
    if (tandem_answer(e->call, &media, &cause) == TANDEM_OK) {
        s->call = e->call;
        if (!s->o->giving)
            (void)tandem_share_ask(s->share, TANDEM_SHARE_VIEW | s->o->ask);
    } else {
        say(s, cause.text);
        (void)tandem_reject(e->call, false);
    }
}

static void call_ended(struct side *s, const struct tandem_event *e)
{
    bool ours = e->call == s->call;

    tandem_call_release(e->call);
    if (!ours)
        return;
    s->call = NULL;
    s->up = false;
    s->voice = s->has_voice = s->o->voice;
    s->asked = s->allowed = 0;
    s->end_value = e->value;
    if (!s->was_refused) /* Which says more. */
        (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
    if (s->o->who || s->o->once)
        s->stop = true;
    else
        tell(s, "ended", 0, 0, e->text);
}

static void call_event(struct side *s, const struct tandem_event *e)
{
    switch (e->kind) {
    case TANDEM_EVENT_INCOMING:
        incoming(s, e);
        break;
    case TANDEM_EVENT_CHANNEL:
        if (e->call != s->call)
            break;
        s->up = e->value == TANDEM_CHANNEL_UP;
        s->was_up |= s->up;
        say(s, e->text);
        if (e->value == TANDEM_CHANNEL_NONE || e->value == TANDEM_CHANNEL_FAILED) {
            (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
            (void)tandem_hangup(s->call);
        }
        break;
    case TANDEM_EVENT_STRANGER:
        tell(s, "stranger", 0, 0, e->text);
        break;
    case TANDEM_EVENT_NOTICE:
        say(s, e->text);
        break;
    case TANDEM_EVENT_ENDED:
        call_ended(s, e);
        break;
    default:
        break;
    }
}

static void question(struct side *s, const struct tandem_share_event *e)
{
    char line[1100], scopes[160];

    share_scopes_text(e->scopes, scopes, sizeof scopes);
    (void)snprintf(line, sizeof line, "%s asks for: %s. %s", s->peer, scopes, e->text);
    tell(s, "asked", e->scopes, e->seconds, line);
    if (!s->terminal.keys) {
        say(s, "refused: nobody can be asked here; see --allow");
        (void)tandem_share_answer(s->share, s->allowed, 0, NULL);
        return;
    }
    s->asked = e->scopes;
    terminal_forget_keys(&s->terminal);
    if (e->seconds)
        (void)snprintf(line, sizeof line, "read it first; in %u s y allows it, n refuses it",
                       e->seconds);
    say(s, e->seconds ? line : "y allows it, any other key refuses it");
}

static void share_event(struct side *s, const struct tandem_share_event *e)
{
    char line[800] = "", scopes[160];

    share_scopes_text(e->scopes, scopes, sizeof scopes);
    switch (e->kind) {
    case TANDEM_SHARE_ASKED:
        question(s, e);
        break;
    case TANDEM_SHARE_ALLOWED:
        s->allowed = e->scopes;
        s->asked = 0;
        (void)snprintf(line, sizeof line, "allowed: %s%s%s", scopes, *e->text ? "; " : "", e->text);
        tell(s, "allowed", e->scopes, e->seconds, line);
        break;
    case TANDEM_SHARE_REVOKED:
        s->allowed = e->scopes;
        s->asked = 0;
        (void)snprintf(line, sizeof line, "still allowed: %s; %s", scopes, e->text);
        tell(s, "revoked", e->scopes, e->seconds, line);
        break;
    case TANDEM_SHARE_REFUSED:
        s->was_refused = !s->was_shown;
        (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
        tell(s, "refused", e->scopes, 0, e->text);
        if (s->o->who && !s->allowed && s->call)
            (void)tandem_hangup(s->call);
        break;
    case TANDEM_SHARE_SHOWN:
        s->was_shown = true;
        s->shown_at_s = now_s();
        tell(s, "shown", s->allowed, 0, "the screen is there");
        break;
    case TANDEM_SHARE_HIDDEN:
        tell(s, "hidden", 0, 0, e->text);
        break;
    case TANDEM_SHARE_NOTICE:
        tell(s, "notice", e->scopes, e->seconds, e->text);
        break;
    case TANDEM_SHARE_DRAWN:
        if (s->o->json)
            print_json(json_pack("{s:s, s:i}", "event", "drawn", "annotations", e->value));
        break;
    case TANDEM_SHARE_CLOSED:
        s->stop = true;
        break;
    default:
        break;
    }
}

static void toggle_voice(struct side *s)
{
    struct tandem_cause cause = {""};
    bool on = !s->voice;
    enum tandem_status status = TANDEM_OK;

    if (!s->call)
        return;
    /* A source where there was none offers the sound by itself. */
    if (on && s->has_voice) {
        status = tandem_set_audio(s->call, true);
    } else if (on) {
        status = tandem_set_audio_sink(s->call, s->o->speaker ? s->o->speaker : "speaker", &cause);
        if (status == TANDEM_OK)
            status = tandem_set_audio_source(s->call, s->o->audio ? s->o->audio : "mic", &cause);
    } else {
        status = tandem_set_audio(s->call, false);
    }
    if (status == TANDEM_OK)
        s->voice = on;
    s->has_voice |= s->voice;
    say(s, status != TANDEM_OK ? cause.text : on ? "talking" : "not talking any more");
}

static void freeze(struct side *s)
{
    struct tandem_cause cause = {""};
    enum tandem_status status =
        tandem_share_request(s->share, "{\"do\": \"freeze\"}", NULL, &cause);

    say(s, status == TANDEM_OK ? "the frame is a page of the board now" : cause.text);
}

/* --json: a request a line (docs/annotations.md). */
static void take_input(struct side *s)
{
    unsigned char bytes[4096];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);

    s->input = size > 0;
    for (ssize_t i = 0; i < size; i++) {
        char *said = NULL;

        if (line_key(&s->line, bytes[i]) != LINE_WHOLE)
            continue;
        if (*line_text(&s->line))
            (void)tandem_share_request(s->share, line_text(&s->line), &said, NULL);
        if (said)
            puts(said);
        (void)fflush(stdout);
        tandem_free(said);
        line_clear(&s->line);
    }
}

static void take_key(struct side *s)
{
    int key = terminal_key(&s->terminal);

    if (key <= 0)
        return;
    if (s->asked) {
        unsigned asked = s->asked;

        s->asked = 0;
        (void)tandem_share_answer(s->share, key == 'y' ? s->allowed | asked : s->allowed, 0, NULL);
        if (key == 'y')
            s->asked = asked; /* Until it counts. */
        return;
    }
    switch (key) {
    case 'q':
    case '\n':
        s->stop = true;
        break;
    case 'v':
        toggle_voice(s);
        break;
    case 'f':
        freeze(s);
        break;
    case 'c':
        if (!s->o->giving)
            (void)tandem_share_ask(s->share, TANDEM_SHARE_VIEW | CONTROL);
        break;
    case 'r':
        if (s->o->giving)
            (void)tandem_share_answer(s->share, s->allowed & ~(unsigned)CONTROL_ALL, 0, NULL);
        else
            tandem_share_give_back(s->share, CONTROL_ALL);
        break;
    default:
        break;
    }
}

static void show_line(struct side *s)
{
    struct tandem_share_stats stats;
    char line[400], scopes[160], left[40] = "";
    double now = now_s();

    if (s->o->quiet || s->asked || !isatty(STDERR_FILENO) || now < s->line_at_s ||
        tandem_share_stats(s->share, &stats) != TANDEM_OK || !stats.connected)
        return;
    s->line_at_s = now + LINE_EVERY_S;
    if (stats.seconds)
        (void)snprintf(left, sizeof left, " for %u:%02u", stats.seconds / 60, stats.seconds % 60);
    (void)snprintf(line, sizeof line, "%s: %s%s | %llu frames, %.1f MB%s",
                   s->o->giving ? "may" : "we may",
                   share_scopes_text(stats.allowed, scopes, sizeof scopes), left,
                   (unsigned long long)stats.frames, (double)stats.bytes / 1e6,
                   stats.exact_share >= 1 ? ", exact" : "");
    terminal_line(&s->terminal, line);
}

static void turn(struct side *s)
{
    struct pollfd fds[] = {
        {.fd = tandem_event_fd(s->engine), .events = POLLIN},
        {.fd = tandem_share_event_fd(s->share), .events = POLLIN},
        {.fd = s->signals, .events = POLLIN},
        {.fd = s->terminal.keys || s->input ? STDIN_FILENO : -1, .events = POLLIN}};
    struct tandem_event event;
    struct tandem_share_event share;

    if (poll(fds, 4, TICK_MS) > 0 && fds[3].revents) {
        if (s->input)
            take_input(s);
        else
            take_key(s);
    }
    while (tandem_next_event(s->engine, &event) == TANDEM_OK)
        call_event(s, &event);
    while (tandem_share_next_event(s->share, &share) == TANDEM_OK)
        share_event(s, &share);
    if (signals_take(s->signals)) {
        s->interrupts++;
        s->stop = true;
    }
    if (s->o->seconds > 0 && s->up) {
        if (s->shown_at_s <= 0 && s->o->giving && s->allowed & TANDEM_SHARE_VIEW)
            s->shown_at_s = now_s();
        if (s->shown_at_s > 0 && now_s() - s->shown_at_s >= s->o->seconds)
            s->stop = true;
    }
    show_line(s);
}

static enum exit_code exit_of(const struct side *s)
{
    if (s->was_refused)
        return EXIT_REFUSED;
    if (s->was_up || !s->o->who)
        return EXIT_DONE;
    switch (s->end_value) {
    case TANDEM_END_BUSY:
    case TANDEM_END_DECLINED:
        return EXIT_REFUSED;
    case TANDEM_END_NO_ANSWER:
        return EXIT_NO_ANSWER;
    case TANDEM_END_UNREACHABLE:
    case TANDEM_END_NOT_FOUND:
        return EXIT_UNREACHABLE;
    case TANDEM_END_NOT_SECURE:
        return EXIT_NOT_SECURE;
    default:
        return s->interrupts ? EXIT_DONE : EXIT_FAILED;
    }
}

static json_t *figures(const struct tandem_share_stats *stats)
{
    return json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:f, s:f, s:f}", "frames",
                     (json_int_t)stats->frames, "bytes", (json_int_t)stats->bytes, "repaired",
                     (json_int_t)stats->repaired, "exact", stats->exact_share, "input_done",
                     (json_int_t)stats->input_done, "input_refused",
                     (json_int_t)stats->input_refused, "capture_ms", stats->capture_ms.p50,
                     "encode_ms", stats->encode_ms.p50, "decode_ms", stats->decode_ms.p50);
}

static int give_up(const struct share_options *o, enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem %s: %s\n", o->giving ? "share" : "assist", why);
    if (o->json)
        print_json(json_pack("{s:s, s:i, s:s}", "event", "exit", "exit", (int)code, "reason", why));
    return (int)code;
}

static int finish(struct side *s)
{
    struct tandem_share_stats stats = {.frames = 0};
    struct tandem_cause cause = {""};
    enum exit_code code = exit_of(s);

    if (s->o->snapshot && s->was_shown &&
        tandem_share_snapshot(s->share, s->o->snapshot, &cause) != TANDEM_OK) {
        say(s, cause.text);
        code = EXIT_FAILED;
    }
    (void)tandem_share_stats(s->share, &stats);
    tandem_share_close_window(s->share);
    if (s->call)
        (void)tandem_hangup(s->call);
    tandem_destroy(s->engine);
    tandem_share_destroy(s->share);
    tandem_board_destroy(s->board);
    line_free(&s->line);
    terminal_close(&s->terminal);
    if (s->o->json)
        print_json(json_pack("{s:s, s:s, s:i, s:s, s:o}", "event", "exit", "verb", verb(s), "exit",
                             (int)code, "reason", s->reason, "figures", figures(&stats)));
    else if (code != EXIT_DONE)
        fprintf(stderr, "tandem %s: %s\n", verb(s), s->reason);
    if (s->signals >= 0)
        (void)close(s->signals);
    return (int)code;
}

/* Nobody is let in whose doings were to be written down and cannot be. */
static bool log_opens(const char *path, struct tandem_cause *cause)
{
    FILE *file = fopen(path, "ae");

    if (!file) {
        (void)snprintf(cause->text, sizeof cause->text, "cannot write the log %.150s: %s", path,
                       strerrordesc_np(errno));
        return false;
    }
    (void)fclose(file);
    return true;
}

static enum tandem_status prepare(struct side *s, struct tandem_cause *cause)
{
    const struct share_options *o = s->o;

    if (o->share.log_path && !log_opens(o->share.log_path, cause))
        return TANDEM_FAILED;
    if (o->board) {
        const struct tandem_board_config board = {.file = o->board};
        enum tandem_status status = tandem_board_create(&board, &s->board, cause);

        if (status != TANDEM_OK)
            return status;
        tandem_share_freeze_to(s->share, s->board);
    }
    share_tell_choice(o->giving ? o->offer.what : NULL);
    if (o->giving)
        return tandem_share_give(s->share, &o->offer, cause);
    return o->no_window ? TANDEM_OK : tandem_share_open_window(s->share, "Tandem", cause);
}

/* Whom to call is reached over them. Who waits does not register: a call to the user is for
 * tandem answer (--share), which asks. */
static bool open_accounts(struct side *s, bool *invalid, struct tandem_cause *cause)
{
    const struct share_options *o = s->o;

    return !o->who || o->no_accounts ||
           account_open_out(s->engine, NULL, NULL, o->who, invalid, cause);
}

static int run(struct share_options *o)
{
    static struct side s;
    static char address[256];
    struct tandem_cause cause = {""};
    bool invalid = true;
    char line[200];

    if (o->who && !contacts_resolve(o->giving ? "share" : "assist", o->who, address))
        return EXIT_USAGE;
    if (o->who)
        o->who = address;
    s = (struct side){.o = o,
                      .signals = signals_open(),
                      .input = o->json,
                      .voice = o->voice,
                      .has_voice = o->voice};
    (void)snprintf(s.peer, sizeof s.peer, "%s", o->who ? o->who : "");
    /* Who calls to show the own screen has said so. */
    o->offer.unasked_view = o->who || o->offer.allow & TANDEM_SHARE_VIEW;
    enum tandem_status status = tandem_share_create(&o->share, &s.share, &cause);

    if (status == TANDEM_OK)
        status = prepare(&s, &cause);
    if (status == TANDEM_OK)
        status = tandem_create(&o->engine, &s.engine, &cause);
    if (status != TANDEM_OK) {
        tandem_share_destroy(s.share);
        tandem_board_destroy(s.board);
        return give_up(o, status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED, cause.text);
    }
    if (!open_accounts(&s, &invalid, &cause)) {
        tandem_destroy(s.engine);
        tandem_share_destroy(s.share);
        tandem_board_destroy(s.board);
        return give_up(o, invalid ? EXIT_USAGE : EXIT_UNREACHABLE, cause.text);
    }
    terminal_open(&s.terminal, !o->json);
    if (o->who && !o->giving)
        (void)tandem_share_ask(s.share, TANDEM_SHARE_VIEW | o->ask);
    if (o->who) {
        dial(&s);
    } else {
        (void)snprintf(line, sizeof line, "waiting at SIP port %u for somebody %s",
                       tandem_port(s.engine), o->giving ? "to help" : "who shows a screen");
        tell(&s, "waiting", 0, 0, line);
    }
    while (!s.stop)
        turn(&s);
    return finish(&s);
}

static int parse_and_run(bool giving, int argc, char **argv)
{
    static struct share_options o;

    if (!share_options_parse(&o, giving, argc, argv))
        return EXIT_USAGE;
    if (!o.help)
        return run(&o);
    printf("tandem %s [options] [WHO]: %s\n\n", giving ? "share" : "assist",
           giving ? "show a screen to WHO, or to whoever calls and is allowed"
                  : "see and help on the screen of WHO, or of whoever shows one");
    share_options_help(stdout, giving);
    return EXIT_DONE;
}

int share_run(int argc, char **argv)
{
    return parse_and_run(true, argc, argv);
}

int assist_run(int argc, char **argv)
{
    return parse_and_run(false, argc, argv);
}
