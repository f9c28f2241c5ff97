/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_TLS_H
#define TDM_IO_TLS_H

/*
 * One TLS 1.3 connection over a TCP socket that is non-blocking: for the data channel (both sides
 * self-signed, checked against the fingerprint of the signalled description) and for TURN over TLS
 * (name and chain; as a client there 1.2 is taken too, as coturn of Debian 12 has no more). One
 * thread at a time.
 */

#include "engine/core/media_desc.h"
#include "engine/io/identity.h"

struct tdm_tls;

struct tdm_tls_config {
    int fd; /* Connected; owned by the connection from here on, also on failure. */
    bool client;
    const struct tdm_identity *identity; /* NULL: no certificate of ours. */
    uint8_t fingerprint_count;           /* 0: the other side is checked by name and chain. */
    struct tdm_fingerprint_desc fingerprints[TDM_DESC_FINGERPRINTS_MAX];
    const char *host;    /* Name to check, borrowed for create. */
    const char *ca_file; /* NULL: the system's. */
    bool older;          /* As a server: TLS 1.2, too, for clients that know no better. */
};

enum tdm_err tdm_tls_create(struct tdm_tls **tls, const struct tdm_tls_config *config,
                            struct tdm_cause *cause);
/** Sends close_notify if it can, closes the socket. */
void tdm_tls_destroy(struct tdm_tls *tls);

/** TDM_OK when it stands, TDM_E_AGAIN: wait for tdm_tls_events; TDM_E_DENIED: not whom we expect;
 *  TDM_E_GONE: closed or reset. */
enum tdm_err tdm_tls_handshake(struct tdm_tls *tls, struct tdm_cause *cause);
/** *size bytes of room become bytes read. TDM_E_AGAIN when none wait, TDM_E_GONE at the end. */
enum tdm_err tdm_tls_read(struct tdm_tls *tls, void *data, size_t *size);
/** *size becomes what was taken; the rest must be offered again. */
enum tdm_err tdm_tls_write(struct tdm_tls *tls, const void *data, size_t *size);
/** What to poll for: POLLIN, POLLOUT. */
short tdm_tls_events(const struct tdm_tls *tls);
int tdm_tls_fd(const struct tdm_tls *tls);
/** SHA-256 of the other side's certificate; TDM_E_AGAIN before the handshake. */
enum tdm_err tdm_tls_peer(const struct tdm_tls *tls, uint8_t fingerprint[TDM_FINGERPRINT_BYTES]);

#endif
