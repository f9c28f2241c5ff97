/* SPDX-License-Identifier: MIT */
#include "engine/wire/stun.h"

#define FINGERPRINT_XOR 0x5354554eu
#define ATTRIBUTE_HEAD  4

size_t tdm_turn_padding(size_t size)
{
    return (4 - size % 4) % 4;
}

void tdm_stun_make_id(uint8_t id[TDM_STUN_ID_BYTES], uint64_t a, uint32_t b)
{
    struct tdm_writer w = tdm_writer_of(id, TDM_STUN_ID_BYTES);

    tdm_write_u64(&w, a);
    tdm_write_u32(&w, b);
}

static uint16_t type_of(enum tdm_stun_class kind, uint16_t method)
{
    uint32_t bits = (uint32_t)kind;

    return (uint16_t)((method & 0x000fu) | (method & 0x0070u) << 1 | (method & 0x0f80u) << 2 |
                      (bits & 1) << 4 | (bits & 2) << 7);
}

struct tdm_writer tdm_stun_begin(uint8_t *data, size_t capacity, enum tdm_stun_class kind,
                                 uint16_t method, const uint8_t id[TDM_STUN_ID_BYTES])
{
    struct tdm_writer w = tdm_writer_of(data, capacity);

    tdm_write_u16(&w, type_of(kind, method));
    tdm_write_u16(&w, 0);
    tdm_write_u32(&w, TDM_STUN_COOKIE);
    tdm_write_bytes(&w, id, TDM_STUN_ID_BYTES);
    return w;
}

struct tdm_writer tdm_stun_begin_answer(uint8_t *data, size_t capacity, enum tdm_stun_class kind,
                                        const struct tdm_stun *request)
{
    return tdm_stun_begin(data, capacity, kind, request->method, request->id);
}

/* The header's size, as if `more` bytes followed what there is. */
static void set_size(struct tdm_writer *w, size_t more)
{
    size_t size = tdm_writer_size(w) + more - TDM_STUN_HEADER_BYTES;

    if (!w->ok || size > UINT16_MAX) {
        w->ok = false;
        return;
    }
    w->start[2] = (uint8_t)(size >> 8);
    w->start[3] = (uint8_t)size;
}

static void write_head(struct tdm_writer *w, enum tdm_stun_attribute type, size_t size)
{
    if (size > UINT16_MAX)
        w->ok = false;
    tdm_write_u16(w, (uint16_t)type);
    tdm_write_u16(w, (uint16_t)size);
}

void tdm_stun_write_bytes(struct tdm_writer *w, enum tdm_stun_attribute type, const void *data,
                          size_t size)
{
    write_head(w, type, size);
    tdm_write_bytes(w, data, size);
    tdm_write_uint(w, 0, tdm_turn_padding(size));
}

void tdm_stun_write_flag(struct tdm_writer *w, enum tdm_stun_attribute type)
{
    write_head(w, type, 0);
}

void tdm_stun_write_u8(struct tdm_writer *w, enum tdm_stun_attribute type, uint8_t value)
{
    tdm_stun_write_u32(w, type, (uint32_t)value << 24);
}

void tdm_stun_write_u16(struct tdm_writer *w, enum tdm_stun_attribute type, uint16_t value)
{
    tdm_stun_write_u32(w, type, (uint32_t)value << 16);
}

void tdm_stun_write_u32(struct tdm_writer *w, enum tdm_stun_attribute type, uint32_t value)
{
    write_head(w, type, 4);
    tdm_write_u32(w, value);
}

void tdm_stun_write_u64(struct tdm_writer *w, enum tdm_stun_attribute type, uint64_t value)
{
    write_head(w, type, 8);
    tdm_write_u64(w, value);
}

void tdm_stun_write_even_port(struct tdm_writer *w, bool reserve_next)
{
    uint8_t value = reserve_next ? 0x80 : 0;

    tdm_stun_write_bytes(w, TDM_STUN_EVEN_PORT, &value, 1);
}

static uint8_t family_code(uint8_t family)
{
    return family == TDM_IPV6 ? 2 : 1;
}

void tdm_stun_write_family(struct tdm_writer *w, enum tdm_stun_attribute type, uint8_t family)
{
    tdm_stun_write_u8(w, type, family_code(family));
}

void tdm_stun_write_span(struct tdm_writer *w, enum tdm_stun_attribute type,
                         struct tdm_stun_span span)
{
    tdm_stun_write_bytes(w, type, span.data, span.size);
}

void tdm_stun_write_text(struct tdm_writer *w, enum tdm_stun_attribute type, const char *text)
{
    tdm_stun_write_span(w, type, tdm_stun_span_of(text));
}

static bool is_xored(enum tdm_stun_attribute type)
{
    return type == TDM_STUN_XOR_MAPPED_ADDRESS || type == TDM_STUN_XOR_PEER_ADDRESS ||
           type == TDM_STUN_XOR_RELAYED_ADDRESS;
}

void tdm_stun_write_address(struct tdm_writer *w, enum tdm_stun_attribute type,
                            const struct tdm_address *address)
{
    size_t host_size = address->family == TDM_IPV6 ? 16 : 4;

    assert(address->family == TDM_IPV4 || address->family == TDM_IPV6);
    write_head(w, type, 4 + host_size);
    tdm_write_u8(w, 0);
    tdm_write_u8(w, family_code(address->family));
    tdm_write_u16(w, is_xored(type) ? (uint16_t)(address->port ^ TDM_STUN_COOKIE >> 16)
                                    : address->port);
    uint8_t *host = tdm_write_reserve(w, host_size);

    for (size_t i = 0; host && i < host_size; i++)
        host[i] = (uint8_t)(address->bytes[i] ^ (is_xored(type) ? w->start[4 + i] : 0));
}

const char *tdm_stun_reason(uint16_t code)
{
    switch (code) {
    case TDM_STUN_TRY_ALTERNATE:
        return "Try Alternate";
    case TDM_STUN_BAD_REQUEST:
        return "Bad Request";
    case TDM_STUN_UNAUTHENTICATED:
        return "Unauthenticated";
    case TDM_STUN_FORBIDDEN:
        return "Forbidden";
    case TDM_STUN_UNKNOWN_ATTRIBUTE:
        return "Unknown Attribute";
    case TDM_STUN_ALLOCATION_MISMATCH:
        return "Allocation Mismatch";
    case TDM_STUN_STALE_NONCE:
        return "Stale Nonce";
    case TDM_STUN_FAMILY_NOT_SUPPORTED:
        return "Address Family not Supported";
    case TDM_STUN_WRONG_CREDENTIALS:
        return "Wrong Credentials";
    case TDM_STUN_TRANSPORT_NOT_SUPPORTED:
        return "Unsupported Transport Protocol";
    case TDM_STUN_PEER_FAMILY_MISMATCH:
        return "Peer Address Family Mismatch";
    case TDM_STUN_QUOTA_REACHED:
        return "Allocation Quota Reached";
    case TDM_STUN_ROLE_CONFLICT:
        return "Role Conflict";
    case TDM_STUN_SERVER_ERROR:
        return "Server Error";
    case TDM_STUN_INSUFFICIENT_CAPACITY:
        return "Insufficient Capacity";
    default:
        return "Error";
    }
}

void tdm_stun_write_error(struct tdm_writer *w, uint16_t code, const char *reason)
{
    const char *words = reason ? reason : tdm_stun_reason(code);
    size_t size = strnlen(words, TDM_STUN_TEXT_MAX);

    write_head(w, TDM_STUN_ERROR_CODE, 4 + size);
    tdm_write_u32(w, (uint32_t)(code / 100) << 8 | code % 100);
    tdm_write_bytes(w, words, size);
    tdm_write_uint(w, 0, tdm_turn_padding(size));
}

void tdm_stun_write_address_error(struct tdm_writer *w, uint8_t family, uint16_t code)
{
    write_head(w, TDM_STUN_ADDRESS_ERROR_CODE, 4);
    tdm_write_u32(w,
                  (uint32_t)family_code(family) << 24 | (uint32_t)(code / 100) << 8 | code % 100);
}

void tdm_stun_write_unknown(struct tdm_writer *w, const struct tdm_stun *request)
{
    size_t size = (size_t)request->unknown_count * 2;

    write_head(w, TDM_STUN_UNKNOWN_ATTRIBUTES, size);
    for (uint8_t i = 0; i < request->unknown_count; i++)
        tdm_write_u16(w, request->unknown[i]);
    tdm_write_uint(w, 0, tdm_turn_padding(size));
}

void tdm_stun_write_integrity(struct tdm_writer *w, const void *key, size_t key_size)
{
    uint8_t digest[TDM_SHA1_BYTES];

    set_size(w, ATTRIBUTE_HEAD + sizeof digest);
    if (!w->ok)
        return;
    tdm_hmac_sha1(key, key_size, w->start, tdm_writer_size(w), digest);
    tdm_stun_write_bytes(w, TDM_STUN_MESSAGE_INTEGRITY, digest, sizeof digest);
}

void tdm_stun_write_integrity_sha256(struct tdm_writer *w, const void *key, size_t key_size)
{
    uint8_t digest[TDM_SHA256_BYTES];

    set_size(w, ATTRIBUTE_HEAD + sizeof digest);
    if (!w->ok)
        return;
    tdm_hmac_sha256(key, key_size, w->start, tdm_writer_size(w), digest);
    tdm_stun_write_bytes(w, TDM_STUN_MESSAGE_INTEGRITY_SHA256, digest, sizeof digest);
}

void tdm_stun_write_fingerprint(struct tdm_writer *w)
{
    set_size(w, ATTRIBUTE_HEAD + 4);
    if (w->ok)
        tdm_stun_write_u32(w, TDM_STUN_FINGERPRINT,
                           tdm_crc32(w->start, tdm_writer_size(w)) ^ FINGERPRINT_XOR);
}

size_t tdm_stun_end(struct tdm_writer *w)
{
    set_size(w, 0);
    return w->ok ? tdm_writer_size(w) : 0;
}

void tdm_stun_long_term_key(struct tdm_stun_span user, struct tdm_stun_span realm,
                            const char *password, uint8_t key[TDM_STUN_KEY_BYTES])
{
    uint8_t text[2048];
    struct tdm_writer w = tdm_writer_of(text, sizeof text);

    tdm_write_bytes(&w, user.data, user.size);
    tdm_write_u8(&w, ':');
    tdm_write_bytes(&w, realm.data, realm.size);
    tdm_write_u8(&w, ':');
    tdm_write_bytes(&w, password, strnlen(password, TDM_STUN_TEXT_MAX));
    assert(w.ok); /* Their maxima fit. */
    tdm_md5(text, tdm_writer_size(&w), key);
}

void tdm_turn_channel_data_head(uint8_t head[TDM_TURN_CHANNEL_HEAD_BYTES], uint16_t channel,
                                uint16_t size)
{
    struct tdm_writer w = tdm_writer_of(head, TDM_TURN_CHANNEL_HEAD_BYTES);

    tdm_write_u16(&w, channel);
    tdm_write_u16(&w, size);
}

size_t tdm_turn_indication_head(uint8_t head[TDM_TURN_INDICATION_HEAD_MAX], uint16_t method,
                                const uint8_t id[TDM_STUN_ID_BYTES], const struct tdm_address *peer,
                                uint16_t size)
{
    struct tdm_writer w =
        tdm_stun_begin(head, TDM_TURN_INDICATION_HEAD_MAX, TDM_STUN_INDICATION, method, id);

    tdm_stun_write_address(&w, TDM_STUN_XOR_PEER_ADDRESS, peer);
    write_head(&w, TDM_STUN_DATA_ATTRIBUTE, size);
    set_size(&w, size + tdm_turn_padding(size));
    assert(w.ok); /* The head fits, and the caller keeps to TDM_TURN_DATA_MAX. */
    return tdm_writer_size(&w);
}
