/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_SCREEN_RANGE_H
#define TDM_COLLAB_SCREEN_RANGE_H

/*
 * The binary adaptive range coder under the pixel coders (Martin, "Range encoding", 1979; with
 * carries as in LZMA). One stream serves all rectangles of a frame: begin, code with whichever
 * coders, end. A stream has no length of its own and no check: behind its end the decoder reads
 * zeros, so that any bytes decode to something in bounded time, and trailing zeros are not sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** An adaptive probability that the bit is set: 24 bits of it, and 8 that count what it has seen,
 * for quick learning first and slow learning later. */
typedef uint32_t tdm_screen_bit;

#define TDM_SCREEN_BIT_HALF  0x80000000u
#define TDM_SCREEN_BIT_COUNT 0xffu
#define TDM_SCREEN_BIT_SLOW  24 /* Bits seen after which learning is no longer slowed down. */

/** Borrows the output. `ok` is cleared when there was no room: the stream and the models of all
 *  coders that wrote to it are then worth nothing. */
struct tdm_screen_encoder {
    uint8_t *start, *at, *end;
    uint32_t low, range;
    bool ok;
};

/** Borrows the input. */
struct tdm_screen_decoder {
    const uint8_t *at, *end;
    uint32_t code, range;
};

void tdm_screen_encoder_begin(struct tdm_screen_encoder *e, uint8_t *out, size_t size);

/** Bytes of the stream so far, of which the last few may still grow. */
static inline size_t tdm_screen_encoder_bytes(const struct tdm_screen_encoder *e)
{
    return (size_t)(e->at - e->start);
}

/** As few more bytes as the stream needs. Gives its size; 0 and `ok` cleared without room. */
size_t tdm_screen_encoder_end(struct tdm_screen_encoder *e);

void tdm_screen_decoder_begin(struct tdm_screen_decoder *d, const uint8_t *data, size_t size);

/** Can the stream have been meant like this: read to its end? */
bool tdm_screen_decoder_end(const struct tdm_screen_decoder *d);

/** Makes all of them know nothing. */
void tdm_screen_bits_init(tdm_screen_bit *bits, size_t count);

/* Out of the hot path. */
void tdm_screen_encoder_carry(struct tdm_screen_encoder *e);

static inline void tdm_screen_bit_learn(tdm_screen_bit *bit, bool set)
{
    static const uint8_t shifts[TDM_SCREEN_BIT_SLOW + 1] = {1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4,
                                                            4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    uint32_t count = *bit & TDM_SCREEN_BIT_COUNT, p = *bit >> 8;
    uint32_t shift = shifts[count];

    p = set ? p + ((0xffffffu - p) >> shift) : p - (p >> shift);
    *bit = p << 8 | (count + (count < TDM_SCREEN_BIT_SLOW));
}

/** Where the interval is cut: what lies below is the set bit's. */
static inline uint32_t tdm_screen_bit_cut(tdm_screen_bit bit, uint32_t range)
{
    uint32_t p = bit >> 16;

    p = p < 24 ? 24 : p > 65536 - 24 ? 65536 - 24 : p;
    return (range >> 16) * p;
}

static inline void tdm_screen_encoder_shift(struct tdm_screen_encoder *e)
{
    while (e->range < 1u << 24) {
        if (e->at < e->end)
            *e->at++ = (uint8_t)(e->low >> 24);
        else
            e->ok = false;
        e->low <<= 8;
        e->range <<= 8;
    }
}

static inline void tdm_screen_encode_bit(struct tdm_screen_encoder *e, tdm_screen_bit *bit,
                                         bool set)
{
    uint32_t cut = tdm_screen_bit_cut(*bit, e->range), low = e->low;

    if (set) {
        e->range = cut;
    } else {
        e->low += cut;
        e->range -= cut;
        if (e->low < low)
            tdm_screen_encoder_carry(e);
    }
    tdm_screen_bit_learn(bit, set);
    tdm_screen_encoder_shift(e);
}

static inline bool tdm_screen_decode_bit(struct tdm_screen_decoder *d, tdm_screen_bit *bit)
{
    uint32_t cut = tdm_screen_bit_cut(*bit, d->range);
    bool set = d->code < cut;

    if (set) {
        d->range = cut;
    } else {
        d->code -= cut;
        d->range -= cut;
    }
    tdm_screen_bit_learn(bit, set);
    while (d->range < 1u << 24) {
        d->code <<= 8;
        if (d->at < d->end)
            d->code |= *d->at++;
        d->range <<= 8;
    }
    return set;
}

/** `count` bits of `value`, each as likely as not. */
void tdm_screen_encode_plain(struct tdm_screen_encoder *e, uint32_t value, int count);
uint32_t tdm_screen_decode_plain(struct tdm_screen_decoder *d, int count);

/** Numbers that tend to be small, with a model of how long they are: for rectangles, vectors and
 *  whatever else a frame's head wants to code in the same stream. */
#define TDM_SCREEN_NUMBER_BITS 16
struct tdm_screen_number {
    tdm_screen_bit length[32], /* A binary tree over the count of bits. */
        top[TDM_SCREEN_NUMBER_BITS + 1][4];
};
void tdm_screen_number_init(struct tdm_screen_number *model);
/** Up to 65535. */
void tdm_screen_number_encode(struct tdm_screen_number *model, struct tdm_screen_encoder *e,
                              uint32_t value);
uint32_t tdm_screen_number_decode(struct tdm_screen_number *model, struct tdm_screen_decoder *d);

#endif
