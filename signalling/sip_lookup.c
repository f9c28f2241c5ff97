/* SPDX-License-Identifier: MIT */
#include "engine/io/thread.h"
#include "signalling/sip_state.h"

#include <pthread.h>
#include <stdlib.h>

/* A name being looked up on a thread of its own, which may outlive the backend. */
struct tdm_sip_lookup {
    struct tdm_sip_lookup *next;
    pthread_mutex_t mutex;
    struct mqueue *mq; /* NULL once the backend is gone: the thread frees. */
    bool done;
    tdm_sig_id id;
    struct tdm_sip_uri uri;
    struct sockaddr_storage address;
    enum tdm_err err;
    struct tdm_cause cause;
};

static void lookup_free(struct tdm_sip_lookup *lookup)
{
    (void)pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *lookup_run(void *arg)
{
    struct tdm_sip_lookup *lookup = arg;
    bool orphan;

    lookup->err = tdm_sip_resolve(&lookup->uri, &lookup->address, &lookup->cause);
    (void)pthread_mutex_lock(&lookup->mutex);
    orphan = !lookup->mq || mqueue_push(lookup->mq, TDM_SIP_LOOKED_UP, lookup);
    lookup->done = true;
    if (orphan && lookup->mq)
        orphan = false; /* The queue is full: freed at close. */
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (orphan)
        lookup_free(lookup);
    return NULL;
}

void tdm_sip_start_lookup(struct tdm_sip_call *call)
{
    struct tdm_sip_lookup *lookup = calloc(1, sizeof *lookup);
    struct tdm_cause cause = {""};
    pthread_t thread;

    if (!lookup) {
        tdm_sip_call_fail(call, "out of memory");
        return;
    }
    (void)pthread_mutex_init(&lookup->mutex, NULL);
    lookup->mq = call->sig->mq;
    lookup->id = call->id;
    lookup->uri = call->service.host[0] ? call->service : call->uri;
    if (tdm_thread_start(&thread, "sip-lookup", TDM_PRIORITY_NORMAL, lookup_run, lookup, NULL,
                         &cause) != TDM_OK) {
        lookup_free(lookup);
        tdm_sip_call_fail(call, cause.text);
        return;
    }
    (void)pthread_detach(thread);
    lookup->next = call->sig->lookups;
    call->sig->lookups = lookup;
}

void tdm_sip_looked_up(struct tdm_sig *sig, struct tdm_sip_lookup *lookup)
{
    struct tdm_sip_call *call = tdm_sip_call_find(sig, lookup->id);
    struct tdm_sip_lookup **at = &sig->lookups;

    while (*at != lookup)
        at = &(*at)->next;
    *at = lookup->next;
    (void)pthread_mutex_lock(&lookup->mutex); /* Its thread may still hold it. */
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (call && call->phase == TDM_SIP_LOOKING_UP) {
        if (lookup->err)
            tdm_sip_call_fail(call, lookup->cause.text);
        else
            tdm_sip_start_call(call, &lookup->address);
    }
    lookup_free(lookup);
}

void tdm_sip_forget_lookups(struct tdm_sig *sig)
{
    while (sig->lookups) {
        struct tdm_sip_lookup *lookup = sig->lookups;
        bool done;

        sig->lookups = lookup->next;
        (void)pthread_mutex_lock(&lookup->mutex);
        done = lookup->done;
        lookup->mq = NULL;
        (void)pthread_mutex_unlock(&lookup->mutex);
        if (done)
            lookup_free(lookup);
    }
}
