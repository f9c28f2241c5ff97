/* SPDX-License-Identifier: MIT */
/*
 * Editing text where it stands, while the other side may edit the same. The caret and the other end
 * of what is marked are held by their characters (struct tdm_board_caret), so that they stay with
 * them; bytes of the text as it is now are worked out when they are needed.
 */
#include "collab/board_tools_state.h"

#include "engine/base/utf8.h"

#include <math.h>
#include <string.h>

#define PIECE TDM_BOARD_TYPED_MAX

static const struct tdm_board_object *object(const struct tdm_board_tools *t)
{
    return tdm_hand_none(t->editing) ? NULL : tdm_board_find(t->board, t->editing);
}

void tdm_hand_edit_load(struct tdm_board_tools *t)
{
    const struct tdm_board_object *o = object(t);
    size_t size = o ? tdm_board_text(o, t->text, sizeof t->text) : 0;

    if (size > sizeof t->text) {
        /* As many whole characters as fitted. */
        uint32_t code;
        size_t step;

        for (size = 0; size < sizeof t->text; size += step)
            if (!(step =
                      tdm_utf8_take((const uint8_t *)t->text + size, sizeof t->text - size, &code)))
                break;
    }
    t->text_size = (uint32_t)size;
}

/* Characters before a byte, and bytes before a character. */
static uint32_t characters(const struct tdm_board_tools *t, uint32_t byte)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < byte && i < t->text_size; i++)
        count += ((uint8_t)t->text[i] & 0xc0) != 0x80;
    return count;
}

static uint32_t bytes(const struct tdm_board_tools *t, uint32_t character)
{
    uint32_t i = 0;

    for (; i < t->text_size; i++)
        if (((uint8_t)t->text[i] & 0xc0) != 0x80 && character-- == 0)
            return i;
    return i;
}

static uint32_t byte_of(const struct tdm_board_tools *t, struct tdm_board_caret caret)
{
    const struct tdm_board_object *o = object(t);

    return o ? bytes(t, tdm_board_caret_index(t->board, o, caret)) : 0;
}

static struct tdm_board_caret caret_of(const struct tdm_board_tools *t, uint32_t byte)
{
    const struct tdm_board_object *o = object(t);

    return o ? tdm_board_caret_at(t->board, o, characters(t, byte)) : (struct tdm_board_caret){0};
}

static void set_caret(struct tdm_board_tools *t, uint32_t byte, bool marks)
{
    t->caret = caret_of(t, byte);
    if (!marks)
        t->mark = t->caret;
    t->asked |= TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

void tdm_board_tools_marked(const struct tdm_board_tools *t, uint32_t *from, uint32_t *to,
                            uint32_t *caret)
{
    uint32_t a = byte_of(t, t->caret), b = byte_of(t, t->mark);

    *caret = a;
    *from = a < b ? a : b;
    *to = a < b ? b : a;
}

/* Begin and end ---------------------------------------------------------------------------------
 */

void tdm_hand_edit(struct tdm_board_tools *t, struct tdm_board_id id, bool all)
{
    struct tdm_board_view view;

    if (!tdm_hand_read(t, id, &view) || !tdm_hand_has_text(view.type))
        return;
    if (!tdm_hand_is_selected(t, id)) {
        tdm_hand_select_none(t);
        tdm_hand_select(t, id, true);
    }
    t->editing = id;
    t->compose_size = 0;
    t->wish_x = NAN;
    t->typed_at = t->now;
    tdm_hand_edit_load(t);
    set_caret(t, t->text_size, false);
    if (all) {
        t->mark = caret_of(t, 0);
    } else if (t->tool == TDM_BOARD_TOOL_SELECT) {
        struct tdm_board_frame f;

        if (t->sight.frame(t->sight.arg, id, &f))
            set_caret(t, t->sight.text_at(t->sight.arg, id, t->here_x - f.left, t->here_y - f.top),
                      false);
    }
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

void tdm_hand_edit_new(struct tdm_board_tools *t, double x, double y, double w)
{
    const struct tdm_board_style *s = &t->style;
    double line = w > 0 ? 0 : (double)s->font_size / TDM_BOARD_UNIT * 0.6; /* Under the pointer. */
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, t->page),
        tdm_board_int(TDM_PROP_X, tdm_board_unit(x)),
        tdm_board_int(TDM_PROP_Y, tdm_board_unit(y - line)),
        tdm_board_int(TDM_PROP_W, tdm_board_unit(w)),
        tdm_board_int(TDM_PROP_COLOUR, s->colour),
        tdm_board_int(TDM_PROP_OPACITY, s->opacity),
        tdm_board_int(TDM_PROP_FONT, s->font),
        tdm_board_int(TDM_PROP_FONT_SIZE, s->font_size),
        tdm_board_int(TDM_PROP_ALIGN, s->align),
    };
    struct tdm_board_id id;

    tdm_hand_open(t);
    if (!tdm_hand_add(t, TDM_BOARD_TEXT, values, sizeof values / sizeof *values, &id)) {
        tdm_hand_close(t);
        return;
    }
    t->fresh_text = true;
    tdm_hand_edit(t, id, true);
}

void tdm_hand_edit_end(struct tdm_board_tools *t)
{
    struct tdm_board_id id = t->editing;
    struct tdm_board_view view;

    if (tdm_hand_none(id))
        return;
    t->editing = TDM_BOARD_NONE;
    t->compose_size = 0;
    if (t->gesture == TDM_BOARD_MARKS_TEXT)
        t->gesture = TDM_BOARD_IDLE;
    if (tdm_hand_read(t, id, &view) && view.type == TDM_BOARD_TEXT && !view.characters) {
        if (t->fresh_text) {
            tdm_hand_take_back(t);
        } else {
            tdm_hand_open(t);
            (void)tdm_hand_delete(t, id);
        }
    }
    t->fresh_text = false;
    tdm_hand_close(t);
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS | TDM_BOARD_ASK_LIVE;
}

/* Typing ----------------------------------------------------------------------------------------
 */

static void remove_bytes(struct tdm_board_tools *t, uint32_t from, uint32_t to)
{
    uint32_t at = characters(t, from), count = characters(t, to) - at;

    if (!count)
        return;
    tdm_hand_open(t);
    (void)tdm_hand_remove(t, t->editing, at, count);
    t->typed_at = t->now;
    tdm_hand_edit_load(t);
    set_caret(t, from, false);
}

static bool remove_marked(struct tdm_board_tools *t)
{
    uint32_t from, to, caret;

    tdm_board_tools_marked(t, &from, &to, &caret);
    if (from == to)
        return false;
    remove_bytes(t, from, to);
    return true;
}

/* A piece of valid UTF-8 at most PIECE bytes long: what is broken becomes U+FFFD, other line ends
 * become ours. @return how many bytes of the text it took. */
static size_t clean(const char *text, size_t size, char piece[PIECE], size_t *piece_size)
{
    size_t at = 0;
    uint32_t code;

    *piece_size = 0;
    while (at < size && *piece_size + 4 <= PIECE) {
        size_t step = tdm_utf8_take((const uint8_t *)text + at, size - at, &code);

        if (step == 0) {
            memcpy(piece + *piece_size, "\xef\xbf\xbd", 3);
            *piece_size += 3;
            at++;
        } else if (code == '\r') {
            if (at + 1 >= size || text[at + 1] != '\n')
                piece[(*piece_size)++] = '\n';
            at++;
        } else {
            memcpy(piece + *piece_size, text + at, step);
            *piece_size += step;
            at += step;
        }
    }
    return at;
}

static void insert(struct tdm_board_tools *t, const char *text, size_t size)
{
    uint32_t at = characters(t, byte_of(t, t->caret));
    char piece[PIECE];
    size_t piece_size;

    while (size) {
        size_t took = clean(text, size, piece, &piece_size);
        uint32_t count = 0;

        text += took;
        size -= took;
        for (size_t i = 0; i < piece_size; i++)
            count += ((uint8_t)piece[i] & 0xc0) != 0x80;
        if (piece_size && !tdm_hand_insert(t, t->editing, at, piece, piece_size))
            break;
        at += count;
    }
    tdm_hand_edit_load(t);
    set_caret(t, bytes(t, at), false);
}

void tdm_hand_edit_type(struct tdm_board_tools *t, const char *text, size_t size)
{
    if (!size)
        return;
    tdm_hand_open(t);
    (void)remove_marked(t);
    insert(t, text, size);
    t->compose_size = 0;
    t->wish_x = NAN;
    t->typed_at = t->now;
    tdm_hand_look_again(t);
}

void tdm_hand_edit_cut(struct tdm_board_tools *t)
{
    (void)remove_marked(t);
    tdm_hand_look_again(t);
}

void tdm_hand_edit_all(struct tdm_board_tools *t)
{
    set_caret(t, t->text_size, false);
    t->mark = caret_of(t, 0);
}

/* Keys ------------------------------------------------------------------------------------------
 */

static void move_caret(struct tdm_board_tools *t, enum tdm_board_text_move move, bool marks)
{
    uint32_t at = byte_of(t, t->caret);
    bool vertical = move == TDM_BOARD_TEXT_UP || move == TDM_BOARD_TEXT_DOWN;

    if (vertical && isnan(t->wish_x))
        t->wish_x = t->sight.text_x(t->sight.arg, t->editing, at);
    if (!vertical)
        t->wish_x = NAN;
    if (t->gesture == TDM_BOARD_IDLE && !t->fresh_text)
        tdm_hand_close(t); /* What is typed from here on is another step. */
    set_caret(t, t->sight.text_move(t->sight.arg, t->editing, at, move, vertical ? t->wish_x : 0),
              marks);
}

static bool move_key(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    static const struct {
        uint32_t key;
        enum tdm_board_text_move move, by_word;
    } moves[] = {{TDM_BOARD_KEY_LEFT, TDM_BOARD_TEXT_LEFT, TDM_BOARD_TEXT_WORD_LEFT},
                 {TDM_BOARD_KEY_RIGHT, TDM_BOARD_TEXT_RIGHT, TDM_BOARD_TEXT_WORD_RIGHT},
                 {TDM_BOARD_KEY_UP, TDM_BOARD_TEXT_UP, TDM_BOARD_TEXT_UP},
                 {TDM_BOARD_KEY_DOWN, TDM_BOARD_TEXT_DOWN, TDM_BOARD_TEXT_DOWN},
                 {TDM_BOARD_KEY_HOME, TDM_BOARD_TEXT_LINE_START, TDM_BOARD_TEXT_LINE_START},
                 {TDM_BOARD_KEY_END, TDM_BOARD_TEXT_LINE_END, TDM_BOARD_TEXT_LINE_END}};
    bool marks = in->mods & TDM_BOARD_SHIFT, ctrl = in->mods & TDM_BOARD_CTRL;

    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        if (in->key != moves[i].key)
            continue;
        if (ctrl && in->key == TDM_BOARD_KEY_HOME)
            set_caret(t, 0, marks);
        else if (ctrl && in->key == TDM_BOARD_KEY_END)
            set_caret(t, t->text_size, marks);
        else
            move_caret(t, ctrl ? moves[i].by_word : moves[i].move, marks);
        return true;
    }
    return false;
}

static void remove_key(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    bool back = in->key == TDM_BOARD_KEY_BACKSPACE, word = in->mods & TDM_BOARD_CTRL;
    uint32_t at = byte_of(t, t->caret);

    if (!remove_marked(t)) {
        enum tdm_board_text_move move =
            back ? (word ? TDM_BOARD_TEXT_WORD_LEFT : TDM_BOARD_TEXT_BACK)
                 : (word ? TDM_BOARD_TEXT_WORD_RIGHT : TDM_BOARD_TEXT_FORWARD);
        uint32_t to = t->sight.text_move(t->sight.arg, t->editing, at, move, 0);

        remove_bytes(t, at < to ? at : to, at < to ? to : at);
    }
    t->wish_x = NAN;
    tdm_hand_look_again(t);
}

bool tdm_hand_edit_key(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    const struct tdm_board_shortcut *s = tdm_board_shortcut_of(in->key, in->mods);
    bool ctrl = in->mods & TDM_BOARD_CTRL;

    if (move_key(t, in))
        return true;
    switch (in->key) {
    case TDM_BOARD_KEY_BACKSPACE:
    case TDM_BOARD_KEY_DELETE:
        remove_key(t, in);
        return true;
    case TDM_BOARD_KEY_ENTER:
        if (ctrl)
            tdm_hand_edit_end(t);
        else
            tdm_hand_edit_type(t, "\n", 1);
        return true;
    case TDM_BOARD_KEY_TAB:
        tdm_hand_edit_type(t, "\t", 1);
        return true;
    default:
        break;
    }
    /* Letters are typed; with Ctrl they are commands, but for those on whole objects. */
    if (!ctrl || !s)
        return in->key < TDM_BOARD_KEY_LEFT;
    return s->command == TDM_BOARD_DO_DUPLICATE || s->command == TDM_BOARD_DO_GROUP ||
           s->command == TDM_BOARD_DO_UNGROUP;
}

/* The pointer -----------------------------------------------------------------------------------
 */

/* Relative to the frame, unturned. */
static bool into_text(const struct tdm_board_tools *t, double *x, double *y, bool *over)
{
    struct tdm_board_frame f;
    struct tdm_board_view view;

    if (!tdm_hand_read(t, t->editing, &view) || !t->sight.frame(t->sight.arg, t->editing, &f))
        return false;
    tdm_hand_turn_point(x, y, (f.left + f.right) / 2, (f.top + f.bottom) / 2,
                        -tdm_hand_radians(view.angle));
    double reach = tdm_hand_reach(t);

    *over = *x >= f.left - reach && *x <= f.right + reach && *y >= f.top - reach &&
            *y <= f.bottom + reach;
    *x -= f.left;
    *y -= f.top;
    return true;
}

bool tdm_hand_edit_over(const struct tdm_board_tools *t, double x, double y)
{
    bool over;

    return into_text(t, &x, &y, &over) && over;
}

void tdm_hand_edit_down(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    double x = t->here_x, y = t->here_y;
    uint32_t from, to;
    bool over;

    if (!into_text(t, &x, &y, &over))
        return;
    uint32_t at = t->sight.text_at(t->sight.arg, t->editing, x, y);

    if (!t->fresh_text)
        tdm_hand_close(t);
    t->gesture = TDM_BOARD_MARKS_TEXT;
    t->wish_x = NAN;
    if (in->clicks == 2) {
        t->sight.text_word(t->sight.arg, t->editing, at, &from, &to);
        t->mark = caret_of(t, from);
        set_caret(t, to, true);
    } else if (in->clicks > 2) {
        tdm_hand_edit_all(t);
    } else {
        set_caret(t, at, in->mods & TDM_BOARD_SHIFT);
    }
}

void tdm_hand_edit_drag(struct tdm_board_tools *t)
{
    double x = t->here_x, y = t->here_y;
    bool over;

    if (into_text(t, &x, &y, &over))
        set_caret(t, t->sight.text_at(t->sight.arg, t->editing, x, y), true);
}

/* Text that is pasted beside any text becomes one. */
void tdm_hand_paste_text(struct tdm_board_tools *t, const struct tdm_board_in *in)
{
    const struct tdm_board_canvas *c = &t->canvas;
    double x = t->inside ? t->here_x : tdm_board_canvas_x(c, c->width / 2);
    double y = t->inside ? t->here_y : tdm_board_canvas_y(c, c->height / 2);

    if (!in->size)
        return;
    tdm_hand_end_gesture(t);
    tdm_hand_edit_new(t, x, y, 0);
    if (tdm_hand_none(t->editing))
        return;
    struct tdm_board_id id = t->editing;

    tdm_hand_edit_type(t, in->text, in->size);
    tdm_hand_edit_end(t);
    t->tool = TDM_BOARD_TOOL_SELECT;
    tdm_hand_select_none(t);
    tdm_hand_select(t, id, true);
}
