/* SPDX-License-Identifier: MIT */
#include "apps/files.h"

#include "apps/account_open.h"
#include "apps/contacts.h"
#include "apps/files_options.h"
#include "apps/folders.h"
#include "apps/options.h"
#include "apps/progress.h"
#include "apps/signals.h"
#include "apps/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS      200
#define TRANSFERS    128
#define REDIAL_S     1.0
#define BROKEN_S     2.0  /* A channel that was interrupted for so long is given up: a new call. */
#define IDLE_S       20.0 /* A caller who offers nothing for so long makes place for another. */
#define LINE_EVERY_S 2.0  /* Where lines are not overwritten. */

struct transfer {
    uint32_t number;
    bool over, done, refused, asks;
    double started_s, ended_s;
    struct progress_speed speed;
    struct tandem_file_info last; /* As known last. */
    char name[256], reason[256];
};

/* One side, while the verb runs. */
struct side {
    struct files_options *o;
    const char *verb;
    struct terminal terminal;
    struct tandem *engine;
    struct tandem_files *files;
    struct tandem_call *call;
    struct tandem_call *waiting; /* Came while an interrupted call had not ended yet. */
    int signals;
    bool stop, up, was_up;
    int interrupts;
    double idle_since_s; /* get: the call without a transfer; 0: there is one, or no call. */
    double redial_at_s, broken_at_s, gave_up_at_s, line_at_s;
    int end_value;
    char peer[256], reason[256];
    struct transfer transfers[TRANSFERS];
    int count;
    uint32_t asked; /* The offer that the next key answers; 0: none. */
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(struct side *s, const char *text)
{
    if (!s->o->quiet)
        terminal_print(&s->terminal, text);
}

static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    (void)fflush(stdout);
    json_decref(object);
}

static struct transfer *find(struct side *s, uint32_t number)
{
    for (int i = 0; i < s->count; i++)
        if (s->transfers[i].number == number)
            return &s->transfers[i];
    if (s->count == TRANSFERS) {
        /* The oldest that is over makes room. */
        for (int i = 0; i < s->count; i++)
            if (s->transfers[i].over) {
                memmove(&s->transfers[i], &s->transfers[i + 1],
                        (size_t)(s->count - i - 1) * sizeof s->transfers[0]);
                s->count--;
                break;
            }
        if (s->count == TRANSFERS)
            return NULL;
    }
    struct transfer *t = &s->transfers[s->count++];

    *t = (struct transfer){.number = number};
    return t;
}

static json_t *transfer_json(const struct transfer *t)
{
    double seconds = t->started_s > 0 && t->ended_s > t->started_s ? t->ended_s - t->started_s : 0;

    return json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:s}", "event", "ended",
                     "name", t->name, "done", t->done, "reason", t->reason, "size",
                     (json_int_t)t->last.size, "bytes", (json_int_t)t->last.done_bytes,
                     "resumed_bytes", (json_int_t)t->last.resumed_bytes, "wire_bytes",
                     (json_int_t)t->last.wire_bytes, "wrong_blocks",
                     (json_int_t)t->last.wrong_blocks, "seconds", seconds, "hash", t->last.hash);
}

static void describe(struct side *s, struct transfer *t)
{
    char text[900], size[24], many[40] = "";

    progress_size(size, sizeof size, t->last.size);
    if (t->last.folder)
        (void)snprintf(many, sizeof many, ", folder of %u", t->last.entries);
    (void)snprintf(text, sizeof text, "%s offers %s (%s%s, %s)%s%s", s->peer, t->last.name, size,
                   many, t->last.type,
                   t->last.renamed ? ", whose name was not safe and has been changed" : "",
                   t->last.program ? ", A PROGRAM: opening it starts it" : "");
    if (s->o->json)
        print_json(json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "event", "offered", "from", s->peer,
                             "name", t->last.name, "size", (json_int_t)t->last.size, "type",
                             t->last.type, "hash", t->last.hash));
    say(s, text);
}

static void offered(struct side *s, const struct tandem_file_event *e, struct transfer *t)
{
    if (!e->taken && s->terminal.keys) {
        t->asks = true;
        return;
    }
    describe(s, t);
    if (e->taken) {
        say(s, "taken by rule");
        return;
    }
    say(s, "refused: nobody can be asked here; see --auto-accept");
    (void)tandem_files_refuse(s->files, e->number);
}

/* One question at a time; what was typed before it was asked answers nothing. */
static void ask_next(struct side *s)
{
    for (int i = 0; !s->asked && i < s->count; i++) {
        struct transfer *t = &s->transfers[i];

        if (!t->asks)
            continue;
        s->asked = t->number;
        terminal_forget_keys(&s->terminal);
        describe(s, t);
        terminal_print(&s->terminal, "y takes it, any other key refuses it");
    }
}

static void take_key(struct side *s)
{
    int key = terminal_key(&s->terminal);
    uint32_t number = s->asked;
    struct transfer *t = find(s, number);

    if (key <= 0)
        return;
    s->asked = 0;
    if (t)
        t->asks = false;
    (void)(key == 'y' || key == 'Y' ? tandem_files_accept : tandem_files_refuse)(s->files, number);
}

static void ended(struct side *s, const struct tandem_file_event *e, struct transfer *t)
{
    char line[900], size[24], speed[24], took[24];
    double seconds;

    t->over = true;
    t->asks = false;
    if (s->asked == t->number)
        s->asked = 0;
    t->done = e->done;
    t->refused = strcmp(e->text, "refused") == 0;
    t->ended_s = now_s();
    (void)snprintf(t->name, sizeof t->name, "%s", e->name);
    (void)snprintf(t->reason, sizeof t->reason, "%s", e->text);
    seconds = t->started_s > 0 ? t->ended_s - t->started_s : 0;
    if (e->done)
        (void)snprintf(
            line, sizeof line, "%s: %s, %s in %s (%s/s), sha256 tree %.16s", e->name,
            e->sending ? "sent and verified there" : "received and verified",
            progress_size(size, sizeof size, t->last.size),
            progress_time(took, sizeof took, seconds),
            progress_size(speed, sizeof speed,
                          (uint64_t)(seconds > 0.01
                                         ? (double)(t->last.size - t->last.resumed_bytes) / seconds
                                         : 0)),
            t->last.hash);
    else
        (void)snprintf(line, sizeof line, "%s: %s", e->name, e->text);
    say(s, line);
    if (s->o->json)
        print_json(transfer_json(t));
}

static void file_event(struct side *s, const struct tandem_file_event *e)
{
    struct transfer *t = find(s, e->number);
    char line[600];

    if (!t)
        return;
    (void)tandem_files_info(s->files, e->number, &t->last);
    if (!t->name[0])
        (void)snprintf(t->name, sizeof t->name, "%s", e->name);
    switch (e->kind) {
    case TANDEM_FILE_OFFERED:
        offered(s, e, t);
        break;
    case TANDEM_FILE_ENDED:
        ended(s, e, t);
        break;
    case TANDEM_FILE_HASHED:
    case TANDEM_FILE_PAUSED:
        if (!e->text[0])
            break;
        (void)snprintf(line, sizeof line, "%s: %s", e->name, e->text);
        say(s, line);
        break;
    default:
        break;
    }
}

static int columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col - 1 : 79;
}

static const char *state_of(const struct side *s, const struct tandem_file_info *info)
{
    if (info->state == TANDEM_FILE_HASHING)
        return "hashing";
    if (info->state == TANDEM_FILE_STOPPED)
        return "paused";
    if (!s->up)
        return s->was_up             ? "interrupted, trying again"
               : s->gave_up_at_s > 0 ? "busy, trying again"
                                     : "connecting";
    if (info->state == TANDEM_FILE_WAITING)
        return "waiting for an answer";
    return info->linked ? NULL : "asking to go on";
}

/* The transfer that moves, or the first that does not yet. */
static void show_progress(struct side *s)
{
    struct transfer *shown = NULL;
    double now = now_s();
    char line[1024];

    for (int i = 0; i < s->count; i++) {
        struct transfer *t = &s->transfers[i];

        if (t->over || t->asks || tandem_files_info(s->files, t->number, &t->last) != TANDEM_OK)
            continue;
        if (t->last.state == TANDEM_FILE_RUNNING && t->last.linked) {
            t->started_s = t->started_s > 0 ? t->started_s : now;
            progress_sample(&t->speed, now, t->last.done_bytes);
        }
        if (!shown ||
            (shown->last.state != TANDEM_FILE_RUNNING && t->last.state == TANDEM_FILE_RUNNING))
            shown = t;
    }
    if (!shown || s->o->quiet || (!isatty(STDERR_FILENO) && now < s->line_at_s))
        return;
    s->line_at_s = now + LINE_EVERY_S;
    struct progress p = {.name = shown->last.name,
                         .done = shown->last.done_bytes,
                         .total = shown->last.size,
                         .bytes_per_s = shown->speed.bytes_per_s,
                         .state = state_of(s, &shown->last)};

    terminal_line(&s->terminal, progress_line(line, sizeof line, columns(), &p));
}

static struct tandem_media media_of(struct side *s)
{
    return (struct tandem_media){.video_source = "off",
                                 .video_sink = "off",
                                 .audio_source = "off",
                                 .audio_sink = "off",
                                 .channel = true,
                                 .files = s->files};
}

static void dial(struct side *s)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};
    enum tandem_status status = tandem_dial(s->engine, s->o->who, &media, &s->call, &cause);

    s->redial_at_s = now_s() + REDIAL_S;
    if (status == TANDEM_OK)
        return;
    s->call = NULL;
    (void)snprintf(s->reason, sizeof s->reason, "%s", cause.text);
    s->end_value = status == TANDEM_UNREACHABLE ? TANDEM_END_UNREACHABLE : TANDEM_END_FAILED;
    if (!s->was_up)
        s->stop = true;
}

static void answer(struct side *s, struct tandem_call *call)
{
    struct tandem_media media = media_of(s);
    struct tandem_cause cause = {""};

    if (tandem_answer(call, &media, &cause) == TANDEM_OK) {
        s->call = call;
        return;
    }
    say(s, cause.text);
    (void)tandem_reject(call, false);
}

/* One caller at a time; but one whose channel is broken may have come back as a new call. */
static void incoming(struct side *s, const struct tandem_event *e)
{
    if (!s->call) {
        (void)snprintf(s->peer, sizeof s->peer, "%s", e->text);
        answer(s, e->call);
    } else if (!s->up && !s->waiting) {
        s->waiting = e->call;
        (void)tandem_hangup(s->call);
    } else {
        (void)tandem_reject(e->call, true);
    }
}

static void call_ended(struct side *s, const struct tandem_event *e)
{
    bool ours = e->call == s->call;

    tandem_call_release(e->call);
    if (e->call == s->waiting)
        s->waiting = NULL;
    if (!ours)
        return;
    s->call = NULL;
    s->up = false;
    s->end_value = e->value;
    (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
    /* Who is busy may just have lost somebody, perhaps us before we were started again. */
    if (s->o->sending && !s->was_up && e->value == TANDEM_END_BUSY && s->gave_up_at_s <= 0)
        s->gave_up_at_s = now_s() + s->o->retry_s;
    if (s->o->sending && !s->was_up && e->value != TANDEM_END_BUSY)
        s->stop = true;
    if (!s->o->sending && s->waiting) {
        struct tandem_call *next = s->waiting;

        s->waiting = NULL;
        answer(s, next);
    } else if (s->o->once && s->was_up) {
        s->stop = true;
    }
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
        s->was_up = s->was_up || s->up;
        s->broken_at_s = s->up ? 0 : now_s();
        say(s, e->text);
        /* Without a channel the call is of no use. */
        if (e->value == TANDEM_CHANNEL_NONE || e->value == TANDEM_CHANNEL_FAILED) {
            (void)snprintf(s->reason, sizeof s->reason, "%s", e->text);
            (void)tandem_hangup(s->call);
        }
        break;
    case TANDEM_EVENT_NOTICE:
    case TANDEM_EVENT_STRANGER:
        say(s, e->text);
        break;
    case TANDEM_EVENT_ENDED:
        call_ended(s, e);
        break;
    default:
        break;
    }
}

static bool all_over(const struct side *s)
{
    for (int i = 0; i < s->count; i++)
        if (!s->transfers[i].over)
            return false;
    return s->count > 0;
}

static bool only_hashing(const struct side *s)
{
    for (int i = 0; i < s->count; i++)
        if (!s->transfers[i].over && s->transfers[i].last.state != TANDEM_FILE_HASHING)
            return false;
    return true;
}

/* The sender's way back to somebody who went away. */
static void keep_calling(struct side *s)
{
    double now = now_s();
    bool waits = s->was_up && only_hashing(s); /* Who has nothing to offer may have been put out. */

    if (s->up || waits)
        s->gave_up_at_s = 0;
    else if (s->was_up && s->gave_up_at_s == 0)
        s->gave_up_at_s = now + s->o->retry_s;
    if (s->gave_up_at_s > 0 && now > s->gave_up_at_s)
        s->stop = true;
    else if (!s->call && !waits && now >= s->redial_at_s)
        dial(s);
    else if (s->call && s->was_up && s->broken_at_s > 0 && now - s->broken_at_s > BROKEN_S) {
        s->broken_at_s = 0;
        (void)tandem_hangup(s->call);
    }
}

/* get: whoever calls and brings nothing keeps nobody else away. */
static void end_idle(struct side *s)
{
    double now = now_s();
    bool busy = !s->call;

    for (int i = 0; i < s->count; i++)
        busy = busy || (!s->transfers[i].over && s->transfers[i].last.linked);
    if (busy || s->idle_since_s <= 0) {
        s->idle_since_s = busy ? 0 : now;
    } else if (now - s->idle_since_s > IDLE_S) {
        s->idle_since_s = now;
        say(s, "hung up: nothing was offered for 20 s");
        (void)tandem_hangup(s->call);
    }
}

static void turn(struct side *s)
{
    struct pollfd fds[] = {{.fd = tandem_event_fd(s->engine), .events = POLLIN},
                           {.fd = tandem_files_event_fd(s->files), .events = POLLIN},
                           {.fd = s->signals, .events = POLLIN},
                           {.fd = s->asked ? STDIN_FILENO : -1, .events = POLLIN}};
    struct tandem_event event;
    struct tandem_file_event file;

    if (poll(fds, 4, TICK_MS) > 0 && fds[3].revents)
        take_key(s);
    while (tandem_next_event(s->engine, &event) == TANDEM_OK)
        call_event(s, &event);
    while (tandem_files_next_event(s->files, &file) == TANDEM_OK)
        file_event(s, &file);
    ask_next(s);
    if (signals_take(s->signals)) {
        s->interrupts++;
        s->stop = true;
    }
    if (s->o->sending && !s->stop)
        keep_calling(s);
    show_progress(s);
    if (!s->o->sending)
        end_idle(s);
    else if (all_over(s))
        s->stop = true;
}

static enum exit_code exit_of(const struct side *s)
{
    bool refused = false;

    if (s->o->sending && all_over(s)) {
        for (int i = 0; i < s->count; i++) {
            if (!s->transfers[i].done && !s->transfers[i].refused)
                return EXIT_FAILED;
            refused = refused || s->transfers[i].refused;
        }
        return refused ? EXIT_REFUSED : EXIT_DONE;
    }
    if (s->o->sending && !s->was_up && !s->interrupts) {
        switch (s->end_value) {
        case TANDEM_END_BUSY:
        case TANDEM_END_DECLINED:
            return EXIT_REFUSED;
        case TANDEM_END_NO_ANSWER:
            return EXIT_NO_ANSWER;
        case TANDEM_END_UNREACHABLE:
        case TANDEM_END_NOT_FOUND:
            return EXIT_UNREACHABLE;
        default:
            return EXIT_FAILED;
        }
    }
    for (int i = 0; i < s->count; i++)
        if (!s->transfers[i].done && (s->o->sending || !s->transfers[i].refused))
            return EXIT_FAILED;
    return s->o->sending ? EXIT_FAILED : EXIT_DONE;
}

/* What came to nothing is the reason, whatever the call says. */
static void explain_failures(struct side *s)
{
    const struct transfer *first = NULL;
    int failed = 0;

    for (int i = 0; i < s->count; i++) {
        const struct transfer *t = &s->transfers[i];

        if (!t->over || t->done || (!s->o->sending && t->refused))
            continue;
        first = first ? first : t;
        failed++;
    }
    if (first)
        (void)snprintf(s->reason, sizeof s->reason, "%d of %d did not arrive; %.100s: %.100s",
                       failed, s->count, first->name, first->reason);
}

static int finish(struct side *s)
{
    enum exit_code code = exit_of(s);
    char line[400] = "";

    if (s->call)
        (void)tandem_hangup(s->call);
    tandem_destroy(s->engine);
    tandem_files_destroy(s->files);
    explain_failures(s);
    if (s->o->sending && code == EXIT_DONE)
        s->reason[0] = '\0'; /* Of an attempt before. */
    if (s->interrupts)
        (void)snprintf(s->reason, sizeof s->reason,
                       s->count
                           ? "interrupted: what is there stays, the same command goes on from it"
                           : "interrupted");
    if (s->interrupts || code != EXIT_DONE)
        (void)snprintf(line, sizeof line, "tandem %s: %s", s->verb,
                       s->reason[0] ? s->reason : "not everything was sent");
    if (line[0])
        terminal_print(&s->terminal, line);
    terminal_close(&s->terminal);
    if (s->o->json)
        print_json(json_pack("{s:s, s:s, s:i, s:s}", "event", "exit", "verb", s->verb, "exit",
                             (int)code, "reason", s->reason));
    return (int)code;
}

static int give_up(struct side *s, enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem %s: %s\n", s->verb, why);
    if (s->o->json)
        print_json(json_pack("{s:s, s:s, s:i, s:s}", "event", "exit", "verb", s->verb, "exit",
                             (int)code, "reason", why));
    tandem_files_destroy(s->files);
    return (int)code;
}

static int run(struct files_options *o)
{
    static struct side s;
    static char address[256];
    struct tandem_cause cause = {""};
    bool invalid;

    if (o->who && !contacts_resolve("send", o->who, address))
        return EXIT_USAGE;
    if (o->who)
        o->who = address;
    s = (struct side){.o = o, .verb = o->sending ? "send" : "get", .signals = signals_open()};
    (void)snprintf(s.peer, sizeof s.peer, "%s", o->who ? o->who : "");
    for (int i = 0; i < o->path_count; i++)
        if (access(o->paths[i], R_OK) != 0) {
            (void)snprintf(cause.text, sizeof cause.text, "%.200s: %s", o->paths[i],
                           strerrordesc_np(errno));
            return give_up(&s, EXIT_USAGE, cause.text);
        }
    enum tandem_status status = tandem_files_create(&o->files, &s.files, &cause);

    if (status != TANDEM_OK)
        return give_up(&s, status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED, cause.text);
    if (!o->sending && !folders_writable(o->files.folder ? o->files.folder : ".")) {
        (void)snprintf(cause.text, sizeof cause.text,
                       "cannot write to %.150s (%s): name another folder with --dir",
                       o->files.folder ? o->files.folder : ".", strerrordesc_np(errno));
        return give_up(&s, EXIT_USAGE, cause.text);
    }
    if (tandem_create(&o->engine, &s.engine, &cause) != TANDEM_OK)
        return give_up(&s, EXIT_FAILED, cause.text);
    if (o->who && !account_open_out(s.engine, NULL, NULL, o->who, &invalid, &cause)) {
        tandem_destroy(s.engine);
        return give_up(&s, invalid ? EXIT_USAGE : EXIT_UNREACHABLE, cause.text);
    }
    terminal_open(&s.terminal, !o->sending);
    for (int i = 0; i < o->path_count && !s.stop; i++) {
        uint32_t number;

        if (tandem_files_send(s.files, o->paths[i], &number, &cause) == TANDEM_OK)
            (void)find(&s, number);
        else
            s.stop = true;
    }
    (void)snprintf(s.reason, sizeof s.reason, "%s", cause.text);
    if (!o->sending) {
        char line[200];

        (void)snprintf(line, sizeof line, "waiting at SIP port %u; files go to %s",
                       tandem_port(s.engine), o->files.folder ? o->files.folder : ".");
        say(&s, line);
    }
    while (!s.stop)
        turn(&s);
    return finish(&s);
}

static int parse_and_run(bool sending, int argc, char **argv)
{
    static struct files_options o;

    if (!files_options_parse(&o, sending, argc, argv))
        return EXIT_USAGE;
    if (!o.help)
        return run(&o);
    printf("tandem %s [options]%s: %s\n\n", sending ? "send" : "get", sending ? " FILE... WHO" : "",
           sending ? "send files and folders; goes on after any break"
                   : "wait for files and folders, and take those that are wanted");
    files_options_help(stdout, sending);
    return EXIT_DONE;
}

int files_send(int argc, char **argv)
{
    return parse_and_run(true, argc, argv);
}

int files_get(int argc, char **argv)
{
    return parse_and_run(false, argc, argv);
}
