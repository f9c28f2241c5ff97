/* SPDX-License-Identifier: MIT */
#include "render/board_text.h"

#include "render/board_lines.h"

#include <math.h>
#include <string.h>

static size_t size_of(const struct tdm_board_lines *lines)
{
    return strlen(pango_layout_get_text(lines->layout));
}

/* The begin of the character that a byte belongs to. */
static int sound_index(const struct tdm_board_lines *lines, size_t index)
{
    const char *text = pango_layout_get_text(lines->layout);
    size_t size = size_of(lines);

    if (index > size)
        index = size;
    while (index > 0 && index < size && ((unsigned char)text[index] & 0xc0) == 0x80)
        index--;
    return (int)index;
}

void tdm_board_text_measure(struct tdm_board_letters *letters,
                            const struct tdm_board_figure *figure, double *width, double *height)
{
    struct tdm_board_lines lines;

    tdm_board_lines_make(letters, figure, &lines);
    *width = lines.width;
    *height = lines.height;
    tdm_board_lines_free(&lines);
}

void tdm_board_text_caret(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                          size_t index, struct tdm_board_caret_place *caret)
{
    struct tdm_board_lines lines;
    PangoRectangle strong, weak;

    tdm_board_lines_make(letters, figure, &lines);
    int at = sound_index(&lines, index);

    pango_layout_get_cursor_pos(lines.layout, at, &strong, &weak);
    *caret = (struct tdm_board_caret_place){
        .x = lines.x + (double)strong.x / PANGO_SCALE,
        .y = lines.y + (double)strong.y / PANGO_SCALE,
        .height = (double)strong.height / PANGO_SCALE,
        .leftward = pango_layout_get_direction(lines.layout, at) == PANGO_DIRECTION_RTL,
        .split_x = lines.x + (double)weak.x / PANGO_SCALE};
    tdm_board_lines_free(&lines);
}

static int pango_units(double v)
{
    return (int)fmax(-1e9, fmin(1e9, v * PANGO_SCALE));
}

static size_t index_at(const struct tdm_board_lines *lines, double x, double y)
{
    const char *text = pango_layout_get_text(lines->layout);
    int index, trailing;

    (void)pango_layout_xy_to_index(lines->layout, pango_units(x - lines->x),
                                   pango_units(y - lines->y), &index, &trailing);
    const char *at = text + index;

    while (trailing-- > 0 && *at)
        at = g_utf8_next_char(at);
    return (size_t)(at - text);
}

size_t tdm_board_text_index(struct tdm_board_letters *letters,
                            const struct tdm_board_figure *figure, double x, double y)
{
    struct tdm_board_lines lines;

    tdm_board_lines_make(letters, figure, &lines);
    size_t index = index_at(&lines, x, y);

    tdm_board_lines_free(&lines);
    return index;
}

/* One place to the left or right, as pango moves a cursor; at the text's ends it stays. */
static size_t visually(const struct tdm_board_lines *lines, int at, int direction)
{
    const char *text = pango_layout_get_text(lines->layout);
    int next, trailing;

    pango_layout_move_cursor_visually(lines->layout, TRUE, at, 0, direction, &next, &trailing);
    if (next < 0 || next == INT32_MAX)
        return (size_t)at;
    const char *p = text + next;

    while (trailing-- > 0 && *p)
        p = g_utf8_next_char(p);
    return (size_t)(p - text);
}

static size_t by_line(const struct tdm_board_lines *lines, int at, int down, double x)
{
    int count = pango_layout_get_line_count(lines->layout), line, ignored;

    pango_layout_index_to_line_x(lines->layout, at, FALSE, &line, &ignored);
    if (line + down < 0)
        return 0;
    if (line + down >= count)
        return size_of(lines);
    PangoLayoutIter *iter = pango_layout_get_iter(lines->layout);
    PangoRectangle r;

    for (int i = 0; i < line + down; i++)
        (void)pango_layout_iter_next_line(iter);
    pango_layout_iter_get_line_extents(iter, NULL, &r);
    pango_layout_iter_free(iter);
    return index_at(lines, x, lines->y + (r.y + r.height / 2.0) / PANGO_SCALE);
}

static size_t line_edge(const struct tdm_board_lines *lines, int at, bool end)
{
    int line, ignored;

    pango_layout_index_to_line_x(lines->layout, at, FALSE, &line, &ignored);
    const PangoLayoutLine *l = pango_layout_get_line_readonly(lines->layout, line);
    const char *text = pango_layout_get_text(lines->layout);

    if (!l)
        return (size_t)at;
    if (!end)
        return (size_t)l->start_index;
    size_t last = (size_t)l->start_index + (size_t)l->length;
    bool wrapped = last < size_of(lines) && text[last] != '\n' && text[last] != '\r';

    /* Behind the last letter of a wrapped line would be the next line's begin. */
    if (wrapped && l->length > 0)
        return (size_t)(g_utf8_prev_char(text + last) - text);
    return last;
}

/* Letters as a reader counts them, and words: from pango's marks between characters. */
static size_t by_mark(const struct tdm_board_lines *lines, int at, int direction, bool word)
{
    const char *text = pango_layout_get_text(lines->layout);
    int count;
    const PangoLogAttr *marks = pango_layout_get_log_attrs_readonly(lines->layout, &count);
    int i = (int)g_utf8_pointer_to_offset(text, text + at);

    while (i + direction >= 0 && i + direction < count) {
        i += direction;
        if (word ? (direction < 0 ? marks[i].is_word_start : marks[i].is_word_end)
                 : marks[i].is_cursor_position)
            break;
    }
    return (size_t)(g_utf8_offset_to_pointer(text, i) - text);
}

static size_t step(const struct tdm_board_lines *lines, int at, enum tdm_board_text_step way,
                   double x)
{
    switch (way) {
    case TDM_BOARD_STEP_LEFT:
        return visually(lines, at, -1);
    case TDM_BOARD_STEP_RIGHT:
        return visually(lines, at, 1);
    case TDM_BOARD_STEP_UP:
        return by_line(lines, at, -1, x);
    case TDM_BOARD_STEP_DOWN:
        return by_line(lines, at, 1, x);
    case TDM_BOARD_STEP_LINE_START:
        return line_edge(lines, at, false);
    case TDM_BOARD_STEP_LINE_END:
        return line_edge(lines, at, true);
    case TDM_BOARD_STEP_WORD_LEFT:
    case TDM_BOARD_STEP_WORD_RIGHT: {
        bool leftward = pango_layout_get_direction(lines->layout, at) == PANGO_DIRECTION_RTL;
        bool back = (way == TDM_BOARD_STEP_WORD_LEFT) != leftward;

        return by_mark(lines, at, back ? -1 : 1, true);
    }
    case TDM_BOARD_STEP_BACK:
        return by_mark(lines, at, -1, false);
    case TDM_BOARD_STEP_FORWARD:
        return by_mark(lines, at, 1, false);
    }
    return (size_t)at;
}

size_t tdm_board_text_step(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                           size_t index, enum tdm_board_text_step way, double x)
{
    struct tdm_board_lines lines;

    tdm_board_lines_make(letters, figure, &lines);
    size_t next = step(&lines, sound_index(&lines, index), way, x);

    tdm_board_lines_free(&lines);
    return next;
}

void tdm_board_text_word(struct tdm_board_letters *letters, const struct tdm_board_figure *figure,
                         size_t index, size_t *from, size_t *to)
{
    struct tdm_board_lines lines;

    tdm_board_lines_make(letters, figure, &lines);
    const char *text = pango_layout_get_text(lines.layout);
    int count;
    const PangoLogAttr *marks = pango_layout_get_log_attrs_readonly(lines.layout, &count);
    int at = (int)g_utf8_pointer_to_offset(text, text + sound_index(&lines, index));
    int first = at, last = at;

    while (first > 0 && !marks[first].is_word_boundary)
        first--;
    if (last + 1 < count)
        last++;
    while (last + 1 < count && !marks[last].is_word_boundary)
        last++;
    *from = (size_t)(g_utf8_offset_to_pointer(text, first) - text);
    *to = (size_t)(g_utf8_offset_to_pointer(text, last) - text);
    tdm_board_lines_free(&lines);
}

static size_t line_boxes(const struct tdm_board_lines *lines, PangoLayoutIter *iter, int range[2],
                         struct tdm_figure_box *boxes, size_t room)
{
    PangoLayoutLine *line = pango_layout_iter_get_line_readonly(iter);
    size_t count = 0;
    int *xs = NULL, pairs = 0;
    PangoRectangle r;

    if (range[1] <= line->start_index || range[0] > line->start_index + line->length)
        return 0;
    pango_layout_line_get_x_ranges(line, range[0], range[1], &xs, &pairs);
    pango_layout_iter_get_line_extents(iter, NULL, &r);
    for (size_t i = 0; i < (size_t)pairs && count < room; i++)
        boxes[count++] = (struct tdm_figure_box){lines->x + (double)xs[2 * i] / PANGO_SCALE,
                                                 lines->y + (double)r.y / PANGO_SCALE,
                                                 lines->x + (double)xs[2 * i + 1] / PANGO_SCALE,
                                                 lines->y + (double)(r.y + r.height) / PANGO_SCALE};
    g_free(xs);
    return count;
}

size_t tdm_board_text_selection(struct tdm_board_letters *letters,
                                const struct tdm_board_figure *figure, size_t from, size_t to,
                                struct tdm_figure_box *boxes, size_t max)
{
    struct tdm_board_lines lines;
    size_t count = 0;

    tdm_board_lines_make(letters, figure, &lines);
    int range[2] = {sound_index(&lines, from), sound_index(&lines, to)};

    if (range[0] < range[1]) {
        PangoLayoutIter *iter = pango_layout_get_iter(lines.layout);

        do
            count += line_boxes(&lines, iter, range, boxes + count, max - count);
        while (pango_layout_iter_next_line(iter));
        pango_layout_iter_free(iter);
    }
    tdm_board_lines_free(&lines);
    return count;
}
