/* SPDX-License-Identifier: MIT */
#include "collab/board_state.h"

#define REGS_STEP 8

struct board_reg *board_reg(const struct tdm_board_object *o, uint32_t prop)
{
    for (uint32_t i = 0; i < o->reg_count; i++)
        if (o->regs[i].prop == prop)
            return &o->regs[i];
    return NULL;
}

struct board_stamp board_stamp_of(const struct board_reg *reg)
{
    return reg ? (struct board_stamp){reg->lamport, reg->seq, reg->actor} : (struct board_stamp){0};
}

struct tdm_board_value board_reg_value(const struct board_reg *reg)
{
    struct tdm_board_value v = {.prop = (enum tdm_board_prop)reg->prop,
                                .kind = (enum tdm_board_value_kind)reg->kind};

    if (v.kind == TDM_VALUE_INT) {
        v.number = reg->number;
    } else if (v.kind == TDM_VALUE_REF) {
        v.ref = reg->ref;
    } else {
        v.bytes = reg->bytes;
        v.size = reg->size;
    }
    return v;
}

struct tdm_board_value board_value(const struct tdm_board_object *o, uint32_t prop)
{
    const struct board_reg *reg = board_reg(o, prop);

    if (reg)
        return board_reg_value(reg);
    struct tdm_board_value v = tdm_board_int((enum tdm_board_prop)prop, 0);

    switch (prop) {
    case TDM_PROP_PAGE:
    case TDM_PROP_PARENT:
        v.kind = TDM_VALUE_REF;
        break;
    case TDM_PROP_ORDER:
    case TDM_PROP_NAME:
    case TDM_PROP_LINK:
    case TDM_PROP_IMAGE:
    case TDM_PROP_ANCHOR:
    case TDM_PROP_CROP:
        v.kind = TDM_VALUE_BYTES;
        break;
    case TDM_PROP_COLOUR:
        v.number = TDM_BOARD_COLOUR_DEFAULT;
        break;
    case TDM_PROP_WIDTH:
        v.number = TDM_BOARD_WIDTH_DEFAULT;
        break;
    case TDM_PROP_OPACITY:
        v.number = UINT8_MAX;
        break;
    case TDM_PROP_FONT_SIZE:
        v.number = TDM_BOARD_FONT_SIZE_DEFAULT;
        break;
    case TDM_PROP_HEAD_END:
        v.number = o->type == TDM_BOARD_ARROW ? TDM_HEAD_ARROW : TDM_HEAD_NONE;
        break;
    case TDM_PROP_SCALE_X:
    case TDM_PROP_SCALE_Y:
        v.number = TDM_BOARD_SCALE_ONE;
        break;
    default:
        break;
    }
    return v;
}

static struct board_reg *add_reg(struct tdm_board *b, struct tdm_board_object *o, uint16_t prop)
{
    if (o->reg_count == o->reg_room) {
        size_t old = o->reg_room * sizeof *o->regs;
        size_t size = old ? 2 * old : REGS_STEP * sizeof *o->regs;
        struct board_reg *more = tdm_board_take(&b->memory, size);

        if (old)
            memcpy(more, o->regs, old);
        tdm_board_drop(&b->memory, o->regs, old);
        o->regs = more;
        o->reg_room = (uint16_t)(size / sizeof *o->regs);
    }
    struct board_reg *reg = &o->regs[o->reg_count++];

    *reg = (struct board_reg){.prop = prop};
    return reg;
}

static void put(struct tdm_board *b, struct board_reg *reg, const struct tdm_board_value *v)
{
    uint8_t *old = reg->kind == TDM_VALUE_BYTES ? reg->bytes : NULL;
    size_t old_size = reg->size;

    reg->kind = (uint8_t)v->kind;
    reg->size = (uint16_t)v->size;
    if (v->kind == TDM_VALUE_INT) {
        reg->number = v->number;
    } else if (v->kind == TDM_VALUE_REF) {
        reg->ref = v->ref;
    } else {
        uint8_t *bytes = v->size ? tdm_board_take(&b->memory, v->size) : NULL;

        if (v->size)
            memcpy(bytes, v->bytes, v->size);
        reg->bytes = bytes;
    }
    tdm_board_drop(&b->memory, old, old_size);
}

static bool places(enum tdm_board_prop prop)
{
    return prop == TDM_PROP_PAGE || prop == TDM_PROP_ORDER || prop == TDM_PROP_DELETED;
}

static bool write_one(struct tdm_board *b, struct tdm_board_object *o, struct board_stamp stamp,
                      const struct tdm_board_value *v)
{
    struct board_reg *reg = board_reg(o, (uint32_t)v->prop);

    if (reg) {
        struct tdm_board_value is = board_reg_value(reg);
        int order = board_stamp_order(b, stamp, board_stamp_of(reg));

        if (order < 0 && o->undo)
            board_undo_lost(b, o, v, stamp, board_stamp_of(reg));
        if (order < 0 || (order == 0 && board_value_order(v, &is) <= 0))
            return false;
    } else {
        reg = add_reg(b, o, (uint16_t)v->prop);
    }
    if (places(v->prop))
        board_page_leave(o);
    put(b, reg, v);
    reg->lamport = stamp.lamport;
    reg->seq = stamp.seq;
    reg->actor = stamp.actor;
    return true;
}

void board_write(struct tdm_board *b, struct tdm_board_object *o, struct board_stamp stamp,
                 struct tdm_board_value *values, size_t count)
{
    bool wrote = false, moved = false;

    for (size_t i = 0; i < count; i++) {
        if (!board_value_mend(&values[i]) || !write_one(b, o, stamp, &values[i]))
            continue;
        wrote = true;
        moved |= places(values[i].prop);
    }
    if (moved)
        board_page_enter(b, o);
    if (wrote)
        board_touch(b, o);
}
