/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_TURN_CLIENT_PARTS_H
#define TDM_CORE_TURN_CLIENT_PARTS_H

/* What the files of the TURN client share; nobody else includes it. */

#include "engine/core/turn_client.h"

#define TURN_REQUESTS (1 + TDM_TURN_PERMITS_MAX + TDM_TURN_CHANNELS_MAX)

/* A request by number: 0 is the session's, then those of permissions, then those of channels. */
struct turn_which {
    struct tdm_turn_permit *permit;
    struct tdm_turn_channel *channel;
    struct tdm_turn_request *request;
};

static const struct tdm_turn_request turn_idle = {.due = TDM_NEVER};

static inline struct turn_which turn_which_of(struct tdm_turn_client *c, size_t n)
{
    struct turn_which w = {.request = &c->session};

    if (n > TDM_TURN_PERMITS_MAX) {
        w.channel = &c->channels[n - 1 - TDM_TURN_PERMITS_MAX];
        w.request = &w.channel->request;
    } else if (n > 0) {
        w.permit = &c->permits[n - 1];
        w.request = &w.permit->request;
    }
    return w;
}

static inline bool turn_is_set(const struct tdm_address *a)
{
    return a->family != TDM_ADDRESS_NONE;
}

static inline size_t turn_family(uint8_t family)
{
    return family == TDM_IPV6 ? 1 : 0;
}

static inline void turn_plan(struct tdm_turn_request *r, tdm_time at)
{
    *r = (struct tdm_turn_request){.due = at};
}

static inline bool turn_is_peer(const struct tdm_address *peer)
{
    return peer->family == TDM_IPV4 || peer->family == TDM_IPV6;
}

/* turn_client.c */

/** Ends everything; `why` is already written. */
void tdm_turn_client_end(struct tdm_turn_client *c, enum tdm_turn_client_state state,
                         struct tdm_turn_client_out *out);

/** Ends in failure: the server WHAT, in words. */
void tdm_turn_client_fail(struct tdm_turn_client *c, struct tdm_turn_client_out *out,
                          const char *what);

/** Permission or channel could not be had: it is forgotten, not the allocation. */
void tdm_turn_client_refuse(struct turn_which w, tdm_time now, uint16_t code,
                            struct tdm_turn_client_out *out);

/** Of the request, by whose it is and by the state. */
uint16_t tdm_turn_client_method(const struct tdm_turn_client *c, struct turn_which w);

/** Starts the transaction anew: another id, all tries before it. */
void tdm_turn_client_restart(struct tdm_turn_client *c, struct tdm_turn_request *r, tdm_time now);

/* turn_client_answers.c */

/** A message of the server that is STUN. */
void tdm_turn_client_take_stun(struct tdm_turn_client *c, tdm_time now,
                               const struct tdm_turn_client_in *in,
                               struct tdm_turn_client_out *out);

/* turn_client_peers.c */

/** Bytes that the server says are of this peer. */
void tdm_turn_client_take_payload(struct tdm_turn_client *c, const struct tdm_address *from,
                                  struct tdm_stun_span payload, struct tdm_turn_client_out *out);
void tdm_turn_client_take_channel_data(struct tdm_turn_client *c,
                                       const struct tdm_turn_client_in *in,
                                       struct tdm_turn_client_out *out);
void tdm_turn_client_permit(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer,
                            struct tdm_turn_client_out *out);
void tdm_turn_client_bind(struct tdm_turn_client *c, tdm_time now, const struct tdm_address *peer,
                          struct tdm_turn_client_out *out);
void tdm_turn_client_forget(struct tdm_turn_client *c, tdm_time now,
                            const struct tdm_address *peer);

#endif
