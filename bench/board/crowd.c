/* SPDX-License-Identifier: MIT */
#include "bench/board/crowd.h"

#include "engine/base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const uint8_t crowd_document[16] = "the same board";

double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct tdm_board_doc *open_board(const char *path, bool replay)
{
    const struct tdm_board_doc_config config = {
        .path = path, .create = !replay, .document = crowd_document, .replay = replay};
    struct tdm_board_doc *doc = NULL;
    struct tdm_cause cause = {""};

    demand(tdm_board_doc_open(&doc, &config, NULL, &cause) == TDM_OK, cause.text);
    return doc;
}

bool again(struct tdm_board_doc *doc, enum tdm_err err)
{
    if (err == TDM_OK)
        return false;
    if (err == TDM_E_SPACE)
        demand(tdm_board_doc_room(doc, TDM_BOARD_ROOM) == TDM_OK, "no memory");
    else
        demand(err == TDM_E_AGAIN && tdm_board_doc_save(doc, NULL) == TDM_OK, "an edit is refused");
    return true;
}

struct tdm_board_id add(struct tdm_board_doc *doc, enum tdm_board_type type,
                        const struct tdm_board_value *values, size_t count)
{
    struct tdm_board_id id;

    while (again(doc, tdm_board_add(tdm_board_doc_board(doc), type, values, count, &id)))
        ;
    return id;
}

void crowd(struct tdm_board_doc *doc, int objects)
{
    static const enum tdm_board_type types[] = {TDM_BOARD_RECTANGLE, TDM_BOARD_ELLIPSE,
                                                TDM_BOARD_ARROW,     TDM_BOARD_PEN,
                                                TDM_BOARD_NOTE,      TDM_BOARD_TEXT};
    struct tdm_board *b = tdm_board_doc_board(doc);
    struct tdm_rng rng = tdm_rng_of(8);
    struct tdm_board_point points[40];

    for (int i = 0; i < objects; i++) {
        enum tdm_board_type type = types[i % 6];
        const struct tdm_board_value values[] = {
            tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
            tdm_board_int(TDM_PROP_X, tdm_rng_below(&rng, 20 * CROWD_WIDTH * 16)),
            tdm_board_int(TDM_PROP_Y, tdm_rng_below(&rng, 10 * CROWD_HEIGHT * 16)),
            tdm_board_int(TDM_PROP_COLOUR, 0xe03131ff + (tdm_rng_below(&rng, 4) << 8)),
            tdm_board_int(TDM_PROP_W, 800 + tdm_rng_below(&rng, 4000)),
            tdm_board_int(TDM_PROP_H, 800 + tdm_rng_below(&rng, 4000))};
        struct tdm_board_id id = add(doc, type, values, type == TDM_BOARD_PEN ? 4 : 6);

        if (type == TDM_BOARD_NOTE || type == TDM_BOARD_TEXT)
            while (again(doc, tdm_board_text_insert(b, id, 0, "a few words", 11)))
                ;
        if (type != TDM_BOARD_PEN)
            continue;
        for (int p = 0; p < 40; p++)
            points[p] = (struct tdm_board_point){
                .x = p * 64, .y = (int32_t)(600 * sin(p / 5.0 + i)), .pressure = 128, .dt_ms = 8};
        while (again(doc, tdm_board_ink(b, id, points, 40)))
            ;
    }
}
