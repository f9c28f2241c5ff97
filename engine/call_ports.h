/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_PORTS_H
#define TDM_ENGINE_CALL_PORTS_H

/*
 * The ports of one call as its gateway maps them: asked for when the sockets are open, given to ICE
 * as candidates when they are there, given back at the end. Nothing waits for a gateway that has
 * not been found before. Control thread.
 */

#include "engine/base/address.h"
#include "engine/net.h"

#include <stdbool.h>

struct tandem_call;

struct tdm_call_ports {
    bool open;
    uint16_t ports[TDM_NET_WAYS];
    struct tdm_address told[TDM_NET_WAYS]; /* As ICE knows them; family NONE: not yet. */
};

void tdm_call_ports_open(struct tandem_call *call);
void tdm_call_ports_close(struct tandem_call *call);

/** Tells ICE what is new. */
void tdm_call_ports_follow(struct tandem_call *call);

/** Whether a gateway is there that has not answered for all ports of the call. */
bool tdm_call_ports_pending(const struct tandem_call *call);

#endif
