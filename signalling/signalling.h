/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIGNALLING_H
#define TDM_SIGNALLING_SIGNALLING_H

/*
 * How two people find and invite each other, behind a table that hides which protocol stack does
 * it: SIP over libre (sip_libre.c), an in-memory wire for simulation (sig_memory.c), later others.
 *
 * Commands and events are values. A backend decides retransmission, transactions, dialogs, glare
 * timers of the protocol and human words for failures; it does not decide what a body says: bodies
 * are opaque bytes with a content type, made and read by offer_answer.h. It does not watch media:
 * a peer whose RTP stops is the engine's business.
 *
 * Threads: every command may come from any thread; it is copied and returns at once. Results are
 * events, pulled by one thread when `fd` is readable; nothing is ever called back.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A call, an account, a subscription, a publication or a watcher of one backend; 0 = none. Never
 *  reused. */
typedef uint32_t tdm_sig_id;

#define TDM_SIG_BODY_MAX     16384 /* An SDP larger than this is refused before use. */
#define TDM_SIG_DATAGRAM_MAX 1300  /* RFC 3261 section 18.1.1: of a request over UDP. */
#define TDM_SIG_ADDRESS_MAX  256
#define TDM_SIG_REASON_MAX   200

enum tdm_sig_transport {
    TDM_SIG_UDP = 1 << 0,
    TDM_SIG_TCP = 1 << 1,
    TDM_SIG_TLS = 1 << 2, /* Accounts, and direct calls to sips: or transport=tls. */
};

/* How an account stands at its server. */
enum tdm_sig_registration {
    TDM_SIG_ACCOUNT_OFF,         /* Nothing asked for yet, or it was taken back. */
    TDM_SIG_ACCOUNT_REGISTERING, /* First try, or all addresses are being tried. */
    TDM_SIG_ACCOUNT_REGISTERED,  /* Calls reach us. Refreshing does not leave this state. */
    TDM_SIG_ACCOUNT_BACKING_OFF, /* No address took it: again in `expires_s`. */
    TDM_SIG_ACCOUNT_REFUSED,     /* A wrong password, an unknown user, a certificate that must not
                                    be trusted: trying again would not help. */
    TDM_SIG_ACCOUNT_UNREGISTERING,
};

/* Subscription-State of RFC 6665. */
enum tdm_sig_subscription {
    TDM_SIG_SUBSCRIPTION_PENDING, /* Nobody has decided yet. */
    TDM_SIG_SUBSCRIPTION_ACTIVE,
    TDM_SIG_SUBSCRIPTION_TERMINATED,
};

enum tdm_sig_kind {
    TDM_SIG_NONE,
    /* A call's life. Each call that began ends with exactly one REFUSED, ENDED or FAILED. */
    TDM_SIG_CALL_IN,   /* from, to; body = offer, or empty: then `accept` carries our offer. */
    TDM_SIG_RINGING,   /* The called side rings; body = early answer or empty. */
    TDM_SIG_ACCEPTED,  /* body = answer to our call's offer. The call is up. */
    TDM_SIG_CONFIRMED, /* Our accept arrived (ACK); body = answer when ours was the offer. */
    TDM_SIG_OFFER,  /* Re-INVITE from the other side; body = offer, or empty: `answer` carries our
                       offer. */
    TDM_SIG_ANSWER, /* body = answer to our `offer`, or the ACK's answer to an offer in `answer`. */
    TDM_SIG_OFFER_REFUSED, /* Our `offer` was refused: code (491 = glare, 408 = no answer); the call
                              stands. */
    TDM_SIG_REFUSED,       /* Our call was not taken: code and reason. The call is over. */
    TDM_SIG_ENDED,         /* The other side hung up or cancelled, or our hangup is done. Over. */
    TDM_SIG_FAILED,        /* The network or the peer failed: reason in words. Over. */
    /* In a call. */
    TDM_SIG_CANDIDATES, /* body = further candidates of the other side (RFC 8840). */
    TDM_SIG_DTMF_INFO,  /* digit, duration_ms, from a SIP INFO. */
    /* Outside a call. */
    TDM_SIG_OPTIONS_ANSWERED, /* code; reason = User-Agent or Server of the other side; body of any
                                 type, or empty. */
    TDM_SIG_MESSAGE_IN,       /* from, content_type, body; it is answered already. */
    TDM_SIG_MESSAGE_DONE, /* Of our `message`: code 2xx = it was taken; else reason says why not. */
    TDM_SIG_INVITED_BACK, /* from asks us to call `to`; `accept` without a body (then it is
                             over) or `reject` (then ENDED). */
    TDM_SIG_BACK_AGREED,  /* Of our `invite_back`: they call (or still think about it). Over. */
    TDM_SIG_BACKEND_FAILED, /* The backend itself can go no further: reason. */
    /* Accounts. id = account. */
    TDM_SIG_REGISTRATION, /* registration changed, or its reason did: code, reason, expires_s. */
    /* Event packages (RFC 6665, RFC 3903). Each begun ends with exactly one SUBSCRIPTION_ENDED,
     * PUBLICATION_ENDED or WATCHER_ENDED; FAILED and REFUSED are for calls. */
    TDM_SIG_SUBSCRIBED, /* Our `subscribe` was taken or refreshed: code, expires_s. */
    TDM_SIG_NOTIFIED,   /* For our `subscribe`: package, subscription, content_type, body (may be
                           empty); it is answered already. */
    TDM_SIG_SUBSCRIPTION_WAITS, /* It does not stand now: code (0: the network), reason; tried again
                                   by itself in expires_s. */
    TDM_SIG_SUBSCRIPTION_ENDED, /* Over: released, or asked once: code, reason. */
    TDM_SIG_PUBLISHED,          /* Our `publish` was taken or refreshed: expires_s. */
    TDM_SIG_PUBLICATION_WAITS,  /* As SUBSCRIPTION_WAITS. */
    TDM_SIG_PUBLICATION_ENDED,  /* Over: code, reason. */
    TDM_SIG_WATCHER_IN,    /* Somebody subscribes to us, or again: from, to, package, expires_s (0:
                              asks once), account. It is answered 200; `notify` says what they see,
                              at once if only that it is pending. */
    TDM_SIG_WATCHER_ENDED, /* It unsubscribed, ran out or does not answer. */
};

/** Opaque bytes with their content type ("application/sdp"). Borrowed for the call. */
struct tdm_sig_body {
    const char *content_type; /* NULL: application/sdp. */
    const void *data;
    size_t size; /* 0 = no body. */
};

/** One event, a plain value of the puller's. */
struct tdm_sig_event {
    enum tdm_sig_kind kind;
    tdm_sig_id id;
    tdm_sig_id account;                     /* Over which it came or goes; 0: none, straight. */
    uint16_t code;                          /* SIP status, 0 when there is none. */
    enum tdm_sig_registration registration; /* REGISTRATION only. */
    enum tdm_sig_subscription subscription; /* NOTIFIED only. */
    uint32_t expires_s;
    bool confidential; /* CALL_IN, MESSAGE_IN: it came over TLS. */
    char package[32];  /* Event package: "presence", "message-summary"... */
    char digit;        /* 0-9, A-D, * and #. */
    uint16_t duration_ms;
    char from[TDM_SIG_ADDRESS_MAX]; /* URI of the caller; CALL_IN only. */
    char from_name[64];             /* Display name or "". */
    char to[TDM_SIG_ADDRESS_MAX];
    char reason[TDM_SIG_REASON_MAX]; /* For people. */
    char peer_address[64]; /* CALL_IN: numeric address the request came from; choose ours towards
                              it. */
    char content_type[64];
    uint32_t body_size;
    uint8_t body[TDM_SIG_BODY_MAX];
};

struct tdm_sig_config {
    const char *bind_address; /* Numeric; NULL: all addresses. */
    uint16_t port;            /* 0 = 5060. */
    bool port_may_change;     /* When the port is taken: any free one instead of failing. */
    unsigned transports;      /* Set of enum tdm_sig_transport; 0 = UDP and TCP. */
    const char *user;         /* User part of our address; NULL: "tandem". */
    const char *display_name; /* NULL: none. */
    const char *user_agent;   /* NULL: "Tandem". */
    uint32_t calls_max;       /* 0 = 8. An invitation beyond it gets 486. */
    bool may_be_asked_back;   /* INVITED_BACK may come; false: such requests are refused. */
    bool no_messages;         /* MESSAGE_IN may not come: such requests are refused. */
    bool presence;            /* WATCHER_IN may come; false: such requests are refused. */
    void *wire;               /* In-memory backend only: its struct tdm_sig_wire. */
    const char *identity;     /* PEM file of our key and certificate, for TLS that others open to
                                 us; NULL: nobody can. */
    const char *ca_file;      /* Who is trusted in TLS that we open; NULL: the system's list. */
    /* HTTP backend only. */
    const char *token;             /* Who calls must show it; NULL: nothing to show. */
    const char *certificate, *key; /* PEM text, for HTTPS; NULL: HTTP. */
};

/** Who somebody is at a SIP server. Borrowed for the call; texts that are "" count as NULL. */
struct tdm_sig_account {
    const char *aor;          /* "sip:bob@example.org" (sips: TLS all the way). */
    const char *auth_user;    /* NULL: the user part of `aor`. */
    const char *password;     /* NULL: none; a challenge then refuses the account. */
    const char *display_name; /* NULL: none. */
    const char *registrar;    /* NULL: the domain of `aor`. "sip:host:port;transport=tls". */
    const char *proxy;        /* All requests go through it; NULL: the registrar. */
    enum tdm_sig_transport transport; /* 0: as the addresses say, else UDP. */
    const char *instance;    /* "urn:uuid:..." of this device (RFC 5626); NULL: none is told. */
    const char *ca_file;     /* Who signs its certificate; NULL: the backend's. */
    const char *fingerprint; /* SHA-256 in hex: this certificate alone, whatever else it says. */
    uint32_t expires_s;      /* 0 = 600. */
    bool no_register;        /* Only an outbound route with a password (a gateway). */
};

struct tdm_sig; /* One open backend. */

/**
 * One backend, as a static const table. All commands but open and close: any thread, copied,
 * TDM_E_SPACE when too many wait, TDM_E_UNSUPPORTED when a body is over TDM_SIG_BODY_MAX.
 * A command for a call that is over does nothing: its end event is already on the way.
 */
struct tdm_sig_ops {
    const char *name;

    /** Starts listening. TDM_E_SYSTEM with a cause that says what to do (port in use...). */
    enum tdm_err (*open)(struct tdm_sig **sig, const struct tdm_sig_config *config,
                         struct tdm_cause *cause);
    /** Ends every call (a BYE or CANCEL leaves for each), waits at most a second, frees. */
    void (*close)(struct tdm_sig *sig);

    /** The port we listen on, after port_may_change. */
    uint16_t (*port)(const struct tdm_sig *sig);
    /** Readable while events wait; -1 when the backend is stepped by hand. */
    int (*fd)(const struct tdm_sig *sig);
    /** Takes the oldest event; TDM_E_AGAIN when there is none (and the fd is unreadable again).
     *  One thread. */
    enum tdm_err (*next)(struct tdm_sig *sig, struct tdm_sig_event *event);

    /** A new call; *id is valid at once. account 0 = direct, else through its proxy and with its
     *  address in From. Then RINGING*, and ACCEPTED or an end. */
    enum tdm_err (*call)(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                         const struct tdm_sig_body *offer, tdm_sig_id *id, struct tdm_cause *cause);
    /** 180 Ringing. */
    enum tdm_err (*ring)(struct tdm_sig *sig, tdm_sig_id id);
    /** 183 Session Progress with an early answer. */
    enum tdm_err (*progress)(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *answer);
    /** 200 with our answer, or our offer when the invitation had none. Then CONFIRMED. */
    enum tdm_err (*accept)(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *answer);
    /** Refuses an incoming call: 486, 488, 603, 480... Then ENDED. */
    enum tdm_err (*reject)(struct tdm_sig *sig, tdm_sig_id id, uint16_t code);
    /** Re-INVITE. Then ANSWER or OFFER_REFUSED. */
    enum tdm_err (*offer)(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *offer);
    /** Answers the OFFER that came last: body = 200; none = refused with `code` (488, 491). */
    enum tdm_err (*answer)(struct tdm_sig *sig, tdm_sig_id id, const struct tdm_sig_body *answer,
                           uint16_t code);
    /** CANCEL, BYE or refusal, whatever fits. Then ENDED. */
    enum tdm_err (*hangup)(struct tdm_sig *sig, tdm_sig_id id, const char *reason);
    /** Asks who is there, or what `body` (NULL: nothing) says; *id for OPTIONS_ANSWERED or
     *  FAILED. */
    enum tdm_err (*options)(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                            const struct tdm_sig_body *body, tdm_sig_id *id,
                            struct tdm_cause *cause);
    /** A digit by SIP INFO (application/dtmf-relay), for peers without telephone-event. */
    enum tdm_err (*dtmf_info)(struct tdm_sig *sig, tdm_sig_id id, char digit, uint16_t duration_ms);
    /** A message outside of any call (RFC 3428), in one request; *id for MESSAGE_DONE or FAILED.
     *  What does not fit into a datagram of TDM_SIG_DATAGRAM_MAX goes over TCP. */
    enum tdm_err (*message)(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                            const struct tdm_sig_body *body, tdm_sig_id *id,
                            struct tdm_cause *cause);
    /** Asks the other side to call us at `target`, through the SIP server `service` (NULL: asks it
     *  directly). *id for BACK_AGREED, REFUSED or FAILED; the call then comes as a CALL_IN whose
     *  `to` is the target. docs/decisions/016-offers-are-encrypted.md, "Callee dials back". */
    enum tdm_err (*invite_back)(struct tdm_sig *sig, const char *uri, const char *service,
                                const char *target, tdm_sig_id *id, struct tdm_cause *cause);

    /* Accounts and event packages: all NULL where a backend has none (HTTP). */

    /** A new account, which registers at once and stays registered. Then REGISTRATION, again with
     *  each change. Each account stands alone: a dead server delays none of the others. */
    enum tdm_err (*account_add)(struct tdm_sig *sig, const struct tdm_sig_account *account,
                                tdm_sig_id *id, struct tdm_cause *cause);
    /** Unregisters. Then REGISTRATION with ACCOUNT_OFF, the last. */
    enum tdm_err (*account_remove)(struct tdm_sig *sig, tdm_sig_id account);
    /** Tries again now: the network changed, or the user wants it. account 0 = all. */
    enum tdm_err (*account_retry)(struct tdm_sig *sig, tdm_sig_id account);

    /** Watches `package` of `uri` until `release`, refreshed by itself. expires_s 0: asks once. */
    enum tdm_err (*subscribe)(struct tdm_sig *sig, tdm_sig_id account, const char *uri,
                              const char *package, uint32_t expires_s, tdm_sig_id *id,
                              struct tdm_cause *cause);
    /** Publishes at the account's server until `release`, refreshed by itself. *id 0: new, and set;
     *  else the body replaces the one before. */
    enum tdm_err (*publish)(struct tdm_sig *sig, tdm_sig_id account, const char *package,
                            const struct tdm_sig_body *body, uint32_t expires_s, tdm_sig_id *id,
                            struct tdm_cause *cause);
    /** Tells a watcher (WATCHER_IN's id). TERMINATED ends it; `reason` then as in RFC 6665 section
     *  4.1.3 ("rejected", "deactivated"), else NULL. */
    enum tdm_err (*notify)(struct tdm_sig *sig, tdm_sig_id watcher, enum tdm_sig_subscription state,
                           const char *reason, const struct tdm_sig_body *body);
    /** Ends a subscription or a publication of ours in order. Then its end event. */
    enum tdm_err (*release)(struct tdm_sig *sig, tdm_sig_id id);
};

extern const struct tdm_sig_ops tdm_sig_libre;

#endif
