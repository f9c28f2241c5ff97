/* SPDX-License-Identifier: MIT */
#include "signalling/sdp.h"

#include "signalling/sdp_transport.h"

#include <stdarg.h>
#include <stdio.h>

/* Text grows at `size`; past the end nothing more is written and `ok` is false. */
struct output {
    char *text;
    size_t capacity;
    size_t size;
    bool ok;
};

static void put(struct output *o, const char *format, ...) TDM_PRINTF(2, 3);

static void put(struct output *o, const char *format, ...)
{
    size_t left = o->capacity - o->size;
    va_list args;

    if (!o->ok)
        return;
    va_start(args, format);
    int wrote = vsnprintf(o->text + o->size, left, format, args);
    va_end(args);
    o->ok = wrote >= 0 && (size_t)wrote < left;
    if (o->ok)
        o->size += (size_t)wrote;
}

static const char *address_type(const char *address)
{
    return strchr(address, ':') ? "IP6" : "IP4";
}

static const char *direction_name(enum tdm_direction direction)
{
    static const char *const names[] = {
        [TDM_INACTIVE] = "inactive",
        [TDM_SENDONLY] = "sendonly",
        [TDM_RECVONLY] = "recvonly",
        [TDM_SENDRECV] = "sendrecv",
    };

    return names[direction & TDM_SENDRECV];
}

/* `types`: one payload type, or "*" for all of the line (RFC 4585 section 4.2). */
static void write_feedback(struct output *o, const char *types, const struct tdm_codec_desc *codec)
{
    if (codec->nack)
        put(o, "a=rtcp-fb:%s nack\r\n", types);
    if (codec->pli)
        put(o, "a=rtcp-fb:%s nack pli\r\n", types);
    if (codec->fir)
        put(o, "a=rtcp-fb:%s ccm fir\r\n", types);
    if (codec->tmmbr)
        put(o, "a=rtcp-fb:%s ccm tmmbr\r\n", types);
    if (codec->remb)
        put(o, "a=rtcp-fb:%s goog-remb\r\n", types);
    if (codec->transport_cc)
        put(o, "a=rtcp-fb:%s transport-cc\r\n", types);
}

/* Said once instead of for each of several codecs, so that an INVITE with all of them still fits
 * into a datagram (RFC 3261 section 18.1.1: 1300 bytes). */
static bool feedback_is_common(const struct tdm_media_line *line)
{
    const struct tdm_codec_desc *first = &line->codecs[0];

    for (unsigned i = 1; i < line->codec_count; i++) {
        const struct tdm_codec_desc *codec = &line->codecs[i];

        if (codec->nack != first->nack || codec->pli != first->pli || codec->fir != first->fir ||
            codec->tmmbr != first->tmmbr || codec->remb != first->remb ||
            codec->transport_cc != first->transport_cc)
            return false;
    }
    return line->codec_count > 1;
}

static void write_codec(struct output *o, const struct tdm_codec_desc *codec, bool with_feedback)
{
    char type[4];

    (void)snprintf(type, sizeof type, "%u", codec->payload_type & 127u);
    if (codec->name[0]) {
        put(o, "a=rtpmap:%s %s/%u", type, codec->name, (unsigned)codec->clock_hz);
        if (codec->channels > 1)
            put(o, "/%u", codec->channels);
        put(o, "\r\n");
    }
    if (codec->fmtp[0])
        put(o, "a=fmtp:%s %s\r\n", type, codec->fmtp);
    if (with_feedback)
        write_feedback(o, type, codec);
    if (codec->rtx_type)
        put(o, "a=rtpmap:%u rtx/%u\r\na=fmtp:%u apt=%s\r\n", codec->rtx_type & 127u,
            (unsigned)codec->clock_hz, codec->rtx_type & 127u, type);
    if (codec->red_type) {
        put(o, "a=rtpmap:%u red/%u", codec->red_type & 127u, (unsigned)codec->clock_hz);
        if (codec->channels > 1)
            put(o, "/%u", codec->channels);
        put(o, "\r\na=fmtp:%u %s/%s\r\n", codec->red_type & 127u, type, type);
    }
}

static const char *proto_name(const struct tdm_media_line *line)
{
    switch (line->proto) {
    case TDM_PROTO_SDES:
        return line->avpf ? "RTP/SAVPF" : "RTP/SAVP";
    case TDM_PROTO_DTLS:
        return line->avpf ? "UDP/TLS/RTP/SAVPF" : "UDP/TLS/RTP/SAVP";
    case TDM_PROTO_CHANNEL:
        return "TCP/TLS/tandem";
    default:
        return line->avpf ? "RTP/AVPF" : "RTP/AVP";
    }
}

/* What all lines that stand say alike stands once, above them: an INVITE has little room. */
struct common {
    const struct tdm_transport_desc *fingerprints; /* NULL: each line has its own, or none. */
    bool ice, lite, trickle;
};

static bool same_fingerprints(const struct tdm_transport_desc *a,
                              const struct tdm_transport_desc *b)
{
    bool same = a->fingerprint_count == b->fingerprint_count;

    for (unsigned i = 0; same && i < a->fingerprint_count; i++)
        same = a->fingerprints[i].size == b->fingerprints[i].size &&
               memcmp(a->fingerprints[i].bytes, b->fingerprints[i].bytes,
                      a->fingerprints[i].size) == 0;
    return same;
}

static struct common common_of(const struct tdm_media_desc *desc)
{
    struct common c = {.fingerprints = NULL};
    bool same = true;

    for (unsigned i = 0; i < desc->media_count; i++) {
        const struct tdm_media_line *line = &desc->media[i];

        if (line->other || (!line->port && !line->bundle_only))
            continue;
        c.ice |= line->transport.ice_ufrag[0] != '\0';
        c.lite |= line->transport.ice_lite;
        c.trickle |= line->transport.ice_trickle;
        same &= !c.fingerprints || same_fingerprints(c.fingerprints, &line->transport);
        c.fingerprints = &line->transport;
    }
    if (!same || (c.fingerprints && !c.fingerprints->fingerprint_count))
        c.fingerprints = NULL;
    return c;
}

static void write_fingerprints(struct output *o, const struct tdm_transport_desc *t)
{
    char text[TDM_SDP_ATTRIBUTE_MAX];

    for (unsigned i = 0; i < t->fingerprint_count; i++) {
        tdm_sdp_fingerprint_text(&t->fingerprints[i], text);
        put(o, "%s", text);
    }
}

static void write_common(struct output *o, const struct common *c,
                         const struct tdm_media_desc *desc)
{
    bool any = false;

    for (unsigned place = 1; place <= TDM_DESC_MEDIA_MAX; place++)
        for (unsigned i = 0; i < desc->media_count; i++) {
            if (desc->media[i].bundle != place || !desc->media[i].mid[0])
                continue;
            put(o, any ? " %s" : "a=group:BUNDLE %s", desc->media[i].mid);
            any = true;
        }
    if (any)
        put(o, "\r\n");
    if (c->lite)
        put(o, "a=ice-lite\r\n");
    if (c->ice)
        put(o, "a=ice-options:ice2%s\r\n", c->trickle ? " trickle" : "");
    if (c->fingerprints)
        write_fingerprints(o, c->fingerprints);
}

static void write_transport(struct output *o, const struct tdm_transport_desc *t,
                            const struct common *c)
{
    char text[TDM_SDP_ATTRIBUTE_MAX];

    if (t->ice_ufrag[0])
        put(o, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", t->ice_ufrag, t->ice_pwd);
    if (!c->fingerprints)
        write_fingerprints(o, t);
    if (t->setup != TDM_SETUP_NONE)
        put(o, "a=setup:%s\r\n", tdm_sdp_setup_name(t->setup));
    for (unsigned i = 0; i < t->crypto_count; i++) {
        tdm_sdp_crypto_text(&t->cryptos[i], text);
        put(o, "%s", text);
    }
    for (unsigned i = 0; i < t->candidate_count; i++) {
        tdm_sdp_candidate_text(&t->candidates[i], text);
        put(o, "%s", text);
    }
    if (t->end_of_candidates)
        put(o, "a=end-of-candidates\r\n");
}

static void write_connection(struct output *o, const struct tdm_media_desc *desc,
                             const struct tdm_media_line *line)
{
    if (line->address[0] && strcmp(line->address, desc->address) != 0)
        put(o, "c=IN %s %s\r\n", address_type(line->address), line->address);
}

/* RFC 4145, RFC 8122. */
static void write_channel(struct output *o, const struct tdm_media_desc *desc,
                          const struct tdm_media_line *line, const struct common *c)
{
    put(o, "m=application %u %s *\r\n", line->port, proto_name(line));
    if (line->port) {
        write_connection(o, desc, line);
        write_transport(o, &line->transport, c);
        put(o, "a=connection:%s\r\n", line->transport.connection_existing ? "existing" : "new");
    }
    if (line->mid[0])
        put(o, "a=mid:%s\r\n", line->mid);
}

/* "application UDP/BFCP *" becomes "m=application 0 UDP/BFCP *" (RFC 3264 section 6). */
static void write_other(struct output *o, const struct tdm_media_line *line)
{
    struct tdm_text text = tdm_text_of_string(line->other_text);
    struct tdm_text media = tdm_text_word(&text);

    put(o, "m=%.*s 0 %.*s\r\n", (int)tdm_text_size(media), media.at, (int)tdm_text_size(text),
        text.at);
    if (line->mid[0])
        put(o, "a=mid:%s\r\n", line->mid);
}

static void write_codecs(struct output *o, const struct tdm_media_line *line)
{
    bool common = feedback_is_common(line);

    for (unsigned i = 0; i < line->codec_count; i++)
        write_codec(o, &line->codecs[i], !common);
    if (common)
        write_feedback(o, "*", &line->codecs[0]);
    if (line->parity_type && line->codec_count)
        put(o, "a=rtpmap:%u " TDM_PARITY_NAME "/%u\r\n", line->parity_type,
            (unsigned)line->codecs[0].clock_hz);
    if (line->ulpfec_type && line->codec_count) {
        unsigned hz = line->codecs[0].clock_hz;

        put(o, "a=rtpmap:%u red/%u\r\na=rtpmap:%u ulpfec/%u\r\n", line->ulpfec_red_type, hz,
            line->ulpfec_type, hz);
        if (line->ulpfec_rtx_type)
            put(o, "a=rtpmap:%u rtx/%u\r\na=fmtp:%u apt=%u\r\n", line->ulpfec_rtx_type, hz,
                line->ulpfec_rtx_type, line->ulpfec_red_type);
    }
    if (line->ccfb)
        put(o, "a=rtcp-fb:* ack ccfb\r\n");
    if (line->rtcp_rsize)
        put(o, "a=rtcp-rsize\r\n");
}

static void write_head(struct output *o, const struct tdm_media_line *line)
{
    put(o, "m=%s %u %s", line->kind == TDM_AUDIO ? "audio" : "video", line->port, proto_name(line));
    for (unsigned i = 0; i < line->codec_count; i++) {
        put(o, " %u", line->codecs[i].payload_type);
        if (line->codecs[i].rtx_type)
            put(o, " %u", line->codecs[i].rtx_type);
        if (line->codecs[i].red_type)
            put(o, " %u", line->codecs[i].red_type);
    }
    if (line->parity_type && line->codec_count)
        put(o, " %u", line->parity_type);
    if (line->ulpfec_type && line->codec_count)
        put(o, " %u %u", line->ulpfec_red_type, line->ulpfec_type);
    if (line->ulpfec_rtx_type && line->codec_count)
        put(o, " %u", line->ulpfec_rtx_type);
    put(o, line->codec_count ? "\r\n" : " 0\r\n");
}

static void write_line(struct output *o, const struct tdm_media_desc *desc,
                       const struct tdm_media_line *line, const struct common *c)
{
    write_head(o, line);
    write_connection(o, desc, line);
    if (line->bandwidth_bps)
        put(o, "b=AS:%u\r\nb=TIAS:%u\r\n", (unsigned)((line->bandwidth_bps - 1) / 1000 + 1),
            (unsigned)line->bandwidth_bps);
    write_codecs(o, line);
    if (line->port && line->rtcp_port && line->rtcp_port != line->port + 1)
        put(o, "a=rtcp:%u\r\n", line->rtcp_port);
    if (line->rtcp_mux)
        put(o, "a=rtcp-mux\r\n");
    if (line->rtcp_mux_only)
        put(o, "a=rtcp-mux-only\r\n");
    for (unsigned i = 0; i < line->ext_count; i++)
        put(o, "a=extmap:%u %s\r\n", line->exts[i].id, line->exts[i].uri);
    if (line->ptime_ms)
        put(o, "a=ptime:%u\r\n", line->ptime_ms);
    if (line->max_ptime_ms)
        put(o, "a=maxptime:%u\r\n", line->max_ptime_ms);
    if (line->framerate)
        put(o, "a=framerate:%u\r\n", line->framerate);
    if (line->mid[0])
        put(o, "a=mid:%s\r\n", line->mid);
    if (line->bundle_only)
        put(o, "a=bundle-only\r\n");
    put(o, "a=%s\r\n", direction_name(line->direction));
    if (line->port || line->bundle_only)
        write_transport(o, &line->transport, c);
}

enum tdm_err tdm_sdp_write(const struct tdm_media_desc *desc, char *text, size_t capacity,
                           size_t *size)
{
    struct output o = {.text = text, .capacity = capacity, .ok = true};
    const struct common c = common_of(desc);
    const char *address = desc->address[0] ? desc->address : "0.0.0.0";

    put(&o, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
        (unsigned long long)desc->session_id, (unsigned long long)desc->session_version,
        address_type(address), address, address_type(address), address);
    write_common(&o, &c, desc);
    for (unsigned i = 0; i < desc->media_count; i++) {
        const struct tdm_media_line *line = &desc->media[i];

        if (line->other)
            write_other(&o, line);
        else if (line->proto == TDM_PROTO_CHANNEL)
            write_channel(&o, desc, line, &c);
        else
            write_line(&o, desc, line, &c);
    }
    *size = o.ok ? o.size : 0;
    return o.ok ? TDM_OK : TDM_E_SPACE;
}
