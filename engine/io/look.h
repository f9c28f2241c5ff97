/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_LOOK_H
#define TDM_IO_LOOK_H

/* What this machine says of itself, for doctor: its clock, tunnels, ports and routes. Nothing is
 * changed. Any thread; may allocate. */

#include "engine/base/address.h"
#include "engine/base/err.h"
#include "engine/base/time.h"

enum tdm_look_clock {
    TDM_CLOCK_SYNCED,
    TDM_CLOCK_FREE,  /* Runs, but nobody sets it. */
    TDM_CLOCK_WRONG, /* Before this program was built. */
};

enum tdm_look_clock tdm_look_clock(void);

/** Names of interfaces that run and are tunnels (VPN), with blanks between; "" for none. `routed`:
 *  the default route leads into one. */
void tdm_look_tunnels(char *names, size_t capacity, bool *routed);

/** Whether a port could be opened now. */
bool tdm_look_port_free(bool tcp, uint16_t port);

/** The largest IP packet on the way to `to`, as this machine knows it; 0: not reachable. */
uint32_t tdm_look_mtu(const struct tdm_address *to);

/** The address of ours from which `to` is reached; TDM_E_GONE without a route. */
enum tdm_err tdm_look_source(const struct tdm_address *to, struct tdm_address *source);

enum tdm_look_tcp { TDM_TCP_OPEN, TDM_TCP_REFUSED, TDM_TCP_SILENT };

/** Connects and hangs up. *took: how long until it was open or refused. */
enum tdm_look_tcp tdm_look_tcp(const struct tdm_address *to, tdm_time within, tdm_time *took);

#endif
