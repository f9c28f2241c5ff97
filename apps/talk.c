/* SPDX-License-Identifier: MIT */
#include "apps/talk.h"

#include "apps/account_open.h"
#include "apps/bench.h"
#include "apps/contacts.h"
#include "apps/hooks.h"
#include "apps/outcome.h"
#include "apps/presence.h"
#include "apps/signals.h"
#include "apps/table.h"
#include "apps/talk_board.h"
#include "apps/talk_chat.h"
#include "apps/talk_files.h"
#include "apps/talk_share.h"
#include "apps/terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS          200
#define LINE_EVERY_S     1.0
#define BELL_EVERY_S     2.0
#define KEY_F11          0x100
#define DIGIT_MS         120
#define SECURITY_SHOWN_S 20 /* Long enough to read four words to each other. */

/* One person's side, while the verb runs. */
struct talk {
    struct options *o;
    struct terminal terminal;
    struct tandem *engine;
    struct tandem_call *call;
    struct talk_chat chat;
    struct talk_files files;
    struct tandem_contacts *contacts;
    struct tandem_presence *presence;
    struct hooks hooks;
    struct talk_share share;
    struct talk_board board;
    int signals;
    bool up, over, muted, dark, held, overlay, fullscreen, no_video, recording, answer_failed;
    bool chosen; /* Our user dialed, or took the call. */
    double up_at, line_at, bell_at;
    int interrupts;
    enum exit_code exit;
    char reason[256], peer[256];
    char overlaid[1024]; /* What stands over the picture now. */
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(struct talk *t, const char *format, const char *text)
{
    char line[400];

    (void)snprintf(line, sizeof line, format, text);
    terminal_print(&t->terminal, line);
}

static enum exit_code exit_of(int end)
{
    switch (end) {
    case TANDEM_END_HERE:
    case TANDEM_END_THERE:
        return EXIT_DONE;
    case TANDEM_END_BUSY:
    case TANDEM_END_DECLINED:
        return EXIT_REFUSED;
    case TANDEM_END_CANCELLED:
    case TANDEM_END_NO_ANSWER:
        return EXIT_NO_ANSWER;
    case TANDEM_END_NOT_FOUND:
    case TANDEM_END_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case TANDEM_END_NO_COMMON_CODEC:
        return EXIT_NO_COMMON_CODEC;
    case TANDEM_END_NOT_SECURE:
        return EXIT_NOT_SECURE;
    default:
        return EXIT_FAILED;
    }
}

static enum exit_code exit_of_status(enum tandem_status status)
{
    switch (status) {
    case TANDEM_INVALID:
    case TANDEM_UNSUPPORTED:
        return EXIT_USAGE;
    case TANDEM_UNREACHABLE:
        return EXIT_UNREACHABLE;
    default:
        return EXIT_FAILED;
    }
}

/* Says good-bye; what can only be had while the call runs is taken first. */
static void hang_up(struct talk *t)
{
    struct tandem_cause cause = {""};

    if (t->up && t->o->snapshot &&
        tandem_call_snapshot(t->call, t->o->snapshot, &cause) != TANDEM_OK)
        say(t, "no snapshot: %s", cause.text);
    t->o->snapshot = NULL;
    (void)tandem_hangup(t->call);
}

static void toggle_record(struct talk *t)
{
    struct tandem_cause cause = {""};
    char path[64];
    time_t seconds = time(NULL);
    struct tm local;

    if (t->recording) {
        t->recording = false;
        (void)tandem_record(t->call, NULL, NULL);
        say(t, "recording stopped%s", "");
        return;
    }
    (void)strftime(path, sizeof path, "tandem-%Y%m%d-%H%M%S.mkv", localtime_r(&seconds, &local));
    t->recording = tandem_record(t->call, path, &cause) == TANDEM_OK;
    say(t, t->recording ? "recording to %s" : "no recording: %s", t->recording ? path : cause.text);
}

static void trust(struct talk *t)
{
    struct tandem_cause cause = {""};

    if (tandem_trust(t->call, &cause) == TANDEM_OK)
        say(t, "this certificate is remembered as theirs%s", "");
    else
        say(t, "%s", cause.text);
}

static void take_key(struct talk *t, int key)
{
    switch (key) {
    case 'q':
        hang_up(t);
        break;
    case 'm':
        t->muted = !t->muted;
        (void)tandem_mute(t->call, t->muted);
        say(t, "%s", t->muted ? "muted" : "not muted");
        break;
    case 'v':
        t->dark = !t->dark;
        (void)tandem_camera(t->call, !t->dark);
        say(t, "camera %s", t->dark ? "off" : "on");
        break;
    case 'V':
        t->no_video = !t->no_video;
        (void)tandem_set_video(t->call, !t->no_video);
        break;
    case 'h':
        t->held = !t->held;
        (void)tandem_hold(t->call, t->held);
        break;
    case 's':
        t->overlay = !t->overlay;
        break;
    case 't':
        trust(t);
        break;
    case 'a':
    case 'x':
        (void)talk_board_answer(&t->board, key);
        break;
    case 'b':
        talk_board_key(&t->board);
        break;
    case 'y':
    case 'n':
        /* A yes to one thing is never one to what allows more. */
        if (!talk_board_answer(&t->board, key) && !talk_share_answer(&t->share, key == 'y'))
            (void)talk_files_answer(&t->files, key == 'y');
        break;
    case 'C':
        talk_share_control(&t->share);
        break;
    case 'f':
    case KEY_F11:
        t->fullscreen = !t->fullscreen;
        (void)tandem_set_fullscreen(t->call, t->fullscreen);
        break;
    case 'r':
        toggle_record(t);
        break;
    case '?':
        say(t,
            "q hang up, m mute, v camera off/on, V drop/add video, h hold, s statistics, f full "
            "screen, r record, t trust a new certificate, c say a text (in the terminal), b the "
            "board of you two, C ask for control of their screen or take it back, 0-9 * # send "
            "digits%s",
            "");
        break;
    default:
        if (key > 0 && key < 0x80 && strchr("0123456789*#", key) &&
            tandem_send_digit(t->call, (char)key, DIGIT_MS, NULL) == TANDEM_OK)
            say(t, "sent digit %s", (char[]){(char)key, 0});
    }
    t->line_at = 0; /* What the key changed shows at once. */
}

static void came_up(struct talk *t, const char *text)
{
    t->up = true;
    t->up_at = now_s();
    say(t, "up: %s", text);
    talk_board_up(&t->board, t->call, t->chosen);
    for (const char *digit = t->o->digits; digit && *digit; digit++) {
        struct tandem_cause cause = {""};

        if (tandem_send_digit(t->call, *digit, DIGIT_MS, &cause) != TANDEM_OK)
            say(t, "%s", cause.text);
    }
}

static void ended(struct talk *t, const struct tandem_event *event)
{
    t->over = true;
    talk_board_over(&t->board);
    t->exit = t->answer_failed ? EXIT_FAILED : exit_of(event->value);
    (void)snprintf(t->reason, sizeof t->reason, "%s", event->text);
    if (t->up && t->o->snapshot)
        say(t, "no snapshot: %s", event->text);
    say(t, "ended: %s", event->text);
    if (event->value == TANDEM_END_NO_COMMON_CODEC && t->o->engine.only_plain)
        say(t, "%s", "perhaps they refuse what is not encrypted: call without --only-plain");
}

/* A key of the terminal while a call waits for an answer. */
static void answer_or_reject(struct talk *t, bool yes)
{
    struct tandem_cause cause = {""};

    if (yes && tandem_answer(t->call, &t->o->media, &cause) != TANDEM_OK) {
        say(t, "cannot answer: %s", cause.text);
        t->answer_failed = true;
        yes = false;
    }
    if (!yes)
        (void)tandem_reject(t->call, false);
}

/* What the address book says about calls of whoever this is. An address in a call that comes
 * straight is what the caller says it is: who minds sets rules for people of an account only. */
static enum tandem_contact_answer rule_for(const struct talk *t, const char *who)
{
    struct tandem_contact_entry contact;

    return t->contacts && tandem_contacts_find(t->contacts, who, &contact, NULL) == TANDEM_OK
               ? contact.answer
               : TANDEM_ANSWER_ASK;
}

static void run_hook(struct talk *t, const char *from)
{
    const struct hook_fact facts[] = {
        {"TANDEM_EVENT", "call"}, {"TANDEM_FROM", from}, {NULL, NULL}};

    if (!hooks_run(&t->hooks, t->o->on_call, facts))
        say(t, "the command could not be run: %s", t->o->on_call);
}

static void incoming(struct talk *t, const struct tandem_event *event)
{
    enum tandem_contact_answer rule = rule_for(t, event->text);

    if (t->call) {
        (void)tandem_reject(event->call, true);
        return;
    }
    t->call = event->call;
    (void)snprintf(t->peer, sizeof t->peer, "%s", event->text);
    run_hook(t, event->text);
    if (t->o->auto_answer || rule != TANDEM_ANSWER_ASK || !t->terminal.keys) {
        say(t, "call from %s", event->text);
        answer_or_reject(t, rule == TANDEM_ANSWER_AUTO ||
                                (t->o->auto_answer && rule != TANDEM_ANSWER_REFUSE));
        return;
    }
    terminal_forget_keys(&t->terminal);
    say(t, "call from %s: press y to answer, n to refuse", event->text);
}

/* A call that came in vain: beside another one, or without what this side asks for. */
static void never_rang(struct talk *t, const struct tandem_event *event)
{
    if (event->value == TANDEM_END_NOT_SECURE || event->value == TANDEM_END_NO_COMMON_CODEC)
        say(t, "a call was refused: %s", event->text);
    tandem_call_release(event->call);
}

static void take_event(struct talk *t, const struct tandem_event *event)
{
    if (event->kind == TANDEM_EVENT_INCOMING) {
        incoming(t, event);
        return;
    }
    if (event->call != t->call && event->call) {
        if (event->kind == TANDEM_EVENT_ENDED)
            never_rang(t, event);
        return;
    }
    switch (event->kind) {
    case TANDEM_EVENT_RINGING:
        say(t, "ringing at %s", event->text);
        break;
    case TANDEM_EVENT_UP:
        came_up(t, event->text);
        break;
    case TANDEM_EVENT_CHANGED:
        say(t, "now: %s", event->text);
        break;
    case TANDEM_EVENT_DIGIT:
        say(t, "digit %s", event->text);
        break;
    case TANDEM_EVENT_ACCOUNT:
        say(t, "account %s", event->text);
        break;
    case TANDEM_EVENT_STRANGER:
        say(t, "WARNING: %s; if they are the same, press t to trust it from now on", event->text);
        break;
    case TANDEM_EVENT_NOTICE:
        say(t, "note: %s", event->text);
        break;
    case TANDEM_EVENT_CHANNEL:
        talk_board_channel(&t->board, event->value, event->text);
        break;
    case TANDEM_EVENT_KEY:
        take_key(t, event->value);
        break;
    case TANDEM_EVENT_WINDOW_CLOSED:
        hang_up(t);
        break;
    case TANDEM_EVENT_ENDED:
        ended(t, event);
        break;
    default:
        break;
    }
}

/* The URI alone of "Paul sip:paul@10.0.0.7". */
static const char *address_of(const char *peer)
{
    const char *space = strrchr(peer, ' ');

    return space ? space + 1 : peer;
}

static void begin_text(struct talk *t)
{
    t->chat.typing = true;
    terminal_line(&t->terminal, "say: ");
}

static void take_terminal_key(struct talk *t, int key)
{
    struct tandem_stats stats;

    if (!t->call || tandem_call_stats(t->call, &stats) != TANDEM_OK)
        return;
    if (t->chat.typing)
        talk_chat_key(&t->chat, &t->terminal, t->engine, address_of(t->peer), key);
    else if (key == 'c' && t->chat.chat)
        begin_text(t);
    else if (stats.state != TANDEM_STATE_INCOMING)
        take_key(t, key);
    else if (key == 'y' || key == 'n') {
        t->chosen = true;
        answer_or_reject(t, key == 'y');
    }
}

/* Ctrl-C and the like: a proper good-bye first, and out at the second time. */
static void take_signal(struct talk *t)
{
    if (!signals_take(t->signals))
        return;
    if (t->call && t->interrupts++ == 0) {
        hang_up(t);
    } else {
        t->over = true;
        (void)snprintf(t->reason, sizeof t->reason, "interrupted");
    }
    t->o->keep = false;
}

/* What the picture alone does not tell. */
static void describe_state(const struct talk *t, const struct tandem_stats *stats, char *text,
                           size_t capacity)
{
    (void)snprintf(text, capacity, "%s%s%s%s%s",
                   stats->state == TANDEM_STATE_HELD ? "on hold  " : "",
                   stats->video.active ? "" : "no video  ", t->muted ? "muted  " : "",
                   t->dark ? "camera off  " : "", t->recording ? "recording" : "");
}

/* The overlay: how the call is protected, at first and while nobody should forget it; the state in
 * words; and the statistics when they are wanted. */
static void refresh_overlay(struct talk *t, const struct tandem_stats *stats)
{
    char text[sizeof t->overlaid] = "";
    size_t used = 0;

    if (t->overlay || stats->seconds < SECURITY_SHOWN_S ||
        stats->security.protection == TANDEM_PROTECTION_NONE ||
        stats->security.contact == TANDEM_CONTACT_CHANGED) {
        table_security(&stats->security, text, sizeof text - 1);
        used = strlen(text);
        text[used++] = '\n';
        text[used] = 0;
    }
    describe_state(t, stats, text + used, sizeof text - used);
    used = strlen(text);
    while (used && text[used - 1] == '\n')
        text[--used] = 0;
    if (t->overlay) {
        if (used)
            text[used++] = '\n';
        table_overlay(stats, text + used, sizeof text - used);
    }
    if (strcmp(text, t->overlaid) == 0)
        return;
    (void)snprintf(t->overlaid, sizeof t->overlaid, "%s", text);
    (void)tandem_set_overlay(t->call, text);
}

static void show_progress(struct talk *t)
{
    struct tandem_stats stats;
    char text[1024];

    if (!t->up || now_s() < t->line_at || tandem_call_stats(t->call, &stats) != TANDEM_OK)
        return;
    refresh_overlay(t, &stats);
    t->line_at = now_s() + LINE_EVERY_S;
    if (!t->o->quiet && !t->chat.typing) {
        table_line(&stats, text, sizeof text);
        terminal_line(&t->terminal, text);
    }
}

static void wait_a_little(struct talk *t)
{
    struct pollfd fds[] = {
        {.fd = tandem_event_fd(t->engine), .events = POLLIN},
        {.fd = t->signals, .events = POLLIN},
        {.fd = t->terminal.keys ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = talk_chat_fd(&t->chat), .events = POLLIN},
        {.fd = talk_files_fd(&t->files), .events = POLLIN},
        {.fd = talk_share_fd(&t->share), .events = POLLIN},
        {.fd = talk_board_fd(&t->board), .events = POLLIN},
    };

    if (poll(fds, 7, TICK_MS) <= 0)
        return;
    talk_share_run(&t->share);
    talk_board_run(&t->board);
    talk_chat_run(&t->chat, &t->terminal);
    if (fds[1].revents)
        take_signal(t);
    if (fds[2].revents) {
        int key = terminal_key(&t->terminal);

        if (key > 0)
            take_terminal_key(t, key);
    }
    if (fds[4].revents)
        talk_files_run(&t->files);
}

/* Rings on the terminal while somebody waits to be answered. */
static void ring(struct talk *t)
{
    struct tandem_stats stats;

    if (!t->call || t->up || now_s() < t->bell_at ||
        tandem_call_stats(t->call, &stats) != TANDEM_OK || stats.state != TANDEM_STATE_INCOMING)
        return;
    t->bell_at = now_s() + BELL_EVERY_S;
    (void)fputc('\a', stderr);
}

/* Until the call is over. */
static void run(struct talk *t)
{
    struct tandem_event event;
    bool told_to_end = false;

    while (!t->over) {
        wait_a_little(t);
        while (!t->over && tandem_next_event(t->engine, &event) == TANDEM_OK)
            take_event(t, &event);
        if (t->over)
            break;
        ring(t);
        show_progress(t);
        if (t->o->seconds > 0 && t->up && !told_to_end && now_s() - t->up_at >= t->o->seconds) {
            told_to_end = true;
            hang_up(t);
        }
    }
}

static void write_report(struct talk *t, const char *report)
{
    FILE *file = fopen(t->o->report, "w");

    if (!file || fputs(report, file) == EOF || fclose(file) != 0)
        say(t, "cannot write %s", t->o->report);
}

/* What the call was, to people or as JSON, and the files that were asked for. */
static void report(struct talk *t)
{
    struct tandem_stats stats;
    struct tandem_cause cause = {""};
    talk_files_ended(&t->files);
    char *json = t->call && t->up ? tandem_call_report(t->call) : NULL;

    if (t->o->json) {
        outcome_print_json(t->peer, t->exit, t->reason, json);
    } else if (t->up && t->call && tandem_call_stats(t->call, &stats) == TANDEM_OK) {
        table_print(stdout, &stats);
    }
    (void)fflush(stdout);
    if (json && t->o->report)
        write_report(t, json);
    if (t->call && t->o->trace &&
        tandem_call_write_trace(t->call, t->o->trace, &cause) != TANDEM_OK)
        say(t, "%s", cause.text);
    tandem_free(json);
}

static bool open_talk(struct talk *t, struct options *o, struct tandem_cause *cause)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    *t = (struct talk){.o = o, .signals = signals_open()};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    /* A recording at a file size limit is an error, not an end. */
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    if (talk_files_open(&t->files, o, &t->terminal, cause) != TANDEM_OK)
        return false;
    if (talk_share_open(&t->share, o, &t->terminal, cause) != TANDEM_OK) {
        talk_files_close(&t->files);
        return false;
    }
    talk_chat_open(&t->chat, o, &t->terminal);
    talk_board_open(&t->board, o, &t->terminal);
    if (t->share.share) /* Frozen frames of a shared screen go to the board of the two. */
        tandem_share_freeze_to(t->share.share, t->board.board);
    if (o->engine.listen) { /* Whoever can be called is seen to be there. */
        t->contacts = contacts_open("answer");
        t->presence = presence_open("answer", t->contacts);
        o->engine.presence = t->presence;
    }
    if (tandem_create(&o->engine, &t->engine, cause) != TANDEM_OK) {
        tandem_presence_destroy(t->presence);
        tandem_contacts_close(t->contacts);
        talk_chat_close(&t->chat);
        talk_files_close(&t->files);
        talk_share_close(&t->share);
        talk_board_close(&t->board);
        return false;
    }
    terminal_open(&t->terminal, !o->no_keys && !o->json);
    return true;
}

static void close_talk(struct talk *t)
{
    terminal_close(&t->terminal);
    tandem_destroy(t->engine);
    tandem_presence_destroy(t->presence);
    tandem_contacts_close(t->contacts);
    hooks_close(&t->hooks);
    talk_chat_close(&t->chat);
    talk_files_close(&t->files);
    talk_share_close(&t->share);
    talk_board_close(&t->board);
    if (t->signals >= 0)
        (void)close(t->signals);
}

int talk_call(struct options *o)
{
    struct talk t;
    struct tandem_cause cause = {""};
    bool invalid;

    const char *bad = outcome_unwritable(o);

    if (bad)
        return outcome_give_up_path(o, "call", bad);
    o->engine.sip_port_may_change = o->engine.sip_port == 0;
    bench_costs_prepare(o->media.video_codecs, o->quiet || o->json);
    if (!open_talk(&t, o, &cause))
        return outcome_give_up(o, "call", EXIT_FAILED, cause.text);
    (void)snprintf(t.peer, sizeof t.peer, "%s", o->to);
    if (!contacts_resolve("call", o->to, o->address)) {
        close_talk(&t);
        return EXIT_USAGE;
    }
    o->to = o->address;
    if (!o->no_accounts &&
        !account_open_out(t.engine, o->accounts, o->account, o->to, &invalid, &cause)) {
        close_talk(&t);
        return outcome_give_up(o, "call", invalid ? EXIT_USAGE : EXIT_UNREACHABLE, cause.text);
    }
    enum tandem_status status = tandem_dial(t.engine, o->to, &o->media, &t.call, &cause);

    if (status != TANDEM_OK) {
        close_talk(&t);
        return outcome_give_up(o, "call", exit_of_status(status), cause.text);
    }
    t.chosen = true;
    talk_board_dialed(&t.board, o->to);
    say(&t, "calling %s", o->to);
    run(&t);
    report(&t);
    close_talk(&t);
    return (int)t.exit;
}

int talk_answer(struct options *o)
{
    struct talk t;
    struct tandem_cause cause = {""};
    char port[16];
    enum exit_code code;
    size_t accounts;

    const char *bad = outcome_unwritable(o);

    if (bad)
        return outcome_give_up_path(o, "answer", bad);
    bench_costs_prepare(o->media.video_codecs, o->quiet || o->json);
    /* Better known now than when somebody rings. */
    enum tandem_status status = tandem_check(&o->media, &cause);

    if (status != TANDEM_OK)
        return outcome_give_up(o, "answer", exit_of_status(status), cause.text);
    o->engine.listen = true;
    o->engine.ring_seconds = o->media.ring_seconds;
    o->engine.may_be_asked_back |= !o->auto_answer; /* Then a person decides. */
    if (!open_talk(&t, o, &cause))
        return outcome_give_up(o, "answer", EXIT_FAILED, cause.text);
    if (!o->no_accounts && !account_open_all(t.engine, o->accounts, &accounts, &cause)) {
        close_talk(&t);
        return outcome_give_up(o, "answer", EXIT_USAGE, cause.text);
    }
    (void)snprintf(port, sizeof port, "%u", tandem_port(t.engine));
    say(&t, "waiting for calls on port %s (Ctrl-C ends)", port);
    if (o->engine.web) {
        char url[128];

        (void)snprintf(url, sizeof url, "%s://%s:%u/", o->engine.web_certificate ? "https" : "http",
                       o->engine.web_address ? o->engine.web_address : "localhost",
                       tandem_web_port(t.engine));
        say(&t, "browsers call at %s", url);
    }
    do {
        run(&t);
        report(&t);
        tandem_call_release(t.call);
        t.call = NULL;
        t.up = t.over = t.muted = t.dark = t.held = t.overlay = t.recording = t.answer_failed =
            t.chosen = false;
        t.interrupts = 0;
    } while (o->keep);
    code = t.exit;
    close_talk(&t);
    return (int)code;
}
