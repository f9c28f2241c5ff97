/* SPDX-License-Identifier: MIT */
/*
 * ITU-T G.711, both laws, as RFC 3551 section 4.5.14 packs them: one byte a sample, channels
 * interleaved. Computed, not looked up: a segment is the position of the highest bit.
 */
#include "codecs/registry.h"
#include "codecs/repeat.h"

#include <stdlib.h>

#define SAMPLE_HZ 8000
#define ULAW_BIAS 132   /* Makes every segment start at a power of two. */
#define ULAW_CLIP 32635 /* The largest magnitude whose biased value has 15 bits. */

struct g711_encoder {
    uint8_t channels;
};

struct g711_decoder {
    uint8_t channels;
    struct tdm_repeat repeat;
};

/* The highest set bit of a number that is not 0. */
static int high_bit(unsigned value)
{
    return 31 - __builtin_clz(value);
}

static uint8_t ulaw_of(int16_t sample)
{
    int magnitude = sample < 0 ? -sample : sample;

    magnitude = (magnitude > ULAW_CLIP ? ULAW_CLIP : magnitude) + ULAW_BIAS;
    int segment = high_bit((unsigned)magnitude) - 7;
    int step = magnitude >> (segment + 3) & 15;

    return (uint8_t) ~((sample < 0 ? 0x80 : 0) | segment << 4 | step);
}

static int16_t ulaw_to(uint8_t code)
{
    int bits = ~code & 0xff;
    int magnitude = (((bits & 15) << 3) + ULAW_BIAS) << (bits >> 4 & 7);

    return (int16_t)(bits & 0x80 ? ULAW_BIAS - magnitude : magnitude - ULAW_BIAS);
}

/* Even bits are inverted on the wire (0x55). */
static uint8_t alaw_of(int16_t sample)
{
    int magnitude = (sample < 0 ? ~sample : sample) >> 4;
    int segment = magnitude < 16 ? 0 : high_bit((unsigned)magnitude) - 3;
    int step = magnitude >> (segment ? segment - 1 : 0) & 15;

    return (uint8_t)(((sample < 0 ? 0 : 0x80) | segment << 4 | step) ^ 0x55);
}

static int16_t alaw_to(uint8_t code)
{
    int bits = code ^ 0x55, segment = bits >> 4 & 7;
    int magnitude = (bits & 15) << 4 | 8; /* The middle of the step. */

    if (segment)
        magnitude = (magnitude + 256) << (segment - 1);
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

static enum tdm_err encoder_create(const struct tdm_audio_encoder_config *config,
                                   struct tdm_audio_encoder **enc, struct tdm_cause *cause)
{
    if (config->sample_hz != SAMPLE_HZ || config->channels < 1 || config->channels > 2)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "G.711 has 8000 samples a second, not %u.",
                        config->sample_hz);
    struct g711_encoder *e = calloc(1, sizeof *e);

    if (!e)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the G.711 encoder.");
    e->channels = config->channels;
    *enc = (struct tdm_audio_encoder *)e;
    return TDM_OK;
}

static void encoder_destroy(struct tdm_audio_encoder *enc)
{
    free(enc);
}

static enum tdm_err encode(struct tdm_audio_encoder *enc, uint8_t (*law)(int16_t),
                           const int16_t *pcm, uint32_t frame_samples, uint8_t *payload,
                           size_t capacity, size_t *size)
{
    const struct g711_encoder *e = (const struct g711_encoder *)enc;
    size_t count = (size_t)frame_samples * e->channels;

    *size = 0;
    if (count > capacity)
        return TDM_E_SPACE;
    for (size_t i = 0; i < count; i++)
        payload[i] = law(pcm[i]);
    *size = count;
    return TDM_OK;
}

static enum tdm_err encode_ulaw(struct tdm_audio_encoder *enc, const int16_t *pcm,
                                uint32_t frame_samples, uint8_t *payload, size_t capacity,
                                size_t *size)
{
    return encode(enc, ulaw_of, pcm, frame_samples, payload, capacity, size);
}

static enum tdm_err encode_alaw(struct tdm_audio_encoder *enc, const int16_t *pcm,
                                uint32_t frame_samples, uint8_t *payload, size_t capacity,
                                size_t *size)
{
    return encode(enc, alaw_of, pcm, frame_samples, payload, capacity, size);
}

static uint32_t lookahead_none(const struct tdm_audio_encoder *enc)
{
    (void)enc;
    return 0;
}

static enum tdm_err decoder_create(uint32_t sample_hz, uint8_t channels,
                                   struct tdm_audio_decoder **dec, struct tdm_cause *cause)
{
    if (sample_hz != SAMPLE_HZ || channels < 1 || channels > 2)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "G.711 has 8000 samples a second, not %u.",
                        sample_hz);
    struct g711_decoder *d = calloc(1, sizeof *d);

    if (!d)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the G.711 decoder.");
    d->channels = channels;
    tdm_repeat_init(&d->repeat, sample_hz, channels);
    *dec = (struct tdm_audio_decoder *)d;
    return TDM_OK;
}

static void decoder_destroy(struct tdm_audio_decoder *dec)
{
    free(dec);
}

static uint32_t payload_samples(const struct tdm_audio_decoder *dec, const uint8_t *payload,
                                size_t size)
{
    const struct g711_decoder *d = (const struct g711_decoder *)dec;

    (void)payload;
    if (size % d->channels != 0 || size / d->channels > TDM_AUDIO_FRAME_SAMPLES_MAX)
        return 0;
    return (uint32_t)(size / d->channels);
}

static enum tdm_err decode(struct tdm_audio_decoder *dec, int16_t (*law)(uint8_t),
                           const uint8_t *payload, size_t size, int16_t *pcm, uint32_t capacity,
                           uint32_t *samples)
{
    struct g711_decoder *d = (struct g711_decoder *)dec;

    *samples = payload_samples(dec, payload, size);
    if (*samples == 0 || *samples > capacity) {
        *samples = 0;
        return TDM_E_MALFORMED;
    }
    for (size_t i = 0; i < size; i++)
        pcm[i] = law(payload[i]);
    tdm_repeat_hear(&d->repeat, pcm, *samples);
    return TDM_OK;
}

static enum tdm_err decode_ulaw(struct tdm_audio_decoder *dec, const uint8_t *payload, size_t size,
                                int16_t *pcm, uint32_t capacity, uint32_t *samples)
{
    return decode(dec, ulaw_to, payload, size, pcm, capacity, samples);
}

static enum tdm_err decode_alaw(struct tdm_audio_decoder *dec, const uint8_t *payload, size_t size,
                                int16_t *pcm, uint32_t capacity, uint32_t *samples)
{
    return decode(dec, alaw_to, payload, size, pcm, capacity, samples);
}

static void conceal(struct tdm_audio_decoder *dec, const uint8_t *next, size_t next_size,
                    int16_t *pcm, uint32_t samples)
{
    struct g711_decoder *d = (struct g711_decoder *)dec;

    (void)next;
    (void)next_size;
    tdm_repeat_conceal(&d->repeat, pcm, samples);
}

const struct tdm_audio_encoder_ops tdm_pcmu_encoder = {
    .id = TDM_CODEC_PCMU,
    .rtp_name = "PCMU",
    .rtp_clock_hz = SAMPLE_HZ,
    .create = encoder_create,
    .destroy = encoder_destroy,
    .encode = encode_ulaw,
    .lookahead_samples = lookahead_none,
};

const struct tdm_audio_encoder_ops tdm_pcma_encoder = {
    .id = TDM_CODEC_PCMA,
    .rtp_name = "PCMA",
    .rtp_clock_hz = SAMPLE_HZ,
    .create = encoder_create,
    .destroy = encoder_destroy,
    .encode = encode_alaw,
    .lookahead_samples = lookahead_none,
};

const struct tdm_audio_decoder_ops tdm_pcmu_decoder = {
    .id = TDM_CODEC_PCMU,
    .create = decoder_create,
    .destroy = decoder_destroy,
    .decode = decode_ulaw,
    .conceal = conceal,
    .payload_samples = payload_samples,
};

const struct tdm_audio_decoder_ops tdm_pcma_decoder = {
    .id = TDM_CODEC_PCMA,
    .create = decoder_create,
    .destroy = decoder_destroy,
    .decode = decode_alaw,
    .conceal = conceal,
    .payload_samples = payload_samples,
};
