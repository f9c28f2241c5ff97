/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_TRUST_H
#define TDM_IO_TRUST_H

/*
 * Whom a TLS client believes, for connections that another library opens with an SSL_CTX of its own
 * (SIP): the certificate must be signed by somebody who is known here and made for the host's name,
 * or have exactly the fingerprint that was chosen. And a context for a server, with our identity.
 * Nothing here sends or receives. One thread.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct ssl_ctx_st;
struct tdm_trust;

struct tdm_trust_config {
    const char *host;        /* Name or numeric address that the certificate must be for. */
    const char *ca_file;     /* PEM; NULL: what the system trusts. */
    const char *fingerprint; /* SHA-256 in hex, with or without colons; NULL or "": none. It alone
                                counts then, not the name, the signature or the time. */
};

/** TDM_E_MALFORMED for a fingerprint that is none, TDM_E_SYSTEM. */
enum tdm_err tdm_trust_create(const struct tdm_trust_config *config, struct tdm_trust **trust,
                              struct tdm_cause *cause);
/** After the context's last connection. */
void tdm_trust_destroy(struct tdm_trust *trust);

/** Makes every connection that `ctx` opens verify. TDM_E_GONE when the CA file cannot be read. */
enum tdm_err tdm_trust_apply(struct tdm_trust *trust, struct ssl_ctx_st *ctx,
                             struct tdm_cause *cause);

/** Why the last certificate was refused, for people; "" when it was not. */
const char *tdm_trust_reason(const struct tdm_trust *trust);
/** The SHA-256 of the last certificate that was seen, in hex with colons; "" when none was. */
const char *tdm_trust_seen(const struct tdm_trust *trust);
/** Before another connection: forgets both. */
void tdm_trust_forget(struct tdm_trust *trust);

/** Makes `ctx`, which has a certificate, one that only accepts: what it would open itself is
 *  refused, as nobody said whom to believe. */
void tdm_trust_only_accept(struct ssl_ctx_st *ctx);

#endif
