/* SPDX-License-Identifier: MIT */
/*
 * What protecting RTP costs (RFC 3711): libsrtp2 with AES_CM_128_HMAC_SHA1_80, libsrtp2 with
 * AEAD_AES_128_GCM (RFC 7714), and the latter straight from OpenSSL with a context that is kept. A
 * run is 64 packets of one stream. The two with GCM must give the same bytes, and what any of them
 * protects libsrtp2 must open again.
 */
#include "bench/micro/micro.h"

#if MICRO_SRTP
#include <openssl/evp.h>
#include <srtp2/srtp.h>
#include <string.h>

#define PACKETS       64
#define HEADER_BYTES  12
#define PAYLOAD_BYTES 1188
#define SLOT_BYTES    1280 /* A packet and its tag, which libsrtp2 wants aligned. */
#define TAG_BYTES     16   /* Of GCM. */
#define SSRC          0x5eed1234u

enum way { CM_SHA1, GCM, GCM_OPENSSL };

struct stream {
    uint8_t master[30]; /* Key and salt; GCM uses 28 bytes of them. */
    uint8_t *plain;
    int sizes[PACKETS], protected_sizes[PACKETS];
    uint8_t *cipher;
    srtp_t session;
    EVP_CIPHER_CTX *context;
    uint8_t salt[12]; /* Of the session, for OpenSSL. */
};

static bool variant_of(size_t at, struct micro_variant *variant)
{
    static const char *const names[] = {"CM-SHA1", "GCM", "GCM OpenSSL"};

    *variant = (struct micro_variant){at < 3 ? names[at] : NULL, true};
    return at < 3;
}

static srtp_t session_of(const struct stream *s, enum way way, bool sending)
{
    srtp_policy_t policy = {.ssrc = {sending ? ssrc_any_outbound : ssrc_any_inbound, 0},
                            .key = (unsigned char *)s->master,
                            .window_size = 128};
    srtp_t session = NULL;

    if (way == CM_SHA1) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    }
    return srtp_create(&session, &policy) == srtp_err_status_ok ? session : NULL;
}

/* RFC 3711 section 4.3.1: the keystream of AES in counter mode under the master key, whose first
 * counter is the master salt with the label in it. */
static bool derive(const struct stream *s, uint8_t label, uint8_t *key, int size)
{
    static const uint8_t zeros[16];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t counter[16] = {0};
    int written = 0;

    memcpy(counter, s->master + 16, 12);
    counter[7] ^= label;
    bool good = context &&
                EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, s->master, counter) == 1 &&
                EVP_EncryptUpdate(context, key, &written, zeros, size) == 1 && written == size;

    EVP_CIPHER_CTX_free(context);
    return good;
}

static bool open_context(struct stream *s)
{
    uint8_t key[16];

    s->context = EVP_CIPHER_CTX_new();
    return s->context && derive(s, 0, key, sizeof key) && derive(s, 2, s->salt, sizeof s->salt) &&
           EVP_CipherInit_ex(s->context, EVP_aes_128_gcm(), NULL, key, NULL, 1) == 1;
}

static void write_packets(struct micro_case *c, struct stream *s)
{
    uint32_t seq = micro_between(c, 0, 60000);

    for (uint32_t i = 0; i < PACKETS; i++) {
        uint8_t *at = s->plain + (size_t)i * SLOT_BYTES;
        const uint8_t head[HEADER_BYTES] = {
            0x80, 96,         (uint8_t)((seq + i) >> 8), (uint8_t)(seq + i), 1,         2, 3,
            4,    SSRC >> 24, SSRC >> 16 & 255,          SSRC >> 8 & 255,    SSRC & 255};

        memcpy(at, head, sizeof head);
        s->sizes[i] = HEADER_BYTES + (int)micro_between(c, 0, PAYLOAD_BYTES);
    }
}

/* The library keeps its state in the process and does not like to be asked twice. */
static bool init_once(void)
{
    static bool done;

    done = done || srtp_init() == srtp_err_status_ok;
    return done;
}

static bool make(struct micro_case *c)
{
    struct stream *s = c->state = micro_take(c, sizeof *s, 0);

    for (size_t i = 0; i < sizeof s->master; i++)
        s->master[i] = (uint8_t)tdm_rng_u32(&c->rng);
    c->out_size = (size_t)PACKETS * SLOT_BYTES;
    c->out = micro_take(c, c->out_size, 0);
    s->plain = micro_bytes(c, c->out_size + 64);
    s->cipher = micro_take(c, c->out_size, 0);
    write_packets(c, s);
    c->items = PACKETS;
    for (int i = 0; i < PACKETS; i++)
        c->bytes += s->sizes[i];
    return init_once() && open_context(s);
}

static void close_session(struct stream *s)
{
    if (s->session)
        (void)srtp_dealloc(s->session);
    s->session = NULL;
}

static void drop(struct micro_case *c)
{
    struct stream *s = c->state;

    close_session(s);
    EVP_CIPHER_CTX_free(s->context);
}

/* RFC 7714 section 8.1: the salt with SSRC, roll-over counter (0 here) and sequence number. */
static void nonce_of(const struct stream *s, const uint8_t *packet, uint8_t nonce[12])
{
    memcpy(nonce, s->salt, 12);
    for (int i = 0; i < 4; i++)
        nonce[2 + i] ^= packet[8 + i];
    nonce[10] ^= packet[2];
    nonce[11] ^= packet[3];
}

/* In place; -1 when the tag is not right. The size that it has then. */
static int openssl_packet(struct stream *s, uint8_t *packet, int size, bool sealing)
{
    uint8_t nonce[12];
    int count, payload = size - HEADER_BYTES - (sealing ? 0 : TAG_BYTES);
    uint8_t *body = packet + HEADER_BYTES;

    nonce_of(s, packet, nonce);
    if (EVP_CipherInit_ex(s->context, NULL, NULL, NULL, nonce, sealing) != 1 ||
        EVP_CipherUpdate(s->context, NULL, &count, packet, HEADER_BYTES) != 1 ||
        EVP_CipherUpdate(s->context, body, &count, body, payload) != 1)
        return -1;
    if (!sealing &&
        EVP_CIPHER_CTX_ctrl(s->context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, body + payload) != 1)
        return -1;
    if (EVP_CipherFinal_ex(s->context, body + payload, &count) != 1)
        return -1;
    if (sealing &&
        EVP_CIPHER_CTX_ctrl(s->context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, body + payload) != 1)
        return -1;
    return HEADER_BYTES + payload + (sealing ? TAG_BYTES : 0);
}

/* All packets in place, from `sizes` to `to_sizes`; false when one is refused. */
static bool go_through(struct stream *s, enum way way, bool sealing, uint8_t *packets,
                       const int *sizes, int *to_sizes)
{
    for (int i = 0; i < PACKETS; i++) {
        uint8_t *packet = packets + (size_t)i * SLOT_BYTES;
        int size = sizes[i];

        if (way == GCM_OPENSSL) {
            size = openssl_packet(s, packet, size, sealing);
        } else {
            srtp_err_status_t status = sealing ? srtp_protect(s->session, packet, &size)
                                               : srtp_unprotect(s->session, packet, &size);

            size = status == srtp_err_status_ok ? size : -1;
        }
        to_sizes[i] = size;
        if (size < 0)
            return false;
    }
    return true;
}

/* A new session each time: a replayed packet is refused. */
static bool start(struct stream *s, enum way way, bool sending)
{
    close_session(s);
    s->session = session_of(s, way, sending);
    return s->session;
}

static void protect_prepare(struct micro_case *c, size_t variant)
{
    struct stream *s = c->state;

    memcpy(c->out, s->plain, c->out_size);
    (void)start(s, (enum way)variant, true);
}

static void protect_run(struct micro_case *c, size_t variant)
{
    struct stream *s = c->state;

    (void)go_through(s, (enum way)variant, true, c->out, s->sizes, s->protected_sizes);
}

/* libsrtp2 opens what was sealed, and finds what was there before. */
static bool protect_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    struct stream *s = c->state;
    int sizes[PACKETS];

    (void)reference;
    memcpy(s->cipher, c->out, c->out_size);
    if (!start(s, (enum way)variant, false) ||
        !go_through(s, variant == CM_SHA1 ? CM_SHA1 : GCM, false, s->cipher, s->protected_sizes,
                    sizes))
        return false;
    for (int i = 0; i < PACKETS; i++) {
        size_t at = (size_t)i * SLOT_BYTES, size = (size_t)s->sizes[i];
        bool hidden = size < HEADER_BYTES + 16 || memcmp(s->plain + at, c->out + at, size) != 0;

        if (sizes[i] != s->sizes[i] || !hidden || memcmp(s->plain + at, s->cipher + at, size) != 0)
            return false;
    }
    return true;
}

/* What OpenSSL opens, libsrtp2 has sealed. */
static void unprotect_prepare(struct micro_case *c, size_t variant)
{
    struct stream *s = c->state;
    enum way way = variant == CM_SHA1 ? CM_SHA1 : GCM;

    memcpy(c->out, s->plain, c->out_size);
    if (!start(s, way, true) || !go_through(s, way, true, c->out, s->sizes, s->protected_sizes))
        memset(c->out, 0, c->out_size);
    (void)start(s, way, false);
}

static void unprotect_run(struct micro_case *c, size_t variant)
{
    struct stream *s = c->state;
    int sizes[PACKETS];

    if (!go_through(s, (enum way)variant, false, c->out, s->protected_sizes, sizes) ||
        memcmp(sizes, s->sizes, sizeof sizes) != 0)
        memset(c->out, 0, c->out_size);
}

static bool unprotect_right(struct micro_case *c, size_t variant, const uint8_t *reference)
{
    const struct stream *s = c->state;

    (void)variant;
    (void)reference;
    for (int i = 0; i < PACKETS; i++)
        if (memcmp(s->plain + (size_t)i * SLOT_BYTES, c->out + (size_t)i * SLOT_BYTES,
                   (size_t)s->sizes[i]) != 0)
            return false;
    return true;
}

static const struct micro_routine rows[] = {
    {.name = "srtp.protect",
     .shape = "64 packets of 1200 bytes",
     .variant = variant_of,
     .make = make,
     .prepare = protect_prepare,
     .run = protect_run,
     .right = protect_right,
     .drop = drop,
     .once = true},
    {.name = "srtp.unprotect",
     .shape = "64 packets of 1200 bytes",
     .variant = variant_of,
     .make = make,
     .prepare = unprotect_prepare,
     .run = unprotect_run,
     .right = unprotect_right,
     .drop = drop,
     .once = true},
};
const struct micro_list micro_srtp = {rows, sizeof rows / sizeof *rows};
#else
const struct micro_list micro_srtp = {NULL, 0};
#endif
