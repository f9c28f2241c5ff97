/* SPDX-License-Identifier: MIT */
/* The table of SIP over libre, and its thread; sip_state.h says how the parts fit. */
#include "engine/io/thread.h"
#include "signalling/sip_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CALLS_DEFAULT 8
#define FDS_MAX       16384

/* Where the system has no DNS server (a LAN without the Internet), names in Record-Route and
 * Contact are not found, and nothing else is lost. */
static void start_dns(struct tdm_sig *sig)
{
    struct sa servers[4];
    uint32_t count = sizeof servers / sizeof *servers;

    if (dns_srv_get(NULL, 0, servers, &count) == 0 && count)
        (void)dnsc_alloc(&sig->dns, NULL, servers, count);
}

static enum tdm_err start(struct tdm_sig *sig)
{
    struct rlimit limit = {0};
    int err;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    err = fd_setsize(limit.rlim_cur && limit.rlim_cur < FDS_MAX ? (int)limit.rlim_cur : FDS_MAX);
    if (!err)
        err = mqueue_alloc(&sig->mq, tdm_sip_run_command, sig);
    if (err)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "cannot start SIP (error %d): raise the open file limit (ulimit -n)", err);
    start_dns(sig);
    return tdm_sip_listen(sig);
}

static void stop(struct tdm_sig *sig)
{
    tmr_cancel(&sig->refresh);
    list_flush(&sig->calls);
    tmr_cancel(&sig->line_due);
    tmr_cancel(&sig->close_due); /* Calls that go may set it. */
    tdm_sip_forget_lookups(sig);
    list_flush(&sig->accounts);
    tmr_cancel(&sig->close_due);
    list_flush(&sig->tls_stacks);
    list_flush(&sig->stacks);
    mem_deref(sig->dns);
    mem_deref(sig->mq);
}

static void *run(void *arg)
{
    struct tdm_sig *sig = arg;
    bool own;
    struct tdm_sig_event event;

    tdm_sip_silence();
    own = re_thread_init() == 0;
    sig->start_err = own ? start(sig) : TDM_E_SYSTEM;
    if (sig->start_err) {
        stop(sig);
        if (own)
            re_thread_close();
        (void)sem_post(&sig->started);
        return NULL;
    }
    (void)sem_post(&sig->started);
    if (re_main(NULL)) {
        tdm_sip_event_of(&event, TDM_SIG_BACKEND_FAILED, 0);
        (void)snprintf(event.reason, sizeof event.reason, "the SIP thread stopped");
        (void)tdm_sig_queue_push(&sig->queue, &event);
    }
    stop(sig);
    re_thread_close();
    return NULL;
}

static void set_text(char *to, size_t capacity, const char *text, const char *otherwise)
{
    size_t used = 0;

    for (text = text ? text : otherwise; *text && used + 1 < capacity; text++)
        if (*text > ' ' ? !strchr("\"<>\\@\x7f", *text) : *text == ' ')
            to[used++] = *text;
    to[used] = '\0';
}

static void configure(struct tdm_sig *sig, const struct tdm_sig_config *config)
{
    sig->port = config->port ? config->port : TDM_SIP_PORT;
    sig->port_may_change = config->port_may_change;
    sig->may_be_asked_back = config->may_be_asked_back;
    sig->no_messages = config->no_messages;
    sig->presence = config->presence;
    sig->transports =
        config->transports ? config->transports : TDM_SIG_UDP | TDM_SIG_TCP | TDM_SIG_TLS;
    (void)snprintf(sig->identity, sizeof sig->identity, "%s",
                   config->identity ? config->identity : "");
    (void)snprintf(sig->ca_file, sizeof sig->ca_file, "%s", config->ca_file ? config->ca_file : "");
    sig->calls_max = config->calls_max ? config->calls_max : CALLS_DEFAULT;
    (void)snprintf(sig->bind_address, sizeof sig->bind_address, "%s",
                   config->bind_address ? config->bind_address : "");
    set_text(sig->user, sizeof sig->user, config->user, "tandem");
    set_text(sig->display_name, sizeof sig->display_name, config->display_name, "");
    set_text(sig->user_agent, sizeof sig->user_agent, config->user_agent, "Tandem");
    for (char *at = sig->user; *at; at++)
        if (*at == ' ')
            *at = '_';
}

static enum tdm_err libre_open(struct tdm_sig **out, const struct tdm_sig_config *config,
                               struct tdm_cause *cause)
{
    struct tdm_sig *sig = calloc(1, sizeof *sig);
    enum tdm_err err;

    if (!sig)
        return tdm_fail(cause, TDM_E_SYSTEM, "out of memory");
    configure(sig, config);
    sig->start_cause = cause;
    err = tdm_sig_queue_init(&sig->queue, true, cause);
    if (err) {
        free(sig);
        return err;
    }
    (void)sem_init(&sig->started, 0, 0);
    err = tdm_thread_start(&sig->thread, "sip", TDM_PRIORITY_NORMAL, run, sig, NULL, cause);
    if (!err) {
        while (sem_wait(&sig->started))
            continue;
        err = sig->start_err;
        if (err)
            (void)pthread_join(sig->thread, NULL);
    }
    sig->start_cause = NULL;
    if (err) {
        tdm_sig_queue_destroy(&sig->queue);
        (void)sem_destroy(&sig->started);
        free(sig);
        return err;
    }
    *out = sig;
    return TDM_OK;
}

static void libre_close_backend(struct tdm_sig *sig)
{
    if (mqueue_push(sig->mq, TDM_SIP_DO_CLOSE,
                    NULL)) /* Full: so the thread is about to run commands. */
        atomic_store(&sig->close_asked, true);
    (void)pthread_join(sig->thread, NULL);
    tdm_sig_queue_destroy(&sig->queue);
    (void)sem_destroy(&sig->started);
    free(sig);
}

static uint16_t libre_port(const struct tdm_sig *sig)
{
    return sig->port;
}

static int libre_fd(const struct tdm_sig *sig)
{
    return sig->queue.fd;
}

static enum tdm_err libre_next(struct tdm_sig *sig, struct tdm_sig_event *event)
{
    return tdm_sig_queue_pop(&sig->queue, event);
}

static enum tdm_err libre_call(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                               const struct tdm_sig_body *offer, tdm_sig_id *id,
                               struct tdm_cause *cause)
{
    return tdm_sip_push_uri(sig, TDM_SIP_DO_CALL,
                            &(struct tdm_sip_begin){.uri = uri, .account = account}, offer, id,
                            cause);
}

static enum tdm_err libre_ring(struct tdm_sig *sig, tdm_sig_id id)
{
    return tdm_sip_push(sig, TDM_SIP_DO_RING, &(struct tdm_sip_command){.id = id}, NULL);
}

static enum tdm_err libre_progress(struct tdm_sig *sig, tdm_sig_id id,
                                   const struct tdm_sig_body *answer)
{
    return tdm_sip_push(sig, TDM_SIP_DO_PROGRESS, &(struct tdm_sip_command){.id = id}, answer);
}

static enum tdm_err libre_accept(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *answer)
{
    return tdm_sip_push(sig, TDM_SIP_DO_ACCEPT, &(struct tdm_sip_command){.id = id}, answer);
}

static enum tdm_err libre_reject(struct tdm_sig *sig, tdm_sig_id id, uint16_t code)
{
    return tdm_sip_push(sig, TDM_SIP_DO_REJECT, &(struct tdm_sip_command){.id = id, .code = code},
                        NULL);
}

static enum tdm_err libre_offer(struct tdm_sig *sig, tdm_sig_id id,
                                const struct tdm_sig_body *offer)
{
    return tdm_sip_push(sig, TDM_SIP_DO_OFFER, &(struct tdm_sip_command){.id = id}, offer);
}

static enum tdm_err libre_answer(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *answer, uint16_t code)
{
    return tdm_sip_push(sig, TDM_SIP_DO_ANSWER, &(struct tdm_sip_command){.id = id, .code = code},
                        answer);
}

static enum tdm_err libre_hangup(struct tdm_sig *sig, tdm_sig_id id, const char *reason)
{
    (void)reason; /* SIP has no agreed place for it (RFC 3326 is for codes). */
    return tdm_sip_push(sig, TDM_SIP_DO_HANGUP, &(struct tdm_sip_command){.id = id}, NULL);
}

/* A type goes into a header as it is. */
static bool is_content_type(const char *text)
{
    size_t size = text ? strlen(text) : 0;

    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return size > 2 && size < sizeof((struct tdm_sip_command *)0)->content_type &&
           strchr(text, '/');
}

static enum tdm_err libre_options(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                  const struct tdm_sig_body *body, tdm_sig_id *id,
                                  struct tdm_cause *cause)
{
    if (body && !is_content_type(body->content_type))
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "a question needs a content type");
    return tdm_sip_push_uri(sig, TDM_SIP_DO_OPTIONS,
                            &(struct tdm_sip_begin){.uri = uri, .account = account}, body, id,
                            cause);
}

static enum tdm_err libre_message(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                  const struct tdm_sig_body *body, tdm_sig_id *id,
                                  struct tdm_cause *cause)
{
    if (!is_content_type(body->content_type))
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "a message needs a content type");
    return tdm_sip_push_uri(sig, TDM_SIP_DO_MESSAGE,
                            &(struct tdm_sip_begin){.uri = uri, .account = account}, body, id,
                            cause);
}

static enum tdm_err libre_invite_back(struct tdm_sig *sig, const char *uri, const char *service,
                                      const char *target, tdm_sig_id *id, struct tdm_cause *cause)
{
    struct tdm_sip_uri parsed;
    char text[TDM_SIG_ADDRESS_MAX];
    enum tdm_err err = tdm_sip_uri_parse(target, &parsed, cause);

    if (!err && !tdm_sip_uri_write(&parsed, text, sizeof text))
        err = tdm_fail(cause, TDM_E_MALFORMED, "our own address is too long");
    if (err)
        return err;
    return tdm_sip_push_uri(sig, TDM_SIP_DO_REFER,
                            &(struct tdm_sip_begin){.uri = uri, .service = service},
                            &(struct tdm_sig_body){.data = text, .size = strlen(text)}, id, cause);
}

static enum tdm_err libre_dtmf_info(struct tdm_sig *sig, tdm_sig_id id, char digit,
                                    uint16_t duration_ms)
{
    if (!digit || !strchr("0123456789ABCD*#", digit))
        return TDM_E_UNSUPPORTED;
    return tdm_sip_push(
        sig, TDM_SIP_DO_DTMF,
        &(struct tdm_sip_command){.id = id, .digit = digit, .duration_ms = duration_ms}, NULL);
}

static enum tdm_err libre_account_remove(struct tdm_sig *sig, tdm_sig_id account)
{
    return tdm_sip_push(sig, TDM_SIP_DO_ACCOUNT_REMOVE, &(struct tdm_sip_command){.id = account},
                        NULL);
}

static enum tdm_err libre_account_retry(struct tdm_sig *sig, tdm_sig_id account)
{
    return tdm_sip_push(sig, TDM_SIP_DO_ACCOUNT_RETRY, &(struct tdm_sip_command){.id = account},
                        NULL);
}

const struct tdm_sig_ops tdm_sig_libre = {
    .name = "sip",
    .open = libre_open,
    .close = libre_close_backend,
    .port = libre_port,
    .fd = libre_fd,
    .next = libre_next,
    .call = libre_call,
    .ring = libre_ring,
    .progress = libre_progress,
    .accept = libre_accept,
    .reject = libre_reject,
    .offer = libre_offer,
    .answer = libre_answer,
    .hangup = libre_hangup,
    .options = libre_options,
    .dtmf_info = libre_dtmf_info,
    .message = libre_message,
    .invite_back = libre_invite_back,
    .account_add = tdm_sip_push_account,
    .account_remove = libre_account_remove,
    .account_retry = libre_account_retry,
    .subscribe = tdm_sip_push_subscribe,
    .publish = tdm_sip_push_publish,
    .notify = tdm_sip_push_notify,
    .release = tdm_sip_push_release,
};
