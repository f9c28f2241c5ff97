/* SPDX-License-Identifier: MIT */
/* The thread `tdm-ink`, the stream of annotations, and what other threads leave for it. */
#include "engine/share_ink_state.h"

#include "engine/io/clock.h"
#include "engine/io/thread.h"
#include "engine/io/wake.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OUT_BYTES   (256u << 10)
#define BOARD_BYTES ((size_t)16 << 20) /* Of all annotations. */
#define STILL_FOR   (1500 * TDM_MS)    /* Nothing moved: new anchors. */

static struct tdm_board *board_of(struct tdm_share_ink *k)
{
    return tdm_board_doc_board(k->doc);
}

/* What is fresh in the board goes to the other side before it is forgotten. */
static void send_fresh(struct tdm_share_ink *k)
{
    size_t size = 0;
    const uint8_t *records = tdm_board_fresh(board_of(k), &size);

    if (k->fresh_put > size)
        k->fresh_put = 0;
    if (size > k->fresh_put && k->link && !k->failed)
        tdm_board_link_put(k->link, records + k->fresh_put, size - k->fresh_put);
    k->fresh_put = size;
}

static void fresh_goes(void *arg)
{
    struct tdm_share_ink *k = arg;

    send_fresh(k);
    k->fresh_put = 0;
}

bool tdm_ink_relieve(void *arg, enum tdm_err err)
{
    struct tdm_share_ink *k = arg;
    struct tdm_board_figures figures;

    if (err == TDM_E_SPACE) {
        tdm_board_figures(board_of(k), &figures);
        return figures.given_bytes < BOARD_BYTES &&
               tdm_board_doc_room(k->doc, tdm_board_room(board_of(k)) + TDM_BOARD_ROOM) == TDM_OK;
    }
    (void)!tdm_board_doc_save(k->doc, NULL);
    return k->fresh_put == 0;
}

static void close_board(struct tdm_share_ink *k)
{
    k->link = NULL;
    tdm_board_doc_close(k->doc);
    k->doc = NULL;
    k->item_count = 0;
    k->hand = TDM_BOARD_NONE;
    k->hand_begun = false;
    k->told_mark = k->painted_mark = 0;
    k->fresh_put = 0;
    k->moved = true;
}

static void open_board(struct tdm_share_ink *k)
{
    const struct tdm_board_doc_config config = {.create = true};
    struct tdm_cause cause;

    if (k->doc)
        close_board(k);
    if (tdm_board_doc_open(&k->doc, &config, NULL, &cause) != TDM_OK)
        k->doc = NULL;
    else
        tdm_board_doc_watch(k->doc, fresh_goes, k);
}

static void start_link(struct tdm_share_ink *k)
{
    static const uint8_t any[TDM_BOARD_DOCUMENT_BYTES];

    if (!k->config.host) {
        open_board(k);
        tdm_anchors_init(&k->anchors);
        k->surface_news = k->list_count > 0;
    }
    k->link = NULL;
    if (!k->doc)
        return;
    if (k->config.host)
        tdm_ink_settle(k); /* Who comes knows nothing of the frames before. */
    k->link = tdm_board_link_init(k->link_storage, any);
    tdm_board_link_start(k->link, board_of(k));
    k->link_pulled = 0;
    k->failed = false;
}

static void forget(struct tdm_share_ink *k)
{
    if (k->doc)
        close_board(k);
    tdm_anchors_init(&k->anchors);
    k->surface_news = k->list_count > 0;
    k->still_at = TDM_NEVER;
}

/* The pipe's lock is held, too. */
static void take_moves(struct tdm_share_ink *k)
{
    if (k->move_count) {
        tdm_anchors_moved(&k->anchors, k->moves, k->move_count);
        k->moved = true;
        k->still_at = tdm_clock_now() + STILL_FOR;
    }
    k->move_count = 0;
    k->frame = k->frame_news;
    if (k->surface_news) {
        k->surface_news = false;
        k->surface_count = k->list_count;
        memcpy(k->surfaces, k->list, sizeof k->surfaces);
        for (uint32_t i = 0; i < k->surface_count; i++)
            tdm_anchors_size(&k->anchors, k->surfaces[i].id, k->surfaces[i].width,
                             k->surfaces[i].height);
        tdm_ink_forget_sheets(k);
    }
}

void tdm_ink_catch_up(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    take_moves(k);
    pthread_mutex_unlock(&k->pipe_lock);
    if (k->doc)
        tdm_ink_follow(k);
}

bool tdm_ink_may(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    bool may = k->config.host || k->may;

    pthread_mutex_unlock(&k->pipe_lock);
    return may;
}

/* What other threads have left. @return whether the viewer may draw. */
static bool take_words(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    bool begin = k->begin_news, end = k->end_news, news = k->link_news, up = k->link_up;
    bool may = k->may;

    k->begin_news = k->end_news = k->link_news = false;
    if (end)
        forget(k);
    if (begin)
        open_board(k);
    if (news && up)
        start_link(k);
    else if (news)
        k->link = NULL;
    take_moves(k);
    tdm_share_bytes_clear(&k->now);
    tdm_share_bytes_swap(&k->in, &k->now);
    k->consumed += tdm_share_bytes_size(&k->now);
    pthread_mutex_unlock(&k->pipe_lock);
    return may;
}

static void fail(struct tdm_share_ink *k)
{
    k->failed = true;
    pthread_mutex_lock(&k->pipe_lock);
    k->broken = true;
    pthread_mutex_unlock(&k->pipe_lock);
}

/* @return whether the other side changed anything. */
static bool take_bytes(struct tdm_share_ink *k, bool may)
{
    struct tdm_share_bytes *in = &k->now;
    struct tdm_board_link_out out;
    bool any = false;

    while (k->link && !k->failed && tdm_share_bytes_size(in)) {
        size_t taken = tdm_board_link_take(k->link, board_of(k), in->data + in->at,
                                           tdm_share_bytes_size(in), &out);

        in->at += taken;
        if (out.event == TDM_BOARD_EV_OPS) {
            struct tdm_board_figures figures;

            tdm_board_figures(board_of(k), &figures);
            any = true;
            if ((k->config.host && !may) || figures.given_bytes > BOARD_BYTES ||
                tdm_board_doc_apply(k->doc, out.data, out.size) == TDM_E_SPACE)
                fail(k);
        } else if (out.event == TDM_BOARD_EV_OTHER || out.event == TDM_BOARD_EV_BROKEN) {
            fail(k);
        } else if (!taken && out.event == TDM_BOARD_EV_NONE) {
            break;
        }
    }
    return any;
}

/* @return whether there are bytes to send. */
static bool give_bytes(struct tdm_share_ink *k)
{
    bool any = false;

    if (!k->doc)
        return false;
    send_fresh(k);
    pthread_mutex_lock(&k->pipe_lock);
    /* Of a stream that is gone nothing goes on. */
    while (k->link && !k->failed && !k->link_news && tdm_board_link_has(k->link) &&
           tdm_share_bytes_size(&k->out) < OUT_BYTES) {
        uint8_t room[4096];
        size_t size = tdm_board_link_pull(k->link, board_of(k), room, sizeof room);

        k->link_pulled += size;
        tdm_board_link_acked(k->link, k->link_pulled);
        if (!size || !tdm_share_bytes_put(&k->out, room, size))
            break;
        any = true;
    }
    pthread_mutex_unlock(&k->pipe_lock);
    (void)tdm_board_doc_step(k->doc, tdm_clock_now());
    return any;
}

static uint32_t count_of(struct tdm_share_ink *k)
{
    return k->doc ? k->item_count : 0;
}

struct told {
    bool wake, drawn, painted;
    uint32_t count;
    struct tdm_rect again;
};

/* `lock` is held. */
static void turn(struct tdm_share_ink *k, struct told *told)
{
    bool may = take_words(k);
    bool arrived = tdm_share_bytes_size(&k->now) > 0;
    bool theirs = take_bytes(k, may);
    tdm_time now = tdm_clock_now();

    if (k->doc)
        tdm_ink_follow(k);
    if (k->doc && k->config.host && now >= k->still_at) {
        k->still_at = TDM_NEVER;
        tdm_ink_settle(k);
    }
    told->painted = tdm_ink_paint(k);
    told->wake = give_bytes(k) || arrived || k->failed;
    told->drawn = theirs;
    told->count = count_of(k);
}

static void tell(struct tdm_share_ink *k, const struct told *told)
{
    if (told->wake)
        k->config.wake(k->config.arg);
    if (told->painted && k->config.painted)
        k->config.painted(k->config.arg);
    if (told->drawn)
        k->config.drawn(k->config.arg, told->count);
    if (!tdm_rect_empty(told->again) && k->config.again)
        k->config.again(k->config.arg, told->again);
}

static void wait_for(struct tdm_share_ink *k, tdm_time until)
{
    struct pollfd fds[] = {
        {.fd = k->wake, .events = POLLIN},
        {.fd = k->overlay ? tdm_ink_overlay_fd(k->overlay) : -1, .events = POLLIN}};
    tdm_time now = tdm_clock_now();
    tdm_time left = until > now ? until - now : 0;
    struct timespec time = {.tv_sec = left / TDM_S, .tv_nsec = left % TDM_S};

    if (ppoll(fds, 2, until == TDM_NEVER ? NULL : &time, NULL) > 0 && fds[0].revents)
        tdm_wake_clear(k->wake);
}

static void *run(void *arg)
{
    struct tdm_share_ink *k = arg;

    while (!atomic_load(&k->stopping)) {
        struct told told = {.count = 0};

        pthread_mutex_lock(&k->lock);
        turn(k, &told);
        if (k->config.host)
            tdm_ink_show(k, &told.again);
        tdm_time until = k->doc && k->config.host ? k->still_at : TDM_NEVER;

        pthread_mutex_unlock(&k->lock);
        tell(k, &told);
        wait_for(k, until);
    }
    return NULL;
}

enum tdm_err tdm_share_ink_create(struct tdm_share_ink **ink,
                                  const struct tdm_share_ink_config *config,
                                  struct tdm_cause *cause)
{
    struct tdm_share_ink *k = calloc(1, sizeof *k);

    *ink = NULL;
    if (!k)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for annotations");
    k->config = *config;
    k->still_at = TDM_NEVER;
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_mutex_init(&k->pipe_lock, NULL);
    (void)pthread_mutex_init(&k->veil_lock, NULL);
    tdm_board_feed_init(&k->feed, NULL);
    tdm_anchors_init(&k->anchors);
    k->wake = tdm_wake_open(cause);
    k->link_storage = aligned_alloc(16, (tdm_board_link_bytes_needed() + 15) / 16 * 16);
    if (config->host)
        k->veil = malloc((size_t)2 * TDM_INK_SPANS_MAX * sizeof *k->veil);
    enum tdm_err err = k->wake < 0 ? TDM_E_SYSTEM : TDM_OK;

    if (err == TDM_OK && (!k->link_storage || (config->host && !k->veil)))
        err = tdm_fail(cause, TDM_E_SYSTEM, "no memory for annotations");
    if (err == TDM_OK)
        err = tdm_thread_start(&k->thread, "tdm-ink", TDM_PRIORITY_NORMAL, run, k, NULL, cause);
    k->running = err == TDM_OK;
    if (err != TDM_OK)
        tdm_share_ink_destroy(k);
    else
        *ink = k;
    return err;
}

void tdm_share_ink_destroy(struct tdm_share_ink *k)
{
    if (!k)
        return;
    if (k->running) {
        atomic_store(&k->stopping, true);
        tdm_wake_signal(k->wake);
        (void)pthread_join(k->thread, NULL);
    }
    tdm_ink_overlay_destroy(k->overlay);
    tdm_ink_forget_sheets(k);
    tdm_board_feed_free(&k->feed);
    if (k->doc)
        close_board(k);
    free(k->link_storage);
    free(k->veil);
    free(k->below);
    tdm_share_bytes_free(&k->in);
    tdm_share_bytes_free(&k->out);
    tdm_share_bytes_free(&k->now);
    if (k->wake >= 0)
        (void)close(k->wake);
    (void)pthread_mutex_destroy(&k->lock);
    (void)pthread_mutex_destroy(&k->pipe_lock);
    (void)pthread_mutex_destroy(&k->veil_lock);
    free(k);
}

void tdm_share_ink_begin(struct tdm_share_ink *k, const char *display, bool none, uint32_t window)
{
    pthread_mutex_lock(&k->lock);
    (void)snprintf(k->display, sizeof k->display, "%s", display ? display : "");
    k->no_display = none;
    k->window = window;
    k->overlay_stale = true;
    k->overlay_failed = false;
    pthread_mutex_unlock(&k->lock);
    pthread_mutex_lock(&k->pipe_lock);
    k->begin_news = true;
    pthread_mutex_unlock(&k->pipe_lock);
    tdm_wake_signal(k->wake);
}

void tdm_share_ink_end(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    k->end_news = true;
    k->begin_news = false;
    k->frame_news = 0;
    k->move_count = 0;
    pthread_mutex_unlock(&k->pipe_lock);
    tdm_wake_signal(k->wake);
}

void tdm_share_ink_link(struct tdm_share_ink *k, bool up)
{
    pthread_mutex_lock(&k->pipe_lock);
    k->link_news = true;
    k->link_up = up;
    k->broken = false;
    k->consumed = 0;
    tdm_share_bytes_clear(&k->in);
    tdm_share_bytes_clear(&k->out);
    if (!up && !k->config.host)
        k->end_news = true; /* What hangs on a screen that is not seen is of no use. */
    pthread_mutex_unlock(&k->pipe_lock);
    tdm_wake_signal(k->wake);
}

bool tdm_share_ink_bytes(struct tdm_share_ink *k, const uint8_t *data, size_t size)
{
    pthread_mutex_lock(&k->pipe_lock);
    bool fits = tdm_share_bytes_put(&k->in, data, size);

    pthread_mutex_unlock(&k->pipe_lock);
    tdm_wake_signal(k->wake);
    return fits;
}

size_t tdm_share_ink_consumed(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    size_t size = k->consumed;

    k->consumed = 0;
    pthread_mutex_unlock(&k->pipe_lock);
    return size;
}

size_t tdm_share_ink_pull(struct tdm_share_ink *k, uint8_t *room, size_t max, bool *more)
{
    pthread_mutex_lock(&k->pipe_lock);
    bool was_full = tdm_share_bytes_size(&k->out) >= OUT_BYTES;
    size_t size = tdm_share_bytes_take(&k->out, room, max);

    *more = tdm_share_bytes_size(&k->out) > 0;
    pthread_mutex_unlock(&k->pipe_lock);
    if (was_full)
        tdm_wake_signal(k->wake);
    return size;
}

bool tdm_share_ink_ready(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    bool ready = tdm_share_bytes_size(&k->out) > 0;

    pthread_mutex_unlock(&k->pipe_lock);
    return ready;
}

void tdm_share_ink_allow(struct tdm_share_ink *k, bool may)
{
    pthread_mutex_lock(&k->pipe_lock);
    k->may = may;
    pthread_mutex_unlock(&k->pipe_lock);
}

bool tdm_share_ink_broken(struct tdm_share_ink *k)
{
    pthread_mutex_lock(&k->pipe_lock);
    bool broken = k->broken;

    k->broken = false;
    pthread_mutex_unlock(&k->pipe_lock);
    return broken;
}

void tdm_share_ink_surfaces(struct tdm_share_ink *k, const struct tdm_screen_surface *list,
                            uint32_t count)
{
    pthread_mutex_lock(&k->pipe_lock);
    k->surface_news = true;
    k->list_count = count < TDM_SCREEN_SURFACES_MAX ? count : TDM_SCREEN_SURFACES_MAX;
    memcpy(k->list, list, k->list_count * sizeof *list);
    pthread_mutex_unlock(&k->pipe_lock);
    tdm_wake_signal(k->wake);
}

void tdm_share_ink_frame(struct tdm_share_ink *k, uint32_t frame,
                         const struct tdm_screen_move *moves, uint32_t count)
{
    pthread_mutex_lock(&k->pipe_lock);
    k->frame_news = frame;
    /* Too much at once: what is lost is mended when it is still. */
    if (count && count <= TDM_INK_MOVES_MAX - k->move_count) {
        memcpy(k->moves + k->move_count, moves, count * sizeof *moves);
        k->move_count += count;
    }
    pthread_mutex_unlock(&k->pipe_lock);
    if (count)
        tdm_wake_signal(k->wake);
}
