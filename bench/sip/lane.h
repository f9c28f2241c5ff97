/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SIP_LANE_H
#define BENCH_SIP_LANE_H

/* One way to a SIP server: a UDP socket, a TCP or a TLS connection. Whole messages go in and come
 * out. Certificates are not looked at: this is for loads on one's own machine. Ends the program
 * with words when something fails. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lane_over { LANE_UDP, LANE_TCP, LANE_TLS };

struct lane;

struct lane *lane_open(enum lane_over over, const struct sockaddr_in *server);
void lane_close(struct lane *lane);

/** For poll: readable always, writable while something waits to be sent. */
int lane_fd(const struct lane *lane);
bool lane_is_full(const struct lane *lane);
/** "127.0.0.1:40000" as the server sees it; "UDP", "TCP" or "TLS". */
const char *lane_place(const struct lane *lane);
const char *lane_transport(const struct lane *lane);

void lane_send(struct lane *lane, const char *text, size_t size);
void lane_flush(struct lane *lane);
/** The next message that came, with a terminator, borrowed until the next call; NULL: none now. */
char *lane_next(struct lane *lane, size_t *size);

void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
