/* SPDX-License-Identifier: MIT */
/*
 * A telephone without media for signalling tests against other programs: calls or answers through
 * the real call machine and backend, one line for each thing that happens, and ends by itself.
 *
 *     sip_peer PORT SECONDS answer [CALLS]        answers everything at once
 *     sip_peer PORT SECONDS call URI [WORD...]    calls; WORDs, a second apart once the call is up:
 *                                                 hold resume video novideo dtmf bye
 *
 * Exit code 0 when every call was up and ended in order.
 */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/call_perform.h"
#include "signalling/sip_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 16

struct peer {
    struct tdm_sig *sig;
    struct tdm_call_machine *calls[CALLS_MAX];
    tdm_time wake[CALLS_MAX];
    char **words;
    tdm_time word_at;
    bool answers, was_up[CALLS_MAX];
    int begun, good, ended;
    struct tdm_call_out out;
};

static struct tdm_capability capability(const char *address)
{
    struct tdm_capability c;

    memset(&c, 0, sizeof c);
    c.plain = true;
    (void)snprintf(c.address, sizeof c.address, "%s", address);
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_OPUS, 96, 48000, 2, "useinbandfec=1");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_PCMU, 0, 8000, 1, NULL);
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_PCMA, 8, 8000, 1, NULL);
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 101, 48000, 1, "0-16");
    tdm_capability_add(&c, TDM_AUDIO, TDM_CODEC_TELEPHONE_EVENT, 102, 8000, 1, "0-16");
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_VP8, 97, 90000, 1, NULL);
    tdm_capability_add(&c, TDM_VIDEO, TDM_CODEC_H264, 98, 90000, 1,
                       "profile-level-id=42e01f;packetization-mode=1");
    for (int kind = 0; kind < TDM_MEDIA_KINDS; kind++) {
        c.media[kind].direction = TDM_SENDRECV;
        c.media[kind].port = (uint16_t)(41000 + 2 * kind);
        c.media[kind].wanted = true;
    }
    return c;
}

static void tell(const struct tdm_call_machine *m, const struct tdm_call_out *out)
{
    if (out->state_changed)
        printf("%u %s%s%s%s\n", (unsigned)m->id, tdm_call_state_name(m->state),
               m->held_local ? " held-here" : "", m->held_remote ? " held-there" : "",
               m->reoffering ? " reoffering" : "");
    for (int kind = 0; kind < TDM_MEDIA_KINDS && out->media_changed; kind++) {
        const struct tdm_negotiated_media *media = &m->negotiated.media[kind];

        if (media->active)
            printf("%u %s %s/%u to %s:%u direction %d\n", (unsigned)m->id,
                   kind == TDM_AUDIO ? "audio" : "video", media->send.name,
                   media->send.payload_type, media->remote_address, media->remote_port,
                   (int)media->direction);
    }
    if (m->state == TDM_CALL_ENDED && out->state_changed)
        printf("%u because: %s\n", (unsigned)m->id, m->reason);
    (void)fflush(stdout);
}

static void step(struct peer *p, int i, const struct tdm_call_in *in)
{
    struct tdm_call_machine *m = p->calls[i];
    tdm_time now = tdm_clock_now();

    tdm_call_step(m, now, in, &p->out);
    tell(m, &p->out);
    p->wake[i] = p->out.wake_at;
    tdm_call_perform(m, now, &tdm_sig_libre, p->sig, &p->out);
    if (m->state == TDM_CALL_UP && !p->was_up[i]) {
        p->was_up[i] = true;
        p->word_at = now + TDM_S;
    }
    if (m->state == TDM_CALL_ENDED) {
        p->ended++;
        p->good += p->was_up[i] && (m->end == TDM_END_LOCAL || m->end == TDM_END_REMOTE);
        free(m);
        p->calls[i] = NULL;
    }
}

static int begin(struct peer *p, const char *address)
{
    struct tdm_capability c = capability(address);

    for (int i = 0; i < CALLS_MAX; i++) {
        if (p->calls[i])
            continue;
        p->calls[i] = malloc(sizeof *p->calls[i]);
        if (!p->calls[i])
            abort();
        tdm_call_init(p->calls[i], &c, tdm_entropy_u64());
        p->was_up[i] = false;
        p->wake[i] = TDM_NEVER;
        p->begun++;
        return i;
    }
    return -1;
}

static void on_event(struct peer *p, const struct tdm_sig_event *event)
{
    char address[64];
    int i;

    for (i = 0; i < CALLS_MAX; i++)
        if (p->calls[i] && tdm_call_expects(p->calls[i], event)) {
            step(p, i, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = event});
            return;
        }
    if (event->kind == TDM_SIG_CALL_IN || event->kind == TDM_SIG_INVITED_BACK) {
        if (!p->answers ||
            tdm_sig_local_address(event->peer_address, address, sizeof address, NULL) != TDM_OK ||
            (i = begin(p, address)) < 0) {
            (void)tdm_sig_libre.reject(p->sig, event->id, 486);
            return;
        }
        step(p, i, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = event});
        if (p->calls[i])
            step(p, i, &(struct tdm_call_in){.kind = TDM_CALL_ACCEPT});
        return;
    }
    if (event->kind == TDM_SIG_DTMF_INFO)
        printf("%u digit %c\n", (unsigned)event->id, event->digit);
    for (i = 0; i < CALLS_MAX; i++)
        if (p->calls[i] && p->calls[i]->id == event->id) {
            step(p, i, &(struct tdm_call_in){.kind = TDM_CALL_EVENT, .event = event});
            return;
        }
}

static void say_word(struct peer *p, const char *word)
{
    struct tdm_call_in in = {.media = TDM_VIDEO, .digit = '5'};

    in.kind = strcmp(word, "hold") == 0      ? TDM_CALL_HOLD
              : strcmp(word, "resume") == 0  ? TDM_CALL_RESUME
              : strcmp(word, "video") == 0   ? TDM_CALL_MEDIA_ON
              : strcmp(word, "novideo") == 0 ? TDM_CALL_MEDIA_OFF
              : strcmp(word, "dtmf") == 0    ? TDM_CALL_DTMF_INFO
                                             : TDM_CALL_HANG_UP;
    if (p->calls[0])
        step(p, 0, &in);
}

static void run(struct peer *p, tdm_time until, int calls)
{
    struct tdm_sig_event event;

    while (tdm_clock_now() < until && p->ended < calls) {
        tdm_time wake = until;

        while (tdm_sig_libre.next(p->sig, &event) == TDM_OK)
            on_event(p, &event);
        for (int i = 0; i < CALLS_MAX; i++) {
            if (p->calls[i] && p->wake[i] <= tdm_clock_now())
                step(p, i, NULL);
            if (p->calls[i])
                wake = tdm_time_min(wake, p->wake[i]);
        }
        if (p->words && *p->words && p->was_up[0]) {
            if (p->word_at <= tdm_clock_now()) {
                say_word(p, *p->words++);
                p->word_at = tdm_clock_now() + TDM_S;
            }
            wake = tdm_time_min(wake, p->word_at);
        }
        if (p->ended < calls)
            (void)tdm_wait_until(wake, tdm_sig_libre.fd(p->sig), -1);
    }
}

int main(int argc, char **argv)
{
    static struct peer p;
    struct tdm_cause cause = {""};
    char address[64];
    int calls = 1;

    if (argc < 4) {
        fprintf(stderr, "usage: sip_peer PORT SECONDS answer [CALLS] | call URI [WORD...] |\n"
                        "       through SERVICE CALLBACK URI [WORD...]\n");
        return 2;
    }
    struct tdm_sig_config config = {.port = (uint16_t)strtol(argv[1], NULL, 10),
                                    .may_be_asked_back = true};

    if (tdm_sig_libre.open(&p.sig, &config, &cause) != TDM_OK) {
        fprintf(stderr, "%s\n", cause.text);
        return 1;
    }
    p.answers = strcmp(argv[3], "answer") == 0;
    if (p.answers && argc > 4)
        calls = (int)strtol(argv[4], NULL, 10);

    bool through = strcmp(argv[3], "through") == 0;
    int uri = through ? 6 : 4;

    if (!p.answers && argc > uri) {
        if (tdm_sig_local_address(argv[uri], address, sizeof address, &cause) != TDM_OK) {
            fprintf(stderr, "%s\n", cause.text);
            return 1;
        }
        p.words = argv + uri + 1;
        step(&p, begin(&p, address),
             &(struct tdm_call_in){.kind = TDM_CALL_DIAL,
                                   .uri = argv[uri],
                                   .service = through ? argv[4] : NULL,
                                   .callback = through ? argv[5] : NULL});
    }
    run(&p, tdm_clock_now() + strtol(argv[2], NULL, 10) * TDM_S, calls);
    /* SIPp takes a TCP connection that closes before it is done with its 200 for a failed call. */
    (void)tdm_wait_until(tdm_clock_now() + TDM_S / 2, -1, -1);
    tdm_sig_libre.close(p.sig);
    printf("%d of %d calls were up and ended in order\n", p.good, calls);
    return p.good == calls ? 0 : 1;
}
