/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_FILES_STATE_H
#define TDM_ENGINE_FILES_STATE_H

/* The inside of engine/files.h, shared by its two files. */

#include "collab/file_rule.h"
#include "engine/base/ring.h"
#include "engine/files.h"
#include "engine/io/file_session.h"

#include <pthread.h>

#define TDM_FILES_EVENTS  256
#define TDM_FILES_SENT    64 /* Numbers of files of ours that are remembered. */
#define TDM_FILES_RELINKS 8  /* After breaches of the protocol, in one call. */

enum { TDM_FILES_MESSAGES, TDM_FILES_CONTENT, TDM_FILES_STREAMS };

/* What arrived and was not taken yet: the disk is behind. */
struct tdm_held {
    uint8_t *bytes;
    size_t size, room;
};

/* A file of ours, from the program's wish on. The core knows it once it is hashed. */
struct tdm_sent {
    uint32_t number, transfer;
    bool over;
    char name[TDM_FILE_NAME_MAX];
};

/*
 * `lock` guards all of it. The channel's thread, the program's and the disk's (to wake) hold it for
 * as long as a step of the core takes; none waits for anything while it does.
 */
struct tandem_files {
    pthread_mutex_t lock;
    struct tdm_file_session *session;
    struct tdm_rider_seat *seat; /* NULL: no channel. */
    char *rules;
    char peer[256];
    uint8_t peer_print[TDM_FILES_PEER_BYTES]; /* Of the channel that is up. */
    bool up;
    uint32_t relinks;
    uint32_t out[TDM_FILES_STREAMS]; /* Streams that we opened; 0: not yet. */
    uint32_t in[TDM_FILES_STREAMS];  /* Those of the other side. */
    uint64_t epoch;                  /* Of the streams, as their tag. */
    struct tdm_held held[TDM_FILES_STREAMS];

    uint32_t last_number;
    struct tdm_sent sent[TDM_FILES_SENT];
    int event_fd;
    struct tdm_ring events;
    struct tandem_file_event event_slots[TDM_FILES_EVENTS];
};

/* The lock is held in all of these. */

/** Takes what the disk and the core have to say. */
void tdm_files_turn(struct tandem_files *files);
/** Offers again what could not be taken, and tells the channel what there is to send. */
void tdm_files_flow(struct tandem_files *files);
/** New streams: the channel broke, or the other side broke the protocol. */
void tdm_files_relink(struct tandem_files *files);
void tdm_files_heard(struct tandem_files *files, const struct tdm_file_session_event *event);

#endif
