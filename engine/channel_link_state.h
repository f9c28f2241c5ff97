/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CHANNEL_LINK_STATE_H
#define TDM_ENGINE_CHANNEL_LINK_STATE_H

/*
 * The inside of engine/channel_link.h, shared by its four files: channel_link.c (the thread),
 * channel_door.c (who connects and who is let in), channel_media.c (the connection of last resort),
 * channel_drive.c (the core, the bytes and the riders). After start the channel's thread is the
 * only one that touches it, but for the rings and atomics.
 */

#include "engine/channel_link.h"
#include "engine/core/reliable.h"
#include "engine/io/tls.h"
#include "engine/worker.h"

#include <poll.h>

#define TDM_CHANNEL_CONNS        8                 /* Over TCP; */
#define TDM_CHANNEL_MEDIA        TDM_CHANNEL_CONNS /* the index of the one over the media path. */
#define TDM_CHANNEL_IN_BYTES     65536
#define TDM_CHANNEL_OUT_BYTES    ((size_t)256 * 1024)
#define TDM_CHANNEL_COMMANDS_MAX 256
#define TDM_CHANNEL_STATUSES     16
#define TDM_CHANNEL_STREAM_MAP   128

enum tdm_conn_state {
    TDM_CONN_FREE,
    TDM_CONN_CONNECTING, /* TCP of ours. */
    TDM_CONN_WAITING,    /* TCP of theirs, before we know whom to expect. */
    TDM_CONN_SHAKING,    /* TLS. */
    TDM_CONN_STANDING,   /* The right one; not (yet) the one in use. */
    TDM_CONN_IN_USE,
};

struct tdm_conn {
    enum tdm_conn_state state;
    int fd;              /* -1 once it belongs to tls. */
    struct tdm_tls *tls; /* From SHAKING on. */
    bool dialed;
    tdm_time since; /* In this state. */
    struct tdm_address remote;
};

struct tdm_rider_seat {
    struct tdm_channel_link *link;
    const struct tdm_rider_ops *ops;
    void *rider;
    tdm_time run_at;
};

struct tdm_rider_command {
    enum tdm_channel_input kind;
    struct tdm_rider_seat *seat;
    uint32_t stream;
    size_t size;
    enum tdm_channel_kind kind_of;
    enum tdm_channel_class cls;
    uint64_t tag;
};

struct tdm_stream_owner {
    uint32_t id; /* 0: free. */
    struct tdm_rider_seat *seat;
    bool fin_received, fin_acked;
};

struct tdm_channel_link {
    struct tdm_channel_link_config config;
    struct tdm_worker worker;
    bool started;
    int listener; /* -1: none. */
    uint16_t port;
    struct tdm_ring terms_ring, media_ring, status_ring;
    struct tdm_channel_terms terms_slots[4];
    struct tdm_channel_media media_slots[8];
    struct tdm_channel_link_status status_slots[TDM_CHANNEL_STATUSES];
    _Atomic bool stopping, woken;
    _Atomic uint64_t budget_bps;

    /* channel_door.c */
    struct tdm_channel_terms terms;
    bool agreed, opener;
    struct tdm_conn conns[TDM_CHANNEL_CONNS + 1];
    int in_use; /* Index; -1: none. */
    tdm_time dial_at, dial_pause;
    char dial_failed[160];

    /* channel_media.c */
    struct tdm_channel_media media;
    struct tdm_reliable *reliable; /* NULL: none. */
    void *reliable_storage;
    struct tdm_reliable_out reliable_out;
    tdm_time media_at; /* When the opener begins. */
    bool over_media;   /* The last connection was. */
    uint64_t media_budget;

    /* channel_drive.c */
    struct tdm_channel *core; /* NULL before the first terms. */
    void *core_storage;
    struct tdm_channel_out out;
    tdm_time core_wake, ran_at;
    uint64_t budget_told;
    bool blocked, more_to_read, broken, failed;
    uint32_t lowat, lowat_set;
    size_t in_size, out_size;
    uint32_t rider_count, command_first, command_count;
    struct tdm_rider_seat seats[TDM_CHANNEL_RIDERS_MAX];
    struct tdm_rider_command commands[TDM_CHANNEL_COMMANDS_MAX];
    struct tdm_stream_owner owners[TDM_CHANNEL_STREAM_MAP];
    uint8_t in[TDM_CHANNEL_IN_BYTES], out_bytes[TDM_CHANNEL_OUT_BYTES];
    uint8_t pulled[TDM_CHANNEL_BODY_MAX];

    struct tdm_channel_link_status status;
    tdm_time status_at;
};

/* channel_door.c: connections. */

void tdm_door_open(struct tdm_channel_link *l);
void tdm_door_close(struct tdm_channel_link *l);
void tdm_door_agree(struct tdm_channel_link *l, tdm_time now,
                    const struct tdm_channel_terms *terms);
/** What to poll for; entry i is of connection i, the last of the listener. */
void tdm_door_polls(const struct tdm_channel_link *l, struct pollfd polls[TDM_CHANNEL_CONNS + 1]);
void tdm_door_polled(struct tdm_channel_link *l, tdm_time now,
                     const struct pollfd polls[TDM_CHANNEL_CONNS + 1]);
/** Dials and deadlines. @return when again. */
tdm_time tdm_door_run(struct tdm_channel_link *l, tdm_time now);
/** The connection in use is gone; why for people. */
void tdm_door_lost(struct tdm_channel_link *l, tdm_time now, const char *why);

/** The stream over the media path is the connection now. */
void tdm_door_use_media(struct tdm_channel_link *l, tdm_time now);
bool tdm_door_is_named(const struct tdm_channel_terms *terms, const uint8_t peer[32]);

/* channel_media.c: the connection over the media path. */

/** Nothing stands: when it begins. */
void tdm_media_plan(struct tdm_channel_link *l, tdm_time now);
/** Takes how the media stands. */
void tdm_media_news(struct tdm_channel_link *l);
void tdm_media_receive(struct tdm_channel_link *l, tdm_time now);
/** What the core wrote, acknowledgements and what is sent again. @return when again. */
tdm_time tdm_media_send(struct tdm_channel_link *l, tdm_time now);
void tdm_media_close(struct tdm_channel_link *l, tdm_time now);

/* channel_drive.c: the core. */

enum tdm_err tdm_drive_open(struct tdm_channel_link *l, tdm_time now);
void tdm_drive_connected(struct tdm_channel_link *l, tdm_time now);
void tdm_drive_disconnected(struct tdm_channel_link *l, tdm_time now);
/** The first `in_size` bytes of `in` arrived. */
void tdm_drive_received(struct tdm_channel_link *l, tdm_time now);
/** Reads and writes all that goes, and lets the riders run. */
void tdm_drive_run(struct tdm_channel_link *l, tdm_time now, bool readable);
/** What held the core back over the media path does no more. */
bool tdm_drive_may_write(const struct tdm_channel_link *l);
tdm_time tdm_drive_wake(const struct tdm_channel_link *l);

/* channel_link.c */

/** Tells the control thread how things stand. */
void tdm_channel_link_tell(struct tdm_channel_link *l, tdm_time now,
                           enum tdm_channel_link_state state, const char *format, ...)
    TDM_PRINTF(4, 5);

#endif
