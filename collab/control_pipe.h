/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CONTROL_PIPE_H
#define TDM_COLLAB_CONTROL_PIPE_H

/*
 * One stream of control records: keeps what was put until the other side's channel has it, and puts
 * records together from any split of the bytes. Pure. One for each stream of either side.
 */

#include "collab/control_wire.h"

#define TDM_CONTROL_PIPE_BYTES 65536u

struct tdm_control_pipe {
    /* Out: a ring of the stream's bytes from `acked` to `put`, of which the channel took up to
     * `pulled`. Offsets count from the stream's begin. */
    uint64_t acked, pulled, put;
    uint8_t out[TDM_CONTROL_PIPE_BYTES];
    /* In: a record that is not whole yet. */
    uint32_t in_size;
    uint8_t in[TDM_CONTROL_RECORD_MAX];
    uint32_t skip;    /* Bytes of a record too large for us that are still to come. */
    uint64_t refused; /* Records that were malformed or too large. */
};

void tdm_control_pipe_init(struct tdm_control_pipe *p);
/** TDM_E_SPACE: too much waits. Nothing of the record was put. */
enum tdm_err tdm_control_pipe_put(struct tdm_control_pipe *p, const struct tdm_control_record *rec);
/** Bytes that a put would find free. */
size_t tdm_control_pipe_room(const struct tdm_control_pipe *p);

/** For the channel, as in collab/chat.h. */
bool tdm_control_pipe_has(const struct tdm_control_pipe *p);
size_t tdm_control_pipe_pull(struct tdm_control_pipe *p, uint8_t *room, size_t max);
void tdm_control_pipe_acked(struct tdm_control_pipe *p, uint64_t offset);
void tdm_control_pipe_rewind(struct tdm_control_pipe *p, uint64_t offset);

/**
 * Bytes of the other side.
 *
 * @param rec  What became whole: kind OTHER when nothing did, or nothing that is known. Borrows
 *             until the next call.
 * @return how many bytes were taken; call again for the rest.
 */
size_t tdm_control_pipe_take(struct tdm_control_pipe *p, const uint8_t *data, size_t size,
                             struct tdm_control_record *rec);

#endif
