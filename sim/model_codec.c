/* SPDX-License-Identifier: MIT */
#include "sim/model_codec.h"

#include "engine/base/bytes.h"
#include "sim/network.h"

#include <assert.h>
#include <string.h>

/* The header of a slice or payload: seven bits a byte, the top bit set. */
#define FIELD_BYTES  5 /* 32 bits */
#define HEADER_BYTES (4 * FIELD_BYTES + 2)
#define HIGH_BITS    0x8080808080808080u

struct header {
    uint32_t stream_id, frame_id, reference, body_bytes;
    uint8_t slice, slice_count;
};

/* How one codec's frames are made and read. */
struct form {
    enum tdm_codec_id codec;
    bool needs_parameters; /* Sets or a sequence header before the first frame. */
    void (*encode)(struct tdm_model_video_encoder *enc, struct header h, bool keyframe,
                   tdm_slice_fn *emit, void *emit_arg);
    bool (*read)(struct tdm_model_video_decoder *dec, struct tdm_reader *r, struct header *h,
                 bool *keyframe);
};

static const struct form *form_of(enum tdm_codec_id codec);

#define VP9_KEY_FRAME   0x82 /* Frame marker, profile 0, key frame, shown. */
#define VP9_INTER_FRAME 0x86
#define VP9_SYNC_CODE   0x498342u

#define AV1_FRAME_OBU   0x32 /* With a size. */
#define AV1_KEY_FRAME   0x10 /* Shown. */
#define AV1_INTER_FRAME 0x30

/* Main profile; the rest of it is of no use to anybody here. */
static const uint8_t av1_sequence_header[] = {0x0a, 0x06, 0x00, 0x80, 0x81, 0x82, 0x83, 0x84};

static void write_field(struct tdm_writer *w, uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 7)
        tdm_write_u8(w, (uint8_t)(0x80u | (value >> shift & 0x7fu)));
}

static uint32_t read_field(struct tdm_reader *r)
{
    uint32_t value = 0;

    for (int i = 0; i < FIELD_BYTES; i++)
        value = value << 7 | (tdm_read_u8(r) & 0x7fu);
    return value;
}

static uint64_t body_seed(const struct header *h)
{
    return ((uint64_t)h->stream_id << 32 ^ h->frame_id) * 0x9e3779b97f4a7c15u +
           ((uint64_t)h->reference << 16 ^ (uint64_t)h->slice << 8 ^ h->slice_count) +
           ((uint64_t)h->body_bytes << 40);
}

/* Eight bytes of a body, as they lie in memory whatever the machine. */
static inline uint64_t next_word(struct tdm_rng *rng)
{
    uint64_t word = tdm_rng_u64(rng) | HIGH_BITS;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static void write_part(struct tdm_writer *w, const struct header *h)
{
    struct tdm_rng rng = tdm_rng_of(body_seed(h));
    uint8_t *body;

    write_field(w, h->stream_id);
    write_field(w, h->frame_id);
    write_field(w, h->reference);
    write_field(w, h->body_bytes);
    tdm_write_u8(w, 0x80u | h->slice);
    tdm_write_u8(w, 0x80u | h->slice_count);
    body = tdm_write_reserve(w, h->body_bytes);
    for (uint32_t at = 0; body && at < h->body_bytes; at += 8) {
        uint64_t word = next_word(&rng);

        memcpy(body + at, &word, h->body_bytes - at < 8 ? h->body_bytes - at : 8);
    }
}

/* Reads a part and checks that it is, to the last byte, what write_part made of its header. */
static bool read_part(struct tdm_reader *r, struct header *h)
{
    const uint8_t *start = r->at;
    const uint8_t *body;
    struct tdm_rng rng;

    h->stream_id = read_field(r);
    h->frame_id = read_field(r);
    h->reference = read_field(r);
    h->body_bytes = read_field(r);
    h->slice = tdm_read_u8(r) & 0x7fu;
    h->slice_count = tdm_read_u8(r) & 0x7fu;
    body = tdm_read_bytes(r, h->body_bytes);
    if (!r->ok || tdm_reader_left(r) != 0)
        return false;
    for (int i = 0; i < HEADER_BYTES; i++)
        if (!(start[i] & 0x80u))
            return false;
    rng = tdm_rng_of(body_seed(h));
    for (uint32_t at = 0; at < h->body_bytes; at += 8) {
        uint64_t word = next_word(&rng);

        if (memcmp(body + at, &word, h->body_bytes - at < 8 ? h->body_bytes - at : 8) != 0)
            return false;
    }
    return true;
}

void tdm_model_video_encoder_init(struct tdm_model_video_encoder *enc,
                                  const struct tdm_model_video_config *config)
{
    assert(form_of(config->codec));
    assert(config->slices >= 1 && config->slices <= TDM_MODEL_SLICES_MAX);
    enc->config = *config;
    enc->rng = tdm_rng_of(config->seed);
    enc->last_frame = TDM_MODEL_NO_FRAME;
    enc->frames = enc->keyframes = enc->bytes = enc->since_keyframe = 0;
    enc->refers = 0;
}

static uint32_t draw_size(struct tdm_model_video_encoder *enc, uint32_t budget_bytes, bool keyframe)
{
    const struct tdm_model_video_config *c = &enc->config;
    double deviate = tdm_sim_normal(&enc->rng);
    double size =
        budget_bytes * c->fill * tdm_sim_exp(c->sigma * deviate - c->sigma * c->sigma / 2);

    if (keyframe)
        size *= c->keyframe_ratio;
    if (size > TDM_MODEL_BODY_MAX)
        size = TDM_MODEL_BODY_MAX;
    return size < 200 ? 200 : (uint32_t)size;
}

static void emit_nal(struct tdm_model_video_encoder *enc, const struct tdm_writer *w,
                     struct tdm_slice slice, tdm_slice_fn *emit, void *emit_arg)
{
    assert(w->ok);
    slice.refers = enc->referred;
    slice.data = w->start;
    slice.size = tdm_writer_size(w);
    enc->bytes += slice.size;
    emit(emit_arg, &slice);
}

static void encode_vp8(struct tdm_model_video_encoder *enc, struct header h, bool keyframe,
                       tdm_slice_fn *emit, void *emit_arg)
{
    struct tdm_writer w = tdm_writer_of(enc->nal, sizeof(enc->nal));
    uint32_t tag = (keyframe ? 0u : 1u) | 1u << 4; /* P bit, show_frame. */

    h.slice_count = 1;
    tag |= (h.body_bytes / 4 & 0x7ffffu) << 5; /* Size of the first partition. */
    tdm_write_u8(&w, (uint8_t)tag);
    tdm_write_u8(&w, (uint8_t)(tag >> 8));
    tdm_write_u8(&w, (uint8_t)(tag >> 16));
    if (keyframe) {
        tdm_write_u24(&w, 0x9d012a);
        tdm_write_u8(&w, (uint8_t)enc->config.width);
        tdm_write_u8(&w, (uint8_t)(enc->config.width >> 8));
        tdm_write_u8(&w, (uint8_t)enc->config.height);
        tdm_write_u8(&w, (uint8_t)(enc->config.height >> 8));
    }
    write_part(&w, &h);
    emit_nal(enc, &w, (struct tdm_slice){.first = true, .last = true, .keyframe = keyframe}, emit,
             emit_arg);
}

/* Profile 0 and shown. A key frame has its sync code, a color space and its size. */
static void encode_vp9(struct tdm_model_video_encoder *enc, struct header h, bool keyframe,
                       tdm_slice_fn *emit, void *emit_arg)
{
    struct tdm_writer w = tdm_writer_of(enc->nal, sizeof(enc->nal));

    h.slice_count = 1;
    tdm_write_u8(&w, keyframe ? VP9_KEY_FRAME : VP9_INTER_FRAME);
    if (keyframe) {
        uint64_t size = (uint64_t)(enc->config.width - 1) << 16 | (enc->config.height - 1u);

        tdm_write_u24(&w, VP9_SYNC_CODE);
        tdm_write_uint(&w, UINT64_C(2) << 37 | size << 4, 5); /* BT.709, studio range. */
    }
    write_part(&w, &h);
    emit_nal(enc, &w, (struct tdm_slice){.first = true, .last = true, .keyframe = keyframe}, emit,
             emit_arg);
}

static size_t part_bytes(const struct header *h)
{
    return HEADER_BYTES + h->body_bytes;
}

static void write_leb128(struct tdm_writer *w, size_t value)
{
    for (; value > 0x7f; value >>= 7)
        tdm_write_u8(w, (uint8_t)(0x80 | (value & 0x7f)));
    tdm_write_u8(w, (uint8_t)value);
}

/* A sequence header in front of a key frame, then the frame in one OBU. */
static void encode_av1(struct tdm_model_video_encoder *enc, struct header h, bool keyframe,
                       tdm_slice_fn *emit, void *emit_arg)
{
    struct tdm_writer w = tdm_writer_of(enc->nal, sizeof(enc->nal));

    h.slice_count = 1;
    if (keyframe)
        tdm_write_bytes(&w, av1_sequence_header, sizeof(av1_sequence_header));
    tdm_write_u8(&w, AV1_FRAME_OBU);
    write_leb128(&w, 1 + part_bytes(&h));
    tdm_write_u8(&w, keyframe ? AV1_KEY_FRAME : AV1_INTER_FRAME);
    write_part(&w, &h);
    emit_nal(enc, &w, (struct tdm_slice){.first = true, .last = true, .keyframe = keyframe}, emit,
             emit_arg);
}

static void encode_h264(struct tdm_model_video_encoder *enc, struct header h, bool keyframe,
                        tdm_slice_fn *emit, void *emit_arg)
{
    /* Constrained baseline, level 3.1; the rest of the sets is of no use to anybody here. */
    static const uint8_t sps[] = {0x67, 0x42, 0xe0, 0x1f, 0xda, 0x82, 0x80, 0xbf};
    static const uint8_t pps[] = {0x68, 0xce, 0x3c, 0x80};
    uint32_t body_bytes = h.body_bytes / enc->config.slices;
    struct tdm_slice slice = {.first = true, .keyframe = keyframe};

    if (keyframe) {
        slice.data = sps;
        slice.size = sizeof(sps);
        emit(emit_arg, &slice);
        slice.first = false;
        slice.data = pps;
        slice.size = sizeof(pps);
        emit(emit_arg, &slice);
    }
    h.slice_count = enc->config.slices;
    h.body_bytes = body_bytes ? body_bytes : 1;
    for (h.slice = 0; h.slice < h.slice_count; h.slice++) {
        struct tdm_writer w = tdm_writer_of(enc->nal, sizeof(enc->nal));

        tdm_write_u8(&w, keyframe ? 0x65 : 0x41);
        /* first_mb_in_slice 0 is the bit 1; any other begins with 0. Then I or P. */
        tdm_write_u8(&w, h.slice == 0 ? (keyframe ? 0x88 : 0x9a) : (keyframe ? 0x44 : 0x4d));
        write_part(&w, &h);
        slice.last = h.slice + 1 == h.slice_count;
        emit_nal(enc, &w, slice, emit, emit_arg);
        slice.first = false;
    }
}

void tdm_model_video_change(struct tdm_model_video_encoder *enc, enum tdm_codec_id codec)
{
    assert(form_of(codec));
    enc->config.codec = codec;
    enc->last_frame = TDM_MODEL_NO_FRAME;
}

void tdm_model_video_refer(struct tdm_model_video_encoder *enc, uint8_t before)
{
    enc->refers = before;
}

/* How many frames before the next one is the one that it refers to. */
static uint8_t take_reference(struct tdm_model_video_encoder *enc)
{
    uint64_t most =
        enc->since_keyframe < TDM_MODEL_REFERENCES ? enc->since_keyframe : TDM_MODEL_REFERENCES;
    uint8_t refers = enc->refers ? enc->refers : 1;

    enc->refers = 0;
    return refers < most ? refers : (uint8_t)most;
}

void tdm_model_video_encode(struct tdm_model_video_encoder *enc, uint32_t frame_id,
                            uint32_t budget_bytes, bool keyframe, tdm_slice_fn *emit,
                            void *emit_arg)
{
    struct header h = {.stream_id = enc->config.stream_id, .frame_id = frame_id};

    assert(frame_id != TDM_MODEL_NO_FRAME);
    keyframe = keyframe || enc->last_frame == TDM_MODEL_NO_FRAME;
    enc->since_keyframe = keyframe ? 0 : enc->since_keyframe;
    enc->referred = take_reference(enc);
    h.reference = enc->referred
                      ? enc->kept[(enc->frames - enc->referred) & (TDM_MODEL_REFERENCES - 1)]
                      : TDM_MODEL_NO_FRAME;
    h.body_bytes = draw_size(enc, budget_bytes, keyframe);
    form_of(enc->config.codec)->encode(enc, h, keyframe, emit, emit_arg);
    enc->last_frame = frame_id;
    enc->kept[enc->frames++ & (TDM_MODEL_REFERENCES - 1)] = frame_id;
    enc->since_keyframe++;
    enc->keyframes += keyframe;
}

void tdm_model_video_decoder_init(struct tdm_model_video_decoder *dec, enum tdm_codec_id codec,
                                  uint32_t stream_id)
{
    assert(form_of(codec));
    *dec = (struct tdm_model_video_decoder){
        .codec = codec, .stream_id = stream_id, .last_frame = TDM_MODEL_NO_FRAME};
}

void tdm_model_video_follow(struct tdm_model_video_decoder *dec, enum tdm_codec_id codec)
{
    assert(form_of(codec));
    if (dec->codec == codec)
        return;
    dec->codec = codec;
    dec->since_keyframe = 0;
    dec->has_sps = dec->has_pps = false;
}

static bool read_vp8(struct tdm_model_video_decoder *dec, struct tdm_reader *r, struct header *h,
                     bool *keyframe)
{
    (void)dec;
    *keyframe = !(tdm_read_u8(r) & 1);
    tdm_read_skip(r, 2);
    if (*keyframe && tdm_read_u24(r) != 0x9d012a)
        return false;
    if (*keyframe)
        tdm_read_skip(r, 4);
    return read_part(r, h) && h->slice_count == 1;
}

static bool read_vp9(struct tdm_model_video_decoder *dec, struct tdm_reader *r, struct header *h,
                     bool *keyframe)
{
    uint8_t first = tdm_read_u8(r);

    (void)dec;
    *keyframe = first == VP9_KEY_FRAME;
    if (!*keyframe && first != VP9_INTER_FRAME)
        return false;
    if (*keyframe && tdm_read_u24(r) != VP9_SYNC_CODE)
        return false;
    if (*keyframe)
        tdm_read_skip(r, 5);
    return read_part(r, h) && h->slice_count == 1;
}

static size_t read_leb128(struct tdm_reader *r)
{
    size_t value = 0;
    uint8_t byte = 0x80;

    for (unsigned i = 0; i < 4 && byte & 0x80; i++) {
        byte = tdm_read_u8(r);
        value |= (size_t)(byte & 0x7f) << 7 * i;
    }
    return value;
}

static bool read_av1(struct tdm_model_video_decoder *dec, struct tdm_reader *r, struct header *h,
                     bool *keyframe)
{
    const size_t sequence_bytes = sizeof(av1_sequence_header);

    if (tdm_reader_left(r) > sequence_bytes && r->at[0] == av1_sequence_header[0]) {
        if (memcmp(tdm_read_bytes(r, sequence_bytes), av1_sequence_header, sequence_bytes) != 0)
            return false;
        dec->has_sps = dec->has_pps = true;
    }
    if (tdm_read_u8(r) != AV1_FRAME_OBU || read_leb128(r) != tdm_reader_left(r))
        return false;
    uint8_t first = tdm_read_u8(r);

    *keyframe = first == AV1_KEY_FRAME;
    return (*keyframe || first == AV1_INTER_FRAME) && read_part(r, h) && h->slice_count == 1;
}

/* The next NAL unit of an Annex B stream, without its start code; false at the end. */
static bool next_nal(struct tdm_reader *annex_b, struct tdm_reader *nal)
{
    const uint8_t *start;
    const uint8_t *at;

    while (annex_b->at < annex_b->end && *annex_b->at == 0)
        annex_b->at++;
    if (annex_b->at == annex_b->end || *annex_b->at != 1)
        return false;
    start = ++annex_b->at;
    /* Bodies hold no zero byte, so the first one begins the next start code. */
    at = memchr(start, 0, (size_t)(annex_b->end - start));
    annex_b->at = at ? at : annex_b->end;
    *nal = tdm_reader_of(start, (size_t)(annex_b->at - start));
    return true;
}

static bool read_h264(struct tdm_model_video_decoder *dec, struct tdm_reader *r, struct header *h,
                      bool *keyframe)
{
    struct tdm_reader nal;
    uint8_t slices = 0;

    while (next_nal(r, &nal)) {
        uint8_t type = tdm_read_u8(&nal) & 0x1f;
        struct header part;

        if (type == 7 || type == 8) {
            dec->has_sps = dec->has_sps || type == 7;
            dec->has_pps = dec->has_pps || type == 8;
            continue;
        }
        tdm_read_skip(&nal, 1);
        if ((type != 1 && type != 5) || !read_part(&nal, &part) || part.slice != slices)
            return false;
        if (slices > 0 && (part.frame_id != h->frame_id || part.reference != h->reference ||
                           part.stream_id != h->stream_id || part.slice_count != h->slice_count))
            return false;
        *h = part;
        *keyframe = type == 5;
        slices++;
    }
    return tdm_reader_left(r) == 0 && slices > 0 && slices == h->slice_count;
}

static const struct form *form_of(enum tdm_codec_id codec)
{
    static const struct form forms[] = {
        {TDM_CODEC_VP8, false, encode_vp8, read_vp8},
        {TDM_CODEC_VP9, false, encode_vp9, read_vp9},
        {TDM_CODEC_AV1, true, encode_av1, read_av1},
        {TDM_CODEC_H264, true, encode_h264, read_h264},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (forms[i].codec == codec)
            return &forms[i];
    return NULL;
}

static bool is_kept(const struct tdm_model_video_decoder *dec, uint32_t frame_id)
{
    for (uint64_t i = 0; i < dec->since_keyframe && i < TDM_MODEL_REFERENCES; i++)
        if (dec->kept[i] == frame_id)
            return true;
    return false;
}

enum tdm_err tdm_model_video_decode(struct tdm_model_video_decoder *dec, const uint8_t *data,
                                    size_t size, uint32_t *frame_id, bool *keyframe)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct header h = {0};
    const struct form *form = form_of(dec->codec);

    if (!form->read(dec, &r, &h, keyframe) || h.stream_id != dec->stream_id ||
        *keyframe != (h.reference == TDM_MODEL_NO_FRAME)) {
        dec->corrupt++;
        return TDM_E_MALFORMED;
    }
    *frame_id = h.frame_id;
    if ((!*keyframe && !is_kept(dec, h.reference)) ||
        (form->needs_parameters && !(dec->has_sps && dec->has_pps))) {
        dec->missing_reference++;
        return TDM_E_AGAIN;
    }
    if (*keyframe)
        dec->since_keyframe = 0;
    dec->kept[dec->since_keyframe++ & (TDM_MODEL_REFERENCES - 1)] = h.frame_id;
    dec->last_frame = h.frame_id;
    dec->frames++;
    return TDM_OK;
}

/* TOC byte: CELT-only, full band, mono, one frame; 10 ms is configuration 30 and 20 ms is 31. */
#define TOC_10_MS 0xf0
#define TOC_20_MS 0xf8

size_t tdm_model_audio_encode(const struct tdm_model_audio_config *config, uint32_t frame,
                              uint8_t *payload, size_t capacity)
{
    struct tdm_writer w = tdm_writer_of(payload, capacity);
    struct tdm_rng rng = tdm_rng_of(((uint64_t)config->stream_id << 32 | frame) +
                                    ((uint64_t)config->payload_bytes << 48));

    assert(config->payload_bytes >= TDM_MODEL_AUDIO_MIN);
    tdm_write_u8(&w, config->frame_ms == 10 ? TOC_10_MS : TOC_20_MS);
    write_field(&w, config->stream_id);
    write_field(&w, frame);
    for (size_t left = config->payload_bytes - tdm_writer_size(&w); left > 0;) {
        uint64_t word = next_word(&rng);
        size_t part = left < 8 ? left : 8;

        tdm_write_bytes(&w, &word, part);
        left -= part;
    }
    return w.ok ? tdm_writer_size(&w) : 0;
}

enum tdm_err tdm_model_audio_decode(uint32_t stream_id, const uint8_t *payload, size_t size,
                                    uint32_t *frame, uint32_t *samples)
{
    uint8_t expected[TDM_MODEL_AUDIO_MAX];
    struct tdm_reader r = tdm_reader_of(payload, size);
    uint8_t toc = tdm_read_u8(&r);
    struct tdm_model_audio_config config = {.stream_id = read_field(&r),
                                            .frame_ms = toc == TOC_10_MS ? 10 : 20,
                                            .payload_bytes = (uint16_t)size};

    *frame = read_field(&r);
    if (!r.ok || size < TDM_MODEL_AUDIO_MIN || size > sizeof(expected) ||
        config.stream_id != stream_id ||
        tdm_model_audio_encode(&config, *frame, expected, sizeof(expected)) != size ||
        memcmp(expected, payload, size) != 0)
        return TDM_E_MALFORMED;
    *samples = config.frame_ms * 48u;
    return TDM_OK;
}
