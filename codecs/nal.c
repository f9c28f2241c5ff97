/* SPDX-License-Identifier: MIT */
#include "codecs/nal.h"

#include <string.h>

struct tdm_nal_bits tdm_nal_bits_of(const uint8_t *data, size_t size)
{
    return (struct tdm_nal_bits){.at = data, .end = data + size, .ok = true};
}

unsigned tdm_nal_bit(struct tdm_nal_bits *b)
{
    if (b->left == 0) {
        if (b->zeros >= 2 && b->at < b->end && *b->at == 3) {
            b->at++;
            b->zeros = 0;
        }
        if (b->at == b->end) {
            b->ok = false;
            return 0;
        }
        b->byte = *b->at++;
        b->zeros = b->byte == 0 ? b->zeros + 1 : 0;
        b->left = 8;
    }
    b->left--;
    return (unsigned)b->byte >> b->left & 1u;
}

uint32_t tdm_nal_bits(struct tdm_nal_bits *b, unsigned count)
{
    uint32_t value = 0;

    while (count-- > 0)
        value = value << 1 | tdm_nal_bit(b);
    return value;
}

uint32_t tdm_nal_golomb(struct tdm_nal_bits *b)
{
    unsigned zeros = 0;

    while (b->ok && tdm_nal_bit(b) == 0)
        zeros++;
    if (zeros > 31)
        b->ok = false;
    return b->ok ? (uint32_t)((1u << zeros) - 1 + tdm_nal_bits(b, zeros)) : 0;
}

int32_t tdm_nal_golomb_signed(struct tdm_nal_bits *b)
{
    uint32_t code = tdm_nal_golomb(b);

    return code & 1 ? (int32_t)(code / 2) + 1 : -(int32_t)(code / 2);
}

const uint8_t *tdm_nal_start_code(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 3) {
        const uint8_t *one = memchr(at + 2, 1, (size_t)(end - at - 2));

        if (!one)
            return end;
        if (one[-1] == 0 && one[-2] == 0)
            return one - 2;
        at = one - 1;
    }
    return end;
}

const uint8_t *tdm_nal_take(const uint8_t **at, const uint8_t *end, size_t *size)
{
    const uint8_t *nal = *at + 3, *after = tdm_nal_start_code(nal, end);

    *size = (size_t)(after - nal);
    while (*size > 0 && nal[*size - 1] == 0) /* Of a start code with 4 bytes. */
        --*size;
    *at = after;
    return nal;
}
