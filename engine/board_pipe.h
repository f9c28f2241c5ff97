/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_PIPE_H
#define TDM_ENGINE_BOARD_PIPE_H

/*
 * The bytes of one stream on their way from the board's thread to the channel's: kept until the
 * other side's channel has them, so that a broken connection can go on. A ring of fixed size; its
 * owner locks.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_board_pipe {
    uint8_t *ring;
    size_t capacity;
    /* Offsets count from the stream's begin: acked <= pulled <= put. */
    uint64_t acked, pulled, put;
};

/** TDM_E_SYSTEM: no memory. */
enum tdm_err tdm_board_pipe_open(struct tdm_board_pipe *p, size_t capacity);
void tdm_board_pipe_close(struct tdm_board_pipe *p);
/** A new stream: empty, from offset 0. */
void tdm_board_pipe_restart(struct tdm_board_pipe *p);

/** So many bytes can be put. */
size_t tdm_board_pipe_free(const struct tdm_board_pipe *p);
/** No more than are free. */
void tdm_board_pipe_put(struct tdm_board_pipe *p, const uint8_t *data, size_t size);

/** For the channel, as in engine/channel_rider.h. */
bool tdm_board_pipe_has(const struct tdm_board_pipe *p);
size_t tdm_board_pipe_pull(struct tdm_board_pipe *p, uint8_t *room, size_t max);
void tdm_board_pipe_acked(struct tdm_board_pipe *p, uint64_t offset);
void tdm_board_pipe_rewind(struct tdm_board_pipe *p, uint64_t offset);

#endif
