/* SPDX-License-Identifier: MIT */
#include "signalling/offer_answer.h"

#include "signalling/agreement.h"
#include "signalling/channel_line.h"
#include "signalling/codec_match.h"
#include "signalling/line_match.h"
#include "signalling/protection.h"
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
    codec->nack = codec->pli = codec->fir = codec->tmmbr = codec->remb = video;
    (void)snprintf(codec->name, sizeof codec->name, "%s", tdm_sdp_codec_name(id));
    (void)snprintf(codec->fmtp, sizeof codec->fmtp, "%s", fmtp ? fmtp : "");
}

void tdm_offer_answer_init(struct tdm_offer_answer *oa, uint64_t session_id)
{
    memset(oa, 0, sizeof *oa);
    oa->session_id = session_id >> 2; /* Some peers read it as a signed number. */
    oa->line_of[TDM_AUDIO] = oa->line_of[TDM_VIDEO] = oa->channel_line = -1;
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

/* What both of our lines, offered or answered, say alike. `by`: whose socket serves it. */
static void fill_line(struct tdm_media_line *line, const struct tdm_capability *capability,
                      enum tdm_media_kind kind, enum tdm_media_kind by)
{
    const struct tdm_media_capability *media = &capability->media[kind];
    const struct tdm_media_capability *socket = &capability->media[by];

    line->kind = kind;
    line->port = socket->port;
    line->rtcp_port = socket->rtcp_port
                          ? socket->rtcp_port
                          : (uint16_t)(socket->port < UINT16_MAX ? socket->port + 1 : 0);
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
    line->proto = from->proto;
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

/* Payload types that mean something on a line, or on those it is bundled with. */
struct types {
    bool used[DYNAMIC_TYPE_LAST + 1];
};

static void use_types(struct types *types, const struct tdm_media_line *line)
{
    for (unsigned i = 0; line && i < line->codec_count; i++) {
        types->used[line->codecs[i].payload_type & 127] = true;
        types->used[line->codecs[i].rtx_type & 127] |= line->codecs[i].rtx_type != 0;
        types->used[line->codecs[i].red_type & 127] |= line->codecs[i].red_type != 0;
    }
    if (line && line->parity_type)
        types->used[line->parity_type & 127] = true;
    if (line && line->ulpfec_type) {
        types->used[line->ulpfec_type & 127] = types->used[line->ulpfec_red_type & 127] = true;
        types->used[line->ulpfec_rtx_type & 127] |= line->ulpfec_rtx_type != 0;
    }
}

static uint8_t free_type(const struct types *types, uint8_t wish)
{
    uint8_t type = wish;

    if (!types->used[type & 127])
        return type;
    for (type = DYNAMIC_TYPE_FIRST; type < DYNAMIC_TYPE_LAST && types->used[type]; type++)
        ;
    return type;
}

/* An offered line on its slot. */
struct slot {
    const struct tdm_capability *capability;
    enum tdm_media_kind kind, by;
    const struct tdm_media_line *before, *remote; /* The last use by the same kind, or NULL. */
    const struct tdm_media_line *beside;          /* The line it may be bundled with, or NULL. */
};

/* A payload type means the same over the whole session (RFC 3264 section 8.3.2): what was agreed
 * stays, and what is new takes a number that nobody used on this line or its bundle. */
static void offer_codecs(struct tdm_media_line *line, const struct slot *slot)
{
    const struct tdm_media_capability *media = &slot->capability->media[slot->kind];
    const struct tdm_media_line *before = slot->before;

    for (unsigned i = 0; i < media->codec_count; i++) {
        struct tdm_codec_desc codec = media->codecs[i];
        const struct tdm_codec_desc *known =
            before ? tdm_line_find(&codec, before->codecs, before->codec_count) : NULL;
        struct types on_line = {{false}}, all;

        if (codec.decode_only && !known)
            continue;
        use_types(&on_line, line);
        all = on_line;
        use_types(&all, before);
        use_types(&all, slot->remote);
        use_types(&all, slot->beside);
        codec.payload_type = known && !on_line.used[known->payload_type & 127]
                                 ? known->payload_type
                                 : free_type(&all, codec.payload_type);
        all.used[codec.payload_type & 127] = true;
        if (codec.rtx_type)
            codec.rtx_type = known && known->rtx_type && !on_line.used[known->rtx_type & 127]
                                 ? known->rtx_type
                                 : free_type(&all, codec.rtx_type);
        all.used[codec.rtx_type & 127] |= codec.rtx_type != 0;
        if (codec.red_type)
            codec.red_type = known && known->red_type && !on_line.used[known->red_type & 127]
                                 ? known->red_type
                                 : free_type(&all, codec.red_type);
        line->codecs[line->codec_count++] = codec;
    }
}

static void offer_parity(struct tdm_media_line *line, const struct slot *slot)
{
    const struct tdm_media_capability *media = &slot->capability->media[slot->kind];
    const struct tdm_media_line *before = slot->before;
    struct types on_line = {{false}}, all;

    if (!media->parity_type)
        return;
    use_types(&on_line, line);
    all = on_line;
    use_types(&all, before);
    use_types(&all, slot->remote);
    use_types(&all, slot->beside);
    line->parity_type = before && before->parity_type && !on_line.used[before->parity_type & 127]
                            ? before->parity_type
                            : free_type(&all, media->parity_type);
}

/* What was agreed on stays, with its numbers: those of a codec that is new are others. */
static void offer_ulpfec(struct tdm_media_line *line, const struct slot *slot)
{
    const struct tdm_media_line *before = slot->before;

    if (!before || !slot->capability->media[slot->kind].ulpfec)
        return;
    line->ulpfec_type = before->ulpfec_type;
    line->ulpfec_red_type = before->ulpfec_red_type;
    line->ulpfec_rtx_type = before->ulpfec_rtx_type;
}

static void offer_line(struct tdm_media_line *line, const struct slot *slot)
{
    const struct tdm_media_capability *media = &slot->capability->media[slot->kind];
    const struct tdm_media_line *before = slot->before;

    fill_line(line, slot->capability, slot->kind, slot->by);
    line->direction = media->direction;
    if (before && tdm_line_first_shared(slot->remote, before->codecs, before->codec_count, false))
        line->direction = tdm_line_within_codecs(media->direction, slot->remote, before->codecs,
                                                 before->codec_count);
    line->rtcp_mux = media->rtcp_mux;
    line->avpf = before ? before->avpf : media->avpf;
    line->ccfb = line->rtcp_rsize = media->ccfb;
    line->proto = before ? before->proto : TDM_PROTO_RTP;
    if (before)
        memcpy(line->mid, before->mid, sizeof line->mid);
    offer_codecs(line, slot);
    offer_parity(line, slot);
    offer_ulpfec(line, slot);
    line->ext_count = media->ext_count;
    for (unsigned i = 0; i < media->ext_count; i++)
        line->exts[i] = media->exts[i];
}

static bool is_media(const struct tdm_media_line *line)
{
    return !line->other && line->proto != TDM_PROTO_CHANNEL;
}

/* Whether a dead slot last served the same as `like`. */
static bool slot_served(const struct tdm_media_line *slot, const struct tdm_media_line *like)
{
    if (slot->other || is_media(slot) != is_media(like))
        return false;
    return !is_media(like) || slot->kind == like->kind;
}

/* The slot for what has none: a dead one that served the same, any dead one, or a new one. */
static int find_slot(const struct tdm_offer_answer *oa, const struct tdm_media_desc *offer,
                     const struct tdm_media_line *like)
{
    for (int same = 1; same >= 0; same--)
        for (int i = 0; i < offer->media_count && oa->agreed; i++)
            if (!offer->media[i].port && i != oa->line_of[TDM_AUDIO] &&
                i != oa->line_of[TDM_VIDEO] && i != oa->channel_line &&
                (!same || slot_served(&offer->media[i], like)))
                return i;
    return offer->media_count < TDM_DESC_MEDIA_MAX ? offer->media_count : -1;
}

/* Clears the slot at `index` for its new use. */
static struct tdm_media_line *open_slot(struct tdm_media_desc *offer, int index)
{
    if (index == offer->media_count)
        offer->media_count++;
    memset(&offer->media[index], 0, sizeof offer->media[index]);
    return &offer->media[index];
}

static enum tdm_err no_slot(struct tdm_cause *cause)
{
    return tdm_fail(cause, TDM_E_UNSUPPORTED,
                    "the call has no media line left: hang up and call again");
}

static enum tdm_err offer_media(struct tdm_offer_answer *oa,
                                const struct tdm_capability *capability, enum tdm_media_kind kind,
                                struct tdm_media_desc *offer, int index[TDM_MEDIA_KINDS],
                                struct tdm_cause *cause)
{
    const struct tdm_media_line like = {.kind = kind};
    int at = oa->line_of[kind] >= 0 ? oa->line_of[kind] : find_slot(oa, offer, &like);
    int beside = kind == TDM_VIDEO ? index[TDM_AUDIO] : oa->line_of[TDM_VIDEO];

    if (at < 0)
        return no_slot(cause);

    bool known = at < offer->media_count && oa->agreed && is_media(&oa->local.media[at]) &&
                 oa->local.media[at].kind == kind;
    struct slot slot = {
        .capability = capability,
        .kind = kind,
        .by = tdm_transport_kind(oa, kind),
        .before = known ? &oa->local.media[at] : NULL,
        .remote = known ? &oa->remote.media[at] : NULL,
    };
    struct tdm_media_line *line = open_slot(offer, at);

    if (beside >= 0 && capability->bundle)
        slot.beside = kind == TDM_VIDEO ? &offer->media[beside] : &oa->local.media[beside];
    offer_line(line, &slot);
    index[kind] = at;
    return tdm_protection_offer(line, capability, slot.by, tdm_transport_before(oa, slot.by),
                                cause);
}

/* A mid that no other line has: the number of the slot, as everybody does. */
static void choose_mid(struct tdm_media_desc *offer, int index)
{
    struct tdm_media_line *line = &offer->media[index];
    bool taken = !line->mid[0];

    for (unsigned number = (unsigned)index; taken; number += TDM_DESC_MEDIA_MAX) {
        (void)snprintf(line->mid, sizeof line->mid, "%u", number);
        taken = false;
        for (int i = 0; i < offer->media_count; i++)
            taken |= i != index && strcmp(offer->media[i].mid, line->mid) == 0;
    }
}

/* RFC 8843 section 7.2: audio and video may share one transport, that of the first in the group.
 * Lines that went apart before are not asked again. */
static void offer_bundle(const struct tdm_offer_answer *oa, struct tdm_media_desc *offer,
                         const int index[TDM_MEDIA_KINDS])
{
    const struct tdm_negotiated_media *before = oa->negotiated.media;
    bool both = index[TDM_AUDIO] >= 0 && index[TDM_VIDEO] >= 0;
    bool was = before[TDM_AUDIO].bundled || before[TDM_VIDEO].bundled;
    bool apart = before[TDM_AUDIO].active && before[TDM_VIDEO].active && !was;
    int first = was && index[TDM_AUDIO] >= 0 && tdm_transport_kind(oa, TDM_AUDIO) == TDM_VIDEO
                    ? TDM_VIDEO
                    : TDM_AUDIO;
    uint8_t place = 0;

    if (apart || (!both && !was))
        return;
    for (int i = 0; i < TDM_MEDIA_KINDS; i++) {
        int kind = i ? !first : first;

        if (index[kind] < 0)
            continue;
        choose_mid(offer, index[kind]);
        offer->media[index[kind]].bundle = ++place;
        if (place > 1 && tdm_transport_kind(oa, TDM_AUDIO) == tdm_transport_kind(oa, TDM_VIDEO))
            tdm_transport_without_candidates(&offer->media[index[kind]].transport);
    }
}

static enum tdm_err offer_channel(struct tdm_offer_answer *oa,
                                  const struct tdm_capability *capability,
                                  struct tdm_media_desc *offer, struct tdm_cause *cause)
{
    const struct tdm_media_line like = {.proto = TDM_PROTO_CHANNEL};
    int at = oa->channel_line >= 0 ? oa->channel_line : find_slot(oa, offer, &like);
    bool known = oa->channel_line >= 0;

    if (at < 0)
        return no_slot(cause);

    struct tdm_media_line *line = open_slot(offer, at);

    tdm_channel_offer(line, capability);
    if (known)
        memcpy(line->mid, oa->local.media[at].mid, sizeof line->mid);
    return TDM_OK;
}

enum tdm_err tdm_offer_make(struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                            struct tdm_media_desc *offer, struct tdm_cause *cause)
{
    int index[TDM_MEDIA_KINDS] = {-1, -1};
    bool channel = tdm_channel_can_offer(capability);
    enum tdm_err err = TDM_OK;

    memset(offer, 0, sizeof *offer);
    (void)snprintf(offer->address, sizeof offer->address, "%s", capability->address);
    if (oa->agreed) {
        offer->media_count = oa->local.media_count;
        for (unsigned i = 0; i < offer->media_count; i++)
            retire_line(&offer->media[i], &oa->local.media[i]);
    }
    for (int kind = 0; kind < TDM_MEDIA_KINDS && !err; kind++)
        if (capability->media[kind].wanted)
            err = offer_media(oa, capability, (enum tdm_media_kind)kind, offer, index, cause);
    if (!err && capability->bundle)
        offer_bundle(oa, offer, index);
    if (!err && channel)
        err = offer_channel(oa, capability, offer, cause);
    if (err)
        return err;
    if (index[TDM_AUDIO] < 0 && index[TDM_VIDEO] < 0 && !channel && !oa->agreed)
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "neither audio nor video is on: there is nothing to offer");
    stamp(oa, offer);
    return TDM_OK;
}

/* Roles differ between an offer and its answer without a difference in what is agreed. Padding
 * counts in what follows: an offer too many does no harm. */
static void without_roles(struct tdm_media_line *line, const struct tdm_media_line *from)
{
    memcpy(line, from, sizeof *line);
    line->transport.setup = TDM_SETUP_NONE;
    line->transport.connection_existing = false;
}

bool tdm_offer_is_agreed(const struct tdm_offer_answer *oa, const struct tdm_media_desc *offer)
{
    bool same = oa->agreed && offer->media_count == oa->local.media_count &&
                strcmp(offer->address, oa->local.address) == 0;

    for (unsigned i = 0; same && i < offer->media_count; i++) {
        struct tdm_media_line ours, agreed;

        without_roles(&ours, &offer->media[i]);
        without_roles(&agreed, &oa->local.media[i]);
        same = memcmp((const char *)&ours, (const char *)&agreed, sizeof ours) == 0;
    }
    return same;
}

static void answer_codecs(struct tdm_media_line *line, const struct tdm_media_line *offered,
                          const struct tdm_media_capability *media)
{
    for (unsigned i = 0; i < offered->codec_count; i++) {
        const struct tdm_codec_desc *theirs = &offered->codecs[i];
        const struct tdm_codec_desc *ours =
            tdm_line_find(theirs, media->codecs, media->codec_count);

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
        codec->tmmbr = theirs->tmmbr && ours->tmmbr;
        codec->remb = theirs->remb && ours->remb;
        codec->transport_cc = theirs->transport_cc && ours->transport_cc && !line->ccfb;
        codec->rtx_type = ours->rtx_type ? theirs->rtx_type : 0;
        codec->red_type = ours->red_type ? theirs->red_type : 0;
    }
}

/* Which offered lines are taken, and which of them lends the bundled ones its transport. */
struct choice {
    int8_t line_of[TDM_MEDIA_KINDS], channel_line;
    int tag;                /* -1: nothing is bundled. */
    enum tdm_media_kind by; /* Whose socket serves the bundle. */
};

static bool in_bundle(const struct choice *choice, const struct tdm_media_line *offered)
{
    return choice->tag >= 0 && offered->bundle;
}

/* Where no repairs over a window are agreed, which are better. */
static void answer_ulpfec(struct tdm_media_line *line, const struct tdm_media_line *offered,
                          const struct tdm_media_capability *media)
{
    bool rtx = false;

    if (!media->ulpfec || line->parity_type || !offered->ulpfec_type)
        return;
    for (unsigned i = 0; i < line->codec_count; i++)
        rtx |= line->codecs[i].rtx_type != 0;
    line->ulpfec_type = offered->ulpfec_type;
    line->ulpfec_red_type = offered->ulpfec_red_type;
    line->ulpfec_rtx_type = rtx ? offered->ulpfec_rtx_type : 0;
}

static void answer_line(struct tdm_media_line *line, const struct tdm_media_line *offered,
                        const struct tdm_capability *capability, enum tdm_media_kind by)
{
    const struct tdm_media_capability *media = &capability->media[offered->kind];

    fill_line(line, capability, offered->kind, by);
    line->proto = offered->proto;
    line->avpf = offered->avpf;
    line->ccfb = offered->ccfb && media->ccfb;
    line->parity_type = media->parity_type ? offered->parity_type : 0;
    line->rtcp_rsize = offered->rtcp_rsize && line->ccfb;
    line->rtcp_mux = offered->rtcp_mux && media->rtcp_mux;
    line->direction = tdm_line_within_codecs(
        (enum tdm_direction)(media->direction & tdm_line_reversed(tdm_line_direction(offered))),
        offered, media->codecs, media->codec_count);
    memcpy(line->mid, offered->mid, sizeof line->mid);
    answer_codecs(line, offered, media);
    answer_ulpfec(line, offered, media);
    for (unsigned i = 0; i < offered->ext_count; i++)
        for (unsigned j = 0; j < media->ext_count; j++)
            if (strcmp(offered->exts[i].uri, media->exts[j].uri) == 0 &&
                line->ext_count < TDM_DESC_EXT_MAX)
                line->exts[line->ext_count++] = offered->exts[i];
}

/* The bundle's first line that stands by itself: with a port, and not refused here. */
static int bundle_tag(const struct tdm_capability *capability, const struct tdm_media_desc *offer,
                      const int8_t line_of[TDM_MEDIA_KINDS])
{
    int tag = -1;

    for (int kind = 0; kind < TDM_MEDIA_KINDS && capability->bundle; kind++) {
        int i = line_of[kind];

        if (i < 0 || !offer->media[i].bundle || !offer->media[i].port)
            continue;
        if (tag < 0 || offer->media[i].bundle < offer->media[tag].bundle)
            tag = i;
    }
    return tag;
}

/* Whether an offered line has media that we want in a codec that we have. */
static bool wanted(const struct tdm_media_line *offered, const struct tdm_capability *capability)
{
    const struct tdm_media_capability *media = &capability->media[offered->kind];

    return is_media(offered) && (offered->port || offered->bundle_only) && media->wanted &&
           (media->rtcp_mux || !offered->rtcp_mux_only) &&
           tdm_line_first_shared(offered, media->codecs, media->codec_count, false);
}

/* Which offered line serves each kind: the one in use, else the first that we can take. Lines that
 * stand by themselves come first; what is for a bundle only follows, if there is one then. */
static void assign_lines(const struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                         const struct tdm_media_desc *offer, struct choice *choice,
                         struct tdm_cause *cause)
{
    enum tdm_proto chosen;

    memset(choice->line_of, -1, sizeof choice->line_of);
    choice->tag = -1;
    for (int alone = 1; alone >= 0; alone--) {
        for (int i = 0; i < offer->media_count; i++) {
            const struct tdm_media_line *line = &offer->media[i];
            enum tdm_media_kind kind = line->kind;
            bool joins = choice->tag >= 0 && line->bundle && i != choice->tag;

            if (!wanted(line, capability) || (alone ? !line->port : !joins) ||
                (choice->line_of[kind] >= 0 && i != oa->line_of[kind]))
                continue;
            if (joins || !tdm_protection_choose(
                             &chosen, line, capability, kind,
                             tdm_transport_before(oa, tdm_transport_kind(oa, kind)), cause))
                choice->line_of[kind] = (int8_t)i;
        }
        choice->tag = bundle_tag(capability, offer, choice->line_of);
    }
    choice->by =
        choice->tag >= 0 ? tdm_transport_kind(oa, offer->media[choice->tag].kind) : TDM_AUDIO;
}

static void assign_channel(const struct tdm_offer_answer *oa,
                           const struct tdm_capability *capability,
                           const struct tdm_media_desc *offer, struct choice *choice)
{
    choice->channel_line = -1;
    for (int i = 0; i < offer->media_count; i++)
        if (tdm_channel_acceptable(&offer->media[i], capability) &&
            (choice->channel_line < 0 || i == oa->channel_line))
            choice->channel_line = (int8_t)i;
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

        if (!is_media(line) || !line->port || !media->wanted)
            continue;
        list_names(theirs, sizeof theirs, line->codecs, line->codec_count);
        list_names(ours, sizeof ours, media->codecs, media->codec_count);
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        "no common %s codec: the other side has %s, this side has %s",
                        line->kind == TDM_AUDIO ? "audio" : "video",
                        theirs[0] ? theirs : "none that has a name", ours[0] ? ours : "none");
    }
    return tdm_fail(cause, TDM_E_UNSUPPORTED,
                    "no common media: the other side offers nothing that is wanted here");
}

static bool offers_nothing(const struct tdm_media_desc *offer)
{
    for (unsigned i = 0; i < offer->media_count; i++)
        if (offer->media[i].port)
            return false;
    return true;
}

/* Answers one taken line over the transport that serves it. */
static void answer_taken(const struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                         const struct tdm_media_desc *offer, const struct choice *choice, int index,
                         struct tdm_media_line *line)
{
    const struct tdm_media_line *offered = &offer->media[index];
    bool bundled = in_bundle(choice, offered);
    const struct tdm_media_line *reached = bundled ? &offer->media[choice->tag] : offered;
    enum tdm_media_kind by = bundled ? choice->by : offered->kind;
    const struct tdm_negotiated_transport *before = tdm_transport_before(oa, by);
    enum tdm_proto chosen = TDM_PROTO_RTP;

    answer_line(line, offered, capability, by);
    if (tdm_protection_choose(&chosen, reached, capability, by, before, NULL) == TDM_OK)
        tdm_protection_answer(line, reached, capability, by, before, chosen);
    if (!bundled)
        return;
    line->bundle = offered->bundle;
    if (index != choice->tag)
        tdm_transport_without_candidates(&line->transport);
}

static void commit(struct tdm_offer_answer *oa, const struct tdm_agreement *agreement,
                   const struct tdm_negotiated *negotiated)
{
    memcpy(&oa->local, agreement->local, sizeof oa->local);
    memcpy(&oa->remote, agreement->remote, sizeof oa->remote);
    memcpy(oa->line_of, agreement->line_of, sizeof oa->line_of);
    oa->channel_line = agreement->channel_line;
    oa->agreed = true;
    oa->negotiated = *negotiated;
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        const struct tdm_negotiated_media *media = &negotiated->media[kind];

        if (!oa->role_known && media->active && media->transport.ice) {
            oa->role_known = true;
            oa->controlling = media->transport.ice_controlling;
        }
    }
}

enum tdm_err tdm_answer_make(struct tdm_offer_answer *oa, const struct tdm_capability *capability,
                             const struct tdm_media_desc *offer, struct tdm_media_desc *answer,
                             struct tdm_negotiated *negotiated, struct tdm_cause *cause)
{
    struct tdm_cause refused = {""};
    struct choice choice;
    enum tdm_err err;

    assign_lines(oa, capability, offer, &choice, &refused);
    assign_channel(oa, capability, offer, &choice);
    if (choice.line_of[TDM_AUDIO] < 0 && choice.line_of[TDM_VIDEO] < 0 && choice.channel_line < 0 &&
        !(oa->agreed && offers_nothing(offer)))
        return refused.text[0] ? tdm_fail(cause, TDM_E_DENIED, "%s", refused.text)
                               : no_common_codec(capability, offer, cause);
    memset(answer, 0, sizeof *answer);
    (void)snprintf(answer->address, sizeof answer->address, "%s", capability->address);
    answer->media_count = offer->media_count;
    for (int i = 0; i < offer->media_count; i++) {
        if (i == choice.line_of[TDM_AUDIO] || i == choice.line_of[TDM_VIDEO])
            answer_taken(oa, capability, offer, &choice, i, &answer->media[i]);
        else if (i == choice.channel_line)
            tdm_channel_answer(&answer->media[i], &offer->media[i], capability);
        else
            retire_line(&answer->media[i], &offer->media[i]);
    }

    struct tdm_agreement agreement = {.local = answer,
                                      .remote = offer,
                                      .line_of = {choice.line_of[0], choice.line_of[1]},
                                      .channel_line = choice.channel_line};

    err = tdm_agree(oa, &agreement, negotiated, cause);
    if (err)
        return err;
    stamp(oa, answer);
    commit(oa, &agreement, negotiated);
    return TDM_OK;
}

/* Which of our lines the answer took. */
static enum tdm_err match_lines(const struct tdm_media_desc *offer,
                                const struct tdm_media_desc *answer,
                                struct tdm_agreement *agreement, struct tdm_cause *cause)
{
    bool accepted = false, shared = false, channel = false;

    for (int i = 0; i < answer->media_count; i++) {
        const struct tdm_media_line *ours = &offer->media[i], *theirs = &answer->media[i];

        if (ours->other || !ours->port || theirs->other || is_media(theirs) != is_media(ours))
            continue;
        if (!is_media(ours)) {
            agreement->channel_line = (int8_t)i;
            channel = theirs->port != 0;
            continue;
        }
        if (theirs->kind != ours->kind)
            continue;
        if (agreement->line_of[ours->kind] < 0)
            agreement->line_of[ours->kind] = (int8_t)i;
        accepted |= theirs->port != 0;
        shared |=
            theirs->port && tdm_line_first_shared(theirs, ours->codecs, ours->codec_count, false);
    }
    if (accepted ? !shared : !channel && !offers_nothing(offer))
        return tdm_fail(cause, TDM_E_UNSUPPORTED,
                        accepted ? "no common codec: the answer chose none of those offered"
                                 : "the other side took none of the offered audio and video");
    return TDM_OK;
}

enum tdm_err tdm_answer_apply(struct tdm_offer_answer *oa, const struct tdm_media_desc *offer,
                              const struct tdm_media_desc *answer,
                              struct tdm_negotiated *negotiated, struct tdm_cause *cause)
{
    struct tdm_media_desc local = *offer, remote = *answer;
    struct tdm_agreement agreement = {
        .offered_here = true,
        .line_of = {-1, -1},
        .channel_line = -1,
        .local = &local,
        .remote = &remote,
    };
    enum tdm_err err;

    if (answer->media_count > offer->media_count)
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "the answer has %d media lines, but %d were offered", answer->media_count,
                        offer->media_count);
    err = match_lines(offer, answer, &agreement, cause);
    if (err)
        return err;
    for (unsigned i = answer->media_count; i < offer->media_count; i++)
        retire_line(&remote.media[i], &offer->media[i]);
    remote.media_count = offer->media_count;
    err = tdm_agree(oa, &agreement, negotiated, cause);
    if (err)
        return err;
    tdm_agreement_settle(&agreement, negotiated);
    /* A refused line's slot is free for the next offer. */
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        int i = agreement.line_of[kind];

        if (i < 0 || remote.media[i].port)
            continue;
        local.media[i].port = 0;
        agreement.line_of[kind] = -1;
    }
    if (agreement.channel_line >= 0 && !remote.media[agreement.channel_line].port) {
        local.media[agreement.channel_line].port = 0;
        agreement.channel_line = -1;
    }
    commit(oa, &agreement, negotiated);
    return TDM_OK;
}
