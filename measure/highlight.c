/* SPDX-License-Identifier: MIT */
#include "measure/highlight.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const char *const keywords[] = {
    "import", "from",     "export", "class", "const", "let",   "new",   "this",
    "return", "for",      "if",     "of",    "async", "await", "get",   "throw",
    "typeof", "function", "while",  "break", "null",  "true",  "false", NULL,
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_keyword(const char *text, int size)
{
    for (size_t i = 0; keywords[i]; i++)
        if (strlen(keywords[i]) == (size_t)size && memcmp(keywords[i], text, (size_t)size) == 0)
            return true;
    return false;
}

static int string_size(const char *text, int size)
{
    int at = 1;

    while (at < size && text[at] != text[0])
        at++;
    return at < size ? at + 1 : size;
}

/* The token at the start of `text`: its size, and its colour. */
static int next_token(const struct tdm_theme *theme, const char *text, int size, uint32_t *colour)
{
    int at = 1;

    *colour = theme->plain;
    if (size >= 2 && text[0] == '/' && (text[1] == '/' || text[1] == '*')) {
        *colour = theme->comment;
        return size;
    }
    if (text[0] == '"' || text[0] == '`') {
        *colour = theme->string;
        return string_size(text, size);
    }
    if (!is_word(text[0]))
        return 1;
    while (at < size && is_word(text[at]))
        at++;
    if (isdigit((unsigned char)text[0]))
        *colour = theme->number;
    else if (is_keyword(text, at))
        *colour = theme->keyword;
    else if (at < size && text[at] == '(')
        *colour = theme->call;
    return at;
}

double tdm_highlight_line(struct tdm_pen *pen, double x, double y, int pixels,
                          const struct tdm_theme *theme, const char *text, int size)
{
    double advance = tdm_pen_advance(pixels);
    int at = 0;

    while (at < size) {
        struct tdm_style style = {.face = TDM_FACE_MONO, .pixels = pixels};
        int count = next_token(theme, text + at, size - at, &style.colour);

        if (count > 1 || text[at] != ' ')
            (void)tdm_pen_text(pen, x + at * advance, y, &style, text + at, count);
        at += count;
    }
    return x + size * advance;
}
