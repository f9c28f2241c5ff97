/* SPDX-License-Identifier: MIT */
#include "signalling/agreement.h"

#include "signalling/channel_line.h"
#include "signalling/codec_match.h"
#include "signalling/line_match.h"
#include "signalling/protection.h"

#include <string.h>

enum tdm_media_kind tdm_transport_kind(const struct tdm_offer_answer *oa, enum tdm_media_kind kind)
{
    const struct tdm_negotiated_media *own = &oa->negotiated.media[kind];
    const struct tdm_negotiated_media *other =
        &oa->negotiated.media[kind == TDM_AUDIO ? TDM_VIDEO : TDM_AUDIO];

    if (own->active)
        return own->transport_kind;
    return other->active && other->bundled ? other->transport_kind : kind;
}

const struct tdm_negotiated_transport *tdm_transport_before(const struct tdm_offer_answer *oa,
                                                            enum tdm_media_kind kind)
{
    for (int i = 0; i < TDM_MEDIA_KINDS; i++) {
        const struct tdm_negotiated_media *media = &oa->negotiated.media[i];

        if (media->active && media->transport_kind == kind)
            return &media->transport;
    }
    return NULL;
}

/* Codecs as each side receives them: RTX and RED only where both have it. */
static void agree_codecs(struct tdm_negotiated_media *media, const struct tdm_media_line *local,
                         const struct tdm_media_line *remote, const struct tdm_codec_desc *sent)
{
    if (sent) {
        const struct tdm_codec_desc *ours = tdm_line_find(sent, local->codecs, local->codec_count);

        media->send = *sent;
        media->send.rtx_type = ours->rtx_type ? sent->rtx_type : 0;
        media->send.red_type = ours->red_type ? sent->red_type : 0;
    }
    for (unsigned i = 0; i < local->codec_count; i++) {
        const struct tdm_codec_desc *theirs =
            tdm_codec_is_media(&local->codecs[i])
                ? tdm_line_find(&local->codecs[i], remote->codecs, remote->codec_count)
                : NULL;

        if (!theirs)
            continue;

        struct tdm_codec_desc *received = &media->receive[media->receive_count++];

        *received = local->codecs[i];
        if (!theirs->rtx_type)
            received->rtx_type = 0;
        if (!theirs->red_type)
            received->red_type = 0;
    }
}

static void agree_feedback(struct tdm_negotiated_media *media, const struct tdm_codec_desc *ours,
                           const struct tdm_codec_desc *theirs)
{
    media->nack = theirs->nack && ours->nack;
    media->pli = theirs->pli && ours->pli;
    media->fir = theirs->fir && ours->fir;
    media->tmmbr = theirs->tmmbr && ours->tmmbr;
    media->remb = theirs->remb && ours->remb;
    media->transport_cc = theirs->transport_cc && ours->transport_cc && !media->ccfb;
}

/* Fills `media` from the two sides' lines of one kind, where they travel apart. */
static void agree_media(struct tdm_negotiated_media *media, const struct tdm_media_line *local,
                        const struct tdm_media_line *remote)
{
    enum tdm_direction remote_direction = tdm_line_direction(remote);
    const struct tdm_codec_desc *shared =
        tdm_line_first_shared(remote, local->codecs, local->codec_count, false);
    const struct tdm_codec_desc *sent =
        tdm_line_first_shared(remote, local->codecs, local->codec_count, true);
    const struct tdm_codec_desc *theirs = sent ? sent : shared;

    media->rtcp_mux = local->rtcp_mux && remote->rtcp_mux;
    media->direction = tdm_line_within_codecs(
        (enum tdm_direction)(local->direction & tdm_line_reversed(remote_direction)), remote,
        local->codecs, local->codec_count);
    media->held_by_remote = !(remote_direction & TDM_RECVONLY);
    media->ccfb = local->ccfb && remote->ccfb;
    media->send_parity_type = local->parity_type ? remote->parity_type : 0;
    media->receive_parity_type = remote->parity_type ? local->parity_type : 0;
    if (local->ulpfec_type && remote->ulpfec_type && !media->send_parity_type) {
        media->send_ulpfec_type = remote->ulpfec_type;
        media->send_ulpfec_red_type = remote->ulpfec_red_type;
        media->receive_ulpfec_type = local->ulpfec_type;
        media->receive_ulpfec_red_type = local->ulpfec_red_type;
        media->receive_ulpfec_rtx_type = remote->ulpfec_rtx_type ? local->ulpfec_rtx_type : 0;
    }
    media->rtcp_rsize = local->rtcp_rsize && remote->rtcp_rsize;
    media->max_bitrate_bps = remote->bandwidth_bps;
    media->framerate = remote->framerate;
    media->ptime_ms = remote->ptime_ms;
    media->max_ptime_ms = remote->max_ptime_ms;
    memcpy(media->mid, local->mid, sizeof media->mid);
    agree_codecs(media, local, remote, sent);
    media->active = theirs && local->port && (remote->port || remote->bundle_only);
    if (theirs)
        agree_feedback(media, tdm_line_find(theirs, local->codecs, local->codec_count), theirs);
}

/* telephone-event goes with the clock of the voice where both have it, else any that both have. */
static void agree_dtmf(struct tdm_negotiated_media *media, const struct tdm_media_line *local,
                       const struct tdm_media_line *remote)
{
    for (unsigned i = 0; i < remote->codec_count; i++) {
        const struct tdm_codec_desc *theirs = &remote->codecs[i];
        const struct tdm_codec_desc *ours =
            theirs->id == TDM_CODEC_TELEPHONE_EVENT
                ? tdm_line_find(theirs, local->codecs, local->codec_count)
                : NULL;

        if (!ours || (media->dtmf_send_type && theirs->clock_hz != media->send.clock_hz))
            continue;
        media->dtmf_send_type = theirs->payload_type;
        media->dtmf_send_hz = theirs->clock_hz;
        media->dtmf_receive_type = ours->payload_type;
        media->dtmf_receive_hz = ours->clock_hz;
    }
}

static void agree_exts(struct tdm_negotiated_media *media, const struct tdm_media_line *local,
                       const struct tdm_media_line *remote)
{
    for (unsigned i = 0; i < local->ext_count; i++)
        for (unsigned j = 0; j < remote->ext_count; j++)
            if (local->exts[i].id == remote->exts[j].id &&
                strcmp(local->exts[i].uri, remote->exts[j].uri) == 0 &&
                media->ext_count < TDM_DESC_EXT_MAX)
                media->exts[media->ext_count++] = local->exts[i];
}

/* The bundled line whose transport serves all of them: the first of the answer's group that
 * stands. -1: nothing is bundled. */
static int find_tag(const struct tdm_agreement *a)
{
    const struct tdm_media_desc *answer = a->offered_here ? a->remote : a->local;
    int tag = -1;

    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        int i = a->line_of[kind];

        if (i < 0 || !a->local->media[i].bundle || !a->remote->media[i].bundle ||
            !answer->media[i].port)
            continue;
        if (tag < 0 || answer->media[i].bundle < answer->media[tag].bundle)
            tag = i;
    }
    return tag;
}

static enum tdm_err agree_line(const struct tdm_offer_answer *oa, const struct tdm_agreement *a,
                               enum tdm_media_kind kind, int tag,
                               struct tdm_negotiated_media *media, struct tdm_cause *cause)
{
    int index = a->line_of[kind];
    const struct tdm_media_line *local = &a->local->media[index];
    const struct tdm_media_line *remote = &a->remote->media[index];

    agree_media(media, local, remote);
    agree_dtmf(media, local, remote);
    agree_exts(media, local, remote);
    media->line_index = (uint8_t)index;
    media->bundled = tag >= 0 && local->bundle && remote->bundle;
    media->transport_kind = kind;
    if (media->bundled) {
        local = &a->local->media[tag];
        remote = &a->remote->media[tag];
        media->transport_kind = tdm_transport_kind(oa, local->kind);
    }
    media->local_port = local->port;
    media->remote_port = remote->port;
    memcpy(media->remote_address, remote->address, sizeof media->remote_address);
    media->remote_rtcp_port = media->rtcp_mux ? remote->port : remote->rtcp_port;
    if (!media->active)
        return TDM_OK;
    return tdm_protection_agree(&media->transport, local, remote, a->offered_here,
                                tdm_transport_before(oa, media->transport_kind), cause);
}

/* RFC 8445 section 6.1.1: the offerer controls, unless it alone is lite. */
static bool controls(const struct tdm_negotiated_transport *t, bool offered_here)
{
    return t->local.ice_lite == t->remote.ice_lite ? offered_here : t->remote.ice_lite;
}

enum tdm_err tdm_agree(const struct tdm_offer_answer *oa, const struct tdm_agreement *a,
                       struct tdm_negotiated *negotiated, struct tdm_cause *cause)
{
    int tag = find_tag(a);
    enum tdm_err err = TDM_OK;

    memset(negotiated, 0, sizeof *negotiated);
    for (int kind = 0; kind < TDM_MEDIA_KINDS && !err; kind++) {
        struct tdm_negotiated_media *media = &negotiated->media[kind];

        if (a->line_of[kind] < 0)
            continue;
        err = agree_line(oa, a, (enum tdm_media_kind)kind, tag, media, cause);
        media->transport.ice_controlling =
            oa->role_known ? oa->controlling : controls(&media->transport, a->offered_here);
    }
    if (!err && a->channel_line >= 0)
        err = tdm_channel_agree(&negotiated->channel, &a->local->media[a->channel_line],
                                &a->remote->media[a->channel_line], a->offered_here,
                                (unsigned)a->channel_line, cause);
    return err;
}

static void settle_transport(struct tdm_transport_desc *t,
                             const struct tdm_negotiated_transport *agreed)
{
    if (agreed->proto != TDM_PROTO_DTLS) {
        t->fingerprint_count = 0;
        memset(t->fingerprints, 0, sizeof t->fingerprints);
        t->setup = TDM_SETUP_NONE;
    }
    t->crypto_count = 0;
    memset(t->cryptos, 0, sizeof t->cryptos);
    if (agreed->proto == TDM_PROTO_SDES)
        t->cryptos[t->crypto_count++] = agreed->send_key;
}

void tdm_agreement_settle(const struct tdm_agreement *a, const struct tdm_negotiated *negotiated)
{
    int tag = find_tag(a);

    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        const struct tdm_negotiated_media *media = &negotiated->media[kind];

        if (!media->active)
            continue;
        settle_transport(&a->local->media[media->line_index].transport, &media->transport);
        if (!media->bundled)
            a->local->media[media->line_index].bundle = 0;
    }
    for (int kind = 0; kind < TDM_MEDIA_KINDS && tag >= 0; kind++) {
        const struct tdm_negotiated_media *media = &negotiated->media[kind];
        struct tdm_media_line *line = &a->local->media[media->line_index];
        const struct tdm_media_line *tagged = &a->local->media[tag];

        if (!media->active || !media->bundled || media->line_index == tag)
            continue;
        line->port = tagged->port;
        line->rtcp_port = tagged->rtcp_port;
        line->transport = tagged->transport;
        tdm_transport_without_candidates(&line->transport);
    }
}
