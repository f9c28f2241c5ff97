/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_CERTIFICATE_H
#define TDM_IO_CERTIFICATE_H

/*
 * What DTLS and TLS share of OpenSSL: our key and certificate in a context, the other side's
 * certificate against what its description said, and words for what went wrong. The only header of
 * the engine that shows the library's names, for the files beside it alone.
 */

#include "engine/core/media_desc.h"
#include "engine/io/identity.h"

#include <openssl/ssl.h>

/** Room for a sentence. */
#define TDM_CERTIFICATE_WORDS 200

/** Gives `ctx` our certificate and key; TDM_E_SYSTEM when the library does not want them. */
enum tdm_err tdm_certificate_use(SSL_CTX *ctx, const struct tdm_identity *identity);

enum tdm_err tdm_certificate_digest(X509 *certificate, uint8_t sha256[TDM_FINGERPRINT_BYTES]);

/** Whether any of the fingerprints is the certificate's. A hash that is broken (md5, md2) or
 *  unknown never fits. */
bool tdm_certificate_fits(X509 *certificate, const struct tdm_fingerprint_desc *fingerprints,
                          uint8_t count);

/** A verification's result (X509_V_...) as a sentence; NULL when there is none of ours for it. */
const char *tdm_certificate_verify_words(long result);

/** Why `ssl` failed, for people: the verification's result if that was it, else the other side's
 *  alert, else the library's own reason. Empties the library's queue of errors of this thread. */
void tdm_certificate_explain(SSL *ssl, char words[TDM_CERTIFICATE_WORDS]);

/** The first thing in the library's queue of errors of this thread, which is emptied. */
void tdm_certificate_library_words(char words[TDM_CERTIFICATE_WORDS]);

#endif
