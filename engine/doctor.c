/* SPDX-License-Identifier: MIT */
#include "engine/doctor.h"

#include "engine/engine.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "signalling/sip_uri.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_PORT 47113 /* Any that nobody uses. */

/* In this order: what is quick first, gateways when they had time to be found. */
static const struct {
    const char *check;
    tdm_doctor_look *look;
} looks[] = {
    {"clock", tdm_doctor_clock},
    {"address", tdm_doctor_addresses},
    {"vpn", tdm_doctor_tunnels},
    {"ports", tdm_doctor_ports},
    {"microphone", tdm_doctor_microphone},
    {"speaker", tdm_doctor_speaker},
    {"camera", tdm_doctor_camera},
    {"board", tdm_doctor_board},
    {"nat", tdm_doctor_nat},
    {"packet size", tdm_doctor_packets},
    {"relay over UDP", tdm_doctor_relay_udp},
    {"relay over TCP", tdm_doctor_relay_tcp},
    {"relay over TLS", tdm_doctor_relay_tls},
    {"SIP over UDP", tdm_doctor_host_udp},
    {"SIP over TCP", tdm_doctor_host_tcp},
    {"channel", tdm_doctor_host_channel},
    {"NAT-PMP", tdm_doctor_natpmp},
    {"UPnP", tdm_doctor_upnp},
};

#define LOOKS (sizeof looks / sizeof *looks)

bool tdm_doctor_say(struct tandem_finding *f, enum tandem_verdict verdict, const char *advice,
                    const char *format, ...)
{
    va_list args;

    f->verdict = verdict;
    va_start(args, format);
    (void)vsnprintf(f->found, sizeof f->found, format, args);
    va_end(args);
    (void)snprintf(f->advice, sizeof f->advice, "%s", advice ? advice : "");
    return true;
}

static void copy(char *to, size_t capacity, const char *from, const char *otherwise)
{
    (void)snprintf(to, capacity, "%s", from ? from : otherwise);
}

enum tandem_status tandem_doctor_create(const struct tandem_doctor_config *config,
                                        struct tandem_doctor **out, struct tandem_cause *cause)
{
    static const struct tandem_doctor_config none;
    const struct tandem_doctor_config *c = config ? config : &none;
    struct tandem_doctor *d = calloc(1, sizeof *d);
    struct tdm_cause why = {""};
    struct tdm_sip_uri host;
    enum tdm_err err = d ? TDM_OK : TDM_E_SYSTEM;

    if (d) {
        d->config = *c;
        copy(d->host, sizeof d->host, c->host, "");
        copy(d->video_source, sizeof d->video_source, c->video_source, "cam");
        copy(d->audio_source, sizeof d->audio_source, c->audio_source, "mic");
        copy(d->audio_sink, sizeof d->audio_sink, c->audio_sink, "speaker");
        d->test_port = TEST_PORT;
        if (d->host[0])
            err = tdm_sip_uri_parse(d->host, &host, &why);
        d->facts.named = d->host[0] ? TDM_DOCTOR_YES : TDM_DOCTOR_UNASKED;
        if (err == TDM_OK && c->ice_servers)
            err = tdm_ice_uris_parse(c->ice_servers, d->servers, &d->server_count, &why);
    }
    if (err == TDM_OK &&
        tdm_port_map_create(
            &d->map, &(struct tdm_port_map_config){.changed_wake = -1, .seed = tdm_entropy_u64()},
            &why) == TDM_OK) {
        tdm_port_map_want(d->map, d->test_port, false);
        tdm_port_map_want(d->map, d->test_port, true);
    }
    if (err != TDM_OK) {
        free(d);
        if (cause)
            (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
        return tdm_engine_status(err);
    }
    *out = d;
    return TANDEM_OK;
}

void tandem_doctor_destroy(struct tandem_doctor *d)
{
    if (!d)
        return;
    if (d->map)
        tdm_port_map_destroy(d->map, TDM_S);
    free(d);
}

enum tandem_status tandem_doctor_next(struct tandem_doctor *d, struct tandem_finding *finding)
{
    while (d->next < LOOKS) {
        memset(finding, 0, sizeof *finding);
        copy(finding->check, sizeof finding->check, looks[d->next].check, "");
        if (looks[d->next++].look(d, finding))
            return TANDEM_OK;
    }
    return TANDEM_AGAIN;
}

void tandem_doctor_service(struct tandem_doctor *d, enum tandem_service service,
                           struct tandem_service_state *state)
{
    tdm_doctor_sum(&d->facts, service, state);
}
