/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILES_STATE_H
#define TDM_COLLAB_FILES_STATE_H

/* The inside of collab/files.h, shared by its files: owned by whoever owns the storage. */

#include "collab/files.h"
#include "engine/base/rng.h"

#define TDM_FILES_RANGES      16 /* Of wanted blocks, a transfer. */
#define TDM_FILES_WANT_BLOCKS 64 /* As many blocks: 16 MiB on their way. */
#define TDM_FILES_WANT_RUN    16
#define TDM_FILES_RETRIES     16
#define TDM_FILES_WRONG_ROW   8 /* Wrong blocks one after the other that a sender may send. */
#define TDM_FILES_SPACE_EVERY (5 * TDM_S) /* A full disk is looked at. */
#define TDM_FILES_VAIN_MAX    3           /* Rounds over all that is missing that bring nothing. */

struct tdm_file_range {
    uint32_t first, count;
    bool plain;
};

struct tdm_file_refusal {
    uint64_t id;
    enum tdm_file_end end;
};

struct tdm_transfer {
    uint32_t number; /* 0: free. */
    uint64_t id;     /* The sender's. */
    bool sending;
    enum tdm_files_state state;
    struct tdm_file_desc desc;
    enum tdm_file_end end;
    bool ended_by_peer;
    bool bound; /* To `peer`, the one it was first linked with. */
    uint8_t peer[TDM_FILES_PEER_BYTES];
    bool here;      /* The peer of the link that is up is this one. */
    bool linked;    /* Offered, and heard of, since the link is up. */
    bool accepting; /* The user has accepted. */
    bool open;      /* The disk has it. */
    bool keep;
    enum tdm_file_pause pause_here, pause_there;
    tdm_time try_at; /* When the full disk is looked at again. */
    bool trying;
    uint32_t jobs; /* Asked for and not answered. */

    /* What the next steps tell: the other side, the disk, the user. */
    bool say_offer, say_accept, say_pause, say_end;
    bool ask_open, ask_plan, ask_finish, ask_close, ask_space;
    bool tell_offered, tell_accepted, tell_pause, tell_end;
    bool pause_is_peers;

    /* Receiver: what is wanted and on its way, in the order in which it comes. */
    struct tdm_file_range out[TDM_FILES_RANGES];
    uint32_t out_count, out_said; /* Ranges; of these, those that were told. */
    uint32_t writing;
    uint32_t have_blocks, resumed_blocks;
    uint32_t cursor;
    bool planning, plan_stale, round_over, round_fresh;
    uint32_t rounds_vain, wrong_row;
    uint32_t retries[TDM_FILES_RETRIES];
    uint32_t retry_count;
    uint32_t wrong_blocks;
    uint32_t chunk_count, chunks_said; /* Signatures of the old file. */
    bool signing;

    /* Sender: what the receiver wants. */
    struct tdm_file_range wants[TDM_FILES_RANGES];
    uint32_t want_count;
    bool reading;
    uint32_t chunks_due, chunks_seen, chunks_learned;
    uint32_t sent_blocks;
    uint64_t wire_bytes;
};

enum tdm_slot_state { TDM_SLOT_FREE, TDM_SLOT_FILLING, TDM_SLOT_READY, TDM_SLOT_DISK };

struct tdm_slot {
    enum tdm_slot_state state;
    bool stale; /* Its link is gone: drop it when the disk gives it back. */
    uint32_t transfer, order;
    struct tdm_file_frame frame;
    uint8_t data[TDM_FILE_SLOT_BYTES];
};

struct tdm_files {
    struct tdm_files_config config;
    struct tdm_rng rng;
    uint8_t peer[TDM_FILES_PEER_BYTES]; /* Of the link, while it is up. */
    uint32_t offers_max;                /* That the peer takes at once; 0: it has not said. */
    bool up, said_hello, heard_hello, failed;
    const char *why;
    uint32_t last_number, turn, order;
    struct tdm_transfer transfers[TDM_FILES_TRANSFERS_MAX];

    /* Refusals of offers that got no place. */
    struct tdm_file_refusal refused[TDM_FILES_OFFERS_MAX];
    uint32_t refused_count;

    uint8_t control_out[TDM_FILE_MESSAGE_MAX];
    size_t control_out_size, control_out_at;
    uint8_t control_in[TDM_FILE_MESSAGE_MAX];
    size_t control_in_size, control_skip;

    struct tdm_slot tx[TDM_FILES_SLOTS], rx[TDM_FILES_SLOTS];
    struct tdm_slot *sending; /* Whose bytes go out now. */
    size_t sending_at;
    uint8_t head[TDM_FILE_FRAME_HEAD];
    size_t head_size;
    struct tdm_slot *receiving; /* Where bytes that arrive go; NULL while a head is read. */
    size_t receiving_at, data_skip;
};

/* files.c */
struct tdm_transfer *tdm_files_find(struct tdm_files *f, uint32_t number);
/** Among those with the peer of the link. */
struct tdm_transfer *tdm_files_find_id(struct tdm_files *f, uint64_t id, bool sending);
struct tdm_transfer *tdm_files_new(struct tdm_files *f, bool sending);
struct tdm_slot *tdm_files_free_slot(struct tdm_slot slots[TDM_FILES_SLOTS]);
void tdm_files_end(struct tdm_transfer *t, enum tdm_file_end end, bool by_peer);
void tdm_files_fail(struct tdm_files *f, const char *why);
void tdm_files_set_pause(struct tdm_transfer *t, enum tdm_file_pause pause, bool by_peer);

void tdm_files_resume(struct tdm_transfer *t);

/* files_control.c: the stream of messages. */
size_t tdm_files_take_control(struct tdm_files *f, const uint8_t *data, size_t size);
size_t tdm_files_fill_control(struct tdm_files *f, uint8_t *room, size_t size);
bool tdm_files_has_control(const struct tdm_files *f);

/* files_data.c: the stream of content. */
size_t tdm_files_take_data(struct tdm_files *f, const uint8_t *data, size_t size);
size_t tdm_files_fill_data(struct tdm_files *f, uint8_t *room, size_t size);
bool tdm_files_has_data(const struct tdm_files *f);

/* files_disk.c: jobs and their answers. */
void tdm_files_next_job(struct tdm_files *f, struct tdm_files_job *job);
void tdm_files_job_done(struct tdm_files *f, const struct tdm_files_done *done);

#endif
