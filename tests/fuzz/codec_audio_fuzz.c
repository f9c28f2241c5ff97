/* SPDX-License-Identifier: MIT */
/* The first byte chooses decoder and channels (bits 0 and 1, bit 2; bit 3: G.722, mono); a unit's
 * first byte whether it is decoded or only known as what follows a gap, and the gap's length. */
#include "tests/fuzz/codec_units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const struct tdm_audio_decoder_ops *ops, struct tdm_audio_decoder *dec,
                 uint8_t channels, const uint8_t *unit, size_t size)
{
    size_t count = (size_t)TDM_AUDIO_FRAME_SAMPLES_MAX * channels;
    int16_t *pcm = malloc(count * sizeof *pcm);
    uint32_t samples;

    if (!pcm)
        abort();
    if (unit[0] & 1) {
        ops->conceal(dec, unit[0] & 2 ? unit + 1 : NULL, unit[0] & 2 ? size - 1 : 0, pcm,
                     (uint32_t)unit[0] * 22);
    } else if (ops->decode(dec, unit + 1, size - 1, pcm, TDM_AUDIO_FRAME_SAMPLES_MAX, &samples) ==
               TDM_OK) {
        if (samples != ops->payload_samples(dec, unit + 1, size - 1))
            abort();
    }
    free(pcm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum tdm_codec_id ids[] = {TDM_CODEC_OPUS, TDM_CODEC_PCMU, TDM_CODEC_PCMA,
                                            TDM_CODEC_L16, TDM_CODEC_G722};
    static const uint32_t rates[] = {48000, 8000, 8000, 44100, 16000};
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t first = tdm_read_u8(&r), choice = first & 8 ? 4 : first & 3;
    uint8_t channels = choice < 4 ? (uint8_t)(1 + (first >> 2 & 1)) : 1;
    const struct tdm_audio_decoder_ops *ops = tdm_audio_decoder_find(ids[choice]);
    struct tdm_audio_decoder *dec;
    uint8_t *unit;
    size_t unit_size;

    if (ops->create(rates[choice], channels, &dec, NULL) != TDM_OK)
        abort();
    while ((unit = take_unit(&r, &unit_size))) {
        if (unit_size > 0)
            feed(ops, dec, channels, unit, unit_size);
        free(unit);
    }
    ops->destroy(dec);
    return 0;
}
