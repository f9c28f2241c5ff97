/* SPDX-License-Identifier: MIT */
#include "signalling/sdp.h"

#include "signalling/text.h"

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
    if (codec->remb)
        put(o, "a=rtcp-fb:%s goog-remb\r\n", types);
}

/* Said once instead of for each of several codecs, so that an INVITE with all of them still fits
 * into a datagram (RFC 3261 section 18.1.1: 1300 bytes). */
static bool feedback_is_common(const struct tdm_media_line *line)
{
    const struct tdm_codec_desc *first = &line->codecs[0];

    for (unsigned i = 1; i < line->codec_count; i++) {
        const struct tdm_codec_desc *codec = &line->codecs[i];

        if (codec->nack != first->nack || codec->pli != first->pli || codec->fir != first->fir ||
            codec->remb != first->remb)
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

static void write_line(struct output *o, const struct tdm_media_desc *desc,
                       const struct tdm_media_line *line)
{
    put(o, "m=%s %u RTP/%s", line->kind == TDM_AUDIO ? "audio" : "video", line->port,
        line->avpf ? "AVPF" : "AVP");
    for (unsigned i = 0; i < line->codec_count; i++)
        put(o, " %u", line->codecs[i].payload_type);
    put(o, line->codec_count ? "\r\n" : " 0\r\n");
    if (line->address[0] && strcmp(line->address, desc->address) != 0)
        put(o, "c=IN %s %s\r\n", address_type(line->address), line->address);
    if (line->bandwidth_bps)
        put(o, "b=AS:%u\r\nb=TIAS:%u\r\n", (unsigned)((line->bandwidth_bps - 1) / 1000 + 1),
            (unsigned)line->bandwidth_bps);
    bool common = feedback_is_common(line);

    for (unsigned i = 0; i < line->codec_count; i++)
        write_codec(o, &line->codecs[i], !common);
    if (common)
        write_feedback(o, "*", &line->codecs[0]);
    if (line->port && line->rtcp_port && line->rtcp_port != line->port + 1)
        put(o, "a=rtcp:%u\r\n", line->rtcp_port);
    if (line->rtcp_mux)
        put(o, "a=rtcp-mux\r\n");
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
    put(o, "a=%s\r\n", direction_name(line->direction));
}

enum tdm_err tdm_sdp_write(const struct tdm_media_desc *desc, char *text, size_t capacity,
                           size_t *size)
{
    struct output o = {.text = text, .capacity = capacity, .ok = true};
    const char *address = desc->address[0] ? desc->address : "0.0.0.0";

    put(&o, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
        (unsigned long long)desc->session_id, (unsigned long long)desc->session_version,
        address_type(address), address, address_type(address), address);
    for (unsigned i = 0; i < desc->media_count; i++) {
        if (desc->media[i].other)
            write_other(&o, &desc->media[i]);
        else
            write_line(&o, desc, &desc->media[i]);
    }
    *size = o.ok ? o.size : 0;
    return o.ok ? TDM_OK : TDM_E_SPACE;
}
