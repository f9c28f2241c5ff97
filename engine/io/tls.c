/* SPDX-License-Identifier: MIT */
/*
 * The library's own socket BIO writes with write(2), which kills the process when the other side
 * has gone, so it gets one of ours; reads are taken in pieces larger than a record, since a call
 * for each record's head and body would cost more than its decryption.
 */
#include "engine/io/tls.h"

#include "engine/base/rt.h"
#include "engine/io/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_AHEAD (64 * 1024 + 512)

struct tdm_tls {
    int fd;
    bool up, wants_write, broken;
    uint8_t fingerprint_count;
    struct tdm_fingerprint_desc fingerprints[TDM_DESC_FINGERPRINTS_MAX];
    SSL_CTX *ctx;
    SSL *ssl;
    BIO_METHOD *method;
    int os_error; /* Of the last call that failed, other than for waiting. */
};

static bool must_wait(int error)
{
    return error == EAGAIN || error == EINTR; /* EWOULDBLOCK is EAGAIN here. */
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct tdm_tls *t = BIO_get_data(bio);
    ssize_t sent = send(t->fd, data, (size_t)size, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (sent < 0 && must_wait(errno))
        BIO_set_retry_write(bio);
    else if (sent < 0)
        t->os_error = errno;
    return (int)sent;
}

static int bio_read(BIO *bio, char *data, int room)
{
    struct tdm_tls *t = BIO_get_data(bio);
    ssize_t got = recv(t->fd, data, (size_t)room, 0);

    BIO_clear_retry_flags(bio);
    if (got < 0 && must_wait(errno))
        BIO_set_retry_read(bio);
    else if (got < 0)
        t->os_error = errno;
    else if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static bool open_bio(struct tdm_tls *t)
{
    BIO *bio;

    t->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem stream");
    if (!t->method || BIO_meth_set_write(t->method, bio_write) != 1 ||
        BIO_meth_set_read(t->method, bio_read) != 1 || BIO_meth_set_ctrl(t->method, bio_ctrl) != 1)
        return false;
    bio = BIO_new(t->method);
    if (!bio)
        return false;
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    return true;
}

static int verify(X509_STORE_CTX *store, void *arg)
{
    const struct tdm_tls *t = arg;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    bool fits =
        certificate && tdm_certificate_fits(certificate, t->fingerprints, t->fingerprint_count);

    X509_STORE_CTX_set_error(store, fits ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return fits;
}

/* Both sides' certificates are in their descriptions; or the server's is in a chain of authorities,
 * and the client's is not asked for. */
static bool set_checks(struct tdm_tls *t, const struct tdm_tls_config *config)
{
    if (config->fingerprint_count) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_cert_verify_callback(t->ctx, verify, t);
        return true;
    }
    if (!config->client)
        return true;
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    return (config->ca_file ? SSL_CTX_load_verify_file(t->ctx, config->ca_file)
                            : SSL_CTX_set_default_verify_paths(t->ctx)) == 1;
}

static bool set_name(SSL *ssl, const char *host)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool open_context(struct tdm_tls *t, const struct tdm_tls_config *config)
{
    SSL_CTX *ctx = t->ctx = SSL_CTX_new(config->client ? TLS_client_method() : TLS_server_method());

    if (!ctx)
        return false;
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
    /* Servers of others, as coturn, may be older; their certificate is a public one either way. */
    bool by_name = config->client && !config->fingerprint_count;
    int oldest = by_name || config->older ? TLS1_2_VERSION : TLS1_3_VERSION;

    return SSL_CTX_set_min_proto_version(ctx, oldest) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                         "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
           (!config->identity || tdm_certificate_use(ctx, config->identity) == TDM_OK) &&
           set_checks(t, config);
}

static bool open_session(struct tdm_tls *t, const struct tdm_tls_config *config)
{
    t->ssl = SSL_new(t->ctx);
    if (!t->ssl || !open_bio(t))
        return false;
    if (!config->client) {
        SSL_set_accept_state(t->ssl);
        return true;
    }
    SSL_set_connect_state(t->ssl);
    return config->fingerprint_count || set_name(t->ssl, config->host);
}

enum tdm_err tdm_tls_create(struct tdm_tls **tls, const struct tdm_tls_config *config,
                            struct tdm_cause *cause)
{
    struct tdm_tls *t = calloc(1, sizeof *t);
    char words[TDM_CERTIFICATE_WORDS];

    assert(config->identity || (config->client && !config->fingerprint_count));
    assert(config->host || !config->client || config->fingerprint_count);
    *tls = NULL;
    if (!t) {
        (void)close(config->fd);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for encryption");
    }
    t->fd = config->fd;
    t->fingerprint_count = config->fingerprint_count;
    memcpy(t->fingerprints, config->fingerprints, sizeof t->fingerprints);
    ERR_clear_error();
    if (open_context(t, config) && open_session(t, config)) {
        *tls = t;
        return TDM_OK;
    }
    tdm_certificate_library_words(words);
    tdm_tls_destroy(t);
    if (config->ca_file)
        return tdm_fail(cause, TDM_E_SYSTEM, "cannot set up TLS with the authorities in %s: %s",
                        config->ca_file, words);
    return tdm_fail(cause, TDM_E_SYSTEM, "cannot set up TLS: %s", words);
}

void tdm_tls_destroy(struct tdm_tls *tls)
{
    if (!tls)
        return;
    if (tls->up && !tls->broken)
        (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->ctx);
    BIO_meth_free(tls->method);
    (void)close(tls->fd);
    free(tls);
}

/* After a call of the library that did not do it: AGAIN, or GONE for good. */
static enum tdm_err stopped(struct tdm_tls *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TDM_E_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        t->wants_write = true;
        return TDM_E_AGAIN;
    default:
        t->broken = true;
        return TDM_E_GONE;
    }
}

static enum tdm_err explain(struct tdm_tls *t, struct tdm_cause *cause)
{
    char words[TDM_CERTIFICATE_WORDS];
    bool library = ERR_peek_error() != 0;
    bool refused = SSL_get_verify_result(t->ssl) != X509_V_OK;

    if (!library && !refused)
        return tdm_fail(cause, TDM_E_GONE, "the connection ended while it was being secured (%s)",
                        t->os_error ? strerrordesc_np(t->os_error) : "closed by the other side");
    bool eof = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;

    tdm_certificate_explain(t->ssl, words);
    if (eof && !refused)
        return tdm_fail(cause, TDM_E_GONE,
                        "the connection ended while it was being secured (closed by the other "
                        "side)");
    return tdm_fail(cause, TDM_E_DENIED, "%s", words);
}

enum tdm_err tdm_tls_handshake(struct tdm_tls *tls, struct tdm_cause *cause)
{
    int result;

    if (tls->up)
        return TDM_OK;
    if (tls->broken)
        return tdm_fail(cause, TDM_E_GONE, "the connection has ended");
    tls->wants_write = false;
    tdm_rt_foreign_enter();
    ERR_clear_error();
    result = SSL_do_handshake(tls->ssl);
    tls->up = result == 1;
    enum tdm_err err = tls->up ? TDM_OK : stopped(tls, result);

    if (err == TDM_E_GONE)
        err = explain(tls, cause);
    tdm_rt_foreign_leave();
    return err;
}

enum tdm_err tdm_tls_read(struct tdm_tls *tls, void *data, size_t *size)
{
    size_t room = *size, got = 0;
    enum tdm_err err = TDM_OK;

    *size = 0;
    if (tls->broken)
        return TDM_E_GONE;
    if (!tls->up)
        return TDM_E_AGAIN;
    tdm_rt_foreign_enter();
    while (room > 0 && err == TDM_OK) {
        ERR_clear_error();
        int result = SSL_read_ex(tls->ssl, data, room, &got);

        if (result == 1) {
            data = (char *)data + got;
            room -= got;
            *size += got;
        } else {
            err = stopped(tls, result);
        }
    }
    tdm_rt_foreign_leave();
    return *size ? TDM_OK : err; /* What ended it is told by the next call. */
}

enum tdm_err tdm_tls_write(struct tdm_tls *tls, const void *data, size_t *size)
{
    size_t left = *size, taken = 0;
    enum tdm_err err = TDM_OK;

    *size = 0;
    if (tls->broken)
        return TDM_E_GONE;
    if (!tls->up)
        return TDM_E_AGAIN;
    tls->wants_write = false;
    tdm_rt_foreign_enter();
    while (left > 0 && err == TDM_OK) {
        ERR_clear_error();
        int result = SSL_write_ex(tls->ssl, data, left, &taken);

        if (result == 1) {
            data = (const char *)data + taken;
            left -= taken;
            *size += taken;
        } else {
            err = stopped(tls, result);
        }
    }
    tdm_rt_foreign_leave();
    return *size ? TDM_OK : err;
}

short tdm_tls_events(const struct tdm_tls *tls)
{
    if (!tls->up)
        return tls->wants_write ? POLLOUT : POLLIN;
    return (short)(POLLIN | (tls->wants_write ? POLLOUT : 0));
}

int tdm_tls_fd(const struct tdm_tls *tls)
{
    return tls->fd;
}

enum tdm_err tdm_tls_peer(const struct tdm_tls *tls, uint8_t fingerprint[TDM_FINGERPRINT_BYTES])
{
    X509 *certificate = tls->up ? SSL_get0_peer_certificate(tls->ssl) : NULL;

    return certificate ? tdm_certificate_digest(certificate, fingerprint) : TDM_E_AGAIN;
}
