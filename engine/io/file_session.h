/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_FILE_SESSION_H
#define TDM_IO_FILE_SESSION_H

/*
 * Files with one peer: the transfer core (collab/files.h) and its disk (engine/io/file_store.h) put
 * together. Whoever has the streams gives bytes and takes bytes; the store's
 * `wake` is called when the disk has answered and tdm_file_session_turn shall be called. One
 * thread; never blocks.
 */

#include "engine/io/file_store.h"

struct tdm_file_session;

struct tdm_file_session_config {
    struct tdm_file_store_config store;
    struct tdm_files_config core;
};

enum tdm_file_session_event_kind {
    TDM_FILE_SESSION_OFFERED,  /* By the other side: accept or refuse it. */
    TDM_FILE_SESSION_ADDED,    /* A file of ours is hashed and offered; ticket. */
    TDM_FILE_SESSION_ACCEPTED, /* By the other side. */
    TDM_FILE_SESSION_PAUSED,
    TDM_FILE_SESSION_RESUMED,
    TDM_FILE_SESSION_ENDED,   /* end, by_peer; name: under which it was received. */
    TDM_FILE_SESSION_NO_FILE, /* ticket: it cannot be offered, cause. */
};

struct tdm_file_session_event {
    enum tdm_file_session_event_kind kind;
    uint32_t transfer, ticket;
    enum tdm_file_end end;
    enum tdm_file_pause pause;
    bool by_peer, sending;
    struct tdm_file_desc desc;
    char name[TDM_FILE_NAME_MAX + 16];
    struct tdm_cause cause;
};

enum tdm_err tdm_file_session_create(struct tdm_file_session **session,
                                     const struct tdm_file_session_config *config,
                                     struct tdm_cause *cause);
/** Parts stay; nothing is said to the other side. */
void tdm_file_session_destroy(struct tdm_file_session *session);

/** Both streams are new, to whom has this fingerprint (TDM_FILES_PEER_BYTES); NULL: gone. */
void tdm_file_session_link(struct tdm_file_session *session, const uint8_t *peer);
/** Bytes of the stream of messages (content = false) or of content. Returns how many were taken;
 *  the rest must be offered again after a turn. */
size_t tdm_file_session_take(struct tdm_file_session *session, bool content, const uint8_t *data,
                             size_t size);
/** Fills up to `size` bytes to send. */
size_t tdm_file_session_fill(struct tdm_file_session *session, bool content, uint8_t *room,
                             size_t size);
bool tdm_file_session_has(const struct tdm_file_session *session, bool content);
/** What the disk has done since. False with a sentence when the other side breaks the protocol: the
 *  streams must be reset (tdm_file_session_link). Again at tdm_file_session_wake_at. */
bool tdm_file_session_turn(struct tdm_file_session *session, const char **why);

/** When the next turn is due, if nothing happens before. */
tdm_time tdm_file_session_wake_at(const struct tdm_file_session *session);

/** Hashes and offers. TDM_E_SPACE: too many wait. */
enum tdm_err tdm_file_session_add(struct tdm_file_session *session, uint32_t ticket,
                                  const char *path);
/** ACCEPT, REFUSE, PAUSE, RESUME or CANCEL. */
void tdm_file_session_wish(struct tdm_file_session *session, enum tdm_files_input wish,
                           uint32_t transfer);

/** false: none waits. */
bool tdm_file_session_next(struct tdm_file_session *session, struct tdm_file_session_event *event);
bool tdm_file_session_progress(const struct tdm_file_session *session, uint32_t transfer,
                               struct tdm_files_progress *progress);
void tdm_file_session_hashing(struct tdm_file_session *session, uint64_t *done, uint64_t *total);

#endif
