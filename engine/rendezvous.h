/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_RENDEZVOUS_H
#define TDM_ENGINE_RENDEZVOUS_H

/*
 * Drives the core of signalling/rendezvous.h over sockets and its store, on a thread of its own,
 * and tells how it is over HTTP: /status (JSON) and /metrics (Prometheus).
 */

#include "engine/io/identity.h"
#include "tandem/server.h"

struct tdm_rendezvous;

/** Serves when it returns TDM_OK. `identity` NULL: no TLS. */
enum tdm_err tdm_rendezvous_create(struct tdm_rendezvous **rendezvous,
                                   const struct tandem_server_config *config,
                                   const struct tdm_identity *identity, struct tdm_cause *cause);
void tdm_rendezvous_destroy(struct tdm_rendezvous *rendezvous);
/** Fills what is of SIP. Any thread. */
void tdm_rendezvous_stats(struct tdm_rendezvous *rendezvous, struct tandem_server_stats *stats);

/** "NAME" in $XDG_STATE_HOME/tandem, with the folders made. */
bool tdm_server_state_path(const char *name, char *path, size_t capacity);

#endif
