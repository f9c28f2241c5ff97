/* SPDX-License-Identifier: MIT */
#include "signalling/call_body.h"

#include "signalling/sdp.h"

#include <string.h>

/* The capability as hold and the other side's refusals leave it. */
static void effective(const struct tdm_call_machine *m, bool offering, struct tdm_capability *to)
{
    *to = m->capability;
    to->dtls &= !m->without_dtls;
    if (offering && !m->offer_channel)
        to->channel.wanted = false;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        if (offering && !m->offer_media[kind])
            to->media[kind].wanted = false;
        if (m->held_local)
            to->media[kind].direction =
                (enum tdm_direction)(to->media[kind].direction & TDM_SENDONLY);
    }
}

static bool write_body(const struct tdm_media_desc *desc, struct tdm_call_out *out)
{
    size_t size;

    if (tdm_sdp_write(desc, out->body, sizeof out->body, &size) != TDM_OK)
        return false;
    out->body_size = (uint32_t)size;
    return true;
}

enum tdm_err tdm_call_make_offer(struct tdm_call_machine *m, struct tdm_call_out *out,
                                 struct tdm_cause *cause)
{
    struct tdm_capability capability;
    enum tdm_err err;

    effective(m, true, &capability);
    err = tdm_offer_make(&m->oa, &capability, &m->offer, cause);
    if (!err && !write_body(&m->offer, out))
        err = tdm_fail(cause, TDM_E_SPACE, "the offer is over %d bytes: offer fewer codecs",
                       TDM_SIG_BODY_MAX);
    return err;
}

/* The credentials that an answer took from the spares are ours from now on. */
static void note_spares(struct tdm_call_machine *m, const struct tdm_negotiated_media *media)
{
    struct tdm_media_capability *ours = &m->capability.media[media->transport_kind];
    const struct tdm_transport_desc *said = &media->transport.local;

    if (!media->active || !ours->spare.ufrag[0] || strcmp(said->ice_ufrag, ours->spare.ufrag) != 0)
        return;
    memcpy(ours->transport.ice_ufrag, said->ice_ufrag, sizeof said->ice_ufrag);
    memcpy(ours->transport.ice_pwd, said->ice_pwd, sizeof said->ice_pwd);
    memset(&ours->spare, 0, sizeof ours->spare);
}

/* After every agreement: what was dropped there is not offered again by itself. */
static void note_agreement(struct tdm_call_machine *m, const struct tdm_negotiated *negotiated,
                           struct tdm_call_out *out)
{
    bool held = false, any = false;

    m->negotiated = *negotiated;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        const struct tdm_negotiated_media *media = &negotiated->media[kind];

        m->offer_media[kind] = m->capability.media[kind].wanted && media->active;
        m->agreed_wanted[kind] = m->capability.media[kind].wanted;
        any |= media->active;
        held |= media->active && !media->held_by_remote;
        note_spares(m, media);
    }
    m->offer_channel = m->agreed_channel = m->capability.channel.wanted;
    m->offer_channel &= negotiated->channel.active;
    m->agreed_held = m->held_local;
    m->retries = 0;
    held = any && !held;
    out->state_changed |= held != m->held_remote;
    m->held_remote = held;
    out->media_changed = true;
}

enum tdm_err tdm_call_take_answer(struct tdm_call_machine *m, const char *text, size_t size,
                                  struct tdm_call_out *out, struct tdm_cause *cause)
{
    struct tdm_media_desc answer;
    struct tdm_negotiated negotiated;
    enum tdm_err err;

    if (!size)
        return tdm_fail(cause, TDM_E_MALFORMED, "the other side accepted without an SDP answer");
    err = tdm_sdp_parse(text, size, &answer, cause);
    if (!err)
        err = tdm_answer_apply(&m->oa, &m->offer, &answer, &negotiated, cause);
    if (!err)
        note_agreement(m, &negotiated, out);
    return err;
}

enum tdm_err tdm_call_answer_offer(struct tdm_call_machine *m, const char *text, size_t size,
                                   struct tdm_call_out *out, struct tdm_cause *cause)
{
    struct tdm_media_desc offer, answer;
    struct tdm_negotiated negotiated;
    struct tdm_capability capability;
    enum tdm_err err = tdm_sdp_parse(text, size, &offer, cause);

    effective(m, false, &capability);
    if (!err)
        err = tdm_answer_make(&m->oa, &capability, &offer, &answer, &negotiated, cause);
    if (!err && !write_body(&answer, out))
        err = tdm_fail(cause, TDM_E_SPACE, "the answer is over %d bytes", TDM_SIG_BODY_MAX);
    if (!err)
        note_agreement(m, &negotiated, out);
    return err;
}
