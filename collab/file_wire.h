/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_WIRE_H
#define TDM_COLLAB_FILE_WIRE_H

/*
 * What two sides say about files, as bytes. Messages go on a stream of kind TDM_KIND_FILES: type:u8
 * size:u16 body; an unknown type is skipped, and so are bytes behind those known of a known one.
 * Content goes on a stream of kind TDM_KIND_FILE_DATA: a header and a body (struct tdm_file_frame).
 * A file is described in the terms of RFC 5547 (docs/files.md maps them).
 */

#include "collab/file_name.h"
#include "collab/file_tree.h"
#include "engine/base/bytes.h"

#define TDM_FILES_VERSION     1
#define TDM_FILE_MESSAGE_MAX  512 /* Of a known type, with its head. */
#define TDM_FILE_MESSAGE_HEAD 3
#define TDM_FILE_FRAME_HEAD   18
#define TDM_FILE_TYPE_MAX     64
#define TDM_FILE_ENTRIES_MAX  1000000
#define TDM_FILE_MANIFEST_MAX (256u << 20)

/** A file, or a folder: then `size` counts the manifest (collab/file_manifest.h), filled up to
 *  whole blocks, and the contents of its files behind it. */
struct tdm_file_desc {
    uint64_t size;
    int64_t date_s; /* Last modified, seconds since 1970. */
    tdm_file_hash root;
    uint32_t manifest_bytes; /* 0: a single file. */
    uint32_t entries;        /* Of a folder. */
    char name[TDM_FILE_NAME_MAX];
    bool renamed; /* The name as sent was not safe. Parsing sets it. */
    char type[TDM_FILE_TYPE_MAX];
};

enum tdm_file_message_kind {
    TDM_FILE_HELLO = 1,
    TDM_FILE_OFFER = 2,
    TDM_FILE_ACCEPT = 3, /* have_blocks, chunk_count. */
    TDM_FILE_WANT = 4,   /* first, count, plain. */
    TDM_FILE_PAUSE = 5,  /* why, by_sender; why = GOES_ON ends it. */
    TDM_FILE_END = 6,    /* end, by_sender. */
};

enum tdm_file_end {
    TDM_FILE_END_NONE = 0,
    TDM_FILE_END_DONE = 1,
    TDM_FILE_END_REFUSED = 2,
    TDM_FILE_END_CANCELLED = 3,
    TDM_FILE_END_CHANGED = 4,    /* The file changed while it was sent. */
    TDM_FILE_END_UNREADABLE = 5, /* At the sender. */
    TDM_FILE_END_WRONG = 6,      /* What came is not what the hash says. */
    TDM_FILE_END_TOO_BIG = 7,    /* For the receiver's limits. */
    TDM_FILE_END_TOO_MANY = 8,   /* Offers at once. */
    TDM_FILE_END_MANIFEST = 9,   /* Of a folder, cannot be followed. */
    TDM_FILE_END_DISK = 10,      /* The receiver's failed. */
    TDM_FILE_END_PROTOCOL = 11,
    TDM_FILE_END_COUNT,
};

enum tdm_file_pause {
    TDM_FILE_GOES_ON = 0,
    TDM_FILE_PAUSE_USER = 1,
    TDM_FILE_PAUSE_DISK_FULL = 2,
    TDM_FILE_PAUSE_COUNT,
};

struct tdm_file_message {
    enum tdm_file_message_kind kind;
    uint64_t id;
    struct tdm_file_desc desc; /* OFFER. */
    uint32_t have_blocks, chunk_count;
    uint32_t first, count;
    bool plain; /* Not as a delta, and read again: what came was wrong. */
    bool by_sender;
    enum tdm_file_pause pause;
    enum tdm_file_end end;
    uint16_t version;
    uint16_t offers_max;
};

/** Bytes written, up to TDM_FILE_MESSAGE_MAX. */
size_t tdm_file_message_write(const struct tdm_file_message *m, uint8_t out[TDM_FILE_MESSAGE_MAX]);
/** The body of one message. TDM_E_UNSUPPORTED: of no known type. */
enum tdm_err tdm_file_message_parse(struct tdm_file_message *m, uint8_t kind, const uint8_t *body,
                                    size_t size);

enum tdm_file_frame_kind { TDM_FILE_BLOCK = 'B', TDM_FILE_SIGNATURES = 'S' };

/** The head of content; `proof_count` hashes and `size` bytes follow. */
struct tdm_file_frame {
    enum tdm_file_frame_kind kind;
    uint64_t id;
    uint32_t index; /* Of the block, or of the first signature. */
    uint8_t encoding, height, proof_count;
    uint32_t size;
};

/** What follows the head. */
size_t tdm_file_frame_body(const struct tdm_file_frame *f);
void tdm_file_frame_write(const struct tdm_file_frame *f, uint8_t head[TDM_FILE_FRAME_HEAD]);
enum tdm_err tdm_file_frame_parse(struct tdm_file_frame *f,
                                  const uint8_t head[TDM_FILE_FRAME_HEAD]);

#endif
