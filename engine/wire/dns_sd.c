/* SPDX-License-Identifier: MIT */
#include "engine/wire/dns_sd.h"

#include <string.h>

#define HEAD_BYTES   12
#define JUMPS_MAX    32
#define POINTER      0xc0
#define CLASS_IN     1
#define CLASS_ANY    255
#define TOP_BIT      0x8000 /* Of a class: unicast wanted, or flush. */
#define RESPONSE     0x8400 /* And authoritative (RFC 6762 section 18.4). */
#define OPCODE       0x7800
#define TRUNCATED    0x0200
#define POINT_TO_MAX 0x3fff

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static char printable(uint8_t c)
{
    return c >= ' ' && c <= '~' ? (char)c : '?';
}

/* --- Names ------------------------------------------------------------------------------------ */

enum tdm_err tdm_dns_name_of(struct tdm_dns_name *name, const char *text)
{
    struct tdm_writer w = tdm_writer_of(name->bytes, TDM_DNS_NAME_MAX);

    name->size = 0;
    while (*text) {
        size_t label = strcspn(text, ".");

        if (!label || label > TDM_DNS_LABEL_MAX)
            return TDM_E_MALFORMED;
        tdm_write_u8(&w, (uint8_t)label);
        tdm_write_bytes(&w, text, label);
        text += label;
        text += *text == '.';
    }
    tdm_write_u8(&w, 0);
    name->size = w.ok ? (uint8_t)tdm_writer_size(&w) : 0;
    return w.ok ? TDM_OK : TDM_E_MALFORMED;
}

enum tdm_err tdm_dns_name_under(struct tdm_dns_name *name, const char *label,
                                const struct tdm_dns_name *rest)
{
    size_t size = strlen(label);

    name->size = 0;
    if (!size || size > TDM_DNS_LABEL_MAX || !rest->size ||
        size + 1 + rest->size > TDM_DNS_NAME_MAX)
        return TDM_E_MALFORMED;
    name->bytes[0] = (uint8_t)size;
    memcpy(name->bytes + 1, label, size);
    memcpy(name->bytes + 1 + size, rest->bytes, rest->size);
    name->size = (uint8_t)(1 + size + rest->size);
    return TDM_OK;
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (lower(a[i]) != lower(b[i])) /* Lengths are below the letters. */
            return false;
    return true;
}

bool tdm_dns_name_equal(const struct tdm_dns_name *a, const struct tdm_dns_name *b)
{
    return a->size == b->size && same_bytes(a->bytes, b->bytes, a->size);
}

bool tdm_dns_name_is_under(const struct tdm_dns_name *name, const struct tdm_dns_name *rest)
{
    size_t first = name->size ? name->bytes[0] + 1u : 0;

    return first > 1 && name->size == first + rest->size &&
           same_bytes(name->bytes + first, rest->bytes, rest->size);
}

void tdm_dns_name_label(const struct tdm_dns_name *name, char label[TDM_DNS_LABEL_MAX + 1])
{
    size_t size = name->size ? name->bytes[0] : 0;

    for (size_t i = 0; i < size; i++)
        label[i] = printable(name->bytes[1 + i]);
    label[size] = '\0';
}

/* The name at *at, which may point to an earlier place, and *at behind it. */
static bool read_name(const uint8_t *data, size_t size, size_t *at, struct tdm_dns_name *name)
{
    size_t here = *at, used = 0;
    int jumps = 0;

    name->size = 0;
    for (;;) {
        if (here >= size)
            return false;
        uint8_t label = data[here];

        if ((label & POINTER) == POINTER) {
            if (here + 1 >= size || jumps == JUMPS_MAX)
                return false;
            if (!jumps++)
                *at = here + 2;
            here = (size_t)(label & ~POINTER) << 8 | data[here + 1];
            continue;
        }
        if (label > TDM_DNS_LABEL_MAX || here + 1 + label > size ||
            used + 1 + label + (label ? 1 : 0) > TDM_DNS_NAME_MAX)
            return false;
        memcpy(name->bytes + used, data + here, 1u + label);
        used += 1u + label;
        here += 1u + label;
        if (!label)
            break;
    }
    if (!jumps)
        *at = here;
    name->size = (uint8_t)used;
    return true;
}

/* --- Reading ---------------------------------------------------------------------------------- */

bool tdm_dns_record_equal(const struct tdm_dns_record *a, const struct tdm_dns_record *b)
{
    if (a->type != b->type || !tdm_dns_name_equal(&a->name, &b->name))
        return false;
    switch (a->type) {
    case TDM_DNS_A:
    case TDM_DNS_AAAA:
        return tdm_address_same_host(&a->address, &b->address);
    case TDM_DNS_PTR:
        return tdm_dns_name_equal(&a->target, &b->target);
    case TDM_DNS_SRV:
        return a->priority == b->priority && a->weight == b->weight && a->port == b->port &&
               tdm_dns_name_equal(&a->target, &b->target);
    case TDM_DNS_TXT:
        return a->text_size == b->text_size &&
               (!a->text_size || memcmp(a->text, b->text, a->text_size) == 0);
    default:
        return false;
    }
}

enum tdm_err tdm_dns_read(struct tdm_dns_reader *r, const uint8_t *data, size_t size)
{
    struct tdm_reader head = tdm_reader_of(data, size);
    uint16_t id = tdm_read_u16(&head);
    uint16_t flags = tdm_read_u16(&head);

    *r = (struct tdm_dns_reader){.data = data,
                                 .size = size,
                                 .at = HEAD_BYTES,
                                 .id = id,
                                 .response = flags & TOP_BIT,
                                 .truncated = flags & TRUNCATED};
    r->questions = tdm_read_u16(&head);
    for (int i = 0; i < 3; i++)
        r->records[i] = tdm_read_u16(&head);
    return head.ok && !(flags & OPCODE) ? TDM_OK : TDM_E_MALFORMED;
}

static enum tdm_err give_up(struct tdm_dns_reader *r)
{
    r->at = r->size + 1; /* Nothing can be read any more. */
    return TDM_E_MALFORMED;
}

enum tdm_err tdm_dns_read_question(struct tdm_dns_reader *r, struct tdm_dns_question *q)
{
    if (!r->questions)
        return TDM_E_GONE;
    if (!read_name(r->data, r->size, &r->at, &q->name) || r->at + 4 > r->size)
        return give_up(r);
    struct tdm_reader fixed = tdm_reader_of(r->data + r->at, 4);

    q->type = tdm_read_u16(&fixed);
    uint16_t class = tdm_read_u16(&fixed);

    q->unicast = class & TOP_BIT;
    class &= (uint16_t)~TOP_BIT;
    if (class != CLASS_IN && class != CLASS_ANY)
        q->type = 0;
    r->at += 4;
    r->questions--;
    return TDM_OK;
}

/* What stands in a record; false: it is wrong. */
static bool read_value(const struct tdm_dns_reader *r, size_t at, size_t size,
                       struct tdm_dns_record *record)
{
    struct tdm_reader value = tdm_reader_of(r->data + at, size);
    size_t end = at + size, name_at = at;

    switch (record->type) {
    case TDM_DNS_A:
    case TDM_DNS_AAAA:
        record->address.family = record->type == TDM_DNS_A ? TDM_IPV4 : TDM_IPV6;
        if (size != (record->type == TDM_DNS_A ? 4u : 16u))
            return false;
        memcpy(record->address.bytes, r->data + at, size);
        return true;
    case TDM_DNS_PTR:
        return read_name(r->data, r->size, &name_at, &record->target) && name_at == end;
    case TDM_DNS_SRV:
        record->priority = tdm_read_u16(&value);
        record->weight = tdm_read_u16(&value);
        record->port = tdm_read_u16(&value);
        name_at = at + 6;
        return value.ok && read_name(r->data, r->size, &name_at, &record->target) && name_at == end;
    case TDM_DNS_TXT:
        record->text = r->data + at;
        record->text_size = (uint16_t)size;
        return true;
    default:
        record->type = 0;
        return true;
    }
}

enum tdm_err tdm_dns_read_record(struct tdm_dns_reader *r, struct tdm_dns_record *record)
{
    struct tdm_dns_question skipped;
    int section = 0;

    while (r->questions)
        if (tdm_dns_read_question(r, &skipped) != TDM_OK)
            return TDM_E_MALFORMED;
    while (section < 3 && !r->records[section])
        section++;
    if (section == 3)
        return TDM_E_GONE;
    *record = (struct tdm_dns_record){.section = (enum tdm_dns_section)section};
    if (!read_name(r->data, r->size, &r->at, &record->name) || r->at + 10 > r->size)
        return give_up(r);
    struct tdm_reader fixed = tdm_reader_of(r->data + r->at, 10);

    record->type = tdm_read_u16(&fixed);
    uint16_t class = tdm_read_u16(&fixed);

    record->ttl_s = tdm_read_u32(&fixed);
    size_t size = tdm_read_u16(&fixed);

    record->flush = class & TOP_BIT;
    if ((class & (uint16_t)~TOP_BIT) != CLASS_IN)
        record->type = 0;
    r->at += 10;
    if (r->at + size > r->size || !read_value(r, r->at, size, record))
        return give_up(r);
    r->at += size;
    r->records[section]--;
    return TDM_OK;
}

/* --- TXT -------------------------------------------------------------------------------------- */

bool tdm_dns_text_value(const struct tdm_dns_record *record, const char *key, char *value,
                        size_t capacity)
{
    struct tdm_reader r = tdm_reader_of(record->text, record->text_size);
    size_t key_size = strlen(key);

    while (tdm_reader_left(&r)) {
        size_t size = tdm_read_u8(&r);
        const uint8_t *text = tdm_read_bytes(&r, size);

        if (!text || size <= key_size || text[key_size] != '=' ||
            !same_bytes(text, (const uint8_t *)key, key_size))
            continue;
        size_t keep = size - key_size - 1;

        keep = keep < capacity ? keep : capacity - 1;
        for (size_t i = 0; i < keep; i++)
            value[i] = printable(text[key_size + 1 + i]);
        value[keep] = '\0';
        return true;
    }
    return false;
}

enum tdm_err tdm_dns_text_add(uint8_t *text, size_t capacity, uint16_t *size, const char *key,
                              const char *value)
{
    size_t key_size = strlen(key), value_size = strlen(value), all = key_size + 1 + value_size;

    if (all > 255 || *size + 1 + all > capacity)
        return TDM_E_SPACE;
    text += *size;
    text[0] = (uint8_t)all;
    memcpy(text + 1, key, key_size);
    text[1 + key_size] = '=';
    memcpy(text + 2 + key_size, value, value_size);
    *size = (uint16_t)(*size + 1 + all);
    return TDM_OK;
}

/* --- Writing ---------------------------------------------------------------------------------- */

void tdm_dns_write(struct tdm_dns_writer *w, uint8_t *data, size_t capacity, uint16_t id,
                   bool response)
{
    *w = (struct tdm_dns_writer){.w = tdm_writer_of(data, capacity)};
    tdm_write_u16(&w->w, id);
    tdm_write_u16(&w->w, response ? RESPONSE : 0);
    tdm_write_u64(&w->w, 0);
}

/* A place where `rest` already stands; 0: none. */
static uint16_t place_of(const struct tdm_dns_writer *w, const uint8_t *rest, size_t size)
{
    for (uint32_t i = 0; i < w->name_count; i++) {
        struct tdm_dns_name there;
        size_t at = w->names[i];

        if (read_name(w->w.start, tdm_writer_size(&w->w), &at, &there) && there.size == size &&
            same_bytes(there.bytes, rest, size))
            return w->names[i];
    }
    return 0;
}

static void write_name(struct tdm_dns_writer *w, const struct tdm_dns_name *name, bool short_form)
{
    size_t at = 0;

    while (at < name->size && name->bytes[at]) {
        uint16_t place = short_form ? place_of(w, name->bytes + at, name->size - at) : 0;
        size_t here = tdm_writer_size(&w->w);

        if (place) {
            tdm_write_u16(&w->w, (uint16_t)(POINTER << 8 | place));
            return;
        }
        /* A place is only good once the name is whole: later labels are looked for elsewhere. */
        tdm_write_bytes(&w->w, name->bytes + at, name->bytes[at] + 1u);
        if (w->name_count < TDM_DNS_NAMES_MAX && here <= POINT_TO_MAX)
            w->names[w->name_count++] = (uint16_t)here;
        at += name->bytes[at] + 1u;
    }
    tdm_write_u8(&w->w, 0);
}

/* As it was before, when there is no room for all of it. */
static enum tdm_err settle(struct tdm_dns_writer *w, const struct tdm_dns_writer *before, int what)
{
    if (!w->w.ok) {
        *w = *before;
        return TDM_E_SPACE;
    }
    w->counts[what]++;
    return TDM_OK;
}

enum tdm_err tdm_dns_write_question(struct tdm_dns_writer *w, const struct tdm_dns_question *q)
{
    const struct tdm_dns_writer before = *w;

    write_name(w, &q->name, true);
    tdm_write_u16(&w->w, q->type);
    tdm_write_u16(&w->w, q->unicast ? CLASS_IN | TOP_BIT : CLASS_IN);
    return settle(w, &before, 0);
}

enum tdm_err tdm_dns_write_record(struct tdm_dns_writer *w, const struct tdm_dns_record *record)
{
    const struct tdm_dns_writer before = *w;

    write_name(w, &record->name, true);
    tdm_write_u16(&w->w, record->type);
    tdm_write_u16(&w->w, record->flush ? CLASS_IN | TOP_BIT : CLASS_IN);
    tdm_write_u32(&w->w, record->ttl_s);
    uint8_t *size = tdm_write_reserve(&w->w, 2);
    size_t start = tdm_writer_size(&w->w);

    switch (record->type) {
    case TDM_DNS_A:
        tdm_write_bytes(&w->w, record->address.bytes, 4);
        break;
    case TDM_DNS_AAAA:
        tdm_write_bytes(&w->w, record->address.bytes, 16);
        break;
    case TDM_DNS_PTR:
        write_name(w, &record->target, true);
        break;
    case TDM_DNS_SRV:
        tdm_write_u16(&w->w, record->priority);
        tdm_write_u16(&w->w, record->weight);
        tdm_write_u16(&w->w, record->port);
        write_name(w, &record->target, false); /* RFC 6762 section 18.14, for legacy askers. */
        break;
    default:
        tdm_write_bytes(&w->w, record->text, record->text_size);
        break;
    }
    if (size) {
        size[0] = (uint8_t)((tdm_writer_size(&w->w) - start) >> 8);
        size[1] = (uint8_t)(tdm_writer_size(&w->w) - start);
    }
    return settle(w, &before, 1 + (int)record->section);
}

void tdm_dns_write_truncated(struct tdm_dns_writer *w)
{
    w->w.start[2] |= TRUNCATED >> 8;
}

size_t tdm_dns_write_end(struct tdm_dns_writer *w)
{
    for (int i = 0; i < 4; i++) {
        w->w.start[4 + 2 * i] = (uint8_t)(w->counts[i] >> 8);
        w->w.start[5 + 2 * i] = (uint8_t)w->counts[i];
    }
    return tdm_writer_size(&w->w);
}
