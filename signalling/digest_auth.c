/* SPDX-License-Identifier: MIT */
#include "signalling/digest_auth.h"
#include "signalling/text.h"

#include <stdio.h>
#include <string.h>

#define JOINED_MAX 4096 /* Of what is hashed. */
#define NONCE_MAC  16   /* Bytes of the MAC that a nonce carries. */

/* --- Reading ---------------------------------------------------------------------------------- */

/* name=value or name="value", up to the comma. */
struct parameter {
    struct tdm_text name, value; /* A quoted value still has its backslashes. */
};

static void skip_blanks(struct tdm_text *t)
{
    while (t->at < t->end && (tdm_text_is_space(*t->at) || *t->at == '\r' || *t->at == '\n'))
        t->at++;
}

/* False at the end, or where the text is broken: then *ok is false. */
static bool next_parameter(struct tdm_text *t, struct parameter *p, bool *ok)
{
    do
        skip_blanks(t);
    while (t->at < t->end && *t->at == ',' && t->at++);
    if (t->at == t->end)
        return false;
    *ok = false;
    p->name.at = t->at;
    while (t->at < t->end && *t->at != '=' && *t->at != ',')
        t->at++;
    p->name.end = t->at;
    p->name = tdm_text_trim(p->name);
    if (t->at == t->end || *t->at++ != '=' || p->name.at == p->name.end)
        return false;
    skip_blanks(t);
    if (t->at < t->end && *t->at == '"') {
        p->value.at = ++t->at;
        while (t->at < t->end && *t->at != '"')
            t->at += *t->at == '\\' && t->at + 1 < t->end ? 2 : 1;
        if (t->at == t->end)
            return false;
        p->value.end = t->at++;
        skip_blanks(t);
        if (t->at < t->end && *t->at != ',')
            return false;
    } else {
        p->value = tdm_text_trim(tdm_text_until(t, ','));
        for (const char *at = p->value.at; at < p->value.end; at++)
            if (*at == '"' || *at == '\\')
                return false; /* It could not be said again in quotes. */
        if (p->value.at == p->value.end)
            return false;
    }
    *ok = true;
    return true;
}

/* Copies with its backslashes: the hash is over what was sent (RFC 7616 section 3.4). */
static bool take(struct tdm_text value, char *to, size_t capacity)
{
    for (const char *at = value.at; at < value.end; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return tdm_text_copy(value, to, capacity);
}

/* Without its backslashes. */
static bool take_unquoted(struct tdm_text value, char *to, size_t capacity)
{
    size_t used = 0;

    if (!take(value, to, capacity))
        return false;
    for (const char *at = to; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        to[used++] = *at;
    }
    to[used] = '\0';
    return true;
}

static bool take_algorithm(struct tdm_text value, enum tdm_digest_algorithm *algorithm)
{
    *algorithm = tdm_text_equals(value, "SHA-256") ? TDM_DIGEST_SHA256 : TDM_DIGEST_MD5;
    return *algorithm == TDM_DIGEST_SHA256 || tdm_text_equals(value, "MD5");
}

static bool has_auth(struct tdm_text list)
{
    while (list.at < list.end)
        if (tdm_text_equals(tdm_text_trim(tdm_text_until(&list, ',')), "auth"))
            return true;
    return false;
}

static bool is_digest(struct tdm_text *t)
{
    struct tdm_text scheme;

    skip_blanks(t);
    scheme = *t;
    while (t->at<t->end && * t->at> ' ')
        t->at++;
    scheme.end = t->at;
    return tdm_text_equals(scheme, "Digest");
}

enum tdm_err tdm_digest_parse_challenge(const char *text, size_t size,
                                        struct tdm_digest_challenge *challenge)
{
    struct tdm_text t = tdm_text_of(text, size);
    bool realm = false, ok = true, fits = true, known = true;
    struct parameter p;

    memset(challenge, 0, sizeof *challenge);
    if (!is_digest(&t))
        return TDM_E_UNSUPPORTED;
    while (fits && next_parameter(&t, &p, &ok)) {
        if (tdm_text_equals(p.name, "realm"))
            realm = fits = take(p.value, challenge->realm, sizeof challenge->realm);
        else if (tdm_text_equals(p.name, "nonce"))
            fits = take(p.value, challenge->nonce, sizeof challenge->nonce);
        else if (tdm_text_equals(p.name, "opaque"))
            fits = take(p.value, challenge->opaque, sizeof challenge->opaque);
        else if (tdm_text_equals(p.name, "stale"))
            challenge->stale = tdm_text_equals(p.value, "true");
        else if (tdm_text_equals(p.name, "algorithm"))
            known &= take_algorithm(p.value, &challenge->algorithm);
        else if (tdm_text_equals(p.name, "qop"))
            known &= challenge->qop_auth = has_auth(p.value);
    }
    if (!ok || !fits || !realm || !challenge->nonce[0])
        return TDM_E_MALFORMED;
    return known ? TDM_OK : TDM_E_UNSUPPORTED;
}

static bool take_nc(struct tdm_text value, uint32_t *nc)
{
    static const char digits[] = "0123456789abcdef";

    *nc = 0;
    for (const char *at = value.at; at < value.end; at++) {
        const char *digit = *at ? strchr(digits, tdm_text_lower(*at)) : NULL;

        if (!digit)
            return false;
        *nc = *nc << 4 | (uint32_t)(digit - digits);
    }
    return tdm_text_size(value) == 8 && *nc != 0;
}

enum tdm_err tdm_digest_parse_credentials(const char *text, size_t size,
                                          struct tdm_digest_credentials *c)
{
    struct tdm_text t = tdm_text_of(text, size);
    bool ok = true, fits = true, known = true;
    struct parameter p;

    memset(c, 0, sizeof *c);
    if (!is_digest(&t))
        return TDM_E_UNSUPPORTED;
    while (fits && next_parameter(&t, &p, &ok)) {
        if (tdm_text_equals(p.name, "username"))
            fits = take_unquoted(p.value, c->user, sizeof c->user);
        else if (tdm_text_equals(p.name, "realm"))
            fits = take(p.value, c->realm, sizeof c->realm);
        else if (tdm_text_equals(p.name, "nonce"))
            fits = take(p.value, c->nonce, sizeof c->nonce);
        else if (tdm_text_equals(p.name, "opaque"))
            fits = take(p.value, c->opaque, sizeof c->opaque);
        else if (tdm_text_equals(p.name, "cnonce"))
            fits = take(p.value, c->cnonce, sizeof c->cnonce);
        else if (tdm_text_equals(p.name, "uri"))
            fits = take(p.value, c->uri, sizeof c->uri);
        else if (tdm_text_equals(p.name, "response"))
            fits = take(p.value, c->response, sizeof c->response);
        else if (tdm_text_equals(p.name, "nc"))
            fits = take_nc(p.value, &c->nc);
        else if (tdm_text_equals(p.name, "algorithm"))
            known &= take_algorithm(p.value, &c->algorithm);
        else if (tdm_text_equals(p.name, "qop"))
            known &= c->qop_auth = tdm_text_equals(p.value, "auth");
    }
    if (!ok || !fits || !c->user[0] || !c->nonce[0] || !c->uri[0] || !c->response[0] ||
        (c->qop_auth && (!c->nc || !c->cnonce[0])))
        return TDM_E_MALFORMED;
    return known ? TDM_OK : TDM_E_UNSUPPORTED;
}

bool tdm_digest_is_better(const struct tdm_digest_challenge *a,
                          const struct tdm_digest_challenge *b)
{
    return a->algorithm != b->algorithm ? a->algorithm == TDM_DIGEST_SHA256
                                        : a->qop_auth && !b->qop_auth;
}

/* --- Hashing ---------------------------------------------------------------------------------- */

static void write_hex(const uint8_t *bytes, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * size] = '\0';
}

/* H(part:part:...), of parts that together are far below JOINED_MAX. */
static void hash_joined(enum tdm_digest_algorithm algorithm, const char *const *parts,
                        size_t part_count, char hex[TDM_DIGEST_HEX_MAX])
{
    char joined[JOINED_MAX];
    uint8_t digest[TDM_SHA256_BYTES];
    size_t used = 0;

    for (size_t i = 0; i < part_count; i++) {
        size_t size = strlen(parts[i]);

        if (size + 1 > sizeof joined - used)
            size = sizeof joined - used - 1;
        if (i)
            joined[used++] = ':';
        if (size > sizeof joined - used)
            size = sizeof joined - used;
        memcpy(joined + used, parts[i], size);
        used += size;
    }
    if (algorithm == TDM_DIGEST_SHA256)
        tdm_sha256(joined, used, digest);
    else
        tdm_md5(joined, used, digest);
    write_hex(digest, algorithm == TDM_DIGEST_SHA256 ? TDM_SHA256_BYTES : TDM_MD5_BYTES, hex);
}

void tdm_digest_ha1(enum tdm_digest_algorithm algorithm, const char *user, const char *realm,
                    const char *password, char ha1[TDM_DIGEST_HEX_MAX])
{
    hash_joined(algorithm, (const char *[]){user, realm, password}, 3, ha1);
}

struct response_parts {
    const char *ha1, *nonce, *cnonce, *method, *uri;
    bool qop_auth;
    uint32_t nc;
};

/* RFC 7616 section 3.4.1. */
static void respond(enum tdm_digest_algorithm algorithm, const struct response_parts *parts,
                    char response[TDM_DIGEST_HEX_MAX])
{
    char ha2[TDM_DIGEST_HEX_MAX], nc[9];

    hash_joined(algorithm, (const char *[]){parts->method, parts->uri}, 2, ha2);
    (void)snprintf(nc, sizeof nc, "%08x", parts->nc);
    if (parts->qop_auth)
        hash_joined(algorithm,
                    (const char *[]){parts->ha1, parts->nonce, nc, parts->cnonce, "auth", ha2}, 6,
                    response);
    else
        hash_joined(algorithm, (const char *[]){parts->ha1, parts->nonce, ha2}, 3, response);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static bool can_be_sent(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static const char *algorithm_name(enum tdm_digest_algorithm algorithm)
{
    return algorithm == TDM_DIGEST_SHA256 ? "SHA-256" : "MD5";
}

/* With a backslash before what would end a quoted string. False when it does not fit. */
static bool quote(const char *text, char *to, size_t capacity)
{
    size_t used = 0;

    for (; *text; text++) {
        if (used + 3 > capacity)
            return false;
        if (*text == '"' || *text == '\\')
            to[used++] = '\\';
        to[used++] = *text;
    }
    to[used] = '\0';
    return true;
}

enum tdm_err tdm_digest_answer(const struct tdm_digest_challenge *challenge,
                               const struct tdm_digest_request *request, char *value,
                               size_t capacity)
{
    char user[TDM_DIGEST_TEXT_MAX * 2], ha1[TDM_DIGEST_HEX_MAX], response[TDM_DIGEST_HEX_MAX];
    char opaque[TDM_DIGEST_TEXT_MAX + 16] = "", qop[TDM_DIGEST_TEXT_MAX + 48] = "";
    int wrote;

    if (!can_be_sent(request->user) || !can_be_sent(request->uri) || strchr(request->uri, '"'))
        return TDM_E_MALFORMED;
    if (strlen(request->cnonce) >= TDM_DIGEST_TEXT_MAX ||
        strlen(request->uri) >= TDM_DIGEST_TEXT_MAX * 2 ||
        strlen(request->user) >= TDM_DIGEST_TEXT_MAX || !quote(request->user, user, sizeof user))
        return TDM_E_SPACE;
    tdm_digest_ha1(challenge->algorithm, request->user, challenge->realm, request->password, ha1);
    respond(challenge->algorithm,
            &(struct response_parts){.ha1 = ha1,
                                     .nonce = challenge->nonce,
                                     .cnonce = request->cnonce,
                                     .method = request->method,
                                     .uri = request->uri,
                                     .qop_auth = challenge->qop_auth,
                                     .nc = request->nc},
            response);
    if (challenge->opaque[0])
        (void)snprintf(opaque, sizeof opaque, ", opaque=\"%s\"", challenge->opaque);
    if (challenge->qop_auth)
        (void)snprintf(qop, sizeof qop, ", qop=auth, nc=%08x, cnonce=\"%s\"", request->nc,
                       request->cnonce);
    wrote = snprintf(value, capacity,
                     "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
                     "response=\"%s\", algorithm=%s%s%s",
                     user, challenge->realm, challenge->nonce, request->uri, response,
                     algorithm_name(challenge->algorithm), qop, opaque);
    return wrote >= 0 && (size_t)wrote < capacity ? TDM_OK : TDM_E_SPACE;
}

/* --- The server's side ------------------------------------------------------------------------ */

bool tdm_digest_check(const struct tdm_digest_credentials *c, const char *method, const char *ha1)
{
    char response[TDM_DIGEST_HEX_MAX], said[TDM_DIGEST_HEX_MAX];
    size_t size = strlen(c->response);

    respond(c->algorithm,
            &(struct response_parts){.ha1 = ha1,
                                     .nonce = c->nonce,
                                     .cnonce = c->cnonce,
                                     .method = method,
                                     .uri = c->uri,
                                     .qop_auth = c->qop_auth,
                                     .nc = c->nc},
            response);
    if (size != strlen(response))
        return false;
    for (size_t i = 0; i <= size; i++)
        said[i] = tdm_text_lower(c->response[i]);
    return tdm_equal_in_constant_time(response, said, size);
}

enum tdm_err tdm_digest_write_challenge(const struct tdm_digest_challenge *challenge, char *value,
                                        size_t capacity)
{
    bool opaque = challenge->opaque[0] != '\0';
    int wrote =
        snprintf(value, capacity, "Digest realm=\"%s\", nonce=\"%s\"%s%s%s, algorithm=%s%s, %s",
                 challenge->realm, challenge->nonce, opaque ? ", opaque=\"" : "", challenge->opaque,
                 opaque ? "\"" : "", algorithm_name(challenge->algorithm),
                 challenge->stale ? ", stale=true" : "", "qop=\"auth\"");

    return wrote >= 0 && (size_t)wrote < capacity ? TDM_OK : TDM_E_SPACE;
}

/* 8 hex digits of the time, 16 of the salt, 32 of the MAC over both. */
static void sign_nonce(const uint8_t key[TDM_SHA256_BYTES], const char *nonce, char *mac)
{
    uint8_t digest[TDM_SHA256_BYTES];

    tdm_hmac_sha256(key, TDM_SHA256_BYTES, nonce, 24, digest);
    write_hex(digest, NONCE_MAC, mac);
}

void tdm_digest_make_nonce(const uint8_t key[TDM_SHA256_BYTES], uint32_t now_s, uint64_t salt,
                           char nonce[TDM_DIGEST_NONCE_MAX])
{
    (void)snprintf(nonce, TDM_DIGEST_NONCE_MAX, "%08x%08x%08x", now_s, (uint32_t)(salt >> 32),
                   (uint32_t)salt);
    sign_nonce(key, nonce, nonce + 24);
}

enum tdm_err tdm_digest_look_at_nonce(const uint8_t key[TDM_SHA256_BYTES], uint32_t now_s,
                                      uint32_t age_max_s, const char *nonce)
{
    char mac[2 * NONCE_MAC + 1];
    uint32_t made_s;

    if (strlen(nonce) != 24 + 2 * NONCE_MAC)
        return TDM_E_DENIED;
    sign_nonce(key, nonce, mac);
    if (!tdm_equal_in_constant_time(mac, nonce + 24, 2 * NONCE_MAC) ||
        !take_nc(tdm_text_of(nonce, 8), &made_s))
        return TDM_E_DENIED;
    return now_s - made_s <= age_max_s ? TDM_OK : TDM_E_GONE; /* A clock set back: old. */
}
