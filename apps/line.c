/* SPDX-License-Identifier: MIT */
#include "apps/line.h"

#include <stdlib.h>

#define CTRL_D 4
#define CTRL_U 21
#define ESCAPE 27
#define DELETE 127

enum { NO_ESCAPE, AFTER_ESCAPE, IN_SEQUENCE };

static bool is_within(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static bool append(struct line *l, char key)
{
    if (l->size + 2 > l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 256;
        char *text = capacity <= 2 * LINE_MAX_BYTES ? realloc(l->text, capacity) : NULL;

        if (!text)
            return false;
        l->text = text;
        l->capacity = capacity;
    }
    if (l->size == LINE_MAX_BYTES)
        return false;
    l->text[l->size++] = key;
    l->text[l->size] = '\0';
    return true;
}

static void take_back(struct line *l)
{
    do
        l->size--;
    while (l->size && is_within(l->text[l->size]));
    l->text[l->size] = '\0';
}

/* ESC, or ESC [ with parameters up to a final byte (ECMA-48 section 5.4), or ESC and one byte. */
static void follow_escape(struct line *l, unsigned char key)
{
    if (l->escape == AFTER_ESCAPE)
        l->escape = key == '[' || key == 'O' ? IN_SEQUENCE : NO_ESCAPE;
    else if (key >= 0x40 && key <= 0x7e)
        l->escape = NO_ESCAPE;
}

enum line_state line_key(struct line *l, unsigned char key)
{
    if (key == '\n' || key == '\r') {
        l->escape = NO_ESCAPE;
        return LINE_WHOLE;
    }
    if (l->escape != NO_ESCAPE) {
        follow_escape(l, key);
        return LINE_SAME;
    }
    switch (key) {
    case ESCAPE:
        l->escape = AFTER_ESCAPE;
        return LINE_SAME;
    case CTRL_D:
        return l->size ? LINE_SAME : LINE_END;
    case CTRL_U:
        line_clear(l);
        return LINE_CHANGED;
    case '\b':
    case DELETE:
        if (!l->size)
            return LINE_SAME;
        take_back(l);
        return LINE_CHANGED;
    default:
        return (key >= ' ' || key == '\t') && append(l, (char)key) ? LINE_CHANGED : LINE_SAME;
    }
}

void line_clear(struct line *l)
{
    l->size = 0;
    if (l->text)
        l->text[0] = '\0';
}

void line_free(struct line *l)
{
    free(l->text);
    *l = (struct line){0};
}

const char *line_text(const struct line *l)
{
    return l->text ? l->text : "";
}

const char *line_tail(const struct line *l, size_t characters)
{
    const char *text = line_text(l);
    size_t at = l->size;

    while (at && characters) {
        at--;
        characters -= !is_within(text[at]);
    }
    return text + at;
}
