/* SPDX-License-Identifier: MIT */
#include "engine/io/entropy.h"
#include "engine/io/lan_find.h"
#include "engine/io/thread.h"
#include "engine/io/udp.h"
#include "signalling/sip_state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void lookup_free(struct tdm_sip_lookup *lookup)
{
    (void)pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

/* DNS knows no server of an account's domain: one of this network may. */
static void ask_network(struct tdm_sip_lookup *lookup)
{
    const enum tdm_lan_transport transport = lookup->uri.tls   ? TDM_LAN_TLS
                                             : lookup->uri.tcp ? TDM_LAN_TCP
                                                               : TDM_LAN_UDP;
    struct tdm_lan_server servers[TDM_LAN_SERVERS_MAX];
    uint32_t count;

    if (lookup->uri.port || lookup->uri.ipv6 ||
        tdm_lan_find(lookup->uri.host, TDM_LAN_FIND_TIME, servers, &count, NULL) != TDM_OK)
        return;
    for (uint32_t i = 0; i < count && lookup->address_count < TDM_SIP_ADDRESSES_MAX; i++) {
        struct sockaddr_storage *address = &lookup->addresses[lookup->address_count];
        socklen_t size;

        memset(address, 0, sizeof *address);
        if (servers[i].transport == transport &&
            tdm_udp_sockaddr(&servers[i].address, servers[i].address.family, address, &size))
            lookup->address_count++;
    }
    if (lookup->address_count)
        lookup->err = TDM_OK;
}

static void *lookup_run(void *arg)
{
    struct tdm_sip_lookup *lookup = arg;
    bool orphan;

    if (lookup->account)
        lookup->err = tdm_sip_resolve_all(&lookup->uri, lookup->seed, lookup->addresses,
                                          &lookup->address_count, &lookup->cause);
    if (lookup->account && lookup->err == TDM_E_GONE)
        ask_network(lookup);
    if (!lookup->account)
        lookup->err = tdm_sip_resolve(&lookup->uri, lookup->addresses, &lookup->cause);
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

static enum tdm_err start(struct tdm_sig *sig, const struct tdm_sip_lookup *what,
                          struct tdm_cause *cause)
{
    struct tdm_sip_lookup *lookup = malloc(sizeof *lookup);
    pthread_t thread;
    enum tdm_err err;

    if (!lookup)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory");
    *lookup = *what;
    (void)pthread_mutex_init(&lookup->mutex, NULL);
    lookup->mq = sig->mq;
    err = tdm_thread_start(&thread, "sip-lookup", TDM_PRIORITY_NORMAL, lookup_run, lookup, NULL,
                           cause);
    if (err) {
        lookup_free(lookup);
        return err;
    }
    (void)pthread_detach(thread);
    lookup->next = sig->lookups;
    sig->lookups = lookup;
    return TDM_OK;
}

void tdm_sip_start_lookup(struct tdm_sip_call *call)
{
    struct tdm_cause cause = {""};

    if (start(call->sig,
              &(struct tdm_sip_lookup){.id = call->id,
                                       .uri = call->service.host[0] ? call->service : call->uri},
              &cause) != TDM_OK)
        tdm_sip_call_fail(call, cause.text);
}

void tdm_sip_look_up_account(struct tdm_sip_account *account, uint32_t attempt)
{
    struct tdm_sip_lookup what = {
        .id = account->id,
        .account = true,
        .attempt = attempt,
        .seed = tdm_entropy_u64(),
        .uri = account->hop,
    };

    what.err = start(account->sig, &what, &what.cause);
    if (what.err)
        tdm_sip_account_looked_up(account, &what);
}

void tdm_sip_looked_up(struct tdm_sig *sig, struct tdm_sip_lookup *lookup)
{
    struct tdm_sip_account *account =
        lookup->account ? tdm_sip_account_find(sig, lookup->id) : NULL;
    struct tdm_sip_call *call = lookup->account ? NULL : tdm_sip_call_find(sig, lookup->id);
    struct tdm_sip_lookup **at = &sig->lookups;

    while (*at != lookup)
        at = &(*at)->next;
    *at = lookup->next;
    (void)pthread_mutex_lock(&lookup->mutex); /* Its thread may still hold it. */
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (account)
        tdm_sip_account_looked_up(account, lookup);
    if (call && call->phase == TDM_SIP_LOOKING_UP) {
        if (lookup->err)
            tdm_sip_call_fail(call, lookup->cause.text);
        else
            tdm_sip_start_call(call, &lookup->addresses[0]);
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
