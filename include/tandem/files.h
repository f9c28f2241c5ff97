/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_FILES_H
#define TANDEM_FILES_H

/*
 * Files and folders to and from another person, over the data channel of a call, with sound and
 * picture or without. What is sent is described by a hash over all its blocks; what is received is
 * checked against it block by block, goes into one folder under a name that is safe, and replaces
 * nothing. A transfer that breaks off goes on where it was: in the next call, after a crash, days
 * later. docs/files.md says how.
 *
 * One `struct tandem_files` serves one call at a time: name it in struct tandem_media, and in the
 * next call again.
 *
 *     struct tandem_files *files;
 *     tandem_files_create(&(struct tandem_files_config){.folder = "in"}, &files, &cause);
 *     tandem_files_send(files, "photo.jpg", &number, &cause);
 *     media.channel = true;
 *     media.files = files;
 *     tandem_dial(t, "10.0.0.7", &media, &call, &cause);
 *     ... poll tandem_files_event_fd, tandem_files_next_event ...
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tandem_files;

struct tandem_files_config {
    const char *folder; /* Where received files go; must exist. ["."] */
    const char *accept; /* Rules for what is taken without asking, with ';' between them; in a rule
                           all conditions, with ',' between them, must hold: "all", "from:paul",
                           "from:paul@10.0.0.7", "max:100M", "type:image/" with a star behind it,
                           "type:.pdf". NULL: every offer waits for an answer. */
    uint64_t quota_bytes; /* Of all that is received; 0: no limit. */
    uint64_t size_max;    /* Of one offer; larger ones are refused. 0: no limit. */
    uint32_t entries_max; /* Files in a folder that is received. [100000] */
    bool plain;           /* Neither packed by zstd nor told by what the receiver has of it. */
};

/** Nothing is sent or received before a call names it. TANDEM_INVALID for a folder that is not
 *  there or a rule that means nothing. */
TANDEM_API enum tandem_status tandem_files_create(const struct tandem_files_config *config,
                                                  struct tandem_files **files,
                                                  struct tandem_cause *cause);

/** After every call that named it has ended and was released. What is unfinished stays in the
 *  folder. */
TANDEM_API void tandem_files_destroy(struct tandem_files *files);

/** Hashes a file or folder and offers it, at once or in the next call; events tell the rest.
 *  *number names the transfer from here on. TANDEM_AGAIN: too many wait. */
TANDEM_API enum tandem_status tandem_files_send(struct tandem_files *files, const char *path,
                                                uint32_t *number, struct tandem_cause *cause);

/** Answers an offer. */
TANDEM_API enum tandem_status tandem_files_accept(struct tandem_files *files, uint32_t number);
TANDEM_API enum tandem_status tandem_files_refuse(struct tandem_files *files, uint32_t number);
/** Stops and goes on, from either side; also after a full disk. */
TANDEM_API enum tandem_status tandem_files_pause(struct tandem_files *files, uint32_t number,
                                                 bool on);
/** Gives a transfer up; what was received stays, for an offer of the same some day. */
TANDEM_API enum tandem_status tandem_files_cancel(struct tandem_files *files, uint32_t number);

enum tandem_file_event_kind {
    TANDEM_FILE_OFFERED,  /* By the other side; tandem_files_accept or _refuse. `taken`: a rule has
                             accepted it already. */
    TANDEM_FILE_HASHED,   /* One of ours is offered from now on; text, if any: what of it is not. */
    TANDEM_FILE_ACCEPTED, /* By the other side. */
    TANDEM_FILE_PAUSED,   /* By either side; text = why. */
    TANDEM_FILE_RESUMED,
    TANDEM_FILE_ENDED, /* done; else text = why not. */
};

struct tandem_file_event {
    enum tandem_file_event_kind kind;
    uint32_t number;
    bool sending, taken, done;
    char name[256]; /* The clean name; at the end of a received one that which it got. */
    char text[256];
};

/** Readable when there may be events. */
TANDEM_API int tandem_files_event_fd(struct tandem_files *files);
/** Takes the oldest event; TANDEM_AGAIN when there is none. */
TANDEM_API enum tandem_status tandem_files_next_event(struct tandem_files *files,
                                                      struct tandem_file_event *event);

enum tandem_file_state {
    TANDEM_FILE_HASHING,
    TANDEM_FILE_WAITING, /* For an answer. */
    TANDEM_FILE_RUNNING,
    TANDEM_FILE_STOPPED, /* Paused by either side. */
    TANDEM_FILE_OVER,
};

struct tandem_file_info {
    enum tandem_file_state state;
    bool sending, linked;                     /* linked: the other side takes part now. */
    bool folder, renamed;                     /* renamed: the name as sent was not safe. */
    bool program;                             /* Opening it would start it. */
    uint32_t entries;                         /* Of a folder. */
    uint64_t size, done_bytes, resumed_bytes; /* resumed: of the done ones, there before. */
    uint64_t wire_bytes;                      /* Of content that crossed. */
    uint32_t wrong_blocks;
    int64_t date_s;
    char name[256], type[64];
    char hash[65]; /* Root of the tree hash, in hexadecimal; "" while it is being computed. */
};

/** TANDEM_INVALID: no such transfer (any more). */
TANDEM_API enum tandem_status tandem_files_info(struct tandem_files *files, uint32_t number,
                                                struct tandem_file_info *info);

#ifdef __cplusplus
}
#endif

#endif
