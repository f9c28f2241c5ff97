/* SPDX-License-Identifier: MIT */
#include "apps/chat.h"

#include "apps/account_open.h"
#include "apps/chat_options.h"
#include "apps/chat_show.h"
#include "apps/contacts.h"
#include "apps/hooks.h"
#include "apps/line.h"
#include "apps/options.h"
#include "apps/presence.h"
#include "apps/signals.h"
#include "apps/terminal.h"
#include "tandem/files.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS      200
#define RING_S       20   /* For a session; then it goes on by messages. */
#define TYPING_S     4.0  /* So often it is said again. */
#define LAST_WORDS_S 40.0 /* For texts that wait when the input has ended; SIP gives up in 32. */
#define BY_SIP_MAX   8000
#define WAITING_MAX  12 /* With so many unconfirmed no more is read from a pipe. */

/* By which way texts go now. */
enum way { WAY_NOT_KNOWN, WAY_SESSION, WAY_MESSAGES };

/* One person's side, while the verb runs. */
struct side {
    struct chat_options *o;
    struct terminal terminal;
    struct tandem *engine;
    struct tandem_chat *chat;
    struct tandem_files *files;
    struct tandem_call *call;
    int signals;
    enum way way;
    bool stop, interrupted, input_open, asked;
    struct line line;
    char typed[4096]; /* Read; what lies from typed_at on is not taken yet. */
    size_t typed_at, typed_size;
    char to[256], name[128]; /* Whom what is typed is for; "" = nobody yet. */
    uint64_t last;           /* Our last text, for /edit and its mark. */
    const char *mark;
    uint64_t waiting[WAITING_MAX]; /* Ours that nobody confirmed yet. */
    int waiting_count;
    uint32_t offered; /* A file, for /take. */
    double typing_at, ended_at;
    bool begun, they_type, stored;
    enum exit_code exit;
    char reason[256], shown[512];
    struct hooks hooks;
    struct tandem_contacts *contacts;
    struct tandem_presence *presence;
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
    s->shown[0] = '\0';
}

static void say_about(struct side *s, const char *what, const char *about)
{
    char line[700];

    (void)snprintf(line, sizeof line, "%s: %s", what, about);
    say(s, line);
}

static void show(struct side *s, int64_t sent_ms, const char *name, const char *mark,
                 const char *text, bool cut)
{
    char *line = chat_show_text(sent_ms, name, mark, text, cut);

    if (line)
        say(s, line);
    free(line);
}

static enum exit_code exit_of_end(int end)
{
    switch (end) {
    case TANDEM_END_BUSY:
    case TANDEM_END_DECLINED:
        return EXIT_REFUSED;
    case TANDEM_END_NO_ANSWER:
        return EXIT_NO_ANSWER;
    case TANDEM_END_NOT_FOUND:
    case TANDEM_END_UNREACHABLE:
        return EXIT_UNREACHABLE;
    default:
        return EXIT_FAILED;
    }
}

static enum exit_code exit_of_status(enum tandem_status status)
{
    return status == TANDEM_INVALID || status == TANDEM_UNSUPPORTED ? EXIT_USAGE
           : status == TANDEM_UNREACHABLE                           ? EXIT_UNREACHABLE
                                                                    : EXIT_FAILED;
}

static void failed(struct side *s, enum exit_code code, const char *why)
{
    s->exit = code;
    (void)snprintf(s->reason, sizeof s->reason, "%.255s", why);
}

/* What we say. */

static void say_text(struct side *s, const char *text)
{
    struct tandem_cause cause = {""};
    struct timespec now;
    uint64_t id = 0;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (!s->to[0]) {
        say(s, "nobody to say it to yet: wait for somebody, or name one (tandem chat WHO)");
        return;
    }
    enum tandem_status status = tandem_chat_say(s->chat, s->engine, s->to, text, &id, &cause);

    if (status != TANDEM_OK) {
        failed(s, exit_of_status(status), cause.text);
        if (!s->o->text)
            say_about(s, "not sent", cause.text);
        return;
    }
    s->last = id;
    s->mark = "...";
    if (s->waiting_count < WAITING_MAX)
        s->waiting[s->waiting_count++] = id;
    if (s->terminal.keys)
        show(s, (int64_t)now.tv_sec * 1000, "me", "", text, false);
}

static void edit_last(struct side *s, const char *text)
{
    struct tandem_cause cause = {"nothing was said yet"};

    if (s->last && tandem_chat_edit(s->chat, s->last, text, &cause) == TANDEM_OK)
        say(s, "changed");
    else
        say_about(s, "not changed", cause.text);
}

static void send_file(struct side *s, const char *path)
{
    struct tandem_cause cause = {"a file needs a session, and there is none"};
    uint32_t number;

    if (s->way == WAY_SESSION && access(path, R_OK) != 0)
        say_about(s, path, strerrordesc_np(errno));
    else if (s->way == WAY_SESSION &&
             tandem_files_send(s->files, path, &number, &cause) == TANDEM_OK)
        say_about(s, "offered", path);
    else
        say_about(s, "not sent", cause.text);
}

static void show_history(struct side *s, const char *words)
{
    struct tandem_cause cause = {""};
    char *json =
        tandem_chat_history(s->chat, s->to[0] ? s->to : NULL, *words ? words : NULL, 0, &cause);

    terminal_hide(&s->terminal);
    if (json)
        chat_show_history(json);
    else
        say(s, cause.text);
    (void)fflush(stdout);
    tandem_free(json);
}

static void answer_offer(struct side *s, bool take)
{
    if (!s->offered)
        say(s, "no file is offered");
    else
        (void)(take ? tandem_files_accept : tandem_files_refuse)(s->files, s->offered);
    s->offered = 0;
}

/* "/edit TEXT": what stands behind the word; NULL: it is another. */
static const char *behind(const char *line, const char *command)
{
    size_t size = strlen(command);

    if (strncmp(line, command, size) != 0 || (line[size] && line[size] != ' '))
        return NULL;
    return line + size + (line[size] == ' ');
}

static void take_line(struct side *s, const char *line)
{
    const char *rest;

    if (!*line)
        return;
    if (line[0] != '/' || line[1] == '/')
        say_text(s, line + (line[0] == '/'));
    else if (behind(line, "/quit"))
        s->stop = true;
    else if ((rest = behind(line, "/edit")))
        edit_last(s, rest);
    else if ((rest = behind(line, "/send")) && *rest)
        send_file(s, rest);
    else if ((rest = behind(line, "/history")))
        show_history(s, rest);
    else if (behind(line, "/take"))
        answer_offer(s, true);
    else if (behind(line, "/refuse"))
        answer_offer(s, false);
    else
        say(s,
            "/edit TEXT, /send FILE, /take, /refuse, /history [WORDS], /quit; // for a text that "
            "begins with /");
}

static void tell_typing(struct side *s)
{
    double now = now_s();
    bool typing = s->line.size && s->line.text[0] != '/';

    if (!s->to[0])
        return;
    if (typing && now - s->typing_at > TYPING_S) {
        s->typing_at = now;
        tandem_chat_typing_to(s->chat, s->engine, s->to, true);
    } else if (!s->line.size && s->typing_at > 0) {
        s->typing_at = 0;
        tandem_chat_typing_to(s->chat, s->engine, s->to, false);
    }
}

static void take_key(struct side *s, unsigned char key)
{
    switch (line_key(&s->line, key)) {
    case LINE_WHOLE:
        take_line(s, line_text(&s->line));
        line_clear(&s->line);
        s->typing_at = 0;
        break;
    case LINE_CHANGED:
        if (s->terminal.keys)
            tell_typing(s);
        break;
    case LINE_END:
        s->stop = s->terminal.keys;
        break;
    case LINE_SAME:
        break;
    }
}

/* Whether a line more may be said now. */
static bool has_room(const struct side *s)
{
    return s->terminal.keys || s->waiting_count < WAITING_MAX;
}

static void take_typed(struct side *s)
{
    while (s->typed_at < s->typed_size && !s->stop && has_room(s))
        take_key(s, (unsigned char)s->typed[s->typed_at++]);
}

/* Keys of a terminal, or lines of a pipe, whose end is that of what we have to say. */
static void read_input(struct side *s)
{
    ssize_t size = read(STDIN_FILENO, s->typed, sizeof s->typed);

    s->typed_at = 0;
    s->typed_size = size > 0 ? (size_t)size : 0;
    take_typed(s);
    if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)) || s->terminal.keys)
        return;
    if (s->line.size)
        take_key(s, '\n');
    s->input_open = false;
    s->ended_at = now_s();
}

/* What comes. */

/* What is typed next is for this one; not in the middle of a line. */
static void turn_to(struct side *s, const struct tandem_chat_event *e)
{
    if (s->o->who || s->line.size || !e->address[0])
        return;
    (void)snprintf(s->to, sizeof s->to, "%s", e->address);
    (void)snprintf(s->name, sizeof s->name, "%s", e->who);
}

static void settled(struct side *s, const struct tandem_chat_event *e, const char *mark)
{
    if (e->id == s->last)
        s->mark = mark;
    for (int i = 0; i < s->waiting_count; i++)
        if (s->waiting[i] == e->id) {
            s->waiting[i] = s->waiting[--s->waiting_count];
            break;
        }
}

static void run_hook(struct side *s, const char *command, const char *event, const char *from,
                     const char *text)
{
    const struct hook_fact facts[] = {
        {"TANDEM_EVENT", event}, {"TANDEM_FROM", from}, {"TANDEM_TEXT", text}, {NULL, NULL}};

    if (!hooks_run(&s->hooks, command, facts))
        say_about(s, "the command could not be run, or too many of them do", command);
}

static void received(struct side *s, const struct tandem_chat_event *e)
{
    if (e->kind == TANDEM_CHAT_RECEIVED)
        run_hook(s, s->o->on_message, "message", e->address[0] ? e->address : e->who, e->text);
    turn_to(s, e);
    show(s, e->sent_ms, e->who, e->kind == TANDEM_CHAT_EDITED ? " (changed)" : "", e->text, e->cut);
    if (isatty(STDERR_FILENO)) /* Somebody reads. */
        tandem_chat_read(s->chat, e->id);
}

static void chat_event(struct side *s, const struct tandem_chat_event *e)
{
    if (s->o->json)
        chat_show_object(chat_show_event(e));
    switch (e->kind) {
    case TANDEM_CHAT_LINKED:
        s->way = e->on ? WAY_SESSION : WAY_MESSAGES;
        if (e->on)
            turn_to(s, e);
        s->they_type = false;
        say_about(s, e->on ? "in a session with" : "texts go as messages now; no session with",
                  e->who);
        break;
    case TANDEM_CHAT_RECEIVED:
    case TANDEM_CHAT_EDITED:
        received(s, e);
        break;
    case TANDEM_CHAT_DELIVERED:
        settled(s, e, "\xe2\x9c\x93");
        if (!s->terminal.keys)
            say_about(s, "delivered to", e->who);
        break;
    case TANDEM_CHAT_STORED:
        settled(s, e, "\xe2\x8f\xb3");
        s->stored = true;
        if (!s->terminal.keys)
            say_about(s, "not there; the server keeps it for", e->who);
        break;
    case TANDEM_CHAT_WAS_READ:
        settled(s, e, "\xe2\x9c\x93\xe2\x9c\x93");
        break;
    case TANDEM_CHAT_FAILED:
        settled(s, e, "\xe2\x9c\x97");
        failed(s, exit_of_end(e->value), e->text);
        if (!s->o->text)
            say_about(s, "not delivered, and kept for the next session", e->text);
        break;
    case TANDEM_CHAT_TYPING:
        s->they_type = e->on;
        break;
    }
}

static void file_event(struct side *s, const struct tandem_file_event *e)
{
    struct tandem_file_info info;
    char line[700];

    if (e->kind == TANDEM_FILE_OFFERED &&
        tandem_files_info(s->files, e->number, &info) == TANDEM_OK) {
        s->offered = e->number;
        (void)snprintf(line, sizeof line, "file offered: %s, %llu bytes%s; /take or /refuse",
                       e->name, (unsigned long long)info.size,
                       info.program ? ", A PROGRAM: opening it starts it" : "");
        say(s, line);
    } else if (e->kind == TANDEM_FILE_ENDED) {
        (void)snprintf(line, sizeof line, "%s: %s", e->name,
                       !e->done     ? e->text
                       : e->sending ? "sent and verified there"
                                    : "received and verified");
        say(s, line);
    } else if (e->kind == TANDEM_FILE_PAUSED || (e->kind == TANDEM_FILE_HASHED && e->text[0])) {
        say_about(s, e->name, e->text);
    }
}

/* The session. */

static struct tandem_media media_of(struct side *s)
{
    return (struct tandem_media){.video_source = "off",
                                 .video_sink = "off",
                                 .audio_source = "off",
                                 .audio_sink = "off",
                                 .ring_seconds = RING_S,
                                 .channel = true,
                                 .chat = s->chat,
                                 .files = s->files};
}

/* Why there is no session; texts go all the same. */
static void by_messages(struct side *s, const char *why)
{
    if (s->way == WAY_MESSAGES)
        return;
    s->way = WAY_MESSAGES;
    if (s->o->who)
        say_about(s, "no session, texts go as messages", why);
}

static void dial(struct side *s)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};

    if (tandem_dial(s->engine, s->to, &media, &s->call, &cause) == TANDEM_OK)
        return;
    s->call = NULL;
    by_messages(s, cause.text);
}

/* Who wants to talk or be seen is told that nobody is here for that. */
static void incoming(struct side *s, const struct tandem_event *e)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};

    if (e->value == 1 && !s->call && !s->o->text &&
        tandem_answer(e->call, &media, &cause) == TANDEM_OK) {
        s->call = e->call;
        return;
    }
    run_hook(s, s->o->on_call, "call", e->text, "");
    if (e->value != 1)
        say_about(s, "refused a call with sound or picture (tandem answer takes it)", e->text);
    (void)tandem_reject(e->call, s->call != NULL);
}

static void call_event(struct side *s, const struct tandem_event *e)
{
    if (e->kind == TANDEM_EVENT_INCOMING) {
        incoming(s, e);
        return;
    }
    if (e->kind == TANDEM_EVENT_ENDED)
        tandem_call_release(e->call);
    if (e->call && e->call != s->call)
        return;
    switch (e->kind) {
    case TANDEM_EVENT_CHANNEL:
        if (e->value == TANDEM_CHANNEL_NONE || e->value == TANDEM_CHANNEL_FAILED)
            (void)tandem_hangup(s->call);
        else if (e->value == TANDEM_CHANNEL_INTERRUPTED)
            say(s, e->text);
        break;
    case TANDEM_EVENT_STRANGER:
    case TANDEM_EVENT_NOTICE:
        say(s, e->text);
        break;
    case TANDEM_EVENT_ENDED:
        s->call = NULL;
        by_messages(s, e->text);
        break;
    default:
        break;
    }
}

/* The line at the bottom: who types, what became of our last text, whom it is for, and the text. */
static void show_prompt(struct side *s)
{
    char prompt[512];
    struct winsize size;
    size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;

    if (!s->terminal.keys || !isatty(STDERR_FILENO))
        return;
    int used =
        snprintf(prompt, sizeof prompt, "%s%s%s %.60s> ", s->they_type ? "is typing... " : "",
                 s->mark ? s->mark : "", s->way == WAY_MESSAGES ? " (messages)" : "",
                 s->to[0] ? s->name : "(nobody yet)");
    size_t left = columns > (size_t)used + 2 ? columns - (size_t)used - 2 : 8;

    (void)snprintf(prompt + used, sizeof prompt - (size_t)used, "%s",
                   line_tail(&s->line, left < 100 ? left : 100));
    if (strcmp(prompt, s->shown) == 0)
        return;
    (void)snprintf(s->shown, sizeof s->shown, "%s", prompt);
    terminal_line(&s->terminal, prompt);
}

/* By which way at first, when nothing is in the way of it any more. */
static void choose_way(struct side *s)
{
    s->begun = true;
    if (s->o->messages || (s->o->text && strlen(s->o->text) <= BY_SIP_MAX)) {
        s->way = WAY_MESSAGES;
        return;
    }
    if (!s->o->text)
        say_about(s, "asking for a session", s->o->who);
    dial(s);
}

static void turn(struct side *s)
{
    /* What is typed waits until it is known by which way it goes. */
    bool reads =
        s->input_open && s->way != WAY_NOT_KNOWN && s->typed_at == s->typed_size && has_room(s);
    struct pollfd fds[] = {{.fd = tandem_event_fd(s->engine), .events = POLLIN},
                           {.fd = tandem_chat_event_fd(s->chat), .events = POLLIN},
                           {.fd = tandem_files_event_fd(s->files), .events = POLLIN},
                           {.fd = s->signals, .events = POLLIN},
                           {.fd = reads ? STDIN_FILENO : -1, .events = POLLIN}};
    struct tandem_event event;
    struct tandem_chat_event text;
    struct tandem_file_event file;

    (void)poll(fds, 5, TICK_MS);
    while (tandem_next_event(s->engine, &event) == TANDEM_OK)
        call_event(s, &event);
    while (tandem_chat_next_event(s->chat, &text) == TANDEM_OK)
        chat_event(s, &text);
    while (tandem_files_next_event(s->files, &file) == TANDEM_OK)
        file_event(s, &file);
    hooks_look(&s->hooks);
    if (!s->begun && !account_settling(s->engine, s->to))
        choose_way(s);
    if (signals_take(s->signals))
        s->stop = s->interrupted = true;
    take_typed(s);
    if (fds[4].revents && s->typed_at == s->typed_size)
        read_input(s);
    if (s->o->text && !s->asked && s->way != WAY_NOT_KNOWN) {
        s->asked = true;
        s->ended_at = now_s();
        say_text(s, s->o->text);
    }
    /* With somebody, all is said when the input has ended and nothing waits. */
    if (s->o->who && !s->input_open && s->way != WAY_NOT_KNOWN &&
        (!s->waiting_count || now_s() - s->ended_at > LAST_WORDS_S))
        s->stop = true;
    show_prompt(s);
}

/* A text alone goes out by them; whoever stays can be reached over them, too. */
static bool open_accounts(struct side *s, struct tandem_cause *cause)
{
    size_t count;
    bool invalid;

    if (s->o->no_accounts)
        return true;
    if (!s->o->text)
        return account_open_all(s->engine, s->o->accounts, &count, cause);
    if (account_open_out(s->engine, s->o->accounts, NULL, s->o->address, &invalid, cause))
        return true;
    s->exit = invalid ? EXIT_USAGE : EXIT_UNREACHABLE;
    return false;
}

static bool open_side(struct side *s, struct tandem_cause *cause)
{
    struct chat_options *o = s->o;

    if (tandem_files_create(&(struct tandem_files_config){.folder = o->folder}, &s->files, cause) !=
        TANDEM_OK)
        return false;
    o->engine.chat = s->chat;
    s->contacts = contacts_open("chat");
    s->presence = o->text ? NULL : presence_open("chat", s->contacts);
    o->engine.presence = s->presence;
    if (tandem_create(&o->engine, &s->engine, cause) != TANDEM_OK || !open_accounts(s, cause))
        return false;
    terminal_open(&s->terminal, !o->text && !o->json);
    s->input_open = !o->text;
    return true;
}

/* Whom. */
static void begin(struct side *s)
{
    char line[200];

    if (!s->o->who) {
        (void)snprintf(line, sizeof line, "waiting at SIP port %u (Ctrl-C ends)",
                       tandem_port(s->engine));
        say(s, line);
        s->way = WAY_MESSAGES;
        s->begun = true;
        return;
    }
    (void)snprintf(s->to, sizeof s->to, "%s", s->o->address);
    (void)snprintf(s->name, sizeof s->name, "%s", s->o->who);
}

static int finish(struct side *s)
{
    bool unsaid = s->waiting_count > 0 && (s->o->text || !s->terminal.keys);

    if (s->interrupted && !s->o->text)
        failed(s, EXIT_DONE, "interrupted");
    else if (s->interrupted)
        failed(s, EXIT_FAILED, "interrupted: it may not have arrived");
    else if (unsaid && s->exit == EXIT_DONE)
        failed(s, EXIT_FAILED, "no answer: it is kept for the next session");
    if (s->call)
        (void)tandem_hangup(s->call);
    terminal_hide(&s->terminal);
    terminal_close(&s->terminal);
    tandem_destroy(s->engine);
    tandem_presence_destroy(s->presence);
    tandem_contacts_close(s->contacts);
    hooks_close(&s->hooks);
    tandem_files_destroy(s->files);
    tandem_chat_destroy(s->chat);
    line_free(&s->line);
    if (s->exit != EXIT_DONE || s->interrupted)
        fprintf(stderr, "tandem chat: %s\n", s->reason);
    if (s->o->json)
        chat_show_object(json_pack("{s:s, s:i, s:s}", "event", "exit", "exit", (int)s->exit,
                                   "reason", s->reason));
    return (int)s->exit;
}

static int print_history(struct side *s)
{
    struct tandem_cause cause = {""};
    char *json = tandem_chat_history(s->chat, s->o->who ? s->o->address : NULL, s->o->words,
                                     s->o->limit, &cause);

    if (!json)
        failed(s, EXIT_FAILED, cause.text);
    else if (s->o->json)
        puts(json);
    else
        chat_show_history(json);
    tandem_free(json);
    tandem_chat_destroy(s->chat);
    if (s->exit != EXIT_DONE)
        fprintf(stderr, "tandem chat: %s\n", s->reason);
    return (int)s->exit;
}

static int run(struct chat_options *o)
{
    static struct side s;
    struct tandem_cause cause = {""};

    /* A look at the history needs none. */
    s = (struct side){.o = o, .signals = o->history ? -1 : signals_open()};
    if (!o->kept[0])
        say(&s, "no folder for the history (HOME is not set): it is kept until the end only");
    if (tandem_chat_create(&(struct tandem_chat_config){o->kept[0] ? o->kept : NULL}, &s.chat,
                           &cause) != TANDEM_OK) {
        fprintf(stderr, "tandem chat: %s\n", cause.text);
        return EXIT_FAILED;
    }
    if (o->history)
        return print_history(&s);
    if (!open_side(&s, &cause)) {
        failed(&s, s.exit == EXIT_DONE ? EXIT_FAILED : s.exit, cause.text);
        return finish(&s);
    }
    begin(&s);
    while (!s.stop)
        turn(&s);
    return finish(&s);
}

int chat_run(int argc, char **argv)
{
    static struct chat_options o;

    if (!chat_options_parse(&o, argc, argv))
        return EXIT_USAGE;
    if (!o.help && o.who && !contacts_resolve("chat", o.who, o.address))
        return EXIT_USAGE;
    if (!o.help)
        return run(&o);
    puts(
        "tandem chat [WHO [TEXT]] [options]: texts in a session or as SIP messages\n\n"
        "  chat WHO TEXT  says it and ends; chat WHO talks with somebody; chat waits for others\n");
    chat_options_help(stdout);
    return EXIT_DONE;
}
