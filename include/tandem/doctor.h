/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_DOCTOR_H
#define TANDEM_DOCTOR_H

/*
 * Why something does not work here: looks at this machine, its gateway, the servers that calls
 * would use and, if one is named, the other side; says of each what it found and what to do; and
 * sums it up for each service. It places no call and changes nothing but port mappings, which it
 * gives back.
 *
 *     tandem_doctor_create(&config, &doctor, &cause);
 *     while (tandem_doctor_next(doctor, &finding) == TANDEM_OK)
 *         print(finding);
 *     for (int s = 0; s < TANDEM_SERVICES; s++)
 *         tandem_doctor_service(doctor, s, &sum);
 *     tandem_doctor_destroy(doctor);
 *
 * One thread at a time for each doctor; `next` takes up to eight seconds.
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Strings are borrowed for create; NULL and 0 mean the default in brackets. */
struct tandem_doctor_config {
    const char *host;        /* As for tandem_dial: asked whether it answers. [none] */
    const char *ice_servers; /* As in struct tandem_config. [none] */
    uint16_t sip_port;       /* Ours. [5060] */
    uint16_t channel_port;   /* Ours. [1503] */
    const char *video_source, *audio_source, *audio_sink; /* ["cam", "mic", "speaker"] */
};

enum tandem_verdict {
    TANDEM_WORKS,
    TANDEM_HINDERED, /* With limits that are said. */
    TANDEM_BROKEN,
    TANDEM_UNTESTED,
};

/** One look at one thing. */
struct tandem_finding {
    char check[24]; /* "clock", "nat", "relay udp" ... */
    enum tandem_verdict verdict;
    char found[256];  /* One sentence. */
    char advice[256]; /* What to do about it; "" where nothing needs doing. */
    double ms;        /* A round trip or set-up time that belongs to it; 0: none. */
};

enum tandem_service {
    TANDEM_SERVICE_SIGN_IN,
    TANDEM_SERVICE_VOICE,
    TANDEM_SERVICE_VIDEO,
    TANDEM_SERVICE_CHANNEL,
    TANDEM_SERVICE_RELAY,
    TANDEM_SERVICES,
};

/** What the findings mean for one service. */
struct tandem_service_state {
    const char *name; /* "sign-in", "voice" ... */
    enum tandem_verdict verdict;
    char path[256];   /* Which way works, or why none does. */
    char advice[256]; /* "" where nothing needs doing. */
};

struct tandem_doctor;

/** Starts the slow looks in the background. TANDEM_INVALID for a server or an address that cannot
 *  be read. */
TANDEM_API enum tandem_status tandem_doctor_create(const struct tandem_doctor_config *config,
                                                   struct tandem_doctor **doctor,
                                                   struct tandem_cause *cause);
/** Ends it, and gives back what it had mapped. */
TANDEM_API void tandem_doctor_destroy(struct tandem_doctor *doctor);

/** The next look; TANDEM_AGAIN after the last one. */
TANDEM_API enum tandem_status tandem_doctor_next(struct tandem_doctor *doctor,
                                                 struct tandem_finding *finding);

/** What was found means this for a service; complete after the last look. */
TANDEM_API void tandem_doctor_service(struct tandem_doctor *doctor, enum tandem_service service,
                                      struct tandem_service_state *state);

#ifdef __cplusplus
}
#endif

#endif
