/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIG_QUEUE_H
#define TDM_SIGNALLING_SIG_QUEUE_H

/*
 * Events on their way from a backend's thread to the one that pulls them: bounded, each at its own
 * size, with an fd that is readable while any waits. What ends a call is always kept (there are
 * few calls), without its body where there is no memory; anything else is dropped and counted when
 * the queue is full.
 */

#include "signalling/signalling.h"

#include <pthread.h>

#define TDM_SIG_QUEUE_SPARES 16

struct tdm_sig_queued;

/** An event that must be kept and found no memory. */
struct tdm_sig_spare {
    enum tdm_sig_kind kind;
    tdm_sig_id id;
    uint16_t code;
};

struct tdm_sig_queue {
    pthread_mutex_t mutex;
    int fd; /* -1: none. */
    uint32_t count, dropped;
    struct tdm_sig_queued *first, *last;
    uint32_t spare_count;
    struct tdm_sig_spare spares[TDM_SIG_QUEUE_SPARES];
};

/** Without an fd for backends that are stepped by hand: then it cannot fail. */
enum tdm_err tdm_sig_queue_init(struct tdm_sig_queue *queue, bool with_fd, struct tdm_cause *cause);
void tdm_sig_queue_destroy(struct tdm_sig_queue *queue);

/** TDM_E_SPACE when the event was dropped. */
enum tdm_err tdm_sig_queue_push(struct tdm_sig_queue *queue, const struct tdm_sig_event *event);

/** TDM_E_AGAIN when there is none. */
enum tdm_err tdm_sig_queue_pop(struct tdm_sig_queue *queue, struct tdm_sig_event *event);

#endif
