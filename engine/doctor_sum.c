/* SPDX-License-Identifier: MIT */
/* What the facts mean for each service. Pure: tested with made-up facts. */
#include "engine/doctor.h"

#include <stdio.h>

static void say(struct tandem_service_state *s, enum tandem_verdict verdict, const char *path,
                const char *advice)
{
    s->verdict = verdict;
    (void)snprintf(s->path, sizeof s->path, "%s", path);
    (void)snprintf(s->advice, sizeof s->advice, "%s", advice);
}

static bool any_relay(const struct tdm_doctor_facts *f)
{
    return f->relay[TDM_WAY_UDP] == TDM_DOCTOR_YES || f->relay[TDM_WAY_TCP] == TDM_DOCTOR_YES ||
           f->relay[TDM_WAY_TLS] == TDM_DOCTOR_YES;
}

static void sum_sign_in(const struct tdm_doctor_facts *f, struct tandem_service_state *s)
{
    bool udp = f->host[0] == TDM_DOCTOR_YES, tcp = f->host[1] == TDM_DOCTOR_YES;

    if (f->clock == TDM_DOCTOR_NO)
        say(s, TANDEM_BROKEN, "the clock is wrong: encrypted signalling is refused",
            "set the date");
    else if (f->named == TDM_DOCTOR_NO)
        say(s, TANDEM_BROKEN, "the host has no address: its name is unknown",
            "check how it is written");
    else if (udp || tcp)
        say(s, TANDEM_WORKS,
            udp && tcp ? "SIP over UDP and TCP"
            : udp      ? "SIP over UDP"
                       : "SIP over TCP",
            "");
    else if (f->host[0] == TDM_DOCTOR_NO)
        say(s, TANDEM_BROKEN, "the host answers neither over UDP nor over TCP",
            "start the program there, or open its port in the firewall");
    else if (f->sip_port == TDM_DOCTOR_NO)
        say(s, TANDEM_HINDERED, "the SIP port is in use here: only calls out of another port",
            "end the other program or choose another port");
    else
        say(s, TANDEM_UNTESTED, "no host was named", "tandem doctor HOST");
}

/* Which way media goes, whatever kind it is. */
static void sum_media(const struct tdm_doctor_facts *f, struct tandem_service_state *s)
{
    const struct tdm_nat_facts *nat = &f->nat;
    bool stream =
        f->relay[TDM_WAY_TCP] == TDM_DOCTOR_YES || f->relay[TDM_WAY_TLS] == TDM_DOCTOR_YES;

    if (f->address == TDM_DOCTOR_NO)
        say(s, TANDEM_HINDERED, "only on this machine itself: it has no other address",
            "connect it to a network");
    else if (nat->udp == TDM_NAT_NO && stream)
        say(s, TANDEM_HINDERED, "relayed over TCP: UDP is blocked", "allow UDP for shorter delays");
    else if (nat->udp == TDM_NAT_NO && f->relay[TDM_WAY_TCP] == TDM_DOCTOR_NO)
        say(s, TANDEM_UNTESTED, "the server that was named does not answer in any way",
            "check its name, or try another one");
    else if (nat->udp == TDM_NAT_NO)
        say(s, TANDEM_BROKEN, "UDP is blocked and there is no relay over TCP or TLS",
            "allow UDP in the firewall, or name a relay with ?transport=tcp or turns:");
    else if (nat->medium == TDM_NAT_NO)
        say(s, TANDEM_BROKEN, "full packets are lost on the way", "raise the MTU on the way");
    else if (f->mapped == TDM_DOCTOR_YES)
        say(s, TANDEM_WORKS, "direct: the gateway opens a port", "");
    else if (f->stun == TDM_DOCTOR_UNASKED)
        say(s, TANDEM_WORKS, "direct inside this network; beyond it was not asked",
            "name a STUN server to test ways out");
    else if (nat->behind == TDM_NAT_NO)
        say(s, TANDEM_WORKS, "direct: no NAT", "");
    else if (nat->mapping == TDM_NAT_INDEPENDENT || nat->mapping == TDM_NAT_UNKNOWN)
        say(s, TANDEM_WORKS, "direct through the NAT", "");
    else if (any_relay(f))
        say(s, TANDEM_WORKS, "direct where the other side's NAT allows, else relayed", "");
    else
        say(s, TANDEM_HINDERED,
            "direct only to sides without such a NAT: this one maps every destination differently",
            "switch UPnP or NAT-PMP on in the gateway, or name a relay");
}

static void sum_voice(const struct tdm_doctor_facts *f, struct tandem_service_state *s)
{
    sum_media(f, s);
    if (s->verdict != TANDEM_WORKS)
        return;
    if (f->microphone == TDM_DOCTOR_NO || f->speaker == TDM_DOCTOR_NO) {
        s->verdict = TANDEM_HINDERED;
        (void)snprintf(s->advice, sizeof s->advice, "%s",
                       f->microphone == TDM_DOCTOR_NO && f->speaker == TDM_DOCTOR_NO
                           ? "there is neither microphone nor loudspeaker"
                       : f->microphone == TDM_DOCTOR_NO ? "there is no microphone: nobody hears you"
                                                        : "there is no loudspeaker");
    }
}

static void sum_video(const struct tdm_doctor_facts *f, struct tandem_service_state *s)
{
    sum_media(f, s);
    if (s->verdict != TANDEM_WORKS || f->camera != TDM_DOCTOR_NO)
        return;
    s->verdict = TANDEM_HINDERED;
    (void)snprintf(s->advice, sizeof s->advice,
                   "there is no camera: pictures come in, and a screen or a file can go out");
}

static void sum_channel(const struct tdm_doctor_facts *f, struct tandem_service_state *s)
{
    bool inwards = f->channel_port != TDM_DOCTOR_NO &&
                   (f->nat.behind == TDM_NAT_NO || f->mapped_tcp.family != TDM_ADDRESS_NONE);

    if (f->named == TDM_DOCTOR_NO)
        say(s, TANDEM_BROKEN, "the host has no address: its name is unknown",
            "check how it is written");
    else if (f->address == TDM_DOCTOR_NO)
        say(s, TANDEM_HINDERED, "only on this machine itself", "connect it to a network");
    else if (f->host_channel == TDM_DOCTOR_YES && inwards)
        say(s, TANDEM_WORKS, "TCP both ways", "");
    else if (f->host_channel == TDM_DOCTOR_YES)
        say(s, TANDEM_WORKS, "TCP from here to there", "");
    else if (inwards)
        say(s, TANDEM_WORKS, "TCP from there to here", "");
    else if (f->host_channel == TDM_DOCTOR_NO)
        say(s, TANDEM_HINDERED, "no TCP in either direction: it goes with the call's media packets",
            "open the channel's port on one side");
    else if (f->channel_port == TDM_DOCTOR_NO)
        say(s, TANDEM_HINDERED, "the channel's port is in use here: only connections out of here",
            "end the other program or choose another port");
    else
        say(s, TANDEM_UNTESTED, "no host was named; this side's port is free",
            "tandem doctor HOST");
}

static void sum_relay(const struct tdm_doctor_facts *f, struct tandem_service_state *s)
{
    static const char *const names[TDM_WAYS] = {"UDP", "TCP", "TLS"};
    char path[200] = "relay over ";
    int count = 0, asked = -1;

    for (int way = 0; way < TDM_WAYS; way++) {
        size_t used = 0;

        if (f->relay[way] != TDM_DOCTOR_UNASKED)
            asked = way;
        if (f->relay[way] != TDM_DOCTOR_YES)
            continue;
        while (path[used])
            used++;
        (void)snprintf(path + used, sizeof path - used, "%s%s", count++ ? ", " : "", names[way]);
    }
    if (count)
        say(s, TANDEM_WORKS, path, "");
    else if (asked >= 0)
        say(s, TANDEM_BROKEN, f->relay_why[asked], "check the server's name, user and password");
    else
        say(s, TANDEM_UNTESTED, "no relay was named", "--turn turn:USER:PASSWORD@HOST");
}

void tdm_doctor_sum(const struct tdm_doctor_facts *facts, enum tandem_service service,
                    struct tandem_service_state *state)
{
    static const struct {
        const char *name;
        void (*sum)(const struct tdm_doctor_facts *f, struct tandem_service_state *s);
    } services[TANDEM_SERVICES] = {
        [TANDEM_SERVICE_SIGN_IN] = {"sign-in", sum_sign_in},
        [TANDEM_SERVICE_VOICE] = {"voice", sum_voice},
        [TANDEM_SERVICE_VIDEO] = {"video", sum_video},
        [TANDEM_SERVICE_CHANNEL] = {"channel", sum_channel},
        [TANDEM_SERVICE_RELAY] = {"relay", sum_relay},
    };

    state->name = services[service].name;
    services[service].sum(facts, state);
}
