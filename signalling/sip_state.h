/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIP_STATE_H
#define TDM_SIGNALLING_SIP_STATE_H

/*
 * SIP over libre: what the files of the backend share, and nobody else includes. They are the only
 * ones that know the library. They use libre's transports, transactions and dialogs, but not its
 * sessions (sipsess), which must answer a re-INVITE inside the callback, retry glare by themselves
 * and never report a refused one.
 *
 * One thread per backend runs libre's loop and owns everything in `struct tdm_sig` but the event
 * queue; libre keeps its loop per thread, so several backends live in one process. Commands come
 * over libre's mqueue (a pipe), events leave through tdm_sig_queue. Every function here runs on
 * that thread, but tdm_sip_push*().
 */

#include "engine/io/trust.h"
#include "signalling/account.h"
#include "signalling/digest_auth.h"
#include "signalling/request_limit.h"
#include "signalling/sig_queue.h"
#include "signalling/signalling.h"
#include "signalling/sip_uri.h"

#include <re/re.h>

#include <semaphore.h>
#include <stdatomic.h>

#define TDM_SIP_ALLOW                                                                              \
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY\r\n"
#define TDM_SIP_ACCEPT  "Accept: application/sdp, application/dtmf-relay\r\n"
#define TDM_SIP_NO_BODY "Content-Length: 0\r\n\r\n"

/** One of this machine's addresses, with a SIP stack of its own: libre cannot bind to all of them
 *  at once, and with several in one stack it always sends from the first. TLS has stacks of its
 *  own: libre has one context for all connections of a stack, and a context knows one server. */
struct tdm_sip_stack {
    struct le le; /* In sig->stacks, or for TLS in sig->tls_stacks. */
    struct tdm_sig *sig;
    struct sip *sip;
    struct sip_lsnr *requests, *responses;
    struct udp_helper *guard; /* NULL until the first message came over UDP (sip_guard.c). */
    struct tdm_request_limit limit;
    char address[64];
    uint16_t port;                   /* Where it listens. */
    bool secure;                     /* TLS. */
    struct tdm_trust *trust;         /* TLS that we open: whom we believe; NULL: the listener. */
    char host[200];                  /* Of direct TLS calls: who is at the other end; else "". */
    struct tdm_sip_account *account; /* It is this account's alone; NULL. Borrowed. */
    uint32_t idle;                   /* Refreshes without anybody who holds it. */
    struct sa seen;                  /* TLS: our end of the connection, as the server sees it. */
};

enum tdm_sip_phase {
    TDM_SIP_LOOKING_UP, /* The host's name. */
    TDM_SIP_CONNECTING, /* TLS: our Contact is the connection's own address. */
    TDM_SIP_INVITING,
    TDM_SIP_RINGING,  /* Their INVITE, unanswered. */
    TDM_SIP_ACCEPTED, /* Our 200 is out, no ACK yet. */
    TDM_SIP_UP,
    TDM_SIP_LEAVING, /* Over for the user; the wire still has to finish. */
};

/** What one of our records is for. */
enum tdm_sip_purpose {
    TDM_SIP_CALL,
    TDM_SIP_OPTIONS,
    TDM_SIP_MESSAGE,
    TDM_SIP_REFER, /* Ours, or theirs while the user thinks about it. */
    TDM_SIP_SUBSCRIPTION,
    TDM_SIP_PUBLICATION,
    TDM_SIP_WATCHER,
};

#define TDM_SIP_HEARD_MAX  256
#define TDM_SIP_LINE_MAX   1024 /* MESSAGEs that wait. */
#define TDM_SIP_REALMS_MAX 4
#define TDM_SIP_ROUTES_MAX 4

/** What a server or proxy of an account asked for the password with. */
struct tdm_sip_realm {
    struct tdm_digest_challenge challenge; /* realm "": free. */
    bool proxy;
    uint32_t nc;
    uint64_t fresh_for; /* The request that it came for. */
};

/** An account, on libre's heap: mem_deref() ends it. Its calls hold it too. */
struct tdm_sip_account {
    struct le le;
    struct tdm_sig *sig;
    tdm_sig_id id;
    struct tdm_account core;
    struct tmr wake;
    bool gone;                 /* Removed; lives on for its calls. */
    struct tdm_sip_uri aor;    /* Without transport or port. */
    struct tdm_sip_uri server; /* Where REGISTER goes: its Request-URI. */
    struct tdm_sip_uri hop;    /* Where all goes first: a proxy, else the server. */
    bool through;              /* The proxy was named: it gets a Route. */
    char auth_user[64], password[128], display_name[64], instance[64];
    char ca_file[256], fingerprint[100];
    bool no_register, no_outbound;
    struct tdm_sip_stack *stack; /* Where it sends from; held. */
    struct sip_dialog *dlg;      /* Of all its REGISTERs. */
    struct sip_request *req;
    struct sip_keepalive *watch; /* Tells when the connection is gone. */
    struct sockaddr_storage addresses[TDM_SIP_ADDRESSES_MAX];
    uint32_t address_index;  /* The one in use. */
    uint32_t expires_s;      /* Of the REGISTER that is out. */
    struct sa contact, told; /* Where it is reached, and what the last REGISTER said. */
    enum sip_transp tp;
    char realm[TDM_DIGEST_TEXT_MAX]; /* Of its own server: the password is for it alone. */
    struct tdm_sip_realm realms[TDM_SIP_REALMS_MAX];
    uint64_t last_try, try; /* Requests so far; the REGISTER that is out. */
    uint32_t try_count;
    char routes[TDM_SIP_ROUTES_MAX][TDM_SIG_ADDRESS_MAX]; /* Service-Route (RFC 3608). */
    uint32_t route_count;
};

/** A call, or a request outside of one on its way, on libre's heap: mem_deref() ends it. */
struct tdm_sip_call {
    struct le le;
    struct tdm_sig *sig;
    struct tdm_sip_stack *stack;     /* NULL while the host's name is looked up; held. */
    struct tdm_sip_account *account; /* Whose call it is; NULL: nobody's. Held. */
    struct tdm_sip_uri hop; /* Where it goes first (numeric); host "": as the dialog says. */
    struct sockaddr_storage address;      /* That it goes to straight. */
    uint64_t try;                         /* Of the account: the request that is out... */
    uint32_t try_count;                   /* ... and how often a password was asked for. */
    enum tdm_account_challenge challenge; /* The last one. */
    tdm_sig_id id;
    enum tdm_sip_phase phase;
    bool over;    /* Its end event is out. */
    bool bye_due; /* Once the ACK is here: RFC 3261 section 15. */
    enum tdm_sip_purpose purpose;
    struct sip_dialog *dlg;
    struct sip_request *req; /* Our INVITE, re-INVITE, BYE, OPTIONS, MESSAGE or REFER. */
    struct sip_strans *st;   /* Their INVITE, re-INVITE or REFER, unanswered. */
    struct sip_msg *invite;  /* The same message, kept until the ACK. */
    struct mbuf *ok;         /* Our 200, sent again until the ACK. */
    bool ok_offers;          /* The 200 carries our offer: the ACK brings the answer. */
    struct tmr resend, give_up;
    uint32_t resend_count;
    bool acked;        /* We sent an ACK... */
    uint32_t ack_seq;  /* ... for this CSeq, and do so again when the 200 comes again. */
    struct mbuf *body; /* Our offer, message or target, while the name is looked up. */
    char content_type[64];
    struct tdm_sip_uri service; /* It goes through this server; host "": straight. */
    int icmp_fd;                /* Tells at once when nothing listens at a UDP port; -1: none. */
    struct tdm_sip_uri uri;
    bool in_line;                  /* A MESSAGE behind another for the same address. */
    struct tdm_sip_events *events; /* NULL but for what sip_events.h is about. */
};

/** A name being looked up on a thread of its own, which may outlive the backend. */
struct tdm_sip_lookup {
    struct tdm_sip_lookup *next;
    pthread_mutex_t mutex;
    struct mqueue *mq; /* NULL once the backend is gone: the thread frees. */
    bool done;
    tdm_sig_id id;    /* Of the call or account. */
    bool account;     /* All addresses are wanted, ... */
    uint32_t attempt; /* ... for this attempt. */
    uint64_t seed;
    struct tdm_sip_uri uri;
    struct sockaddr_storage addresses[TDM_SIP_ADDRESSES_MAX];
    uint32_t address_count;
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
    struct list stacks, tls_stacks;
    struct list accounts;
    struct tmr refresh; /* Addresses that came since. */
    struct list calls;
    struct tdm_sip_lookup *lookups;
    bool closing;                      /* No more calls... */
    struct tmr close_due;              /* ... and then the loop ends. */
    struct tmr line_due;               /* A MESSAGE is over: the next one goes. */
    uint64_t heard[TDM_SIP_HEARD_MAX]; /* MESSAGEs of late, by hash: a server may say one twice. */
    uint32_t heard_count;
    uint32_t calls_max;
    _Atomic tdm_sig_id last_id;
    _Atomic bool close_asked; /* When the command queue was full. */
    uint16_t port;
    bool port_may_change, may_be_asked_back, no_messages, presence;
    unsigned transports;
    char bind_address[64], user[64], display_name[64], user_agent[64];
    char identity[256], ca_file[256];
    struct dnsc *dns; /* For names in what other sides say; NULL: none. */
};

/* --- sip_commands.c: from any thread to the loop ---------------------------------------------- */

enum tdm_sip_command_kind {
    TDM_SIP_DO_CALL,
    TDM_SIP_DO_RING,
    TDM_SIP_DO_PROGRESS,
    TDM_SIP_DO_ACCEPT,
    TDM_SIP_DO_REJECT,
    TDM_SIP_DO_OFFER,
    TDM_SIP_DO_ANSWER,
    TDM_SIP_DO_HANGUP,
    TDM_SIP_DO_OPTIONS,
    TDM_SIP_DO_MESSAGE,
    TDM_SIP_DO_REFER,
    TDM_SIP_DO_DTMF,
    TDM_SIP_DO_ACCOUNT_ADD, /* body = struct tdm_sip_account_texts */
    TDM_SIP_DO_ACCOUNT_REMOVE,
    TDM_SIP_DO_ACCOUNT_RETRY,
    TDM_SIP_DO_SUBSCRIBE,
    TDM_SIP_DO_PUBLISH,
    TDM_SIP_DO_NOTIFY,
    TDM_SIP_DO_RELEASE,
    TDM_SIP_DO_CLOSE,
    TDM_SIP_LOOKED_UP,
};

struct tdm_sip_command {
    tdm_sig_id id, account;
    uint16_t code, duration_ms;
    char digit;
    struct tdm_sip_uri uri, service;
    char content_type[64];
    char package[32]; /* Of a NOTIFY: the reason. */
    uint32_t expires_s;
    enum tdm_sig_subscription state;
    size_t size;
    uint8_t body[];
};

/** Queues a copy of `head` with `body` (NULL: none). Any thread; errors as the table says. */
enum tdm_err tdm_sip_push(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                          const struct tdm_sip_command *head, const struct tdm_sig_body *body);
/** What begins with an address: `account` 0 and `service` NULL: it goes straight. */
struct tdm_sip_begin {
    const char *uri, *service;
    tdm_sig_id account;
};
/** The same for it: *id is new. */
enum tdm_err tdm_sip_push_uri(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                              const struct tdm_sip_begin *begin, const struct tdm_sig_body *body,
                              tdm_sig_id *id, struct tdm_cause *cause);

/** The mqueue's handler: `kind` is an enum tdm_sip_command_kind, `data` fits it, `arg` is the
 *  struct tdm_sig. */
void tdm_sip_run_command(int kind, void *data, void *arg);

/* --- sip_stack.c: local addresses ------------------------------------------------------------- */

/** Listens at all addresses, and at those that come later. */
enum tdm_err tdm_sip_listen(struct tdm_sig *sig);
/** The stack at the local address that leads to a peer; else one of its kind, or NULL. */
struct tdm_sip_stack *tdm_sip_stack_of(struct tdm_sig *sig, const char *local);
/** A stack of its own at `address`, any port, which only opens TLS connections. NULL with a
 *  cause. The caller holds it. */
struct tdm_sip_stack *tdm_sip_tls_stack(struct tdm_sig *sig, const char *address,
                                        const struct tdm_trust_config *trust,
                                        struct tdm_cause *cause);
/** The one for direct calls to `host`, made when there is none. NULL with a cause. */
struct tdm_sip_stack *tdm_sip_tls_stack_to(struct tdm_sig *sig, const char *address,
                                           const char *host, struct tdm_cause *cause);
/** How a response says that it saw us, else our own end of its connection. */
void tdm_sip_seen(const struct sip_msg *msg, struct sa *seen);
/** Our Contact header in a call. */
void tdm_sip_contact(const struct tdm_sip_call *call, enum sip_transp tp, char *to,
                     size_t capacity);
/** The same as libre asks for it just before it sends: the first place where the transport is
 *  known. */
int tdm_sip_write_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst,
                          struct mbuf *mb, void *call);

/* --- sip_guard.c: what libre would write to stderr, and how much it is asked -------------------
 */

/** Its warnings; for the whole process, and each backend says the same. */
void tdm_sip_silence(void);
/** Whether libre can read the datagram; `mb` stays as it was. */
bool tdm_sip_is_readable(struct mbuf *mb);
/** Sends the stack a first message: with it the guard begins. */
void tdm_sip_guard_call(const struct sa *local);
/** Whether a request is to be answered: not when there are too many. */
bool tdm_sip_admit(struct tdm_sip_stack *stack, const struct sip_msg *msg);
/** Keeps what libre cannot read from the socket that `msg` came over, from now on. */
void tdm_sip_guard(struct tdm_sip_stack *stack, const struct sip_msg *msg);

/* --- sip_checks.c: messages before use. Pure -------------------------------------------------- */

void tdm_sip_event_of(struct tdm_sig_event *event, enum tdm_sig_kind kind, tdm_sig_id id);
/** The body as Content-Length says: never more than what came, nor than TDM_SIG_BODY_MAX. */
bool tdm_sip_body_size(const struct sip_msg *msg, size_t *size);
/** What libre's lazy parser lets through: 0 when the request may be used, else the refusal. */
uint16_t tdm_sip_check_request(const struct sip_msg *msg);
/** The same for what an INVITE says: 0, 406 or 415. */
uint16_t tdm_sip_check_invite(const struct sip_msg *msg);
/** A body that is broken or no SDP counts as none: then the call machine refuses it. */
void tdm_sip_take_body(struct tdm_sig_event *event, const struct sip_msg *msg);
/** Who calls whom. */
void tdm_sip_take_caller(struct tdm_sig_event *event, const struct sip_msg *msg);
/** The content of a MESSAGE, of any type: 0, 400 or 415. */
uint16_t tdm_sip_take_message(struct tdm_sig_event *event, const struct sip_msg *msg);
/** Whom a REFER asks us to call: 0 or 400. */
uint16_t tdm_sip_take_target(struct tdm_sig_event *event, const struct sip_msg *msg);
/** Which program answers. */
void tdm_sip_take_agent(struct tdm_sig_event *event, const struct sip_msg *msg);
/** The digit of an INFO: 0, 400 or 415. */
uint16_t tdm_sip_take_digit(struct tdm_sig_event *event, const struct sip_msg *msg);

/* --- sip_call.c: a call's life ---------------------------------------------------------------- */

struct tdm_sip_call *tdm_sip_call_new(struct tdm_sig *sig, tdm_sig_id id, enum tdm_sip_phase phase);
/** Where it sends from, from now on. */
void tdm_sip_call_use(struct tdm_sip_call *call, struct tdm_sip_stack *stack);
void tdm_sip_call_use_account(struct tdm_sip_call *call, struct tdm_sip_account *account);
/** NULL when there is none, or it is over. */
struct tdm_sip_call *tdm_sip_call_find(struct tdm_sig *sig, tdm_sig_id id);
/** The call in whose dialog the message is, over or not. */
struct tdm_sip_call *tdm_sip_call_of(struct tdm_sig *sig, const struct sip_msg *msg);
bool tdm_sip_room_for_call(const struct tdm_sig *sig);
/** An event of the call; with the body of `msg` (NULL: none). */
void tdm_sip_call_emit(struct tdm_sip_call *call, enum tdm_sig_kind kind, uint16_t code,
                       const char *reason, const struct sip_msg *msg);
/** The event that ends it, once. */
void tdm_sip_call_end(struct tdm_sip_call *call, enum tdm_sig_kind kind, uint16_t code,
                      const char *reason);
/** FAILED, and gone. */
void tdm_sip_call_fail(struct tdm_sip_call *call, const char *reason);
/** The same with the words for an errno value of the network. */
void tdm_sip_call_fail_error(struct tdm_sip_call *call, int err);
/** Says BYE; the call goes when it is answered or times out. */
void tdm_sip_say_bye(struct tdm_sip_call *call);
/** Leaves whatever is on the wire in order; the end event is out already. `code` refuses. */
void tdm_sip_leave(struct tdm_sip_call *call, uint16_t code);
/** Ends every call and account, then the loop: with the last of them, or after a second. */
void tdm_sip_close_calls(struct tdm_sig *sig);
void tdm_sip_close_if_last(struct tdm_sig *sig);

/* --- sip_lookup.c: names ---------------------------------------------------------------------- */

/** Looks call->uri up; then tdm_sip_start_call(), unless the call is over. */
void tdm_sip_start_lookup(struct tdm_sip_call *call);
/** Looks account->hop up; then tdm_sip_account_looked_up(). */
void tdm_sip_look_up_account(struct tdm_sip_account *account, uint32_t attempt);
void tdm_sip_looked_up(struct tdm_sig *sig, struct tdm_sip_lookup *lookup);
void tdm_sip_forget_lookups(struct tdm_sig *sig);

/* --- sip_outgoing.c: calls that we make ------------------------------------------------------- */

void tdm_sip_do_call(struct tdm_sig *sig, const struct tdm_sip_command *command,
                     enum tdm_sip_purpose purpose);
/** Finds the way for a call that has its address, account and body, and sends its first request. */
void tdm_sip_call_begin(struct tdm_sip_call *call);
void tdm_sip_start_call(struct tdm_sip_call *call, const struct sockaddr_storage *address);
int tdm_sip_send_ack(struct tdm_sip_call *call, uint32_t seq);
void tdm_sip_close_icmp(struct tdm_sip_call *call);

/* --- sip_asking.c: requests outside of a call ------------------------------------------------- */

/** Sends OPTIONS, MESSAGE or REFER on the call's new dialog. */
int tdm_sip_ask(struct tdm_sip_call *call);
/** Whether a MESSAGE has to wait: two for one address would overtake each other. */
bool tdm_sip_must_wait(const struct tdm_sip_call *call);
/** One is over: the next goes; when it `failed`, those behind it do too. */
void tdm_sip_next_in_line(struct tdm_sig *sig);
void tdm_sip_fail_line(const struct tdm_sip_call *call, const char *reason);
/** Their MESSAGE: told and answered. */
void tdm_sip_on_message(struct tdm_sip_stack *stack, const struct sip_msg *msg);
/** Their REFER: told, and answered when the user has decided or has thought for long. */
void tdm_sip_on_refer(struct tdm_sip_stack *stack, const struct sip_msg *msg);
/** The user agrees to it. */
void tdm_sip_agree(struct tdm_sip_call *call);

/* --- sip_events.c: subscriptions, publications, watchers -------------------------------------- */

enum tdm_err tdm_sip_push_subscribe(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                                    const char *package, uint32_t expires_s, tdm_sig_id *id,
                                    struct tdm_cause *cause);
enum tdm_err tdm_sip_push_publish(struct tdm_sig *sig, tdm_sig_id account, const char *package,
                                  const struct tdm_sig_body *body, uint32_t expires_s,
                                  tdm_sig_id *id, struct tdm_cause *cause);
enum tdm_err tdm_sip_push_notify(struct tdm_sig *sig, tdm_sig_id watcher,
                                 enum tdm_sig_subscription state, const char *reason,
                                 const struct tdm_sig_body *body);
enum tdm_err tdm_sip_push_release(struct tdm_sig *sig, tdm_sig_id id);
/** False: it is no command of theirs. */
bool tdm_sip_events_command(struct tdm_sig *sig, enum tdm_sip_command_kind kind,
                            const struct tdm_sip_command *command);
/** Sends the first request of a record of theirs. */
int tdm_sip_events_send(struct tdm_sip_call *call);
/** It found no way; the record goes on. */
void tdm_sip_events_failed(struct tdm_sip_call *call, const char *reason);
/** The account is there again. */
void tdm_sip_events_retry(struct tdm_sip_account *account);
/** Ends one in order. */
void tdm_sip_events_leave(struct tdm_sip_call *call);
/** Their SUBSCRIBE or NOTIFY; false: it is neither. */
bool tdm_sip_on_event(struct tdm_sip_stack *stack, const struct sip_msg *msg);

/* --- sip_incoming.c: calls that they make ----------------------------------------------------- */

/** Everything that is not a retransmission; nothing goes on to libre's own words. `arg` is the
 *  struct tdm_sip_stack. */
bool tdm_sip_on_request(const struct sip_msg *msg, void *arg);
/** False, or the INVITE is refused. */
bool tdm_sip_refuse_invite(struct sip *sip, const struct sip_msg *msg);
/** Their CANCEL; `arg` is the struct tdm_sip_call. */
void tdm_sip_on_cancel(void *arg);

/* --- sip_request.c: any request of ours ---------------------------------------------------------
 *
 * A request carries the credentials that its account has for where it goes, and is sent again, with
 * a new CSeq, when the answer is a challenge that can be met. In the response handler, for any
 * final response:
 *
 *     if (tdm_sip_auth_again(call, msg)) { send it again with tdm_sip_request; return; }
 */

/** On the call's dialog. `seq`: of an ACK, else 0; `fmt`: libre's. 0 or an errno value. */
int tdm_sip_request(struct tdm_sip_call *call, struct sip_request **req, const char *method,
                    uint32_t seq, sip_resp_h *response, const char *fmt, ...);
/** The same for the account's own REGISTER or OPTIONS. */
int tdm_sip_account_request(struct tdm_sip_account *account, const char *method,
                            sip_resp_h *response, const char *fmt, ...);

/* --- sip_auth.c: passwords ---------------------------------------------------------------------
 */

/** The account's credentials for a request, as header lines, into `mb`. */
int tdm_sip_auth_write(struct tdm_sip_account *account, const char *method, const char *uri,
                       struct mbuf *mb);
/** Takes the challenges of a 401 or 407. `try` names the request, through all its repetitions. */
enum tdm_account_challenge tdm_sip_auth_take(struct tdm_sip_account *account, uint64_t try,
                                             const struct sip_msg *msg);
/** Whether `msg` is a challenge that the call's account can answer and has not yet. */
bool tdm_sip_auth_again(struct tdm_sip_call *call, const struct sip_msg *msg);
/** What a refusal means, in words; of a password also whose. */
const char *tdm_sip_refusal(const struct tdm_sip_call *call, uint16_t code);

/* --- sip_account.c: accounts --------------------------------------------------------------------
 */

/** Checks and queues; any thread. */
enum tdm_err tdm_sip_push_account(struct tdm_sig *sig, const struct tdm_sig_account *account,
                                  tdm_sig_id *id, struct tdm_cause *cause);
void tdm_sip_do_account_add(struct tdm_sig *sig, const struct tdm_sip_command *command);
void tdm_sip_do_account_remove(struct tdm_sig *sig, tdm_sig_id id);
void tdm_sip_do_account_retry(struct tdm_sig *sig, tdm_sig_id id);
/** NULL when there is none. */
struct tdm_sip_account *tdm_sip_account_find(struct tdm_sig *sig, tdm_sig_id id);
/** Whom a request from outside is for; NULL: nobody's, straight. */
struct tdm_sip_account *tdm_sip_account_of(struct tdm_sip_stack *stack, const struct sip_msg *msg);
/** The same for an event; and whether others could read the request. */
void tdm_sip_take_account(struct tdm_sig_event *event, struct tdm_sip_stack *stack,
                          const struct sip_msg *msg);
/** Its address in use as a numeric "sip:" URI; host "": none is known. */
struct tdm_sip_uri tdm_sip_account_hop(const struct tdm_sip_account *account);
void tdm_sip_account_step(struct tdm_sip_account *account, const struct tdm_account_in *in);
void tdm_sip_account_looked_up(struct tdm_sip_account *account,
                               const struct tdm_sip_lookup *lookup);
/** Unregisters all. */
void tdm_sip_close_accounts(struct tdm_sig *sig);

/* --- sip_register.c: its REGISTER ---------------------------------------------------------------
 */

/** Sends what the core asks for. */
void tdm_sip_register(struct tdm_sip_account *account, const struct tdm_account_out *out);
/** What keeps gateways open between. */
void tdm_sip_keep_alive(struct tdm_sip_account *account);

/* --- sip_answer.c: our answer to an INVITE or re-INVITE, until its ACK ------------------------ */

/** 1xx or 2xx; `ok` (NULL: none) receives a copy of the message. */
int tdm_sip_reply_invite(struct tdm_sip_call *call, uint16_t code, const char *phrase,
                         const uint8_t *body, size_t size, struct mbuf **ok);
/** 200, sent again until the ACK comes. */
void tdm_sip_reply_ok(struct tdm_sip_call *call, const uint8_t *body, size_t size);
void tdm_sip_stop_resend(struct tdm_sip_call *call);
void tdm_sip_do_answer(struct tdm_sip_call *call, const struct tdm_sip_command *command);
/** `call` may be NULL. */
void tdm_sip_on_ack(struct tdm_sip_call *call, const struct sip_msg *msg);

/* --- sip_dialog.c: inside a call -------------------------------------------------------------- */

void tdm_sip_do_offer(struct tdm_sip_call *call, const struct tdm_sip_command *command);
void tdm_sip_do_dtmf(struct tdm_sip_call *call, const struct tdm_sip_command *command);
/** `call` is NULL when the request names a dialog that we do not have. */
void tdm_sip_in_dialog(struct sip *sip, struct tdm_sip_call *call, const struct sip_msg *msg);
/** Responses that belong to no transaction; `arg` is the struct tdm_sip_stack. */
bool tdm_sip_on_response(const struct sip_msg *msg, void *arg);

#endif
