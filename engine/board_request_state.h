/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_REQUEST_STATE_H
#define TDM_ENGINE_BOARD_REQUEST_STATE_H

/* The inside of engine/board_request.h, shared by its files. */

#include "engine/board_request.h"

/** One request under way. */
struct tdm_request_job {
    const struct tdm_board_desk *desk;
    const json_t *request;
    json_t *answer;
    struct tdm_cause *cause;
};

/** Says in words why an edit was refused. @return `err`, or what it comes down to. */
enum tdm_err tdm_request_explain(struct tdm_request_job *j, enum tdm_err err);
/** Whether an edit that did not find room is worth repeating. */
bool tdm_request_again(struct tdm_request_job *j, enum tdm_err err);
/** Before several edits of which all or none shall be: memory for all of them. */
enum tdm_err tdm_request_room(struct tdm_request_job *j, size_t bytes);
/** The object that a member names. */
enum tdm_err tdm_request_named(struct tdm_request_job *j, const char *member,
                               struct tdm_board_id *id);

void tdm_request_answer_id(struct tdm_request_job *j, struct tdm_board_id id);

/* board_request_order.c: requests about several objects. */
enum tdm_err tdm_request_delete(struct tdm_request_job *j);
enum tdm_err tdm_request_order(struct tdm_request_job *j);
enum tdm_err tdm_request_group(struct tdm_request_job *j);
enum tdm_err tdm_request_ungroup(struct tdm_request_job *j);
enum tdm_err tdm_request_move(struct tdm_request_job *j);

#endif
