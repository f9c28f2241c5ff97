/* SPDX-License-Identifier: MIT */
/*
 * The library sees one BIO: a read gives it the datagram that just came, a write is one datagram.
 * Its retransmission timer runs on its own clock and is told only how long to wait; the caller's
 * time says when to look, and when to give up. (Its clock is the wall's: one that is set back
 * during the second of a handshake can stall it, and then GIVE_UP ends it.)
 */
#include "engine/io/dtls.h"

#include "engine/base/rt.h"
#include "engine/io/certificate.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define GIVE_UP    (30 * TDM_S)
#define FIRST_US   100000  /* A media path is up when we start, and its round trip is short. */
#define LONGEST_US 2000000 /* Between two tries. */

#define LABEL      "EXTRACTOR-dtls_srtp" /* RFC 5764 section 4.2. */
#define KEYS_MAX   ((size_t)2 * 46)
#define RECORD_MAX 16384

#define RECORD_HEAD 13 /* RFC 6347 section 4.1: type, version, epoch, number, length. */
#define SEALED_MIN  16 /* The tag; AES-GCM has 8 bytes of nonce before it (RFC 5288). */
#define NONCE_GCM   8

/* ECDSA with AES-128-GCM first, as every browser has it; RSA for peers whose key is of that kind.
 * Each has forward secrecy and an AEAD. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
static const char profiles[] = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80";

struct tdm_dtls {
    struct tdm_dtls_config config;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO_METHOD *method;
    const uint8_t *in; /* The datagram being received; NULL once it was read. */
    size_t in_size;
    enum tdm_dtls_state state;
    tdm_time now, give_up_at;
    bool started, peer_known;
    uint8_t peer[TDM_FINGERPRINT_BYTES];
    struct tdm_srtp_keys keys;
    char reason[TDM_CERTIFICATE_WORDS];
};

static int bio_write(BIO *bio, const char *data, int size)
{
    struct tdm_dtls *d = BIO_get_data(bio);

    if (size > 0)
        d->config.send(d->config.arg, (const uint8_t *)data, (size_t)size);
    return size;
}

static int bio_read(BIO *bio, char *data, int room)
{
    struct tdm_dtls *d = BIO_get_data(bio);
    size_t size = d->in_size;

    BIO_clear_retry_flags(bio);
    if (!d->in) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (size > (size_t)room)
        size = (size_t)room; /* As a socket cuts it; the record in it is then refused. */
    memcpy(data, d->in, size);
    d->in = NULL;
    return (int)size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return TDM_DTLS_DATAGRAM;
    default:
        return 0; /* DGRAM_GET_MTU_OVERHEAD among them: our MTU is the datagram's payload. */
    }
}

/* The library asks with 0 for the first wait, then with the last one. */
static unsigned next_wait(SSL *ssl, unsigned last_us)
{
    (void)ssl;
    if (last_us == 0)
        return FIRST_US;
    return last_us < LONGEST_US / 2 ? 2 * last_us : LONGEST_US;
}

static int verify(X509_STORE_CTX *store, void *arg)
{
    const struct tdm_dtls *d = arg;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);

    if (certificate &&
        tdm_certificate_fits(certificate, d->config.fingerprints, d->config.fingerprint_count)) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static bool open_context(struct tdm_dtls *d)
{
    SSL_CTX *ctx = d->ctx = SSL_CTX_new(DTLS_method());

    if (!ctx || tdm_certificate_use(ctx, d->config.identity) != TDM_OK)
        return false;
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify, d);
    return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, ciphers) == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
           SSL_CTX_set_tlsext_use_srtp(ctx, profiles) == 0; /* Zero is its success. */
}

static bool open_bio(struct tdm_dtls *d)
{
    BIO *bio;

    d->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem datagrams");
    if (!d->method || BIO_meth_set_write(d->method, bio_write) != 1 ||
        BIO_meth_set_read(d->method, bio_read) != 1 || BIO_meth_set_ctrl(d->method, bio_ctrl) != 1)
        return false;
    bio = BIO_new(d->method);
    if (!bio)
        return false;
    BIO_set_data(bio, d);
    BIO_set_init(bio, 1);
    SSL_set_bio(d->ssl, bio, bio);
    return true;
}

static bool open_session(struct tdm_dtls *d)
{
    d->ssl = SSL_new(d->ctx);
    if (!d->ssl || !open_bio(d))
        return false;
    DTLS_set_timer_cb(d->ssl, next_wait);
    if (d->config.client)
        SSL_set_connect_state(d->ssl);
    else
        SSL_set_accept_state(d->ssl);
    return SSL_set_mtu(d->ssl, TDM_DTLS_DATAGRAM) > 0;
}

enum tdm_err tdm_dtls_create(struct tdm_dtls **dtls, const struct tdm_dtls_config *config,
                             struct tdm_cause *cause)
{
    struct tdm_dtls *d;
    char words[TDM_CERTIFICATE_WORDS];

    *dtls = NULL;
    if (config->fingerprint_count == 0)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side names no certificate: it cannot be told from somebody "
                        "between you");
    d = calloc(1, sizeof *d);
    if (!d)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for encryption");
    d->config = *config;
    d->give_up_at = TDM_NEVER;
    if (open_context(d) && open_session(d)) {
        *dtls = d;
        return TDM_OK;
    }
    tdm_certificate_library_words(words);
    tdm_dtls_destroy(d);
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot set up DTLS: %s", words);
}

void tdm_dtls_destroy(struct tdm_dtls *dtls)
{
    if (!dtls)
        return;
    if (dtls->state == TDM_DTLS_UP)
        (void)SSL_shutdown(dtls->ssl);
    ERR_clear_error();
    SSL_free(dtls->ssl);
    SSL_CTX_free(dtls->ctx);
    BIO_meth_free(dtls->method);
    OPENSSL_cleanse(&dtls->keys, sizeof dtls->keys);
    free(dtls);
}

static void fail(struct tdm_dtls *d, const char *reason)
{
    d->state = TDM_DTLS_FAILED;
    (void)snprintf(d->reason, sizeof d->reason, "%s", reason);
}

static enum tdm_srtp_profile profile_of(const SRTP_PROTECTION_PROFILE *p, size_t *key, size_t *salt)
{
    *key = p && p->id == SRTP_AEAD_AES_256_GCM ? 32 : 16;
    *salt = p && p->id == SRTP_AES128_CM_SHA1_80 ? 14 : 12;
    switch (p ? p->id : 0) {
    case SRTP_AEAD_AES_128_GCM:
        return TDM_SRTP_AEAD_AES_128_GCM;
    case SRTP_AEAD_AES_256_GCM:
        return TDM_SRTP_AEAD_AES_256_GCM;
    case SRTP_AES128_CM_SHA1_80:
        return TDM_SRTP_AES_CM_128_HMAC_SHA1_80;
    default:
        return TDM_SRTP_NONE;
    }
}

/* RFC 5764 section 4.2: the client's key, the server's key, then the salts in the same order. */
static bool export_keys(struct tdm_dtls *d)
{
    size_t key, salt;
    uint8_t bytes[KEYS_MAX];
    bool client = d->config.client;

    d->keys.profile = profile_of(SSL_get_selected_srtp_profile(d->ssl), &key, &salt);
    if (d->keys.profile == TDM_SRTP_NONE ||
        SSL_export_keying_material(d->ssl, bytes, 2 * (key + salt), LABEL, sizeof LABEL - 1, NULL,
                                   0, 0) != 1)
        return false;
    uint8_t *first = client ? d->keys.local : d->keys.remote;
    uint8_t *second = client ? d->keys.remote : d->keys.local;

    memcpy(first, bytes, key);
    memcpy(second, bytes + key, key);
    memcpy(first + key, bytes + 2 * key, salt);
    memcpy(second + key, bytes + 2 * key + salt, salt);
    d->keys.size = (uint8_t)(key + salt);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return true;
}

static void finish(struct tdm_dtls *d)
{
    X509 *certificate = SSL_get0_peer_certificate(d->ssl);

    d->peer_known =
        certificate && tdm_certificate_digest(certificate, d->peer) == TDM_OK &&
        tdm_certificate_fits(certificate, d->config.fingerprints, d->config.fingerprint_count);
    if (!d->peer_known) {
        fail(d, "the other side showed no certificate");
    } else if (!export_keys(d)) {
        (void)SSL_shutdown(d->ssl);
        fail(d, "the other side's DTLS carries no keys for SRTP that we know: it is too old, or "
                "somebody took them out");
    } else {
        d->state = TDM_DTLS_UP;
        d->give_up_at = TDM_NEVER;
    }
}

/* Whether `result` of a library call ends the association, which is then said. */
static bool ended(struct tdm_dtls *d, int result)
{
    char words[TDM_CERTIFICATE_WORDS];

    switch (SSL_get_error(d->ssl, result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return false;
    case SSL_ERROR_ZERO_RETURN:
        d->state = TDM_DTLS_CLOSED;
        (void)snprintf(d->reason, sizeof d->reason, "the other side closed the association");
        return true;
    default:
        tdm_certificate_explain(d->ssl, words);
        fail(d, words);
        return true;
    }
}

static void shake(struct tdm_dtls *d)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(d->ssl);
    if (result == 1)
        finish(d);
    else
        (void)ended(d, result);
}

void tdm_dtls_start(struct tdm_dtls *dtls, tdm_time now)
{
    dtls->now = now;
    if (dtls->started || dtls->state != TDM_DTLS_HANDSHAKE)
        return;
    dtls->started = true;
    dtls->give_up_at = now + GIVE_UP;
    if (!dtls->config.client)
        return;
    tdm_rt_foreign_enter();
    shake(dtls);
    tdm_rt_foreign_leave();
}

/* All records of the datagram; the application's bytes of several follow one another. */
static void read_records(struct tdm_dtls *d, uint8_t *app, size_t *app_size)
{
    const size_t room = TDM_DTLS_DATAGRAM + 100;

    for (;;) {
        uint8_t record[RECORD_MAX];
        size_t got = 0;

        ERR_clear_error();
        int result = SSL_read_ex(d->ssl, record, sizeof record, &got);

        if (result != 1) {
            (void)ended(d, result);
            return;
        }
        if (got <= room - *app_size) {
            memcpy(app + *app_size, record, got);
            *app_size += got;
        }
    }
}

/* The bytes before the first record that cannot be one: it ends beyond the datagram, or is sealed
 * and shorter than its seal. The library takes the latter for an error of its own and ends the
 * association, so that anybody who can send us 14 bytes could. */
static size_t sound_records(const struct tdm_dtls *d, const uint8_t *data, size_t size)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(d->ssl);
    bool chacha = cipher && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305;
    const size_t least = SEALED_MIN + (chacha ? 0 : NONCE_GCM);
    size_t at = 0;

    while (size - at > RECORD_HEAD) {
        const uint8_t *head = data + at;
        size_t length = (size_t)head[11] << 8 | head[12];
        bool sealed = head[3] || head[4]; /* The epoch. */

        if (length > size - at - RECORD_HEAD || (sealed && length < least))
            break;
        at += RECORD_HEAD + length;
    }
    return at;
}

void tdm_dtls_receive(struct tdm_dtls *dtls, tdm_time now, const uint8_t *data, size_t size,
                      uint8_t *app, size_t *app_size)
{
    *app_size = 0;
    dtls->now = now;
    size = sound_records(dtls, data, size);
    if (dtls->state > TDM_DTLS_UP || size == 0)
        return;
    if (!dtls->started)
        tdm_dtls_start(dtls, now);
    dtls->in = data;
    dtls->in_size = size;
    tdm_rt_foreign_enter();
    if (dtls->state == TDM_DTLS_HANDSHAKE)
        shake(dtls);
    if (dtls->state == TDM_DTLS_UP)
        read_records(dtls, app, app_size);
    tdm_rt_foreign_leave();
    dtls->in = NULL;
}

void tdm_dtls_tick(struct tdm_dtls *dtls, tdm_time now)
{
    dtls->now = now;
    if (!dtls->started || dtls->state != TDM_DTLS_HANDSHAKE)
        return;
    if (now >= dtls->give_up_at) {
        fail(dtls, "the other side did not finish the DTLS handshake: its packets may not reach "
                   "us, or ours not it");
        return;
    }
    tdm_rt_foreign_enter();
    ERR_clear_error();
    if (DTLSv1_handle_timeout(dtls->ssl) < 0)
        (void)ended(dtls, -1);
    tdm_rt_foreign_leave();
}

tdm_time tdm_dtls_wake_at(const struct tdm_dtls *dtls)
{
    struct timeval left;

    if (!dtls->started || dtls->state != TDM_DTLS_HANDSHAKE)
        return TDM_NEVER;
    if (DTLSv1_get_timeout(dtls->ssl, &left) != 1)
        return dtls->give_up_at;
    return tdm_time_min(dtls->give_up_at,
                        dtls->now + (tdm_time)left.tv_sec * TDM_S + left.tv_usec * TDM_US);
}

enum tdm_dtls_state tdm_dtls_state(const struct tdm_dtls *dtls)
{
    return dtls->state;
}

const char *tdm_dtls_reason(const struct tdm_dtls *dtls)
{
    return dtls->reason;
}

enum tdm_err tdm_dtls_keys(const struct tdm_dtls *dtls, struct tdm_srtp_keys *keys)
{
    if (dtls->state != TDM_DTLS_UP)
        return TDM_E_AGAIN;
    *keys = dtls->keys;
    return TDM_OK;
}

enum tdm_err tdm_dtls_peer(const struct tdm_dtls *dtls, uint8_t fingerprint[TDM_FINGERPRINT_BYTES])
{
    if (!dtls->peer_known)
        return TDM_E_AGAIN;
    memcpy(fingerprint, dtls->peer, TDM_FINGERPRINT_BYTES);
    return TDM_OK;
}

enum tdm_err tdm_dtls_send(struct tdm_dtls *dtls, const uint8_t *data, size_t size)
{
    size_t taken = 0;
    int result;

    if (dtls->state != TDM_DTLS_UP)
        return TDM_E_AGAIN;
    if (size > TDM_DTLS_DATAGRAM)
        return TDM_E_SPACE;
    tdm_rt_foreign_enter();
    ERR_clear_error();
    result = SSL_write_ex(dtls->ssl, data, size, &taken);
    if (result != 1)
        (void)ended(dtls, result);
    tdm_rt_foreign_leave();
    return result == 1 ? TDM_OK : TDM_E_AGAIN;
}
