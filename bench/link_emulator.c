/* SPDX-License-Identifier: MIT */

/*
 * link_emulator: a link between two network namespaces in real time, over a TUN device in each.
 * One bottleneck from A to B (steps of capacity, a queue that drops at its tail, random loss) and a
 * delay each way; from B to A there is only the delay. It shares nothing with sim/, so that the two
 * can be compared (bench/link).
 *
 *   link_emulator A=NAMESPACE B=NAMESPACE steps=4M@0,1M@20 delay=25 queue_ms=300 | queue_bytes=N
 *                 loss=5 burst_ms=7.2 seed=1 from=2 to=60
 *
 * With `burst_ms` all is lost for times of that mean length, which make up `loss` per cent of the
 * time; without, each packet by itself. Prints "ready" when both devices are there. Time begins
 * when thirty datagrams went from A to B within a second: then the call stands. Ends at `to` behind
 * that, or by SIGTERM, with one object of figures of what passed from `from` on: of packets of at
 * least 200 bytes, which voice is not.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKETS_MAX 16384 /* A power of two: under way in one direction. */
#define BYTES_MAX   1600
#define STEPS_MAX   16
#define WAITS_MAX   2000000
#define BEGIN_COUNT 30
#define LARGE       200
#define SECOND      1000000000LL
#define WIDE_BPS    1e9

struct step {
    int64_t at; /* ns after the begin. */
    double bps;
};

struct options {
    const char *names[2];
    struct step steps[STEPS_MAX];
    int step_count;
    int64_t delay, queue_delay, from, to;
    double loss;
    int64_t burst;
    uint64_t queue_bytes, seed;
};

struct packet {
    int64_t leaves, arrives; /* The bottleneck; the other side. */
    uint32_t size;
    uint8_t bytes[BYTES_MAX];
};

/* One direction. `head` to `left` has left the bottleneck and is on its way. */
struct way {
    int in, out;
    uint32_t head, left, tail;
    uint64_t waiting_bytes;
    int64_t free_at;
    struct packet packets[PACKETS_MAX];
};

struct figures {
    uint64_t bytes, sent, lost, wait_count;
    float waits_ms[WAITS_MAX];
};

static volatile sig_atomic_t is_over;

static void end(int signal_number)
{
    (void)signal_number;
    is_over = 1;
}

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* "4M@0,1M@20": bits and seconds, ascending from 0. */
static bool parse_steps(struct options *o, const char *text)
{
    while (*text && o->step_count < STEPS_MAX) {
        char *rest;
        double bps = strtod(text, &rest);

        bps *= *rest == 'M' ? 1e6 : *rest == 'k' ? 1e3 : 1;
        rest += *rest == 'M' || *rest == 'k';
        if (*rest != '@' || bps < 0)
            return false;
        o->steps[o->step_count].bps = bps;
        o->steps[o->step_count++].at = (int64_t)(strtod(rest + 1, &rest) * 1e9);
        text = *rest == ',' ? rest + 1 : rest;
        if (*rest && *rest != ',')
            return false;
    }
    return !*text && o->step_count && o->steps[0].at == 0;
}

static bool parse_one(struct options *o, const char *word)
{
    const char *is = strchr(word, '=');
    double number = is ? strtod(is + 1, NULL) : 0;
    size_t size = is ? (size_t)(is - word) : 0;

    if (size == 1 && (*word == 'A' || *word == 'B'))
        o->names[*word == 'B'] = is + 1;
    else if (size == 5 && strncmp(word, "steps", size) == 0)
        return parse_steps(o, is + 1);
    else if (size == 5 && strncmp(word, "delay", size) == 0)
        o->delay = (int64_t)(number * 1e6);
    else if (size == 8 && strncmp(word, "queue_ms", size) == 0)
        o->queue_delay = (int64_t)(number * 1e6);
    else if (size == 11 && strncmp(word, "queue_bytes", size) == 0)
        o->queue_bytes = (uint64_t)number;
    else if (size == 4 && strncmp(word, "loss", size) == 0)
        o->loss = number / 100;
    else if (size == 8 && strncmp(word, "burst_ms", size) == 0)
        o->burst = (int64_t)(number * 1e6);
    else if (size == 4 && strncmp(word, "seed", size) == 0)
        o->seed = (uint64_t)number;
    else if (size == 4 && strncmp(word, "from", size) == 0)
        o->from = (int64_t)(number * 1e9);
    else if (size == 2 && strncmp(word, "to", size) == 0)
        o->to = (int64_t)(number * 1e9);
    else
        return false;
    return true;
}

static int device_in(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    char path[300];
    int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there, fd = -1;

    (void)snprintf(path, sizeof path, "/run/netns/%s", name);
    there = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "link0");
    if (here >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
        fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) != 0) {
            (void)close(fd);
            fd = -1;
        }
        if (setns(here, CLONE_NEWNET) != 0)
            fd = -1;
    }
    if (fd < 0)
        fprintf(stderr, "link_emulator: no TUN device in %s: %s\n", name, strerrordesc_np(errno));
    (void)close(here);
    (void)close(there);
    return fd;
}

static double bps_at(const struct options *o, int64_t at)
{
    double bps = o->steps[0].bps;

    for (int i = 0; i < o->step_count && o->steps[i].at <= at; i++)
        bps = o->steps[i].bps;
    return bps;
}

static int64_t next_step(const struct options *o, int64_t at)
{
    for (int i = 0; i < o->step_count; i++)
        if (o->steps[i].at > at)
            return o->steps[i].at;
    return INT64_MAX;
}

/* When `bytes` whose service begins at `at` have passed. */
static int64_t served(const struct options *o, int64_t at, double bytes)
{
    for (;;) {
        double bps = bps_at(o, at);
        int64_t change = next_step(o, at);
        double can = change == INT64_MAX ? bytes : bps / 8e9 * (double)(change - at);

        if (bps > 0 && can >= bytes)
            return at + (int64_t)(bytes * 8e9 / bps);
        if (change == INT64_MAX)
            return INT64_MAX / 2; /* Dark for ever. */
        bytes -= can;
        at = change;
    }
}

/* What could pass between two times, bytes. */
static double capacity(const struct options *o, int64_t from, int64_t to)
{
    double bytes = 0;

    while (from < to) {
        int64_t until = next_step(o, from) < to ? next_step(o, from) : to;

        bytes += bps_at(o, from) / 8e9 * (double)(until - from);
        from = until;
    }
    return bytes;
}

static struct packet *packet_at(struct way *w, uint32_t index)
{
    return &w->packets[index & (PACKETS_MAX - 1)];
}

/* Whether the queue takes one more; `at` is the link's own time. */
static bool has_room(const struct options *o, const struct way *w, int64_t at, uint32_t size)
{
    if (w->tail - w->head == PACKETS_MAX)
        return false;
    if (o->queue_delay)
        return (double)(w->waiting_bytes + size) <=
               bps_at(o, at) / 8e9 * (double)o->queue_delay + BYTES_MAX;
    return w->waiting_bytes + size <= o->queue_bytes;
}

static void note(struct figures *f, const struct options *o, int64_t at, int64_t leaves,
                 uint32_t size)
{
    if (leaves >= o->from && leaves < o->to)
        f->bytes += size;
    if (at < o->from || at >= o->to || size < LARGE)
        return;
    f->sent++;
    if (f->wait_count < WAITS_MAX)
        f->waits_ms[f->wait_count++] = (float)((double)(leaves - at) * 1e-6);
}

static void note_loss(struct figures *f, const struct options *o, int64_t at, uint32_t size)
{
    if (at < o->from || at >= o->to || size < LARGE)
        return;
    f->sent++;
    f->lost++;
}

struct link {
    struct options o;
    struct way forth, back;
    struct figures figures;
    int64_t begin; /* 0: not yet. */
    int64_t recent[BEGIN_COUNT];
    uint32_t recent_at;
    bool losing; /* Until then, by link_time(): */
    int64_t loss_until;
};

/* Before the begin the link is as it is at the begin. */
static int64_t link_time(const struct link *l, int64_t now)
{
    return l->begin ? now - l->begin : 0;
}

static void look_for_begin(struct link *l, int64_t now)
{
    int64_t *oldest = &l->recent[l->recent_at++ % BEGIN_COUNT];

    if (!l->begin && *oldest && now - *oldest < SECOND)
        l->begin = now;
    *oldest = now;
}

/* Times of loss and times without take turns; their lengths have no memory. */
static bool is_lost(struct link *l, int64_t at)
{
    double draw;

    if (!l->o.burst) {
        draw = (double)(next_random(&l->o.seed) >> 11) * 0x1p-53;
        return draw < l->o.loss;
    }
    while (l->begin && l->loss_until <= at && l->o.loss > 0 && l->o.loss < 1) {
        draw = (double)(next_random(&l->o.seed) >> 11) * 0x1p-53;
        l->losing = !l->losing;
        double mean = (double)l->o.burst * (l->losing ? 1 : (1 - l->o.loss) / l->o.loss);

        l->loss_until += (int64_t)(-log(1 - draw) * mean) + 1;
    }
    return l->losing;
}

static void take_forth(struct link *l, int64_t now)
{
    struct way *w = &l->forth;
    struct packet *p = packet_at(w, w->tail);
    ssize_t size = read(w->in, p->bytes, BYTES_MAX);
    int64_t at;

    if (size <= 0)
        return;
    look_for_begin(l, now);
    at = link_time(l, now);
    if (!has_room(&l->o, w, at, (uint32_t)size) || is_lost(l, at)) {
        note_loss(&l->figures, &l->o, at, (uint32_t)size);
        return;
    }
    int64_t offset = now - at, from = w->free_at > now ? w->free_at - offset : at;

    p->size = (uint32_t)size;
    p->leaves = served(&l->o, from, p->size) + offset;
    p->arrives = p->leaves + l->o.delay;
    w->free_at = p->leaves;
    w->waiting_bytes += p->size;
    w->tail++;
    if (l->begin)
        note(&l->figures, &l->o, at, p->leaves - l->begin, p->size);
}

static void take_back(struct link *l, int64_t now)
{
    struct way *w = &l->back;
    struct packet *p = packet_at(w, w->tail);
    ssize_t size = w->tail - w->head < PACKETS_MAX ? read(w->in, p->bytes, BYTES_MAX) : 0;

    if (size <= 0)
        return;
    p->size = (uint32_t)size;
    p->leaves = now + (int64_t)((double)size * 8e9 / WIDE_BPS);
    p->arrives = p->leaves + l->o.delay;
    w->waiting_bytes += p->size;
    w->tail++;
}

/* Delivers what is due; when the next one is. */
static int64_t deliver(struct way *w, int64_t now)
{
    while (w->left != w->tail && packet_at(w, w->left)->leaves <= now)
        w->waiting_bytes -= packet_at(w, w->left++)->size;
    for (; w->head != w->left && packet_at(w, w->head)->arrives <= now; w->head++) {
        const struct packet *p = packet_at(w, w->head);

        if (write(w->out, p->bytes, p->size) < 0 && errno != EAGAIN)
            return now + SECOND;
    }
    if (w->head != w->left)
        return packet_at(w, w->head)->arrives;
    return w->left != w->tail ? packet_at(w, w->left)->leaves : now + SECOND / 10;
}

static void run(struct link *l)
{
    while (!is_over) {
        struct pollfd polls[2] = {{l->forth.in, POLLIN, 0}, {l->back.in, POLLIN, 0}};
        int64_t now = now_ns(), next = deliver(&l->forth, now), other = deliver(&l->back, now);
        int64_t wait = (next < other ? next : other) - now;
        struct timespec t = {wait > 0 ? wait / SECOND : 0, wait > 0 ? wait % SECOND : 0};

        if (l->begin && now - l->begin >= l->o.to)
            return;
        if (ppoll(polls, 2, &t, NULL) <= 0)
            continue;
        now = now_ns();
        if (polls[0].revents)
            take_forth(l, now);
        if (polls[1].revents)
            take_back(l, now);
    }
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void tell(struct link *l)
{
    struct figures *f = &l->figures;
    double could = capacity(&l->o, l->o.from, l->o.to);

    qsort(f->waits_ms, f->wait_count, sizeof *f->waits_ms, by_size);
    printf("{\"begun\": %s, \"packets\": %" PRIu64 ", \"util_%%\": %.2f, \"queue_p50_ms\": %.2f, "
           "\"queue_p95_ms\": %.2f, \"queue_p99_ms\": %.2f, \"lost_%%\": %.2f}\n",
           l->begin ? "true" : "false", f->sent, could > 0 ? 100.0 * (double)f->bytes / could : 0,
           f->wait_count ? (double)f->waits_ms[f->wait_count / 2] : 0,
           f->wait_count ? (double)f->waits_ms[f->wait_count * 95 / 100] : 0,
           f->wait_count ? (double)f->waits_ms[f->wait_count * 99 / 100] : 0,
           f->sent ? 100.0 * (double)f->lost / (double)f->sent : 0);
}

int main(int argc, char **argv)
{
    static struct link only; /* Of many megabytes. */
    struct link *l = &only;
    const struct sigaction action = {.sa_handler = end};
    const struct sched_param soon = {.sched_priority = 10};

    l->o.to = INT64_MAX / 4;
    for (int i = 1; i < argc; i++)
        if (!parse_one(&l->o, argv[i])) {
            fprintf(stderr, "link_emulator: \"%s\" is nothing that it knows\n", argv[i]);
            return 2;
        }
    if (!l->o.names[0] || !l->o.names[1] || !l->o.step_count ||
        (!l->o.queue_delay && !l->o.queue_bytes)) {
        fputs("link_emulator: A=, B=, steps= and queue_ms= or queue_bytes= are needed\n", stderr);
        return 2;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    l->forth.in = l->back.out = device_in(l->o.names[0]);
    l->forth.out = l->back.in = device_in(l->o.names[1]);
    if (l->forth.in < 0 || l->forth.out < 0)
        return 1;
    (void)sched_setscheduler(0, SCHED_FIFO, &soon); /* Where it is allowed. */
    puts("ready");
    (void)fflush(stdout);
    run(l);
    tell(l);
    return 0;
}
