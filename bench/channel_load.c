/* SPDX-License-Identifier: MIT */
/*
 * Loads one TLS connection and says how it went, for bench/channel: one process listens, one
 * connects, in the same or another namespace of the same machine, so that both read one clock.
 *
 *     channel_load MODE listen PORT [--warmup S] [--seconds S]
 *     channel_load MODE ADDRESS PORT --seconds S | --bytes N  [--urgent-every MS]
 *
 * MODE: `channel`, a file on a stream of class 6 and small messages on one of class 1; `naive`, the
 * same written into TLS as it comes, messages before the file's next bytes; `raw`, TLS alone. The
 * listener prints a line of JSON. Messages are measured from when they were due.
 */

#include "engine/core/channel.h"
#include "engine/io/clock.h"
#include "engine/io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_BYTES 100
#define MESSAGES_MAX  100000
#define READ_BYTES    65536
#define ROOM_BYTES    (1u << 20)
#define NAIVE_BYTES   16384

enum mode { MODE_CHANNEL, MODE_NAIVE, MODE_RAW };

struct load {
    enum mode mode;
    bool listens;
    struct tdm_tls *tls;
    int fd;
    tdm_time begun, now, ends;

    /* Sender. */
    uint64_t bytes; /* Of the file; 0: for as long as it takes. */
    uint64_t sent;
    tdm_time urgent_every, urgent_due; /* 0: no messages. */
    bool done;

    /* Receiver. */
    tdm_time warmup, span, first_at;
    uint64_t received, received_in_span;
    tdm_time last_at;
    struct {
        uint8_t bytes[MESSAGE_BYTES];
        size_t have;
    } message;
    uint32_t message_count;
    tdm_time latencies[MESSAGES_MAX];

    /* Output that TLS has not taken. */
    uint8_t pending[TDM_CHANNEL_RECORD_MAX + NAIVE_BYTES];
    size_t pending_size;

    struct tdm_channel *core;
    struct tdm_channel_out out;
    uint32_t file_stream, urgent_stream, lowat_bytes;
    bool room; /* The core may write. */
    tdm_time wake_at;
    uint8_t made[NAIVE_BYTES];
    uint8_t buffer[READ_BYTES];
    size_t frame_left; /* naive: of the file's piece that is being read. */
    uint8_t frame_head[5];
    size_t frame_head_size;
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "channel_load: %s: %s\n", what, why);
    exit(1);
}

/* Writes as much as TLS takes; what it does not take waits. */
static void write_out(struct load *l, const uint8_t *data, size_t size)
{
    size_t taken = l->pending_size ? 0 : size;
    enum tdm_err err = l->pending_size ? TDM_E_AGAIN : tdm_tls_write(l->tls, data, &taken);

    if (err == TDM_E_GONE)
        l->done = true;
    else if (err != TDM_OK && err != TDM_E_AGAIN)
        die("write", tdm_err_name(err));
    if (taken == size || l->done)
        return;
    if (l->pending_size + size - taken > sizeof l->pending)
        die("write", "more than fits");
    memcpy(l->pending + l->pending_size, data + taken, size - taken);
    l->pending_size += size - taken;
}

static void flush(struct load *l)
{
    size_t taken = l->pending_size;

    if (!taken)
        return;
    if (tdm_tls_write(l->tls, l->pending, &taken) == TDM_E_GONE)
        l->done = true;
    memmove(l->pending, l->pending + taken, l->pending_size - taken);
    l->pending_size -= taken;
}

/* A message says when it was due. */
static void take_message_bytes(struct load *l, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        tdm_time due;

        l->message.bytes[l->message.have++] = data[i];
        if (l->message.have < MESSAGE_BYTES)
            continue;
        l->message.have = 0;
        memcpy(&due, l->message.bytes, sizeof due);
        if (l->now >= l->begun + l->warmup && l->message_count < MESSAGES_MAX)
            l->latencies[l->message_count++] = tdm_clock_now() - due;
    }
}

static void take_file_bytes(struct load *l, size_t size)
{
    l->first_at = l->first_at ? l->first_at : l->now;
    l->received += size;
    l->last_at = l->now;
    if (l->now >= l->first_at + l->warmup && l->now < l->first_at + l->warmup + l->span)
        l->received_in_span += size;
}

static void make_message(uint8_t *bytes, tdm_time due)
{
    memset(bytes, 'm', MESSAGE_BYTES);
    memcpy(bytes, &due, sizeof due);
}

/* The file may go on: not all sent, and time left. */
static bool file_left(const struct load *l)
{
    return l->bytes ? l->sent < l->bytes : l->now < l->ends;
}

/* ---- The channel. ---- */

static size_t answer_pull(struct load *l, struct tdm_channel_in *data)
{
    uint64_t left = l->bytes ? l->bytes - l->sent : UINT64_MAX;

    *data =
        (struct tdm_channel_in){.kind = TDM_CHANNEL_DATA, .stream = l->out.stream, .data = l->made};
    if (l->listens) { /* The end of a stream of the other side. */
        data->fin = true;
    } else if (l->out.stream == l->urgent_stream) {
        if (l->now < l->urgent_due || !file_left(l))
            return 0;
        make_message(l->made, l->urgent_due);
        l->urgent_due += l->urgent_every;
        data->size = MESSAGE_BYTES;
        data->more = l->now >= l->urgent_due;
    } else {
        data->size = l->out.max_bytes < left ? l->out.max_bytes : (size_t)left;
        data->size = data->size < sizeof l->made && file_left(l) ? data->size : 0;
        l->sent += data->size;
        data->more = true;
        data->fin = data->size == 0 || l->sent == l->bytes;
    }
    return data->size;
}

static void set_lowat(struct load *l)
{
    uint32_t lowat = l->out.lowat_bytes;

    if (!lowat || (lowat < l->lowat_bytes * 5 / 4 && lowat > l->lowat_bytes * 3 / 4))
        return;
    l->lowat_bytes = lowat;
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){(int)lowat}, sizeof(int));
}

static void channel_step(struct load *l, const struct tdm_channel_in *in);

static void channel_input(struct load *l, enum tdm_channel_input kind, uint32_t stream, size_t size,
                          uint32_t room)
{
    channel_step(l, &(struct tdm_channel_in){
                        .kind = kind, .stream = stream, .size = size, .room_bytes = room});
}

static void channel_event(struct load *l)
{
    uint32_t stream = l->out.stream;
    size_t size = l->out.size;
    bool fin = l->out.fin;

    switch (l->out.event) {
    case TDM_CHANNEL_EV_RECORD:
        if (l->out.cls == TDM_CLASS_INPUT)
            take_message_bytes(l, l->out.data, size);
        else
            take_file_bytes(l, size);
        channel_input(l, TDM_CHANNEL_CONSUMED, stream, size, 0);
        if (fin)
            channel_input(l, TDM_CHANNEL_READY, stream, 0, 0);
        break;
    case TDM_CHANNEL_EV_ACKED:
        l->done = l->done || (fin && stream == l->file_stream && !l->listens);
        break;
    case TDM_CHANNEL_EV_FAILED:
        die("channel", l->out.why);
        break;
    case TDM_CHANNEL_EV_LOST:
        die("channel", "silence");
        break;
    default:
        break;
    }
}

/* One input and what follows from it at this time. */
static void channel_step(struct load *l, const struct tdm_channel_in *in)
{
    struct tdm_channel_in next;

    for (;;) {
        tdm_channel_step(l->core, l->now, in, &l->out);
        size_t consumed = l->out.consumed;

        l->wake_at = l->out.wake_at;
        set_lowat(l);
        if (l->out.event == TDM_CHANNEL_EV_PULL) {
            (void)answer_pull(l, &next);
            in = &next;
            continue;
        }
        if (l->out.write_size)
            write_out(l, l->out.write, l->out.write_size);
        channel_event(l);
        if (l->pending_size && l->room) { /* It takes no more for now. */
            l->room = false;
            channel_input(l, TDM_CHANNEL_WRITABLE, 0, 0, 0);
        }
        if (in && in->kind == TDM_CHANNEL_BYTES && consumed < in->size) {
            next = *in;
            next.data += consumed;
            next.size -= consumed;
            in = &next;
            continue;
        }
        if (l->wake_at > l->now || l->done)
            return;
        in = NULL;
    }
}

static uint32_t channel_open(struct load *l, enum tdm_channel_class cls, uint32_t kind)
{
    tdm_channel_step(
        l->core, l->now,
        &(struct tdm_channel_in){.kind = TDM_CHANNEL_OPEN, .cls = cls, .kind_of = kind}, &l->out);
    uint32_t stream = l->out.stream;

    if (!stream)
        die("channel", "no stream");
    channel_input(l, TDM_CHANNEL_READY, stream, 0, 0);
    return stream;
}

static void channel_start(struct load *l)
{
    struct tdm_channel_config config = {.opener = !l->listens, .seed = 1};
    void *storage = malloc(tdm_channel_bytes());

    if (!storage)
        die("memory", strerror(errno));
    config.token[0] = l->listens;
    l->core = tdm_channel_init(storage, &config, l->now);
    channel_input(l, TDM_CHANNEL_CONNECTED, 0, 0, 0);
    if (l->listens)
        return;
    l->file_stream = channel_open(l, TDM_CLASS_BULK, TDM_KIND_FILE_DATA);
    if (l->urgent_every)
        l->urgent_stream = channel_open(l, TDM_CLASS_INPUT, TDM_KIND_INPUT);
}

static void channel_turn(struct load *l)
{
    if (!l->pending_size) {
        l->room = true;
        channel_input(l, TDM_CHANNEL_WRITABLE, 0, 0, ROOM_BYTES);
    }
    if (l->urgent_every && l->now >= l->urgent_due)
        channel_input(l, TDM_CHANNEL_READY, l->urgent_stream, 0, 0);
    if (!l->bytes && !l->listens && l->now >= l->ends)
        l->done = true;
}

/* ---- Naive and raw: pieces of `type, size` in one stream, or nothing but bytes. ---- */

static void naive_turn(struct load *l)
{
    uint8_t head[5 + NAIVE_BYTES];

    for (int i = 0; i < 64 && !l->pending_size && !l->listens && file_left(l); i++) {
        bool urgent = l->urgent_every && l->now >= l->urgent_due;
        uint32_t size = urgent ? MESSAGE_BYTES : NAIVE_BYTES;

        if (!urgent && l->bytes && l->bytes - l->sent < size)
            size = (uint32_t)(l->bytes - l->sent);
        if (l->mode == MODE_RAW) {
            write_out(l, l->made, size);
        } else {
            head[0] = urgent;
            memcpy(head + 1, &size, sizeof size);
            memcpy(head + 5, l->made, size);
            if (urgent)
                make_message(head + 5, l->urgent_due);
            write_out(l, head, 5 + size);
        }
        if (urgent)
            l->urgent_due += l->urgent_every;
        else
            l->sent += size;
        l->now = tdm_clock_now();
    }
    l->wake_at = l->pending_size || l->listens ? TDM_NEVER : l->now;
    if (!l->listens && !l->pending_size && !file_left(l))
        l->done = true;
}

static void naive_take(struct load *l, const uint8_t *data, size_t size)
{
    while (size) {
        if (l->mode == MODE_RAW) {
            take_file_bytes(l, size);
            return;
        }
        if (!l->frame_left) {
            uint32_t frame;

            l->frame_head[l->frame_head_size++] = *data++;
            size--;
            if (l->frame_head_size < 5)
                continue;
            memcpy(&frame, l->frame_head + 1, sizeof frame);
            l->frame_left = frame;
            l->frame_head_size = 0;
            continue;
        }
        size_t part = l->frame_left < size ? l->frame_left : size;

        if (l->frame_head[0])
            take_message_bytes(l, data, part);
        else
            take_file_bytes(l, part);
        l->frame_left -= part;
        data += part;
        size -= part;
    }
}

/* ---- Both. ---- */

static void read_in(struct load *l)
{
    for (int i = 0; i < 64 && !l->done; i++) {
        size_t size = sizeof l->buffer;
        enum tdm_err err = tdm_tls_read(l->tls, l->buffer, &size);

        if (err == TDM_E_AGAIN)
            return;
        if (err != TDM_OK) {
            l->done = true;
            return;
        }
        l->now = tdm_clock_now();
        if (l->mode == MODE_CHANNEL)
            channel_step(l, &(struct tdm_channel_in){
                                .kind = TDM_CHANNEL_BYTES, .data = l->buffer, .size = size});
        else
            naive_take(l, l->buffer, size);
    }
}

static void wait_for(struct load *l)
{
    tdm_time until = l->wake_at;
    short events = (short)(tdm_tls_events(l->tls) | (l->pending_size ? POLLOUT : 0));

    if (!l->listens && l->urgent_every)
        until = tdm_time_min(until, l->urgent_due);
    if (!l->listens && !l->bytes)
        until = tdm_time_min(until, l->ends);
    tdm_time left = tdm_time_max(tdm_time_min(until, l->now + TDM_S) - tdm_clock_now(), 0);
    struct timespec limit = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    (void)ppoll(&(struct pollfd){.fd = l->fd, .events = events}, 1, &limit, NULL);
    l->now = tdm_clock_now();
}

static void run(struct load *l)
{
    if (l->mode == MODE_CHANNEL)
        channel_start(l);
    else
        l->wake_at = l->now;
    while (!l->done) {
        flush(l);
        if (l->mode == MODE_CHANNEL)
            channel_turn(l);
        else
            naive_turn(l);
        if (!l->done)
            wait_for(l);
        read_in(l);
    }
}

static void handshake(struct load *l, const struct tdm_identity *identity)
{
    struct tdm_cause cause = {{0}};
    struct tdm_tls_config config = {
        .fd = l->fd,
        .client = !l->listens,
        .identity = identity,
        .fingerprint_count = 1,
    };

    /* Both ends read one identity from a file, so each expects its own. */
    memcpy(config.fingerprints[0].hash, "sha-256", sizeof "sha-256");
    config.fingerprints[0].size = TDM_FINGERPRINT_BYTES;
    memcpy(config.fingerprints[0].bytes, tdm_identity_fingerprint(identity), TDM_FINGERPRINT_BYTES);
    if (tdm_tls_create(&l->tls, &config, &cause) != TDM_OK)
        die("TLS", cause.text);
    for (;;) {
        enum tdm_err err = tdm_tls_handshake(l->tls, &cause);

        if (err == TDM_OK)
            return;
        if (err != TDM_E_AGAIN)
            die("TLS", cause.text);
        (void)poll(&(struct pollfd){.fd = l->fd, .events = tdm_tls_events(l->tls)}, 1, 10000);
    }
}

static int compare_times(const void *a, const void *b)
{
    tdm_time x = *(const tdm_time *)a;
    tdm_time y = *(const tdm_time *)b;

    return (x > y) - (x < y);
}

static double at_percent(const struct load *l, uint32_t percent)
{
    uint32_t index = l->message_count ? (l->message_count - 1) * percent / 100 : 0;

    return l->message_count ? (double)l->latencies[index] / 1e6 : 0;
}

static void report(struct load *l)
{
    double span = l->span ? (double)l->span / 1e9 : (double)(l->last_at - l->first_at) / 1e9;
    uint64_t bytes = l->span ? l->received_in_span : l->received;

    qsort(l->latencies, l->message_count, sizeof l->latencies[0], compare_times);
    printf("{\"bytes\": %llu, \"bit_s\": %.0f, \"whole_s\": %.4f, \"messages\": %u, "
           "\"min_ms\": %.2f, \"median_ms\": %.2f, \"p95_ms\": %.2f, \"max_ms\": %.2f}\n",
           (unsigned long long)l->received, span > 0 ? (double)bytes * 8 / span : 0,
           (double)(l->last_at - l->begun) / 1e9, l->message_count, at_percent(l, 0),
           at_percent(l, 50), at_percent(l, 95), at_percent(l, 100));
}

static int socket_for(const struct load *l, const char *address, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, l->listens ? "0.0.0.0" : address, &at.sin_addr) != 1)
        die("socket", strerror(errno));
    if (l->listens) {
        int listening = fd;

        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1))
            die("listen", strerror(errno));
        (void)fprintf(stderr, "listening\n");
        fd = accept(listening, NULL, NULL);
        (void)close(listening);
    } else if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
        die("connect", strerror(errno));
    }
    if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK))
        die("socket", strerror(errno));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

static void read_options(struct load *l, int argc, char **argv, const char **identity)
{
    static const struct option options[] = {
        {"warmup", required_argument, NULL, 'w'},   {"seconds", required_argument, NULL, 's'},
        {"bytes", required_argument, NULL, 'b'},    {"urgent-every", required_argument, NULL, 'u'},
        {"identity", required_argument, NULL, 'i'}, {NULL, 0, NULL, 0}};

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        double value = optarg ? strtod(optarg, NULL) : 0;

        if (o == 'w')
            l->warmup = (tdm_time)(value * 1e9);
        else if (o == 's')
            l->span = (tdm_time)(value * 1e9);
        else if (o == 'b')
            l->bytes = (uint64_t)value;
        else if (o == 'u')
            l->urgent_every = (tdm_time)(value * 1e6);
        else if (o == 'i')
            *identity = optarg;
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct load l;
    const char *path = NULL;
    struct tdm_identity *identity;
    struct tdm_cause cause = {{0}};

    if (argc < 4)
        die("usage", "channel_load MODE listen|ADDRESS PORT [options]");
    l.mode = strcmp(argv[1], "channel") == 0 ? MODE_CHANNEL
             : strcmp(argv[1], "naive") == 0 ? MODE_NAIVE
                                             : MODE_RAW;
    l.listens = strcmp(argv[2], "listen") == 0;
    read_options(&l, argc - 3, argv + 3, &path);
    (void)signal(SIGPIPE, SIG_IGN);
    if (tdm_identity_load(path, &identity, &cause) != TDM_OK)
        die("identity", cause.text);
    l.begun = tdm_clock_now();
    l.fd = socket_for(&l, argv[2], argv[3]);
    l.begun = l.listens ? tdm_clock_now() : l.begun;
    handshake(&l, identity);
    l.now = tdm_clock_now();
    l.ends = l.now + l.span;
    l.urgent_due = l.now + l.urgent_every;
    run(&l);
    if (l.listens)
        report(&l);
    tdm_tls_destroy(l.tls);
    tdm_identity_free(identity);
    return 0;
}
