/* SPDX-License-Identifier: MIT */
#include "measure/footage.h"

#include "capture/fit.h"
#include "capture/media_file.h"
#include "measure/camera_scene.h"
#include "measure/desktop.h"
#include "measure/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kind_names[TDM_FOOTAGE_COUNT] = {"camera", "text", "scroll", "slides",
                                                          "game"};

/* Where Debian puts clips of real people: forensics-samples-files, opencv-doc. */
static const char *const camera_clips[] = {
    "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4",
    "/usr/share/doc/opencv-doc/examples/data/vtest.avi",
};

const char *tdm_footage_kind_name(enum tdm_footage_kind kind)
{
    return kind < TDM_FOOTAGE_COUNT ? kind_names[kind] : "";
}

static enum tdm_err check_file(const char *path, struct tdm_cause *cause)
{
    struct tdm_media_file file = {0};
    tdm_time at;
    enum tdm_err err = tdm_media_file_open(&file, path, AVMEDIA_TYPE_VIDEO, cause);

    if (!err)
        err = tdm_media_file_next(&file, &at, cause);
    tdm_media_file_close(&file);
    return err == TDM_E_AGAIN
               ? tdm_fail(cause, TDM_E_GONE, "there is no picture in \"%.150s\"", path)
               : err;
}

static void find_camera_clip(struct tdm_footage *content)
{
    for (size_t i = 0; i < sizeof camera_clips / sizeof *camera_clips; i++) {
        if (access(camera_clips[i], R_OK) == 0 && !check_file(camera_clips[i], NULL)) {
            (void)snprintf(content->path, sizeof content->path, "%s", camera_clips[i]);
            return;
        }
    }
}

/* The kind of that name; COUNT for none. */
static enum tdm_footage_kind kind_of(const char *name)
{
    int kind = 0;

    while (kind < TDM_FOOTAGE_COUNT && strcmp(name, kind_names[kind]) != 0)
        kind++;
    return (enum tdm_footage_kind)kind;
}

enum tdm_err tdm_footage_parse(struct tdm_footage *content, const char *text, size_t size,
                               struct tdm_cause *cause)
{
    const char *equals = memchr(text, '=', size);
    size_t name_size = equals ? (size_t)(equals - text) : size;
    size_t path_size = equals ? size - name_size - 1 : 0;

    *content = (struct tdm_footage){0};
    if (name_size == 0 || name_size >= sizeof content->name)
        return tdm_fail(cause, TDM_E_MALFORMED, "\"%.*s\" is no name for a content", (int)size,
                        text);
    memcpy(content->name, text, name_size);
    content->kind = kind_of(content->name);
    if (content->kind == TDM_FOOTAGE_COUNT && !equals)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "unknown content \"%s\": there are camera, text, scroll, slides, game, and "
                        "NAME=FILE for a clip of your own",
                        content->name);
    content->screen = content->kind >= TDM_FOOTAGE_TEXT && content->kind <= TDM_FOOTAGE_SLIDES;
    if (equals) {
        if (path_size == 0 || path_size >= sizeof content->path)
            return tdm_fail(cause, TDM_E_MALFORMED, "content \"%s=\" names no file", content->name);
        memcpy(content->path, equals + 1, path_size);
        return check_file(content->path, cause);
    }
    if (content->kind == TDM_FOOTAGE_CAMERA)
        find_camera_clip(content);
    return TDM_OK;
}

static void picture_at(const struct tdm_clip *clip, uint32_t index, struct tdm_picture *pic)
{
    size_t bytes = tdm_picture_bytes(clip->width, clip->height);

    tdm_picture_over(pic, clip->storage + index * bytes, clip->width, clip->height);
    pic->frame_id = index;
}

void tdm_clip_picture(const struct tdm_clip *clip, uint32_t index, struct tdm_picture *pic)
{
    uint32_t turn = clip->count > 1 ? 2 * (clip->count - 1) : 1;
    uint32_t at = index % turn;

    assert(clip->count > 0);
    picture_at(clip, at < clip->count ? at : turn - at, pic);
}

/* Cuts the sides or the top and bottom off, so that the picture has the aspect of the target: what
 * a camera would have given. Not where the pixels are not square. */
static void crop_to(AVFrame *frame, int width, int height)
{
    int64_t wide = (int64_t)frame->width * height, narrow = (int64_t)frame->height * width;

    if (frame->sample_aspect_ratio.num != frame->sample_aspect_ratio.den)
        return;
    if (wide > narrow)
        frame->crop_left = frame->crop_right = (size_t)((wide - narrow) / height / 2) / 2 * 2;
    else
        frame->crop_top = frame->crop_bottom = (size_t)((narrow - wide) / width / 2) / 2 * 2;
    (void)av_frame_apply_cropping(frame, AV_FRAME_CROP_UNALIGNED);
}

/* Every picture of a file that has at most `fps` a second; of a faster one as many as that. */
static enum tdm_err read_pictures(struct tdm_clip *clip, struct tdm_media_file *file,
                                  const struct tdm_clip_request *request, bool crop,
                                  struct tdm_cause *cause)
{
    tdm_time period = TDM_S / request->fps, due = 0, at;
    struct tdm_fit fit = {0};
    enum tdm_err err = TDM_OK;

    if (!tdm_fit_open(&fit, clip->width, clip->height))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to scale \"%s\"", file->name);
    while (clip->count < request->count) {
        err = tdm_media_file_next(file, &at, cause);
        if (err)
            break;
        if (at + period / 4 < due)
            continue;
        struct tdm_picture pic;

        picture_at(clip, clip->count, &pic);
        if (crop)
            crop_to(file->frame, clip->width, clip->height);
        struct tdm_raw_picture raw = tdm_raw_of_frame(file->frame);

        tdm_picture_fill(&pic, 16, 128, 128); /* The fit leaves black bars as they were. */
        err = tdm_fit_into(&fit, &raw, &pic);
        if (err) {
            err = tdm_fail(cause, err, "\"%s\" has pictures that cannot be converted", file->name);
            break;
        }
        due = tdm_time_max(due + period, at);
        clip->count++;
    }
    tdm_fit_close(&fit);
    return err == TDM_E_AGAIN && clip->count > 0 ? TDM_OK : err;
}

static enum tdm_err load_file(struct tdm_clip *clip, const struct tdm_footage *content,
                              const struct tdm_clip_request *request, struct tdm_cause *cause)
{
    struct tdm_media_file file = {0};
    enum tdm_err err = tdm_media_file_open(&file, content->path, AVMEDIA_TYPE_VIDEO, cause);

    if (!err) {
        (void)snprintf(clip->source, sizeof clip->source, "%.63s", file.name);
        err = read_pictures(clip, &file, request, content->kind == TDM_FOOTAGE_CAMERA, cause);
    }
    tdm_media_file_close(&file);
    return err;
}

static enum tdm_err draw_desktop(struct tdm_clip *clip, enum tdm_footage_kind kind,
                                 const struct tdm_clip_request *request, struct tdm_cause *cause)
{
    struct tdm_desktop *desktop;
    const struct tdm_desktop_config config = {
        .kind = kind, .width = clip->width, .height = clip->height, .fps = request->fps};
    enum tdm_err err = tdm_desktop_create(&config, &desktop, cause);

    if (err)
        return err;
    for (; !err && clip->count < request->count; clip->count++) {
        struct tdm_picture pic;

        picture_at(clip, clip->count, &pic);
        err = tdm_desktop_next(desktop, &pic, cause);
    }
    (void)snprintf(clip->source, sizeof clip->source, "drawn by tandem%s",
                   tdm_desktop_has_font(desktop) ? "" : "; without a font, words are bars");
    tdm_desktop_destroy(desktop);
    return err;
}

static enum tdm_err draw(struct tdm_clip *clip, const struct tdm_footage *content,
                         const struct tdm_clip_request *request, struct tdm_cause *cause)
{
    clip->generated = true;
    if (content->kind != TDM_FOOTAGE_CAMERA)
        return draw_desktop(clip, content->kind, request, cause);
    (void)snprintf(clip->source, sizeof clip->source, "drawn by tandem; no camera clip installed");
    for (; clip->count < request->count; clip->count++) {
        struct tdm_picture pic;

        picture_at(clip, clip->count, &pic);
        tdm_camera_scene_draw(&pic, clip->count, request->fps);
    }
    return TDM_OK;
}

static enum tdm_err hash_clip(struct tdm_clip *clip, struct tdm_cause *cause)
{
    struct tdm_hash hash;

    if (!tdm_hash_create(&hash))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory");
    tdm_hash_add(&hash, clip->storage, clip->count * tdm_picture_bytes(clip->width, clip->height));
    tdm_hash_finish(&hash, clip->sha256);
    tdm_hash_destroy(&hash);
    return TDM_OK;
}

enum tdm_err tdm_clip_load(struct tdm_clip *clip, const struct tdm_footage *content,
                           const struct tdm_clip_request *request, struct tdm_cause *cause)
{
    size_t bytes = tdm_picture_bytes(request->width, request->height);
    struct tdm_clip_request allowed = *request;
    enum tdm_err err;

    assert(request->fps > 0 && request->count > 0);
    if (allowed.count > TDM_CLIP_BYTES_MAX / bytes)
        allowed.count = (uint32_t)(TDM_CLIP_BYTES_MAX / bytes);
    *clip = (struct tdm_clip){.width = request->width, .height = request->height};
    clip->storage = malloc(allowed.count * bytes);
    if (!clip->storage)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for %u pictures of %dx%d", allowed.count,
                        request->width, request->height);
    err = content->path[0] ? load_file(clip, content, &allowed, cause)
                           : draw(clip, content, &allowed, cause);
    return !err && request->hash ? hash_clip(clip, cause) : err;
}

void tdm_clip_free(struct tdm_clip *clip)
{
    free(clip->storage);
    *clip = (struct tdm_clip){0};
}
