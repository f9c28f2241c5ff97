/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_DIGEST_AUTH_H
#define TDM_SIGNALLING_DIGEST_AUTH_H

/*
 * Digest access authentication for SIP (RFC 3261 section 22, RFC 7616, RFC 8760): reads and answers
 * challenges on the client's side, makes challenges and checks answers on the server's. MD5 and
 * SHA-256, qop "auth" or none; no "-sess", no auth-int, no userhash. Pure: time, keys and random
 * words are arguments. Who counts as which user, how often a nonce may be used and when to give up
 * is the caller's business.
 */

#include "engine/base/digest.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_DIGEST_TEXT_MAX   256  /* Of a realm, nonce, opaque or user with its terminator. */
#define TDM_DIGEST_HEX_MAX    65   /* A hash in hex with its terminator. */
#define TDM_DIGEST_HEADER_MAX 2048 /* Enough for every header value written here. */

enum tdm_digest_algorithm {
    TDM_DIGEST_MD5, /* What a challenge without `algorithm` means. */
    TDM_DIGEST_SHA256,
};

/** One WWW-Authenticate or Proxy-Authenticate that can be answered. */
struct tdm_digest_challenge {
    enum tdm_digest_algorithm algorithm;
    bool qop_auth; /* Offered: then it is used. */
    bool stale;    /* The password was right, the nonce was old. */
    char realm[TDM_DIGEST_TEXT_MAX], nonce[TDM_DIGEST_TEXT_MAX], opaque[TDM_DIGEST_TEXT_MAX];
};

/** An Authorization or Proxy-Authorization. */
struct tdm_digest_credentials {
    enum tdm_digest_algorithm algorithm;
    bool qop_auth;
    uint32_t nc; /* 0 without qop. */
    char user[TDM_DIGEST_TEXT_MAX], realm[TDM_DIGEST_TEXT_MAX], nonce[TDM_DIGEST_TEXT_MAX];
    char opaque[TDM_DIGEST_TEXT_MAX], cnonce[TDM_DIGEST_TEXT_MAX];
    char uri[TDM_DIGEST_TEXT_MAX * 2];
    char response[TDM_DIGEST_HEX_MAX];
};

/* --- Both sides ------------------------------------------------------------------------------- */

/** H(user:realm:password) in lower-case hex: what a server stores instead of the password. */
void tdm_digest_ha1(enum tdm_digest_algorithm algorithm, const char *user, const char *realm,
                    const char *password, char ha1[TDM_DIGEST_HEX_MAX]);

/* --- Client ----------------------------------------------------------------------------------- */

/** Reads one header value ("Digest realm=..."). TDM_E_UNSUPPORTED for another scheme, algorithm or
 *  qop (look at the next header), TDM_E_MALFORMED. */
enum tdm_err tdm_digest_parse_challenge(const char *text, size_t size,
                                        struct tdm_digest_challenge *challenge);

/** Whether `a` should be answered rather than `b`: SHA-256 before MD5 (RFC 8760 section 2.3). */
bool tdm_digest_is_better(const struct tdm_digest_challenge *a,
                          const struct tdm_digest_challenge *b);

struct tdm_digest_request {
    const char *user, *password;
    const char *method; /* "REGISTER" */
    const char *uri;    /* As in the request line. */
    const char *cnonce; /* Random; quotes and backslashes may not be in it. */
    uint32_t nc;        /* How often this nonce was used, this time included: from 1. */
};

/** Writes the header value ("Digest username=..."). TDM_E_SPACE when it does not fit,
 *  TDM_E_MALFORMED when a text cannot stand in a header. */
enum tdm_err tdm_digest_answer(const struct tdm_digest_challenge *challenge,
                               const struct tdm_digest_request *request, char *value,
                               size_t capacity);

/* --- Server ----------------------------------------------------------------------------------- */

/** Reads one header value; errors as of a challenge. */
enum tdm_err tdm_digest_parse_credentials(const char *text, size_t size,
                                          struct tdm_digest_credentials *credentials);

/** Whether the response proves that its sender knows what `ha1` was made from (in hex, of the
 *  credentials' algorithm). In a time that does not tell where it differs. Nonce, realm, user and
 *  uri are to be looked at by the caller. */
bool tdm_digest_check(const struct tdm_digest_credentials *credentials, const char *method,
                      const char *ha1);

/** Writes a challenge's header value; always with qop="auth". TDM_E_SPACE. Send the one for SHA-256
 *  first (RFC 8760 section 2.4). */
enum tdm_err tdm_digest_write_challenge(const struct tdm_digest_challenge *challenge, char *value,
                                        size_t capacity);

/** A nonce that its maker recognises without keeping it: the time, a random salt and their MAC. */
#define TDM_DIGEST_NONCE_MAX 65
void tdm_digest_make_nonce(const uint8_t key[TDM_SHA256_BYTES], uint32_t now_s, uint64_t salt,
                           char nonce[TDM_DIGEST_NONCE_MAX]);

/** TDM_OK: ours, and made at most `age_max_s` ago; TDM_E_GONE: ours, but old: challenge with
 *  `stale`; TDM_E_DENIED: not ours. */
enum tdm_err tdm_digest_look_at_nonce(const uint8_t key[TDM_SHA256_BYTES], uint32_t now_s,
                                      uint32_t age_max_s, const char *nonce);

#endif
