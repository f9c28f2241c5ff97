/* SPDX-License-Identifier: MIT */
#include "signalling/offer_answer.h"

#include "signalling/codec_match.h"
#include "signalling/sdp.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DYNAMIC_TYPE_FIRST 96
#define DYNAMIC_TYPE_LAST  127

void tdm_capability_add(struct tdm_capability *capability, enum tdm_media_kind kind,
                        enum tdm_codec_id id, uint8_t payload_type, uint32_t clock_hz,
                        uint8_t channels, const char *fmtp)
{
    struct tdm_media_capability *media = &capability->media[kind];
    bool video = kind == TDM_VIDEO;

    assert(media->codec_count < TDM_DESC_CODECS_MAX);

    struct tdm_codec_desc *codec = &media->codecs[media->codec_count++];

    memset(codec, 0, sizeof *codec);
    codec->payload_type = payload_type;
    codec->id = id;
    codec->clock_hz = clock_hz;
    codec->channels = channels;
    codec->nack = codec->pli = codec->fir = codec->remb = video;
    (void)snprintf(codec->name, sizeof codec->name, "%s", tdm_sdp_codec_name(id));
    (void)snprintf(codec->fmtp, sizeof codec->fmtp, "%s", fmtp ? fmtp : "");
}

void tdm_offer_answer_init(struct tdm_offer_answer *oa, uint64_t session_id)
{
    memset(oa, 0, sizeof *oa);
    oa->session_id = session_id >> 2; /* Some peers read it as a signed number. */
    oa->line_of[TDM_AUDIO] = oa->line_of[TDM_VIDEO] = -1;
}

static enum tdm_direction reversed(enum tdm_direction direction)
{
    return (enum tdm_direction)((direction & TDM_SENDONLY ? TDM_RECVONLY : 0) |
                                (direction & TDM_RECVONLY ? TDM_SENDONLY : 0));
}

/* What the describer does: RFC 2543's hold by c=0.0.0.0 means that it does not receive. */
static enum tdm_direction direction_of(const struct tdm_media_line *line)
{
    bool old_hold = strcmp(line->address, "0.0.0.0") == 0 || strcmp(line->address, "::") == 0;

    return old_hold ? (enum tdm_direction)(line->direction & TDM_SENDONLY) : line->direction;
}

static const struct tdm_codec_desc *find_match(const struct tdm_codec_desc *codec,
                                               const struct tdm_codec_desc *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (tdm_codec_match(codec, &list[i]))
            return &list[i];
    return NULL;
}

/* The first of the other side's codecs that `ours` has too; with `to_send`, and an encoder for. */
static const struct tdm_codec_desc *first_shared(const struct tdm_media_line *theirs,
                                                 const struct tdm_codec_desc *ours, unsigned count,
                                                 bool to_send)
{
    for (unsigned i = 0; i < theirs->codec_count; i++) {
        const struct tdm_codec_desc *match = tdm_codec_is_media(&theirs->codecs[i])
                                                 ? find_match(&theirs->codecs[i], ours, count)
                                                 : NULL;

        if (match && !(to_send && match->decode_only))
            return &theirs->codecs[i];
    }
    return NULL;
}

/* `direction` without sending when all that is shared with `theirs` we can only decode. */
static enum tdm_direction within_codecs(enum tdm_direction direction,
                                        const struct tdm_media_line *theirs,
                                        const struct tdm_codec_desc *ours, unsigned count)
{
    return first_shared(theirs, ours, count, true) ? direction
                                                   : (enum tdm_direction)(direction & TDM_RECVONLY);
}

/* The o= version goes up by one whenever the text differs from what we sent last. Padding counts
 * too: a version too many does no harm. */
static void stamp(struct tdm_offer_answer *oa, struct tdm_media_desc *desc)
{
    desc->session_id = oa->session_id;
    desc->session_version = oa->sent_any ? oa->sent.session_version : 1;
    if (oa->sent_any && memcmp((const char *)desc, (const char *)&oa->sent, sizeof *desc) != 0)
        desc->session_version++;
    memcpy(&oa->sent, desc, sizeof *desc);
    oa->sent_any = true;
}

/* What both of our lines, offered or answered, say alike. */
static void fill_line(struct tdm_media_line *line, const struct tdm_capability *capability,
                      enum tdm_media_kind kind)
{
    const struct tdm_media_capability *media = &capability->media[kind];

    line->kind = kind;
    line->port = media->port;
    line->rtcp_port = media->rtcp_port ? media->rtcp_port
                                       : (uint16_t)(media->port < UINT16_MAX ? media->port + 1 : 0);
    line->ptime_ms = media->ptime_ms;
    line->framerate = media->framerate;
    line->bandwidth_bps = media->bandwidth_bps;
    (void)snprintf(line->address, sizeof line->address, "%s", capability->address);
}

/* A line that is not in use: port 0, formats as they were. */
static void retire_line(struct tdm_media_line *line, const struct tdm_media_line *from)
{
    line->kind = from->kind;
    line->other = from->other;
    memcpy(line->other_text, from->other_text, sizeof line->other_text);
    memcpy(line->mid, from->mid, sizeof line->mid);
    line->avpf = from->avpf;
    line->codec_count = from->codec_count;
    for (unsigned i = 0; i < from->codec_count; i++) {
        line->codecs[i].payload_type = from->codecs[i].payload_type;
        line->codecs[i].id = from->codecs[i].id;
        line->codecs[i].clock_hz = from->codecs[i].clock_hz;
        line->codecs[i].channels = from->codecs[i].channels;
        memcpy(line->codecs[i].name, from->codecs[i].name, sizeof line->codecs[i].name);
    }
    line->direction = TDM_INACTIVE;
}

static bool type_used(const struct tdm_media_line *line, uint8_t payload_type)
{
    for (unsigned i = 0; line && i < line->codec_count; i++)
        if (line->codecs[i].payload_type == payload_type)
            return true;
    return false;
}

/* A payload type means the same over the whole session (RFC 3264 section 8.3.2): what was agreed
 * stays, and what is new takes a number that nobody used on this line. */
static uint8_t choose_type(const struct tdm_codec_desc *codec, const struct tdm_media_line *line,
                           const struct tdm_media_line *before, const struct tdm_media_line *remote)
{
    const struct tdm_codec_desc *known =
        before ? find_match(codec, before->codecs, before->codec_count) : NULL;
    uint8_t type = known ? known->payload_type : codec->payload_type;

    if (known && !type_used(line, type))
        return type;
    if (!type_used(line, type) && !type_used(before, type) && !type_used(remote, type))
        return type;
    for (type = DYNAMIC_TYPE_FIRST; type < DYNAMIC_TYPE_LAST; type++)
        if (!type_used(line, type) && !type_used(before, type) && !type_used(remote, type))
            break;
    return type;
}

/* `before` and `remote`: the slot's last use by the same kind, or NULL. */
static void offer_line(struct tdm_media_line *line, const struct tdm_capability *capability,
                       enum tdm_media_kind kind, const struct tdm_media_line *before,
                       const struct tdm_media_line *remote)
{
    const struct tdm_media_capability *media = &capability->media[kind];

    fill_line(line, capability, kind);
    line->direction = media->direction;
    if (before && first_shared(remote, before->codecs, before->codec_count, false))
        line->direction =
            within_codecs(media->direction, remote, before->codecs, before->codec_count);
    line->rtcp_mux = media->rtcp_mux;
    line->avpf = before ? before->avpf : media->avpf;
    if (before)
        memcpy(line->mid, before->mid, sizeof line->mid);
    for (unsigned i = 0; i < media->codec_count; i++) {
        struct tdm_codec_desc codec = media->codecs[i];

        if (codec.decode_only &&
            !(before && find_match(&codec, before->codecs, before->codec_count)))
            continue;
        codec.payload_type = choose_type(&codec, line, before, remote);
        line->codecs[line->codec_count++] = codec;
    }
    line->ext_count = media->ext_count;
    for (unsigned i = 0; i < media->ext_count; i++)
        line->exts[i] = media->exts[i];
}

/* The slot for a kind that has none: a dead one of its kind, any dead one, or a new one. */
static int find_slot(const struct tdm_offer_answer *oa, const struct tdm_media_desc *offer,
                     enum tdm_media_kind kind)
{
    for (int same_kind = 1; same_kind >= 0; same_kind--)
        for (int i = 0; i < offer->media_count && oa->agreed; i++)
            if (!offer->media[i].port && i != oa->line_of[!kind] &&
                (!same_kind || (!offer->media[i].other && offer->media[i].kind == kind)))
                return i;
    return offer->media_count < TDM_DESC_MEDIA_MAX ? offer->media_count : -1;
}

enum tdm_err tdm_offer_make(struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                            struct tdm_media_desc *offer, struct tdm_cause *cause)
{
    bool any = false;

    memset(offer, 0, sizeof *offer);
    (void)snprintf(offer->address, sizeof offer->address, "%s", capability->address);
    if (oa->agreed) {
        offer->media_count = oa->local.media_count;
        for (unsigned i = 0; i < offer->media_count; i++)
            retire_line(&offer->media[i], &oa->local.media[i]);
    }
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        if (!capability->media[kind].wanted)
            continue;

        enum tdm_media_kind k = (enum tdm_media_kind)kind;
        int slot = oa->line_of[kind] >= 0 ? oa->line_of[kind] : find_slot(oa, offer, k);

        if (slot < 0)
            return tdm_fail(cause, TDM_E_UNSUPPORTED,
                            "the call has no media line left: hang up and call again");

        bool known = slot < offer->media_count && oa->agreed && !oa->local.media[slot].other &&
                     oa->local.media[slot].kind == k;

        if (slot == offer->media_count)
            offer->media_count++;
        memset(&offer->media[slot], 0, sizeof offer->media[slot]);
        offer_line(&offer->media[slot], capability, k, known ? &oa->local.media[slot] : NULL,
                   known ? &oa->remote.media[slot] : NULL);
        any = true;
    }
    if (!any && !oa->agreed)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "neither audio nor video is on: there is nothing to offer");
    stamp(oa, offer);
    return TDM_OK;
}

bool tdm_offer_is_agreed(const struct tdm_offer_answer *oa, const struct tdm_media_desc *offer)
{
    size_t lines = offsetof(struct tdm_media_desc, address);

    return oa->agreed && memcmp((const char *)offer + lines, (const char *)&oa->local + lines,
                                sizeof *offer - lines) == 0;
}

/* Fills `media` from the two sides' lines of one kind. */
static void agree(struct tdm_negotiated_media *media, const struct tdm_media_line *local,
                  const struct tdm_media_line *remote, unsigned line_index)
{
    enum tdm_direction remote_direction = direction_of(remote);
    const struct tdm_codec_desc *shared =
        first_shared(remote, local->codecs, local->codec_count, false);
    const struct tdm_codec_desc *sent =
        first_shared(remote, local->codecs, local->codec_count, true);
    const struct tdm_codec_desc *theirs = sent ? sent : shared;

    media->line_index = (uint8_t)line_index;
    media->local_port = local->port;
    media->remote_port = remote->port;
    memcpy(media->remote_address, remote->address, sizeof media->remote_address);
    media->rtcp_mux = local->rtcp_mux && remote->rtcp_mux;
    media->remote_rtcp_port = media->rtcp_mux ? remote->port : remote->rtcp_port;
    media->direction =
        within_codecs((enum tdm_direction)(local->direction & reversed(remote_direction)), remote,
                      local->codecs, local->codec_count);
    media->held_by_remote = !(remote_direction & TDM_RECVONLY);
    media->max_bitrate_bps = remote->bandwidth_bps;
    media->framerate = remote->framerate;
    media->ptime_ms = remote->ptime_ms;
    media->max_ptime_ms = remote->max_ptime_ms;
    if (sent)
        media->send = *sent;
    for (unsigned i = 0; i < local->codec_count; i++)
        if (tdm_codec_is_media(&local->codecs[i]) &&
            find_match(&local->codecs[i], remote->codecs, remote->codec_count))
            media->receive[media->receive_count++] = local->codecs[i];
    media->active = theirs && local->port && remote->port;
    if (!theirs)
        return;
    const struct tdm_codec_desc *ours = find_match(theirs, local->codecs, local->codec_count);

    media->nack = theirs->nack && ours->nack;
    media->pli = theirs->pli && ours->pli;
    media->fir = theirs->fir && ours->fir;
    media->remb = theirs->remb && ours->remb;
}

/* telephone-event goes with the clock of the voice where both have it, else any that both have. */
static void agree_dtmf(struct tdm_negotiated_media *media, const struct tdm_media_line *local,
                       const struct tdm_media_line *remote)
{
    for (unsigned i = 0; i < remote->codec_count; i++) {
        const struct tdm_codec_desc *theirs = &remote->codecs[i];
        const struct tdm_codec_desc *ours =
            theirs->id == TDM_CODEC_TELEPHONE_EVENT
                ? find_match(theirs, local->codecs, local->codec_count)
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

static void agree_all(const struct tdm_offer_answer *oa, struct tdm_negotiated *negotiated)
{
    memset(negotiated, 0, sizeof *negotiated);
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        int i = oa->line_of[kind];

        if (i < 0)
            continue;
        agree(&negotiated->media[kind], &oa->local.media[i], &oa->remote.media[i], (unsigned)i);
        agree_dtmf(&negotiated->media[kind], &oa->local.media[i], &oa->remote.media[i]);
        agree_exts(&negotiated->media[kind], &oa->local.media[i], &oa->remote.media[i]);
    }
}

static void answer_codecs(struct tdm_media_line *line, const struct tdm_media_line *offered,
                          const struct tdm_media_capability *media)
{
    for (unsigned i = 0; i < offered->codec_count; i++) {
        const struct tdm_codec_desc *theirs = &offered->codecs[i];
        const struct tdm_codec_desc *ours = find_match(theirs, media->codecs, media->codec_count);

        if (!ours)
            continue;

        struct tdm_codec_desc *codec = &line->codecs[line->codec_count++];

        *codec = *theirs;
        memset(codec->fmtp, 0, sizeof codec->fmtp);
        tdm_codec_answer_fmtp(ours, theirs, codec->fmtp, sizeof codec->fmtp);
        codec->decode_only = ours->decode_only;
        codec->nack = theirs->nack && ours->nack;
        codec->pli = theirs->pli && ours->pli;
        codec->fir = theirs->fir && ours->fir;
        codec->remb = theirs->remb && ours->remb;
    }
}

static void answer_line(struct tdm_media_line *line, const struct tdm_media_line *offered,
                        const struct tdm_capability *capability)
{
    const struct tdm_media_capability *media = &capability->media[offered->kind];

    fill_line(line, capability, offered->kind);
    line->avpf = offered->avpf;
    line->rtcp_mux = offered->rtcp_mux && media->rtcp_mux;
    line->direction =
        within_codecs((enum tdm_direction)(media->direction & reversed(direction_of(offered))),
                      offered, media->codecs, media->codec_count);
    memcpy(line->mid, offered->mid, sizeof line->mid);
    answer_codecs(line, offered, media);
    for (unsigned i = 0; i < offered->ext_count; i++)
        for (unsigned j = 0; j < media->ext_count; j++)
            if (strcmp(offered->exts[i].uri, media->exts[j].uri) == 0 &&
                line->ext_count < TDM_DESC_EXT_MAX)
                line->exts[line->ext_count++] = offered->exts[i];
}

static bool acceptable(const struct tdm_media_line *offered,
                       const struct tdm_capability *capability)
{
    if (offered->other || !offered->port)
        return false;

    const struct tdm_media_capability *media = &capability->media[offered->kind];

    return media->wanted && first_shared(offered, media->codecs, media->codec_count, false);
}

/* Which offered line serves each kind: the one in use, else the first that we can take. */
static void assign_lines(const struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                         const struct tdm_media_desc *offer, int8_t line_of[TDM_MEDIA_KINDS])
{
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        int in_use = oa->line_of[kind];

        line_of[kind] = -1;
        for (int i = 0; i < offer->media_count; i++) {
            if ((int)offer->media[i].kind != kind || !acceptable(&offer->media[i], capability))
                continue;
            if (line_of[kind] < 0 || i == in_use)
                line_of[kind] = (int8_t)i;
        }
    }
}

static void list_names(char *to, size_t capacity, const struct tdm_codec_desc *codecs,
                       unsigned count)
{
    size_t used = 0;

    to[0] = '\0';
    for (unsigned i = 0; i < count && used + 1 < capacity; i++) {
        if (codecs[i].id == TDM_CODEC_TELEPHONE_EVENT || !codecs[i].name[0])
            continue;

        int wrote = snprintf(to + used, capacity - used, "%s%s", used ? ", " : "", codecs[i].name);

        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* Tells what was offered and what is here, for the first line that was offered in vain. */
static enum tdm_err no_common_codec(const struct tdm_capability *capability,
                                    const struct tdm_media_desc *offer, struct tdm_cause *cause)
{
    char theirs[80], ours[80];

    for (unsigned i = 0; i < offer->media_count; i++) {
        const struct tdm_media_line *line = &offer->media[i];
        const struct tdm_media_capability *media = &capability->media[line->kind];

        if (line->other || !line->port || !media->wanted)
            continue;
        list_names(theirs, sizeof theirs, line->codecs, line->codec_count);
        list_names(ours, sizeof ours, media->codecs, media->codec_count);
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "no common %s codec: the other side has %s, this side has %s",
                        line->kind == TDM_AUDIO ? "audio" : "video",
                        theirs[0] ? theirs : "none that has a name", ours[0] ? ours : "none");
    }
    return tdm_fail(cause, TDM_E_UNSUPPORTED,
                    "no common media: the other side offers nothing that is wanted here over plain "
                    "RTP (RTP/AVP)");
}

static bool offers_nothing(const struct tdm_media_desc *offer)
{
    for (unsigned i = 0; i < offer->media_count; i++)
        if (offer->media[i].port)
            return false;
    return true;
}

enum tdm_err tdm_answer_make(struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                             const struct tdm_media_desc *offer, struct tdm_media_desc *answer,
                             struct tdm_negotiated *negotiated, struct tdm_cause *cause)
{
    int8_t line_of[TDM_MEDIA_KINDS];

    assign_lines(oa, capability, offer, line_of);
    if (line_of[TDM_AUDIO] < 0 && line_of[TDM_VIDEO] < 0 && !(oa->agreed && offers_nothing(offer)))
        return no_common_codec(capability, offer, cause);
    memset(answer, 0, sizeof *answer);
    (void)snprintf(answer->address, sizeof answer->address, "%s", capability->address);
    answer->media_count = offer->media_count;
    for (int i = 0; i < offer->media_count; i++) {
        if (i == line_of[TDM_AUDIO] || i == line_of[TDM_VIDEO])
            answer_line(&answer->media[i], &offer->media[i], capability);
        else
            retire_line(&answer->media[i], &offer->media[i]);
    }
    stamp(oa, answer);
    memcpy(&oa->local, answer, sizeof *answer);
    memcpy(&oa->remote, offer, sizeof *offer);
    memcpy(oa->line_of, line_of, sizeof line_of);
    oa->agreed = true;
    agree_all(oa, negotiated);
    return TDM_OK;
}

enum tdm_err tdm_answer_apply(struct tdm_offer_answer *oa, const struct tdm_media_desc *offer,
                              const struct tdm_media_desc *answer,
                              struct tdm_negotiated *negotiated, struct tdm_cause *cause)
{
    int8_t line_of[TDM_MEDIA_KINDS] = {-1, -1};
    bool accepted = false, shared = false;

    if (answer->media_count > offer->media_count)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the answer has %d media lines, but %d were offered", answer->media_count,
                        offer->media_count);
    for (int i = 0; i < answer->media_count; i++) {
        const struct tdm_media_line *ours = &offer->media[i], *theirs = &answer->media[i];

        if (ours->other || !ours->port || theirs->other || theirs->kind != ours->kind)
            continue;
        if (line_of[ours->kind] < 0)
            line_of[ours->kind] = (int8_t)i;
        accepted |= theirs->port != 0;
        shared |= theirs->port && first_shared(theirs, ours->codecs, ours->codec_count, false);
    }
    if (accepted ? !shared : !offers_nothing(offer))
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        accepted ? "no common codec: the answer chose none of those offered"
                                 : "the other side took none of the offered audio and video");
    memcpy(&oa->local, offer, sizeof *offer);
    memcpy(&oa->remote, answer, sizeof *answer);
    for (unsigned i = answer->media_count; i < offer->media_count; i++)
        retire_line(&oa->remote.media[i], &offer->media[i]);
    oa->remote.media_count = offer->media_count;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        int i = line_of[kind];

        oa->line_of[kind] = i >= 0 && answer->media[i].port ? line_of[kind] : (int8_t)-1;
        if (i >= 0 && !answer->media[i].port)
            oa->local.media[i].port = 0; /* Refused: the slot is free for the next offer. */
    }
    oa->agreed = true;
    agree_all(oa, negotiated);
    return TDM_OK;
}
