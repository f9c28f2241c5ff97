/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_PATH_H
#define TDM_ENGINE_CALL_PATH_H

/*
 * How a call reaches the other side and what protects it: gathers candidates before an offer or
 * answer leaves, puts them and what proves who we are into the capability, hands what was agreed to
 * the transports, restarts ICE when the path is lost, and says in words what was reached. Control
 * thread; the ways themselves are engine/transport.h.
 */

#include "engine/call_ports.h"
#include "engine/io/check_job.h"
#include "engine/net.h"
#include "engine/reach.h"
#include "signalling/offer_answer.h"

#define TDM_CALL_LOOKUPS_MAX 4

struct tandem_call;

/** What waits for candidates. */
enum tdm_call_pending { TDM_CALL_PENDING_NOTHING, TDM_CALL_PENDING_DIAL, TDM_CALL_PENDING_ACCEPT };

/** One way, as the control thread knows it. */
struct tdm_call_way {
    bool used, gathered;
    uint8_t candidate_count;
    struct tdm_ice_candidate candidates[TDM_ICE_LOCAL_MAX];
    /* As handed to the transport last, to see what is new. */
    bool agreed;
    enum tdm_proto proto;
    enum tdm_setup setup;
    uint8_t fingerprint_count;
    struct tdm_fingerprint_desc fingerprints[TDM_DESC_FINGERPRINTS_MAX];
    struct tdm_crypto_desc send_key, receive_key;
};

/** A name among the other side's candidates that is being looked up. */
struct tdm_call_lookup {
    struct tdm_lookup *lookup; /* NULL: free. */
    uint8_t way;
    struct tdm_candidate_desc desc;
};

struct tdm_call_path {
    bool outgoing;
    bool gathering; /* Addresses were given to ICE. */
    enum tdm_call_pending pending;
    char dial_to[256];
    tdm_time gather_until; /* Then it goes without what has not come. */
    tdm_time ready_until;  /* Then the call has failed; TDM_NEVER: it is ready, or not agreed. */
    tdm_time restart_at;   /* TDM_NEVER: no need. */
    tdm_time restarted_at;
    bool late;       /* Candidates came that the other side does not know. */
    bool spare_used; /* The machine must be given new spare credentials. */
    bool ready, failed;
    bool unsafe; /* It failed because who answers is not who was agreed with. */
    char why[160];
    struct tdm_net_ice ice; /* Credentials as the transports have them. */
    char ufrag[TDM_MEDIA_KINDS][33], pwd[TDM_MEDIA_KINDS][65]; /* As offers say them. */
    struct tdm_ice_spare spare[TDM_MEDIA_KINDS];
    uint8_t crypto_count;
    struct tdm_crypto_desc cryptos[TDM_MEDIA_KINDS][TDM_DESC_CRYPTO_MAX];
    struct tdm_call_way ways[TDM_NET_WAYS];
    struct tdm_call_lookup lookups[TDM_CALL_LOOKUPS_MAX];
    struct tdm_call_ports ports;

    struct tdm_check_job *check; /* Makes the words; NULL: they are made. */
    uint8_t check_for[TDM_FINGERPRINT_BYTES];
    bool peer_checked, stranger; /* stranger: known by another certificate; not told yet. */
    uint8_t peer[TDM_FINGERPRINT_BYTES];
    enum tandem_contact contact;
    bool trusted; /* By the program, in this call. */
    char words[TDM_CHECK_WORDS_TEXT];
};

void tdm_call_path_init(struct tandem_call *call);
void tdm_call_path_close(struct tandem_call *call);

/** What the net needs to know before it opens. `outgoing`: we offer. */
void tdm_call_path_open(struct tandem_call *call, bool outgoing, struct tdm_net_ice *ice);

/** Gives ICE the addresses of this machine. */
void tdm_call_path_gather(struct tandem_call *call, tdm_time now);

/** Whether the offer or answer may leave. */
bool tdm_call_path_gathered(const struct tandem_call *call, tdm_time now);

/** Only relays may be used, and none has answered. */
bool tdm_call_path_hopeless(const struct tandem_call *call);

/** Adds addresses, candidates, keys and the policy to what the plan can do. */
void tdm_call_path_capability(const struct tandem_call *call, struct tdm_capability *capability);

/** Hands what was agreed to the transports. */
enum tdm_err tdm_call_path_follow(struct tandem_call *call, struct tdm_cause *cause);

/** By which ways a kind of media goes. */
uint8_t tdm_call_path_way(const struct tandem_call *call, enum tdm_media_kind kind, bool rtcp);

/** An event of a transport, or of the network. */
void tdm_call_path_told(struct tandem_call *call, const struct tdm_net_event *event, tdm_time now);

/** Candidates of the other side that came after its offer: lines of SDP (RFC 8840 section 9). */
void tdm_call_path_candidates(struct tandem_call *call, const char *text, size_t size);

/** A new status of the net, or the words, may have come. @return whether the call is ready and the
 *  program does not know yet. */
bool tdm_call_path_status(struct tandem_call *call);

/** Whose certificate it is: the words, and whether the contact had it before. */
void tdm_call_path_check(struct tandem_call *call, const uint8_t peer[TDM_FINGERPRINT_BYTES]);

/** What is due: restarts, lookups, late candidates, failure. */
void tdm_call_path_run(struct tandem_call *call, tdm_time now);
tdm_time tdm_call_path_wake(const struct tandem_call *call);

/** "direct, encrypted (DTLS-SRTP AEAD_AES_128_GCM), words able acid ..." */
void tdm_call_path_text(const struct tandem_call *call, char *text, size_t capacity);
void tdm_call_path_stats(const struct tandem_call *call, struct tandem_security *security);

enum tdm_err tdm_call_path_trust(struct tandem_call *call, struct tdm_cause *cause);

#endif
