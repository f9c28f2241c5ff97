/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_REQUEST_H
#define TDM_ENGINE_BOARD_REQUEST_H

/*
 * Requests of programs, as JSON, done on a document: what can be done without a file, a connection
 * or a window. The table of docs/board-json.md says what there is. A request that is refused has
 * changed nothing. No thread, no clock.
 */

#include "collab/board.h"
#include "engine/base/err.h"

#include <jansson.h>

/** On what, and for whom. */
struct tdm_board_desk {
    struct tdm_board *board;
    /** After TDM_E_SPACE gives the board memory, after TDM_E_AGAIN takes what is fresh. False:
     *  there is none, or no way. */
    bool (*relieve)(void *arg, enum tdm_err err);
    void *arg;
};

/**
 * Does a request.
 *
 * @param answer  Of what the request says, but for "ok"; a new reference, set on TDM_OK alone.
 *
 * @return TDM_E_UNSUPPORTED: not one of these. TDM_E_MALFORMED, TDM_E_GONE, TDM_E_DENIED,
 *         TDM_E_SPACE with a cause.
 */
enum tdm_err tdm_board_request_do(const struct tdm_board_desk *desk, const json_t *request,
                                  json_t **answer, struct tdm_cause *cause);

#endif
