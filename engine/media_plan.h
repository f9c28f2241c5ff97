/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_MEDIA_PLAN_H
#define TDM_ENGINE_MEDIA_PLAN_H

/*
 * What a program asked for (struct tandem_media), with defaults filled in and checked; how that
 * becomes a capability to negotiate with; and how what was negotiated becomes stream settings.
 */

#include "codecs/codec.h"
#include "engine/core/session.h"
#include "measure/choice.h"
#include "signalling/offer_answer.h"
#include "tandem/tandem.h"

#define TDM_SPEC_MAX   256
#define TDM_CODECS_MAX 8
#define TDM_PRESET_MAX sizeof(((struct tdm_video_encoder_config *)0)->preset)

struct tdm_media_plan {
    char video_source[TDM_SPEC_MAX], audio_source[TDM_SPEC_MAX];
    char video_sink[TDM_SPEC_MAX], audio_sink[TDM_SPEC_MAX];
    char record_path[TDM_SPEC_MAX], sheet_path[TDM_SPEC_MAX]; /* "" = none. */
    uint8_t video_codec_count, audio_codec_count;
    enum tdm_codec_id video_codecs[TDM_CODECS_MAX], audio_codecs[TDM_CODECS_MAX];
    const struct tdm_video_encoder_ops
        *video_encoders[TDM_CODECS_MAX]; /* Of each of video_codecs; NULL: only decoded. */
    bool video_codecs_named;             /* By a user, in this order. */
    char video_preset[TDM_PRESET_MAX];   /* "" = each encoder's own choice. */
    uint16_t video_threads;              /* 0 = chosen. */
    struct tdm_cost_table costs;         /* Empty: nothing is chosen by machine and link. */
    bool size_asked;                     /* No other size may be chosen. */
    uint32_t video_bps, audio_bps;
    uint16_t width, height, fps, audio_frame_us, audio_channels, sheet_every_ms, ring_seconds;
    uint16_t latency_ms; /* 0 = no budget. */
    bool time_code, audio_music, audio_bps_asked, audio_frame_asked, channel, channel_if_asked;
    struct tandem_files *files; /* Borrowed; NULL: none. */
    struct tandem_share *share; /* Likewise. */
    struct tandem_board *board; /* Likewise. */
    struct tandem_chat *chat;
};

/** TDM_E_UNSUPPORTED with a cause that lists what there is; TDM_E_MALFORMED for a bad number. */
enum tdm_err tdm_media_plan_of(struct tdm_media_plan *plan, const struct tandem_media *media,
                               struct tdm_cause *cause);

/** `address`: ours as the other side reaches it. Ports: of our RTP sockets. A medium whose source
 *  and sink are both "off" is not wanted. */
void tdm_media_plan_capability(const struct tdm_media_plan *plan, const char *address,
                               uint16_t audio_port, uint16_t video_port,
                               struct tdm_capability *capability);

/** Adds what browsers understand beside: wrapped repairs, transport-wide feedback, MID. For
 * answers: with it an offer would not fit a datagram. */
void tdm_media_plan_feedback(struct tdm_capability *capability);

/** Everything this build can do, for a first look at an invitation nobody has answered yet. */
void tdm_media_plan_everything(struct tdm_capability *capability);

/** The session's settings for one agreed medium. */
void tdm_media_plan_stream(const struct tdm_media_plan *plan,
                           const struct tdm_negotiated_media *agreed, enum tdm_media_kind kind,
                           bool held_here, struct tdm_stream_config *config);

/** What is sent, or received where nothing can be sent; TDM_CODEC_NONE when nothing is agreed. */
enum tdm_codec_id tdm_media_plan_codec(const struct tdm_negotiated_media *agreed);

/** "h264", "opus" ..., and back; TDM_CODEC_NONE for an unknown name. */
const char *tdm_codec_short_name(enum tdm_codec_id id);
enum tdm_codec_id tdm_codec_of_name(enum tdm_media_kind kind, const char *text, size_t size);

/** The index-th codec of a kind in the default order of preference, with or without an encoder or
 *  decoder in this build; TDM_CODEC_NONE behind the last. */
enum tdm_codec_id tdm_codec_at(enum tdm_media_kind kind, size_t index);

/** Codecs in their default order of preference, as struct tandem_media names them. */
#define TDM_DEFAULT_AUDIO_CODECS "opus,g722,pcmu,pcma"

#endif
