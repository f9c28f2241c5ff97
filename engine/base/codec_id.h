/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_CODEC_ID_H
#define TDM_BASE_CODEC_ID_H

/* The names by which the floors above agree on a codec. What a codec can do stands in codecs/. */

enum tdm_media_kind { TDM_AUDIO, TDM_VIDEO };

enum tdm_codec_id {
    TDM_CODEC_NONE,
    TDM_CODEC_OPUS, /* RFC 7587 */
    TDM_CODEC_PCMU, /* RFC 3551 section 4.5.14 */
    TDM_CODEC_PCMA,
    TDM_CODEC_L16,             /* RFC 3551 section 4.5.11 */
    TDM_CODEC_G722,            /* RFC 3551 section 4.5.2 */
    TDM_CODEC_TELEPHONE_EVENT, /* RFC 4733 */
    TDM_CODEC_VP8,             /* RFC 7741 */
    TDM_CODEC_H264,            /* RFC 6184 */
    TDM_CODEC_VP9,             /* RFC 9628 */
    TDM_CODEC_AV1,             /* AOM, "RTP Payload Format For AV1", version 1.0 */
    TDM_CODEC_H265,            /* RFC 7798; decoded only */
    TDM_CODEC_COUNT
};

#endif
