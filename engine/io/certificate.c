/* SPDX-License-Identifier: MIT */
#include "engine/io/certificate.h"

#include "engine/base/digest.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* RFC 8122 section 5 names these; the two it forbids (md2, md5) are not here. */
static const EVP_MD *digest_of(const char *hash)
{
    static const struct {
        const char *name;
        const EVP_MD *(*get)(void);
    } known[] = {
        {"sha-256", EVP_sha256}, {"sha-384", EVP_sha384}, {"sha-512", EVP_sha512},
        {"sha-224", EVP_sha224}, {"sha-1", EVP_sha1},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(hash, known[i].name) == 0)
            return known[i].get();
    return NULL;
}

enum tdm_err tdm_certificate_digest(X509 *certificate, uint8_t sha256[TDM_FINGERPRINT_BYTES])
{
    unsigned size = 0;

    return X509_digest(certificate, EVP_sha256(), sha256, &size) == 1 &&
                   size == TDM_FINGERPRINT_BYTES
               ? TDM_OK
               : TDM_E_SYSTEM;
}

bool tdm_certificate_fits(X509 *certificate, const struct tdm_fingerprint_desc *fingerprints,
                          uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        const struct tdm_fingerprint_desc *f = &fingerprints[i];
        const EVP_MD *digest = digest_of(f->hash);
        uint8_t bytes[EVP_MAX_MD_SIZE];
        unsigned size = 0;

        if (digest && X509_digest(certificate, digest, bytes, &size) == 1 && size == f->size &&
            tdm_equal_in_constant_time(bytes, f->bytes, size))
            return true;
    }
    return false;
}

/* A person should know what to do, not the number of an error. */
const char *tdm_certificate_verify_words(long result)
{
    switch (result) {
    case X509_V_ERR_CERT_REJECTED:
        return "the other side's certificate is not the one that its description names: somebody "
               "may sit between you";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "the server's certificate is for another name: check the server's address";
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the server's certificate has expired: ask who runs it, and check this machine's "
               "clock";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the server's certificate is not valid yet: check this machine's clock";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "the server's certificate is self-signed: nobody that this machine trusts vouches "
               "for it";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "the server's certificate is from an authority that this machine does not know: "
               "give its file, or use another server";
    case X509_V_ERR_CERT_REVOKED:
        return "the server's certificate was revoked: use another server";
    default:
        return NULL;
    }
}

static const char *alert_words(int reason)
{
    switch (reason) {
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "both sides share no way to encrypt";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_WRONG_SSL_VERSION:
        return "the other side only speaks a version of TLS that is too old to be safe";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "a certificate was asked for and not shown";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return "the other side refused our certificate: it is not the one that our description "
               "named to it";
    case SSL_R_READ_TIMEOUT_EXPIRED:
        return "the other side did not answer in time";
    default:
        return NULL;
    }
}

static void put(char words[TDM_CERTIFICATE_WORDS], const char *text)
{
    (void)snprintf(words, TDM_CERTIFICATE_WORDS, "%s", text);
}

void tdm_certificate_library_words(char words[TDM_CERTIFICATE_WORDS])
{
    unsigned long error = ERR_get_error();
    const char *known = error ? alert_words(ERR_GET_REASON(error)) : NULL;
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    ERR_clear_error();
    if (known)
        put(words, known);
    else
        (void)snprintf(words, TDM_CERTIFICATE_WORDS, "encryption failed: %s",
                       reason ? reason : "the connection ended");
}

void tdm_certificate_explain(SSL *ssl, char words[TDM_CERTIFICATE_WORDS])
{
    long result = SSL_get_verify_result(ssl);
    const char *known = tdm_certificate_verify_words(result);

    if (result == X509_V_OK) {
        tdm_certificate_library_words(words);
        return;
    }
    ERR_clear_error();
    if (known)
        put(words, known);
    else
        (void)snprintf(words, TDM_CERTIFICATE_WORDS, "the other side's certificate is bad: %s",
                       X509_verify_cert_error_string(result));
}
