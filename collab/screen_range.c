/* SPDX-License-Identifier: MIT */
#include "collab/screen_range.h"

void tdm_screen_encoder_begin(struct tdm_screen_encoder *e, uint8_t *out, size_t size)
{
    *e = (struct tdm_screen_encoder){
        .start = out, .at = out, .end = size ? out + size : out, .range = UINT32_MAX, .ok = true};
}

/* Adds one to what was written. The first byte cannot overflow: low and range together never reach
 * beyond the interval that the stream began with. */
void tdm_screen_encoder_carry(struct tdm_screen_encoder *e)
{
    uint8_t *at = e->at;

    while (at > e->start && ++*--at == 0)
        ;
}

/* Any number in [low, low + range) ends the stream, read with zeros behind it: the one with the
 * most zeros at its end. */
size_t tdm_screen_encoder_end(struct tdm_screen_encoder *e)
{
    uint32_t low = e->low, value = 0;

    for (int zeros = 32; zeros >= 0; zeros--) {
        uint64_t unit = (uint64_t)1 << zeros, up = ((uint64_t)low + unit - 1) / unit * unit;

        if (up - low < e->range) {
            value = (uint32_t)up;
            if (up >> 32)
                tdm_screen_encoder_carry(e);
            break;
        }
    }
    for (; value; value <<= 8) {
        if (e->at == e->end) {
            e->ok = false;
            break;
        }
        *e->at++ = (uint8_t)(value >> 24);
    }
    while (e->ok && e->at > e->start && !e->at[-1])
        e->at--;
    return e->ok ? tdm_screen_encoder_bytes(e) : 0;
}

void tdm_screen_decoder_begin(struct tdm_screen_decoder *d, const uint8_t *data, size_t size)
{
    *d = (struct tdm_screen_decoder){
        .at = data, .end = size ? data + size : data, .range = UINT32_MAX};
    for (int i = 0; i < 4; i++) {
        d->code <<= 8;
        if (d->at < d->end)
            d->code |= *d->at++;
    }
}

bool tdm_screen_decoder_end(const struct tdm_screen_decoder *d)
{
    return d->at == d->end;
}

void tdm_screen_bits_init(tdm_screen_bit *bits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bits[i] = TDM_SCREEN_BIT_HALF;
}

void tdm_screen_encode_plain(struct tdm_screen_encoder *e, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        uint32_t low = e->low;

        e->range >>= 1;
        if (!(value >> i & 1)) {
            e->low += e->range;
            if (e->low < low)
                tdm_screen_encoder_carry(e);
        }
        tdm_screen_encoder_shift(e);
    }
}

uint32_t tdm_screen_decode_plain(struct tdm_screen_decoder *d, int count)
{
    uint32_t value = 0;

    for (int i = 0; i < count; i++) {
        d->range >>= 1;
        bool set = d->code < d->range;

        if (!set)
            d->code -= d->range;
        value = value << 1 | set;
        if (d->range < 1u << 24) {
            d->range <<= 8;
            d->code <<= 8;
            if (d->at < d->end)
                d->code |= *d->at++;
        }
    }
    return value;
}

void tdm_screen_number_init(struct tdm_screen_number *model)
{
    tdm_screen_bits_init(model->length, 32);
    tdm_screen_bits_init(model->top[0], sizeof model->top / sizeof(tdm_screen_bit));
}

/* How many bits, by a tree of five decisions; then the two below the leading one with a model, the
 * rest without. */
void tdm_screen_number_encode(struct tdm_screen_number *model, struct tdm_screen_encoder *e,
                              uint32_t value)
{
    int length = 0, below;
    uint32_t node = 1, top = 1;

    while (length < TDM_SCREEN_NUMBER_BITS && value >> length)
        length++;
    for (int i = 4; i >= 0; i--) {
        bool set = length >> i & 1;

        tdm_screen_encode_bit(e, &model->length[node], set);
        node = node << 1 | set;
    }
    for (below = length - 2; below >= 0 && below >= length - 3; below--) {
        bool set = value >> below & 1;

        tdm_screen_encode_bit(e, &model->top[length][top], set);
        top = top << 1 | set;
    }
    if (below >= 0)
        tdm_screen_encode_plain(e, value, below + 1);
}

uint32_t tdm_screen_number_decode(struct tdm_screen_number *model, struct tdm_screen_decoder *d)
{
    uint32_t node = 1, top = 1, value;
    int length, below;

    for (int i = 0; i < 5; i++)
        node = node << 1 | tdm_screen_decode_bit(d, &model->length[node]);
    length = (int)node - 32;
    if (length > TDM_SCREEN_NUMBER_BITS)
        length = TDM_SCREEN_NUMBER_BITS;
    value = length > 0;
    for (below = length - 2; below >= 0 && below >= length - 3; below--) {
        bool set = tdm_screen_decode_bit(d, &model->top[length][top]);

        top = top << 1 | set;
        value = value << 1 | set;
    }
    if (below >= 0)
        value = value << (below + 1) | tdm_screen_decode_plain(d, below + 1);
    return value;
}
