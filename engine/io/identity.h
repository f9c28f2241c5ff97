/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_IDENTITY_H
#define TDM_IO_IDENTITY_H

/*
 * Who we are to DTLS and TLS: a key and a self-signed certificate, made at first start and kept in
 * a file that only its owner may read, so that contacts recognise us; and the contacts' own
 * fingerprints as seen before (trust on first use). Shared by all calls of an engine; read-only
 * after load, from any thread.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_FINGERPRINT_BYTES 32 /* SHA-256 of the DER certificate. */

struct tdm_identity;

/** Loads `path`, or makes it (P-256, mode 0600, written beside and renamed). NULL: kept in memory
 *  only. TDM_E_DENIED when others may read the file, TDM_E_MALFORMED when it is none of ours: the
 *  cause says what to do; it is never overwritten. */
enum tdm_err tdm_identity_load(const char *path, struct tdm_identity **identity,
                               struct tdm_cause *cause);
void tdm_identity_free(struct tdm_identity *identity);

const uint8_t *tdm_identity_fingerprint(const struct tdm_identity *identity);

/** What is known of a contact ("user@host" or any stable name). */
enum tdm_known { TDM_KNOWN_FIRST, TDM_KNOWN_SAME, TDM_KNOWN_CHANGED };

/** Compares with what the file `path` remembers of `contact`, and remembers it when new. A changed
 *  one is not remembered until tdm_known_accept. One short line a contact; locked and renamed. */
enum tdm_err tdm_known_check(const char *path, const char *contact,
                             const uint8_t fingerprint[TDM_FINGERPRINT_BYTES],
                             enum tdm_known *known, struct tdm_cause *cause);
enum tdm_err tdm_known_accept(const char *path, const char *contact,
                              const uint8_t fingerprint[TDM_FINGERPRINT_BYTES],
                              struct tdm_cause *cause);

#endif
