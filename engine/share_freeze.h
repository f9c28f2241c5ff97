/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_SHARE_FREEZE_H
#define TDM_ENGINE_SHARE_FREEZE_H

/*
 * A shared screen with what is drawn over it becomes a page of a board: the picture as it is now,
 * as an image of its own size, and the annotations over it as objects like any others.
 */

#include "engine/base/err.h"

#include <jansson.h>

struct tandem_share;

/**
 * A request of tandem_share_request: "freeze" here, all others by engine/share_ink.h.
 *
 * @param answer  A new reference, set on TDM_OK alone.
 */
enum tdm_err tdm_share_ask_ink(struct tandem_share *share, const json_t *request, json_t **answer,
                               struct tdm_cause *cause);

#endif
