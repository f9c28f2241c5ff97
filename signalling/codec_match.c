/* SPDX-License-Identifier: MIT */
#include "signalling/codec_match.h"

#include "signalling/sdp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 6184 section 8.1: three bytes in hex; baseline, level 1 when it is not said. */
#define H264_DEFAULT_PROFILE_LEVEL 0x42000a

/* RFC 7798 section 7.1: main profile, level 3.1 (30 times the level's number). */
#define H265_DEFAULT_PROFILE 1
#define H265_DEFAULT_LEVEL   93

/* A decimal parameter; `otherwise` when it is not there or no number. */
static unsigned number_of(const struct tdm_codec_desc *codec, const char *name, unsigned otherwise)
{
    char value[16], *end;

    if (!tdm_sdp_fmtp_value(codec->fmtp, name, value, sizeof value) || !isdigit((uint8_t)*value))
        return otherwise;

    unsigned long number = strtoul(value, &end, 10);

    return *end || number > UINT16_MAX ? otherwise : (unsigned)number;
}

static unsigned h264_profile_level(const struct tdm_codec_desc *codec)
{
    char value[16], *end;

    if (!tdm_sdp_fmtp_value(codec->fmtp, "profile-level-id", value, sizeof value))
        return H264_DEFAULT_PROFILE_LEVEL;

    unsigned long number = strtoul(value, &end, 16);

    return *end || end == value || number > 0xffffff ? H264_DEFAULT_PROFILE_LEVEL
                                                     : (unsigned)number;
}

static unsigned h264_mode(const struct tdm_codec_desc *codec)
{
    char value[8];

    if (!tdm_sdp_fmtp_value(codec->fmtp, "packetization-mode", value, sizeof value))
        return 0;
    return value[0] == '1' ? 1 : value[0] == '2' ? 2 : 0;
}

enum h264_class { H264_BASELINE, H264_MAIN, H264_HIGH, H264_OTHER };

/* RFC 6184 table 5, with the two baselines as one. */
static enum h264_class h264_class_of(unsigned profile_level)
{
    unsigned constraints = profile_level >> 8 & 0xff;

    switch (profile_level >> 16) {
    case 0x42:
        return H264_BASELINE;
    case 0x4d:
        return constraints & 0x80 ? H264_BASELINE : H264_MAIN;
    case 0x58:
        return constraints & 0x80 ? H264_BASELINE : H264_OTHER;
    case 0x64:
        return H264_HIGH;
    default:
        return H264_OTHER;
    }
}

/* RFC 7798 section 7.1: one RTP stream on one session unless tx-mode says otherwise. */
static bool h265_single_stream(const struct tdm_codec_desc *codec)
{
    char value[8];

    return !tdm_sdp_fmtp_value(codec->fmtp, "tx-mode", value, sizeof value) ||
           strcasecmp(value, "SRST") == 0;
}

static bool h265_match(const struct tdm_codec_desc *a, const struct tdm_codec_desc *b)
{
    return number_of(a, "profile-space", 0) == number_of(b, "profile-space", 0) &&
           number_of(a, "profile-id", H265_DEFAULT_PROFILE) ==
               number_of(b, "profile-id", H265_DEFAULT_PROFILE) &&
           h265_single_stream(a) == h265_single_stream(b) &&
           !number_of(a, "sprop-max-don-diff", 0) == !number_of(b, "sprop-max-don-diff", 0);
}

bool tdm_codec_match(const struct tdm_codec_desc *a, const struct tdm_codec_desc *b)
{
    if (a->id == TDM_CODEC_NONE || a->id != b->id || a->clock_hz != b->clock_hz)
        return false;
    if (a->id == TDM_CODEC_L16)
        return a->channels == b->channels;
    if (a->id == TDM_CODEC_H264)
        return h264_mode(a) == h264_mode(b) &&
               h264_class_of(h264_profile_level(a)) == h264_class_of(h264_profile_level(b));
    if (a->id == TDM_CODEC_VP9)
        return number_of(a, "profile-id", 0) == number_of(b, "profile-id", 0);
    if (a->id == TDM_CODEC_H265)
        return h265_match(a, b);
    return true;
}

static bool h264_asymmetric(const struct tdm_codec_desc *codec)
{
    char value[8];

    return tdm_sdp_fmtp_value(codec->fmtp, "level-asymmetry-allowed", value, sizeof value) &&
           value[0] == '1';
}

static void h264_answer(const struct tdm_codec_desc *ours, const struct tdm_codec_desc *offered,
                        char *fmtp, size_t capacity)
{
    unsigned our_level = h264_profile_level(ours) & 0xff;
    unsigned level = h264_profile_level(offered) & 0xff;
    bool asymmetric = h264_asymmetric(ours) && h264_asymmetric(offered);

    if (asymmetric || our_level < level)
        level = our_level;
    (void)snprintf(fmtp, capacity, "profile-level-id=%06x;packetization-mode=%u%s",
                   (h264_profile_level(offered) & 0xffff00) | level, h264_mode(offered),
                   asymmetric ? ";level-asymmetry-allowed=1" : "");
}

static void h265_answer(const struct tdm_codec_desc *ours, const struct tdm_codec_desc *offered,
                        char *fmtp, size_t capacity)
{
    unsigned our_level = number_of(ours, "level-id", H265_DEFAULT_LEVEL);
    unsigned level = number_of(offered, "level-id", H265_DEFAULT_LEVEL);

    (void)snprintf(fmtp, capacity, "profile-id=%u;tier-flag=%u;level-id=%u",
                   number_of(offered, "profile-id", H265_DEFAULT_PROFILE),
                   number_of(offered, "tier-flag", 0) != 0, level < our_level ? level : our_level);
}

void tdm_codec_answer_fmtp(const struct tdm_codec_desc *ours, const struct tdm_codec_desc *offered,
                           char *fmtp, size_t capacity)
{
    if (ours->id == TDM_CODEC_H264)
        h264_answer(ours, offered, fmtp, capacity);
    else if (ours->id == TDM_CODEC_H265)
        h265_answer(ours, offered, fmtp, capacity);
    else
        (void)snprintf(fmtp, capacity, "%s", ours->fmtp);
}

bool tdm_codec_is_media(const struct tdm_codec_desc *codec)
{
    return codec->id != TDM_CODEC_NONE && codec->id != TDM_CODEC_TELEPHONE_EVENT;
}
