/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_MEDIA_PLAN_H
#define TDM_ENGINE_MEDIA_PLAN_H

/*
 * What a program asked for (struct tandem_media), with defaults filled in and checked; how that
 * becomes a capability to negotiate with; and how what was negotiated becomes stream settings.
 */

#include "engine/core/session.h"
#include "signalling/offer_answer.h"
#include "tandem/tandem.h"

#define TDM_SPEC_MAX   256
#define TDM_CODECS_MAX 8

struct tdm_media_plan {
    char video_source[TDM_SPEC_MAX], audio_source[TDM_SPEC_MAX];
    char video_sink[TDM_SPEC_MAX], audio_sink[TDM_SPEC_MAX];
    char record_path[TDM_SPEC_MAX], sheet_path[TDM_SPEC_MAX]; /* "" = none. */
    uint8_t video_codec_count, audio_codec_count;
    enum tdm_codec_id video_codecs[TDM_CODECS_MAX], audio_codecs[TDM_CODECS_MAX];
    uint32_t video_bps, audio_bps;
    uint16_t width, height, fps, audio_frame_us, audio_channels, sheet_every_ms, ring_seconds;
    bool time_code, audio_music;
};

/** TDM_E_UNSUPPORTED with a cause that lists what there is; TDM_E_MALFORMED for a bad number. */
enum tdm_err tdm_media_plan_of(struct tdm_media_plan *plan, const struct tandem_media *media,
                               struct tdm_cause *cause);

/** `address`: ours as the other side reaches it. Ports: of our RTP sockets. A medium whose source
 *  and sink are both "off" is not wanted. */
void tdm_media_plan_capability(const struct tdm_media_plan *plan, const char *address,
                               uint16_t audio_port, uint16_t video_port,
                               struct tdm_capability *capability);

/** Everything this build can do, for a first look at an invitation nobody has answered yet. */
void tdm_media_plan_everything(struct tdm_capability *capability);

/** The session's settings for one agreed medium. */
void tdm_media_plan_stream(const struct tdm_media_plan *plan,
                           const struct tdm_negotiated_media *agreed, enum tdm_media_kind kind,
                           bool held_here, struct tdm_stream_config *config);

/** "h264", "opus" ..., and back; TDM_CODEC_NONE for an unknown name. */
const char *tdm_codec_short_name(enum tdm_codec_id id);

/** Codecs in their default order of preference, as struct tandem_media names them. */
#define TDM_DEFAULT_VIDEO_CODECS "h264,vp8"
#define TDM_DEFAULT_AUDIO_CODECS "opus,g722,pcmu,pcma"

#endif
