/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CHAT_H
#define TDM_COLLAB_CHAT_H

/*
 * Chat between two sides over one stream each way of the data channel: keeps what was said until
 * the other side's channel has it, puts messages together from any split of the bytes, answers
 * every text with a receipt, and knows whether the other side is typing. Pure.
 *
 * A text is delivered once its receipt came. What has none when a connection is lost for good is
 * put again by the caller, who keeps history; the receiver knows a text by its id and shows it
 * once.
 */

#include "collab/chat_wire.h"
#include "engine/base/time.h"

#include <stdbool.h>

#define TDM_CHAT_OUT_BYTES ((size_t)2 * TDM_CHAT_MESSAGE_MAX)
#define TDM_CHAT_SEEN      256 /* Ids of texts that are known to have come. */

struct tdm_chat {
    /* Out: a ring of the stream's bytes from `acked` to `put`, of which the channel took up to
     * `pulled`. Offsets count from the stream's begin. */
    uint64_t acked, pulled, put;
    uint8_t out[TDM_CHAT_OUT_BYTES];

    /* In: a message that is not whole yet. */
    uint32_t in_size;
    bool in_broken; /* The other side breaks the rules: nothing of it is believed any more. */
    uint8_t in[TDM_CHAT_HEAD_BYTES + TDM_CHAT_MESSAGE_MAX];
    uint32_t skip; /* Bytes of a message too large for us that are still to come. */

    uint64_t seen[TDM_CHAT_SEEN];
    uint32_t seen_next;
    tdm_time typing_until; /* The other side's; TDM_NEVER: it is not. */
    uint64_t refused;      /* Messages that were malformed or too large. */
};

void tdm_chat_init(struct tdm_chat *c);

/** A message of ours. TDM_E_SPACE: too much waits, or the text is too long. */
enum tdm_err tdm_chat_put(struct tdm_chat *c, const struct tdm_chat_message *m);

/** For the channel: whether there is anything to send; fills up to `max` bytes of it. */
bool tdm_chat_has(const struct tdm_chat *c);
size_t tdm_chat_pull(struct tdm_chat *c, uint8_t *room, size_t max);
/** The other side's channel has everything below `offset`. */
void tdm_chat_acked(struct tdm_chat *c, uint64_t offset);
/** The next pull is at `offset` again. */
void tdm_chat_rewind(struct tdm_chat *c, uint64_t offset);
/** A new stream instead: what was put and not acknowledged is forgotten, on both ways. */
void tdm_chat_restart(struct tdm_chat *c);

/**
 * Bytes of the other side.
 *
 * @param m  What became whole: kind OTHER when nothing did, or nothing that is known. A TEXT or
 *           FILE that came before has `again` set. Text borrows until the next call.
 *
 * @return how many bytes were taken; call again for the rest. A receipt of a TEXT or FILE is put
 *         by itself.
 */
size_t tdm_chat_take(struct tdm_chat *c, tdm_time now, const uint8_t *data, size_t size,
                     struct tdm_chat_message *m, bool *again);

/** Whether the other side is typing; it is forgotten when nothing renews it. */
bool tdm_chat_typing(const struct tdm_chat *c, tdm_time now);

#endif
