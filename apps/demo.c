/* SPDX-License-Identifier: MIT */
#include "apps/demo.h"

#include "apps/bench.h"
#include "apps/demo_meet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_MAX_   1024
#define ARGS_MAX    64
#define PORT_FIRST  5060
#define PORT_TRIES  40
#define ANSWER_HEAD 2.0 /* Seconds that B lives longer than A, so that A hangs up. */

/* One end of the call, as a child process. */
struct end {
    const char *name;
    pid_t pid;
    int lines; /* Its stderr. */
    char line[400];
    char partial[400];
    size_t partial_size;
    char json[PATH_MAX_], text[PATH_MAX_], trace[PATH_MAX_];
    int exit;
};

struct demo {
    struct options *o;
    const char *self;
    struct end a, b;
    char video[2][300], audio[2][300]; /* Sources of A and B. */
    char sink[16], speaker[16], sheet[PATH_MAX_], recording[PATH_MAX_];
    uint16_t port;
    struct demo_meet meet;
    bool met; /* They call through the server; else straight. */
};

/* The first file of a shell pattern. */
static bool find_file(const char *pattern, char *path, size_t capacity)
{
    glob_t found;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): that is for "~user", which no pattern here has. */
    bool any = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0;

    if (any)
        (void)snprintf(path, capacity, "%s", found.gl_pathv[0]);
    globfree(&found);
    return any;
}

static bool exists(const char *pattern)
{
    char path[PATH_MAX_];

    return find_file(pattern, path, sizeof path);
}

/* The talking clip: where the Debian package puts it, wherever that moves. */
static bool find_clip(char *path, size_t capacity)
{
    static const char *const places[] = {
        "/usr/share/forensics-samples/*/*/movie-hello.mp4",
        "/usr/share/forensics-samples/*/movie-hello.mp4",
    };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (find_file(places[i], path, capacity))
            return true;
    return false;
}

static void choose_sources(struct demo *d)
{
    const struct tandem_media *m = &d->o->media;
    char clip[250];
    bool have_clip = find_clip(clip, sizeof clip);

    for (int i = 0; i < 2; i++) {
        if (have_clip) {
            (void)snprintf(d->video[i], sizeof d->video[i], "file:%s", clip);
            (void)snprintf(d->audio[i], sizeof d->audio[i], "file:%s", clip);
        } else {
            (void)snprintf(d->video[i], sizeof d->video[i], "pattern");
            (void)snprintf(d->audio[i], sizeof d->audio[i], "tone");
        }
    }
    if (!have_clip)
        fprintf(stderr, "no talking clip here: a test pattern and a tone instead; for real input "
                        "apt-get install forensics-samples-files\n");
    /* One camera and one microphone can serve one end. */
    if (exists("/dev/video0"))
        (void)snprintf(d->video[0], sizeof d->video[0], "cam");
    if (exists("/dev/snd/pcm*c"))
        (void)snprintf(d->audio[0], sizeof d->audio[0], "mic");
    for (int i = 0; i < 2; i++) {
        if (m->video_source)
            (void)snprintf(d->video[i], sizeof d->video[i], "%s", m->video_source);
        if (m->audio_source)
            (void)snprintf(d->audio[i], sizeof d->audio[i], "%s", m->audio_source);
    }
}

static void choose_sinks(struct demo *d)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this command sets the environment. */
    const char *display = getenv("DISPLAY");
    bool window = display && *display;

    (void)snprintf(d->sink, sizeof d->sink, "%s",
                   d->o->media.video_sink ? d->o->media.video_sink
                   : window               ? "window"
                                          : "null");
    (void)snprintf(d->speaker, sizeof d->speaker, "%s",
                   d->o->media.audio_sink     ? d->o->media.audio_sink
                   : exists("/dev/snd/pcm*p") ? "speaker"
                                              : "null");
    if (!window && !d->o->media.video_sink)
        fprintf(stderr, "no display: the pictures go to a file only (set DISPLAY for windows)\n");
}

static bool port_is_free(uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    bool free = udp >= 0 && tcp >= 0;

    if (tcp >= 0)
        (void)setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    free = free && bind(udp, (struct sockaddr *)&any, sizeof any) == 0 &&
           bind(tcp, (struct sockaddr *)&any, sizeof any) == 0;
    if (udp >= 0)
        (void)close(udp);
    if (tcp >= 0)
        (void)close(tcp);
    return free;
}

static bool choose_port(struct demo *d)
{
    uint16_t first = d->o->engine.sip_port ? d->o->engine.sip_port : PORT_FIRST;
    uint16_t tries = d->o->engine.sip_port ? 1 : PORT_TRIES;

    for (uint16_t i = 0; i < tries; i++)
        if (port_is_free((uint16_t)(first + 2 * i))) {
            d->port = (uint16_t)(first + 2 * i);
            return true;
        }
    fprintf(stderr, "tandem demo: port %u is in use: choose another with --port\n", first);
    return false;
}

static bool choose_files(struct demo *d)
{
    const char *out = d->o->out;

    if (mkdir(out, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "tandem demo: cannot make the folder %s (%s): choose another with --out\n",
                out, strerrordesc_np(errno));
        return false;
    }
    for (int i = 0; i < 2; i++) {
        struct end *end = i ? &d->b : &d->a;

        end->name = i ? "b" : "a";
        (void)snprintf(end->json, sizeof end->json, "%s/%s.json", out, end->name);
        (void)snprintf(end->text, sizeof end->text, "%s/%s.txt", out, end->name);
        (void)snprintf(end->trace, sizeof end->trace, "%s/%s-trace.json", out, end->name);
    }
    (void)snprintf(d->sheet, sizeof d->sheet, "%s/b-saw.png", out);
    (void)snprintf(d->recording, sizeof d->recording, "%s/b-saw.mkv", out);
    (void)unlink(d->recording);
    return true;
}

struct args {
    int count;
    char *list[ARGS_MAX];
    char numbers[16][24];
    int number_count;
};

static void add(struct args *args, const char *name, const char *value)
{
    if (!value || args->count + 2 >= ARGS_MAX)
        return;
    /* execv takes char * for historical reasons and does not write. */
    memcpy(&args->list[args->count++], &name, sizeof name);
    if (*value)
        memcpy(&args->list[args->count++], &value, sizeof value);
}

static void add_number(struct args *args, const char *name, double number)
{
    char *text = args->numbers[args->number_count++];

    if (number <= 0)
        return;
    (void)snprintf(text, sizeof args->numbers[0], "%.10g", number);
    add(args, name, text);
}

static void fill_args(struct demo *d, struct args *args, bool answers, const char *to)
{
    const struct tandem_media *m = &d->o->media;
    struct end *end = answers ? &d->b : &d->a;
    static const char seconds_extra[] = "";
    char *size = args->numbers[args->number_count++];

    (void)seconds_extra;
    add(args, d->self, "");
    add(args, answers ? "answer" : "call", answers ? "--auto" : to);
    add(args, "--video", d->video[answers]);
    add(args, "--audio", d->audio[answers]);
    add(args, "--sink", d->sink);
    add(args, "--speaker", d->speaker);
    add(args, "-c:v", m->video_codecs);
    add(args, "-preset", m->video_preset);
    add_number(args, "-threads", m->video_threads);
    add(args, "-c:a", m->audio_codecs);
    add_number(args, "-b:v", m->video_bps);
    add_number(args, "-b:a", m->audio_bps);
    add_number(args, "-ac", m->audio_channels);
    add_number(args, "--frame-ms", m->audio_frame_us / 1000.0);
    if (m->audio_music)
        add(args, "--music", "");
    add_number(args, "-r", m->fps);
    add_number(args, "--budget", m->latency_ms);
    if (m->width) {
        (void)snprintf(size, sizeof args->numbers[0], "%ux%u", m->width, m->height);
        add(args, "-s", size);
    }
    if (m->time_code)
        add(args, "--time-code", "");
    add_number(args, "--seconds", d->o->seconds + (answers ? ANSWER_HEAD : 0));
    add(args, "--report", end->json);
    add(args, "--trace", end->trace);
    add(args, "--identity", d->o->engine.identity_path);
    if (d->o->engine.allow_plain)
        add(args, "--plain", "");
    if (d->o->engine.only_plain)
        add(args, "--only-plain", "");
    if (d->o->engine.allow_sdes)
        add(args, "--sdes", "");
    if (d->o->engine.relay_only)
        add(args, "--relay-only", "");
    for (char *at = d->o->servers, *next; *at; at = next) {
        next = at + strcspn(at, ",");
        if (*next)
            *next++ = 0;
        add(args, "--turn", at);
    }
    if (d->met)
        add(args, "--accounts", d->meet.accounts[answers]);
    else
        add(args, "--no-accounts", "");
    add(args, "--no-keys", "");
    if (answers) {
        add_number(args, "--port", d->port);
        add(args, "--bind", "127.0.0.1");
        add(args, "--sheet", d->sheet);
        add(args, "--record", d->recording);
    }
}

static bool start(struct demo *d, bool answers)
{
    struct end *end = answers ? &d->b : &d->a;
    struct args args = {0};
    char to[32];
    int pipes[2];

    if (d->met)
        (void)snprintf(to, sizeof to, "b@%s", DEMO_DOMAIN);
    else
        (void)snprintf(to, sizeof to, "127.0.0.1:%u", d->port);
    fill_args(d, &args, answers, to);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    end->pid = fork();
    if (end->pid == 0) {
        int text = open(end->text, O_CREAT | O_TRUNC | O_WRONLY, 0666);

        (void)dup2(pipes[1], STDERR_FILENO);
        (void)dup2(text, STDOUT_FILENO);
        (void)execv(d->self, args.list);
        _exit(127);
    }
    (void)close(pipes[1]);
    end->lines = pipes[0];
    return end->pid > 0;
}

/* A child's whole line: a figure line is kept for the one line, anything else is passed on. */
static void take_line(struct demo *d, struct end *end)
{
    bool figures = strstr(end->partial, " fps ") != NULL;

    if (figures) {
        (void)snprintf(end->line, sizeof end->line, "%s", end->partial);
    } else if (!d->o->quiet && end->partial[0]) {
        fprintf(stderr, "%s%c: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", end->name[0] - 32,
                end->partial);
    }
    if (figures && end == &d->a && !d->o->quiet) {
        bool terminal = isatty(STDERR_FILENO);
        const char *b = strstr(d->b.line, "in ");

        fprintf(stderr, "%sA %s | B %s%s", terminal ? "\r\033[K" : "", d->a.line,
                b ? b : "starting", terminal ? "" : "\n");
    }
}

static bool read_lines(struct demo *d, struct end *end)
{
    char bytes[512];
    ssize_t got = read(end->lines, bytes, sizeof bytes);

    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] == '\n') {
            end->partial[end->partial_size] = 0;
            take_line(d, end);
            end->partial_size = 0;
        } else if (end->partial_size < sizeof end->partial - 1) {
            end->partial[end->partial_size++] = bytes[i];
        }
    }
    return got > 0;
}

/* Waits until B listens, so that A's first packet finds it. */
static bool wait_for_b(struct demo *d)
{
    for (int i = 0; i < 100 && d->b.lines >= 0; i++) {
        struct pollfd fd = {.fd = d->b.lines, .events = POLLIN};

        if (poll(&fd, 1, 100) > 0 && !read_lines(d, &d->b))
            return false;
        if (!port_is_free(d->port))
            return !d->met || demo_meet_wait(&d->meet);
    }
    return false;
}

static void watch(struct demo *d)
{
    struct pollfd fds[2] = {{.fd = d->a.lines, .events = POLLIN},
                            {.fd = d->b.lines, .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < 2; i++)
            if (fds[i].fd >= 0 && fds[i].revents && !read_lines(d, i ? &d->b : &d->a))
                fds[i].fd = -1;
    }
}

static void reap(struct end *end)
{
    int status = 0;

    if (end->pid > 0 && waitpid(end->pid, &status, 0) == end->pid)
        end->exit = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
    end->pid = 0;
}

/* A server between A and B, and what it is for before anybody calls. */
static void meet(struct demo *d)
{
    struct tandem_cause cause = {""};
    struct demo_meet *m = &d->meet;

    if (demo_meet_open(m, d->o->out, &cause)) {
        fprintf(stderr, "server: tandem serve, for " DEMO_DOMAIN " at 127.0.0.1:%u\n", m->port);
        d->met = demo_meet_run(m, &cause);
    }
    if (m->signed_in_s > 0)
        fprintf(stderr, "A and B signed in (%.0f ms)\n", m->signed_in_s * 1e3);
    if (m->seen_s > 0)
        fprintf(stderr, "A sees B: available; B sees A: available (%.0f ms)\n", m->seen_s * 1e3);
    if (m->message_s > 0)
        fprintf(stderr, "A wrote to B, and it was delivered (%.0f ms)\n", m->message_s * 1e3);
    if (!d->met)
        fprintf(stderr, "tandem demo: not through a server (%s): A calls B straight\n", cause.text);
}

static void copy_file(const char *path)
{
    char bytes[4096];
    FILE *file = fopen(path, "r");
    size_t got;

    if (!file) {
        fputs("null", stdout);
        return;
    }
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        (void)fwrite(bytes, 1, got, stdout);
    (void)fclose(file);
}

static void print_outcome(struct demo *d)
{
    if (d->o->json) {
        printf("{\"a\": ");
        copy_file(d->a.json);
        printf(", \"b\": ");
        copy_file(d->b.json);
        printf(", \"server\": {\"met\": %s, \"signed_in_ms\": %.1f, \"seen_ms\": %.1f, "
               "\"message_ms\": %.1f}",
               d->met ? "true" : "false", d->meet.signed_in_s * 1e3, d->meet.seen_s * 1e3,
               d->meet.message_s * 1e3);
        printf(", \"sheet\": \"%s\", \"recording\": \"%s\", \"traces\": [\"%s\", \"%s\"]}\n",
               d->sheet, d->recording, d->a.trace, d->b.trace);
        return;
    }
    printf("\nwhat B saw and heard of A (%s, %s)\n", d->video[0], d->audio[0]);
    copy_file(d->b.text);
    printf("\nwhat A saw and heard of B (%s, %s)\n", d->video[1], d->audio[1]);
    copy_file(d->a.text);
    printf("\nfiles: %s (what B saw), %s (recording), %s and %s (open in Perfetto), %s, %s\n",
           d->sheet, d->recording, d->a.trace, d->b.trace, d->a.json, d->b.json);
}

int demo_run(struct options *o, const char *self)
{
    struct demo d = {.o = o, .self = self, .a.lines = -1, .b.lines = -1};

    if (o->seconds <= 0)
        o->seconds = 20;
    bench_costs_prepare(o->media.video_codecs, o->quiet);
    choose_sources(&d);
    choose_sinks(&d);
    if (!choose_files(&d) || !choose_port(&d))
        return EXIT_FAILED;
    meet(&d);
    fprintf(stderr, "A calls B on 127.0.0.1:%u%s for %.0f s\n", d.port,
            d.met ? " through the server" : "", o->seconds);
    bool started = start(&d, true) && wait_for_b(&d) && start(&d, false);

    if (!started && d.b.pid > 0)
        (void)kill(d.b.pid, SIGTERM);
    watch(&d);
    reap(&d.a);
    reap(&d.b);
    demo_meet_close(&d.meet);
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    if (!started || d.a.exit || d.b.exit) {
        fprintf(stderr, "tandem demo: the call failed (A %d, B %d); see the lines above\n",
                d.a.exit, d.b.exit);
        return EXIT_FAILED;
    }
    print_outcome(&d);
    return EXIT_DONE;
}
