/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_NAT_PROBE_H
#define TDM_CORE_NAT_PROBE_H

/*
 * What the NATs between here and a STUN server do to UDP, by asking from two sockets (RFC 5780
 * sections 4.3 and 4.4): whether UDP passes at all, how mappings and filters depend on the other
 * side, whether the NAT turns packets around inside (hairpin), and whether packets of full size
 * pass. Needs a server with a second address for filters; a second server does for mappings.
 * Socket 0 is asked about; socket 1 of the same machine helps.
 */

#include "engine/base/address.h"
#include "engine/base/time.h"

#include <stdbool.h>

#define TDM_NAT_SERVERS_MAX 4
#define TDM_NAT_SENDS_MAX   8
#define TDM_NAT_BIG         1472 /* Of payload: 1500 bytes over IPv4. */
#define TDM_NAT_MEDIUM      1200 /* What our packets take at most, nearly. */

/** How something depends on the other side's address; names as in RFC 4787. */
enum tdm_nat_behaviour {
    TDM_NAT_UNKNOWN,
    TDM_NAT_INDEPENDENT, /* Of the endpoint. */
    TDM_NAT_ADDRESS,     /* Dependent on the address. */
    TDM_NAT_ADDRESS_PORT,
    TDM_NAT_DEPENDENT, /* On one or both: the server cannot tell more. */
};

enum tdm_nat_verdict { TDM_NAT_ASKING, TDM_NAT_NO, TDM_NAT_YES };

struct tdm_nat_facts {
    bool done;
    enum tdm_nat_verdict udp;         /* Any server answered. */
    enum tdm_nat_verdict behind;      /* A NAT: the mapped address is none of ours. */
    enum tdm_nat_verdict hairpin;     /* ASKING at the end: could not be found out. */
    enum tdm_nat_verdict medium, big; /* Packets of this size pass to the server. */
    enum tdm_nat_behaviour mapping, filtering;
    bool port_kept; /* The mapping has the socket's port. */
    struct tdm_address mapped;
    struct tdm_address server; /* The one that answered first. */
    tdm_time rtt;              /* TDM_NEVER: none answered. */
};

struct tdm_nat_probe_config {
    uint8_t server_count;
    struct tdm_address servers[TDM_NAT_SERVERS_MAX];
    struct tdm_address local[2]; /* Of the sockets; the address may be any (0.0.0.0). */
    uint64_t seed;               /* From entropy: transaction ids. */
};

struct tdm_nat_probe_in {
    uint8_t socket;
    struct tdm_address from;
    const uint8_t *data;
    size_t size;
};

struct tdm_nat_probe_send {
    uint8_t socket;
    struct tdm_address to;
    uint16_t size;
    uint8_t data[TDM_NAT_BIG];
};

struct tdm_nat_probe_out {
    uint8_t count;
    struct tdm_nat_probe_send sends[TDM_NAT_SENDS_MAX];
    tdm_time wake_at;
};

enum tdm_nat_question {
    TDM_NAT_Q_FIRST, /* One a server: a plain request from socket 0. */
    TDM_NAT_Q_MAPPING_2 = TDM_NAT_Q_FIRST + TDM_NAT_SERVERS_MAX, /* The server's other address, */
    TDM_NAT_Q_MAPPING_3,                                         /* and that one's other port. */
    TDM_NAT_Q_SECOND,       /* Plain, from socket 1: opens the filter to the server. */
    TDM_NAT_Q_OTHER_BOTH,   /* From socket 1: answer from the other address and port, */
    TDM_NAT_Q_OTHER_PORT,   /* and from the other port only. */
    TDM_NAT_Q_HAIRPIN,      /* From socket 1 to the mapped address of socket 0, */
    TDM_NAT_Q_HAIRPIN_BACK, /* and the other way, which opens the filters for both. */
    TDM_NAT_Q_MEDIUM,
    TDM_NAT_Q_BIG,
    TDM_NAT_QUESTIONS,
};

enum tdm_nat_question_state {
    TDM_NAT_Q_IDLE,
    TDM_NAT_Q_OPEN,
    TDM_NAT_Q_ANSWERED,
    TDM_NAT_Q_SILENT
};

struct tdm_nat_question_record {
    enum tdm_nat_question_state state;
    struct tdm_address to;
    uint8_t socket, tries;
    uint32_t change; /* CHANGE-REQUEST; 0: none. */
    uint16_t size;   /* To fill up to; 0: as it is. */
    uint8_t id[12];
    tdm_time asked, due;
    struct tdm_address mapped; /* ANSWERED */
};

/** Owner: the doctor. */
struct tdm_nat_probe {
    struct tdm_nat_probe_config config;
    struct tdm_nat_question_record questions[TDM_NAT_QUESTIONS];
    struct tdm_address other; /* OTHER-ADDRESS of the first server that answered. */
    struct tdm_nat_facts facts;
};

void tdm_nat_probe_init(struct tdm_nat_probe *p, const struct tdm_nat_probe_config *config,
                        tdm_time now);
/** `in` NULL: only time has passed. p->facts says what is known so far. */
void tdm_nat_probe_step(struct tdm_nat_probe *p, tdm_time now, const struct tdm_nat_probe_in *in,
                        struct tdm_nat_probe_out *out);

/** "endpoint-independent", "address-dependent" ... */
const char *tdm_nat_behaviour_name(enum tdm_nat_behaviour behaviour);

#endif
