/* SPDX-License-Identifier: MIT */
#include "collab/board_state.h"

#include <assert.h>

size_t tdm_board_bytes_needed(void)
{
    return sizeof(struct tdm_board);
}

struct tdm_board *tdm_board_init(void *storage, uint32_t actor)
{
    struct tdm_board *b = storage;
    struct tdm_board_object *page = &b->first_page;

    assert((uintptr_t)storage % 16 == 0 && actor != 0);
    memset(b, 0, sizeof *b);
    b->rng = tdm_rng_of(actor);
    b->chains = BOARD_SEGMENT;
    b->segments[0] = b->segment;
    b->last = &b->first;
    (void)board_actor_take(b, TDM_BOARD_NONE.actor);
    b->actors[0].seq = TDM_BOARD_FIRST_PAGE.seq;
    b->self = board_actor_take(b, actor);
    page->seq = TDM_BOARD_FIRST_PAGE.seq;
    page->type = TDM_BOARD_PAGE;
    board_object_in(b, page);
    board_page_enter(b, page);
    return b;
}

uint32_t tdm_board_actor(const struct tdm_board *b)
{
    return b->actors[b->self].name;
}

enum tdm_err tdm_board_become(struct tdm_board *b, uint32_t actor)
{
    uint16_t self = board_actor_take(b, actor);

    assert(actor != 0);
    if (self == BOARD_NO_ACTOR)
        return TDM_E_DENIED;
    board_undo_forget(b);
    b->self = self;
    b->own_lamport = 0;
    b->doubled = false;
    return TDM_OK;
}

bool tdm_board_doubled(const struct tdm_board *b)
{
    return b->doubled;
}

void tdm_board_give(struct tdm_board *b, void *block, size_t size)
{
    tdm_board_memory_give(&b->memory, block, size);
}

size_t tdm_board_room(const struct tdm_board *b)
{
    return tdm_board_memory_room(&b->memory);
}

const uint8_t *tdm_board_fresh(struct tdm_board *b, size_t *size)
{
    b->fresh_seq = 0; /* Which no operation has: nothing goes on with the last record. */
    *size = b->fresh_size;
    return b->fresh;
}

size_t tdm_board_fresh_size(const struct tdm_board *b)
{
    return b->fresh_size;
}

void tdm_board_fresh_done(struct tdm_board *b)
{
    b->fresh_size = 0;
}

size_t tdm_board_versions(const struct tdm_board *b, struct tdm_board_version *versions, size_t max)
{
    size_t count = 0;

    for (uint32_t i = 1; i < b->actor_count; i++) {
        if (b->actors[i].seq == 0)
            continue;
        if (count < max)
            versions[count] = (struct tdm_board_version){b->actors[i].name, b->actors[i].seq};
        count++;
    }
    return count;
}

void tdm_board_figures(const struct tdm_board *b, struct tdm_board_figures *figures)
{
    *figures = b->figures;
    figures->objects = b->object_count;
    figures->actors = b->actor_count - 1;
    figures->held_bytes = b->held_size;
    figures->given_bytes = b->memory.given;
    figures->used_bytes = b->memory.used;
}
