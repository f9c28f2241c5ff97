/* SPDX-License-Identifier: MIT */
#include "apps/board.h"

#include "apps/account_open.h"
#include "apps/board_file.h"
#include "apps/board_options.h"
#include "apps/contacts.h"
#include "apps/line.h"
#include "apps/options.h"
#include "apps/signals.h"
#include "apps/terminal.h"

#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 200

/* One side, while the verb runs. */
struct side {
    const struct board_options *o;
    const char *who; /* NULL: we wait, or draw alone. */
    bool alone;      /* On a file, with nobody. */
    struct terminal terminal;
    struct line line; /* --json: what comes on stdin. */
    bool input;
    struct tandem *engine;
    struct tandem_board *board;
    struct tandem_call *call;
    int signals, end_value;
    bool stop, up, opened, joined, refused, asked, interrupted;
    double since_s;
    char peer[256], reason[512];
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    (void)fflush(stdout);
    json_decref(object);
}

static void say(struct side *s, const char *text)
{
    if (*text)
        terminal_print(&s->terminal, text);
}

/* For programs. */
static void report(struct side *s, const char *event, const char *text)
{
    if (s->o->json)
        print_json(json_pack("{s:s, s:s, s:s}", "event", event, "peer", s->peer, "text", text));
}

/* For people, too. */
static void tell(struct side *s, const char *event, const char *text)
{
    report(s, event, text);
    say(s, text);
}

/* The call ------------------------------------------------------------------------------------ */

static struct tandem_media media_of(const struct side *s)
{
    return (struct tandem_media){.video_source = "off",
                                 .video_sink = "off",
                                 .audio_source = "off",
                                 .audio_sink = "off",
                                 .channel = true,
                                 .board = s->board};
}

static void dial(struct side *s)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};
    enum tandem_status status = tandem_dial(s->engine, s->who, &media, &s->call, &cause);

    if (status == TANDEM_OK)
        return;
    s->call = NULL;
    s->stop = true;
    s->end_value = status == TANDEM_UNREACHABLE ? TANDEM_END_UNREACHABLE : TANDEM_END_FAILED;
    (void)snprintf(s->reason, sizeof s->reason, "%s", cause.text);
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
    s->up = s->asked = false;
    s->end_value = e->value;
    if (!s->refused) /* Which says more. */
        (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
    /* Who has a board in a window goes on drawing: it is merged the next time. */
    s->stop |= (s->who && (s->o->no_window || !s->opened)) || s->o->once;
    if (!s->stop)
        tell(s, "ended", e->text);
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
        say(s, e->text);
        if (e->value == TANDEM_CHANNEL_NONE || e->value == TANDEM_CHANNEL_FAILED)
            (void)tandem_hangup(s->call);
        break;
    case TANDEM_EVENT_STRANGER:
        tell(s, "stranger", e->text);
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

/* The board ----------------------------------------------------------------------------------- */

static void asked(struct side *s, const char *text)
{
    tell(s, "asked", text);
    if (s->o->yes) {
        (void)tandem_board_answer(s->board, true, false, NULL);
        return;
    }
    if (!s->terminal.keys && !s->o->json) {
        say(s, "refused: nobody can be asked here; see --yes");
        (void)tandem_board_answer(s->board, false, false, NULL);
        return;
    }
    s->asked = true;
    terminal_forget_keys(&s->terminal);
    if (s->terminal.keys)
        say(s, "y draws with them, a always from now on, any other key refuses");
}

static void tell_place(const struct tandem_board_event *e, const char *name)
{
    print_json(json_pack("{s:s, s:b, s:s, s:f, s:f, s:f, s:f, s:s}", "event", name, "on", e->on,
                         "page", e->object, "x", e->x, "y", e->y, "width", e->width, "height",
                         e->height, "name", e->text));
}

static void board_event(struct side *s, const struct tandem_board_event *e)
{
    switch (e->kind) {
    case TANDEM_BOARD_ASKED:
        asked(s, e->text);
        break;
    case TANDEM_BOARD_OPENED:
        s->opened = true;
        report(s, "opened", e->text);
        break;
    case TANDEM_BOARD_JOINED:
        s->joined = true;
        s->asked = false;
        s->since_s = s->since_s > 0 ? s->since_s : now_s();
        tell(s, "joined", "you draw together");
        break;
    case TANDEM_BOARD_SYNCED:
        report(s, "synced", e->text);
        break;
    case TANDEM_BOARD_LEFT:
        s->asked = false;
        tell(s, "left", e->text);
        break;
    case TANDEM_BOARD_REFUSED:
        s->refused = !s->joined;
        (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
        tell(s, "refused", e->text);
        if (s->who && s->call && s->refused)
            (void)tandem_hangup(s->call);
        break;
    case TANDEM_BOARD_CHANGED:
        if (s->o->json)
            print_json(json_pack("{s:s, s:s, s:b, s:b}", "event", "changed", "object", e->object,
                                 "there", e->on, "theirs", e->theirs));
        break;
    case TANDEM_BOARD_CURSOR:
    case TANDEM_BOARD_LASER:
    case TANDEM_BOARD_VIEW:
        if (s->o->json)
            tell_place(e, e->kind == TANDEM_BOARD_CURSOR  ? "cursor"
                          : e->kind == TANDEM_BOARD_LASER ? "laser"
                                                          : "view");
        break;
    case TANDEM_BOARD_NOTICE:
        tell(s, "notice", e->text);
        break;
    case TANDEM_BOARD_CLOSED:
        s->stop = true;
        break;
    default:
        break;
    }
}

static void answer(struct side *s, bool yes, bool always)
{
    s->asked = false;
    (void)tandem_board_answer(s->board, yes, always, NULL);
}

static void take_key(struct side *s)
{
    int key = terminal_key(&s->terminal);

    if (key <= 0)
        return;
    if (s->asked)
        answer(s, key == 'y' || key == 'a', key == 'a');
    else if (key == 'q')
        s->stop = true;
}

/* A request that is about the verb and not about the board; false: it is the board's. */
static bool own_request(struct side *s, const json_t *request)
{
    const char *what = json_string_value(json_object_get(request, "do")), *why = NULL;

    if (!what)
        return false;
    if (strcmp(what, "quit") == 0)
        s->stop = true;
    else if (strcmp(what, "answer") == 0 && !s->asked)
        why = "nobody asks to draw";
    else if (strcmp(what, "answer") == 0)
        answer(s, json_is_true(json_object_get(request, "yes")),
               json_is_true(json_object_get(request, "always")));
    else if (strcmp(what, "leave") == 0)
        tandem_board_leave(s->board);
    else if (strcmp(what, "invite") == 0)
        tandem_board_invite(s->board);
    else
        return false;
    json_t *said = why ? json_pack("{s:b, s:s}", "ok", 0, "why", why) : json_pack("{s:b}", "ok", 1);
    json_t *tag = json_object_get(request, "tag");

    if (tag)
        (void)json_object_set(said, "tag", tag);
    print_json(said);
    return true;
}

static void take_request(struct side *s, const char *text)
{
    json_t *request;
    char *said = NULL;

    if (!*text)
        return;
    request = json_loads(text, 0, NULL);
    if (!own_request(s, request)) {
        (void)tandem_board_request(s->board, text, &said, NULL);
        if (said)
            puts(said);
        (void)fflush(stdout);
        tandem_free(said);
    }
    json_decref(request);
}

static void take_input(struct side *s)
{
    unsigned char bytes[4096];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);

    if (size <= 0) {
        s->input = false;
        take_request(s, line_text(&s->line)); /* The last line may have no end. */
        line_clear(&s->line);
        s->stop |= s->alone; /* A script has said all. */
        return;
    }
    for (ssize_t i = 0; i < size && !s->stop; i++) {
        enum line_state state = line_key(&s->line, bytes[i]);

        if (state == LINE_WHOLE) {
            take_request(s, line_text(&s->line));
            line_clear(&s->line);
        }
    }
}

/* The whole ----------------------------------------------------------------------------------- */

static void turn(struct side *s)
{
    bool reads = s->o->json ? s->input : s->terminal.keys;
    struct pollfd fds[] = {{.fd = tandem_board_event_fd(s->board), .events = POLLIN},
                           {.fd = s->signals, .events = POLLIN},
                           {.fd = reads ? STDIN_FILENO : -1, .events = POLLIN},
                           {.fd = s->engine ? tandem_event_fd(s->engine) : -1, .events = POLLIN}};
    struct tandem_board_event board;
    struct tandem_event event;

    if (poll(fds, 4, TICK_MS) > 0 && fds[2].revents) {
        if (s->o->json)
            take_input(s);
        else
            take_key(s);
    }
    while (s->engine && tandem_next_event(s->engine, &event) == TANDEM_OK)
        call_event(s, &event);
    while (tandem_board_next_event(s->board, &board) == TANDEM_OK)
        board_event(s, &board);
    if (signals_take(s->signals))
        s->stop = s->interrupted = true;
    if (s->o->seconds > 0 && s->since_s > 0 && now_s() - s->since_s >= s->o->seconds)
        s->stop = true;
}

static enum exit_code exit_of(const struct side *s)
{
    if (s->refused)
        return EXIT_REFUSED;
    if (s->joined || !s->who || (s->interrupted && !*s->reason))
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
        return EXIT_FAILED;
    }
}

static int give_up(const struct board_options *o, enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem board: %s\n", why);
    if (o->json)
        print_json(json_pack("{s:s, s:i, s:s}", "event", "exit", "exit", (int)code, "reason", why));
    return (int)code;
}

static int finish(struct side *s)
{
    struct tandem_board_stats stats;
    enum exit_code code = exit_of(s);

    (void)tandem_board_stats(s->board, &stats);
    tandem_board_close_window(s->board);
    if (s->call)
        (void)tandem_hangup(s->call);
    if (s->engine)
        tandem_destroy(s->engine);
    tandem_board_destroy(s->board);
    terminal_close(&s->terminal);
    line_free(&s->line);
    if (s->o->json)
        print_json(json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:I}", "event", "exit", "exit",
                             (int)code, "reason", s->reason, "digest", stats.digest, "operations",
                             (json_int_t)stats.operations, "sent", (json_int_t)stats.bytes_sent,
                             "received", (json_int_t)stats.bytes_received));
    else if (code != EXIT_DONE)
        fprintf(stderr, "tandem board: %s\n", s->reason);
    if (s->signals >= 0)
        (void)close(s->signals);
    return (int)code;
}

static enum tandem_status open_board(struct side *s, struct tandem_cause *cause)
{
    static char folder[FOLDERS_PATH_MAX];
    const struct board_options *o = s->o;
    struct tandem_board_config config = {.file = s->alone ? o->words[1] : o->file,
                                         .name = o->name,
                                         .read_only = s->alone && o->at_ms,
                                         .at_ms = s->alone ? o->at_ms : 0};

    if (!config.file && folders_data("boards", folder, sizeof folder)) {
        (void)mkdir(folder, 0700);
        config.folder = folder;
    }
    enum tandem_status status = tandem_board_create(&config, &s->board, cause);

    /* What the two drew before is there at once. */
    if (status == TANDEM_OK && s->who && config.folder)
        (void)tandem_board_open_contact(s->board, s->who, NULL);
    const char *file = config.file ? strrchr(config.file, '/') : NULL;
    const char *title = file ? file + 1 : config.file ? config.file : "Tandem";

    if (status == TANDEM_OK && !o->no_window)
        status = tandem_board_open_window(s->board, title, cause);
    return status;
}

static enum tandem_status open_engine(struct side *s, bool *invalid, struct tandem_cause *cause)
{
    static struct tandem_config config;
    static struct folders_self self;

    config = s->o->engine;
    config.sip_port_may_change = s->who && !config.sip_port;
    config.listen = !s->who;
    folders_keep_self(&self, &config);
    enum tandem_status status = tandem_create(&config, &s->engine, cause);

    *invalid = status == TANDEM_INVALID;
    /* Who waits does not register: see tandem share. */
    if (status == TANDEM_OK && s->who && !s->o->no_accounts &&
        !account_open_out(s->engine, NULL, NULL, s->who, invalid, cause))
        status = *invalid ? TANDEM_INVALID : TANDEM_UNREACHABLE;
    return status;
}

static void begin(struct side *s)
{
    char line[120];

    if (s->alone) {
        s->since_s = now_s();
    } else if (s->who) {
        tandem_board_invite(s->board);
        dial(s);
    } else {
        (void)snprintf(line, sizeof line, "waiting at SIP port %u for somebody who wants to draw",
                       tandem_port(s->engine));
        tell(s, "waiting", line);
    }
}

static int run(const struct board_options *o)
{
    static struct side s;
    static char address[256];
    struct tandem_cause cause = {""};
    bool invalid = false;

    s = (struct side){.o = o, .input = o->json};
    s.alone = o->count && strcmp(o->words[0], "open") == 0;
    if (o->count > (s.alone ? 2 : 1) || (s.alone && o->count < 2))
        return give_up(o, EXIT_USAGE, "too many words, or too few; see tandem board --help");
    if (!s.alone && o->count) {
        if (!contacts_resolve("board", o->words[0], address))
            return EXIT_USAGE;
        s.who = address;
        (void)snprintf(s.peer, sizeof s.peer, "%s", address);
    }
    s.signals = signals_open();
    enum tandem_status status = open_board(&s, &cause);

    if (status == TANDEM_OK && !s.alone)
        status = open_engine(&s, &invalid, &cause);
    if (status != TANDEM_OK) {
        if (s.engine)
            tandem_destroy(s.engine);
        tandem_board_destroy(s.board);
        return give_up(o,
                       invalid || status == TANDEM_INVALID ? EXIT_USAGE
                       : status == TANDEM_UNREACHABLE      ? EXIT_UNREACHABLE
                                                           : EXIT_FAILED,
                       cause.text);
    }
    terminal_open(&s.terminal, !o->json);
    begin(&s);
    while (!s.stop)
        turn(&s);
    return finish(&s);
}

int board_run(int argc, char **argv)
{
    static struct board_options o;
    int code;

    if (!board_options_parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        board_options_help(stdout);
        return EXIT_DONE;
    }
    return board_file_run(&o, &code) ? code : run(&o);
}
