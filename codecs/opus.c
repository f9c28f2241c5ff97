/* SPDX-License-Identifier: MIT */
/*
 * Opus by libopus, as RFC 7587 sends it. Three ways of coding:
 *
 *   low delay   2.5 ms of lookahead, no redundancy inside the stream. The default.
 *   voice       6.5 ms of lookahead, in-band redundancy (LBRR) by the loss that the receiver
 * reports. Taken when the receiver wants that (useinbandfec=1) and the rate is one at which the
 *               voice modes, which alone carry it, are in use.
 *   music       6.5 ms of lookahead, decisions biased to music. Only when it was asked for.
 *
 * Frames under 10 ms exist in the low-delay coder alone. libopus cannot change between the ways in
 * a running stream.
 */
#include "codecs/fmtp.h"
#include "codecs/registry.h"
#include "engine/base/rt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <opus/opus.h>

#define CLOCK_HZ      48000
#define VOICE_BPS_MAX 40000 /* A channel; above it 4 ms less delay are worth more than LBRR. */
#define BITRATE_MIN   6000
#define BITRATE_MAX   510000
#define LONG_FRAME_US 10000
#define DTX_BYTES_MAX 2   /* libopus: a packet this short need not be sent. */
#define PIECES_A_SEC  400 /* Concealment comes in pieces of 2.5 ms. */
#define PIECE_MAX     (CLOCK_HZ / PIECES_A_SEC)

struct opus_encoder {
    OpusEncoder *opus;
    uint32_t lookahead; /* At CLOCK_HZ. */
    bool redundancy, dtx;
};

struct opus_decoder {
    OpusDecoder *opus;
    uint32_t sample_hz;
    uint8_t channels;
};

static uint32_t bitrate_of(const struct tdm_audio_encoder_config *config)
{
    uint32_t limit = tdm_fmtp_number(config->fmtp, "maxaveragebitrate", 10, BITRATE_MAX);
    uint32_t bps = config->bitrate_bps < limit ? config->bitrate_bps : limit;

    return bps < BITRATE_MIN ? BITRATE_MIN : bps > BITRATE_MAX ? BITRATE_MAX : bps;
}

static opus_int32 bandwidth_of(uint32_t playback_hz)
{
    return playback_hz <= 8000    ? OPUS_BANDWIDTH_NARROWBAND
           : playback_hz <= 12000 ? OPUS_BANDWIDTH_MEDIUMBAND
           : playback_hz <= 16000 ? OPUS_BANDWIDTH_WIDEBAND
           : playback_hz <= 24000 ? OPUS_BANDWIDTH_SUPERWIDEBAND
                                  : OPUS_BANDWIDTH_FULLBAND;
}

static int application_of(const struct tdm_audio_encoder_config *config, uint32_t coded_channels)
{
    bool wanted = tdm_fmtp_number(config->fmtp, "useinbandfec", 10, 0) == 1;
    bool low_rate = bitrate_of(config) / coded_channels <= VOICE_BPS_MAX;

    if (config->frame_us < LONG_FRAME_US)
        return OPUS_APPLICATION_RESTRICTED_LOWDELAY;
    if (config->music)
        return OPUS_APPLICATION_AUDIO;
    return wanted && low_rate ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_RESTRICTED_LOWDELAY;
}

/* RFC 7587 section 6.1: what the receiver asked for. */
static void apply(struct opus_encoder *e, const struct tdm_audio_encoder_config *config,
                  uint32_t coded_channels)
{
    const char *fmtp = config->fmtp;
    opus_int32 lookahead = 0;
    int constant = tdm_fmtp_number(fmtp, "cbr", 10, 0) == 1;

    e->redundancy = tdm_fmtp_number(fmtp, "useinbandfec", 10, 0) == 1;
    e->dtx = tdm_fmtp_number(fmtp, "usedtx", 10, 0) == 1;
    opus_encoder_ctl(e->opus, OPUS_SET_BITRATE((opus_int32)bitrate_of(config)));
    opus_encoder_ctl(e->opus, OPUS_SET_VBR(!constant));
    opus_encoder_ctl(e->opus, OPUS_SET_VBR_CONSTRAINT(1));
    opus_encoder_ctl(e->opus, OPUS_SET_COMPLEXITY(10));
    if (config->music)
        opus_encoder_ctl(e->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_MUSIC));
    opus_encoder_ctl(e->opus, OPUS_SET_INBAND_FEC(e->redundancy));
    opus_encoder_ctl(e->opus, OPUS_SET_DTX(e->dtx));
    opus_encoder_ctl(e->opus, OPUS_SET_MAX_BANDWIDTH(bandwidth_of(
                                  tdm_fmtp_number(fmtp, "maxplaybackrate", 10, CLOCK_HZ))));
    if (coded_channels < config->channels)
        opus_encoder_ctl(e->opus, OPUS_SET_FORCE_CHANNELS((opus_int32)coded_channels));
    opus_encoder_ctl(e->opus, OPUS_GET_LOOKAHEAD(&lookahead));
    e->lookahead = (uint32_t)lookahead * (CLOCK_HZ / config->sample_hz);
}

static enum tdm_err encoder_create(const struct tdm_audio_encoder_config *config,
                                   struct tdm_audio_encoder **enc, struct tdm_cause *cause)
{
    /* A receiver that does not say stereo=1 would mix the channels anyway. */
    bool stereo = config->channels == 2 && tdm_fmtp_number(config->fmtp, "stereo", 10, 0) == 1;
    uint32_t coded_channels = stereo ? 2 : 1;
    struct opus_encoder *e = calloc(1, sizeof *e);
    int failed = OPUS_ALLOC_FAIL;

    if (e)
        e->opus = opus_encoder_create((opus_int32)config->sample_hz, config->channels,
                                      application_of(config, coded_channels), &failed);
    if (!e || failed != OPUS_OK) {
        free(e);
        return tdm_fail(cause, failed == OPUS_BAD_ARG ? TDM_E_UNSUPPORTED : TDM_E_SYSTEM,
                        "libopus refused %u samples a second and %u channels: %s",
                        config->sample_hz, config->channels, opus_strerror(failed));
    }
    apply(e, config, coded_channels);
    *enc = (struct tdm_audio_encoder *)e;
    return TDM_OK;
}

static void encoder_destroy(struct tdm_audio_encoder *enc)
{
    struct opus_encoder *e = (struct opus_encoder *)enc;

    if (e)
        opus_encoder_destroy(e->opus);
    free(e);
}

static enum tdm_err encode(struct tdm_audio_encoder *enc, const int16_t *pcm,
                           uint32_t frame_samples, uint8_t *payload, size_t capacity, size_t *size)
{
    struct opus_encoder *e = (struct opus_encoder *)enc;
    opus_int32 room = capacity > INT16_MAX ? INT16_MAX : (opus_int32)capacity;

    *size = 0;
    tdm_rt_foreign_enter();
    opus_int32 bytes = opus_encode(e->opus, pcm, (int)frame_samples, payload, room);

    tdm_rt_foreign_leave();
    if (bytes < 0)
        return bytes == OPUS_BUFFER_TOO_SMALL || capacity == 0 ? TDM_E_SPACE : TDM_E_SYSTEM;
    *size = e->dtx && bytes <= DTX_BYTES_MAX ? 0 : (size_t)bytes;
    return TDM_OK;
}

static void set_loss(struct tdm_audio_encoder *enc, double loss)
{
    struct opus_encoder *e = (struct opus_encoder *)enc;
    double percent = loss > 0 ? ceil(loss * 100) : 0; /* Also when it is not a number. */

    tdm_rt_foreign_enter();
    opus_encoder_ctl(e->opus, OPUS_SET_PACKET_LOSS_PERC(percent > 100 ? 100 : (opus_int32)percent));
    tdm_rt_foreign_leave();
}

static uint32_t lookahead_samples(const struct tdm_audio_encoder *enc)
{
    return ((const struct opus_encoder *)enc)->lookahead;
}

static enum tdm_err decoder_create(uint32_t sample_hz, uint8_t channels,
                                   struct tdm_audio_decoder **dec, struct tdm_cause *cause)
{
    struct opus_decoder *d = calloc(1, sizeof *d);
    int failed = OPUS_ALLOC_FAIL;

    if (d)
        d->opus = opus_decoder_create((opus_int32)sample_hz, channels, &failed);
    if (!d || failed != OPUS_OK) {
        free(d);
        return tdm_fail(cause, failed == OPUS_BAD_ARG ? TDM_E_UNSUPPORTED : TDM_E_SYSTEM,
                        "libopus refused %u samples a second and %u channels: %s", sample_hz,
                        channels, opus_strerror(failed));
    }
    d->sample_hz = sample_hz;
    d->channels = channels;
    *dec = (struct tdm_audio_decoder *)d;
    return TDM_OK;
}

static void decoder_destroy(struct tdm_audio_decoder *dec)
{
    struct opus_decoder *d = (struct opus_decoder *)dec;

    if (d)
        opus_decoder_destroy(d->opus);
    free(d);
}

static uint32_t payload_samples(const struct tdm_audio_decoder *dec, const uint8_t *payload,
                                size_t size)
{
    const struct opus_decoder *d = (const struct opus_decoder *)dec;

    if (size == 0 || size > INT32_MAX)
        return 0;
    int samples = opus_packet_get_nb_samples(payload, (opus_int32)size, (opus_int32)d->sample_hz);

    return samples > 0 ? (uint32_t)samples : 0;
}

static enum tdm_err decode(struct tdm_audio_decoder *dec, const uint8_t *payload, size_t size,
                           int16_t *pcm, uint32_t capacity, uint32_t *samples)
{
    struct opus_decoder *d = (struct opus_decoder *)dec;
    uint32_t expected = payload_samples(dec, payload, size);

    *samples = 0;
    if (expected == 0 || expected > capacity)
        return TDM_E_MALFORMED;
    tdm_rt_foreign_enter();
    int got = opus_decode(d->opus, payload, (opus_int32)size, pcm, (int)expected, 0);

    tdm_rt_foreign_leave();
    if (got <= 0)
        return TDM_E_MALFORMED;
    *samples = (uint32_t)got;
    return TDM_OK;
}

/* Does the packet's first frame repeat the one before it? RFC 6716 section 3.1: the way of coding
 * is in the first byte; section 4.2.3: a frame of the voice modes begins with a bit for the
 * activity of each 20 ms, then one for redundancy, for each channel. */
static bool heals(const uint8_t *payload, size_t size)
{
    const uint8_t *frames[48];
    opus_int16 sizes[48];

    if (size == 0 || size > INT32_MAX || payload[0] & 0x80) /* Without the voice coder. */
        return false;
    if (opus_packet_parse(payload, (opus_int32)size, NULL, frames, sizes, NULL) < 1 || sizes[0] < 1)
        return false;
    int samples = opus_packet_get_samples_per_frame(payload, CLOCK_HZ);
    int parts = samples > CLOCK_HZ / 50 ? samples / (CLOCK_HZ / 50) : 1;
    bool mid = frames[0][0] >> (7 - parts) & 1;

    if (opus_packet_get_nb_channels(payload) == 2)
        return mid || (frames[0][0] >> (6 - 2 * parts) & 1);
    return mid;
}

/* `samples` is a multiple of 2.5 ms and at most 120 ms. */
static void conceal_piece(struct opus_decoder *d, const uint8_t *next, size_t next_size,
                          int16_t *pcm, uint32_t samples)
{
    tdm_rt_foreign_enter();
    int got = opus_decode(d->opus, next, (opus_int32)next_size, pcm, (int)samples, next ? 1 : 0);

    if (got <= 0 && next)
        got = opus_decode(d->opus, NULL, 0, pcm, (int)samples, 0);
    tdm_rt_foreign_leave();
    uint32_t filled = got > 0 ? (uint32_t)got : 0;

    if (filled < samples)
        memset(pcm + (size_t)filled * d->channels, 0,
               (size_t)(samples - filled) * d->channels * sizeof *pcm);
}

static void conceal(struct tdm_audio_decoder *dec, const uint8_t *next, size_t next_size,
                    int16_t *pcm, uint32_t samples)
{
    struct opus_decoder *d = (struct opus_decoder *)dec;
    uint32_t piece = d->sample_hz / PIECES_A_SEC;
    uint32_t longest = piece * 48; /* 120 ms. */
    uint32_t rest = samples % piece, whole = samples - rest;

    if (payload_samples(dec, next, next ? next_size : 0) == 0) {
        next = NULL;
        next_size = 0;
    }
    if (rest) { /* First, so that what `next` carries ends where the gap ends. */
        int16_t spare[PIECE_MAX * 2];

        conceal_piece(d, NULL, 0, spare, piece);
        memcpy(pcm, spare, (size_t)rest * d->channels * sizeof *pcm);
        pcm += (size_t)rest * d->channels;
    }
    while (whole > 0) {
        uint32_t count = whole < longest ? whole : longest;
        bool last = count == whole;

        conceal_piece(d, last ? next : NULL, last ? next_size : 0, pcm, count);
        pcm += (size_t)count * d->channels;
        whole -= count;
    }
}

const struct tdm_audio_encoder_ops tdm_opus_encoder = {
    .id = TDM_CODEC_OPUS,
    .rtp_name = "opus",
    .rtp_clock_hz = CLOCK_HZ,
    .create = encoder_create,
    .destroy = encoder_destroy,
    .encode = encode,
    .set_loss = set_loss,
    .lookahead_samples = lookahead_samples,
};

const struct tdm_audio_decoder_ops tdm_opus_decoder = {
    .id = TDM_CODEC_OPUS,
    .create = decoder_create,
    .destroy = decoder_destroy,
    .decode = decode,
    .conceal = conceal,
    .payload_samples = payload_samples,
    .heals = heals,
};
