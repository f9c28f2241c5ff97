/* SPDX-License-Identifier: MIT */
#include "signalling/sig_queue.h"

#include "engine/io/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_MAX 128

struct tdm_sig_queued {
    struct tdm_sig_queued *next;
    uint8_t event[]; /* A tdm_sig_event up to the end of its body. */
};

static size_t size_of(const struct tdm_sig_event *event)
{
    return offsetof(struct tdm_sig_event, body) + event->body_size;
}

enum tdm_err tdm_sig_queue_init(struct tdm_sig_queue *queue, bool with_fd, struct tdm_cause *cause)
{
    memset(queue, 0, sizeof *queue);
    queue->fd = with_fd ? tdm_wake_open(cause) : -1;
    if (with_fd && queue->fd < 0)
        return TDM_E_SYSTEM;
    (void)pthread_mutex_init(&queue->mutex, NULL);
    return TDM_OK;
}

void tdm_sig_queue_destroy(struct tdm_sig_queue *queue)
{
    while (queue->first) {
        struct tdm_sig_queued *next = queue->first->next;

        free(queue->first);
        queue->first = next;
    }
    (void)pthread_mutex_destroy(&queue->mutex);
    if (queue->fd >= 0)
        (void)close(queue->fd);
}

static bool must_keep(enum tdm_sig_kind kind)
{
    return kind == TDM_SIG_REFUSED || kind == TDM_SIG_ENDED || kind == TDM_SIG_FAILED ||
           kind == TDM_SIG_ACCEPTED || kind == TDM_SIG_CONFIRMED;
}

/* Without memory: what ends or makes a call is told by its kind alone. */
static enum tdm_err keep_spare(struct tdm_sig_queue *queue, const struct tdm_sig_event *event)
{
    bool kept;

    (void)pthread_mutex_lock(&queue->mutex);
    kept = must_keep(event->kind) && queue->spare_count < TDM_SIG_QUEUE_SPARES;
    if (kept)
        queue->spares[queue->spare_count++] =
            (struct tdm_sig_spare){event->kind, event->id, event->code};
    else
        queue->dropped++;
    (void)pthread_mutex_unlock(&queue->mutex);
    if (kept && queue->fd >= 0)
        tdm_wake_signal(queue->fd);
    return kept ? TDM_OK : TDM_E_SPACE;
}

enum tdm_err tdm_sig_queue_push(struct tdm_sig_queue *queue, const struct tdm_sig_event *event)
{
    struct tdm_sig_queued *queued = malloc(sizeof *queued + size_of(event));
    bool kept;

    if (!queued)
        return keep_spare(queue, event);
    queued->next = NULL;
    memcpy(queued->event, event, size_of(event));
    (void)pthread_mutex_lock(&queue->mutex);
    kept = queue->count < QUEUE_MAX || must_keep(event->kind);
    if (kept) {
        if (queue->last)
            queue->last->next = queued;
        else
            queue->first = queued;
        queue->last = queued;
        queue->count++;
    } else {
        queue->dropped++;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    if (kept && queue->fd >= 0)
        tdm_wake_signal(queue->fd);
    if (!kept)
        free(queued);
    return kept ? TDM_OK : TDM_E_SPACE;
}

/* The oldest spare; what was queued before it has been taken. Under the lock. */
static bool take_spare(struct tdm_sig_queue *queue, struct tdm_sig_event *event)
{
    if (!queue->spare_count)
        return false;
    memset(event, 0, sizeof *event);
    event->kind = queue->spares[0].kind;
    event->id = queue->spares[0].id;
    event->code = queue->spares[0].code;
    (void)snprintf(event->reason, sizeof event->reason, "out of memory for a message");
    memmove(queue->spares, queue->spares + 1, --queue->spare_count * sizeof *queue->spares);
    return true;
}

enum tdm_err tdm_sig_queue_pop(struct tdm_sig_queue *queue, struct tdm_sig_event *event)
{
    struct tdm_sig_queued *queued;
    bool spare = false;

    (void)pthread_mutex_lock(&queue->mutex);
    queued = queue->first;
    if (queued) {
        queue->first = queued->next;
        queue->count--;
        if (!queue->first)
            queue->last = NULL;
    } else {
        spare = take_spare(queue, event);
    }
    if (!queue->first && !queue->spare_count && queue->fd >= 0)
        tdm_wake_clear(queue->fd); /* Under the lock, so that no later signal is lost. */
    (void)pthread_mutex_unlock(&queue->mutex);
    if (!queued)
        return spare ? TDM_OK : TDM_E_AGAIN;

    uint32_t body_size;

    memcpy(event, queued->event, offsetof(struct tdm_sig_event, body));
    body_size = event->body_size;
    memcpy(event->body, queued->event + offsetof(struct tdm_sig_event, body), body_size);
    free(queued);
    return TDM_OK;
}
