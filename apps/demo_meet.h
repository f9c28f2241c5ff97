/* SPDX-License-Identifier: MIT */
#ifndef APPS_DEMO_MEET_H
#define APPS_DEMO_MEET_H

/* Before the call of `demo`: a rendezvous server in this process, at which A and B sign in, see
 * each other come, and exchange a message. */

#include "tandem/server.h"

#include <stdio.h>

#define DEMO_DOMAIN "demo.test"

struct demo_meet {
    struct tandem_server *server;
    char store[1100];
    char accounts[2][1100]; /* Files of A's account and of B's, for `call` and `answer`. */
    char password[2][40];
    uint16_t port;      /* Of SIP. */
    double signed_in_s; /* How long each of these took; 0: it did not happen. */
    double seen_s, message_s;
};

/** Starts the server; its files lie in `folder`. False with a cause. */
bool demo_meet_open(struct demo_meet *meet, const char *folder, struct tandem_cause *cause);
/** Signs both in, has them see each other and write. False with a cause. */
bool demo_meet_run(struct demo_meet *meet, struct tandem_cause *cause);
/** Waits until a device is signed in, as B's is before A calls. */
bool demo_meet_wait(struct demo_meet *meet);
void demo_meet_close(struct demo_meet *meet);

#endif
