/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CHANNEL_LINK_H
#define TDM_ENGINE_CHANNEL_LINK_H

/*
 * The data channel of one call: a thread that listens, connects, lets in only whom the call's
 * description names (TLS 1.3, fingerprint), runs the channel core (engine/core/channel.h) over the
 * connection, takes a broken one up again, and dispatches to the riders
 * (engine/channel_rider.h). It knows no SDP and no files.
 *
 * Either side may connect. The side that the description makes active is the chooser: of several
 * connections that stand it takes the first and closes the rest; the other side goes by the one on
 * which the chooser speaks. So both always mean the same connection, and nobody has to ask.
 *
 * Where TCP passes in neither direction the chooser opens a stream over the media path (
 * docs/channel-link.md).
 *
 * Owned by the control thread, which calls everything here but tdm_channel_link_wake.
 */

#include "engine/base/address.h"
#include "engine/channel_rider.h"
#include "engine/core/media_desc.h"
#include "engine/io/identity.h"

#define TDM_CHANNEL_RIDERS_MAX  8
#define TDM_CHANNEL_TARGETS_MAX 4

struct tdm_channel_link;
struct tdm_link;

struct tdm_channel_link_config {
    const struct tdm_identity *identity; /* Outlives the link. */
    const char *address;                 /* To listen on; NULL: all. Borrowed for create. */
    uint16_t port_min, port_max;         /* 0, 0: any. */
    const char *congestion;              /* NULL: the default of engine/io/tcp.h; static text. */
    int control_wake;                    /* Signalled when a status waits. */
    struct tdm_link *media;              /* For the last resort; outlives the link. NULL: none. */
};

/** As agreed by offer and answer. */
struct tdm_channel_terms {
    enum tdm_setup setup; /* ACTIVE, PASSIVE, or HOLDCONN: nobody, for now. */
    bool caller;          /* HOLDCONN: who opens over the media path. */
    uint8_t target_count; /* Where the other side may be reached; none: it only connects. */
    struct tdm_address targets[TDM_CHANNEL_TARGETS_MAX];
    uint8_t fingerprint_count;
    struct tdm_fingerprint_desc fingerprints[TDM_DESC_FINGERPRINTS_MAX];
};

/** The association that protects the call's media. */
struct tdm_channel_media {
    bool ready;                          /* It stands, and there is a way. */
    uint8_t peer[TDM_FINGERPRINT_BYTES]; /* Whose certificate it has checked. */
};

enum tdm_channel_link_state {
    TDM_CHANNEL_WAITING, /* Nothing stands yet. */
    TDM_CHANNEL_UP,
    TDM_CHANNEL_BROKEN, /* It stood; both sides try to connect again. */
    TDM_CHANNEL_FAILED, /* For good: text says why. */
};

enum tdm_channel_way {
    TDM_CHANNEL_WAY_NONE,
    TDM_CHANNEL_DIALED,
    TDM_CHANNEL_ACCEPTED,
    TDM_CHANNEL_OVER_MEDIA,
};

struct tdm_channel_link_status {
    enum tdm_channel_link_state state;
    enum tdm_channel_way way;
    struct tdm_address remote; /* Of the connection. */
    uint8_t peer[TDM_FINGERPRINT_BYTES];
    bool peer_checked;
    uint32_t refused; /* Connections of strangers, slow ones and too many. */
    char text[160];   /* For people. */
    struct tdm_channel_stats stats;
};

/** Opens the listener; when no port of the range is free, goes on without (port 0) and says why in
 *  the cause. TDM_E_SYSTEM: there is no link. */
enum tdm_err tdm_channel_link_create(struct tdm_channel_link **link,
                                     const struct tdm_channel_link_config *config,
                                     struct tdm_cause *cause);
/** Ends the thread; riders are detached. The other side sees the connection closed. */
void tdm_channel_link_destroy(struct tdm_channel_link *link);

/** Where it listens; 0: nowhere. */
uint16_t tdm_channel_link_port(const struct tdm_channel_link *link);

/** Before start: `ops` serves its kinds. Both outlive the link. TDM_E_SPACE. */
enum tdm_err tdm_channel_link_attach(struct tdm_channel_link *link, const struct tdm_rider_ops *ops,
                                     void *rider);
enum tdm_err tdm_channel_link_start(struct tdm_channel_link *link, struct tdm_cause *cause);

/** What was agreed, and what changed since. Who opens (the active side of the first terms) stays.
 *  A connection that stands goes on if its certificate is still named. */
void tdm_channel_link_agree(struct tdm_channel_link *link, const struct tdm_channel_terms *terms);

/** How it stands with the association of the media; used only when the terms name its peer. */
void tdm_channel_link_media(struct tdm_channel_link *link, const struct tdm_channel_media *media);

/** What of the call's rate the channel may take, bit/s; 0: no limit known. */
void tdm_channel_link_budget(struct tdm_channel_link *link, uint64_t rate_bps);

/** The oldest status that was not taken yet; false: nothing is new. */
bool tdm_channel_link_status(struct tdm_channel_link *link, struct tdm_channel_link_status *status);

/** Runs the riders soon. Any thread. */
void tdm_channel_link_wake(struct tdm_channel_link *link);

#endif
