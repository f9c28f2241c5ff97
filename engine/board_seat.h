/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_SEAT_H
#define TDM_ENGINE_BOARD_SEAT_H

/*
 * A board's place at the data channel: the rider (engine/channel_rider.h) on one side, the board's
 * thread on the other, and between them bytes and a few words, under a lock that nobody holds
 * longer than a copy takes. It understands nothing of what it carries.
 *
 * Three streams each way, each opened by the side that sends on it.
 */

#include "engine/base/ring.h"
#include "engine/board_pipe.h"
#include "engine/channel_rider.h"
#include "engine/share_bytes.h"

#include <pthread.h>

enum tdm_board_lane {
    TDM_BOARD_LANE_OPS,   /* Class 4. */
    TDM_BOARD_LANE_LIVE,  /* Class 2: each DATA is a whole value, only the newest counts. */
    TDM_BOARD_LANE_BLOBS, /* Class 6. */
    TDM_BOARD_LANES
};

#define TDM_BOARD_LIVE_MAX   1400 /* Of a value: what any pull takes. */
#define TDM_BOARD_SEAT_WORDS 64

enum tdm_board_word_kind {
    TDM_BOARD_WORD_UP,
    TDM_BOARD_WORD_DOWN,
    TDM_BOARD_WORD_OVER,
    TDM_BOARD_WORD_OPENED, /* The other side's streams are all there. */
    TDM_BOARD_WORD_RESET,  /* The other side gave up one of them or of ours. */
};

struct tdm_board_word {
    enum tdm_board_word_kind kind;
    bool resumed, peer_known;
    uint8_t peer[TDM_FINGERPRINT_BYTES]; /* UP: whose certificate is at the other end. */
};

struct tdm_board_seat {
    pthread_mutex_t lock; /* Of all of it. */
    int wake;             /* The board's thread, when there is something for it. */
    struct tdm_rider_seat *seat;
    bool up;
    bool wanted, asked, closing; /* Our streams: shall be there; are being opened; all go. */
    uint64_t epoch;              /* Of our streams, in their tags. */
    uint32_t ours[TDM_BOARD_LANES], theirs[TDM_BOARD_LANES];
    struct tdm_ring words;
    struct tdm_board_word word_slots[TDM_BOARD_SEAT_WORDS];

    struct tdm_board_pipe out[TDM_BOARD_LANES]; /* But that of LIVE. */
    uint8_t live[TDM_BOARD_LIVE_MAX];
    size_t live_size;
    bool live_news;
    struct tdm_share_bytes in[TDM_BOARD_LANES]; /* LIVE: values, with a size u16 before each. */
    tdm_time arrived_at;                        /* The oldest of them; TDM_NEVER. */
    size_t consumed[TDM_BOARD_LANES];
    uint64_t bytes_sent, bytes_received;

    uint8_t scratch[32768]; /* The board's thread's own. */
};

enum tdm_err tdm_board_seat_open(struct tdm_board_seat *s, int wake);
/** After it was detached. */
void tdm_board_seat_close(struct tdm_board_seat *s);

extern const struct tdm_rider_ops tdm_board_rider; /* Its rider is a struct tdm_board_seat. */

/* On the board's thread. */

/** The oldest word; false: there is none. */
bool tdm_board_seat_word(struct tdm_board_seat *s, struct tdm_board_word *word);
/** All that has arrived on a lane, in place of `bytes`, which is empty. *at: when the oldest of it
 *  came. */
void tdm_board_seat_take(struct tdm_board_seat *s, enum tdm_board_lane lane,
                         struct tdm_share_bytes *bytes, tdm_time *at);
/** So much of it is done with. */
void tdm_board_seat_consumed(struct tdm_board_seat *s, enum tdm_board_lane lane, size_t size);

/** Our streams are to be opened, and are empty. */
void tdm_board_seat_begin(struct tdm_board_seat *s);
/** All streams are given up, ours and the other side's. */
void tdm_board_seat_end(struct tdm_board_seat *s);

/** Has `fill` write what is to be sent on a lane until it has no more or there is no room: it gets
 *  a room and says how much of it it filled. @return bytes filled in all. */
size_t tdm_board_seat_send(struct tdm_board_seat *s, enum tdm_board_lane lane,
                           size_t (*fill)(void *arg, uint8_t *room, size_t max), void *arg);
/** The newest live value; cut to nothing when it is too long. */
void tdm_board_seat_live(struct tdm_board_seat *s, const uint8_t *value, size_t size);
/** How many bytes of operations the other side's channel has not confirmed. */
uint64_t tdm_board_seat_waiting(struct tdm_board_seat *s);
void tdm_board_seat_figures(struct tdm_board_seat *s, uint64_t *sent, uint64_t *received);

#endif
