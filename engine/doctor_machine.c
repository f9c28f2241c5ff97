/* SPDX-License-Identifier: MIT */
/* The doctor's looks at this machine. */
#include "engine/doctor.h"

#include "engine/io/interfaces.h"
#include "engine/io/look.h"

#include <stdio.h>
#include <string.h>

#define SIP_PORT     5060
#define CHANNEL_PORT 1503

bool tdm_doctor_clock(struct tandem_doctor *d, struct tandem_finding *f)
{
    switch (tdm_look_clock()) {
    case TDM_CLOCK_SYNCED:
        d->facts.clock = TDM_DOCTOR_YES;
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "the clock is set over the network");
    case TDM_CLOCK_FREE:
        d->facts.clock = TDM_DOCTOR_YES;
        return tdm_doctor_say(f, TANDEM_WORKS, NULL,
                              "the clock runs by itself: no time service sets it");
    case TDM_CLOCK_WRONG:
        break;
    }
    d->facts.clock = TDM_DOCTOR_NO;
    return tdm_doctor_say(f, TANDEM_BROKEN,
                          "set the date, best by a time service (timedatectl set-ntp true)",
                          "the clock is years behind: certificates will be refused");
}

bool tdm_doctor_addresses(struct tandem_doctor *d, struct tandem_finding *f)
{
    struct tdm_address list[TDM_INTERFACES_MAX];
    uint32_t count = tdm_interfaces_list(list, TDM_INTERFACES_MAX);
    char text[200] = "";

    d->facts.address = count ? TDM_DOCTOR_YES : TDM_DOCTOR_NO;
    for (uint32_t i = 0; i < count; i++) {
        char one[TDM_ADDRESS_TEXT_MAX];
        size_t used = strlen(text);

        tdm_address_host_text(&list[i], one);
        (void)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", one);
    }
    return count ? tdm_doctor_say(f, TANDEM_WORKS, NULL, "this machine is %s", text)
                 : tdm_doctor_say(f, TANDEM_BROKEN,
                                  "connect it to a network; calls on this machine itself work",
                                  "this machine has no address that others could reach");
}

bool tdm_doctor_tunnels(struct tandem_doctor *d, struct tandem_finding *f)
{
    char names[128];
    bool routed;

    (void)d;
    tdm_look_tunnels(names, sizeof names, &routed);
    if (!names[0])
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "no VPN");
    if (!routed)
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "a VPN (%s) that other traffic goes past",
                              names);
    return tdm_doctor_say(
        f, TANDEM_HINDERED, "calls are quicker past it: leave it, or exclude Tandem from it",
        "all traffic goes through a VPN (%s): longer ways and smaller packets", names);
}

bool tdm_doctor_ports(struct tandem_doctor *d, struct tandem_finding *f)
{
    uint16_t sip = d->config.sip_port ? d->config.sip_port : SIP_PORT;
    uint16_t channel = d->config.channel_port ? d->config.channel_port : CHANNEL_PORT;
    bool sip_free = tdm_look_port_free(false, sip) && tdm_look_port_free(true, sip);
    bool channel_free = tdm_look_port_free(true, channel);

    d->facts.sip_port = sip_free ? TDM_DOCTOR_YES : TDM_DOCTOR_NO;
    d->facts.channel_port = channel_free ? TDM_DOCTOR_YES : TDM_DOCTOR_NO;
    if (sip_free && channel_free)
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "ports %u (SIP) and %u (channel) are free",
                              sip, channel);
    return tdm_doctor_say(f, TANDEM_HINDERED,
                          "end the other program (ss -lntup names it), or choose another port; a "
                          "Tandem that runs here is such a program, too",
                          "port %u is in use%s%s", sip_free ? channel : sip,
                          sip_free ? "" : " (SIP)",
                          sip_free       ? " (channel)"
                          : channel_free ? ""
                                         : ", and the channel's, too");
}

static bool device(struct tandem_finding *f, const struct tandem_media *media, const char *spec,
                   const char *what, enum tdm_doctor_answer *fact)
{
    struct tandem_cause cause = {""};

    if (strcmp(spec, "off") == 0) {
        *fact = TDM_DOCTOR_UNASKED;
        return tdm_doctor_say(f, TANDEM_UNTESTED, NULL, "the %s is not to be used", what);
    }
    enum tandem_status status = tandem_check(media, &cause);

    *fact = status == TANDEM_OK ? TDM_DOCTOR_YES : TDM_DOCTOR_NO;
    if (status == TANDEM_OK)
        return tdm_doctor_say(f, TANDEM_WORKS, NULL, "the %s works", what);
    return tdm_doctor_say(f, TANDEM_HINDERED, NULL, "%s", cause.text); /* It says what to do. */
}

bool tdm_doctor_microphone(struct tandem_doctor *d, struct tandem_finding *f)
{
    return device(f,
                  &(struct tandem_media){.audio_source = d->audio_source,
                                         .video_source = "off",
                                         .audio_sink = "null",
                                         .video_sink = "off"},
                  d->audio_source, "microphone", &d->facts.microphone);
}

bool tdm_doctor_speaker(struct tandem_doctor *d, struct tandem_finding *f)
{
    return device(f,
                  &(struct tandem_media){.audio_source = "off",
                                         .video_source = "off",
                                         .audio_sink = d->audio_sink,
                                         .video_sink = "off"},
                  d->audio_sink, "loudspeaker", &d->facts.speaker);
}

bool tdm_doctor_camera(struct tandem_doctor *d, struct tandem_finding *f)
{
    return device(f,
                  &(struct tandem_media){.audio_source = "off",
                                         .video_source = d->video_source,
                                         .audio_sink = "null",
                                         .video_sink = "off"},
                  d->video_source, "camera", &d->facts.camera);
}
