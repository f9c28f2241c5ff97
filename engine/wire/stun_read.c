/* SPDX-License-Identifier: MIT */
#include "engine/wire/stun.h"

#define FAMILY_V4       1
#define FAMILY_V6       2
#define FAMILY_UNKNOWN  0xff
#define FINGERPRINT_XOR 0x5354554eu
#define ATTRIBUTE_HEAD  4
#define SHA256_MIN      16 /* RFC 8489 section 14.6: MESSAGE-INTEGRITY-SHA256 may be cut to it. */

bool tdm_stun_is(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint16_t type = tdm_read_u16(&r);

    tdm_read_skip(&r, 2);
    return tdm_read_u32(&r) == TDM_STUN_COOKIE && type < 0x4000 && size >= TDM_STUN_HEADER_BYTES;
}

/* RFC 8489 section 5: the class bits C1 and C0 stand among those of the method. */
static enum tdm_stun_class class_of(uint16_t type)
{
    return (enum tdm_stun_class)((type >> 7 & 2) | (type >> 4 & 1));
}

static uint16_t method_of(uint16_t type)
{
    return (uint16_t)((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
}

static void read_address(struct tdm_reader *r, struct tdm_address *address)
{
    struct tdm_address a = {.family = TDM_ADDRESS_NONE};

    tdm_read_skip(r, 1);
    uint8_t family = tdm_read_u8(r);
    size_t host_size = family == FAMILY_V4 ? 4 : 16;

    a.port = tdm_read_u16(r);
    const uint8_t *host = tdm_read_bytes(r, host_size);

    if (!host || (family != FAMILY_V4 && family != FAMILY_V6)) {
        r->ok = false;
        return;
    }
    memcpy(a.bytes, host, host_size);
    a.family = family == FAMILY_V4 ? TDM_IPV4 : TDM_IPV6;
    if (address->family == TDM_ADDRESS_NONE)
        *address = a;
}

/* RFC 8489 section 14.2: the cookie and the transaction id lie as they are in the header. */
static void read_xor_address(struct tdm_reader *r, const uint8_t *header,
                             struct tdm_address *address)
{
    struct tdm_address a = {.family = TDM_ADDRESS_NONE};

    read_address(r, &a);
    a.port ^= (uint16_t)(TDM_STUN_COOKIE >> 16);
    for (size_t i = 0; i < (a.family == TDM_IPV4 ? 4 : 16); i++)
        a.bytes[i] ^= header[4 + i];
    if (r->ok && address->family == TDM_ADDRESS_NONE)
        *address = a;
}

static void read_peer(struct tdm_reader *r, struct tdm_stun *m)
{
    struct tdm_address peer = {.family = TDM_ADDRESS_NONE};

    read_xor_address(r, m->bytes, &peer);
    if (r->ok && m->peer_count < TDM_STUN_PEERS_MAX)
        m->peers[m->peer_count++] = peer;
}

static void read_relayed(struct tdm_reader *r, struct tdm_stun *m)
{
    size_t at = m->relayed[0].family == TDM_ADDRESS_NONE ? 0 : 1;

    read_xor_address(r, m->bytes, &m->relayed[at]);
}

static void read_span(struct tdm_reader *r, struct tdm_stun_span *span, size_t max)
{
    size_t size = tdm_reader_left(r);
    const uint8_t *data = tdm_read_bytes(r, size);

    if (size > max)
        r->ok = false;
    else if (!span->data)
        *span = (struct tdm_stun_span){.data = data, .size = (uint16_t)size};
}

static uint16_t read_code(struct tdm_reader *r)
{
    uint32_t hundreds = tdm_read_u8(r) & 7u;
    uint32_t rest = tdm_read_u8(r);

    if (hundreds < 3 || hundreds > 6 || rest > 99)
        r->ok = false;
    return (uint16_t)(hundreds * 100 + rest);
}

static void read_error(struct tdm_reader *r, struct tdm_stun *m)
{
    tdm_read_skip(r, 2);
    uint16_t code = read_code(r);

    if (r->ok && !m->error_code) {
        m->error_code = code;
        read_span(r, &m->reason, TDM_STUN_TEXT_MAX);
    }
}

static void read_address_error(struct tdm_reader *r, struct tdm_stun *m)
{
    tdm_read_skip(r, 2);
    uint16_t code = read_code(r);

    if (!m->address_error_code)
        m->address_error_code = code;
}

static void read_family(struct tdm_reader *r, uint8_t *family)
{
    uint8_t value = tdm_read_u8(r);

    if (*family == TDM_ADDRESS_NONE)
        *family = value == FAMILY_V4 ? TDM_IPV4 : value == FAMILY_V6 ? TDM_IPV6 : FAMILY_UNKNOWN;
}

/* A number of `bytes` bytes, if the attribute did not come before. */
static uint64_t read_number(struct tdm_reader *r, size_t bytes, bool *has, uint64_t before)
{
    uint64_t value = tdm_read_uint(r, bytes);

    if (*has)
        return before;
    *has = r->ok;
    return value;
}

static void read_ice(struct tdm_stun *m, uint16_t type, struct tdm_reader *r)
{
    switch (type) {
    case TDM_STUN_PRIORITY:
        m->priority = (uint32_t)read_number(r, 4, &m->has_priority, m->priority);
        break;
    case TDM_STUN_USE_CANDIDATE:
        m->use_candidate = true;
        break;
    case TDM_STUN_ICE_CONTROLLING:
        m->tie_breaker = read_number(r, 8, &m->has_controlling, m->tie_breaker);
        break;
    case TDM_STUN_ICE_CONTROLLED:
        m->tie_breaker = read_number(r, 8, &m->has_controlled, m->tie_breaker);
        break;
    default:
        break;
    }
}

static void read_turn(struct tdm_stun *m, uint16_t type, struct tdm_reader *r)
{
    switch (type) {
    case TDM_STUN_CHANNEL_NUMBER:
        m->channel = (uint16_t)read_number(r, 2, &m->has_channel, m->channel);
        break;
    case TDM_STUN_LIFETIME:
        m->lifetime_s = (uint32_t)read_number(r, 4, &m->has_lifetime, m->lifetime_s);
        break;
    case TDM_STUN_REQUESTED_TRANSPORT:
        m->transport = (uint8_t)read_number(r, 1, &m->has_transport, m->transport);
        break;
    case TDM_STUN_EVEN_PORT:
        m->reserve_next = read_number(r, 1, &m->has_even_port, m->reserve_next ? 0x80 : 0) & 0x80;
        break;
    case TDM_STUN_RESERVATION_TOKEN:
        m->token = read_number(r, 8, &m->has_token, m->token);
        break;
    case TDM_STUN_CONNECTION_ID:
        m->connection_id = (uint32_t)read_number(r, 4, &m->has_connection_id, m->connection_id);
        break;
    case TDM_STUN_REQUESTED_FAMILY:
        read_family(r, &m->family);
        break;
    case TDM_STUN_ADDITIONAL_FAMILY:
        read_family(r, &m->extra_family);
        break;
    case TDM_STUN_ADDRESS_ERROR_CODE:
        read_address_error(r, m);
        break;
    case TDM_STUN_XOR_PEER_ADDRESS:
        read_peer(r, m);
        break;
    case TDM_STUN_XOR_RELAYED_ADDRESS:
        read_relayed(r, m);
        break;
    case TDM_STUN_DATA_ATTRIBUTE:
        read_span(r, &m->data, UINT16_MAX);
        break;
    case TDM_STUN_DONT_FRAGMENT:
        m->dont_fragment = true;
        break;
    default:
        break;
    }
}

static void read_unknown(struct tdm_stun *m, uint16_t type)
{
    if (type < 0x8000 && m->unknown_count < TDM_STUN_UNKNOWN_MAX)
        m->unknown[m->unknown_count++] = type;
}

static void read_attribute(struct tdm_stun *m, uint16_t type, struct tdm_reader *r)
{
    switch (type) {
    case TDM_STUN_XOR_MAPPED_ADDRESS:
        if (!m->mapped_is_xored) /* The plain one may have been changed on the way. */
            m->mapped.family = TDM_ADDRESS_NONE;
        m->mapped_is_xored = true;
        read_xor_address(r, m->bytes, &m->mapped);
        break;
    case TDM_STUN_MAPPED_ADDRESS:
        read_address(r, &m->mapped);
        break;
    case TDM_STUN_ALTERNATE_SERVER:
        read_address(r, &m->alternate_server);
        break;
    case TDM_STUN_RESPONSE_ORIGIN:
        read_address(r, &m->response_origin);
        break;
    case TDM_STUN_OTHER_ADDRESS:
        read_address(r, &m->other_address);
        break;
    case TDM_STUN_USERNAME:
        read_span(r, &m->username, TDM_STUN_USERNAME_MAX - 1);
        break;
    case TDM_STUN_REALM:
        read_span(r, &m->realm, TDM_STUN_TEXT_MAX);
        break;
    case TDM_STUN_NONCE:
        read_span(r, &m->nonce, TDM_STUN_TEXT_MAX);
        break;
    case TDM_STUN_SOFTWARE:
        read_span(r, &m->software, TDM_STUN_TEXT_MAX);
        break;
    case TDM_STUN_ERROR_CODE:
        read_error(r, m);
        break;
    case TDM_STUN_CHANGE_REQUEST:
        m->change = (uint32_t)read_number(r, 4, &m->has_change, m->change);
        break;
    case TDM_STUN_UNKNOWN_ATTRIBUTES: /* Says nothing that would be acted upon. */
        break;
    case TDM_STUN_PRIORITY:
    case TDM_STUN_USE_CANDIDATE:
    case TDM_STUN_ICE_CONTROLLING:
    case TDM_STUN_ICE_CONTROLLED:
        read_ice(m, type, r);
        break;
    case TDM_STUN_CHANNEL_NUMBER:
    case TDM_STUN_LIFETIME:
    case TDM_STUN_REQUESTED_TRANSPORT:
    case TDM_STUN_EVEN_PORT:
    case TDM_STUN_RESERVATION_TOKEN:
    case TDM_STUN_CONNECTION_ID:
    case TDM_STUN_REQUESTED_FAMILY:
    case TDM_STUN_ADDITIONAL_FAMILY:
    case TDM_STUN_ADDRESS_ERROR_CODE:
    case TDM_STUN_XOR_PEER_ADDRESS:
    case TDM_STUN_XOR_RELAYED_ADDRESS:
    case TDM_STUN_DATA_ATTRIBUTE:
    case TDM_STUN_DONT_FRAGMENT:
        read_turn(m, type, r);
        break;
    default:
        read_unknown(m, type);
        break;
    }
}

/* `at` is where the attribute starts; it must be the last of the message. */
static bool fingerprint_is_right(const struct tdm_stun *m, size_t at, struct tdm_reader *r)
{
    uint32_t value = tdm_read_u32(r);

    return r->ok && at + ATTRIBUTE_HEAD + 4 == m->size &&
           value == (tdm_crc32(m->bytes, at) ^ FINGERPRINT_XOR);
}

/* MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT stand in this order at the end; what
 * else stands behind the first of them is not believed. */
static void read_end(struct tdm_stun *m, uint16_t type, size_t at, struct tdm_reader *r)
{
    size_t size = tdm_reader_left(r);

    if (type == TDM_STUN_FINGERPRINT) {
        r->ok = fingerprint_is_right(m, at, r);
        m->has_fingerprint = true;
    } else if (type == TDM_STUN_MESSAGE_INTEGRITY) {
        r->ok = size == TDM_SHA1_BYTES;
        if (!m->integrity_at && !m->integrity_sha256_at)
            m->integrity_at = (uint16_t)at;
    } else {
        r->ok = size >= SHA256_MIN && size <= TDM_SHA256_BYTES && size % 4 == 0;
        if (!m->integrity_sha256_at) {
            m->integrity_sha256_at = (uint16_t)at;
            m->integrity_sha256_size = (uint8_t)size;
        }
    }
}

static bool is_end(uint16_t type)
{
    return type == TDM_STUN_FINGERPRINT || type == TDM_STUN_MESSAGE_INTEGRITY ||
           type == TDM_STUN_MESSAGE_INTEGRITY_SHA256;
}

enum tdm_err tdm_stun_parse(struct tdm_stun *m, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    memset(m, 0, sizeof *m);
    if (!tdm_stun_is(data, size) || size > UINT16_MAX)
        return TDM_E_MALFORMED;
    uint16_t type = tdm_read_u16(&r);

    m->kind = class_of(type);
    m->method = method_of(type);
    m->bytes = data;
    m->size = size;
    if ((size_t)tdm_read_u16(&r) + TDM_STUN_HEADER_BYTES != size || size % 4 != 0)
        return TDM_E_MALFORMED;
    tdm_read_skip(&r, 4);
    memcpy(m->id, tdm_read_bytes(&r, TDM_STUN_ID_BYTES), TDM_STUN_ID_BYTES);
    while (r.ok && tdm_reader_left(&r)) {
        size_t at = (size_t)(r.at - data);
        uint16_t attribute = tdm_read_u16(&r);
        uint16_t attribute_size = tdm_read_u16(&r);
        struct tdm_reader value = tdm_read_sub(&r, attribute_size);
        bool closed = m->integrity_at || m->integrity_sha256_at || m->has_fingerprint;

        tdm_read_skip(&r, tdm_turn_padding(attribute_size));
        if (!r.ok)
            break;
        if (is_end(attribute))
            read_end(m, attribute, at, &value);
        else if (!closed)
            read_attribute(m, attribute, &value);
        r.ok = value.ok;
    }
    return r.ok ? TDM_OK : TDM_E_MALFORMED;
}

/* RFC 8489 section 14.5: the hash is over the message up to the attribute, with a header whose
 * size ends with the attribute. The message is short of 64 kB; it is hashed from a copy. */
static enum tdm_err check_at(const struct tdm_stun *m, size_t at, size_t digest_size, bool sha256,
                             const void *key, size_t key_size)
{
    uint8_t copy[2048], digest[TDM_SHA256_BYTES];
    size_t size = at + ATTRIBUTE_HEAD + digest_size - TDM_STUN_HEADER_BYTES;

    if (at > sizeof copy)
        return TDM_E_DENIED;
    memcpy(copy, m->bytes, at);
    copy[2] = (uint8_t)(size >> 8);
    copy[3] = (uint8_t)size;
    if (sha256)
        tdm_hmac_sha256(key, key_size, copy, at, digest);
    else
        tdm_hmac_sha1(key, key_size, copy, at, digest);
    return tdm_equal_in_constant_time(digest, m->bytes + at + ATTRIBUTE_HEAD, digest_size)
               ? TDM_OK
               : TDM_E_DENIED;
}

enum tdm_err tdm_stun_check(const struct tdm_stun *m, const void *key, size_t key_size)
{
    if (m->integrity_sha256_at)
        return check_at(m, m->integrity_sha256_at, m->integrity_sha256_size, true, key, key_size);
    if (m->integrity_at)
        return check_at(m, m->integrity_at, TDM_SHA1_BYTES, false, key, key_size);
    return TDM_E_GONE;
}

struct tdm_stun_span tdm_stun_span_of(const char *text)
{
    return (struct tdm_stun_span){.data = (const uint8_t *)text,
                                  .size = (uint16_t)strnlen(text, UINT16_MAX)};
}

bool tdm_stun_span_equal(struct tdm_stun_span a, struct tdm_stun_span b)
{
    return a.data && b.data && a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

void tdm_stun_span_text(struct tdm_stun_span span, char *text, size_t capacity)
{
    size_t size = 0;

    for (; span.data && size < span.size && size + 1 < capacity; size++)
        text[size] =
            (char)(span.data[size] < 0x20 || span.data[size] == 0x7f ? '?' : span.data[size]);
    if (capacity)
        text[size] = '\0';
}

bool tdm_turn_is_channel_data(const uint8_t *data, size_t size)
{
    return size >= TDM_TURN_CHANNEL_HEAD_BYTES && data[0] >= 0x40 && data[0] <= 0x4f;
}

bool tdm_turn_is_old_channel_data(const uint8_t *data, size_t size)
{
    return size >= TDM_TURN_CHANNEL_HEAD_BYTES && data[0] >= 0x40 && data[0] <= 0x7f;
}

enum tdm_err tdm_turn_channel_data_parse(struct tdm_turn_channel_data *c, const uint8_t *data,
                                         size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    c->channel = tdm_read_u16(&r);
    c->size = tdm_read_u16(&r);
    c->data = tdm_read_bytes(&r, c->size);
    return r.ok && c->channel >= TDM_TURN_CHANNEL_MIN && c->channel <= TDM_TURN_CHANNEL_OLD_MAX
               ? TDM_OK
               : TDM_E_MALFORMED;
}

enum tdm_err tdm_turn_frame_size(const uint8_t *data, size_t size, size_t *frame_size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint16_t first = tdm_read_u16(&r);
    size_t body = tdm_read_u16(&r);

    *frame_size = 4;
    if (!r.ok)
        return size && (data[0] & 0x80) ? TDM_E_MALFORMED : TDM_E_AGAIN;
    if (first < 0x4000 && body % 4 == 0)
        *frame_size = TDM_STUN_HEADER_BYTES + body;
    else if (first >= TDM_TURN_CHANNEL_MIN && first <= TDM_TURN_CHANNEL_OLD_MAX)
        *frame_size = TDM_TURN_CHANNEL_HEAD_BYTES + body + tdm_turn_padding(body);
    else
        return TDM_E_MALFORMED;
    return size >= *frame_size ? TDM_OK : TDM_E_AGAIN;
}
