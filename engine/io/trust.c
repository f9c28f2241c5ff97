/* SPDX-License-Identifier: MIT */
#include "engine/io/trust.h"
#include "engine/io/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERPRINT_TEXT (3 * TDM_FINGERPRINT_BYTES)

struct tdm_trust {
    char host[256], ca_file[512];
    bool pinned, numeric;
    uint8_t pin[TDM_FINGERPRINT_BYTES];
    char reason[TDM_CERTIFICATE_WORDS + 128];
    char seen[FINGERPRINT_TEXT];
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool parse_fingerprint(const char *text, uint8_t bytes[TDM_FINGERPRINT_BYTES])
{
    size_t count = 0;

    while (*text && count < TDM_FINGERPRINT_BYTES) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0)
            return false;
        bytes[count++] = (uint8_t)(high << 4 | low);
        text += 2;
        if (*text == ':' && text[1])
            text++;
    }
    return count == TDM_FINGERPRINT_BYTES && !*text;
}

static void write_fingerprint(const uint8_t bytes[TDM_FINGERPRINT_BYTES],
                              char text[FINGERPRINT_TEXT])
{
    for (size_t i = 0; i < TDM_FINGERPRINT_BYTES; i++)
        (void)snprintf(text + 3 * i, 4, "%02X%s", bytes[i],
                       i + 1 < TDM_FINGERPRINT_BYTES ? ":" : "");
}

enum tdm_err tdm_trust_create(const struct tdm_trust_config *config, struct tdm_trust **out,
                              struct tdm_cause *cause)
{
    struct tdm_trust *trust = calloc(1, sizeof *trust);
    const char *pin = config->fingerprint ? config->fingerprint : "";
    uint8_t address[16];

    if (!trust)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory");
    (void)snprintf(trust->host, sizeof trust->host, "%s", config->host);
    (void)snprintf(trust->ca_file, sizeof trust->ca_file, "%s",
                   config->ca_file ? config->ca_file : "");
    trust->numeric = inet_pton(AF_INET, trust->host, address) == 1 ||
                     inet_pton(AF_INET6, trust->host, address) == 1;
    trust->pinned = pin[0] != '\0';
    if (trust->pinned && !parse_fingerprint(pin, trust->pin)) {
        free(trust);
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "\"%.80s\" is no SHA-256 fingerprint: 32 bytes in hex, like A1:B2:...",
                        pin);
    }
    *out = trust;
    return TDM_OK;
}

void tdm_trust_destroy(struct tdm_trust *trust)
{
    free(trust);
}

static void refuse(struct tdm_trust *trust, const char *words)
{
    (void)snprintf(trust->reason, sizeof trust->reason, "%s", words);
}

static void explain(struct tdm_trust *trust, X509 *certificate, int result)
{
    const char *words = tdm_certificate_verify_words(result);
    char name[128] = "";

    if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                        sizeof name);
        for (char *at = name; *at; at++)
            if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
                *at = '?';
        (void)snprintf(trust->reason, sizeof trust->reason,
                       "the server's certificate is for another name (%.60s), not for %.60s: check "
                       "the server's address",
                       name[0] ? name : "none", trust->host);
    } else if (words) {
        refuse(trust, words);
    } else {
        (void)snprintf(trust->reason, sizeof trust->reason,
                       "the server's certificate is bad: %.100s",
                       X509_verify_cert_error_string(result));
    }
}

/* In place of the library's own verification, which would not say why it failed. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    struct tdm_trust *trust = arg;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    uint8_t digest[TDM_FINGERPRINT_BYTES];
    bool good;

    trust->reason[0] = '\0';
    if (!certificate || tdm_certificate_digest(certificate, digest) != TDM_OK) {
        refuse(trust, "the server showed no certificate");
        return 0;
    }
    write_fingerprint(digest, trust->seen);
    if (trust->pinned) {
        good = memcmp(digest, trust->pin, sizeof digest) == 0;
        if (!good)
            refuse(trust, "the server's certificate is not the one whose fingerprint was chosen: "
                          "ask who runs it before you choose the new one");
        X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
        return good;
    }
    good = X509_verify_cert(store) == 1;
    if (!good)
        explain(trust, certificate, X509_STORE_CTX_get_error(store));
    return good;
}

/* The library that opens the connection knows addresses only: the name is asked for here. */
static void ask_for_name(const SSL *ssl, int where, int value)
{
    struct tdm_trust *trust = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    (void)value;
    if (where & SSL_CB_HANDSHAKE_START && trust && !trust->numeric && !SSL_is_server(ssl) &&
        !SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
        (void)SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, trust->host);
}

enum tdm_err tdm_trust_apply(struct tdm_trust *trust, struct ssl_ctx_st *ctx,
                             struct tdm_cause *cause)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    int named;

    if (trust->pinned)
        named = 1;
    else if (trust->numeric)
        named = X509_VERIFY_PARAM_set1_ip_asc(param, trust->host);
    else
        named = X509_VERIFY_PARAM_set1_host(param, trust->host, 0);
    if (named != 1 || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
        return tdm_fail(cause, TDM_E_SYSTEM, "TLS cannot be set up for %.60s", trust->host);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (trust->ca_file[0] ? SSL_CTX_load_verify_file(ctx, trust->ca_file) != 1
                          : SSL_CTX_set_default_verify_paths(ctx) != 1) {
        ERR_clear_error();
        return tdm_fail(
            cause, TDM_E_GONE,
            "the file of trusted authorities (%.100s) cannot be read, or has none in it",
            trust->ca_file[0] ? trust->ca_file : "the system's");
    }
    SSL_CTX_set_app_data(ctx, trust);
    SSL_CTX_set_info_callback(ctx, ask_for_name);
    SSL_CTX_set_cert_verify_callback(ctx, verify, trust);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return TDM_OK;
}

const char *tdm_trust_reason(const struct tdm_trust *trust)
{
    return trust->reason;
}

const char *tdm_trust_seen(const struct tdm_trust *trust)
{
    return trust->seen;
}

void tdm_trust_forget(struct tdm_trust *trust)
{
    trust->reason[0] = trust->seen[0] = '\0';
}

static int refuse_all(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static void verify_what_we_open(const SSL *ssl, int where, int value)
{
    (void)value;
    if (where & SSL_CB_HANDSHAKE_START && !SSL_is_server(ssl))
        SSL_set_verify((SSL *)(uintptr_t)ssl, SSL_VERIFY_PEER, NULL);
}

void tdm_trust_only_accept(struct ssl_ctx_st *ctx)
{
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_cert_verify_callback(ctx, refuse_all, NULL);
    SSL_CTX_set_info_callback(ctx, verify_what_we_open);
}
