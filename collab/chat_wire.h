/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CHAT_WIRE_H
#define TDM_COLLAB_CHAT_WIRE_H

/*
 * Chat messages as bytes of a stream, version 1. Each is a size (32 bits) of what follows, a type
 * (8 bits) and its fields, all big-endian; types that are not known are stepped over, and fields
 * may be added behind those that are known. Pure.
 *
 *   TEXT     id (64), sent (64, ms of Unix time), text
 *   EDIT     id of the text, sent, the new text ("" takes it back)
 *   RECEIPT  id of the text, 1 = it is there, 2 = it was read
 *   TYPING   seconds (8); 0 = no longer
 *   FILE     id, sent, root of the tree hash (32 bytes), name: a file that is sent beside it
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_CHAT_TEXT_MAX    (1u << 20) /* Bytes; longer ones are files. */
#define TDM_CHAT_HEAD_BYTES  5          /* Size and type. */
#define TDM_CHAT_MESSAGE_MAX (TDM_CHAT_TEXT_MAX + 64)

enum tdm_chat_kind {
    TDM_CHAT_OTHER = 0, /* As read: nothing that we know. */
    TDM_CHAT_TEXT = 1,
    TDM_CHAT_EDIT = 2,
    TDM_CHAT_RECEIPT = 3,
    TDM_CHAT_TYPING = 4,
    TDM_CHAT_FILE = 5,
};

enum tdm_chat_receipt { TDM_CHAT_DELIVERED = 1, TDM_CHAT_READ = 2 };

struct tdm_chat_message {
    enum tdm_chat_kind kind;
    uint64_t id;      /* Made by the author of the text: random, so that both sides' differ. */
    int64_t sent_ms;  /* Unix time by the author's clock. */
    const char *text; /* TEXT, EDIT, name of FILE: UTF-8 without a terminator; borrowed. */
    uint32_t size;
    uint8_t root[32];
    enum tdm_chat_receipt receipt;
    uint8_t seconds;
};

/** Bytes that a message takes, its head included. */
size_t tdm_chat_size(const struct tdm_chat_message *m);

/** Writes head and body. TDM_E_SPACE when there is no room. */
enum tdm_err tdm_chat_write(const struct tdm_chat_message *m, uint8_t *data, size_t capacity);

/** Reads what stands behind the size: type and fields. TDM_E_MALFORMED for a known type with too
 *  few bytes, or text that is too long. */
enum tdm_err tdm_chat_parse(struct tdm_chat_message *m, const uint8_t *data, size_t size);

/** Makes text fit to be shown: bytes that are no UTF-8, controls but line ends and tabs, and
 *  characters that turn the direction of others become U+FFFD. @return its size in `clean`, at most
 *  `capacity`; what does not fit is cut between characters. */
size_t tdm_chat_clean(const char *text, size_t size, char *clean, size_t capacity);

#endif
