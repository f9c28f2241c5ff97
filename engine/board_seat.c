/* SPDX-License-Identifier: MIT */
#include "engine/board_seat.h"

#include "engine/io/wake.h"

#include <string.h>

#define PIPE_BYTES  ((size_t)1 << 20)
#define LIVE_QUEUED 32768 /* Values that nobody has taken; more, and the older ones go. */

static const enum tdm_channel_kind kinds[] = {TDM_KIND_BOARD, 0};
static const enum tdm_channel_class classes[TDM_BOARD_LANES] = {
    [TDM_BOARD_LANE_OPS] = TDM_CLASS_BOARD,
    [TDM_BOARD_LANE_LIVE] = TDM_CLASS_LATEST,
    [TDM_BOARD_LANE_BLOBS] = TDM_CLASS_BULK,
};

enum tdm_err tdm_board_seat_open(struct tdm_board_seat *s, int wake)
{
    *s = (struct tdm_board_seat){.wake = wake, .epoch = 1, .arrived_at = TDM_NEVER};
    (void)pthread_mutex_init(&s->lock, NULL);
    tdm_ring_init(&s->words, s->word_slots, sizeof *s->word_slots, TDM_BOARD_SEAT_WORDS);
    enum tdm_err err = tdm_board_pipe_open(&s->out[TDM_BOARD_LANE_OPS], PIPE_BYTES);

    if (err == TDM_OK)
        err = tdm_board_pipe_open(&s->out[TDM_BOARD_LANE_BLOBS], PIPE_BYTES);
    return err;
}

void tdm_board_seat_close(struct tdm_board_seat *s)
{
    for (int i = 0; i < TDM_BOARD_LANES; i++) {
        tdm_board_pipe_close(&s->out[i]);
        tdm_share_bytes_free(&s->in[i]);
    }
    (void)pthread_mutex_destroy(&s->lock);
}

static int lane_of(const uint32_t ids[TDM_BOARD_LANES], uint32_t stream)
{
    for (int i = 0; stream && i < TDM_BOARD_LANES; i++)
        if (ids[i] == stream)
            return i;
    return -1;
}

static int lane_of_class(enum tdm_channel_class cls)
{
    for (int i = 0; i < TDM_BOARD_LANES; i++)
        if (classes[i] == cls)
            return i;
    return -1;
}

static void clear_in(struct tdm_board_seat *s)
{
    for (int i = 0; i < TDM_BOARD_LANES; i++) {
        tdm_share_bytes_clear(&s->in[i]);
        s->consumed[i] = 0;
    }
    s->arrived_at = TDM_NEVER;
}

static void close_streams(struct tdm_board_seat *s)
{
    for (int i = 0; i < TDM_BOARD_LANES; i++) {
        if (s->ours[i])
            (void)tdm_rider_reset(s->seat, s->ours[i]);
        if (s->theirs[i])
            (void)tdm_rider_reset(s->seat, s->theirs[i]);
        s->ours[i] = s->theirs[i] = 0;
    }
    s->asked = s->closing = false;
    s->epoch++;
    clear_in(s);
}

/* Who opens and resets faster than the board's thread can follow begins anew, from nothing. */
static void begin_anew(struct tdm_board_seat *s)
{
    struct tdm_board_word word;

    while (tdm_ring_pop(&s->words, &word) == TDM_OK)
        continue;
    word = (struct tdm_board_word){.kind = TDM_BOARD_WORD_OVER};
    (void)tdm_ring_push(&s->words, &word);
    if (!s->seat)
        return;
    close_streams(s);
    s->wanted = false;
    word = (struct tdm_board_word){.kind = TDM_BOARD_WORD_UP};
    word.peer_known = tdm_rider_peer(s->seat, word.peer);
    if (s->up)
        (void)tdm_ring_push(&s->words, &word);
}

static void say(struct tdm_board_seat *s, const struct tdm_board_word *word)
{
    if (tdm_ring_push(&s->words, word) != TDM_OK)
        begin_anew(s);
    tdm_wake_signal(s->wake);
}

/* What the thread wants of the channel. */
static void flow(struct tdm_board_seat *s)
{
    if (!s->seat || !s->up)
        return;
    if (s->closing)
        close_streams(s);
    if (s->wanted && !s->asked) {
        s->asked = true;
        for (int i = 0; i < TDM_BOARD_LANES; i++)
            (void)tdm_rider_open(s->seat, TDM_KIND_BOARD, classes[i],
                                 s->epoch * TDM_BOARD_LANES + (uint64_t)i);
    }
    for (int i = 0; i < TDM_BOARD_LANES; i++) {
        if (s->consumed[i] && s->theirs[i])
            (void)tdm_rider_consumed(s->seat, s->theirs[i], s->consumed[i]);
        s->consumed[i] = 0;
        bool has = i == TDM_BOARD_LANE_LIVE ? s->live_news : tdm_board_pipe_has(&s->out[i]);

        if (has && s->ours[i])
            (void)tdm_rider_ready(s->seat, s->ours[i]);
    }
}

static void forget_streams(struct tdm_board_seat *s)
{
    memset(s->ours, 0, sizeof s->ours);
    memset(s->theirs, 0, sizeof s->theirs);
    s->wanted = s->asked = s->closing = false;
    s->epoch++;
    clear_in(s);
}

static void attach(void *rider, struct tdm_rider_seat *seat)
{
    struct tdm_board_seat *s = rider;

    pthread_mutex_lock(&s->lock);
    s->seat = seat;
    pthread_mutex_unlock(&s->lock);
}

static void detach(void *rider)
{
    struct tdm_board_seat *s = rider;

    pthread_mutex_lock(&s->lock);
    s->seat = NULL;
    s->up = false;
    forget_streams(s);
    say(s, &(struct tdm_board_word){.kind = TDM_BOARD_WORD_OVER});
    pthread_mutex_unlock(&s->lock);
}

static void up(void *rider, tdm_time now, bool resumed)
{
    struct tdm_board_seat *s = rider;
    struct tdm_board_word word = {.kind = TDM_BOARD_WORD_UP, .resumed = resumed};

    (void)now;
    pthread_mutex_lock(&s->lock);
    s->up = true;
    if (!resumed)
        forget_streams(s);
    s->live_news = s->live_size > 0;
    word.peer_known = tdm_rider_peer(s->seat, word.peer);
    say(s, &word);
    flow(s);
    pthread_mutex_unlock(&s->lock);
}

static void down(void *rider, tdm_time now)
{
    struct tdm_board_seat *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    s->up = false;
    say(s, &(struct tdm_board_word){.kind = TDM_BOARD_WORD_DOWN});
    pthread_mutex_unlock(&s->lock);
}

static void opened_here(struct tdm_board_seat *s, const struct tdm_rider_stream *stream)
{
    int lane = (int)(stream->tag % TDM_BOARD_LANES);

    if (!stream->id) {
        say(s, &(struct tdm_board_word){.kind = TDM_BOARD_WORD_RESET});
    } else if (stream->tag / TDM_BOARD_LANES != s->epoch) {
        (void)tdm_rider_reset(s->seat, stream->id);
    } else {
        s->ours[lane] = stream->id;
    }
}

static void opened_there(struct tdm_board_seat *s, const struct tdm_rider_stream *stream)
{
    int lane = lane_of_class(stream->cls);

    if (lane < 0 || s->theirs[lane]) {
        (void)tdm_rider_reset(s->seat, stream->id);
        return;
    }
    s->theirs[lane] = stream->id;
    for (int i = 0; i < TDM_BOARD_LANES; i++)
        if (!s->theirs[i])
            return;
    say(s, &(struct tdm_board_word){.kind = TDM_BOARD_WORD_OPENED});
}

static void opened(void *rider, tdm_time now, const struct tdm_rider_stream *stream)
{
    struct tdm_board_seat *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    /* Tags of ours begin above zero, as epochs do. */
    if (stream->tag)
        opened_here(s, stream);
    else
        opened_there(s, stream);
    flow(s);
    pthread_mutex_unlock(&s->lock);
}

/* False: no memory. */
static bool keep_live(struct tdm_share_bytes *in, const uint8_t *data, size_t size)
{
    const uint8_t head[2] = {(uint8_t)(size >> 8), (uint8_t)size};

    if (size > TDM_BOARD_LIVE_MAX)
        return true;
    if (tdm_share_bytes_size(in) > LIVE_QUEUED)
        tdm_share_bytes_clear(in);
    uint8_t *room = tdm_share_bytes_reserve(in, sizeof head + size);

    if (!room)
        return false;
    memcpy(room, head, sizeof head);
    memcpy(room + sizeof head, data, size);
    in->end += sizeof head + size;
    return true;
}

static void record(void *rider, tdm_time now, uint32_t stream, const uint8_t *data, size_t size,
                   bool fin)
{
    struct tdm_board_seat *s = rider;
    bool fits = true;

    (void)fin;
    pthread_mutex_lock(&s->lock);
    int lane = lane_of(s->theirs, stream);

    if (lane == TDM_BOARD_LANE_LIVE)
        fits = keep_live(&s->in[lane], data, size);
    else if (lane >= 0)
        fits = tdm_share_bytes_put(&s->in[lane], data, size);
    else
        (void)tdm_rider_consumed(s->seat, stream, size);
    if (!fits) {
        close_streams(s);
        say(s, &(struct tdm_board_word){.kind = TDM_BOARD_WORD_RESET});
    } else if (lane >= 0) {
        s->bytes_received += size;
        s->arrived_at = tdm_time_min(s->arrived_at, now);
        tdm_wake_signal(s->wake);
    }
    pthread_mutex_unlock(&s->lock);
}

static size_t pull(void *rider, tdm_time now, uint32_t stream, uint8_t *room, size_t max,
                   bool *more, bool *fin)
{
    struct tdm_board_seat *s = rider;
    size_t filled = 0;

    (void)now;
    *more = *fin = false;
    pthread_mutex_lock(&s->lock);
    int lane = lane_of(s->ours, stream);

    if (lane == TDM_BOARD_LANE_LIVE && s->live_news && s->live_size <= max) {
        memcpy(room, s->live, s->live_size);
        filled = s->live_size;
        s->live_news = false;
    } else if (lane >= 0 && lane != TDM_BOARD_LANE_LIVE) {
        filled = tdm_board_pipe_pull(&s->out[lane], room, max);
        *more = tdm_board_pipe_has(&s->out[lane]);
    }
    s->bytes_sent += filled;
    pthread_mutex_unlock(&s->lock);
    return filled;
}

static void acked(void *rider, tdm_time now, uint32_t stream, uint64_t offset, bool fin)
{
    struct tdm_board_seat *s = rider;

    (void)now;
    (void)fin;
    pthread_mutex_lock(&s->lock);
    int lane = lane_of(s->ours, stream);

    if (lane >= 0 && lane != TDM_BOARD_LANE_LIVE) {
        tdm_board_pipe_acked(&s->out[lane], offset);
        tdm_wake_signal(s->wake); /* There is room. */
    }
    pthread_mutex_unlock(&s->lock);
}

static void rewind_to(void *rider, tdm_time now, uint32_t stream, uint64_t offset)
{
    struct tdm_board_seat *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    int lane = lane_of(s->ours, stream);

    if (lane >= 0 && lane != TDM_BOARD_LANE_LIVE)
        tdm_board_pipe_rewind(&s->out[lane], offset);
    pthread_mutex_unlock(&s->lock);
}

static void reset(void *rider, tdm_time now, uint32_t stream)
{
    struct tdm_board_seat *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    int here = lane_of(s->ours, stream), there = lane_of(s->theirs, stream);

    if (here >= 0)
        s->ours[here] = 0;
    if (there >= 0)
        s->theirs[there] = 0;
    if (here >= 0 || there >= 0) {
        s->wanted = false;
        close_streams(s);
        say(s, &(struct tdm_board_word){.kind = TDM_BOARD_WORD_RESET});
    }
    pthread_mutex_unlock(&s->lock);
}

static tdm_time run(void *rider, tdm_time now)
{
    struct tdm_board_seat *s = rider;

    (void)now;
    pthread_mutex_lock(&s->lock);
    flow(s);
    pthread_mutex_unlock(&s->lock);
    return TDM_NEVER;
}

const struct tdm_rider_ops tdm_board_rider = {
    .name = "board",
    .kinds = kinds,
    .attach = attach,
    .detach = detach,
    .up = up,
    .down = down,
    .opened = opened,
    .record = record,
    .pull = pull,
    .acked = acked,
    .rewind = rewind_to,
    .reset = reset,
    .run = run,
};

bool tdm_board_seat_word(struct tdm_board_seat *s, struct tdm_board_word *word)
{
    pthread_mutex_lock(&s->lock);
    bool any = tdm_ring_pop(&s->words, word) == TDM_OK;

    pthread_mutex_unlock(&s->lock);
    return any;
}

void tdm_board_seat_take(struct tdm_board_seat *s, enum tdm_board_lane lane,
                         struct tdm_share_bytes *bytes, tdm_time *at)
{
    tdm_share_bytes_clear(bytes);
    pthread_mutex_lock(&s->lock);
    tdm_share_bytes_swap(bytes, &s->in[lane]);
    *at = s->arrived_at;
    bool empty = true;

    for (int i = 0; i < TDM_BOARD_LANES; i++)
        empty = empty && !tdm_share_bytes_size(&s->in[i]);
    if (empty)
        s->arrived_at = TDM_NEVER;
    pthread_mutex_unlock(&s->lock);
}

static void wake_channel(struct tdm_board_seat *s)
{
    if (s->seat)
        tdm_rider_wake(s->seat);
}

void tdm_board_seat_consumed(struct tdm_board_seat *s, enum tdm_board_lane lane, size_t size)
{
    pthread_mutex_lock(&s->lock);
    s->consumed[lane] += size;
    wake_channel(s);
    pthread_mutex_unlock(&s->lock);
}

void tdm_board_seat_begin(struct tdm_board_seat *s)
{
    pthread_mutex_lock(&s->lock);
    s->wanted = true;
    for (int i = 0; i < TDM_BOARD_LANES; i++)
        tdm_board_pipe_restart(&s->out[i]);
    s->live_size = 0;
    s->live_news = false;
    wake_channel(s);
    pthread_mutex_unlock(&s->lock);
}

void tdm_board_seat_end(struct tdm_board_seat *s)
{
    pthread_mutex_lock(&s->lock);
    s->wanted = false;
    s->closing = true;
    wake_channel(s);
    pthread_mutex_unlock(&s->lock);
}

size_t tdm_board_seat_send(struct tdm_board_seat *s, enum tdm_board_lane lane,
                           size_t (*fill)(void *arg, uint8_t *room, size_t max), void *arg)
{
    size_t filled = 0, size;

    do {
        pthread_mutex_lock(&s->lock);
        size_t max = tdm_board_pipe_free(&s->out[lane]);

        pthread_mutex_unlock(&s->lock);
        /* Only this thread puts: the room can only grow meanwhile. */
        max = max < sizeof s->scratch ? max : sizeof s->scratch;
        size = max ? fill(arg, s->scratch, max) : 0;
        pthread_mutex_lock(&s->lock);
        tdm_board_pipe_put(&s->out[lane], s->scratch, size);
        pthread_mutex_unlock(&s->lock);
        filled += size;
    } while (size);
    pthread_mutex_lock(&s->lock);
    if (filled)
        wake_channel(s);
    pthread_mutex_unlock(&s->lock);
    return filled;
}

void tdm_board_seat_live(struct tdm_board_seat *s, const uint8_t *value, size_t size)
{
    pthread_mutex_lock(&s->lock);
    s->live_size = size <= sizeof s->live ? size : 0;
    memcpy(s->live, value, s->live_size);
    s->live_news = s->live_size > 0;
    wake_channel(s);
    pthread_mutex_unlock(&s->lock);
}

uint64_t tdm_board_seat_waiting(struct tdm_board_seat *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t waiting = s->out[TDM_BOARD_LANE_OPS].put - s->out[TDM_BOARD_LANE_OPS].acked;

    pthread_mutex_unlock(&s->lock);
    return waiting;
}

void tdm_board_seat_figures(struct tdm_board_seat *s, uint64_t *sent, uint64_t *received)
{
    pthread_mutex_lock(&s->lock);
    *sent = s->bytes_sent;
    *received = s->bytes_received;
    pthread_mutex_unlock(&s->lock);
}
