/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_DOCTOR_H
#define TDM_ENGINE_DOCTOR_H

/*
 * The doctor's file on this machine: what was asked, what was found so far, and the looks that fill
 * it, one after the other on the caller's thread. What the findings mean for each service is
 * decided in doctor_sum.c from the facts alone.
 */

#include "engine/core/nat_probe.h"
#include "engine/ice_uri.h"
#include "engine/io/port_map.h"
#include "signalling/signalling.h"
#include "tandem/doctor.h"

enum tdm_doctor_way { TDM_WAY_UDP, TDM_WAY_TCP, TDM_WAY_TLS, TDM_WAYS };

/** What is known of something that was asked. */
enum tdm_doctor_answer { TDM_DOCTOR_UNASKED, TDM_DOCTOR_NO, TDM_DOCTOR_YES };

struct tdm_doctor_facts {
    enum tdm_doctor_answer address; /* This machine has one that is not loopback. */
    enum tdm_doctor_answer sip_port, channel_port;
    enum tdm_doctor_answer microphone, speaker, camera;
    enum tdm_doctor_answer stun;   /* A server was named. */
    struct tdm_nat_facts nat;      /* When one was. */
    enum tdm_doctor_answer mapped; /* A gateway maps ports for us. */
    struct tdm_address mapped_udp, mapped_tcp;
    enum tdm_doctor_answer relay[TDM_WAYS];
    char relay_why[TDM_WAYS][256];
    enum tdm_doctor_answer host[2]; /* Answers to SIP over UDP, TCP. */
    enum tdm_doctor_answer host_channel;
    enum tdm_doctor_answer named; /* A host was; NO: it has no address. */
    enum tdm_doctor_answer clock;
};

struct tandem_doctor {
    struct tandem_doctor_config config;
    char host[256], video_source[256], audio_source[256], audio_sink[256];
    struct tdm_ice_uri servers[TDM_ICE_SERVERS_MAX];
    uint8_t server_count;
    struct tdm_port_map *map; /* NULL: could not be started. */
    uint16_t test_port;       /* That the gateway is asked to map. */
    struct tdm_address host_address;
    uint32_t next;  /* Look to take next. */
    uint8_t server; /* Of the servers, for the looks that are repeated. */
    struct tdm_doctor_facts facts;
};

/** One look. @return whether it said anything; else the next one is taken at once. */
typedef bool tdm_doctor_look(struct tandem_doctor *d, struct tandem_finding *f);

tdm_doctor_look tdm_doctor_clock, tdm_doctor_addresses, tdm_doctor_tunnels, tdm_doctor_ports;
tdm_doctor_look tdm_doctor_board;
tdm_doctor_look tdm_doctor_microphone, tdm_doctor_speaker, tdm_doctor_camera;
tdm_doctor_look tdm_doctor_nat, tdm_doctor_packets, tdm_doctor_relay_udp, tdm_doctor_relay_tcp;
tdm_doctor_look tdm_doctor_relay_tls, tdm_doctor_natpmp, tdm_doctor_upnp;
tdm_doctor_look tdm_doctor_host_udp, tdm_doctor_host_tcp, tdm_doctor_host_channel;

/** Fills a finding; both formats may be used once. `advice` NULL: none. Always true. */
bool tdm_doctor_say(struct tandem_finding *f, enum tandem_verdict verdict, const char *advice,
                    const char *format, ...) TDM_PRINTF(4, 5);

/** What the facts mean for one service. Pure. */
void tdm_doctor_sum(const struct tdm_doctor_facts *facts, enum tandem_service service,
                    struct tandem_service_state *state);

#endif
