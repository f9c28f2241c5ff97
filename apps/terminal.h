/* SPDX-License-Identifier: MIT */
#ifndef APPS_TERMINAL_H
#define APPS_TERMINAL_H

/* The terminal: single keys without Enter, and a line that is overwritten. */

#include <stdbool.h>
#include <termios.h>

struct terminal {
    bool keys; /* stdin gives single keys. */
    bool line; /* stderr shows a line that must be ended before other text. */
    struct termios before;
};

/** `want_keys`: read single keys when stdin is a terminal. */
void terminal_open(struct terminal *t, bool want_keys);
void terminal_close(struct terminal *t);

/** Overwrites the line on a terminal; prints a new line every time elsewhere. */
void terminal_line(struct terminal *t, const char *text);

/** Takes that line away, so that other text may be printed. */
void terminal_hide(struct terminal *t);

/** Prints a whole line of its own. */
void terminal_print(struct terminal *t, const char *text);

/** A key, or 0 when none was pressed, or -1 at the end of input. */
int terminal_key(struct terminal *t);

/** Before a question: what was typed so far is no answer to it. */
void terminal_forget_keys(struct terminal *t);

#endif
