/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_ACCOUNT_H
#define TDM_ENGINE_ACCOUNT_H

/*
 * The engine's accounts: which of them there are, how they stand, and over which of them an address
 * is reached. All but finish: the control thread.
 */

#include "engine/engine.h"
#include "tandem/account.h"

/** Where a call or message goes. */
struct tdm_engine_way {
    tdm_sig_id account;              /* 0: straight. */
    char to[TDM_SIG_ADDRESS_MAX];    /* "sip:" address. */
    char route[TDM_SIG_ADDRESS_MAX]; /* Whose way out gives our own address. */
    bool confidential;               /* Nobody on the way can read the signalling. */
};

/** Chooses the account for `to`, and writes numbers and names without a domain as its addresses.
 *  TDM_E_MALFORMED with a cause. */
enum tdm_err tdm_engine_find_way(const struct tandem *engine, const char *to,
                                 struct tdm_engine_way *way, struct tdm_cause *cause);

/** NULL: there is none of this number. */
const struct tdm_engine_account *tdm_engine_account_find(const struct tandem *engine,
                                                         tdm_sig_id id);

/** REGISTRATION of the backend. */
void tdm_engine_account_event(struct tandem *engine, const struct tdm_sig_event *event);

/** An internal outcome as the public one. */
enum tandem_status tdm_account_finish(enum tdm_err err, const struct tdm_cause *why,
                                      struct tandem_cause *cause);

#endif
