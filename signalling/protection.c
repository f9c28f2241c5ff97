/* SPDX-License-Identifier: MIT */
#include "signalling/protection.h"

#include <string.h>

static const char *const proto_words[] = {
    [TDM_PROTO_RTP] = "plain RTP",
    [TDM_PROTO_SDES] = "SRTP with keys in the description",
    [TDM_PROTO_DTLS] = "DTLS-SRTP",
    [TDM_PROTO_CHANNEL] = "the data channel",
};

enum tdm_setup tdm_setup_answer(enum tdm_setup offered, enum tdm_setup ours)
{
    switch (offered) {
    case TDM_SETUP_ACTPASS:
        return ours == TDM_SETUP_PASSIVE || ours == TDM_SETUP_HOLDCONN ? ours : TDM_SETUP_ACTIVE;
    case TDM_SETUP_PASSIVE:
        return TDM_SETUP_ACTIVE;
    case TDM_SETUP_HOLDCONN:
        return TDM_SETUP_HOLDCONN;
    default: /* RFC 4145 section 4: an offer that does not say it is active. */
        return TDM_SETUP_PASSIVE;
    }
}

enum tdm_setup tdm_setup_agree(enum tdm_setup offered, enum tdm_setup answered)
{
    bool either = offered == TDM_SETUP_ACTPASS;

    if (offered == TDM_SETUP_HOLDCONN || answered == TDM_SETUP_HOLDCONN)
        return answered == TDM_SETUP_HOLDCONN ? TDM_SETUP_HOLDCONN : TDM_SETUP_NONE;
    if (answered == TDM_SETUP_ACTIVE)
        return either || offered == TDM_SETUP_PASSIVE ? TDM_SETUP_PASSIVE : TDM_SETUP_NONE;
    if (answered == TDM_SETUP_PASSIVE)
        return either || offered != TDM_SETUP_PASSIVE ? TDM_SETUP_ACTIVE : TDM_SETUP_NONE;
    if (answered == TDM_SETUP_NONE) /* The default of RFC 4145 section 4: the other one. */
        return offered == TDM_SETUP_PASSIVE ? TDM_SETUP_PASSIVE : TDM_SETUP_ACTIVE;
    return TDM_SETUP_NONE;
}

static void say_fingerprints(struct tdm_transport_desc *to, const struct tdm_transport_desc *from)
{
    to->fingerprint_count = from->fingerprint_count;
    memcpy(to->fingerprints, from->fingerprints, sizeof to->fingerprints);
}

/* Our keys get the tags 1, 2... in order. */
static void say_keys(struct tdm_transport_desc *to, const struct tdm_transport_desc *from)
{
    to->crypto_count = from->crypto_count;
    memcpy(to->cryptos, from->cryptos, sizeof to->cryptos);
    for (unsigned i = 0; i < to->crypto_count; i++)
        to->cryptos[i].tag = i + 1;
}

/* How the line is reached, by ICE. */
static void say_ice(struct tdm_transport_desc *to, const struct tdm_transport_desc *from)
{
    if (!from->ice_ufrag[0])
        return;
    memcpy(to->ice_ufrag, from->ice_ufrag, sizeof to->ice_ufrag);
    memcpy(to->ice_pwd, from->ice_pwd, sizeof to->ice_pwd);
    to->ice_lite = from->ice_lite;
    to->ice_trickle = from->ice_trickle;
    to->end_of_candidates = from->end_of_candidates;
    to->candidate_count = from->candidate_count;
    memcpy(to->candidates, from->candidates, sizeof to->candidates);
}

void tdm_transport_without_candidates(struct tdm_transport_desc *t)
{
    t->candidate_count = 0;
    memset(t->candidates, 0, sizeof t->candidates);
    t->end_of_candidates = false;
}

enum tdm_err tdm_protection_offer(struct tdm_media_line *line,
                                  const struct tdm_capability *capability, enum tdm_media_kind kind,
                                  const struct tdm_negotiated_transport *before,
                                  struct tdm_cause *cause)
{
    const struct tdm_transport_desc *ours = &capability->media[kind].transport;
    bool dtls = before ? before->proto == TDM_PROTO_DTLS : capability->dtls;
    bool sdes = before ? before->proto == TDM_PROTO_SDES : capability->sdes;
    bool plain = before ? line->proto == TDM_PROTO_RTP : capability->plain;

    dtls &= ours->fingerprint_count != 0;
    sdes &= ours->crypto_count != 0;
    if (!dtls && !sdes && (!plain || (before && before->proto != TDM_PROTO_RTP)))
        return tdm_fail(cause, TDM_E_DENIED,
                        "there is neither a certificate nor a key to protect media with, and media "
                        "in clear are not allowed (" TDM_PLAIN_OPTION ")");
    say_ice(&line->transport, ours);
    /* In one offer a line can name one proto only. In clear, it says beside what else it can
     * (RFC 8643); encrypted, it asks for the best alone. */
    if (!before)
        line->proto = plain ? TDM_PROTO_RTP : dtls ? TDM_PROTO_DTLS : TDM_PROTO_SDES;
    line->avpf |= line->proto == TDM_PROTO_DTLS;
    if (dtls) {
        say_fingerprints(&line->transport, ours);
        line->transport.setup = ours->setup == TDM_SETUP_NONE ? TDM_SETUP_ACTPASS : ours->setup;
    }
    if (sdes && before) {
        line->transport.crypto_count = 1;
        line->transport.cryptos[0] = before->send_key;
    } else if (sdes && (plain || !dtls)) {
        say_keys(&line->transport, ours);
    }
    return TDM_OK;
}

/* The first of the offered keys whose suite we have one for; NULL: none. */
static const struct tdm_crypto_desc *shared_suite(const struct tdm_transport_desc *offered,
                                                  const struct tdm_transport_desc *ours,
                                                  const struct tdm_crypto_desc **key)
{
    for (unsigned i = 0; i < offered->crypto_count; i++)
        for (unsigned j = 0; j < ours->crypto_count; j++)
            if (offered->cryptos[i].profile == ours->cryptos[j].profile) {
                *key = &ours->cryptos[j];
                return &offered->cryptos[i];
            }
    return NULL;
}

static enum tdm_err refuse_offer(const struct tdm_media_line *offered,
                                 const struct tdm_capability *capability, struct tdm_cause *cause)
{
    const struct tdm_transport_desc *theirs = &offered->transport;

    if (theirs->fingerprint_count && !capability->dtls)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side wants DTLS-SRTP, for which this side has no certificate");
    if (theirs->crypto_count && capability->sdes)
        return tdm_fail(cause, TDM_E_DENIED, "no common SRTP suite with the other side");
    if (theirs->crypto_count)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side sends its media keys in readable signalling, which is "
                        "refused here unless " TDM_SDES_OPTION " allows it");
    if (offered->proto == TDM_PROTO_RTP)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side offers media in clear only, which is refused here "
                        "unless " TDM_PLAIN_OPTION " allows it");
    return tdm_fail(cause, TDM_E_DENIED,
                    "the other side offers encrypted media without a key or fingerprint that this "
                    "side can use");
}

enum tdm_err tdm_protection_choose(enum tdm_proto *chosen, const struct tdm_media_line *offered,
                                   const struct tdm_capability *capability,
                                   enum tdm_media_kind kind,
                                   const struct tdm_negotiated_transport *before,
                                   struct tdm_cause *cause)
{
    const struct tdm_transport_desc *theirs = &offered->transport;
    const struct tdm_transport_desc *ours = &capability->media[kind].transport;
    const struct tdm_crypto_desc *key;

    if (capability->dtls && ours->fingerprint_count && theirs->fingerprint_count &&
        theirs->setup != TDM_SETUP_HOLDCONN)
        *chosen = TDM_PROTO_DTLS;
    else if (capability->sdes && offered->proto != TDM_PROTO_DTLS &&
             shared_suite(theirs, ours, &key))
        *chosen = TDM_PROTO_SDES;
    else if (capability->plain && offered->proto == TDM_PROTO_RTP)
        *chosen = TDM_PROTO_RTP;
    else
        return refuse_offer(offered, capability, cause);
    if (before && *chosen < before->proto)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side wants to go from %s to %s in a running call, which is "
                        "refused: hang up and call again",
                        proto_words[before->proto], proto_words[*chosen]);
    return TDM_OK;
}

static bool same_fingerprints(const struct tdm_transport_desc *a,
                              const struct tdm_transport_desc *b)
{
    return a->fingerprint_count == b->fingerprint_count &&
           memcmp(a->fingerprints, b->fingerprints, sizeof a->fingerprints) == 0;
}

/* RFC 8839 section 4.4.1.1.1: new credentials exactly when the other side's are new. */
static void answer_ice(struct tdm_transport_desc *t, const struct tdm_transport_desc *theirs,
                       const struct tdm_media_capability *media,
                       const struct tdm_negotiated_transport *before)
{
    if (!theirs->ice_ufrag[0] || !media->transport.ice_ufrag[0])
        return;
    say_ice(t, &media->transport);
    if (!before || !before->ice)
        return;
    if (strcmp(theirs->ice_ufrag, before->remote.ice_ufrag) == 0 &&
        strcmp(theirs->ice_pwd, before->remote.ice_pwd) == 0) {
        memcpy(t->ice_ufrag, before->local.ice_ufrag, sizeof t->ice_ufrag);
        memcpy(t->ice_pwd, before->local.ice_pwd, sizeof t->ice_pwd);
    } else if (strcmp(t->ice_ufrag, before->local.ice_ufrag) == 0 && media->spare.ufrag[0]) {
        memset(t->ice_ufrag, 0, sizeof t->ice_ufrag);
        memset(t->ice_pwd, 0, sizeof t->ice_pwd);
        memcpy(t->ice_ufrag, media->spare.ufrag, sizeof media->spare.ufrag);
        memcpy(t->ice_pwd, media->spare.pwd, sizeof media->spare.pwd);
    }
}

void tdm_protection_answer(struct tdm_media_line *line, const struct tdm_media_line *offered,
                           const struct tdm_capability *capability, enum tdm_media_kind kind,
                           const struct tdm_negotiated_transport *before, enum tdm_proto chosen)
{
    const struct tdm_media_capability *media = &capability->media[kind];
    const struct tdm_transport_desc *theirs = &offered->transport;
    struct tdm_transport_desc *t = &line->transport;

    answer_ice(t, theirs, media, before);
    if (chosen == TDM_PROTO_DTLS) {
        /* An association that stands keeps its roles (RFC 8842 section 5.3). */
        bool stands =
            before && before->proto == TDM_PROTO_DTLS && same_fingerprints(&before->remote, theirs);
        enum tdm_setup ours = stands ? before->setup : media->transport.setup;

        say_fingerprints(t, &media->transport);
        t->setup =
            tdm_setup_answer(theirs->setup, ours == TDM_SETUP_HOLDCONN ? TDM_SETUP_NONE : ours);
    } else if (chosen == TDM_PROTO_SDES) {
        const struct tdm_crypto_desc *key = NULL;
        const struct tdm_crypto_desc *taken = shared_suite(theirs, &media->transport, &key);

        if (taken) {
            t->crypto_count = 1;
            t->cryptos[0] = *key;
            t->cryptos[0].tag = taken->tag;
        }
    }
}

/* RFC 4568 section 5.1.3: the answer names one of the offered tags, with the same suite. */
static bool agree_keys(struct tdm_negotiated_transport *t, const struct tdm_transport_desc *local,
                       const struct tdm_transport_desc *remote)
{
    for (unsigned i = 0; i < local->crypto_count; i++)
        for (unsigned j = 0; j < remote->crypto_count; j++)
            if (local->cryptos[i].tag == remote->cryptos[j].tag &&
                local->cryptos[i].profile == remote->cryptos[j].profile) {
                t->send_key = local->cryptos[i];
                t->receive_key = remote->cryptos[j];
                return true;
            }
    return false;
}

static enum tdm_err check_strength(enum tdm_proto proto, const struct tdm_media_line *offer,
                                   const struct tdm_media_line *answer,
                                   const struct tdm_negotiated_transport *before,
                                   struct tdm_cause *cause)
{
    if (offer->proto != answer->proto)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side answered %s to an offer of %s; for media in clear, call "
                        "with " TDM_PLAIN_OPTION,
                        proto_words[answer->proto], proto_words[offer->proto]);
    if (proto == TDM_PROTO_RTP && offer->proto != TDM_PROTO_RTP)
        return tdm_fail(cause, TDM_E_DENIED,
                        "the other side's answer has no fingerprint or key to the encryption that "
                        "was offered; for media in clear, call with " TDM_PLAIN_OPTION);
    if (before && proto < before->proto)
        return tdm_fail(cause, TDM_E_DENIED, "the other side went from %s to %s in a running call",
                        proto_words[before->proto], proto_words[proto]);
    return TDM_OK;
}

enum tdm_err tdm_protection_agree(struct tdm_negotiated_transport *t,
                                  const struct tdm_media_line *local,
                                  const struct tdm_media_line *remote, bool offered_here,
                                  const struct tdm_negotiated_transport *before,
                                  struct tdm_cause *cause)
{
    const struct tdm_media_line *offer = offered_here ? local : remote;
    const struct tdm_media_line *answer = offered_here ? remote : local;
    enum tdm_err err;

    memset(t, 0, sizeof *t);
    t->local = local->transport;
    t->remote = remote->transport;
    t->ice = local->transport.ice_ufrag[0] && remote->transport.ice_ufrag[0];
    t->proto = TDM_PROTO_RTP;
    if (local->transport.fingerprint_count && remote->transport.fingerprint_count)
        t->proto = TDM_PROTO_DTLS;
    else if (local->transport.crypto_count && remote->transport.crypto_count)
        t->proto = TDM_PROTO_SDES;
    err = check_strength(t->proto, offer, answer, before, cause);
    if (err)
        return err;
    if (t->proto == TDM_PROTO_DTLS) {
        enum tdm_setup answered = answer->transport.setup;

        t->setup = offered_here ? tdm_setup_agree(offer->transport.setup, answered) : answered;
        if (t->setup != TDM_SETUP_ACTIVE && t->setup != TDM_SETUP_PASSIVE)
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "the answer's a=setup contradicts the offer's: nobody would begin");
    }
    if (t->proto == TDM_PROTO_SDES && !agree_keys(t, &local->transport, &remote->transport))
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the answer's key has a tag or suite that was not offered");
    return TDM_OK;
}
