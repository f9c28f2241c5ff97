/* SPDX-License-Identifier: MIT */
#ifndef TDM_CODECS_CODEC_H
#define TDM_CODECS_CODEC_H

/*
 * The four codec tables. A codec is a file codecs/NAME.c with static const tables, listed in
 * codecs/registry.c; no codec file knows another. Tables are read-only, so any number of engines
 * share them.
 *
 * Threading: `create` and `destroy` run on the control thread. Everything else runs on the one
 * media thread that owns the instance, one call at a time; our code in it does not allocate, lock,
 * log or block (library calls that do are bracketed as base/rt.h says).
 */

#include "engine/base/codec_id.h"
#include "engine/base/err.h"
#include "engine/base/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_AUDIO_FRAME_SAMPLES_MAX 5760 /* 120 ms at 48 kHz, per channel. */

/** What a stream mostly shows: lets an encoder switch its screen-content tools on. */
enum tdm_content { TDM_CONTENT_CAMERA, TDM_CONTENT_SCREEN };

struct tdm_video_encoder_config {
    int width, height;        /* Even; 16 to TDM_PICTURE_SIDE_MAX. */
    uint32_t fps;             /* Frames a second, 1 to 120. */
    uint32_t bitrate_bps;     /* Start value; later ones come as bytes per frame. */
    uint32_t slice_bytes_max; /* Largest slice or NAL unit wanted; 0 = no limit. */
    unsigned threads;         /* 1 or more. */
    enum tdm_content content;
    bool references; /* The other side tells what it has, and `refer` says what to go by: the
                        encoder keeps pictures for that, and needs no other way to heal. */
    char preset[16]; /* One of the table's; "" = the encoder's own choice for size and threads. */
    char fmtp[192];  /* What the receiver asked for, e.g. profile-level-id. */
};

/** One finished piece of a coded picture. */
struct tdm_slice {
    const uint8_t *data; /* H.264: one NAL unit without start code. VP8, VP9: the whole frame.
                            AV1: the whole temporal unit as OBUs with sizes, no delimiter. */
    size_t size;
    bool first, last; /* Of this picture. */
    bool keyframe;    /* Decodable without anything before it. */
    uint8_t refers;   /* With `references`: to the picture so many before; 0: to none. */
};

/** What the next picture goes by, in pictures before it: 1 is the one that was coded last (one that
 *  was dropped counts for nothing). */
struct tdm_reference {
    uint8_t wanted; /* Refer to this one. Not kept: the next older one is taken. */
    uint8_t known;  /* Newest that the other side has: kept until a newer one is told; 0: none. */
};

/** What an encoder can do of that. */
struct tdm_reference_reach {
    uint8_t known;  /* A picture can begin anew from one so many before, which gives up those
                       between the two; 0: the encoder takes no references. */
    uint8_t chains; /* Any picture may refer to any of so many before, and gives up none. */
};

/** Called for each slice as it finishes, in order, one call at a time, and always before `encode`
 *  returns; `slice` is borrowed for the call. On the encode thread, except that H.264 with
 *  `threads` above 1 calls from libx264's own threads (each call sees what the one before did). */
typedef void tdm_slice_fn(void *arg, const struct tdm_slice *slice);

struct tdm_video_encoder; /* Opaque; each codec file defines its own and casts. */

struct tdm_video_encoder_ops {
    enum tdm_codec_id id;
    const char *name;     /* Of this implementation; no two encoders share one. */
    const char *rtp_name; /* As in a=rtpmap. */
    /** What `config.preset` may be, fastest first, NULL behind the last. */
    const char *const *presets;
    /** The library's version, for reports. */
    const char *(*version)(void);
    /** What `refer` can do; all 0 where it is NULL. */
    struct tdm_reference_reach reach;

    enum tdm_err (*create)(const struct tdm_video_encoder_config *config,
                           struct tdm_video_encoder **enc, struct tdm_cause *cause);
    void (*destroy)(struct tdm_video_encoder *enc);

    /**
     * Encodes one picture; no picture is ever held back.
     *
     * @param pic          I420 of the configured size; borrowed for the call.
     * @param budget_bytes What this frame may cost before packetisation; the encoder aims under it.
     * @param keyframe     Forces a picture that decodes without anything before it.
     * @param emit         Called for each slice, the last one with `last` set. A codec that does
     *                     not know which slice is last while it runs may emit an empty last slice
     *                     (size 0).
     *
     * @return TDM_OK; TDM_E_AGAIN when the picture was dropped to keep the budget (nothing was
     *         emitted; a forced keyframe is owed by the next call); TDM_E_SYSTEM when the library
     *         failed (the caller recreates the encoder).
     */
    enum tdm_err (*encode)(struct tdm_video_encoder *enc, const struct tdm_picture *pic,
                           uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                           void *emit_arg);

    /** Before `encode`, with `references` alone: holds for the next picture. Not called: it refers
     *  to the one before. When nothing is left to refer to, it becomes a keyframe. May be NULL. */
    void (*refer)(struct tdm_video_encoder *enc, const struct tdm_reference *reference);
};

struct tdm_video_decoder;

struct tdm_video_decoder_ops {
    enum tdm_codec_id id;

    enum tdm_err (*create)(struct tdm_video_decoder **dec, struct tdm_cause *cause);
    void (*destroy)(struct tdm_video_decoder *dec);

    /** From now on a picture with a side above these is TDM_E_UNSUPPORTED, before any work is done
     *  for it. NULL: TDM_PICTURE_SIDE_MAX is the only limit. */
    void (*limit)(struct tdm_video_decoder *dec, int width, int height);

    /**
     * Decodes one whole coded picture into at most one picture, at once (frames held = 0).
     *
     * @param data  H.264, H.265: Annex B access unit with start codes. VP8, VP9: the frame. AV1: a
     *              temporal unit as OBUs with sizes. `size` bytes; at least TDM_DECODER_PADDING
     *              readable bytes follow.
     * @param pic   On TDM_OK: points into the decoder, valid until the next call. `captured` and
     *              `frame_id` are left to the caller.
     *
     * @return TDM_OK; TDM_E_AGAIN when the data held no picture (parameter sets only);
     *         TDM_E_MALFORMED when it does not decode (the caller asks for a keyframe);
     *         TDM_E_UNSUPPORTED for a format or size beyond TDM_PICTURE_SIDE_MAX.
     */
    enum tdm_err (*decode)(struct tdm_video_decoder *dec, const uint8_t *data, size_t size,
                           struct tdm_picture *pic);
};

#define TDM_DECODER_PADDING 64

struct tdm_audio_encoder_config {
    uint32_t sample_hz; /* 48000 (Opus, L16), 16000 (G.722), 8000 (G.711), 44100 (L16). */
    uint8_t channels;   /* 1 or 2. */
    uint32_t bitrate_bps;
    uint16_t frame_us; /* 10000 or 20000 (Opus also 2500, 5000, 40000, 60000). */
    bool music;        /* Opus: coded for music rather than for speech. */
    char fmtp[192];    /* What the receiver asked for. */
};

struct tdm_audio_encoder;

struct tdm_audio_encoder_ops {
    enum tdm_codec_id id;
    const char *rtp_name;
    uint32_t rtp_clock_hz; /* Opus: 48000 always. G.722: 8000. 0: the sample rate (L16). */

    enum tdm_err (*create)(const struct tdm_audio_encoder_config *config,
                           struct tdm_audio_encoder **enc, struct tdm_cause *cause);
    void (*destroy)(struct tdm_audio_encoder *enc);

    /** Encodes `frame_samples` (per channel, interleaved) into at most `capacity` bytes.
     *  @return TDM_OK with *size set (0 = nothing to send, DTX); TDM_E_SPACE; TDM_E_SYSTEM. */
    enum tdm_err (*encode)(struct tdm_audio_encoder *enc, const int16_t *pcm,
                           uint32_t frame_samples, uint8_t *payload, size_t capacity, size_t *size);

    /** Tells the loss that the receiver reports (0..1), for in-band redundancy. May be NULL. */
    void (*set_loss)(struct tdm_audio_encoder *enc, double loss);

    /** Samples at 48 kHz by which the codec delays the signal beyond its frame. */
    uint32_t (*lookahead_samples)(const struct tdm_audio_encoder *enc);
};

struct tdm_audio_decoder;

struct tdm_audio_decoder_ops {
    enum tdm_codec_id id;

    enum tdm_err (*create)(uint32_t sample_hz, uint8_t channels, struct tdm_audio_decoder **dec,
                           struct tdm_cause *cause);
    void (*destroy)(struct tdm_audio_decoder *dec);

    /** Decodes one payload. `capacity` in samples per channel.
     *  @return TDM_OK with *samples per channel; TDM_E_MALFORMED (conceal instead). */
    enum tdm_err (*decode)(struct tdm_audio_decoder *dec, const uint8_t *payload, size_t size,
                           int16_t *pcm, uint32_t capacity, uint32_t *samples);

    /** Conceals `samples` per channel that are missing. `next`, when not NULL, is the payload
     *  after the gap, for codecs with in-band redundancy. Never fails: silence at worst. */
    void (*conceal)(struct tdm_audio_decoder *dec, const uint8_t *next, size_t next_size,
                    int16_t *pcm, uint32_t samples);

    /** Samples per channel that a payload holds, without decoding; 0 when malformed. */
    uint32_t (*payload_samples)(const struct tdm_audio_decoder *dec, const uint8_t *payload,
                                size_t size);

    /** Whether `conceal` finds the packet before this one in it. NULL: never. */
    bool (*heals)(const uint8_t *payload, size_t size);
};

/** The tables of a codec, or NULL where this build has none. Where two encoders make the same
 *  codec, find gives the one that calls use by default; `named` and `at` reach each. */
const struct tdm_video_encoder_ops *tdm_video_encoder_find(enum tdm_codec_id id);
const struct tdm_video_decoder_ops *tdm_video_decoder_find(enum tdm_codec_id id);
const struct tdm_audio_encoder_ops *tdm_audio_encoder_find(enum tdm_codec_id id);
const struct tdm_audio_decoder_ops *tdm_audio_decoder_find(enum tdm_codec_id id);
const struct tdm_video_encoder_ops *tdm_video_encoder_named(const char *name);

/** The index-th encoder of this build, NULL behind the last. */
const struct tdm_video_encoder_ops *tdm_video_encoder_at(size_t index);
const struct tdm_audio_encoder_ops *tdm_audio_encoder_at(size_t index);

#endif
