/* SPDX-License-Identifier: MIT */
#include "engine/wire/mdns.h"

#include "engine/base/bytes.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 255 /* RFC 1035 section 2.3.4 */
#define LABEL_MAX      63
#define JUMPS_MAX      16
#define RECORDS_MAX    64
#define TYPE_A         1
#define TYPE_AAAA      28
#define CLASS_IN       1
#define UNICAST        0x8000 /* In a question: answer to me alone. */
#define RESPONSE       0x8000
#define POINTER        0xc0

bool tdm_mdns_is_local(const char *name)
{
    size_t size = strlen(name);

    return size > 6 && strcasecmp(name + size - 6, ".local") == 0;
}

static bool write_name(struct tdm_writer *w, const char *name)
{
    if (strlen(name) > NAME_MAX_BYTES - 2)
        return false;
    while (*name) {
        size_t label = strcspn(name, ".");

        if (!label || label > LABEL_MAX)
            return false;
        tdm_write_u8(w, (uint8_t)label);
        tdm_write_bytes(w, name, label);
        name += label;
        name += *name == '.';
    }
    tdm_write_u8(w, 0);
    return true;
}

enum tdm_err tdm_mdns_ask(const char *name, uint16_t id, uint8_t *data, size_t *size)
{
    static const uint16_t types[] = {TYPE_A, TYPE_AAAA};
    const uint8_t head[12] = {(uint8_t)(id >> 8), (uint8_t)id, 0, 0, 0, 2}; /* Questions. */
    struct tdm_writer w = tdm_writer_of(data, TDM_MDNS_BYTES);

    tdm_write_bytes(&w, head, sizeof head);
    for (int i = 0; i < 2; i++) {
        if (!*name || !write_name(&w, name))
            return TDM_E_MALFORMED;
        tdm_write_u16(&w, types[i]);
        tdm_write_u16(&w, CLASS_IN | UNICAST);
    }
    *size = tdm_writer_size(&w);
    return w.ok ? TDM_OK : TDM_E_MALFORMED;
}

/* Reads a name at *at, which may point back into the message, and moves *at behind it. */
static bool read_name(const uint8_t *data, size_t size, size_t *at, char name[NAME_MAX_BYTES + 1])
{
    size_t here = *at;
    size_t used = 0;
    bool jumped = false;

    for (int jumps = 0; jumps <= JUMPS_MAX;) {
        if (here >= size)
            return false;
        uint8_t label = data[here];

        if ((label & POINTER) == POINTER) {
            if (here + 1 >= size)
                return false;
            if (!jumped)
                *at = here + 2;
            jumped = true;
            jumps++;
            here = (size_t)(label & ~POINTER) << 8 | data[here + 1];
            continue;
        }
        if (label > LABEL_MAX || here + 1 + label > size || used + label + 1 > NAME_MAX_BYTES)
            return false;
        here += 1;
        if (!label) {
            name[used ? used - 1 : 0] = 0; /* Not the last dot. */
            if (!jumped)
                *at = here;
            return true;
        }
        memcpy(name + used, data + here, label);
        used += label;
        name[used++] = '.';
        here += label;
    }
    return false;
}

/* One record; its address, if it is one of `name`. */
static bool take_record(const uint8_t *data, size_t size, size_t *at, const char *name,
                        struct tdm_address *address)
{
    char owner[NAME_MAX_BYTES + 1];

    *address = (struct tdm_address){.family = TDM_ADDRESS_NONE};
    if (!read_name(data, size, at, owner) || *at + 10 > size)
        return false;
    struct tdm_reader r = tdm_reader_of(data + *at, size - *at);
    uint16_t type = tdm_read_u16(&r);
    uint16_t class = tdm_read_u16(&r);

    (void)tdm_read_u32(&r);
    uint16_t length = tdm_read_u16(&r);

    *at += 10;
    if (*at + length > size)
        return false;
    bool ours = strcasecmp(owner, name) == 0 && (class & 0x7fff) == CLASS_IN;

    if (ours && type == TYPE_A && length == 4)
        address->family = TDM_IPV4;
    else if (ours && type == TYPE_AAAA && length == 16)
        address->family = TDM_IPV6;
    if (address->family != TDM_ADDRESS_NONE)
        memcpy(address->bytes, data + *at, length);
    *at += length;
    return true;
}

enum tdm_err tdm_mdns_answers(const uint8_t *data, size_t size, const char *name,
                              struct tdm_address list[TDM_MDNS_ANSWERS], uint32_t *count)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    char asked[NAME_MAX_BYTES + 1];
    size_t at = 12;

    *count = 0;
    (void)tdm_read_u16(&r);
    uint16_t flags = tdm_read_u16(&r);
    uint32_t questions = tdm_read_u16(&r);
    uint32_t records = tdm_read_u16(&r);

    records += tdm_read_u16(&r);
    records += tdm_read_u16(&r); /* Addresses may also be additional. */
    if (!r.ok || !(flags & RESPONSE) || questions > RECORDS_MAX || records > RECORDS_MAX)
        return TDM_E_MALFORMED;
    for (uint32_t i = 0; i < questions; i++, at += 4)
        if (!read_name(data, size, &at, asked) || at + 4 > size)
            return TDM_E_MALFORMED;
    for (uint32_t i = 0; i < records; i++) {
        struct tdm_address address;

        if (!take_record(data, size, &at, name, &address))
            return TDM_E_MALFORMED;
        if (address.family != TDM_ADDRESS_NONE && *count < TDM_MDNS_ANSWERS)
            list[(*count)++] = address;
    }
    return *count ? TDM_OK : TDM_E_GONE;
}
