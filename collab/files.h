/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILES_H
#define TDM_COLLAB_FILES_H

/*
 * Files between two sides, several at once and both ways, over two streams of the data channel: one
 * for messages, one for content. Pure: bytes, answers of the disk and wishes of the user go in; one
 * event and one job for the disk come out of each step.
 *
 * The receiver pulls. It asks its disk which blocks are missing, wants them from the sender, has
 * each verified and written, and asks again for what was wrong. So a transfer has no state that a
 * broken connection or a crash could lose: the sender offers, the receiver's disk knows the rest.
 * After TDM_FILES_LINK_UP both sides tell everything anew, of transfers with that peer: each
 * belongs to the peer of its first link, and nobody else hears of it.
 *
 * It decides who is asked for which block when, and what an untruthful peer may cost. It does not
 * decide whether a user wants a file (TDM_FILES_ACCEPT), does not hash or touch a disk (jobs), and
 * does not measure speed (progress is asked for by whoever shows it).
 */

#include "collab/file_block.h"
#include "collab/file_wire.h"
#include "engine/base/time.h"

#define TDM_FILES_TRANSFERS_MAX 64 /* Both ways together, those that ended among them. */
#define TDM_FILES_OFFERS_MAX    24 /* That one side may have open at once. */
#define TDM_FILES_PEER_BYTES    32 /* Who the other side is: the fingerprint of its certificate. */
#define TDM_FILES_SLOTS         6  /* Blocks on their way, each way. */
#define TDM_FILE_SLOT_BYTES     (TDM_FILE_PROOF_MAX * TDM_FILE_HASH_BYTES + TDM_FILE_BLOCK_BYTES)

struct tdm_files_config {
    uint64_t seed;        /* Of the identifiers of offers. */
    uint64_t size_max;    /* Offers above are refused; 0: no limit but the format's. */
    uint32_t entries_max; /* Of a folder; 0: no limit but the format's. */
};

enum tdm_files_input {
    TDM_FILES_LINK_UP,      /* peer: both streams are new. */
    TDM_FILES_LINK_DOWN,    /* What was not answered may never have arrived. */
    TDM_FILES_CONTROL,      /* data, size: of the stream of messages; out.consumed. */
    TDM_FILES_DATA,         /* data, size: of the stream of content; out.consumed. */
    TDM_FILES_PULL_CONTROL, /* room, size: to be filled; out.filled. */
    TDM_FILES_PULL_DATA,
    TDM_FILES_DONE,   /* done: the answer to a job. */
    TDM_FILES_OFFER,  /* desc: a file that our disk can read; out.transfer, 0: too many. */
    TDM_FILES_ACCEPT, /* transfer */
    TDM_FILES_REFUSE,
    TDM_FILES_PAUSE,
    TDM_FILES_RESUME,
    TDM_FILES_CANCEL, /* Of either side; what was received stays when `keep`. */
};

/** What the disk shall do. Jobs of one transfer are done in order. */
enum tdm_files_job_kind {
    TDM_FILES_JOB_NONE,
    /* For the receiver. */
    TDM_FILES_JOB_OPEN,  /* desc: begin, or take up; answers blocks, chunk_count. */
    TDM_FILES_JOB_PLAN,  /* index, count: the first run of missing blocks from there on, so long at
                            most; answers index, count (0: none). */
    TDM_FILES_JOB_SIGN,  /* frame.index, data: signatures of the old file into data; answers size */
    TDM_FILES_JOB_WRITE, /* frame, data: verify and write; answers blocks that are new. */
    TDM_FILES_JOB_SPACE, /* Whether a full disk has room again: OK or DISK_FULL. */
    TDM_FILES_JOB_FINISH, /* Everything on the disk and verified: give it its name. */
    TDM_FILES_JOB_CLOSE,  /* keep: leave what is there for another day. No answer. Both sides. */
    /* For the sender. */
    TDM_FILES_JOB_READ,  /* frame.index, count, plain, data: proof and body into data; answers
                            frame. Zeros may be told of up to `count` blocks. */
    TDM_FILES_JOB_LEARN, /* frame, data: signatures of the receiver's old file. */
};

enum tdm_files_result {
    TDM_FILES_OK,
    TDM_FILES_WRONG_BYTES, /* WRITE: not what the hash says. LEARN: no signatures. */
    TDM_FILES_DISK_FULL,
    TDM_FILES_DISK_FAILED,
    TDM_FILES_FILE_CHANGED, /* READ */
    TDM_FILES_BAD_MANIFEST, /* WRITE */
    TDM_FILES_OVER_LIMIT,   /* OPEN, WRITE: more than the user allows. */
};

struct tdm_files_job {
    enum tdm_files_job_kind kind;
    uint32_t transfer;
    uint32_t slot; /* Of data; goes back in the answer. */
    uint8_t *data; /* TDM_FILE_SLOT_BYTES, the disk's until it answers. */
    struct tdm_file_frame frame;
    uint32_t index, count;
    bool plain, keep, sending;
    const struct tdm_file_desc *desc; /* Valid until the answer. */
};

struct tdm_files_done {
    enum tdm_files_job_kind kind;
    uint32_t transfer, slot;
    enum tdm_files_result result;
    struct tdm_file_frame frame; /* READ, SIGN: size, and of READ encoding, height, proof_count. */
    uint32_t blocks, index, count, chunk_count;
};

struct tdm_files_in {
    enum tdm_files_input kind;
    const uint8_t *data;
    uint8_t *room;
    size_t size;
    uint32_t transfer;
    bool keep;
    const uint8_t *peer; /* TDM_FILES_PEER_BYTES */
    const struct tdm_files_done *done;
    const struct tdm_file_desc *desc;
};

enum tdm_files_event {
    TDM_FILES_EV_NONE,
    TDM_FILES_EV_OFFERED,  /* The other side offers; answer with ACCEPT or REFUSE, any time. */
    TDM_FILES_EV_ACCEPTED, /* By the other side. */
    TDM_FILES_EV_PAUSED,   /* pause, by_peer */
    TDM_FILES_EV_RESUMED,
    TDM_FILES_EV_ENDED, /* end, by_peer */
};

struct tdm_files_out {
    size_t consumed, filled;
    bool control_ready, data_ready; /* The stream has something to send: pull. */
    uint32_t transfer;
    enum tdm_files_event event;
    enum tdm_file_end end;
    enum tdm_file_pause pause;
    bool by_peer;
    bool failed; /* The peer breaks the protocol: reset both streams. */
    const char *why;
    struct tdm_files_job job;
    tdm_time wake_at; /* <= now: step again, there is more. */
};

enum tdm_files_state {
    TDM_FILES_OFFERED, /* Nobody has answered yet. */
    TDM_FILES_OPENING, /* Accepted; the disk prepares. */
    TDM_FILES_RUNNING,
    TDM_FILES_FINISHING,
    TDM_FILES_ENDED,
};

struct tdm_files_progress {
    enum tdm_files_state state;
    bool sending, linked; /* linked: the other side takes part now. */
    bool paused_here, paused_there;
    enum tdm_file_pause pause;
    enum tdm_file_end end;
    uint64_t done_bytes; /* Verified at the receiver; at the sender what it was told or has sent. */
    uint64_t resumed_bytes; /* Of these, those that were there before. */
    uint64_t wire_bytes;    /* Of content, that crossed. */
    uint32_t wrong_blocks;
    const struct tdm_file_desc *desc;
};

struct tdm_files;

size_t tdm_files_bytes(void);
struct tdm_files *tdm_files_init(void *storage, const struct tdm_files_config *config);
/** `in` NULL: only to go on. */
void tdm_files_step(struct tdm_files *f, tdm_time now, const struct tdm_files_in *in,
                    struct tdm_files_out *out);
/** false: no such transfer (any more). */
bool tdm_files_progress(const struct tdm_files *f, uint32_t transfer,
                        struct tdm_files_progress *progress);

/** In plain English: "cancelled". */
const char *tdm_file_end_name(enum tdm_file_end end);

#endif
