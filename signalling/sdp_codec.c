/* SPDX-License-Identifier: MIT */
#include "signalling/sdp.h"

#include "signalling/text.h"

#include <stdio.h>

struct known_codec {
    enum tdm_codec_id id;
    enum tdm_media_kind kind;
    const char *name;
    uint32_t clock_hz; /* 0: any. */
};

static const struct known_codec known_codecs[] = {
    {TDM_CODEC_OPUS, TDM_AUDIO, "opus", 48000},
    {TDM_CODEC_G722, TDM_AUDIO, "G722", 8000}, /* RFC 3551: not its sample rate. */
    {TDM_CODEC_PCMU, TDM_AUDIO, "PCMU", 8000},
    {TDM_CODEC_PCMA, TDM_AUDIO, "PCMA", 8000},
    {TDM_CODEC_L16, TDM_AUDIO, "L16", 0},
    {TDM_CODEC_TELEPHONE_EVENT, TDM_AUDIO, "telephone-event", 0},
    {TDM_CODEC_VP8, TDM_VIDEO, "VP8", 90000},
    {TDM_CODEC_H264, TDM_VIDEO, "H264", 90000},
    {TDM_CODEC_VP9, TDM_VIDEO, "VP9", 90000},
    {TDM_CODEC_AV1, TDM_VIDEO, "AV1", 90000},
    {TDM_CODEC_H265, TDM_VIDEO, "H265", 90000},
};

#define KNOWN_COUNT (sizeof known_codecs / sizeof *known_codecs)

struct static_codec {
    uint8_t payload_type;
    uint8_t channels;
    enum tdm_media_kind kind;
    const char *name;
    uint32_t clock_hz;
};

/* RFC 3551 section 6, tables 4 and 5. */
static const struct static_codec static_codecs[] = {
    {0, 1, TDM_AUDIO, "PCMU", 8000},   {3, 1, TDM_AUDIO, "GSM", 8000},
    {4, 1, TDM_AUDIO, "G723", 8000},   {5, 1, TDM_AUDIO, "DVI4", 8000},
    {6, 1, TDM_AUDIO, "DVI4", 16000},  {7, 1, TDM_AUDIO, "LPC", 8000},
    {8, 1, TDM_AUDIO, "PCMA", 8000},   {9, 1, TDM_AUDIO, "G722", 8000},
    {10, 2, TDM_AUDIO, "L16", 44100},  {11, 1, TDM_AUDIO, "L16", 44100},
    {12, 1, TDM_AUDIO, "QCELP", 8000}, {13, 1, TDM_AUDIO, "CN", 8000},
    {14, 1, TDM_AUDIO, "MPA", 90000},  {15, 1, TDM_AUDIO, "G728", 8000},
    {16, 1, TDM_AUDIO, "DVI4", 11025}, {17, 1, TDM_AUDIO, "DVI4", 22050},
    {18, 1, TDM_AUDIO, "G729", 8000},  {25, 1, TDM_VIDEO, "CelB", 90000},
    {26, 1, TDM_VIDEO, "JPEG", 90000}, {28, 1, TDM_VIDEO, "nv", 90000},
    {31, 1, TDM_VIDEO, "H261", 90000}, {32, 1, TDM_VIDEO, "MPV", 90000},
    {33, 1, TDM_VIDEO, "MP2T", 90000}, {34, 1, TDM_VIDEO, "H263", 90000},
};

#define STATIC_COUNT (sizeof static_codecs / sizeof *static_codecs)

enum tdm_codec_id tdm_sdp_codec_id(enum tdm_media_kind kind, const char *name, uint32_t clock_hz)
{
    struct tdm_text text = tdm_text_of_string(name);

    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        const struct known_codec *known = &known_codecs[i];

        if (known->kind == kind && tdm_text_equals(text, known->name))
            return !known->clock_hz || known->clock_hz == clock_hz ? known->id : TDM_CODEC_NONE;
    }
    return TDM_CODEC_NONE;
}

const char *tdm_sdp_codec_name(enum tdm_codec_id id)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (known_codecs[i].id == id)
            return known_codecs[i].name;
    return "";
}

bool tdm_sdp_static_codec(enum tdm_media_kind kind, struct tdm_codec_desc *codec)
{
    for (size_t i = 0; i < STATIC_COUNT; i++) {
        const struct static_codec *known = &static_codecs[i];

        if (known->payload_type != codec->payload_type || known->kind != kind)
            continue;
        (void)snprintf(codec->name, sizeof codec->name, "%s", known->name);
        codec->clock_hz = known->clock_hz;
        codec->channels = known->channels;
        codec->id = tdm_sdp_codec_id(kind, known->name, known->clock_hz);
        return true;
    }
    return false;
}

bool tdm_sdp_fmtp_value(const char *fmtp, const char *name, char *value, size_t capacity)
{
    struct tdm_text left = tdm_text_of_string(fmtp);

    while (left.at < left.end) {
        struct tdm_text parameter = tdm_text_until(&left, ';');
        struct tdm_text key = tdm_text_trim(tdm_text_until(&parameter, '='));

        if (tdm_text_equals(key, name))
            return tdm_text_copy(tdm_text_trim(parameter), value, capacity);
    }
    return false;
}
