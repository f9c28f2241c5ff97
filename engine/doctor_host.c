/* SPDX-License-Identifier: MIT */
/* The doctor's looks at the other side: whether it answers SIP, and takes connections for the
 * channel. */
#include "engine/doctor.h"

#include "engine/io/clock.h"
#include "engine/io/look.h"
#include "engine/io/udp.h"
#include "engine/io/wake.h"
#include "signalling/sip_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_WITHIN (4 * TDM_S)
#define TCP_WITHIN    (3 * TDM_S)

/* OPTIONS to the host; false: no answer, `why` says what came instead. */
static bool ask(const char *uri, unsigned transports, struct tdm_sig_event *event,
                struct tdm_cause *why)
{
    const struct tdm_sig_ops *ops = &tdm_sig_libre;
    struct tdm_sig_config config = {
        .port_may_change = true, .transports = transports, .user = "doctor"};
    tdm_time deadline = tdm_clock_now() + ANSWER_WITHIN;
    struct tdm_sig *sig;
    tdm_sig_id id;
    bool answered = false, over = false;

    (void)snprintf(why->text, sizeof why->text, "it does not answer");
    if (ops->open(&sig, &config, why) != TDM_OK)
        return false;
    if (ops->options(sig, 0, uri, NULL, &id, why) != TDM_OK)
        over = true;
    while (!over && tdm_clock_now() < deadline) {
        (void)tdm_wait_until(deadline, -1, ops->fd(sig));
        while (!over && ops->next(sig, event) == TDM_OK) {
            answered = event->id == id && event->kind == TDM_SIG_OPTIONS_ANSWERED;
            over = answered || (event->id == id && event->kind == TDM_SIG_FAILED);
            if (over && !answered)
                (void)snprintf(why->text, sizeof why->text, "%s", event->reason);
        }
    }
    ops->close(sig);
    return answered;
}

static bool sip(struct tandem_doctor *d, struct tandem_finding *f, bool tcp)
{
    struct tdm_sip_uri parsed;
    struct tdm_sig_event *event = malloc(sizeof *event);
    struct tdm_cause why = {""};
    char uri[300];

    if (!d->host[0] || !event || tdm_sip_uri_parse(d->host, &parsed, &why) != TDM_OK) {
        free(event);
        return d->host[0] && tdm_doctor_say(f, TANDEM_BROKEN, "write it like 10.0.0.7 or user@host",
                                            "%s", why.text);
    }
    parsed.tcp = tcp;
    parsed.udp = !tcp;
    (void)tdm_sip_uri_write(&parsed, uri, sizeof uri);
    tdm_time start = tdm_clock_now();
    bool answered = ask(uri, tcp ? TDM_SIG_TCP : TDM_SIG_UDP, event, &why);

    d->facts.host[tcp] = answered ? TDM_DOCTOR_YES : TDM_DOCTOR_NO;
    if (answered) {
        f->ms = (double)(tdm_clock_now() - start) / TDM_MS;
        (void)tdm_doctor_say(f, TANDEM_WORKS, NULL, "%s answers%s%.80s%s", d->host,
                             event->reason[0] ? " (" : "", event->reason,
                             event->reason[0] ? ")" : "");
    } else {
        (void)tdm_doctor_say(f, TANDEM_HINDERED,
                             "is it on, and does a Tandem (tandem answer) or another SIP program "
                             "run there? Does a firewall let the port through?",
                             "%s: %.200s", d->host, why.text);
    }
    free(event);
    return true;
}

bool tdm_doctor_host_udp(struct tandem_doctor *d, struct tandem_finding *f)
{
    return sip(d, f, false);
}

bool tdm_doctor_host_tcp(struct tandem_doctor *d, struct tandem_finding *f)
{
    return sip(d, f, true);
}

/* Refused is a good sign: the way is free, and a call opens the port when it needs it. */
bool tdm_doctor_host_channel(struct tandem_doctor *d, struct tandem_finding *f)
{
    uint16_t port = d->config.channel_port ? d->config.channel_port : 1503;
    struct sockaddr_storage resolved;
    struct tdm_sip_uri parsed;
    struct tdm_address to;
    struct tdm_cause why;
    tdm_time took;

    if (!d->host[0] || tdm_sip_uri_parse(d->host, &parsed, &why) != TDM_OK)
        return false;
    if (tdm_sip_resolve(&parsed, &resolved, &why) != TDM_OK) {
        d->facts.named = TDM_DOCTOR_NO;
        return tdm_doctor_say(f, TANDEM_BROKEN, "check how it is written", "%s", why.text);
    }
    tdm_udp_address_of(&resolved, &to);
    to.port = port;
    switch (tdm_look_tcp(&to, TCP_WITHIN, &took)) {
    case TDM_TCP_OPEN:
        d->facts.host_channel = TDM_DOCTOR_YES;
        f->ms = (double)took / TDM_MS;
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "TCP port %u there is open", port);
    case TDM_TCP_REFUSED:
        d->facts.host_channel = TDM_DOCTOR_YES;
        f->ms = (double)took / TDM_MS;
        return tdm_doctor_say(f, TANDEM_WORKS, NULL,
                              "the way to TCP port %u is free; nothing listens outside a call",
                              port);
    case TDM_TCP_SILENT:
        break;
    }
    d->facts.host_channel = TDM_DOCTOR_NO;
    return tdm_doctor_say(f, TANDEM_HINDERED,
                          "let the port through the firewall there; the channel then goes another "
                          "way",
                          "nothing comes back from TCP port %u there", port);
}
