/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_LOOKUP_H
#define TDM_IO_LOOKUP_H

/*
 * A name being looked up on a worker thread: by the system's resolver, names that end in
 * ".local" by multicast DNS over IPv4 first, for the host candidates of browsers (RFC 6762). The
 * control thread starts it, is woken, and takes the addresses; nobody waits.
 */

#include "engine/base/address.h"

#define TDM_LOOKUP_MAX 4 /* Addresses that are kept. */

struct tdm_lookup;

/** `wake_fd` is signalled when it is over. TDM_E_SYSTEM when there is no thread. */
enum tdm_err tdm_lookup_start(struct tdm_lookup **lookup, const char *name, int wake_fd,
                              struct tdm_cause *cause);

/** TDM_E_AGAIN while it runs; TDM_E_GONE: there is no such name. Addresses have port 0. */
enum tdm_err tdm_lookup_take(const struct tdm_lookup *lookup,
                             struct tdm_address list[TDM_LOOKUP_MAX], uint32_t *count);

/** At any time; one that still runs ends by itself, and does not signal any more. */
void tdm_lookup_free(struct tdm_lookup *lookup);

#endif
