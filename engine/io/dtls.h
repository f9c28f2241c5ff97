/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_DTLS_H
#define TDM_IO_DTLS_H

/*
 * One DTLS association (RFC 5764, RFC 6347) over datagrams that somebody else carries: bytes in,
 * bytes out, time in. It proves that the other side has the key of the fingerprint in the signalled
 * description and exports the keys for SRTP; afterwards it carries application datagrams, for the
 * data channel's last resort. Net thread; the library inside allocates (engine/base/rt.h).
 */

#include "engine/base/time.h"
#include "engine/core/media_desc.h"
#include "engine/io/identity.h"

#define TDM_DTLS_DATAGRAM 1200

struct tdm_dtls;

enum tdm_dtls_state { TDM_DTLS_HANDSHAKE, TDM_DTLS_UP, TDM_DTLS_FAILED, TDM_DTLS_CLOSED };

/** Keys of both directions, master key and salt one after the other. */
struct tdm_srtp_keys {
    enum tdm_srtp_profile profile;
    uint8_t local[46], remote[46];
    uint8_t size;
};

struct tdm_dtls_config {
    const struct tdm_identity *identity; /* Outlives the association. */
    bool client;                         /* a=setup:active */
    uint8_t fingerprint_count;           /* Any of them may be the other side's certificate's. */
    struct tdm_fingerprint_desc fingerprints[TDM_DESC_FINGERPRINTS_MAX];
    /** A datagram must leave; called inside the functions below. */
    void (*send)(void *arg, const uint8_t *data, size_t size);
    void *arg;
};

enum tdm_err tdm_dtls_create(struct tdm_dtls **dtls, const struct tdm_dtls_config *config,
                             struct tdm_cause *cause);
/** Sends close_notify when it is up. */
void tdm_dtls_destroy(struct tdm_dtls *dtls);

/** Starts the handshake of a client (when the path is there); a server waits. */
void tdm_dtls_start(struct tdm_dtls *dtls, tdm_time now);

/** One datagram whose first byte is 20-63. Application bytes, if any, are copied into `app` (room
 *  for TDM_DTLS_DATAGRAM + 100) and counted in *app_size. */
void tdm_dtls_receive(struct tdm_dtls *dtls, tdm_time now, const uint8_t *data, size_t size,
                      uint8_t *app, size_t *app_size);
/** Retransmits when it is time. */
void tdm_dtls_tick(struct tdm_dtls *dtls, tdm_time now);
tdm_time tdm_dtls_wake_at(const struct tdm_dtls *dtls);

enum tdm_dtls_state tdm_dtls_state(const struct tdm_dtls *dtls);
/** For people: why it failed. */
const char *tdm_dtls_reason(const struct tdm_dtls *dtls);
/** TDM_E_AGAIN until it is up. */
enum tdm_err tdm_dtls_keys(const struct tdm_dtls *dtls, struct tdm_srtp_keys *keys);
/** Of the other side's certificate, SHA-256; TDM_E_AGAIN until it is known. */
enum tdm_err tdm_dtls_peer(const struct tdm_dtls *dtls, uint8_t fingerprint[TDM_FINGERPRINT_BYTES]);
/** One application datagram; TDM_E_AGAIN until it is up, TDM_E_SPACE over TDM_DTLS_DATAGRAM. */
enum tdm_err tdm_dtls_send(struct tdm_dtls *dtls, const uint8_t *data, size_t size);

#endif
