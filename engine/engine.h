/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_ENGINE_H
#define TDM_ENGINE_ENGINE_H

/*
 * The engine object: its control thread, which owns signalling and calls; the requests by which the
 * public functions run on that thread; and the events that the program pulls.
 */

#include "engine/base/ring.h"
#include "engine/call.h"
#include "engine/directory.h"
#include "engine/reach.h"
#include "signalling/signalling.h"
#include "tandem/account.h"
#include "tandem/tandem.h"

#include <pthread.h>

#define TDM_ENGINE_EVENTS    256
#define TDM_ENGINE_CALLS_MAX 8

/** One account of an engine. */
struct tdm_engine_account {
    tdm_sig_id id; /* 0: free. */
    bool gateway, preferred, only_out, confidential;
    char domain[200]; /* Behind the @. */
    char route[200];  /* Whose way out gives our address. */
    struct tandem_account_info info;
};

struct tdm_engine_accounts {
    struct tdm_engine_account list[TANDEM_ACCOUNTS_MAX];
    uint32_t count;
    tdm_sig_id chosen; /* For all that goes out; 0: by address. */
};

/** Work that a public function has the control thread do while it waits. Lives on its stack. */
struct tdm_request {
    void (*run)(struct tandem *engine, void *arg);
    void *arg;
    bool done;
    struct tdm_request *next;
};

struct tandem {
    struct tandem_config config;
    char bind_address[64], user[64], display_name[64];
    char web_address[64], web_token[256];
    char service[TDM_SIG_ADDRESS_MAX], callback[TDM_SIG_ADDRESS_MAX];
    char identity_path[512], ca_file[512];
    struct tdm_reach reach;
    const struct tdm_sig_ops *sig_ops;
    struct tdm_sig *sig; /* NULL until the SIP port is open. */
    struct tdm_sig *web; /* Where browsers call (engine/whip.h); NULL: nowhere. */
    int signals;         /* Readable while one of them has something; -1: only `sig` may. */
    struct tandem_call *calls;
    uint32_t call_count;
    struct tdm_engine_accounts accounts;
    struct tdm_directory directory;
    tdm_time silence_notice, silence_end; /* How long nothing may come before it is told, and before
                                             the call ends. */

    pthread_t thread;
    int wake;     /* Requests, and anything the media threads want the control thread for. */
    bool started; /* The thread runs. */
    bool stopping;

    pthread_mutex_t lock; /* Of what follows; never held across a call out of engine.c. */
    pthread_cond_t request_done;
    struct tdm_request *requests;
    struct tdm_ring events; /* Producer: the control thread; consumers hold the lock. */
    struct tandem_event event_slots[TDM_ENGINE_EVENTS];
    int event_fd;
};

/** Opens the SIP port if it is not open. Control thread. */
enum tdm_err tdm_engine_open_sig(struct tandem *engine, struct tdm_cause *cause);

/** Puts an event into the program's queue. Control thread. */
void tdm_engine_tell(struct tandem *engine, struct tandem_call *call, enum tandem_event_kind kind,
                     int value, const char *format, ...) TDM_PRINTF(5, 6);

/** Runs `run` on the control thread and waits for it. Any other thread. */
void tdm_engine_request(struct tandem *engine, void (*run)(struct tandem *engine, void *arg),
                        void *arg);

/** A world error as the public status. */
enum tandem_status tdm_engine_status(enum tdm_err err);

#endif
