/* SPDX-License-Identifier: MIT */
#include "engine/audio_plan.h"

#include "signalling/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_BPS        36000 /* Of packets of 10 ms: IPv4, UDP, RTP, the tag of SRTP. */
#define SHORT_BPS          60000 /* Under that, packets of 20 ms. */
#define TELEPHONE_FRAME_US 20000 /* RFC 3551 section 4.2. */

static const uint16_t frame_lengths[] = {2500, 5000, 10000, 20000, 40000, 60000};

#define LENGTH_COUNT (sizeof frame_lengths / sizeof *frame_lengths)

uint32_t tdm_audio_sample_hz(enum tdm_codec_id id, uint32_t clock_hz)
{
    return id == TDM_CODEC_G722 ? 16000 : clock_hz;
}

bool tdm_audio_frame_known(uint32_t frame_us)
{
    for (size_t i = 0; i < LENGTH_COUNT; i++)
        if (frame_lengths[i] == frame_us)
            return true;
    return false;
}

uint32_t tdm_audio_bps(uint16_t channels, bool music)
{
    return (music ? 64000u : 48000u) * channels;
}

/* As SDP says a length. */
static uint16_t ms_of(uint16_t frame_us)
{
    return (uint16_t)((frame_us + 999) / 1000);
}

/* The plan's channel count first. There are few: insertion keeps the rest in order. */
static void order_l16(struct tdm_media_capability *audio, uint8_t channels)
{
    for (unsigned i = 1; i < audio->codec_count; i++) {
        struct tdm_codec_desc moved = audio->codecs[i];
        unsigned to = i;

        while (moved.id == TDM_CODEC_L16 && moved.channels == channels && to > 0 &&
               audio->codecs[to - 1].id == TDM_CODEC_L16 &&
               audio->codecs[to - 1].channels != channels)
            to--;
        memmove(&audio->codecs[to + 1], &audio->codecs[to], (i - to) * sizeof moved);
        audio->codecs[to] = moved;
    }
}

void tdm_audio_capability(const struct tdm_media_plan *plan, struct tdm_media_capability *audio)
{
    bool stereo = plan->audio_channels == 2;

    for (unsigned i = 0; i < audio->codec_count; i++)
        if (audio->codecs[i].id == TDM_CODEC_OPUS)
            (void)snprintf(audio->codecs[i].fmtp, sizeof audio->codecs[i].fmtp,
                           "useinbandfec=1%s%s", stereo ? ";stereo=1" : "",
                           stereo && strcmp(plan->audio_source, "off") != 0 ? ";sprop-stereo=1"
                                                                            : "");
    order_l16(audio, (uint8_t)plan->audio_channels);
    audio->ptime_ms = ms_of(plan->audio_frame_us);
}

static unsigned parameter(const char *fmtp, const char *name)
{
    char value[8], *end;

    if (!tdm_sdp_fmtp_value(fmtp, name, value, sizeof value))
        return 0;

    unsigned long number = strtoul(value, &end, 10);

    return *end || number > 120 ? 0 : (unsigned)number;
}

static bool fits(const struct tdm_negotiated_media *agreed, const struct tdm_audio_format *format,
                 uint16_t frame_us)
{
    uint64_t samples = (uint64_t)format->sample_hz * frame_us / 1000000;

    if (agreed->max_ptime_ms && ms_of(frame_us) > agreed->max_ptime_ms)
        return false;
    return agreed->send.id != TDM_CODEC_L16 ||
           samples * 2 * format->channels <= TDM_AUDIO_PAYLOAD_MAX;
}

static uint16_t frame_us_of(uint16_t planned, const struct tdm_negotiated_media *agreed,
                            const struct tdm_audio_format *format)
{
    enum tdm_codec_id id = agreed->send.id;
    bool telephone = id == TDM_CODEC_PCMU || id == TDM_CODEC_PCMA || id == TDM_CODEC_G722;
    unsigned least_ms = id == TDM_CODEC_OPUS ? parameter(agreed->send.fmtp, "minptime") : 0;
    uint16_t wanted =
        telephone && agreed->ptime_ms != ms_of(planned) ? TELEPHONE_FRAME_US : planned;
    uint16_t best = frame_lengths[0];

    for (size_t i = 1; i < LENGTH_COUNT && fits(agreed, format, frame_lengths[i]); i++)
        if (frame_lengths[i] <= wanted || ms_of(best) < least_ms)
            best = frame_lengths[i];
    return best;
}

struct tdm_audio_format tdm_audio_format_of(const struct tdm_media_plan *plan,
                                            const struct tdm_negotiated_media *agreed)
{
    const struct tdm_codec_desc *codec = &agreed->send;
    struct tdm_audio_format format = {
        .sample_hz = tdm_audio_sample_hz(codec->id, codec->clock_hz),
        .channels = 1,
    };

    if (codec->id == TDM_CODEC_L16 && codec->channels == 2)
        format.channels = 2;
    if (codec->id == TDM_CODEC_OPUS && plan->audio_channels == 2 &&
        parameter(codec->fmtp, "stereo") == 1)
        format.channels = 2;
    format.bitrate_bps =
        plan->audio_bps_asked ? plan->audio_bps : tdm_audio_bps(format.channels, plan->audio_music);
    format.frame_us = frame_us_of(plan->audio_frame_us, agreed, &format);
    format.joins = codec->id == TDM_CODEC_OPUS && !plan->audio_frame_asked &&
                   fits(agreed, &format, (uint16_t)(2 * format.frame_us));
    if (format.joins && format.bitrate_bps + HEADERS_BPS < SHORT_BPS) {
        format.frame_us = (uint16_t)(2 * format.frame_us);
        format.joins = false;
    }
    return format;
}
