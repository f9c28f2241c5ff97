/* SPDX-License-Identifier: MIT */
#ifndef TDM_CAPTURE_SOURCE_H
#define TDM_CAPTURE_SOURCE_H

/*
 * Source tables: where pictures and sound come from. A source is one file capture/NAME.c; they are
 * listed in capture/registry.c and named by a spec string "kind" or "kind:argument":
 *
 *   video  cam[:/dev/video0]  screen[:DISPLAY]  file:PATH  pattern[:NAME]
 *   audio  mic[:DEVICE]       file:PATH         tone[:chirp|HZ]
 *          desktop[:SINK]
 *
 * Threading: `create` and `destroy` run on the control thread; `next` / `read` on the one media
 * thread that owns the source, which it may block on its device until `wake_fd` becomes readable.
 * Our code in `next` and `read` does not allocate, lock or log.
 */

#include "engine/base/err.h"
#include "engine/base/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_video_source_config {
    const char *argument; /* After the colon, "" when none. Borrowed for create. */
    int width, height; /* What the encoder wants; the source scales (keeping aspect, black bars). */
    uint32_t fps;
    int wake_fd; /* An eventfd that interrupts a blocking `next`; never read by the source. */
};

struct tdm_video_source;

struct tdm_video_source_ops {
    const char *kind;

    enum tdm_err (*create)(const struct tdm_video_source_config *config,
                           struct tdm_video_source **source, struct tdm_cause *cause);
    void (*destroy)(struct tdm_video_source *source);

    /**
     * Waits for the next picture and gives the newest one there is; older ones are skipped.
     *
     * @param pic  On TDM_OK: config size, `captured` and `frame_id` set; points into the source,
     *             valid until the next call. The caller may draw into it.
     * @return TDM_OK; TDM_E_AGAIN when wake_fd became readable; TDM_E_GONE when the device
     *         disappeared or the file broke (`cause` says which: keep the call, tell the user).
     */
    enum tdm_err (*next)(struct tdm_video_source *source, struct tdm_picture *pic,
                         struct tdm_cause *cause);
};

struct tdm_audio_source_config {
    const char *argument;
    uint32_t sample_hz;     /* 48000, 44100, 16000 or 8000: the source resamples. */
    uint8_t channels;       /* 1 or 2. */
    uint32_t block_samples; /* Per channel, for each read. */
    int wake_fd;
};

struct tdm_audio_source;

struct tdm_audio_source_ops {
    const char *kind;

    enum tdm_err (*create)(const struct tdm_audio_source_config *config,
                           struct tdm_audio_source **source, struct tdm_cause *cause);
    void (*destroy)(struct tdm_audio_source *source);

    /**
     * Waits for one block of `block_samples`.
     *
     * @param pcm       Interleaved, block_samples * channels.
     * @param captured  When the block's LAST sample was taken (for a microphone: its callback).
     * @return TDM_OK; TDM_E_AGAIN when wake_fd became readable; TDM_E_GONE as above.
     */
    enum tdm_err (*read)(struct tdm_audio_source *source, int16_t *pcm, tdm_time *captured,
                         struct tdm_cause *cause);
};

/** Finds the table for a spec such as "file:clip.mp4" and gives the argument's start; NULL with a
 *  cause that lists what there is. */
const struct tdm_video_source_ops *tdm_video_source_find(const char *spec, const char **argument,
                                                         struct tdm_cause *cause);
const struct tdm_audio_source_ops *tdm_audio_source_find(const char *spec, const char **argument,
                                                         struct tdm_cause *cause);

#endif
