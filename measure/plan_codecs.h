/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_PLAN_CODECS_H
#define TDM_MEASURE_PLAN_CODECS_H

/* The list of codecs: which encoders of this build it names, and with which presets. */

#include "codecs/codec.h"
#include "tandem/bench.h"

#define TDM_PICKS_MAX 64

enum tdm_preset_wish {
    TDM_PRESET_NAMED,
    TDM_PRESET_NEIGHBOURS, /* That of calls, one faster and one slower. */
    TDM_PRESET_EVERY
};

/** One encoder of the list: video or audio, the other one is NULL. */
struct tdm_pick {
    const struct tdm_video_encoder_ops *video;
    const struct tdm_audio_encoder_ops *audio;
    enum tdm_preset_wish wish;
    size_t preset; /* Its place in the table, when TDM_PRESET_NAMED. */
};

struct tdm_picks {
    struct tdm_pick list[TDM_PICKS_MAX];
    size_t count;
};

/** `text` NULL means all. TANDEM_UNSUPPORTED for a codec or preset that this build has not. */
enum tandem_status tdm_picks_parse(struct tdm_picks *picks, const char *text, bool no_audio,
                                   struct tdm_cause *cause);

/** The codec's name in lower case, "h264". */
void tdm_codec_name(char *name, size_t capacity, const char *rtp_name);

#endif
