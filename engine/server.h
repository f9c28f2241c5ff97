/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SERVER_H
#define TDM_ENGINE_SERVER_H

/* What a server's config text becomes: addresses to listen on and the core's config. Pure but for
 * the list of this machine's addresses, which comes in. */

#include "engine/core/turn_server.h"
#include "engine/io/turn_sockets.h"
#include "tandem/server.h"

struct tdm_server_plan {
    struct tdm_turn_server_config core;
    struct tdm_turn_sockets_config sockets;
    struct tdm_address relay_bind[2]; /* Where the relays' sockets are. */
    struct tdm_address advertised;    /* What to tell to clients. */
    char texts[TDM_TURN_SERVER_USERS_MAX][2][TDM_TURN_USER_MAX];
};

/** `own`: the addresses of this machine, loopback aside. TDM_E_MALFORMED with a cause. The plan
 *  borrows from the config and is not copied. */
enum tdm_err tdm_server_plan_make(struct tdm_server_plan *plan,
                                  const struct tandem_server_config *config,
                                  const struct tdm_address *own, uint32_t own_count,
                                  struct tdm_cause *cause);

#endif
