/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIG_MEMORY_H
#define TDM_SIGNALLING_SIG_MEMORY_H

/*
 * A signalling backend without a network: SIP's transactions (RFC 3261, simplified: INVITE, 100,
 * 180, 200, ACK, CANCEL, BYE, re-INVITE, INFO, OPTIONS, MESSAGE, REFER, with retransmission by T1
 * and T2) over a seeded wire that delays, drops, doubles and so reorders messages. It has no thread
 * and no clock: whoever owns the wire steps it. It offers the same table as the real backend.
 *
 * Any endpoint serves as a service that passes requests on (invite_back).
 *
 * Addresses: the `user` an endpoint was opened with, bare or as "sip:user" or "user@anything"; a
 * target of invite_back, "sip:back-...@user".
 */

#include "engine/base/time.h"
#include "signalling/signalling.h"

struct tdm_sig_wire;

struct tdm_sig_wire_config {
    uint64_t seed;
    tdm_time delay_min, delay_max; /* Of each message, uniform. */
    double loss, duplicate;        /* Probabilities. */
};

struct tdm_sig_wire_stats {
    uint64_t sent, lost, duplicated, delivered;
};

/** NULL when there is no memory. Destroy after closing its endpoints. */
struct tdm_sig_wire *tdm_sig_wire_create(const struct tdm_sig_wire_config *config);
void tdm_sig_wire_destroy(struct tdm_sig_wire *wire);

/** Changes loss and duplication from now on: 1.0 cuts the wire. */
void tdm_sig_wire_set_loss(struct tdm_sig_wire *wire, double loss, double duplicate);

/** Delivers and times out all that is due by `now`; returns when to call again. Commands given
 *  since the last step count as given at its time, so step to the present before commanding. */
tdm_time tdm_sig_wire_step(struct tdm_sig_wire *wire, tdm_time now);

/** From now on the endpoint `name` hears only those whom it has talked to itself, and `service`: as
 *  behind a gateway that lets nobody in. */
void tdm_sig_wire_close_side(struct tdm_sig_wire *wire, const char *name, const char *service);

struct tdm_sig_wire_stats tdm_sig_wire_stats_of(const struct tdm_sig_wire *wire);

/** config.wire = the wire, config.user = the endpoint's address. */
extern const struct tdm_sig_ops tdm_sig_memory;

#endif
