/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_RENDEZVOUS_STATE_H
#define TDM_SIGNALLING_RENDEZVOUS_STATE_H

/* What the files of signalling/rendezvous.h share. Everything is found by an index into a table of
 * fixed size; TDM_RDV_NONE is no index. */

#include "signalling/digest_auth.h"
#include "signalling/pidf.h"
#include "signalling/rendezvous.h"
#include "signalling/rendezvous_tables.h"
#include "signalling/sip_message.h"

#define TDM_RDV_CONTACT_MAX  256
#define TDM_RDV_INSTANCE_MAX 80
#define TDM_RDV_CALL_ID_MAX  128
#define TDM_RDV_TAG_MAX      64
#define TDM_RDV_BINDINGS_MAX 16 /* Of one account. */
#define TDM_RDV_PROVEN_MAX   6  /* Hosts of one account, remembered. */
#define TDM_RDV_T1           (500 * TDM_MS)
#define TDM_RDV_T2           (4 * TDM_S)
#define TDM_RDV_T4           (5 * TDM_S)
#define TDM_RDV_64_T1        (64 * TDM_RDV_T1)

enum tdm_rdv_policy { TDM_RDV_ALLOW, TDM_RDV_ASK, TDM_RDV_POLITE, TDM_RDV_BLOCK };

/* Wrong passwords in the last minutes. */
struct tdm_rdv_failures {
    uint32_t count;
    tdm_time since;
};

/* A host from which somebody proved himself as this account. */
struct tdm_rdv_proven {
    struct tdm_address host;
    tdm_time seen;
    struct tdm_rdv_failures failures;
};

struct tdm_rdv_account {
    char user[TDM_RDV_USER_MAX], name[TDM_RDV_USER_MAX];
    char ha1[2][TDM_DIGEST_HEX_MAX]; /* By enum tdm_digest_algorithm. */
    bool exists, locked;
    uint32_t round; /* Of the list that named it last. */
    tdm_time gone_at;
    bool delivering;                                /* A kept message is on its way to a device. */
    uint32_t bindings, publications, subscriptions; /* Lists; of the last: who watches. */
    uint32_t binding_count, publication_count, watching_count; /* The last: by this account. */
    uint32_t kept_count;
    uint64_t kept_bytes;
    struct tdm_rdv_failures failures; /* From hosts that are not among these: */
    struct tdm_rdv_proven proven[TDM_RDV_PROVEN_MAX];
    uint64_t done_id; /* Handed over, and still in the store. */
    struct tdm_rdv_chain rules;
};

struct tdm_rdv_binding {
    uint32_t account, next;
    char contact[TDM_RDV_CONTACT_MAX], instance[TDM_RDV_INSTANCE_MAX];
    char call_id[TDM_RDV_CALL_ID_MAX];
    uint32_t cseq;
    uint16_t q; /* Thousandths. */
    tdm_time expires;
    struct tdm_rdv_flow flow;
    bool gone; /* Its connection ended, and there is no other way. */
};

enum tdm_rdv_tx_kind {
    TDM_RDV_TX_LOCAL,  /* Answered here. */
    TDM_RDV_TX_PROXY,  /* Forwarded. */
    TDM_RDV_TX_NOTIFY, /* Ours, to a watcher. */
    TDM_RDV_TX_KEPT,   /* Ours: a message that was kept. */
};

enum tdm_rdv_tx_state {
    TDM_RDV_TX_PROCEEDING,
    TDM_RDV_TX_COMPLETED, /* A final answer is kept for copies of the request. */
    TDM_RDV_TX_CONFIRMED, /* INVITE: its ACK came. */
    TDM_RDV_TX_ACCEPTED,  /* INVITE: 2xx went by (RFC 6026). */
};

struct tdm_rdv_tx {
    struct tdm_rdv_key key;
    enum tdm_rdv_tx_kind kind;
    enum tdm_rdv_tx_state state;
    enum tdm_sip_method method;
    struct tdm_rdv_flow flow; /* Of who asks. */
    struct tdm_rdv_chain answer, best;
    uint16_t best_status;
    uint32_t branches, live; /* First of the list; how many are not done. */
    uint32_t account;        /* Of who is asked; NONE: by a route. */
    uint32_t subscription;   /* NOTIFY */
    uint64_t kept_id;        /* KEPT */
    bool cancelled, keep_if_lost;
    tdm_time interval, until;
    uint32_t older, newer;       /* Among those that may be forgotten. */
    char user[TDM_RDV_USER_MAX]; /* Who asks. */
};

enum tdm_rdv_branch_state {
    TDM_RDV_BRANCH_CALLING,
    TDM_RDV_BRANCH_PROCEEDING,
    TDM_RDV_BRANCH_DONE,
};

struct tdm_rdv_branch {
    uint32_t tx, next;
    uint32_t serial;
    enum tdm_rdv_branch_state state;
    struct tdm_rdv_flow flow;
    struct tdm_rdv_chain request;
    tdm_time interval, resend_at, until;
    bool unsent, cancel_wanted, cancelling, given_up;
    uint8_t cancel_reason; /* enum cancel_reason of rendezvous_branch.c */
    tdm_time cancel_interval, cancel_at, cancel_until;
};

enum tdm_rdv_package { TDM_RDV_PRESENCE, TDM_RDV_WINFO };

struct tdm_rdv_subscription {
    struct tdm_rdv_key key; /* Of the dialog. */
    uint32_t account, next; /* Whom it is about, and the next one about him. */
    uint32_t watcher;       /* Account; NONE: this is none. */
    enum tdm_rdv_package package;
    char call_id[TDM_RDV_CALL_ID_MAX], local_tag[TDM_RDV_TAG_MAX], remote_tag[TDM_RDV_TAG_MAX];
    char target[TDM_RDV_CONTACT_MAX]; /* The watcher's Contact. */
    char event_id[24];
    uint32_t cseq, remote_cseq, version;
    tdm_time expires;
    struct tdm_rdv_flow flow;
    bool dirty, queued, under_way, ended;
    const char *why; /* Of ended: a constant. */
    uint32_t dirty_next;
};

struct tdm_rdv_publication {
    uint32_t account, next;
    uint32_t number, version; /* Its entity tag. */
    tdm_time expires;
    struct tdm_rdv_chain document;
};

/* What waits for the store; one at a time. */
enum tdm_rdv_pending_kind {
    TDM_RDV_PENDING_NOTHING,
    TDM_RDV_PENDING_REGISTER,
    TDM_RDV_PENDING_PUBLISH,
    TDM_RDV_PENDING_RULES,
    TDM_RDV_PENDING_SUBSCRIBE,
    TDM_RDV_PENDING_KEEP,       /* A MESSAGE that just came. */
    TDM_RDV_PENDING_KEEP_LATER, /* One that no device took. */
    TDM_RDV_PENDING_DELIVERED,
    TDM_RDV_PENDING_SILENT, /* Nobody waits for it. */
};

struct tdm_rdv_pending {
    enum tdm_rdv_pending_kind kind;
    uint32_t account, tx, publication, subscription;
    uint32_t binding_count;
    struct tdm_rdv_binding bindings[TDM_RDV_BINDINGS_MAX];
    struct tdm_rdv_subscription subscribed;
    int64_t expires_s;
    uint32_t number, version;
    size_t size;
};

struct tdm_rdv_source {
    struct tdm_address host;
    tdm_time filled;
    double tokens;
    struct tdm_rdv_failures failures;
};

struct tdm_rdv_nonce {
    uint64_t key;
    uint32_t highest; /* nc */
    uint64_t window;  /* Bit n: highest - n was seen. */
    tdm_time seen;
};

/* In the order in which timers and indices are counted. */
enum tdm_rdv_timed {
    TDM_RDV_OF_TX,
    TDM_RDV_OF_BRANCH,
    TDM_RDV_OF_BINDING,
    TDM_RDV_OF_SUBSCRIPTION,
    TDM_RDV_OF_PUBLICATION,
    TDM_RDV_OF_ACCOUNT, /* Kept messages to be handed over. */
    TDM_RDV_OF_COUNT
};

struct tdm_rdv {
    struct tdm_rdv_config config;
    struct tdm_rdv_stats stats;
    tdm_time now, started;
    int64_t wall_s; /* At wall_at. */
    tdm_time wall_at;
    uint64_t hash_key[2];
    uint64_t random;
    char realm[TDM_DIGEST_TEXT_MAX];

    struct tdm_rdv_account *accounts;
    struct tdm_rdv_binding *bindings;
    struct tdm_rdv_tx *txs;
    struct tdm_rdv_branch *branches;
    struct tdm_rdv_subscription *subscriptions;
    struct tdm_rdv_publication *publications;
    struct tdm_rdv_source *sources;
    struct tdm_rdv_nonce *nonces;
    struct tdm_rdv_pool pools[TDM_RDV_OF_COUNT];
    struct tdm_rdv_hash by_user, by_tx, by_dialog, by_link, by_nonce;
    struct tdm_rdv_blocks blocks;
    struct tdm_rdv_timers timers;
    uint32_t timer_base[TDM_RDV_OF_COUNT];
    uint32_t nonce_next, round;
    tdm_time nonce_floor;
    uint32_t oldest, newest; /* Transactions that may be forgotten. */
    uint32_t dirty_first, dirty_last;
    struct tdm_rdv_source total;
    uint32_t serial;

    struct tdm_rdv_pending pending;
    /* The request of this step; a stored one that is looked at again; one to be made. */
    struct tdm_sip_message message, again;
    uint8_t scratch[TDM_RDV_MESSAGE_MAX], made[TDM_RDV_MESSAGE_MAX + 2048];
    struct tdm_pidf pidf, one_pidf;
    uint32_t composed_for; /* Account whose document stands in `composed`. */
    size_t composed_size;
    char composed[TDM_PIDF_MAX];
};

/* --- rendezvous.c: what everybody uses ------------------------------------------------------- */

int64_t tdm_rdv_wall(const struct tdm_rdv *r);
uint64_t tdm_rdv_random(struct tdm_rdv *r);
/** Whether the host of a URI stands for this server. */
bool tdm_rdv_is_our_host(const struct tdm_rdv *r, const struct tdm_sip_address *a);
bool tdm_rdv_is_our_address(const struct tdm_rdv *r, const struct tdm_sip_address *a,
                            const struct tdm_rdv_flow *flow);
void tdm_rdv_wake_item(struct tdm_rdv *r, enum tdm_rdv_timed what, uint32_t index, tdm_time at);
void tdm_rdv_sleep_item(struct tdm_rdv *r, enum tdm_rdv_timed what, uint32_t index);
uint32_t tdm_rdv_take_item(struct tdm_rdv *r, enum tdm_rdv_timed what);
void tdm_rdv_give_item(struct tdm_rdv *r, enum tdm_rdv_timed what, uint32_t index);
const char *tdm_rdv_transport_name(uint8_t transport);

/* --- rendezvous_people.c: who has an account -------------------------------------------------- */

uint32_t tdm_rdv_account_of(const struct tdm_rdv *r, struct tdm_text user);
void tdm_rdv_put_person(struct tdm_rdv *r, const struct tdm_rdv_in *in);
void tdm_rdv_drop_others(struct tdm_rdv *r);

/* --- rendezvous_answer.c: bytes out ---------------------------------------------------------- */

/** False: no room in this step. */
bool tdm_rdv_emit(struct tdm_rdv_out *out, const struct tdm_rdv_flow *flow, const uint8_t *data,
                  size_t size);
bool tdm_rdv_emit_chain(struct tdm_rdv *r, struct tdm_rdv_out *out, const struct tdm_rdv_flow *flow,
                        const struct tdm_rdv_chain *chain);

struct tdm_rdv_answer {
    uint16_t code;
    const char *reason;  /* NULL: the usual one. */
    const char *headers; /* Whole lines; NULL: none. */
    const char *type;    /* Of the body. */
    const void *body;
    size_t body_size;
    bool skip_via; /* The message is ours, forwarded: the first Via is not the asker's. */
};

/** Writes an answer to `m` into r->made. @return its size; 0: it does not fit. */
size_t tdm_rdv_write_answer(struct tdm_rdv *r, const struct tdm_sip_message *m,
                            const struct tdm_rdv_flow *flow, const struct tdm_rdv_answer *answer);
/** Without remembering it. */
void tdm_rdv_answer_once(struct tdm_rdv *r, const struct tdm_sip_message *m,
                         const struct tdm_rdv_flow *flow, const struct tdm_rdv_answer *answer,
                         struct tdm_rdv_out *out);
/** And keeps it for copies of the request. */
void tdm_rdv_answer(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, const struct tdm_rdv_answer *answer,
                    struct tdm_rdv_out *out);
void tdm_rdv_refuse(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, uint16_t code, struct tdm_rdv_out *out);
/** The tag of every answer that is given without state: an ACK to it can be told from others. */
void tdm_rdv_tag(const struct tdm_rdv *r, const struct tdm_sip_message *m,
                 char tag[TDM_RDV_TAG_MAX]);
const char *tdm_rdv_phrase(uint16_t code);
/** "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=..." of the top Via as it came, with where it came from.
 */
void tdm_rdv_put_via(struct tdm_writer *w, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow);

/* --- rendezvous_guard.c: who may, and how much ----------------------------------------------- */

/** False: too much from there, or from all. */
bool tdm_rdv_admit(struct tdm_rdv *r, const struct tdm_rdv_flow *flow);
/** Remembers that the account proved itself from there. */
void tdm_rdv_remember_host(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_flow *flow);
/** Of nonces for that host, so that nobody elsewhere can use one that he overheard. */
void tdm_rdv_nonce_key(const struct tdm_rdv *r, const struct tdm_rdv_flow *flow,
                       uint8_t key[TDM_SHA256_BYTES]);
/** The account that proved itself; NONE: what is to be said was said. `proxy`: 407, not 401. */
uint32_t tdm_rdv_authenticate(struct tdm_rdv *r, const struct tdm_sip_message *m,
                              const struct tdm_rdv_flow *flow, bool proxy, struct tdm_rdv_out *out);

/* --- rendezvous_registrar.c ------------------------------------------------------------------- */

void tdm_rdv_register(struct tdm_rdv *r, const struct tdm_sip_message *m,
                      const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out);
void tdm_rdv_registered(struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
void tdm_rdv_load_bindings(struct tdm_rdv *r, uint32_t account, const uint8_t *data, size_t size);
void tdm_rdv_unbind(struct tdm_rdv *r, uint32_t binding);
void tdm_rdv_unbind_all(struct tdm_rdv *r, uint32_t account);
void tdm_rdv_link_down(struct tdm_rdv *r, uint32_t link);
bool tdm_rdv_is_reachable(const struct tdm_rdv *r, uint32_t account);

/* --- rendezvous_proxy.c: requests on their way ------------------------------------------------ */

struct tdm_rdv_key tdm_rdv_tx_key(const struct tdm_rdv *r, const struct tdm_sip_message *m);
uint32_t tdm_rdv_find_tx(const struct tdm_rdv *r, struct tdm_rdv_key key);
/** A new one, if need be in an old one's place; NONE: full. */
uint32_t tdm_rdv_open_tx(struct tdm_rdv *r, enum tdm_rdv_tx_kind kind,
                         const struct tdm_sip_message *m, const struct tdm_rdv_flow *flow);
void tdm_rdv_close_tx(struct tdm_rdv *r, uint32_t tx);
/** It may be forgotten from here on; at the latest after `stay`. */
void tdm_rdv_retire_tx(struct tdm_rdv *r, uint32_t tx, tdm_time stay);
void tdm_rdv_forward(struct tdm_rdv *r, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow, uint32_t from, struct tdm_rdv_out *out);
/** Along its routes, if they are ours. False: there are none, or not by us. */
bool tdm_rdv_follow_routes(struct tdm_rdv *r, const struct tdm_sip_message *m,
                           const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
bool tdm_rdv_loops(const struct tdm_rdv *r, const struct tdm_sip_message *m);
uint32_t tdm_rdv_loop_mark(const struct tdm_rdv *r, const struct tdm_sip_message *m);
void tdm_rdv_write_branch_id(const struct tdm_rdv *r, uint32_t branch, uint32_t loop,
                             char text[48]);

/* --- rendezvous_branch.c: one way of a request ------------------------------------------------ */

/** Adds one; its request is written by the caller under the id of tdm_rdv_write_branch_id. */
uint32_t tdm_rdv_open_branch(struct tdm_rdv *r, uint32_t tx, const struct tdm_rdv_flow *flow);
/** Takes the request and sends it. False: no memory, the branch is gone. */
bool tdm_rdv_start_branch(struct tdm_rdv *r, uint32_t branch, const uint8_t *request, size_t size,
                          struct tdm_rdv_out *out);
void tdm_rdv_response(struct tdm_rdv *r, const struct tdm_sip_message *m,
                      const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
void tdm_rdv_branch_due(struct tdm_rdv *r, uint32_t branch, struct tdm_rdv_out *out);
void tdm_rdv_cancel(struct tdm_rdv *r, const struct tdm_sip_message *m,
                    const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
void tdm_rdv_copy_of_request(struct tdm_rdv *r, uint32_t tx, const struct tdm_sip_message *m,
                             struct tdm_rdv_out *out);
void tdm_rdv_tx_due(struct tdm_rdv *r, uint32_t tx, struct tdm_rdv_out *out);
/** An answer from here for a request that was forwarded. */
void tdm_rdv_answer_forwarded(struct tdm_rdv *r, uint32_t tx, uint16_t code, const char *headers,
                              struct tdm_rdv_out *out);

/* --- rendezvous_kept.c: messages for who is away --------------------------------------------- */

void tdm_rdv_keep(struct tdm_rdv *r, const struct tdm_sip_message *m,
                  const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out);
/** The message of a transaction that no device took. False: it cannot be kept. */
bool tdm_rdv_keep_later(struct tdm_rdv *r, uint32_t tx, struct tdm_rdv_out *out);
void tdm_rdv_kept(struct tdm_rdv *r, bool stored, const struct tdm_sip_message *m,
                  const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
/** Asks for the next message of somebody who is back. */
void tdm_rdv_deliver(struct tdm_rdv *r, uint32_t account, struct tdm_rdv_out *out);
/** Looks at it in so long, if there is anything to hand over. */
void tdm_rdv_deliver_in(struct tdm_rdv *r, uint32_t account, tdm_time delay);
void tdm_rdv_hand_over(struct tdm_rdv *r, const struct tdm_rdv_in *in, struct tdm_rdv_out *out);
void tdm_rdv_handed_over(struct tdm_rdv *r, uint32_t tx, uint16_t status, struct tdm_rdv_out *out);

/* --- rendezvous_presence.c, rendezvous_watch.c ------------------------------------------------ */

void tdm_rdv_publish(struct tdm_rdv *r, const struct tdm_sip_message *m,
                     const struct tdm_rdv_flow *flow, uint32_t account, struct tdm_rdv_out *out);
void tdm_rdv_published(struct tdm_rdv *r, const struct tdm_sip_message *m,
                       const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
void tdm_rdv_ruled(struct tdm_rdv *r, const struct tdm_sip_message *m,
                   const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
void tdm_rdv_load_publication(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_in *in);
void tdm_rdv_load_rules(struct tdm_rdv *r, uint32_t account, const uint8_t *data, size_t size);
void tdm_rdv_unpublish(struct tdm_rdv *r, uint32_t publication);
enum tdm_rdv_policy tdm_rdv_policy_for(struct tdm_rdv *r, uint32_t account, const char *watcher);
/** Its document into r->composed. */
void tdm_rdv_compose(struct tdm_rdv *r, uint32_t account, bool hidden);
/** Whether a device may be rung now, by what it published. */
bool tdm_rdv_takes_calls(struct tdm_rdv *r, uint32_t account, const struct tdm_rdv_binding *b);

void tdm_rdv_subscribe(struct tdm_rdv *r, const struct tdm_sip_message *m,
                       const struct tdm_rdv_flow *flow, uint32_t watcher, struct tdm_rdv_out *out);
void tdm_rdv_subscribed(struct tdm_rdv *r, const struct tdm_sip_message *m,
                        const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);
void tdm_rdv_load_subscription(struct tdm_rdv *r, const struct tdm_rdv_in *in);
/** All who watch the account hear of it, in the steps that follow. */
void tdm_rdv_tell_watchers(struct tdm_rdv *r, uint32_t account);
void tdm_rdv_tell_of_watchers(struct tdm_rdv *r, uint32_t account);
/** The first of those who are to be told. */
void tdm_rdv_notify_one(struct tdm_rdv *r, struct tdm_rdv_out *out);
void tdm_rdv_notified(struct tdm_rdv *r, uint32_t tx, uint16_t status);
void tdm_rdv_subscription_due(struct tdm_rdv *r, uint32_t subscription);
/** Of whoever watches the account, and of those that it watches. */
void tdm_rdv_end_subscriptions(struct tdm_rdv *r, uint32_t account);

/* --- rendezvous_directory.c ------------------------------------------------------------------- */

void tdm_rdv_directory(struct tdm_rdv *r, const struct tdm_sip_message *m,
                       const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out);

/* --- rendezvous_record.c: what is kept on disk ------------------------------------------------ */

void tdm_rdv_put_string(struct tdm_writer *w, const char *text);
bool tdm_rdv_get_string(struct tdm_reader *r, char *text, size_t capacity);
void tdm_rdv_put_flow(struct tdm_writer *w, const struct tdm_rdv_flow *flow);
void tdm_rdv_get_flow(struct tdm_reader *r, struct tdm_rdv_flow *flow);

#endif
