/* SPDX-License-Identifier: MIT */
/*
 * Bytes become what happens at a host: pixels change, are told or told too late, the link changes,
 * streams begin anew, answers are pulled or held back, records are spoilt. Checked: each frame that
 * proves at the viewer is what the host believes, nothing fails that was not spoilt, and in the
 * end, when all was told and time has passed, both sides have the same pixels.
 */

#include "collab/screen_host_state.h"
#include "engine/base/rng.h"
#include "engine/base/tile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDTH  200
#define HEIGHT 140

struct pair {
    struct tdm_screen_host *host;
    struct tdm_screen_view *view;
    void *seen;
    uint8_t next[WIDTH * HEIGHT * 4];
    uint64_t closed[256]; /* Hashes of what the host believes, by frame. */
    tdm_time now;
    bool spoil, spoilt;
};

static uint64_t hash_of(const uint8_t *pixels)
{
    struct tdm_tile all = {pixels, WIDTH * 4, WIDTH, HEIGHT};

    return tdm_tile_hash(&all);
}

static void host(struct pair *p, struct tdm_screen_host_in in, struct tdm_screen_host_out *out)
{
    p->now += TDM_US;
    tdm_screen_host_step(p->host, p->now, &in, out);
    assert(!out->failed);
    if (!p->host->open)
        p->closed[p->host->frame_id % 256] = hash_of(p->host->surfaces[3].seen.pixels);
}

static const uint8_t *viewed(const struct pair *p)
{
    struct tdm_screen_view_surface s[TDM_SCREEN_SURFACES_MAX];

    return tdm_screen_view_surfaces(p->view, s) ? s[0].pixels : NULL;
}

static void view_bytes(struct pair *p, const uint8_t *data, size_t size)
{
    struct tdm_screen_view_out out;

    for (size_t done = 0; done < size;) {
        struct tdm_screen_view_in in = {
            .kind = TDM_SCREEN_VIEW_BYTES, .data = data + done, .size = size - done};

        tdm_screen_view_step(p->view, &in, &out);
        done += out.consumed;
        if (out.event == TDM_SCREEN_VIEW_EV_SURFACES && !viewed(p)) {
            free(p->seen);
            p->seen = malloc(tdm_screen_view_surface_bytes(WIDTH, HEIGHT));
            assert(p->seen);
            in = (struct tdm_screen_view_in){
                .kind = TDM_SCREEN_VIEW_STORAGE, .surface = 3, .storage = p->seen};
            tdm_screen_view_step(p->view, &in, &out);
        } else if (out.event == TDM_SCREEN_VIEW_EV_FRAME) {
            assert(hash_of(viewed(p)) == p->closed[out.frame_id % 256]);
            in = (struct tdm_screen_view_in){
                .kind = TDM_SCREEN_VIEW_SHOWN, .frame_id = out.frame_id, .time = p->now};
            tdm_screen_view_step(p->view, &in, &out);
        } else {
            assert(out.event == TDM_SCREEN_VIEW_EV_NONE ||
                   out.event == TDM_SCREEN_VIEW_EV_SURFACES || p->spoilt);
        }
    }
}

static void pull(struct pair *p, enum tdm_screen_host_input kind, size_t size)
{
    uint8_t room[16384];
    struct tdm_screen_host_out out;

    host(p, (struct tdm_screen_host_in){.kind = kind, .room = room, .size = size}, &out);
    if (p->spoil && out.filled) {
        room[out.filled / 2] ^= 1;
        p->spoil = false;
        p->spoilt = true;
    }
    view_bytes(p, room, out.filled);
}

static void answer(struct pair *p, size_t size)
{
    uint8_t room[4096];
    struct tdm_screen_view_out out;
    struct tdm_screen_host_out host_out;
    struct tdm_screen_view_in in = {.kind = TDM_SCREEN_VIEW_PULL, .room = room, .size = size};

    tdm_screen_view_step(p->view, &in, &out);
    host(p,
         (struct tdm_screen_host_in){
             .kind = TDM_SCREEN_HOST_ANSWER, .data = room, .size = out.filled},
         &host_out);
}

static void restart(struct pair *p)
{
    struct tdm_screen_host_out out;
    struct tdm_screen_view_out view_out;

    host(p, (struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_RESTART}, &out);
    tdm_screen_view_step(p->view, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_RESTART},
                         &view_out);
    p->spoilt = p->spoil = false;
}

static void tell(struct pair *p, struct tdm_screen_rect rect)
{
    struct tdm_screen_host_out out;

    host(p,
         (struct tdm_screen_host_in){
             .kind = TDM_SCREEN_HOST_DAMAGE, .surface = 3, .rects = &rect, .count = 1},
         &out);
}

/* Noise, one colour, stripes, or what was elsewhere; all of it is told. */
static void draw(struct pair *p, const uint8_t *in)
{
    struct tdm_screen_rect r = {in[1] % WIDTH, in[2] % HEIGHT, 1 + in[3] % WIDTH,
                                1 + in[4] % HEIGHT};
    struct tdm_rng *rng = &(struct tdm_rng){in[5]};

    for (int y = r.y; y < r.y + r.height && y < HEIGHT; y++) {
        for (int x = r.x; x < r.x + r.width && x < WIDTH; x++) {
            uint8_t *to = p->next + (y * WIDTH + x) * 4;
            int from_x = (x + in[6]) % WIDTH, from_y = (y + in[7]) % HEIGHT;
            uint32_t colour = in[5] % 4 == 0   ? tdm_rng_u32(rng)
                              : in[5] % 4 == 1 ? in[6] * 0x10305u
                                               : ((uint32_t)(x * in[6] + y * in[7]) >> 3) * 0x1357u;

            if (in[5] % 4 == 3)
                memmove(to, p->next + (from_y * WIDTH + from_x) * 4, 4);
            else
                memcpy(to, &colour, 4);
        }
    }
    tell(p, r);
}

static void act(struct pair *p, const uint8_t *in)
{
    struct tdm_screen_host_out out;

    switch (in[0] % 10) {
    case 0:
    case 1:
    case 2:
        draw(p, in);
        break;
    case 3:
    case 4:
        pull(p, TDM_SCREEN_HOST_PULL, 1 + (size_t)in[1] * in[2] % 16384);
        break;
    case 5:
        pull(p, TDM_SCREEN_HOST_PULL_REFINE, 1 + (size_t)in[1] * in[2] % 16384);
        break;
    case 6:
        answer(p, 1 + (size_t)in[1] * 16 % 4096);
        break;
    case 7:
        p->now += in[1] * 10 * TDM_MS;
        break;
    case 8:
        host(p,
             (struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_LINK,
                                         .rate_bps = (uint64_t)1 << in[1] % 40},
             &out);
        break;
    default:
        if (in[1] % 4 == 0)
            restart(p);
        p->spoil = in[1] % 4 == 1;
        if (in[1] % 4 == 2)
            host(p, (struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_VIDEO_GONE, .video = in[2]},
                 &out);
        break;
    }
}

/* Nothing more happens: in the end all is exact. */
static void end(struct pair *p)
{
    struct tdm_screen_host_out out;

    restart(p);
    host(p, (struct tdm_screen_host_in){.kind = TDM_SCREEN_HOST_LINK, .rate_bps = 50000000}, &out);
    for (int i = 0; i < 2000; i++) {
        p->now += 10 * TDM_MS;
        answer(p, 4096);
        pull(p, TDM_SCREEN_HOST_PULL, 16384);
        pull(p, TDM_SCREEN_HOST_PULL_REFINE, 16384);
        tdm_screen_host_step(p->host, p->now, NULL, &out);
        if (i > 20 && out.exact && !out.screen_ready && !out.refine_ready)
            break;
    }
    assert(hash_of(viewed(p)) == hash_of(p->next));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pair p;
    static void *memory[3]; /* Large, and always the same. */
    struct tdm_screen_host_config host_config = {
        .secret = "fuzz", .cache_tiles = 5, .video = size & 1};
    struct tdm_screen_view_config view_config = {.cache_tiles = 5, .pixels_max = WIDTH * HEIGHT};
    struct tdm_screen_host_out out;

    if (size < 8 || size > 2048)
        return 0;
    memset(&p, 0, sizeof p);
    p.now = TDM_S;
    if (!memory[0]) {
        memory[0] = malloc(tdm_screen_host_bytes(&host_config));
        memory[1] = malloc(tdm_screen_view_bytes(&view_config));
        memory[2] = malloc(tdm_screen_host_surface_bytes(WIDTH, HEIGHT));
    }
    assert(memory[0] && memory[1] && memory[2]);
    p.host = tdm_screen_host_init(memory[0], &host_config, p.now);
    p.view = tdm_screen_view_init(memory[1], &view_config);
    struct tdm_screen_shared shared = {.surface = {.id = 3, .width = WIDTH, .height = HEIGHT},
                                       .pixels = p.next,
                                       .stride = WIDTH * 4,
                                       .storage = memory[2]};

    host(&p,
         (struct tdm_screen_host_in){
             .kind = TDM_SCREEN_HOST_SURFACES, .shared = &shared, .count = 1},
         &out);
    restart(&p);
    tell(&p, (struct tdm_screen_rect){0, 0, WIDTH, HEIGHT});
    for (size_t at = 0; at + 8 <= size; at += 8)
        act(&p, data + at);
    end(&p);
    free(p.seen);
    return 0;
}
