/* SPDX-License-Identifier: MIT */
/*
 * A hostile host: after a true beginning the bytes are its records, cut at places that the first
 * byte chooses. Checked: all is taken, work is bounded by the area, the viewer fails or asks again
 * instead of going on for ever, and any cut gives the same picture. Storage is exactly as large as
 * asked for, so that a sanitizer sees what is written beyond.
 */

#include "collab/screen_wire.h"
#include "engine/base/tile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORK_MAX (6 * 192 * 128) /* Of one step: a frame's, of the surface below. */

static const struct tdm_screen_view_config config = {.cache_tiles = 4, .pixels_max = 1 << 20};

struct viewer {
    struct tdm_screen_view *view;
    void *storage[TDM_SCREEN_SURFACES_MAX];
    uint32_t frames, resyncs;
    bool failed;
};

static void give(struct viewer *v)
{
    struct tdm_screen_view_surface surfaces[TDM_SCREEN_SURFACES_MAX];
    uint32_t count = tdm_screen_view_surfaces(v->view, surfaces);
    struct tdm_screen_view_out out;

    for (uint32_t i = 0; i < count; i++) {
        const struct tdm_screen_surface *s = &surfaces[i].surface;

        if (!surfaces[i].fresh)
            continue;
        free(v->storage[s->id]);
        v->storage[s->id] = malloc(tdm_screen_view_surface_bytes(s->width, s->height));
        assert(v->storage[s->id]);
        tdm_screen_view_step(v->view,
                             &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_STORAGE,
                                                          .surface = s->id,
                                                          .storage = v->storage[s->id]},
                             &out);
    }
}

/* Answers are pulled only when a host would begin anew. */
static void begin(struct viewer *v, uint64_t resyncs)
{
    uint8_t room[512];
    struct tdm_screen_out_record record = tdm_screen_record_begin(room, sizeof room);
    struct tdm_screen_start start = {.version = TDM_SCREEN_VERSION,
                                     .first_id = 1,
                                     .cache_tiles = config.cache_tiles,
                                     .resyncs = resyncs};
    struct tdm_screen_list list = {.count = 1,
                                   .surfaces = {{.width = 150, .height = 100, .name = "f"}}};
    struct tdm_screen_view_out out;
    size_t size;

    tdm_screen_start_write(&start, &record.body);
    uint8_t *at = tdm_screen_record_end(&record, TDM_SCREEN_START, &size);

    tdm_screen_view_step(
        v->view,
        &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_BYTES, .data = at, .size = size},
        &out);
    record = tdm_screen_record_begin(room, sizeof room);
    tdm_screen_list_write(&list, &record.body);
    at = tdm_screen_record_end(&record, TDM_SCREEN_SURFACES, &size);
    tdm_screen_view_step(
        v->view,
        &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_BYTES, .data = at, .size = size},
        &out);
    give(v);
}

static void feed(struct viewer *v, const uint8_t *data, size_t size)
{
    struct tdm_screen_view_out out;

    for (size_t done = 0; done < size;) {
        tdm_screen_view_step(v->view,
                             &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_BYTES,
                                                          .data = data + done,
                                                          .size = size - done},
                             &out);
        assert(out.consumed <= size - done);
        done += out.consumed;
        assert(out.rect_count <= TDM_SCREEN_RECTS_MAX);
        v->failed = out.event == TDM_SCREEN_VIEW_EV_FAILED;
        if (out.event == TDM_SCREEN_VIEW_EV_SURFACES)
            give(v);
        else if (out.event == TDM_SCREEN_VIEW_EV_RESYNC)
            begin(v, 2 + v->resyncs++); /* The host does as it is asked. */
        else if (out.event == TDM_SCREEN_VIEW_EV_FRAME)
            v->frames++;
        else
            assert(out.consumed || v->failed);
        if (tdm_screen_view_surfaces(v->view, (struct tdm_screen_view_surface[16]){0}) == 1)
            assert(out.work_pixels <= WORK_MAX || v->failed);
    }
}

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
    struct viewer v = {.view = NULL};
    static void *memory; /* Large, and always the same. */
    struct tdm_screen_view_out out;
    uint64_t print;

    memory = memory ? memory : malloc(tdm_screen_view_bytes(&config));
    assert(memory);
    v.view = tdm_screen_view_init(memory, &config);
    tdm_screen_view_step(v.view, &(struct tdm_screen_view_in){.kind = TDM_SCREEN_VIEW_RESTART},
                         &out);
    begin(&v, 1);
    for (size_t at = 0; at < size; at += piece)
        feed(&v, data + at, piece < size - at ? piece : size - at);
    print = v.frames * 31u + v.resyncs * 7u + v.failed;
    assert(v.resyncs <= 64 + v.frames);

    struct tdm_screen_view_surface surfaces[TDM_SCREEN_SURFACES_MAX];
    uint32_t count = tdm_screen_view_surfaces(v.view, surfaces);

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_tile all = {surfaces[i].pixels, surfaces[i].stride, surfaces[i].surface.width,
                               surfaces[i].surface.height};

        if (!surfaces[i].fresh)
            print = print * 31 + tdm_tile_hash(&all);
    }
    for (int i = 0; i < TDM_SCREEN_SURFACES_MAX; i++)
        free(v.storage[i]);
    return print;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    assert(run(data + 1, size - 1, size) == run(data + 1, size - 1, 1 + data[0]));
    return 0;
}
