/* SPDX-License-Identifier: MIT */
#include "signalling/sdp_transport.h"

#include <stdio.h>

#define UFRAG_MIN 4 /* RFC 8839 section 5.4 */
#define PWD_MIN   22

struct hash {
    const char *name;
    uint8_t size;
};

/* RFC 8122 section 5 without those that no longer prove anything (MD2, MD5, SHA-1). */
static const struct hash hashes[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};

struct suite {
    enum tdm_srtp_profile profile;
    const char *name;
    uint8_t key_size;
};

/* RFC 4568 section 6.2, RFC 7714 section 14.2. */
static const struct suite suites[] = {
    {TDM_SRTP_AEAD_AES_128_GCM, "AEAD_AES_128_GCM", 28},
    {TDM_SRTP_AEAD_AES_256_GCM, "AEAD_AES_256_GCM", 44},
    {TDM_SRTP_AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80", 30},
    {TDM_SRTP_AES_CM_128_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32", 30},
};

static const char *const setup_names[] = {
    [TDM_SETUP_NONE] = "",
    [TDM_SETUP_ACTPASS] = "actpass",
    [TDM_SETUP_ACTIVE] = "active",
    [TDM_SETUP_PASSIVE] = "passive",
    [TDM_SETUP_HOLDCONN] = "holdconn",
};

static const char *const candidate_types[] = {
    [TDM_CANDIDATE_HOST] = "host",
    [TDM_CANDIDATE_SRFLX] = "srflx",
    [TDM_CANDIDATE_PRFLX] = "prflx",
    [TDM_CANDIDATE_RELAY] = "relay",
};

static const char *const tcp_types[] = {
    [TDM_TCP_ACTIVE] = "active",
    [TDM_TCP_PASSIVE] = "passive",
    [TDM_TCP_SO] = "so",
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The index of a name in a table; -1 when it is not there. */
static int index_of(struct tdm_text text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i][0] && tdm_text_equals(text, names[i]))
            return (int)i;
    return -1;
}

/* RFC 4648 section 4 of exactly `size` bytes; some peers leave the padding out. */
static bool base64_decode(struct tdm_text text, uint8_t *to, size_t size)
{
    size_t letters = (size * 4 + 2) / 3, used = 0;
    uint32_t bits = 0;
    unsigned held = 0;

    if (tdm_text_size(text) != (size + 2) / 3 * 4 && tdm_text_size(text) != letters)
        return false;
    for (size_t i = 0; i < tdm_text_size(text); i++) {
        const char *at = text.at[i] ? strchr(base64_letters, text.at[i]) : NULL;

        if (i >= letters ? text.at[i] != '=' : !at)
            return false;
        if (i >= letters)
            continue;
        bits = bits << 6 | (uint32_t)(at - base64_letters);
        held += 6;
        if (held >= 8) {
            held -= 8;
            to[used++] = (uint8_t)(bits >> held);
        }
    }
    return used == size && !(bits & ((1u << held) - 1));
}

static void base64_encode(const uint8_t *from, size_t size, char *to)
{
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)from[i] << 16;

        bits |= i + 1 < size ? (uint32_t)from[i + 1] << 8 : 0;
        bits |= i + 2 < size ? from[i + 2] : 0;
        *to++ = base64_letters[bits >> 18];
        *to++ = base64_letters[bits >> 12 & 63];
        *to++ = i + 1 < size ? base64_letters[bits >> 6 & 63] : '=';
        *to++ = i + 2 < size ? base64_letters[bits & 63] : '=';
    }
    *to = '\0';
}

static bool is_ice_char(char c)
{
    char lower = tdm_text_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Some peers put '-' and '_' into foundations and credentials: harmless. */
static bool take_ice_text(struct tdm_text text, size_t least, char *to, size_t capacity)
{
    for (const char *at = text.at; at < text.end; at++)
        if (!is_ice_char(*at) && *at != '-' && *at != '_')
            return false;
    return tdm_text_size(text) >= least && tdm_text_copy(text, to, capacity);
}

/* Once said, it stays. */
static enum tdm_sdp_taken take_credential(struct tdm_text value, size_t least, char *to,
                                          size_t capacity)
{
    char text[257];

    if (!take_ice_text(value, least, text, sizeof text))
        return TDM_SDP_TAKEN;
    if (to[0])
        return strcmp(to, text) == 0 ? TDM_SDP_TAKEN : TDM_SDP_CONTRADICTS;
    (void)snprintf(to, capacity, "%s", text);
    return TDM_SDP_TAKEN;
}

/* A numeric address by its letters, or a name of mDNS. */
static bool take_host(struct tdm_text text, char *to, size_t capacity)
{
    static const char local[] = ".local";
    size_t size = tdm_text_size(text);
    bool v6 = size && memchr(text.at, ':', size) != NULL;
    bool name =
        size > sizeof local &&
        tdm_text_equals(tdm_text_of(text.end - (sizeof local - 1), sizeof local - 1), local);

    for (const char *at = text.at; at < text.end; at++) {
        char c = tdm_text_lower(*at);
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'z';

        if (name ? !digit && !letter && c != '-' && c != '.'
                 : !digit && c != '.' && !(v6 && (c == ':' || (letter && c <= 'f'))))
            return false;
    }
    return size && tdm_text_copy(text, to, capacity);
}

static bool take_port(struct tdm_text text, uint16_t *port)
{
    uint64_t number;

    if (!tdm_text_number(&text, UINT16_MAX, &number) || text.at < text.end)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* Pairs of name and value behind the type: raddr, rport, tcptype, and what nobody needs. */
static bool candidate_extensions(struct tdm_candidate_desc *c, struct tdm_text value)
{
    bool tcp_type = false;

    for (;;) {
        struct tdm_text name = tdm_text_word(&value), word = tdm_text_word(&value);
        int type;

        if (name.at == name.end)
            return !c->tcp || tcp_type;
        if (tdm_text_equals(name, "raddr")) {
            (void)take_host(word, c->related_host, sizeof c->related_host);
        } else if (tdm_text_equals(name, "rport")) {
            (void)take_port(word, &c->related_port);
        } else if (tdm_text_equals(name, "tcptype")) {
            type = index_of(word, tcp_types, COUNT(tcp_types));
            tcp_type = type >= 0;
            c->tcp_type = tcp_type ? (enum tdm_tcp_type)type : TDM_TCP_ACTIVE;
        }
    }
}

/* RFC 8839 section 5.1; RFC 6544 section 4.5. */
static bool parse_candidate(struct tdm_candidate_desc *c, struct tdm_text value)
{
    struct tdm_text foundation = tdm_text_word(&value);
    struct tdm_text component = tdm_text_word(&value);
    struct tdm_text transport = tdm_text_word(&value);
    struct tdm_text priority = tdm_text_word(&value);
    struct tdm_text host = tdm_text_word(&value);
    struct tdm_text port = tdm_text_word(&value);
    struct tdm_text typ = tdm_text_word(&value);
    struct tdm_text type = tdm_text_word(&value);
    int type_index = index_of(type, candidate_types, COUNT(candidate_types));
    uint64_t number, rank;

    memset(c, 0, sizeof *c);
    c->tcp = tdm_text_equals(transport, "TCP");
    if (!take_ice_text(foundation, 1, c->foundation, sizeof c->foundation) ||
        !tdm_text_number(&component, 2, &number) || component.at < component.end || !number ||
        (!c->tcp && !tdm_text_equals(transport, "UDP")) ||
        !tdm_text_number(&priority, INT32_MAX, &rank) || priority.at < priority.end || !rank ||
        !take_host(host, c->host, sizeof c->host) || !take_port(port, &c->port) || !c->port ||
        !tdm_text_equals(typ, "typ") || type_index < 0)
        return false;
    c->component = (uint8_t)number;
    c->priority = (uint32_t)rank;
    c->type = (enum tdm_candidate_type)type_index;
    return candidate_extensions(c, value);
}

static void take_candidate(struct tdm_transport_desc *t, bool channel, struct tdm_text value)
{
    struct tdm_candidate_desc candidate;

    if (t->candidate_count == TDM_DESC_CANDIDATES_MAX || !parse_candidate(&candidate, value) ||
        candidate.tcp != channel)
        return;
    for (unsigned i = 0; i < t->candidate_count; i++) {
        const struct tdm_candidate_desc *known = &t->candidates[i];

        if (known->port == candidate.port && known->component == candidate.component &&
            known->tcp_type == candidate.tcp_type && strcmp(known->host, candidate.host) == 0)
            return;
    }
    t->candidates[t->candidate_count++] = candidate;
}

static int hex_of(char c)
{
    char lower = tdm_text_lower(c);

    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* RFC 8122 section 5: "sha-256 AB:CD:...". */
static void take_fingerprint(struct tdm_transport_desc *t, struct tdm_text value)
{
    struct tdm_text hash = tdm_text_word(&value);
    struct tdm_text bytes = tdm_text_trim(value);
    struct tdm_fingerprint_desc f = {.hash = ""};

    for (size_t i = 0; i < COUNT(hashes); i++) {
        if (!tdm_text_equals(hash, hashes[i].name))
            continue;
        (void)snprintf(f.hash, sizeof f.hash, "%s", hashes[i].name);
        f.size = hashes[i].size;
    }
    if (!f.size || tdm_text_size(bytes) != f.size * 3u - 1)
        return;
    for (unsigned i = 0; i < f.size; i++) {
        const char *at = bytes.at + (size_t)i * 3;
        int high = hex_of(at[0]), low = hex_of(at[1]);

        if (high < 0 || low < 0 || (i + 1 < f.size && at[2] != ':'))
            return;
        f.bytes[i] = (uint8_t)(high << 4 | low);
    }
    for (unsigned i = 0; i < t->fingerprint_count; i++)
        if (memcmp(&t->fingerprints[i], &f, sizeof f) == 0)
            return;
    if (t->fingerprint_count < TDM_DESC_FINGERPRINTS_MAX)
        t->fingerprints[t->fingerprint_count++] = f;
}

/* What follows the key: a lifetime, which no call outlives, and no MKI, which we do not send. */
static bool key_parameters_ok(struct tdm_text rest)
{
    struct tdm_text lifetime = tdm_text_until(&rest, '|');

    return rest.at == rest.end &&
           (lifetime.at == lifetime.end || !memchr(lifetime.at, ':', tdm_text_size(lifetime)));
}

/* RFC 4568 section 6.3: a window hint changes nothing, and a leading '-' marks what may be
 * ignored; everything else would change how packets look. */
static bool session_parameters_ok(struct tdm_text rest)
{
    for (;;) {
        struct tdm_text word = tdm_text_word(&rest);
        struct tdm_text name = tdm_text_until(&word, '=');

        if (name.at == name.end)
            return true;
        if (*name.at != '-' && !tdm_text_equals(name, "WSH"))
            return false;
    }
}

/* RFC 4568 section 9.1: "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20". The first of a tag counts. */
static void take_crypto(struct tdm_transport_desc *t, struct tdm_text value)
{
    struct tdm_text tag = tdm_text_word(&value);
    struct tdm_text suite = tdm_text_word(&value);
    struct tdm_text parameters = tdm_text_word(&value);
    struct tdm_text method = tdm_text_until(&parameters, ':');
    struct tdm_text key = tdm_text_until(&parameters, '|');
    struct tdm_crypto_desc c = {.profile = TDM_SRTP_NONE};
    uint64_t number;

    for (size_t i = 0; i < COUNT(suites); i++) {
        if (!tdm_text_equals(suite, suites[i].name))
            continue;
        c.profile = suites[i].profile;
        c.key_size = suites[i].key_size;
    }
    if (c.profile == TDM_SRTP_NONE || !tdm_text_number(&tag, 999999999, &number) ||
        tag.at < tag.end || !tdm_text_equals(method, "inline") ||
        !base64_decode(key, c.key, c.key_size) || !key_parameters_ok(parameters) ||
        !session_parameters_ok(value))
        return;
    c.tag = (uint32_t)number;
    for (unsigned i = 0; i < t->crypto_count; i++)
        if (t->cryptos[i].tag == c.tag)
            return;
    if (t->crypto_count < TDM_DESC_CRYPTO_MAX)
        t->cryptos[t->crypto_count++] = c;
}

static enum tdm_sdp_taken take_setup(struct tdm_transport_desc *t, struct tdm_text value)
{
    int setup = index_of(tdm_text_trim(value), setup_names, COUNT(setup_names));

    if (setup < 0)
        return TDM_SDP_TAKEN;
    if (t->setup != TDM_SETUP_NONE && t->setup != (enum tdm_setup)setup)
        return TDM_SDP_CONTRADICTS;
    t->setup = (enum tdm_setup)setup;
    return TDM_SDP_TAKEN;
}

static void take_options(struct tdm_transport_desc *t, struct tdm_text value)
{
    for (;;) {
        struct tdm_text word = tdm_text_word(&value);

        if (word.at == word.end)
            return;
        t->ice_trickle |= tdm_text_equals(word, "trickle");
    }
}

enum tdm_sdp_taken tdm_sdp_take_transport(struct tdm_transport_desc *t, bool channel,
                                          struct tdm_text name, struct tdm_text value)
{
    struct tdm_text whole = tdm_text_trim(value);

    if (tdm_text_equals(name, "ice-ufrag"))
        return take_credential(whole, UFRAG_MIN, t->ice_ufrag, sizeof t->ice_ufrag);
    if (tdm_text_equals(name, "ice-pwd"))
        return take_credential(whole, PWD_MIN, t->ice_pwd, sizeof t->ice_pwd);
    if (tdm_text_equals(name, "setup"))
        return take_setup(t, value);
    if (tdm_text_equals(name, "candidate"))
        take_candidate(t, channel, value);
    else if (tdm_text_equals(name, "fingerprint"))
        take_fingerprint(t, value);
    else if (tdm_text_equals(name, "crypto"))
        take_crypto(t, value);
    else if (tdm_text_equals(name, "ice-options"))
        take_options(t, value);
    else if (tdm_text_equals(name, "ice-lite"))
        t->ice_lite = true;
    else if (tdm_text_equals(name, "end-of-candidates"))
        t->end_of_candidates = true;
    else if (tdm_text_equals(name, "connection"))
        t->connection_existing = tdm_text_equals(whole, "existing");
    else
        return TDM_SDP_NOT_MINE;
    return TDM_SDP_TAKEN;
}

void tdm_sdp_inherit_transport(struct tdm_transport_desc *line,
                               const struct tdm_transport_desc *session)
{
    if (!line->ice_ufrag[0] && !line->ice_pwd[0]) {
        memcpy(line->ice_ufrag, session->ice_ufrag, sizeof line->ice_ufrag);
        memcpy(line->ice_pwd, session->ice_pwd, sizeof line->ice_pwd);
    }
    if (!line->ice_ufrag[0] || !line->ice_pwd[0]) { /* One alone is of no use. */
        memset(line->ice_ufrag, 0, sizeof line->ice_ufrag);
        memset(line->ice_pwd, 0, sizeof line->ice_pwd);
    }
    line->ice_lite |= session->ice_lite;
    line->ice_trickle |= session->ice_trickle;
    line->end_of_candidates |= session->end_of_candidates;
    if (line->setup == TDM_SETUP_NONE)
        line->setup = session->setup;
    if (!line->fingerprint_count) {
        line->fingerprint_count = session->fingerprint_count;
        memcpy(line->fingerprints, session->fingerprints, sizeof line->fingerprints);
    }
}

void tdm_sdp_candidate_text(const struct tdm_candidate_desc *c, char text[TDM_SDP_ATTRIBUTE_MAX])
{
    int used = snprintf(text, TDM_SDP_ATTRIBUTE_MAX, "a=candidate:%s %u %s %u %s %u typ %s",
                        c->foundation, c->component, c->tcp ? "TCP" : "UDP", (unsigned)c->priority,
                        c->host, c->port, candidate_types[c->type]);

    if (c->related_host[0])
        used += snprintf(text + used, TDM_SDP_ATTRIBUTE_MAX - (size_t)used, " raddr %s rport %u",
                         c->related_host, c->related_port);
    (void)snprintf(text + used, TDM_SDP_ATTRIBUTE_MAX - (size_t)used, "%s%s\r\n",
                   c->tcp ? " tcptype " : "", c->tcp ? tcp_types[c->tcp_type] : "");
}

void tdm_sdp_fingerprint_text(const struct tdm_fingerprint_desc *f,
                              char text[TDM_SDP_ATTRIBUTE_MAX])
{
    int used = snprintf(text, TDM_SDP_ATTRIBUTE_MAX, "a=fingerprint:%s ", f->hash);

    for (unsigned i = 0; i < f->size && i < sizeof f->bytes; i++)
        used += snprintf(text + used, TDM_SDP_ATTRIBUTE_MAX - (size_t)used, "%s%02X", i ? ":" : "",
                         f->bytes[i]);
    (void)snprintf(text + used, TDM_SDP_ATTRIBUTE_MAX - (size_t)used, "\r\n");
}

void tdm_sdp_crypto_text(const struct tdm_crypto_desc *c, char text[TDM_SDP_ATTRIBUTE_MAX])
{
    char key[(sizeof c->key + 2) / 3 * 4 + 1];

    text[0] = '\0';
    for (size_t i = 0; i < COUNT(suites); i++) {
        if (suites[i].profile != c->profile)
            continue;
        base64_encode(c->key, suites[i].key_size, key);
        (void)snprintf(text, TDM_SDP_ATTRIBUTE_MAX, "a=crypto:%u %s inline:%s\r\n",
                       (unsigned)c->tag, suites[i].name, key);
    }
}

const char *tdm_sdp_setup_name(enum tdm_setup setup)
{
    return (unsigned)setup < COUNT(setup_names) ? setup_names[setup] : "";
}

uint8_t tdm_sdp_srtp_key_size(enum tdm_srtp_profile profile)
{
    for (size_t i = 0; i < COUNT(suites); i++)
        if (suites[i].profile == profile)
            return suites[i].key_size;
    return 0;
}
