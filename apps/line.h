/* SPDX-License-Identifier: MIT */
#ifndef APPS_LINE_H
#define APPS_LINE_H

/* A line that is being typed: bytes go in one by one, of a terminal without echo or of a pipe. */

#include <stdbool.h>
#include <stddef.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)

struct line {
    char *text; /* Ended; NULL: nothing was typed yet. */
    size_t size, capacity;
    int escape; /* Within a sequence of a key that is no character. */
};

enum line_state {
    LINE_SAME,
    LINE_CHANGED,
    LINE_WHOLE, /* Enter: take the text, then line_clear. */
    LINE_END,   /* Ctrl-D in an empty line. */
};

/** Backspace takes a whole UTF-8 character away, Ctrl-U all of them; other controls and keys that
 *  send sequences do nothing. */
enum line_state line_key(struct line *line, unsigned char key);
void line_clear(struct line *line);
void line_free(struct line *line);

/** What was typed; never NULL. */
const char *line_text(const struct line *line);

/** The end of the text that fits into so many characters. */
const char *line_tail(const struct line *line, size_t characters);

#endif
