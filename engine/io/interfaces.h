/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_INTERFACES_H
#define TDM_IO_INTERFACES_H

/*
 * The addresses of this machine at which somebody else could reach it, for host candidates of ICE,
 * and a file descriptor that says when they change. Which of them a call offers is not decided
 * here.
 */

#include "engine/base/address.h"

#define TDM_INTERFACES_MAX 12

/** Addresses of interfaces that run, without ports: no loopback, no link-local, no
 *  tentative ones (RFC 8445 section 5.1.1.1). IPv6 first, in the kernel's order.
 *  @return how many, at most `capacity`. Any thread; allocates. */
uint32_t tdm_interfaces_list(struct tdm_address *list, uint32_t capacity);

/** A non-blocking descriptor that is readable when an address came or went; -1 with a cause. The
 *  caller closes it. */
int tdm_interfaces_watch(struct tdm_cause *cause);

/** Makes it unreadable again. @return whether something changed. Allocates nothing. */
bool tdm_interfaces_changed(int fd);

#endif
