/* SPDX-License-Identifier: MIT */
#include "signalling/sdp.h"

#include "signalling/sdp_transport.h"

#include <stdio.h>

#define FORMATS_MAX                                                                                \
    64 /* Of one line while it is read: with the RTX types, which go into codecs.                  \
        */

/* What the session level says and the lines below inherit. */
struct session {
    char connection[64];
    enum tdm_direction direction;
    uint32_t bandwidth_bps;
    struct tdm_codec_desc feedback; /* rtcp-fb:* before the first m= line, as linphone writes it. */
    uint8_t ext_count;
    struct tdm_ext_desc exts[TDM_DESC_EXT_MAX];
    struct tdm_transport_desc transport;
    struct tdm_text bundle; /* The mids of the first a=group:BUNDLE. */
};

struct parser {
    struct tdm_media_desc *desc;
    struct tdm_media_line *line; /* NULL at session level. */
    unsigned format_count;       /* Of the line. */
    struct tdm_codec_desc formats[FORMATS_MAX];
    struct session session;
    bool direction_said, tias_said, origin_said;
    unsigned line_number;
    struct tdm_text whole; /* The line being read, for the cause. */
    struct tdm_cause *cause;
};

static enum tdm_err refuse(struct parser *p, const char *why)
{
    char shown[49];
    size_t size = tdm_text_size(p->whole);

    if (size >= sizeof shown)
        size = sizeof shown - 1;
    for (size_t i = 0; i < size; i++)
        shown[i] = p->whole.at[i] >= ' ' && p->whole.at[i] <= '~' ? p->whole.at[i] : '?';
    shown[size] = '\0';
    return tdm_fail(p->cause, TDM_E_MALFORMED, "SDP line %u (\"%s\"): %s", p->line_number, shown,
                    why);
}

static bool address_ok(struct tdm_text address)
{
    for (const char *at = address.at; at < address.end; at++) {
        char c = tdm_text_lower(*at);
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".:-_%", c);

        if (!good || !c)
            return false;
    }
    return address.at < address.end;
}

/* "IN IP4 10.0.0.7/127", RFC 8866 section 5.7; the TTL is dropped. */
static bool parse_address(struct tdm_text text, char *to, size_t capacity)
{
    struct tdm_text net = tdm_text_word(&text);
    struct tdm_text type = tdm_text_word(&text);
    struct tdm_text rest = tdm_text_word(&text);
    struct tdm_text address = tdm_text_until(&rest, '/');
    bool known = tdm_text_equals(type, "IP4") || tdm_text_equals(type, "IP6");

    return tdm_text_equals(net, "IN") && known && address_ok(address) &&
           tdm_text_copy(address, to, capacity);
}

static enum tdm_err parse_origin(struct parser *p, struct tdm_text value)
{
    (void)tdm_text_word(&value);

    struct tdm_text id = tdm_text_word(&value);
    struct tdm_text version = tdm_text_word(&value);

    if (!tdm_text_number(&id, UINT64_MAX, &p->desc->session_id) || id.at < id.end ||
        !tdm_text_number(&version, UINT64_MAX, &p->desc->session_version) ||
        version.at < version.end)
        return refuse(p, "the session id and version are not numbers");
    if (!parse_address(value, p->desc->address, sizeof p->desc->address))
        return refuse(p, "there is no address");
    p->origin_said = true;
    return TDM_OK;
}

static enum tdm_err parse_connection(struct parser *p, struct tdm_text value)
{
    char *to = p->line ? p->line->address : p->session.connection;

    if (!parse_address(value, to, sizeof p->session.connection))
        return refuse(p, "there is no address");
    return TDM_OK;
}

/* RFC 8866 section 5.8 (AS, kbit/s) and RFC 3890 (TIAS, bit/s), which wins. */
static void parse_bandwidth(struct parser *p, struct tdm_text value)
{
    struct tdm_text type = tdm_text_trim(tdm_text_until(&value, ':'));
    uint32_t *to = p->line ? &p->line->bandwidth_bps : &p->session.bandwidth_bps;
    uint64_t number;

    value = tdm_text_trim(value);
    if (!tdm_text_number(&value, UINT64_MAX, &number))
        return;
    if (tdm_text_equals(type, "TIAS")) {
        *to = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
        p->tias_said = true;
    } else if (tdm_text_equals(type, "AS") && !p->tias_said) {
        *to = number > UINT32_MAX / 1000 ? UINT32_MAX : (uint32_t)number * 1000;
    }
}

static struct tdm_codec_desc *codec_of(struct parser *p, uint64_t payload_type)
{
    for (unsigned i = 0; i < p->format_count; i++)
        if (p->formats[i].payload_type == payload_type)
            return &p->formats[i];
    return NULL;
}

/* The first one of an id counts. */
static void add_ext(struct tdm_ext_desc *exts, uint8_t *count, const struct tdm_ext_desc *ext)
{
    for (unsigned i = 0; i < *count; i++)
        if (exts[i].id == ext->id)
            return;
    if (*count < TDM_DESC_EXT_MAX)
        exts[(*count)++] = *ext;
}

/* RFC 4588 section 8.1: "rtx" with apt=N carries the repeats of N. */
static bool take_rtx(struct parser *p, const struct tdm_codec_desc *format)
{
    char apt[8];
    uint64_t type;

    if (!tdm_text_equals(tdm_text_of_string(format->name), "rtx"))
        return false;
    if (!tdm_sdp_fmtp_value(format->fmtp, "apt", apt, sizeof apt))
        return true;

    struct tdm_text text = tdm_text_of_string(apt);
    struct tdm_codec_desc *codec = tdm_text_number(&text, 127, &type) ? codec_of(p, type) : NULL;

    if (codec && codec->clock_hz && !codec->rtx_type && codec != format)
        codec->rtx_type = format->payload_type;
    return true;
}

/* RFC 2198 section 5: "red" with N/N carries N and copies of it. */
static bool take_red(struct parser *p, const struct tdm_codec_desc *format)
{
    struct tdm_text text = tdm_text_of_string(format->fmtp);
    uint64_t type;

    if (p->line->kind != TDM_AUDIO || !format->fmtp[0] ||
        !tdm_text_equals(tdm_text_of_string(format->name), "red"))
        return false;

    struct tdm_text first = tdm_text_trim(tdm_text_until(&text, '/'));
    struct tdm_codec_desc *codec = tdm_text_number(&first, 127, &type) ? codec_of(p, type) : NULL;

    if (codec && codec != format && !codec->red_type && codec->clock_hz == format->clock_hz)
        codec->red_type = format->payload_type;
    return true;
}

/* Repairs over a window of the line's packets (docs/repair.md). The first one counts. */
static bool take_parity(struct parser *p, const struct tdm_codec_desc *format)
{
    if (!tdm_text_equals(tdm_text_of_string(format->name), TDM_PARITY_NAME))
        return false;
    if (!p->line->parity_type)
        p->line->parity_type = format->payload_type;
    return true;
}

static bool is_named(const struct tdm_codec_desc *format, const char *name)
{
    return tdm_text_equals(tdm_text_of_string(format->name), name);
}

/* RFC 5109 section 14: "red" without parameters wraps what "ulpfec" repairs, as browsers write it.
 * One is of no use without the other; the first of each counts. */
static void find_ulpfec(struct parser *p)
{
    struct tdm_media_line *line = p->line;
    char apt[8];
    uint64_t type;

    for (unsigned i = 0; i < p->format_count && line->kind == TDM_VIDEO; i++) {
        const struct tdm_codec_desc *format = &p->formats[i];

        if (is_named(format, "red") && !line->ulpfec_red_type)
            line->ulpfec_red_type = format->payload_type;
        else if (is_named(format, "ulpfec") && !line->ulpfec_type)
            line->ulpfec_type = format->payload_type;
    }
    if (!line->ulpfec_red_type || !line->ulpfec_type)
        line->ulpfec_red_type = line->ulpfec_type = 0;
    for (unsigned i = 0; i < p->format_count && line->ulpfec_type; i++) {
        if (!is_named(&p->formats[i], "rtx") ||
            !tdm_sdp_fmtp_value(p->formats[i].fmtp, "apt", apt, sizeof apt))
            continue;

        struct tdm_text text = tdm_text_of_string(apt);

        if (tdm_text_number(&text, 127, &type) && type == line->ulpfec_red_type &&
            !line->ulpfec_rtx_type)
            line->ulpfec_rtx_type = p->formats[i].payload_type;
    }
}

static bool is_ulpfec(const struct parser *p, const struct tdm_codec_desc *format)
{
    const struct tdm_media_line *line = p->line;

    return line->ulpfec_type &&
           (format->payload_type == line->ulpfec_type ||
            format->payload_type == line->ulpfec_red_type ||
            (line->ulpfec_rtx_type && format->payload_type == line->ulpfec_rtx_type));
}

/* The formats become the line's codecs; of too many, those go that we do not know. */
static void take_formats(struct parser *p)
{
    struct tdm_media_line *line = p->line;
    unsigned kept = 0, known_left = 0;

    find_ulpfec(p);
    for (unsigned i = 0; i < p->format_count; i++)
        if (!is_ulpfec(p, &p->formats[i]) && !take_rtx(p, &p->formats[i]) &&
            !take_red(p, &p->formats[i]) && !take_parity(p, &p->formats[i]))
            p->formats[kept++] = p->formats[i];
    /* A line of RTX, RED or repairs alone keeps a format to be refused by. */
    if (!kept && p->format_count) {
        line->parity_type = 0;
        line->ulpfec_type = line->ulpfec_red_type = line->ulpfec_rtx_type = 0;
        kept = 1;
    }
    for (unsigned i = 0; i < kept; i++)
        known_left += p->formats[i].id != TDM_CODEC_NONE;
    for (unsigned i = 0; i < kept && line->codec_count < TDM_DESC_CODECS_MAX; i++) {
        bool known = p->formats[i].id != TDM_CODEC_NONE;

        known_left -= known;
        if (known || line->codec_count + known_left < TDM_DESC_CODECS_MAX)
            line->codecs[line->codec_count++] = p->formats[i];
    }
}

static void finish_media(struct parser *p)
{
    struct tdm_media_line *line = p->line;

    take_formats(p);
    if (!line->bandwidth_bps)
        line->bandwidth_bps = p->session.bandwidth_bps;
    if (!line->rtcp_port && line->port && line->port < UINT16_MAX)
        line->rtcp_port = (uint16_t)(line->port + 1);
    if (line->max_ptime_ms &&
        (line->ptime_ms > line->max_ptime_ms || (!line->ptime_ms && line->max_ptime_ms < 20)))
        line->ptime_ms = line->max_ptime_ms;
    for (unsigned i = 0; i < line->codec_count; i++) {
        struct tdm_codec_desc *codec = &line->codecs[i];

        codec->nack |= p->session.feedback.nack;
        codec->pli |= p->session.feedback.pli;
        codec->fir |= p->session.feedback.fir;
        codec->tmmbr |= p->session.feedback.tmmbr;
        codec->remb |= p->session.feedback.remb;
        codec->transport_cc |= p->session.feedback.transport_cc;
    }
    for (unsigned i = 0; i < p->session.ext_count; i++)
        add_ext(line->exts, &line->ext_count, &p->session.exts[i]);
}

/* What the session level said goes into the line, and a=maxptime into ptime, when it is over. */
static void finish_line(struct parser *p)
{
    struct tdm_media_line *line = p->line;

    if (!line || line->other)
        return;
    tdm_sdp_inherit_transport(&line->transport, &p->session.transport);
    if (!p->direction_said)
        line->direction = p->session.direction;
    if (!line->address[0])
        (void)snprintf(line->address, sizeof line->address, "%s",
                       p->session.connection[0] ? p->session.connection : p->desc->address);
    if (line->proto != TDM_PROTO_CHANNEL)
        finish_media(p);
}

static enum tdm_err parse_formats(struct parser *p, struct tdm_text formats)
{
    for (;;) {
        struct tdm_text format = tdm_text_word(&formats);
        uint64_t payload_type;

        if (format.at == format.end)
            return TDM_OK;
        if (!tdm_text_number(&format, 127, &payload_type) || format.at < format.end)
            return refuse(p, "a payload type is not a number from 0 to 127");
        if (p->format_count == FORMATS_MAX || codec_of(p, payload_type))
            continue;

        struct tdm_codec_desc *codec = &p->formats[p->format_count++];

        memset(codec, 0, sizeof *codec);
        codec->payload_type = (uint8_t)payload_type;
        (void)tdm_sdp_static_codec(p->line->kind, codec);
    }
}

/* Words of a line that we refuse but must keep in place: as many whole words as fit. */
static void keep_other(struct tdm_media_line *line, struct tdm_text media, struct tdm_text rest)
{
    size_t used = 0, words = 0;

    line->other = true;
    for (struct tdm_text word = media; word.at < word.end; word = tdm_text_word(&rest)) {
        size_t size = tdm_text_size(word);

        if (used + size + 2 > sizeof line->other_text)
            break;
        if (used)
            line->other_text[used++] = ' ';
        memcpy(line->other_text + used, word.at, size);
        used += size;
        words++;
    }
    line->other_text[used] = '\0';
    if (words == 2)
        memcpy(line->other_text + used, " 0", sizeof " 0"); /* Its first format is too long. */
}

/* What a line of ours may travel by; anything else is kept in place and refused. */
static bool take_proto(struct tdm_media_line *line, struct tdm_text media, struct tdm_text proto)
{
    static const struct {
        const char *name;
        enum tdm_proto proto;
        bool avpf;
    } protos[] = {
        {"RTP/AVP", TDM_PROTO_RTP, false},           {"RTP/AVPF", TDM_PROTO_RTP, true},
        {"RTP/SAVP", TDM_PROTO_SDES, false},         {"RTP/SAVPF", TDM_PROTO_SDES, true},
        {"UDP/TLS/RTP/SAVP", TDM_PROTO_DTLS, false}, {"UDP/TLS/RTP/SAVPF", TDM_PROTO_DTLS, true},
    };
    bool video = tdm_text_equals(media, "video");

    line->kind = video ? TDM_VIDEO : TDM_AUDIO;
    line->proto = TDM_PROTO_CHANNEL;
    if (tdm_text_equals(media, "application"))
        return tdm_text_equals(proto, "TCP/TLS/tandem");
    line->proto = TDM_PROTO_RTP;
    for (size_t i = 0; i < sizeof protos / sizeof *protos; i++) {
        if (!tdm_text_equals(proto, protos[i].name))
            continue;
        line->proto = protos[i].proto;
        line->avpf = protos[i].avpf;
        return video || tdm_text_equals(media, "audio");
    }
    return false;
}

/* m=<media> <port>[/count] <proto> <fmt>..., RFC 8866 section 5.14. */
static enum tdm_err parse_media(struct parser *p, struct tdm_text value)
{
    struct tdm_text media = tdm_text_word(&value);
    struct tdm_text port = tdm_text_word(&value);
    struct tdm_text rest = value;
    struct tdm_text proto = tdm_text_word(&value);
    uint64_t number;

    finish_line(p);
    if (p->desc->media_count == TDM_DESC_MEDIA_MAX)
        return tdm_fail(p->cause, TDM_E_UNSUPPORTED,
                        "the other side describes more than %d media lines; Tandem takes that many "
                        "at most",
                        TDM_DESC_MEDIA_MAX);
    if (!tdm_text_number(&port, UINT16_MAX, &number) || (port.at < port.end && *port.at != '/'))
        return refuse(p, "the port is not a number from 0 to 65535");
    if (proto.at == proto.end || tdm_text_trim(value).at == value.end)
        return refuse(p, "the transport or the list of formats is missing");
    if (tdm_text_size(media) > 24 || tdm_text_size(proto) > 30)
        return refuse(p, "the name of the media or transport is too long");

    p->line = &p->desc->media[p->desc->media_count++];
    p->direction_said = p->tias_said = false;
    p->line->port = (uint16_t)number;
    p->line->direction = TDM_SENDRECV;
    p->format_count = 0;
    if (take_proto(p->line, media, proto))
        return p->line->proto == TDM_PROTO_CHANNEL ? TDM_OK : parse_formats(p, value);
    p->line->direction = TDM_INACTIVE;
    p->line->proto = TDM_PROTO_RTP;
    p->line->avpf = false;
    keep_other(p->line, media, rest);
    return TDM_OK;
}

/* a=rtpmap:<pt> <name>/<clock>[/<channels>], RFC 8866 section 6.6. */
static enum tdm_err parse_rtpmap(struct parser *p, struct tdm_text value)
{
    struct tdm_text type = tdm_text_word(&value);
    struct tdm_text name = tdm_text_until(&value, '/');
    struct tdm_text clock = tdm_text_trim(tdm_text_until(&value, '/'));
    uint64_t payload_type, hz, channels = 1;

    if (!tdm_text_number(&type, 127, &payload_type) || type.at < type.end)
        return refuse(p, "the payload type is not a number from 0 to 127");
    if (name.at == name.end || !tdm_text_number(&clock, 1000000000, &hz) || clock.at < clock.end ||
        !hz)
        return refuse(p, "it must be NAME/CLOCK, as in \"opus/48000/2\"");
    value = tdm_text_trim(value);
    if (value.at < value.end && (!tdm_text_number(&value, 255, &channels) || !channels))
        return refuse(p, "the channel count is not a number from 1 to 255");

    struct tdm_codec_desc *codec = codec_of(p, payload_type);

    if (!codec)
        return TDM_OK;
    codec->id = TDM_CODEC_NONE;
    codec->clock_hz = (uint32_t)hz;
    codec->channels = (uint8_t)channels;
    /* Of a name that is too long a part stays: a static type must not mean its default again. */
    if (tdm_text_size(name) >= sizeof codec->name)
        (void)tdm_text_copy(tdm_text_of(name.at, sizeof codec->name - 1), codec->name,
                            sizeof codec->name);
    else if (tdm_text_copy(name, codec->name, sizeof codec->name))
        codec->id = tdm_sdp_codec_id(p->line->kind, codec->name, codec->clock_hz);
    return TDM_OK;
}

static enum tdm_err parse_fmtp(struct parser *p, struct tdm_text value)
{
    struct tdm_text type = tdm_text_word(&value);
    uint64_t payload_type;

    if (!tdm_text_number(&type, 127, &payload_type) || type.at < type.end)
        return refuse(p, "the payload type is not a number from 0 to 127");

    struct tdm_codec_desc *codec = codec_of(p, payload_type);

    value = tdm_text_trim(value);
    while (codec && !tdm_text_copy(value, codec->fmtp, sizeof codec->fmtp)) {
        do
            value.end--;
        while (value.end > value.at && *value.end != ';');
    }
    return TDM_OK;
}

static void set_feedback(struct tdm_codec_desc *codec, struct tdm_text value)
{
    struct tdm_text what = tdm_text_word(&value);
    struct tdm_text how = tdm_text_word(&value);

    if (tdm_text_equals(what, "nack") && how.at == how.end)
        codec->nack = true;
    else if (tdm_text_equals(what, "nack") && tdm_text_equals(how, "pli"))
        codec->pli = true;
    else if (tdm_text_equals(what, "ccm") && tdm_text_equals(how, "fir"))
        codec->fir = true;
    else if (tdm_text_equals(what, "ccm") && tdm_text_equals(how, "tmmbr"))
        codec->tmmbr = true;
    else if (tdm_text_equals(what, "goog-remb"))
        codec->remb = true;
    else if (tdm_text_equals(what, "transport-cc"))
        codec->transport_cc = true;
}

/* RFC 8888 section 6: of all payload types, whichever are named. */
static bool is_ccfb(struct tdm_text value)
{
    struct tdm_text what = tdm_text_word(&value);

    return tdm_text_equals(what, "ack") && tdm_text_equals(tdm_text_word(&value), "ccfb");
}

/* a=rtcp-fb:<pt or *> <what>, RFC 4585 section 4.2. */
static enum tdm_err parse_feedback(struct parser *p, struct tdm_text value)
{
    struct tdm_text type = tdm_text_word(&value);
    uint64_t payload_type;

    if (p->line && is_ccfb(value))
        p->line->ccfb = true;
    if (tdm_text_equals(type, "*")) {
        if (!p->line)
            set_feedback(&p->session.feedback, value);
        for (unsigned i = 0; p->line && i < p->format_count; i++)
            set_feedback(&p->formats[i], value);
        return TDM_OK;
    }
    if (!tdm_text_number(&type, 127, &payload_type) || type.at < type.end)
        return refuse(p, "the payload type is neither * nor a number from 0 to 127");

    struct tdm_codec_desc *codec = p->line ? codec_of(p, payload_type) : NULL;

    if (codec)
        set_feedback(codec, value);
    return TDM_OK;
}

/* a=extmap:<id>[/<direction>] <uri>, RFC 8285 section 8; ids for the two-byte form are left out. */
static enum tdm_err parse_extmap(struct parser *p, struct tdm_text value)
{
    struct tdm_text id = tdm_text_word(&value);
    struct tdm_text uri = tdm_text_word(&value);
    struct tdm_ext_desc ext = {0};
    uint64_t number;

    if (!tdm_text_number(&id, 65535, &number) || (id.at < id.end && *id.at != '/'))
        return refuse(p, "the id is not a number");
    if (uri.at == uri.end)
        return refuse(p, "there is no URI");
    if (number < 1 || number > 14 || !tdm_text_copy(uri, ext.uri, sizeof ext.uri))
        return TDM_OK;
    ext.id = (uint8_t)number;
    if (p->line)
        add_ext(p->line->exts, &p->line->ext_count, &ext);
    else
        add_ext(p->session.exts, &p->session.ext_count, &ext);
    return TDM_OK;
}

static enum tdm_err parse_rtcp(struct parser *p, struct tdm_text value)
{
    struct tdm_text port = tdm_text_word(&value);
    uint64_t number;

    if (!tdm_text_number(&port, UINT16_MAX, &number) || port.at < port.end)
        return refuse(p, "the port is not a number from 0 to 65535");
    p->line->rtcp_port = (uint16_t)number;
    return TDM_OK;
}

/* The whole part, half up, of "30" or "29.97"; 0 when it is no number. */
static uint16_t rounded(struct tdm_text value)
{
    uint64_t number;

    value = tdm_text_trim(value);
    if (!tdm_text_number(&value, 10000, &number))
        return 0;
    if (tdm_text_size(value) > 1 && *value.at == '.' && value.at[1] >= '5' && value.at[1] <= '9')
        number++;
    return (uint16_t)number;
}

static bool parse_direction(struct parser *p, struct tdm_text name)
{
    static const struct {
        const char *name;
        enum tdm_direction direction;
    } names[] = {{"sendrecv", TDM_SENDRECV},
                 {"sendonly", TDM_SENDONLY},
                 {"recvonly", TDM_RECVONLY},
                 {"inactive", TDM_INACTIVE}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!tdm_text_equals(name, names[i].name))
            continue;
        if (p->line)
            p->line->direction = names[i].direction;
        else
            p->session.direction = names[i].direction;
        p->direction_said = true;
        return true;
    }
    return false;
}

static enum tdm_err parse_line_attribute(struct parser *p, struct tdm_text name,
                                         struct tdm_text value)
{
    if (tdm_text_equals(name, "rtpmap"))
        return parse_rtpmap(p, value);
    if (tdm_text_equals(name, "fmtp"))
        return parse_fmtp(p, value);
    if (tdm_text_equals(name, "rtcp"))
        return parse_rtcp(p, value);
    if (tdm_text_equals(name, "rtcp-mux"))
        p->line->rtcp_mux = true;
    else if (tdm_text_equals(name, "rtcp-rsize"))
        p->line->rtcp_rsize = true;
    else if (tdm_text_equals(name, "rtcp-mux-only"))
        p->line->rtcp_mux_only = true;
    else if (tdm_text_equals(name, "bundle-only"))
        p->line->bundle_only = true;
    else if (tdm_text_equals(name, "ptime"))
        p->line->ptime_ms = rounded(value);
    else if (tdm_text_equals(name, "maxptime"))
        p->line->max_ptime_ms = rounded(value);
    else if (tdm_text_equals(name, "framerate"))
        p->line->framerate = rounded(value);
    return TDM_OK;
}

/* The first BUNDLE counts; its mids mean something once all lines are known. */
static void take_group(struct parser *p, struct tdm_text value)
{
    if (tdm_text_equals(tdm_text_word(&value), "BUNDLE") && p->session.bundle.at == NULL)
        p->session.bundle = value;
}

static enum tdm_err take_mid(struct parser *p, struct tdm_text value)
{
    if (!tdm_text_copy(tdm_text_trim(value), p->line->mid, sizeof p->line->mid))
        return TDM_OK;
    for (unsigned i = 0; i + 1u < p->desc->media_count; i++)
        if (p->line->mid[0] && strcmp(p->desc->media[i].mid, p->line->mid) == 0)
            return refuse(p, "another media line has the same a=mid");
    return TDM_OK;
}

/* RFC 8843 section 7. */
static void place_in_bundle(struct parser *p)
{
    struct tdm_text mids = p->session.bundle;
    uint8_t place = 0;

    while (mids.at < mids.end && place < TDM_DESC_MEDIA_MAX) {
        struct tdm_text mid = tdm_text_word(&mids);

        for (unsigned i = 0; i < p->desc->media_count; i++) {
            struct tdm_media_line *line = &p->desc->media[i];

            if (line->mid[0] && !line->bundle && tdm_text_size(mid) == strlen(line->mid) &&
                memcmp(mid.at, line->mid, strlen(line->mid)) == 0)
                line->bundle = ++place;
        }
    }
}

static enum tdm_err parse_attribute(struct parser *p, struct tdm_text value)
{
    struct tdm_text name = tdm_text_trim(tdm_text_until(&value, ':'));

    if (!p->line && tdm_text_equals(name, "group"))
        take_group(p, value);
    if (p->line && tdm_text_equals(name, "mid"))
        return take_mid(p, value);
    if (p->line && p->line->other)
        return TDM_OK;
    if (parse_direction(p, name))
        return TDM_OK;
    switch (tdm_sdp_take_transport(p->line ? &p->line->transport : &p->session.transport,
                                   p->line && p->line->proto == TDM_PROTO_CHANNEL, name, value)) {
    case TDM_SDP_NOT_MINE:
        break;
    case TDM_SDP_TAKEN:
        return TDM_OK;
    default:
        return refuse(p, "it contradicts an earlier line of the same name");
    }
    if (p->line && p->line->proto == TDM_PROTO_CHANNEL)
        return TDM_OK;
    if (tdm_text_equals(name, "rtcp-fb"))
        return parse_feedback(p, value);
    if (tdm_text_equals(name, "extmap"))
        return parse_extmap(p, value);
    return p->line ? parse_line_attribute(p, name, value) : TDM_OK;
}

static enum tdm_err parse_line(struct parser *p, struct tdm_text whole)
{
    struct tdm_text value = tdm_text_of(whole.at + 2, tdm_text_size(whole) - 2);

    for (const char *at = whole.at; at < whole.end; at++)
        if ((unsigned char)*at < ' ' && *at != '\t')
            return refuse(p, "there is a control character");
    if (p->line_number == 1)
        return *whole.at == 'v' && tdm_text_equals(tdm_text_trim(value), "0")
                   ? TDM_OK
                   : refuse(p, "a description begins with v=0");
    switch (*whole.at) {
    case 'o':
        return p->line ? refuse(p, "o= stands before the first m= line") : parse_origin(p, value);
    case 'c':
        return parse_connection(p, value);
    case 'b':
        parse_bandwidth(p, value);
        return TDM_OK;
    case 'm':
        return parse_media(p, value);
    case 'a':
        return parse_attribute(p, value);
    default:
        return TDM_OK;
    }
}

static enum tdm_err parse_all(struct parser *p, struct tdm_text text)
{
    while (text.at < text.end) {
        struct tdm_text whole = tdm_text_until(&text, '\n');
        enum tdm_err err;

        if (whole.at < whole.end && whole.end[-1] == '\r')
            whole.end--;
        p->line_number++;
        p->whole = whole;
        if (whole.at == whole.end && p->line_number > 1)
            continue;
        if (tdm_text_size(whole) < 2 || whole.at[1] != '=')
            return refuse(p, "it is not TYPE=VALUE");
        err = parse_line(p, whole);
        if (err)
            return err;
    }
    finish_line(p);
    place_in_bundle(p);
    if (!p->origin_said)
        return tdm_fail(p->cause, TDM_E_MALFORMED, "the SDP has no o= line");
    if (p->session.connection[0])
        (void)snprintf(p->desc->address, sizeof p->desc->address, "%s", p->session.connection);
    return TDM_OK;
}

enum tdm_err tdm_sdp_parse(const char *text, size_t size, struct tdm_media_desc *desc,
                           struct tdm_cause *cause)
{
    struct parser p = {.desc = desc, .session.direction = TDM_SENDRECV, .cause = cause};

    memset(desc, 0, sizeof *desc);
    if (!size)
        return tdm_fail(cause, TDM_E_MALFORMED, "the SDP is empty");
    if (size > TDM_SDP_MAX)
        return tdm_fail(cause, TDM_E_MALFORMED, "the SDP is over %d bytes", TDM_SDP_MAX);

    enum tdm_err err = parse_all(&p, tdm_text_of(text, size));

    if (err)
        memset(desc, 0, sizeof *desc);
    return err;
}
