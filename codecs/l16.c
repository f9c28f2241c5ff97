/* SPDX-License-Identifier: MIT */
/* RFC 3551 section 4.5.11: 16-bit samples in network byte order, channels interleaved. */
#include "codecs/registry.h"
#include "codecs/repeat.h"
#include "engine/base/bytes.h"

#include <stdlib.h>

struct l16_encoder {
    uint8_t channels;
};

struct l16_decoder {
    uint8_t channels;
    struct tdm_repeat repeat;
};

static enum tdm_err check(uint32_t sample_hz, uint8_t channels, struct tdm_cause *cause)
{
    if (sample_hz < 8000 || sample_hz > TDM_REPEAT_HZ_MAX || channels < 1 || channels > 2)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "L16 with %u samples a second and %u channels is not offered here.",
                        sample_hz, channels);
    return TDM_OK;
}

static enum tdm_err encoder_create(const struct tdm_audio_encoder_config *config,
                                   struct tdm_audio_encoder **enc, struct tdm_cause *cause)
{
    enum tdm_err err = check(config->sample_hz, config->channels, cause);

    if (err != TDM_OK)
        return err;
    struct l16_encoder *e = calloc(1, sizeof *e);

    if (!e)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the L16 encoder.");
    e->channels = config->channels;
    *enc = (struct tdm_audio_encoder *)e;
    return TDM_OK;
}

static void encoder_destroy(struct tdm_audio_encoder *enc)
{
    free(enc);
}

static enum tdm_err encode(struct tdm_audio_encoder *enc, const int16_t *pcm,
                           uint32_t frame_samples, uint8_t *payload, size_t capacity, size_t *size)
{
    const struct l16_encoder *e = (const struct l16_encoder *)enc;
    struct tdm_writer w = tdm_writer_of(payload, capacity);

    for (size_t i = 0; i < (size_t)frame_samples * e->channels; i++)
        tdm_write_u16(&w, (uint16_t)pcm[i]);
    *size = w.ok ? tdm_writer_size(&w) : 0;
    return w.ok ? TDM_OK : TDM_E_SPACE;
}

static uint32_t lookahead_none(const struct tdm_audio_encoder *enc)
{
    (void)enc;
    return 0;
}

static enum tdm_err decoder_create(uint32_t sample_hz, uint8_t channels,
                                   struct tdm_audio_decoder **dec, struct tdm_cause *cause)
{
    enum tdm_err err = check(sample_hz, channels, cause);

    if (err != TDM_OK)
        return err;
    struct l16_decoder *d = calloc(1, sizeof *d);

    if (!d)
        return tdm_fail(cause, TDM_E_SYSTEM, "Not enough memory for the L16 decoder.");
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
    const struct l16_decoder *d = (const struct l16_decoder *)dec;
    size_t frame = (size_t)2 * d->channels;

    (void)payload;
    return size % frame != 0 || size / frame > TDM_AUDIO_FRAME_SAMPLES_MAX
               ? 0
               : (uint32_t)(size / frame);
}

static enum tdm_err decode(struct tdm_audio_decoder *dec, const uint8_t *payload, size_t size,
                           int16_t *pcm, uint32_t capacity, uint32_t *samples)
{
    struct l16_decoder *d = (struct l16_decoder *)dec;
    struct tdm_reader r = tdm_reader_of(payload, size);

    *samples = payload_samples(dec, payload, size);
    if (*samples == 0 || *samples > capacity) {
        *samples = 0;
        return TDM_E_MALFORMED;
    }
    for (size_t i = 0; i < size / 2; i++)
        pcm[i] = (int16_t)tdm_read_u16(&r);
    tdm_repeat_hear(&d->repeat, pcm, *samples);
    return TDM_OK;
}

static void conceal(struct tdm_audio_decoder *dec, const uint8_t *next, size_t next_size,
                    int16_t *pcm, uint32_t samples)
{
    struct l16_decoder *d = (struct l16_decoder *)dec;

    (void)next;
    (void)next_size;
    tdm_repeat_conceal(&d->repeat, pcm, samples);
}

const struct tdm_audio_encoder_ops tdm_l16_encoder = {
    .id = TDM_CODEC_L16,
    .rtp_name = "L16",
    .create = encoder_create,
    .destroy = encoder_destroy,
    .encode = encode,
    .lookahead_samples = lookahead_none,
};

const struct tdm_audio_decoder_ops tdm_l16_decoder = {
    .id = TDM_CODEC_L16,
    .create = decoder_create,
    .destroy = decoder_destroy,
    .decode = decode,
    .conceal = conceal,
    .payload_samples = payload_samples,
};
