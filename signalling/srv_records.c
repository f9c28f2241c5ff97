/* SPDX-License-Identifier: MIT */
#include "signalling/srv_records.h"

#include "engine/base/bytes.h"
#include "engine/base/rng.h"

#include <string.h>

#define TYPE_SRV   33
#define JUMPS_MAX  16
#define HEADER     12
#define LABEL_JUMP 0xc0

/* A name that begins at *at, which is moved behind it. `name` NULL: steps over it. */
static bool read_name(const uint8_t *data, size_t size, size_t *at, char name[256])
{
    size_t from = *at, used = 0;
    bool jumped = false;

    for (int jumps = 0; from < size;) {
        uint8_t length = data[from];

        if ((length & LABEL_JUMP) == LABEL_JUMP) {
            if (from + 1 >= size || ++jumps > JUMPS_MAX)
                return false;
            if (!jumped)
                *at = from + 2;
            jumped = true;
            from = (size_t)(length & ~LABEL_JUMP) << 8 | data[from + 1];
            continue;
        }
        if (length > 63 || from + 1 + length > size)
            return false;
        from += 1 + (size_t)length;
        if (!length) {
            if (!jumped)
                *at = from;
            name[used] = '\0';
            return true;
        }
        if (used + length + 2 > 255)
            return false;
        if (used)
            name[used++] = '.';
        memcpy(name + used, data + from - length, length);
        for (size_t i = 0; i < length; i++) /* It goes into messages and texts. */
            if (name[used + i] <= ' ' || name[used + i] > '~')
                return false;
        used += length;
    }
    return false;
}

enum tdm_err tdm_srv_parse(const uint8_t *data, size_t size,
                           struct tdm_srv_record records[TDM_SRV_MAX], uint32_t *count)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    size_t at = HEADER;
    char name[256];

    *count = 0;
    tdm_read_u32(&r);

    uint16_t questions = tdm_read_u16(&r), answers = tdm_read_u16(&r);

    if (!r.ok || size < HEADER)
        return TDM_E_MALFORMED;
    for (uint16_t i = 0; i < questions; i++) {
        if (!read_name(data, size, &at, name) || size - at < 4)
            return TDM_E_MALFORMED;
        at += 4;
    }
    for (uint16_t i = 0; i < answers; i++) {
        if (!read_name(data, size, &at, name) || size - at < 10)
            return TDM_E_MALFORMED;
        r = tdm_reader_of(data + at, size - at);

        uint16_t type = tdm_read_u16(&r);

        tdm_read_u16(&r);
        tdm_read_u32(&r);

        uint16_t length = tdm_read_u16(&r);
        size_t end = at + 10 + length;

        if (end > size)
            return TDM_E_MALFORMED;
        if (type == TYPE_SRV && *count < TDM_SRV_MAX) {
            struct tdm_srv_record *record = &records[*count];

            record->priority = tdm_read_u16(&r);
            record->weight = tdm_read_u16(&r);
            record->port = tdm_read_u16(&r);
            at += 16;
            if (length < 7 || !read_name(data, size, &at, record->target))
                return TDM_E_MALFORMED;
            *count += record->port && record->target[0]; /* "." : there is no such service. */
        }
        at = end;
    }
    return TDM_OK;
}

static void swap(struct tdm_srv_record *a, struct tdm_srv_record *b)
{
    struct tdm_srv_record keep = *a;

    *a = *b;
    *b = keep;
}

void tdm_srv_order(struct tdm_srv_record *records, uint32_t count, uint64_t seed)
{
    struct tdm_rng rng = tdm_rng_of(seed);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t best = i, sum = 0, pick;

        for (uint32_t j = i; j < count; j++)
            if (records[j].priority < records[best].priority)
                best = j;
        for (uint32_t j = i; j < count; j++)
            if (records[j].priority == records[best].priority)
                sum += records[j].weight + 1u; /* Weight 0 has a small chance too. */
        pick = tdm_rng_below(&rng, sum);
        for (uint32_t j = i; j < count; j++) {
            if (records[j].priority != records[best].priority)
                continue;
            if (pick <= records[j].weight) {
                best = j;
                break;
            }
            pick -= records[j].weight + 1u;
        }
        swap(&records[i], &records[best]);
    }
}
