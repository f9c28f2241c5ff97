/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LIVE_BETWEEN_H
#define TESTS_LIVE_BETWEEN_H

/* One who sits between two engines on the way of their signalling, on loopback, and may change what
 * they say. For tests of attacks, and for benches that add candidates. */

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BETWEEN_MESSAGE_MAX 16384

/** Changes the body of a message from the caller (`from_a`) or the called one, in place. */
typedef void between_fn(char *body, size_t capacity, bool from_a);

struct between {
    uint16_t port; /* Call this one. */
    int fd;
    uint16_t b_port;
    struct sockaddr_in a;
    between_fn *change;
    atomic_bool stop;
    atomic_int changed; /* How many messages. */
    pthread_t thread;
    char message[BETWEEN_MESSAGE_MAX + 1];
};

/** Passes on to the SIP port `b_port`. Aborts when the machine has no socket or thread. */
void between_open(struct between *m, uint16_t b_port, between_fn *change);
void between_close(struct between *m);

/** Every occurrence, in a text with room for `capacity` bytes. */
void between_replace(char *text, size_t capacity, const char *from, const char *to);
/** Every line that begins so goes. */
void between_drop_lines(char *text, const char *start);

#endif
