/* SPDX-License-Identifier: MIT */
/*
 * SIP over libre: the only file that knows the library. It uses libre's transports, transactions
 * and dialogs, but not its sessions (sipsess), which must answer a re-INVITE inside the callback,
 * retry glare by themselves and never report a refused one.
 *
 * One thread per backend runs libre's loop and owns everything in `struct tdm_sig` but the event
 * queue; libre keeps its loop per thread, so several backends live in one process. Commands come
 * over libre's mqueue (a pipe), events leave through tdm_sig_queue.
 */
#include "engine/base/time.h"
#include "engine/io/thread.h"
#include "signalling/sig_queue.h"
#include "signalling/signalling.h"
#include "signalling/sip_uri.h"
#include "signalling/sip_words.h"
#include "signalling/text.h"

#include <re/re.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define CALLS_DEFAULT  8
#define HASH_SIZE      32
#define CLOSE_WAIT_MS  1000
#define FDS_MAX        16384
#define PORT_TRIES     32
#define STACKS_MAX     32
#define REFRESH_MS     5000
#define ACK_TIMEOUT_MS (64 * SIP_T1)
#define ALLOW          "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n"
#define ACCEPT         "Accept: application/sdp, application/dtmf-relay\r\n"
#define NO_BODY        "Content-Length: 0\r\n\r\n"

enum phase {
    LOOKING_UP, /* The host's name. */
    INVITING,
    RINGING,  /* Their INVITE, unanswered. */
    ACCEPTED, /* Our 200 is out, no ACK yet. */
    UP,
    LEAVING, /* Over for the user; the wire still has to finish. */
};

/* One of this machine's addresses, with a SIP stack of its own: libre cannot bind to all of them
 * at once, and with several in one stack it always sends from the first. */
struct stack {
    struct le le;
    struct tdm_sig *sig;
    struct sip *sip;
    struct sip_lsnr *requests, *responses;
    char address[64];
};

struct call {
    struct le le;
    struct tdm_sig *sig;
    struct stack *stack; /* NULL while the host's name is looked up. */
    tdm_sig_id id;
    enum phase phase;
    bool over;    /* Its end event is out. */
    bool bye_due; /* Once the ACK is here: RFC 3261 section 15. */
    bool probe;   /* An OPTIONS, not a call. */
    struct sip_dialog *dlg;
    struct sip_request *req; /* Our INVITE, re-INVITE, BYE or OPTIONS. */
    struct sip_strans *st;   /* Their INVITE or re-INVITE, unanswered. */
    struct sip_msg *invite;  /* The same message, kept until the ACK. */
    struct mbuf *ok;         /* Our 200, sent again until the ACK. */
    bool ok_offers;          /* The 200 carries our offer: the ACK brings the answer. */
    struct tmr resend, give_up;
    uint32_t resend_count;
    bool acked;        /* We sent an ACK... */
    uint32_t ack_seq;  /* ... for this CSeq, and do so again when the 200 comes again. */
    struct mbuf *body; /* Our offer, while the name is looked up. */
    int icmp_fd;       /* Tells at once when nothing listens at a UDP port; -1: none. */
    struct tdm_sip_uri uri;
};

enum command_kind {
    DO_CALL,
    DO_RING,
    DO_PROGRESS,
    DO_ACCEPT,
    DO_REJECT,
    DO_OFFER,
    DO_ANSWER,
    DO_HANGUP,
    DO_OPTIONS,
    DO_DTMF,
    DO_CLOSE,
    LOOKED_UP,
};

struct command {
    tdm_sig_id id;
    uint16_t code, duration_ms;
    char digit;
    struct tdm_sip_uri uri;
    size_t size;
    uint8_t body[];
};

/* A name being looked up on a thread of its own, which may outlive the backend. */
struct lookup {
    struct lookup *next;
    pthread_mutex_t mutex;
    struct mqueue *mq; /* NULL once the backend is gone: the thread frees. */
    bool done;
    tdm_sig_id id;
    struct tdm_sip_uri uri;
    struct sockaddr_storage address;
    enum tdm_err err;
    struct tdm_cause cause;
};

struct tdm_sig {
    struct tdm_sig_queue queue;
    pthread_t thread;
    sem_t started;
    enum tdm_err start_err;
    struct tdm_cause *start_cause;
    struct mqueue *mq;
    struct list stacks;
    struct tmr refresh; /* Addresses that came since. */
    struct list calls;
    struct lookup *lookups;
    struct tmr closing;
    uint32_t closing_ms;
    uint32_t calls_max;
    _Atomic tdm_sig_id last_id;
    _Atomic bool close_asked; /* When the command queue was full. */
    uint16_t port;
    bool port_may_change;
    unsigned transports;
    char bind_address[64], user[64], display_name[64], user_agent[64];
};

/* --- Events ----------------------------------------------------------------------------------- */

static void event_of(struct tdm_sig_event *event, enum tdm_sig_kind kind, tdm_sig_id id)
{
    memset(event, 0, offsetof(struct tdm_sig_event, body));
    event->kind = kind;
    event->id = id;
}

static void copy_pl(char *to, size_t capacity, const struct pl *pl)
{
    size_t size = pl->p ? pl->l : 0;

    if (size >= capacity)
        size = capacity - 1;
    if (size)
        memcpy(to, pl->p, size);
    to[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)to[i] < ' ')
            to[i] = '?';
}

/* The body as Content-Length says: never more than what came. */
static bool body_size(const struct sip_msg *msg, size_t *size)
{
    size_t left = mbuf_get_left(msg->mb);
    struct tdm_text digits = tdm_text_trim(tdm_text_of(msg->clen.p, msg->clen.p ? msg->clen.l : 0));
    uint64_t said = left;

    if (msg->clen.p && (!tdm_text_number(&digits, UINT32_MAX, &said) || digits.at < digits.end))
        return false;
    *size = (size_t)said;
    return said <= left && said <= TDM_SIG_BODY_MAX;
}

static bool is_sdp(const struct sip_msg *msg)
{
    return pl_strcasecmp(&msg->ctyp.type, "application") == 0 &&
           pl_strcasecmp(&msg->ctyp.subtype, "sdp") == 0;
}

/* A body that is broken or no SDP counts as none: then the call machine refuses it. */
static void take_body(struct tdm_sig_event *event, const struct sip_msg *msg)
{
    size_t size;

    if (!body_size(msg, &size) || !size || !is_sdp(msg))
        return;
    memcpy(event->body, mbuf_buf(msg->mb), size);
    event->body_size = (uint32_t)size;
    (void)snprintf(event->content_type, sizeof event->content_type, "application/sdp");
}

static enum tdm_err emit(struct tdm_sig *sig, const struct tdm_sig_event *event)
{
    return tdm_sig_queue_push(&sig->queue, event);
}

static void emit_kind(struct call *call, enum tdm_sig_kind kind, uint16_t code, const char *reason,
                      const struct sip_msg *msg)
{
    struct tdm_sig_event event;

    event_of(&event, kind, call->id);
    event.code = code;
    (void)snprintf(event.reason, sizeof event.reason, "%s", reason ? reason : "");
    if (msg)
        take_body(&event, msg);
    (void)emit(call->sig, &event);
}

static void emit_end(struct call *call, enum tdm_sig_kind kind, uint16_t code, const char *reason)
{
    if (!call->over)
        emit_kind(call, kind, code, reason, NULL);
    call->over = true;
}

/* --- Addresses -------------------------------------------------------------------------------- */

/* The stack at the local address that leads to a peer; else one of its kind. */
static struct stack *stack_of(struct tdm_sig *sig, const char *local)
{
    bool ipv6 = strchr(local, ':') != NULL;
    struct stack *kin = NULL;

    for (struct le *le = sig->stacks.head; le; le = le->next) {
        struct stack *stack = le->data;

        if (strcmp(stack->address, local) == 0)
            return stack;
        if (!kin && (strchr(stack->address, ':') != NULL) == ipv6)
            kin = stack;
    }
    return kin;
}

static void contact_text(const struct call *call, enum sip_transp tp, char *to, size_t capacity)
{
    const char *local = call->stack->address;
    bool ipv6 = strchr(local, ':') != NULL;

    (void)snprintf(to, capacity, "Contact: <sip:%s@%s%s%s:%u%s>\r\n", call->sig->user,
                   ipv6 ? "[" : "", local, ipv6 ? "]" : "", call->sig->port,
                   tp == SIP_TRANSP_TCP ? ";transport=tcp" : "");
}

/* libre asks for headers just before it sends: the first place where the transport is known. */
static int send_handler(enum sip_transp tp, const struct sa *src, const struct sa *dst,
                        struct mbuf *mb, void *arg)
{
    char contact[256];

    (void)src;
    (void)dst;
    contact_text(arg, tp, contact, sizeof contact);
    return mbuf_write_str(mb, contact);
}

/* --- Calls ------------------------------------------------------------------------------------ */

static void close_icmp(struct call *call)
{
    if (call->icmp_fd < 0)
        return;
    fd_close(call->icmp_fd);
    (void)close(call->icmp_fd);
    call->icmp_fd = -1;
}

static void stop_resend(struct call *call)
{
    tmr_cancel(&call->resend);
    tmr_cancel(&call->give_up);
    call->ok = mem_deref(call->ok);
    call->resend_count = 0;
}

static void call_destructor(void *arg)
{
    struct call *call = arg;

    list_unlink(&call->le);
    stop_resend(call);
    close_icmp(call);
    mem_deref(call->req);
    mem_deref(call->st);
    mem_deref(call->invite);
    mem_deref(call->dlg);
    mem_deref(call->body);
}

static struct call *call_new(struct tdm_sig *sig, tdm_sig_id id, enum phase phase)
{
    struct call *call = mem_zalloc(sizeof *call, call_destructor);

    if (!call)
        return NULL;
    call->sig = sig;
    call->id = id;
    call->phase = phase;
    call->icmp_fd = -1;
    tmr_init(&call->resend);
    tmr_init(&call->give_up);
    list_append(&sig->calls, &call->le, call);
    return call;
}

static struct call *call_find(struct tdm_sig *sig, tdm_sig_id id)
{
    for (struct le *le = sig->calls.head; le; le = le->next) {
        struct call *call = le->data;

        if (call->id == id && !call->over)
            return call;
    }
    return NULL;
}

static struct call *call_of_message(struct tdm_sig *sig, const struct sip_msg *msg)
{
    for (struct le *le = sig->calls.head; le; le = le->next) {
        struct call *call = le->data;

        if (call->dlg && sip_dialog_established(call->dlg) && sip_dialog_cmp(call->dlg, msg))
            return call;
    }
    return NULL;
}

/* Calls that are over but still on the wire count twice less: a flood cannot keep us busy. */
static bool room_for_call(const struct tdm_sig *sig)
{
    uint32_t alive = 0, all = 0;

    for (struct le *le = sig->calls.head; le; le = le->next) {
        const struct call *call = le->data;

        all++;
        alive += !call->over;
    }
    return alive < sig->calls_max && all < 4 * sig->calls_max + 16;
}

static void bye_response(int err, const struct sip_msg *msg, void *arg)
{
    if (!err && msg && msg->scode < 200)
        return;
    mem_deref(arg);
}

/* Says BYE; the call goes when it is answered or times out. */
static void say_bye(struct call *call)
{
    stop_resend(call);
    call->phase = LEAVING;
    call->req = mem_deref(call->req);
    if (call->st)
        (void)sip_treply(&call->st, call->stack->sip, call->invite, 487, tdm_sip_phrase(487));
    if (sip_drequestf(&call->req, call->stack->sip, true, "BYE", call->dlg, 0, NULL, send_handler,
                      bye_response, call, NO_BODY))
        mem_deref(call);
}

/* Leaves whatever is on the wire in order; the end event is out already. */
static void leave(struct call *call, uint16_t code)
{
    switch (call->phase) {
    case LOOKING_UP:
        mem_deref(call);
        break;
    case INVITING:
        call->phase = LEAVING;
        close_icmp(call);
        sip_request_cancel(call->req);
        break;
    case RINGING:
        (void)sip_treply(&call->st, call->stack->sip, call->invite, code, tdm_sip_phrase(code));
        mem_deref(call);
        break;
    case ACCEPTED:
        call->bye_due = true;
        break;
    case UP:
        say_bye(call);
        break;
    case LEAVING:
        break;
    }
}

static void fail_call(struct call *call, const char *reason)
{
    emit_end(call, TDM_SIG_FAILED, 0, reason);
    mem_deref(call);
}

static void describe_error(const struct call *call, int err, char *words, size_t capacity)
{
    unsigned port = call->uri.port ? call->uri.port : TDM_SIP_PORT;
    const char *transport = call->uri.tcp ? "TCP" : "UDP";

    if (err == ETIMEDOUT)
        (void)snprintf(words, capacity,
                       "%.60s does not answer (port %u, %s): is Tandem running "
                       "there, and no firewall between?",
                       call->uri.host, port, transport);
    else if (err == ECONNREFUSED || err == ECONNRESET)
        (void)snprintf(words, capacity, "nothing listens at %.60s, port %u (%s)", call->uri.host,
                       port, transport);
    else if (err == ENETUNREACH || err == EHOSTUNREACH)
        (void)snprintf(words, capacity, "%.60s cannot be reached: check the network",
                       call->uri.host);
    else
        (void)snprintf(words, capacity, "cannot send to %.60s (error %d)", call->uri.host, err);
}

static int send_ack(struct call *call, uint32_t seq)
{
    call->acked = true;
    call->ack_seq = seq;
    return sip_drequestf(NULL, call->stack->sip, false, "ACK", call->dlg, seq, NULL, send_handler,
                         NULL, call, NO_BODY);
}

static void invited(struct call *call, const struct sip_msg *msg)
{
    if (sip_dialog_create(call->dlg, msg)) {
        fail_call(call, "the other side accepted with a broken message (no Contact)");
        return;
    }
    (void)send_ack(call, msg->cseq.num);
    if (call->phase == LEAVING) { /* Cancelled here while the 200 was on its way. */
        say_bye(call);
        return;
    }
    call->phase = UP;
    emit_kind(call, TDM_SIG_ACCEPTED, msg->scode, NULL, msg);
}

static void invite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct call *call = arg;
    char words[TDM_SIG_REASON_MAX];

    close_icmp(call);
    if (err || !msg) {
        describe_error(call, err, words, sizeof words);
        fail_call(call, words);
    } else if (msg->scode < 200) {
        if (msg->scode > 100 && call->phase == INVITING)
            emit_kind(call, TDM_SIG_RINGING, msg->scode, NULL, msg);
    } else if (msg->scode < 300) {
        invited(call, msg);
    } else {
        emit_end(call, TDM_SIG_REFUSED, msg->scode, tdm_sip_words(msg->scode));
        mem_deref(call);
    }
}

static void options_response(int err, const struct sip_msg *msg, void *arg)
{
    struct call *call = arg;
    struct tdm_sig_event event;
    const struct sip_hdr *agent;
    char words[TDM_SIG_REASON_MAX];

    if (!err && msg && msg->scode < 200)
        return;
    close_icmp(call);
    if (err || !msg) {
        describe_error(call, err, words, sizeof words);
        fail_call(call, words);
        return;
    }
    event_of(&event, TDM_SIG_OPTIONS_ANSWERED, call->id);
    event.code = msg->scode;
    agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
    if (!agent)
        agent = sip_msg_hdr(msg, SIP_HDR_SERVER);
    if (agent)
        copy_pl(event.reason, sizeof event.reason, &agent->val);
    (void)emit(call->sig, &event);
    mem_deref(call);
}

/* --- Outgoing --------------------------------------------------------------------------------- */

static void icmp_handler(int flags, void *arg)
{
    struct call *call = arg;
    char words[TDM_SIG_REASON_MAX];
    char byte;
    int error = recv(call->icmp_fd, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;

    (void)flags;
    close_icmp(call);
    if (error != ECONNREFUSED && error != EHOSTUNREACH && error != ENETUNREACH)
        return;
    if (call->phase != INVITING)
        return;
    describe_error(call, error, words, sizeof words);
    fail_call(call, words);
}

/* A keep-alive (RFC 5626 section 3.5.1) from a connected socket, which gets the ICMP error that
 * libre's unconnected one never sees. Without it a wrong port takes 32 s to notice. */
static void watch_icmp(struct call *call, const struct sockaddr_storage *address)
{
    socklen_t size =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    call->icmp_fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (call->icmp_fd < 0)
        return;
    if (connect(call->icmp_fd, (const struct sockaddr *)address, size) ||
        send(call->icmp_fd, "\r\n\r\n", 4, MSG_NOSIGNAL) != 4 ||
        fd_listen(call->icmp_fd, FD_READ, icmp_handler, call)) {
        (void)close(call->icmp_fd);
        call->icmp_fd = -1;
    }
}

static int make_dialog(struct call *call, const struct sockaddr_storage *address)
{
    struct tdm_sip_uri target = call->uri, to = call->uri, from = {0};
    char target_text[256], to_text[256], from_text[256];
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

    target.ipv6 = address->ss_family == AF_INET6;
    if (!inet_ntop(address->ss_family,
                   target.ipv6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
                   target.host, sizeof target.host))
        return EINVAL;
    if (!(call->sig->transports & TDM_SIG_UDP))
        target.tcp = call->uri.tcp = true;
    to.tcp = to.udp = false;
    (void)snprintf(from.user, sizeof from.user, "%s", call->sig->user);
    (void)snprintf(from.host, sizeof from.host, "%s", call->stack->address);
    from.ipv6 = strchr(call->stack->address, ':') != NULL;
    from.port = call->sig->port == TDM_SIP_PORT ? 0 : call->sig->port;
    if (!tdm_sip_uri_write(&target, target_text, sizeof target_text) ||
        !tdm_sip_uri_write(&to, to_text, sizeof to_text) ||
        !tdm_sip_uri_write(&from, from_text, sizeof from_text))
        return EINVAL;
    return sip_dialog_alloc(&call->dlg, target_text, to_text,
                            call->sig->display_name[0] ? call->sig->display_name : NULL, from_text,
                            NULL, 0);
}

static void start_call(struct call *call, const struct sockaddr_storage *address)
{
    struct tdm_cause cause = {""};
    char words[TDM_SIG_REASON_MAX], local[64];
    int err;

    if (tdm_sig_local_address_to(address, local, sizeof local, &cause) != TDM_OK) {
        fail_call(call, cause.text);
        return;
    }
    call->stack = stack_of(call->sig, local);
    if (!call->stack) {
        fail_call(call, "this machine has no address of the kind (IPv4, IPv6) that is called");
        return;
    }
    call->phase = INVITING;
    err = make_dialog(call, address);
    if (!err && call->probe)
        err = sip_drequestf(&call->req, call->stack->sip, true, "OPTIONS", call->dlg, 0, NULL,
                            send_handler, options_response, call, ACCEPT NO_BODY);
    else if (!err)
        err = sip_drequestf(&call->req, call->stack->sip, true, "INVITE", call->dlg, 0, NULL,
                            send_handler, invite_response, call,
                            ALLOW ACCEPT "%sContent-Length: %zu\r\n\r\n%b",
                            call->body->end ? "Content-Type: application/sdp\r\n" : "",
                            call->body->end, call->body->buf, call->body->end);
    if (err) {
        describe_error(call, err, words, sizeof words);
        fail_call(call, words);
        return;
    }
    if (!call->uri.tcp)
        watch_icmp(call, address);
}

static void lookup_free(struct lookup *lookup)
{
    (void)pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *lookup_run(void *arg)
{
    struct lookup *lookup = arg;
    bool orphan;

    lookup->err = tdm_sip_resolve(&lookup->uri, &lookup->address, &lookup->cause);
    (void)pthread_mutex_lock(&lookup->mutex);
    orphan = !lookup->mq || mqueue_push(lookup->mq, LOOKED_UP, lookup);
    lookup->done = true;
    if (orphan && lookup->mq)
        orphan = false; /* The queue is full: freed at close. */
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (orphan)
        lookup_free(lookup);
    return NULL;
}

static void start_lookup(struct call *call)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    struct tdm_cause cause = {""};
    pthread_t thread;

    if (!lookup) {
        fail_call(call, "out of memory");
        return;
    }
    (void)pthread_mutex_init(&lookup->mutex, NULL);
    lookup->mq = call->sig->mq;
    lookup->id = call->id;
    lookup->uri = call->uri;
    if (tdm_thread_start(&thread, "sip-lookup", TDM_PRIORITY_NORMAL, lookup_run, lookup, NULL,
                         &cause) != TDM_OK) {
        lookup_free(lookup);
        fail_call(call, cause.text);
        return;
    }
    (void)pthread_detach(thread);
    lookup->next = call->sig->lookups;
    call->sig->lookups = lookup;
}

static void looked_up(struct tdm_sig *sig, struct lookup *lookup)
{
    struct call *call = call_find(sig, lookup->id);
    struct lookup **at = &sig->lookups;

    while (*at != lookup)
        at = &(*at)->next;
    *at = lookup->next;
    (void)pthread_mutex_lock(&lookup->mutex); /* Its thread may still hold it. */
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (call && call->phase == LOOKING_UP) {
        if (lookup->err)
            fail_call(call, lookup->cause.text);
        else
            start_call(call, &lookup->address);
    }
    lookup_free(lookup);
}

static bool numeric_address(const struct tdm_sip_uri *uri, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    uint16_t port = htons(uri->port ? uri->port : TDM_SIP_PORT);

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, uri->host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        return true;
    }
    if (inet_pton(AF_INET6, uri->host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        return true;
    }
    return false;
}

static void do_call(struct tdm_sig *sig, const struct command *command, bool probe)
{
    bool room = room_for_call(sig);
    struct call *call = call_new(sig, command->id, LOOKING_UP);
    struct sockaddr_storage address;

    if (!call)
        return;
    call->uri = command->uri;
    call->probe = probe;
    call->body = mbuf_alloc(command->size + 1);
    if (!call->body || mbuf_write_mem(call->body, command->body, command->size))
        fail_call(call, "out of memory");
    else if (!room)
        fail_call(call, "there are too many calls already: end one first");
    else if (numeric_address(&command->uri, &address))
        start_call(call, &address);
    else
        start_lookup(call);
}

/* --- Answering -------------------------------------------------------------------------------- */

static void give_up_handler(void *arg)
{
    struct call *call = arg;

    emit_end(call, TDM_SIG_FAILED, 0,
             "the other side never confirmed our answer (no ACK): the call is ended");
    say_bye(call);
}

static void resend_handler(void *arg)
{
    struct call *call = arg;
    uint32_t wait = call->resend_count < 3 ? (uint32_t)SIP_T1 << ++call->resend_count : SIP_T2;

    (void)sip_send(call->stack->sip, call->invite->sock, call->invite->tp, &call->invite->src,
                   call->ok);
    tmr_start(&call->resend, wait, resend_handler, call);
}

/* 1xx or 2xx to their INVITE; `ok` receives a copy of the message. */
static int reply(struct call *call, uint16_t code, const char *phrase, const uint8_t *body,
                 size_t size, struct mbuf **ok)
{
    char contact[256];

    contact_text(call, call->invite->tp, contact, sizeof contact);
    return sip_treplyf(&call->st, ok, call->stack->sip, call->invite, true, code, phrase,
                       "%s" ALLOW "%sContent-Length: %zu\r\n\r\n%b", contact,
                       size ? "Content-Type: application/sdp\r\n" : "", size, body, size);
}

/* 200 to an INVITE or re-INVITE, sent again until the ACK comes. */
static void reply_ok(struct call *call, const uint8_t *body, size_t size)
{
    size_t offered = 0;

    stop_resend(call);
    (void)body_size(call->invite, &offered);
    call->ok_offers = offered == 0;
    if (call->phase == RINGING)
        call->phase = ACCEPTED;
    if (reply(call, 200, "OK", body, size, &call->ok)) {
        call->ok = NULL;
        emit_end(call, TDM_SIG_FAILED, 0, "our answer could not be sent");
        if (call->phase == UP)
            say_bye(call);
        else
            mem_deref(call);
        return;
    }
    tmr_start(&call->resend, SIP_T1, resend_handler, call);
    tmr_start(&call->give_up, ACK_TIMEOUT_MS, give_up_handler, call);
}

static void reinvite_response(int err, const struct sip_msg *msg, void *arg)
{
    struct call *call = arg;

    if (err || !msg) {
        emit_kind(call, TDM_SIG_OFFER_REFUSED, 408, tdm_sip_words(408), NULL);
    } else if (msg->scode < 200) {
        return;
    } else if (msg->scode < 300) {
        (void)sip_dialog_update(call->dlg, msg);
        (void)send_ack(call, msg->cseq.num);
        emit_kind(call, TDM_SIG_ANSWER, msg->scode, NULL, msg);
    } else {
        emit_kind(call, TDM_SIG_OFFER_REFUSED, msg->scode, tdm_sip_words(msg->scode), NULL);
    }
}

static void do_offer(struct call *call, const struct command *command)
{
    if (call->phase != UP)
        return;
    if (call->req || call->st || call->ok) {
        emit_kind(call, TDM_SIG_OFFER_REFUSED, 491, tdm_sip_words(491), NULL);
        return;
    }
    if (sip_drequestf(&call->req, call->stack->sip, true, "INVITE", call->dlg, 0, NULL,
                      send_handler, reinvite_response, call,
                      ALLOW "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%b",
                      command->size, command->body, command->size))
        emit_kind(call, TDM_SIG_OFFER_REFUSED, 408, tdm_sip_words(408), NULL);
}

static void do_answer(struct call *call, const struct command *command)
{
    uint16_t code = command->code >= 300 ? command->code : 488;

    if (call->phase != UP || !call->st)
        return;
    if (command->size)
        reply_ok(call, command->body, command->size);
    else
        (void)sip_treply(&call->st, call->stack->sip, call->invite, code, tdm_sip_phrase(code));
}

static void do_dtmf(struct call *call, const struct command *command)
{
    char body[48];
    int size = snprintf(body, sizeof body, "Signal=%c\r\nDuration=%u\r\n", command->digit,
                        command->duration_ms);

    if (call->phase == UP)
        (void)sip_drequestf(NULL, call->stack->sip, true, "INFO", call->dlg, 0, NULL, NULL, NULL,
                            NULL,
                            "Content-Type: application/dtmf-relay\r\n"
                            "Content-Length: %d\r\n\r\n%s",
                            size, body);
}

static void do_end(struct call *call, uint16_t code)
{
    emit_end(call, TDM_SIG_ENDED, 0, "ended here");
    leave(call, code);
}

/* --- Incoming --------------------------------------------------------------------------------- */

static void cancel_handler(void *arg)
{
    struct call *call = arg;

    (void)sip_treply(&call->st, call->stack->sip, call->invite, 487, tdm_sip_phrase(487));
    if (call->phase != RINGING)
        return; /* A cancelled re-INVITE leaves the call as it is. */
    emit_end(call, TDM_SIG_ENDED, 0, "the caller gave up");
    mem_deref(call);
}

static bool header_equals(const struct sip_msg *msg, const char *type, const char *subtype)
{
    return pl_strcasecmp(&msg->ctyp.type, type) == 0 &&
           pl_strcasecmp(&msg->ctyp.subtype, subtype) == 0;
}

/* What libre's lazy parser lets through: 0 when the request may be used, else the refusal. */
static uint16_t check_request(const struct sip_msg *msg)
{
    size_t size = mbuf_get_left(msg->mb);

    if (size > TDM_SIG_BODY_MAX)
        return 513;
    if (!body_size(msg, &size) || !pl_isset(&msg->callid) || !pl_isset(&msg->from.tag) ||
        !pl_isset(&msg->via.branch) || !pl_isset(&msg->cseq.met) || !pl_isset(&msg->to.auri) ||
        pl_cmp(&msg->cseq.met, &msg->met))
        return 400;
    if (msg->callid.l > 256 || msg->from.val.l > 1024 || msg->to.val.l > 1024 ||
        msg->via.val.l > 1024)
        return 400;
    return 0;
}

static bool refuse_invite(struct sip *sip, const struct sip_msg *msg)
{
    const struct sip_hdr *require = sip_msg_hdr(msg, SIP_HDR_REQUIRE);
    size_t size = 0;

    if (require) {
        (void)sip_replyf(sip, msg, 420, tdm_sip_phrase(420), "Unsupported: %r\r\n" NO_BODY,
                         &require->val);
        return true;
    }
    (void)body_size(msg, &size);
    if (size && !is_sdp(msg)) {
        (void)sip_replyf(sip, msg, 415, tdm_sip_phrase(415), ACCEPT NO_BODY);
        return true;
    }
    return false;
}

static void new_invite(struct stack *stack, const struct sip_msg *msg)
{
    struct tdm_sig *sig = stack->sig;
    struct tdm_sig_event event;
    struct call *call;

    if (refuse_invite(stack->sip, msg))
        return;
    if (!room_for_call(sig) || sig->closing_ms) {
        (void)sip_reply(stack->sip, msg, 486, tdm_sip_phrase(486));
        return;
    }
    call = call_new(sig, atomic_fetch_add(&sig->last_id, 1) + 1, RINGING);
    if (!call)
        return;
    call->stack = stack;
    if (sip_dialog_accept(&call->dlg, msg)) {
        (void)sip_reply(stack->sip, msg, 400, tdm_sip_phrase(400));
        mem_deref(call);
        return;
    }
    call->invite = mem_ref((void *)msg);
    if (sip_strans_alloc(&call->st, stack->sip, msg, cancel_handler, call) ||
        reply(call, 100, "Trying", NULL, 0, NULL)) {
        mem_deref(call);
        return;
    }
    event_of(&event, TDM_SIG_CALL_IN, call->id);
    copy_pl(event.from, sizeof event.from, &msg->from.auri);
    copy_pl(event.from_name, sizeof event.from_name, &msg->from.dname);
    copy_pl(event.to, sizeof event.to, &msg->to.auri);
    (void)re_snprintf(event.peer_address, sizeof event.peer_address, "%j", &msg->src);
    take_body(&event, msg);
    if (emit(sig, &event) != TDM_OK) {
        call->over = true;
        leave(call, 503);
    }
}

static void re_invite(struct call *call, const struct sip_msg *msg)
{
    struct sip *sip = call->stack->sip;

    if (call->over || !sip_dialog_rseq_valid(call->dlg, msg)) {
        (void)sip_reply(sip, msg, call->over ? 481 : 500, tdm_sip_phrase(call->over ? 481 : 500));
        return;
    }
    if (refuse_invite(sip, msg))
        return;
    if (call->st || (call->ok && call->ok_offers) || call->phase != UP) {
        (void)sip_replyf(sip, msg, 500, tdm_sip_phrase(500), "Retry-After: 2\r\n" NO_BODY);
        return;
    }
    if (call->req) {
        (void)sip_treply(NULL, sip, msg, 491, tdm_sip_phrase(491));
        return;
    }
    stop_resend(call); /* A new re-INVITE says that our 200 to the last one arrived. */
    mem_deref(call->invite);
    call->invite = mem_ref((void *)msg);
    (void)sip_dialog_update(call->dlg, msg);
    if (sip_strans_alloc(&call->st, sip, msg, cancel_handler, call) ||
        reply(call, 100, "Trying", NULL, 0, NULL))
        return;
    emit_kind(call, TDM_SIG_OFFER, 0, NULL, msg);
}

static void on_ack(struct call *call, const struct sip_msg *msg)
{
    if (!call || !call->ok || msg->cseq.num != call->invite->cseq.num)
        return;
    stop_resend(call);
    if (call->phase == ACCEPTED) {
        call->phase = UP;
        if (call->bye_due)
            say_bye(call);
        else
            emit_kind(call, TDM_SIG_CONFIRMED, 0, NULL, msg);
    } else if (call->ok_offers && !call->over) {
        emit_kind(call, TDM_SIG_ANSWER, 0, NULL, msg);
    }
}

static void on_bye(struct call *call, const struct sip_msg *msg)
{
    struct sip *sip = call->stack->sip;

    (void)sip_treply(NULL, sip, msg, 200, "OK");
    if (call->st)
        (void)sip_treply(&call->st, sip, call->invite, 487, tdm_sip_phrase(487));
    emit_end(call, TDM_SIG_ENDED, 0, "the other side hung up");
    mem_deref(call);
}

/* application/dtmf-relay is "Signal=5\r\nDuration=160", application/dtmf the digit alone. */
static void on_info(struct call *call, const struct sip_msg *msg)
{
    struct sip *sip = call->stack->sip;
    bool relay = header_equals(msg, "application", "dtmf-relay");
    struct tdm_sig_event event;
    struct tdm_text text;
    size_t size = 0;

    if (!sip_dialog_rseq_valid(call->dlg, msg)) {
        (void)sip_reply(sip, msg, 500, tdm_sip_phrase(500));
        return;
    }
    if (!relay && !header_equals(msg, "application", "dtmf")) {
        (void)sip_replyf(sip, msg, 415, tdm_sip_phrase(415), ACCEPT NO_BODY);
        return;
    }
    (void)body_size(msg, &size);
    event_of(&event, TDM_SIG_DTMF_INFO, call->id);
    text = tdm_text_of((const char *)mbuf_buf(msg->mb), size);
    if (!relay && text.at < text.end)
        event.digit = *tdm_text_trim(text).at;
    while (relay && text.at < text.end) {
        struct tdm_text value = tdm_text_until(&text, '\n');
        struct tdm_text name = tdm_text_trim(tdm_text_until(&value, '='));
        uint64_t number;

        value = tdm_text_trim(value);
        if (tdm_text_equals(name, "signal") && value.at < value.end)
            event.digit = *value.at;
        else if (tdm_text_equals(name, "duration") && tdm_text_number(&value, 10000, &number))
            event.duration_ms = (uint16_t)number;
    }
    if (!event.digit || !strchr("0123456789ABCDabcd*#", event.digit)) {
        (void)sip_reply(sip, msg, 400, tdm_sip_phrase(400));
        return;
    }
    (void)sip_treply(NULL, sip, msg, 200, "OK");
    (void)emit(call->sig, &event);
}

static void in_dialog(struct sip *sip, struct call *call, const struct sip_msg *msg)
{
    if (!pl_strcmp(&msg->met, "ACK"))
        on_ack(call, msg);
    else if (!call)
        (void)sip_reply(sip, msg, 481, tdm_sip_phrase(481));
    else if (!pl_strcmp(&msg->met, "INVITE"))
        re_invite(call, msg);
    else if (!pl_strcmp(&msg->met, "BYE"))
        on_bye(call, msg);
    else if (!pl_strcmp(&msg->met, "INFO"))
        on_info(call, msg);
    else
        (void)sip_replyf(sip, msg, 405, tdm_sip_phrase(405), ALLOW NO_BODY);
}

/* Everything that is not a retransmission comes here; nothing goes on to libre's own words. */
static bool request_handler(const struct sip_msg *msg, void *arg)
{
    struct stack *stack = arg;
    struct sip *sip = stack->sip;
    uint16_t code = check_request(msg);

    if (code) {
        (void)sip_reply(sip, msg, code, tdm_sip_phrase(code));
    } else if (!pl_strcmp(&msg->met, "OPTIONS")) {
        (void)sip_replyf(sip, msg, 200, "OK", ALLOW ACCEPT NO_BODY);
    } else if (pl_isset(&msg->to.tag)) {
        in_dialog(sip, call_of_message(stack->sig, msg), msg);
    } else if (!pl_strcmp(&msg->met, "INVITE")) {
        new_invite(stack, msg);
    } else if (!pl_strcmp(&msg->met, "CANCEL") || !pl_strcmp(&msg->met, "BYE")) {
        (void)sip_reply(sip, msg, 481, tdm_sip_phrase(481));
    } else if (pl_strcmp(&msg->met, "ACK")) {
        (void)sip_replyf(sip, msg, 405, tdm_sip_phrase(405), ALLOW NO_BODY);
    }
    return true;
}

/* Responses that belong to no transaction: a 200 again means that our ACK was lost. */
static bool response_handler(const struct sip_msg *msg, void *arg)
{
    struct stack *stack = arg;
    struct call *call = call_of_message(stack->sig, msg);

    if (call && call->acked && msg->scode / 100 == 2 && msg->cseq.num == call->ack_seq &&
        !pl_strcmp(&msg->cseq.met, "INVITE"))
        (void)send_ack(call, call->ack_seq);
    return true;
}

/* --- The thread ------------------------------------------------------------------------------- */

static void closing_handler(void *arg)
{
    struct tdm_sig *sig = arg;

    sig->closing_ms += 10;
    if (!sig->calls.head || sig->closing_ms >= CLOSE_WAIT_MS)
        re_cancel();
    else
        tmr_start(&sig->closing, 10, closing_handler, sig);
}

static void do_close(struct tdm_sig *sig)
{
    struct le *le = sig->calls.head;

    while (le) {
        struct call *call = le->data;

        le = le->next;
        if (!call->over) {
            call->over = true;
            leave(call, 480);
        }
    }
    tmr_start(&sig->closing, 10, closing_handler, sig);
}

static void run_command(struct tdm_sig *sig, enum command_kind kind, const struct command *command)
{
    struct call *call = call_find(sig, command->id);

    if (kind == DO_CALL || kind == DO_OPTIONS) {
        do_call(sig, command, kind == DO_OPTIONS);
        return;
    }
    if (!call)
        return;
    switch (kind) {
    case DO_RING:
        if (call->phase == RINGING)
            (void)reply(call, 180, "Ringing", NULL, 0, NULL);
        break;
    case DO_PROGRESS:
        if (call->phase == RINGING)
            (void)reply(call, 183, "Session Progress", command->body, command->size, NULL);
        break;
    case DO_ACCEPT:
        if (call->phase == RINGING)
            reply_ok(call, command->body, command->size);
        break;
    case DO_REJECT:
        if (call->phase == RINGING)
            do_end(call, command->code >= 300 ? command->code : 603);
        break;
    case DO_OFFER:
        do_offer(call, command);
        break;
    case DO_ANSWER:
        do_answer(call, command);
        break;
    case DO_HANGUP:
        do_end(call, 603);
        break;
    case DO_DTMF:
        do_dtmf(call, command);
        break;
    default:
        break;
    }
}

static void command_handler(int id, void *data, void *arg)
{
    struct tdm_sig *sig = arg;

    if (atomic_exchange(&sig->close_asked, false))
        do_close(sig);
    if (id == LOOKED_UP) {
        looked_up(arg, data);
    } else if (id == DO_CLOSE) {
        do_close(arg);
    } else {
        run_command(arg, (enum command_kind)id, data);
        free(data);
    }
}

static void stack_destructor(void *arg)
{
    struct stack *stack = arg;

    list_unlink(&stack->le);
    mem_deref(stack->responses);
    mem_deref(stack->requests);
    if (stack->sip)
        sip_close(stack->sip, true);
    mem_deref(stack->sip);
}

static int stack_listen(struct stack *stack, uint16_t *port)
{
    static const struct {
        enum tdm_sig_transport flag;
        enum sip_transp tp;
    } kinds[] = {{TDM_SIG_UDP, SIP_TRANSP_UDP}, {TDM_SIG_TCP, SIP_TRANSP_TCP}};
    struct sa local;
    int err = sa_set_str(&local, stack->address, *port);

    for (size_t i = 0; !err && i < sizeof kinds / sizeof *kinds; i++) {
        if (!(stack->sig->transports & kinds[i].flag))
            continue;
        err = sip_transp_add(stack->sip, kinds[i].tp, &local);
        if (!err)
            err = sip_transp_laddr(stack->sip, &local, kinds[i].tp, &local);
    }
    if (!err)
        *port = sa_port(&local);
    return err;
}

/* A stack at `address`; port 0 takes any, and says which. */
static int stack_add(struct tdm_sig *sig, const char *address, uint16_t *port)
{
    struct stack *stack = mem_zalloc(sizeof *stack, stack_destructor);
    int err;

    if (!stack)
        return ENOMEM;
    stack->sig = sig;
    (void)snprintf(stack->address, sizeof stack->address, "%s", address);
    list_append(&sig->stacks, &stack->le, stack);
    err =
        sip_alloc(&stack->sip, NULL, HASH_SIZE, HASH_SIZE, HASH_SIZE, sig->user_agent, NULL, stack);
    if (!err)
        err = sip_listen(&stack->requests, stack->sip, true, request_handler, stack);
    if (!err)
        err = sip_listen(&stack->responses, stack->sip, false, response_handler, stack);
    if (!err)
        err = stack_listen(stack, port);
    if (err)
        mem_deref(stack);
    return err;
}

static bool has_stack(struct tdm_sig *sig, const char *address)
{
    struct stack *stack = stack_of(sig, address);

    return stack && strcmp(stack->address, address) == 0;
}

/* Numeric text of an interface's address that can be listened at. */
static bool interface_address(const struct ifaddrs *at, char *text, size_t capacity)
{
    const void *address = at->ifa_addr;
    const struct sockaddr_in *v4 = address;
    const struct sockaddr_in6 *v6 = address;

    if (!address || !(at->ifa_flags & IFF_UP))
        return false;
    if (at->ifa_addr->sa_family == AF_INET)
        return inet_ntop(AF_INET, &v4->sin_addr, text, (socklen_t)capacity) != NULL;
    return at->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) &&
           inet_ntop(AF_INET6, &v6->sin6_addr, text, (socklen_t)capacity) != NULL;
}

/* Stacks at all addresses that have none. An address that cannot be had is left out, except for
 * a port in use at start: that is told. */
static int add_stacks(struct tdm_sig *sig, uint16_t *port, bool starting)
{
    struct ifaddrs *all = NULL;
    int err = 0;

    if (sig->bind_address[0])
        return starting ? stack_add(sig, sig->bind_address, port) : 0;
    if (getifaddrs(&all))
        return errno;
    for (const struct ifaddrs *at = all; at && !err; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN];

        if (!interface_address(at, text, sizeof text) || has_stack(sig, text) ||
            list_count(&sig->stacks) >= STACKS_MAX)
            continue;
        err = stack_add(sig, text, port);
        if (!starting || (err != EADDRINUSE && err != EACCES))
            err = 0;
    }
    freeifaddrs(all);
    return err || sig->stacks.head ? err : EADDRNOTAVAIL;
}

static void refresh_handler(void *arg)
{
    struct tdm_sig *sig = arg;

    (void)add_stacks(sig, &(uint16_t){sig->port}, false);
    tmr_start(&sig->refresh, REFRESH_MS, refresh_handler, sig);
}

static enum tdm_err listen_all(struct tdm_sig *sig)
{
    const char *address = sig->bind_address[0] ? sig->bind_address : "any address";
    uint16_t port = sig->port;
    int err = add_stacks(sig, &port, true);

    for (int i = 0; err == EADDRINUSE && sig->port_may_change && i < PORT_TRIES; i++) {
        list_flush(&sig->stacks);
        port = 0;
        err = add_stacks(sig, &port, true);
    }
    if (err == EADDRINUSE)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "port %u is in use (by another SIP program?): choose another with --port",
                        sig->port);
    if (err == EACCES)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "port %u needs administrator rights: choose one above 1023 with --port",
                        sig->port);
    if (err)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "cannot listen for calls at %s, port %u (error %d): is the network up, and "
                        "is that an address of this machine?",
                        address, sig->port, err);
    sig->port = port;
    tmr_start(&sig->refresh, REFRESH_MS, refresh_handler, sig);
    return TDM_OK;
}

static enum tdm_err start(struct tdm_sig *sig)
{
    struct rlimit limit = {0};
    int err;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    err = fd_setsize(limit.rlim_cur && limit.rlim_cur < FDS_MAX ? (int)limit.rlim_cur : FDS_MAX);
    if (!err)
        err = mqueue_alloc(&sig->mq, command_handler, sig);
    if (err)
        return tdm_fail(sig->start_cause, TDM_E_SYSTEM,
                        "cannot start SIP (error %d): raise the open file limit (ulimit -n)", err);
    return listen_all(sig);
}

static void forget_lookups(struct tdm_sig *sig)
{
    while (sig->lookups) {
        struct lookup *lookup = sig->lookups;
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

static void stop(struct tdm_sig *sig)
{
    tmr_cancel(&sig->closing);
    tmr_cancel(&sig->refresh);
    list_flush(&sig->calls);
    forget_lookups(sig);
    list_flush(&sig->stacks);
    mem_deref(sig->mq);
}

static void *run(void *arg)
{
    struct tdm_sig *sig = arg;
    bool own = re_thread_init() == 0;
    struct tdm_sig_event event;

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
        event_of(&event, TDM_SIG_BACKEND_FAILED, 0);
        (void)snprintf(event.reason, sizeof event.reason, "the SIP thread stopped");
        (void)emit(sig, &event);
    }
    stop(sig);
    re_thread_close();
    return NULL;
}

/* --- The table -------------------------------------------------------------------------------- */

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
    sig->transports = config->transports ? config->transports : TDM_SIG_UDP | TDM_SIG_TCP;
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
    if (mqueue_push(sig->mq, DO_CLOSE, NULL)) /* Full: so the thread is about to run commands. */
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

static enum tdm_err push(struct tdm_sig *sig, enum command_kind kind, const struct command *head,
                         const struct tdm_sig_body *body)
{
    size_t size = body ? body->size : 0;
    struct command *command;

    if (size > TDM_SIG_BODY_MAX)
        return TDM_E_UNSUPPORTED;
    command = malloc(sizeof *command + size);
    if (!command)
        return TDM_E_SPACE;
    *command = *head;
    command->size = size;
    if (size)
        memcpy(command->body, body->data, size);
    if (mqueue_push(sig->mq, (int)kind, command)) {
        free(command);
        return TDM_E_SPACE;
    }
    return TDM_OK;
}

static enum tdm_err push_uri(struct tdm_sig *sig, enum command_kind kind, const char *uri,
                             const struct tdm_sig_body *body, tdm_sig_id *id,
                             struct tdm_cause *cause)
{
    struct command head = {0};
    enum tdm_err err = tdm_sip_uri_parse(uri, &head.uri, cause);

    if (!err && head.uri.tcp && !(sig->transports & TDM_SIG_TCP))
        err = tdm_fail(cause, TDM_E_UNSUPPORTED, "TCP is switched off here");
    if (err)
        return err;
    head.id = *id = atomic_fetch_add(&sig->last_id, 1) + 1;
    err = push(sig, kind, &head, body);
    return err ? tdm_fail(cause, err, "too many commands wait, or the offer is too large") : TDM_OK;
}

static enum tdm_err libre_call(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                               const struct tdm_sig_body *offer, tdm_sig_id *id,
                               struct tdm_cause *cause)
{
    if (account)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "accounts are not supported yet");
    return push_uri(sig, DO_CALL, uri, offer, id, cause);
}

static enum tdm_err libre_ring(struct tdm_sig *sig, tdm_sig_id id)
{
    return push(sig, DO_RING, &(struct command){.id = id}, NULL);
}

static enum tdm_err libre_progress(struct tdm_sig *sig, tdm_sig_id id,
                                   const struct tdm_sig_body *answer)
{
    return push(sig, DO_PROGRESS, &(struct command){.id = id}, answer);
}

static enum tdm_err libre_accept(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *answer)
{
    return push(sig, DO_ACCEPT, &(struct command){.id = id}, answer);
}

static enum tdm_err libre_reject(struct tdm_sig *sig, tdm_sig_id id, uint16_t code)
{
    return push(sig, DO_REJECT, &(struct command){.id = id, .code = code}, NULL);
}

static enum tdm_err libre_offer(struct tdm_sig *sig, tdm_sig_id id,
                                const struct tdm_sig_body *offer)
{
    return push(sig, DO_OFFER, &(struct command){.id = id}, offer);
}

static enum tdm_err libre_answer(struct tdm_sig *sig, tdm_sig_id id,
                                 const struct tdm_sig_body *answer, uint16_t code)
{
    return push(sig, DO_ANSWER, &(struct command){.id = id, .code = code}, answer);
}

static enum tdm_err libre_hangup(struct tdm_sig *sig, tdm_sig_id id, const char *reason)
{
    (void)reason; /* SIP has no agreed place for it (RFC 3326 is for codes). */
    return push(sig, DO_HANGUP, &(struct command){.id = id}, NULL);
}

static enum tdm_err libre_options(struct tdm_sig *sig, const char *uri, tdm_sig_id *id,
                                  struct tdm_cause *cause)
{
    return push_uri(sig, DO_OPTIONS, uri, NULL, id, cause);
}

static enum tdm_err libre_dtmf_info(struct tdm_sig *sig, tdm_sig_id id, char digit,
                                    uint16_t duration_ms)
{
    if (!digit || !strchr("0123456789ABCD*#", digit))
        return TDM_E_UNSUPPORTED;
    return push(sig, DO_DTMF,
                &(struct command){.id = id, .digit = digit, .duration_ms = duration_ms}, NULL);
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
};
