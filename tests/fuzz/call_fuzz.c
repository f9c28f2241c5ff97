/* SPDX-License-Identifier: MIT */
/*
 * Bytes become inputs and time deltas for one call machine, bodies included: no crash, no state
 * without an end, every command fits its state. A record is: kind, code, milliseconds / 16, size of
 * the body / 8 (2 bytes: kind of event, size), then the body.
 */
#include "signalling/call.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is allowed to protect the media hangs on the size of the input. */
static void fill(struct tdm_capability *c, size_t size)
{
    memset(c, 0, sizeof *c);
    memcpy(c->address, "10.0.0.7", 9);
    c->plain = (size & 1) != 0;
    c->dtls = c->bundle = c->channel.wanted = (size & 2) != 0;
    c->sdes = (size & 4) != 0;
    c->channel.port = 1503;
    c->channel.transport.fingerprint_count = 1;
    c->channel.transport.fingerprints[0].size = 32;
    memcpy(c->channel.transport.fingerprints[0].hash, "sha-256", 8);
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_OPUS, 96, 48000, 2, "useinbandfec=1");
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_PCMU, 0, 8000, 1, NULL);
    tdm_capability_add(c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 101, 48000, 1, "0-16");
    tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_H264, 97, 90000, 1,
                       "profile-level-id=42e01f;packetization-mode=1");
    tdm_capability_add(c, TDM_VIDEO, TDM_CODEC_VP8, 98, 90000, 1, NULL);
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        c->media[kind].wanted = c->media[kind].rtcp_mux = true;
        c->media[kind].direction = TDM_SENDRECV;
        c->media[kind].port = 7000;

        struct tdm_transport_desc *t = &c->media[kind].transport;

        *t = c->channel.transport;
        memcpy(t->ice_ufrag, "abcd", 5);
        memcpy(t->ice_pwd, "0123456789abcdefghijkl", 23);
        memcpy(c->media[kind].spare.ufrag, "efgh", 5);
        memcpy(c->media[kind].spare.pwd, "123456789abcdefghijklm", 23);
        t->crypto_count = 1;
        t->cryptos[0].profile = TDM_SRTP_AES_CM_128_HMAC_SHA1_80;
        t->cryptos[0].key_size = 30;
    }
}

static void check(const struct tdm_call_machine *m, const struct tdm_call_out *out, tdm_time now)
{
    bool waits = m->state != TDM_CALL_IDLE && m->state != TDM_CALL_ENDED &&
                 (m->state != TDM_CALL_UP || m->reoffering);

    if ((waits && out->wake_at == TDM_NEVER) || out->body_size > sizeof out->body ||
        (m->state == TDM_CALL_ENDED && m->end == TDM_END_NONE) ||
        (out->command == TDM_CALL_DO_OFFER && (!out->body_size || m->state != TDM_CALL_UP)) ||
        (out->command == TDM_CALL_DO_ANSWER && !out->body_size && out->code < 300) ||
        (out->command == TDM_CALL_DO_REJECT && out->code < 300))
        abort();
    (void)now;
}

static size_t take_input(const uint8_t *data, size_t size, struct tdm_call_in *in,
                         struct tdm_sig_event *event)
{
    static const enum tdm_sig_kind kinds[] = {
        TDM_SIG_CALL_IN, TDM_SIG_RINGING, TDM_SIG_ACCEPTED,      TDM_SIG_CONFIRMED,
        TDM_SIG_OFFER,   TDM_SIG_ANSWER,  TDM_SIG_OFFER_REFUSED, TDM_SIG_REFUSED,
        TDM_SIG_ENDED,   TDM_SIG_FAILED,  TDM_SIG_INVITED_BACK,  TDM_SIG_BACK_AGREED,
    };
    static const uint16_t codes[] = {0, 180, 200, 400, 408, 481, 486, 488, 491, 500, 603};

    memset(in, 0, sizeof *in);
    memset(event, 0, offsetof(struct tdm_sig_event, body));
    in->kind = (enum tdm_call_input)(data[0] % (TDM_CALL_EVENT + 6));
    if (in->kind > TDM_CALL_EVENT)
        in->kind = TDM_CALL_EVENT;
    in->code = event->code = codes[data[1] % (sizeof codes / sizeof *codes)];
    in->media = data[1] & 0x80 ? TDM_VIDEO : TDM_AUDIO;
    in->uri = "sip:bob@example.org";
    in->service = data[1] & 0x40 ? "sip:service.example.org" : NULL;
    in->callback = "192.0.2.1:5060";
    in->digit = '5';
    in->event = event;
    event->kind = kinds[data[3] % (sizeof kinds / sizeof *kinds)];
    event->id = 1;
    memcpy(event->to, "sip:back-", 10);

    size_t body = (size_t)data[4] * 8;

    if (body > size - 5)
        body = size - 5;
    event->body_size = (uint32_t)body;
    memcpy(event->body, data + 5, body);
    return in->kind == TDM_CALL_EVENT ? 5 + body : 5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_call_machine *m = malloc(sizeof *m);
    struct tdm_call_out *out = calloc(1, sizeof *out);
    struct tdm_sig_event *event = malloc(sizeof *event);
    struct tdm_capability capability;
    tdm_time now = 0;

    if (!m || !out || !event)
        abort();
    fill(&capability, size);
    tdm_call_init(m, &capability, size);
    while (size >= 5) {
        struct tdm_call_in in;

        now += (tdm_time)data[2] * 16 * TDM_MS;

        size_t used = take_input(data, size, &in, event);

        in.capability = &capability;
        tdm_call_step(m, now, data[0] == 255 ? NULL : &in, out);
        check(m, out, now);
        data += used;
        size -= used;
    }
    /* Left alone, every call that is not up comes to its end. */
    for (int i = 0; i < 100 && out->wake_at != TDM_NEVER && m->state != TDM_CALL_IDLE; i++) {
        now = out->wake_at > now ? out->wake_at : now;
        tdm_call_step(m, now, NULL, out);
        check(m, out, now);
    }
    if (m->state != TDM_CALL_IDLE && m->state != TDM_CALL_ENDED &&
        (m->state != TDM_CALL_UP || m->reoffering))
        abort();
    free(event);
    free(out);
    free(m);
    return 0;
}
