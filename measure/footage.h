/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_FOOTAGE_H
#define TDM_MEASURE_FOOTAGE_H

/*
 * What the video codecs are measured with. Five kinds: what a camera sees, and four things that a
 * desktop shows. The camera is a packaged clip where one is installed; desktops are drawn
 * (measure/desktop.h), because no recording of one is ours to ship. Any of them can be replaced by
 * a file, and any file can be one more.
 */

#include "engine/base/err.h"
#include "engine/base/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_CLIP_BYTES_MAX (200u << 20) /* What one clip may hold of the memory. */

enum tdm_footage_kind {
    TDM_FOOTAGE_CAMERA,
    TDM_FOOTAGE_TEXT,
    TDM_FOOTAGE_SCROLL,
    TDM_FOOTAGE_SLIDES,
    TDM_FOOTAGE_GAME,
    TDM_FOOTAGE_COUNT
};

struct tdm_footage {
    char name[24];
    char path[256]; /* Of a file; "" = drawn. */
    enum tdm_footage_kind kind;
    bool screen; /* The encoders' hint. */
};

/** "camera", ..., or "" behind the last. */
const char *tdm_footage_kind_name(enum tdm_footage_kind kind);

/** Makes the content that `text` ("text", "text=clip.mkv") names; looks for the camera's clip.
 *  @return TDM_OK; TDM_E_MALFORMED for an unknown name; TDM_E_GONE or another error of
 *          capture/media_file.h when the file cannot be read. */
enum tdm_err tdm_footage_parse(struct tdm_footage *content, const char *text, size_t size,
                               struct tdm_cause *cause);

/** Pictures of one size, all in memory. */
struct tdm_clip {
    uint8_t *storage;
    int width, height;
    uint32_t count;
    char source[64]; /* The file's name, or what drew it. */
    bool generated;
    char sha256[65]; /* Of all the pictures' samples; "" unless it was asked for. */
};

struct tdm_clip_request {
    int width, height;
    uint32_t fps, count; /* Pictures wanted; TDM_CLIP_BYTES_MAX may allow fewer. */
    bool hash;
};

/** Fills a clip. Free it in any case. A file that is shorter gives fewer pictures. */
enum tdm_err tdm_clip_load(struct tdm_clip *clip, const struct tdm_footage *content,
                           const struct tdm_clip_request *request, struct tdm_cause *cause);
void tdm_clip_free(struct tdm_clip *clip);

/** The `index`-th picture of an endless showing: forth, back, forth, so that nothing jumps. */
void tdm_clip_picture(const struct tdm_clip *clip, uint32_t index, struct tdm_picture *pic);

#endif
