/* SPDX-License-Identifier: MIT */
#include "tests/sim/screen_pair.h"

#include "collab/screen_host_state.h"
#include "engine/base/tile.h"

#include <stdlib.h>
#include <string.h>

#define TICK      TDM_MS
#define PIECES    4096 /* Under way, a way. */
#define CHUNK_MAX 16384
#define QUEUE     (20 * TDM_MS) /* Of the link, that is filled. */
#define FRAMES    1024          /* That are remembered. */

struct piece {
    tdm_time at;
    size_t size;
    uint8_t *data;
};

/* Pieces in the order in which they arrive. */
struct way {
    struct piece pieces[PIECES];
    size_t first, count;
};

struct closed {
    uint32_t id;
    uint64_t seen, desktop; /* Hashes. */
};

struct screen_pair {
    struct screen_pair_config config;
    tdm_time now, link_free_at, change_at;
    struct desk *desktop;
    struct tdm_screen_host *host;
    struct tdm_screen_view *view;
    void *host_surface, *view_surface;
    uint8_t *shown; /* What who presents no more than he is told to presents. */
    struct tdm_screen_host_out host_out;
    struct tdm_screen_view_out view_out;
    struct way to_view, to_host;
    struct closed closed[FRAMES];
    struct tdm_anchors host_anchors, view_anchors;
    bool connected, spoil, exact;
    uint32_t last_closed;
    struct screen_pair_stats stats;
    const char *failed;
};

static void fail(struct screen_pair *p, const char *why)
{
    if (!p->failed)
        p->failed = why;
}

static void empty(struct way *w)
{
    for (; w->count; w->count--, w->first = (w->first + 1) % PIECES)
        free(w->pieces[w->first].data);
}

static void send(struct screen_pair *p, struct way *w, tdm_time at, const uint8_t *data,
                 size_t size)
{
    struct piece *piece = &w->pieces[(w->first + w->count) % PIECES];

    if (w->count == PIECES) {
        fail(p, "there is more under way than the link holds");
        return;
    }
    *piece = (struct piece){at, size, malloc(size)};
    if (!piece->data) {
        fail(p, "no memory");
        return;
    }
    memcpy(piece->data, data, size);
    w->count++;
}

static uint64_t hash_of(const uint8_t *pixels, int width, int height)
{
    struct tdm_tile all = {pixels, (ptrdiff_t)width * 4, width, height};

    return tdm_tile_hash(&all);
}

static void host_step(struct screen_pair *p, const struct tdm_screen_host_in *in)
{
    tdm_screen_host_step(p->host, p->now, in, &p->host_out);
    tdm_anchors_moved(&p->host_anchors, p->host_out.moves, p->host_out.move_count);
    if (p->host_out.failed)
        fail(p, p->host_out.why);
    if (p->host_out.videos_changed)
        p->stats.videos = true;
    if (p->host_out.wake_at < p->now)
        fail(p, "the host wants to be woken in the past");
}

/* Remembers what the host believes at the end of each frame. */
static void note_closed(struct screen_pair *p)
{
    const struct tdm_screen_host_surface *s = &p->host->surfaces[0];

    if (p->host->open || p->host->frame_id == p->last_closed)
        return;
    p->last_closed = p->host->frame_id;
    p->closed[p->last_closed % FRAMES] = (struct closed){
        p->last_closed,
        hash_of(s->seen.pixels, s->seen.width, s->seen.height),
        hash_of(desk_pixels(p->desktop), p->config.width, p->config.height),
    };
}

static bool pull(struct screen_pair *p, enum tdm_screen_host_input kind)
{
    uint8_t room[CHUNK_MAX];
    uint64_t chunk = p->config.rate_bps / 8 / 200;
    struct tdm_screen_host_in in = {.kind = kind,
                                    .room = room,
                                    .size = chunk < 1400        ? 1400
                                            : chunk > CHUNK_MAX ? CHUNK_MAX
                                                                : chunk};

    host_step(p, &in);
    note_closed(p);
    if (!p->host_out.filled)
        return false;
    if (p->link_free_at < p->now)
        p->link_free_at = p->now;
    p->link_free_at += (tdm_time)(p->host_out.filled * 8 * (uint64_t)TDM_S / p->config.rate_bps);
    send(p, &p->to_view, p->link_free_at + p->config.delay, room, p->host_out.filled);
    return true;
}

static void pull_all(struct screen_pair *p)
{
    while (p->connected && !p->failed && p->link_free_at < p->now + QUEUE) {
        if (p->host_out.screen_ready && pull(p, TDM_SCREEN_HOST_PULL))
            continue;
        if (p->host_out.refine_ready && pull(p, TDM_SCREEN_HOST_PULL_REFINE))
            continue;
        break;
    }
}

static const struct tdm_screen_view_surface *seen_surface(struct screen_pair *p)
{
    static _Thread_local struct tdm_screen_view_surface surfaces[TDM_SCREEN_SURFACES_MAX];

    return tdm_screen_view_surfaces(p->view, surfaces) ? surfaces : NULL;
}

static void give_storage(struct screen_pair *p)
{
    const struct tdm_screen_view_surface *s = seen_surface(p);

    if (!s || !s->fresh)
        return;
    free(p->view_surface);
    free(p->shown);
    p->view_surface = malloc(tdm_screen_view_surface_bytes(s->surface.width, s->surface.height));
    p->shown = calloc((size_t)s->surface.width * 4, s->surface.height);
    struct tdm_screen_view_in in = {
        .kind = TDM_SCREEN_VIEW_STORAGE, .surface = s->surface.id, .storage = p->view_surface};

    tdm_screen_view_step(p->view, &in, &p->view_out);
}

static void present(struct screen_pair *p, const struct tdm_screen_view_surface *s)
{
    for (uint32_t i = 0; i < p->view_out.rect_count; i++) {
        const struct tdm_screen_rect *r = &p->view_out.rects[i];

        if (r->x < 0 || r->y < 0 || r->width <= 0 || r->height <= 0 ||
            r->x + r->width > s->surface.width || r->y + r->height > s->surface.height) {
            fail(p, "what is to be presented is not of the surface");
            return;
        }
        for (int y = r->y; y < r->y + r->height; y++)
            memcpy(p->shown + ((size_t)y * s->surface.width + (size_t)r->x) * 4,
                   s->pixels + y * s->stride + (ptrdiff_t)4 * r->x, (size_t)r->width * 4);
    }
}

static void check_frame(struct screen_pair *p)
{
    const struct tdm_screen_view_surface *s = seen_surface(p);
    const struct closed *c = &p->closed[p->view_out.frame_id % FRAMES];
    struct tdm_screen_view_in in = {.kind = TDM_SCREEN_VIEW_SHOWN,
                                    .frame_id = p->view_out.frame_id,
                                    .decode_us = 100,
                                    .time = p->now};
    uint64_t hash = hash_of(s->pixels, s->surface.width, s->surface.height);
    tdm_time age = p->now - p->view_out.capture_time;

    tdm_anchors_moved(&p->view_anchors, p->view_out.moves, p->view_out.move_count);
    p->stats.frames++;
    p->exact = p->view_out.exact;
    if (c->id != p->view_out.frame_id)
        fail(p, "a frame arrived that the host never closed");
    else if (hash != c->seen)
        fail(p, "the viewer's picture is not what the host believes");
    else if (p->exact && hash != c->desktop)
        fail(p, "a frame says that it is exact and is not");
    present(p, s);
    if (hash_of(p->shown, s->surface.width, s->surface.height) != hash)
        fail(p, "what is presented is not what was drawn");
    p->stats.exact_frames += p->exact;
    if (age > p->stats.worst_age && !p->view_out.refinement)
        p->stats.worst_age = age;
    tdm_screen_view_step(p->view, &in, &p->view_out);
}

static void view_bytes(struct screen_pair *p, const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size && !p->failed;) {
        struct tdm_screen_view_in in = {
            .kind = TDM_SCREEN_VIEW_BYTES, .data = data + done, .size = size - done};

        tdm_screen_view_step(p->view, &in, &p->view_out);
        done += p->view_out.consumed;
        switch (p->view_out.event) {
        case TDM_SCREEN_VIEW_EV_SURFACES:
            give_storage(p);
            break;
        case TDM_SCREEN_VIEW_EV_FRAME:
            check_frame(p);
            break;
        case TDM_SCREEN_VIEW_EV_RESYNC:
            p->exact = false;
            break;
        case TDM_SCREEN_VIEW_EV_FAILED:
            fail(p, p->view_out.why);
            break;
        default:
            break;
        }
    }
}

static struct piece *arrived(struct screen_pair *p, struct way *w)
{
    return w->count && w->pieces[w->first].at <= p->now ? &w->pieces[w->first] : NULL;
}

static void drop_first(struct way *w)
{
    free(w->pieces[w->first].data);
    w->first = (w->first + 1) % PIECES;
    w->count--;
}

static void deliver(struct screen_pair *p)
{
    struct piece *piece;

    while ((piece = arrived(p, &p->to_view))) {
        if (p->spoil && piece->size > 20)
            piece->data[piece->size - 3] ^= 0x40;
        p->spoil = p->spoil && piece->size <= 20;
        p->stats.bytes += piece->size;
        view_bytes(p, piece->data, piece->size);
        drop_first(&p->to_view);
    }
    while ((piece = arrived(p, &p->to_host))) {
        struct tdm_screen_host_in in = {
            .kind = TDM_SCREEN_HOST_ANSWER, .data = piece->data, .size = piece->size};

        host_step(p, &in);
        drop_first(&p->to_host);
    }
}

static void pull_answers(struct screen_pair *p)
{
    uint8_t room[1400];
    struct tdm_screen_view_in in = {
        .kind = TDM_SCREEN_VIEW_PULL, .room = room, .size = sizeof room};

    while (p->connected && !p->failed) {
        tdm_screen_view_step(p->view, &in, &p->view_out);
        if (!p->view_out.filled)
            break;
        send(p, &p->to_host, p->now + p->config.delay, room, p->view_out.filled);
    }
}

static void capture(struct screen_pair *p)
{
    struct tdm_screen_rect rects[DESK_DAMAGE];
    struct tdm_screen_host_in in = {
        .kind = TDM_SCREEN_HOST_DAMAGE, .rects = rects, .count = desk_damage(p->desktop, rects)};

    if (in.count)
        host_step(p, &in);
}

static void tick(struct screen_pair *p)
{
    capture(p);
    deliver(p);
    host_step(p, NULL);
    pull_all(p);
    pull_answers(p);
    p->now += TICK;
}

static bool share(struct screen_pair *p)
{
    uint16_t width = (uint16_t)p->config.width, height = (uint16_t)p->config.height;
    void *storage = malloc(tdm_screen_host_surface_bytes(width, height));
    struct tdm_screen_shared shared = {
        .surface = {.primary = true, .width = width, .height = height, .name = "model"},
        .storage = storage,
    };
    struct tdm_screen_host_in in = {
        .kind = TDM_SCREEN_HOST_SURFACES, .shared = &shared, .count = 1};

    desk_destroy(p->desktop);
    p->desktop = desk_create(p->config.width, p->config.height, p->config.seed);
    tdm_anchors_size(&p->host_anchors, 0, width, height);
    tdm_anchors_size(&p->view_anchors, 0, width, height);
    if (!storage || !p->desktop) {
        free(storage);
        return false;
    }
    shared.pixels = desk_pixels(p->desktop);
    shared.stride = (ptrdiff_t)width * 4;
    host_step(p, &in);
    free(p->host_surface);
    p->host_surface = storage;
    p->change_at = p->now;
    return true;
}

struct screen_pair *screen_pair_create(const struct screen_pair_config *config)
{
    struct screen_pair *p = calloc(1, sizeof *p);
    struct tdm_screen_host_config host = {.cache_tiles = config->cache_tiles,
                                          .video = config->video,
                                          .photo_exact = config->photo_exact};
    struct tdm_screen_view_config view = {.cache_tiles = config->cache_tiles,
                                          .pixels_max = 1u << 24};
    struct tdm_rng rng = tdm_rng_of(config->seed ^ 77);

    if (!p)
        return NULL;
    for (size_t i = 0; i < sizeof host.secret; i++)
        host.secret[i] = (uint8_t)tdm_rng_u32(&rng);
    p->config = *config;
    p->now = TDM_S;
    void *host_storage = malloc(tdm_screen_host_bytes(&host));
    void *view_storage = malloc(tdm_screen_view_bytes(&view));

    if (!host_storage || !view_storage) {
        free(host_storage);
        free(view_storage);
        free(p);
        return NULL;
    }
    p->host = tdm_screen_host_init(host_storage, &host, p->now);
    p->view = tdm_screen_view_init(view_storage, &view);
    if (!share(p)) {
        screen_pair_destroy(p);
        return NULL;
    }
    screen_pair_connect(p);
    return p;
}

void screen_pair_destroy(struct screen_pair *p)
{
    empty(&p->to_view);
    empty(&p->to_host);
    desk_destroy(p->desktop);
    free(p->host);
    free(p->view);
    free(p->host_surface);
    free(p->view_surface);
    free(p->shown);
    free(p);
}

void screen_pair_do(struct screen_pair *p, enum desk_action action, int amount)
{
    desk_do(p->desktop, action, amount);
    p->change_at = p->now;
}

void screen_pair_run(struct screen_pair *p, tdm_time duration)
{
    tdm_time end = p->now + duration;

    while (p->now < end && !p->failed)
        tick(p);
}

void screen_pair_cut(struct screen_pair *p)
{
    empty(&p->to_view);
    empty(&p->to_host);
    p->link_free_at = p->now;
    p->connected = p->exact = false;
}

void screen_pair_connect(struct screen_pair *p)
{
    struct tdm_screen_host_in host = {.kind = TDM_SCREEN_HOST_RESTART};
    struct tdm_screen_host_in link = {
        .kind = TDM_SCREEN_HOST_LINK, .rate_bps = p->config.rate_bps, .rtt = 2 * p->config.delay};
    struct tdm_screen_view_in view = {.kind = TDM_SCREEN_VIEW_RESTART};

    p->connected = true;
    host_step(p, &host);
    host_step(p, &link);
    tdm_screen_view_step(p->view, &view, &p->view_out);
}

void screen_pair_spoil(struct screen_pair *p)
{
    p->spoil = true;
}

bool screen_pair_resize(struct screen_pair *p, int width, int height)
{
    p->config.width = width;
    p->config.height = height;
    return share(p);
}

const char *screen_pair_failed(const struct screen_pair *p)
{
    return p->failed;
}

void screen_pair_stats(const struct screen_pair *p, struct screen_pair_stats *stats)
{
    *stats = p->stats;
    stats->since_exact = p->exact ? 0 : p->now - p->change_at;
    tdm_screen_host_stats(p->host, &stats->host);
    tdm_screen_view_stats(p->view, &stats->view);
}

struct tdm_anchor_place screen_pair_put(const struct screen_pair *p, int x, int y)
{
    struct tdm_screen_view_stats stats;

    tdm_screen_view_stats(p->view, &stats);
    const struct tdm_board_anchor anchor = {0, stats.frame_id, x * 16, y * 16};

    return tdm_anchor_place_of(&anchor);
}

void screen_pair_follow(const struct screen_pair *p, bool at_host, struct tdm_anchor_place *place)
{
    (void)tdm_anchor_follow(at_host ? &p->host_anchors : &p->view_anchors, place);
}

const uint8_t *screen_pair_pixels(const struct screen_pair *p)
{
    return desk_pixels(p->desktop);
}
