/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_BOARD_WORDS_H
#define TDM_ENGINE_BOARD_WORDS_H

/*
 * Objects of a board as JSON and back: what the members of a request mean (docs/board-json.md), and
 * how an object reads. Knows no document's state but what it is shown.
 */

#include "collab/board.h"

#include <jansson.h>

#define TDM_BOARD_ID_TEXT   24 /* "1a2b3c4d.17" */
#define TDM_BOARD_HASH_TEXT (2 * TDM_BOARD_HASH_BYTES + 1)

void tdm_board_id_text(struct tdm_board_id id, char text[TDM_BOARD_ID_TEXT]);
/** False: it is none. */
bool tdm_board_id_parse(const char *text, struct tdm_board_id *id);

/** 64 hexadecimal digits. */
void tdm_board_hash_text(const uint8_t hash[TDM_BOARD_HASH_BYTES], char text[TDM_BOARD_HASH_TEXT]);
bool tdm_board_hash_parse(const char *text, uint8_t hash[TDM_BOARD_HASH_BYTES]);

const char *tdm_board_type_text(uint32_t type); /* "other" for a newer peer's. */
/** 0: no such type, or none that a request may add. */
enum tdm_board_type tdm_board_type_parse(const char *text);

/** Values of an object that a request names. Bytes borrow from it and from the JSON. */
struct tdm_board_values {
    size_t count;
    struct tdm_board_value list[TDM_BOARD_PROPS_MAX];
    uint8_t image[TDM_BOARD_HASH_BYTES], anchor[TDM_BOARD_ANCHOR_BYTES];
};

/** The members of `object` that are properties. False: *bad names one that is not right. Others
 *  than properties are the caller's. */
bool tdm_board_values_parse(const json_t *object, struct tdm_board_values *values,
                            const char **bad);

/** One of "points": [x, y], with pressure 0 to 1 and milliseconds behind them or not. */
bool tdm_board_point_parse(const json_t *item, struct tdm_board_point *point);

/** The object as it reads: a new reference. `whole`: with its points and its text. */
json_t *tdm_board_object_json(const struct tdm_board *b, const struct tdm_board_object *o,
                              bool whole);

/** Pixels of a value of the document, and back. */
double tdm_board_px(int32_t units);
int32_t tdm_board_units(double px);

#endif
