/* SPDX-License-Identifier: MIT */
#include "apps/terminal.h"

#include <stdio.h>
#include <unistd.h>

void terminal_open(struct terminal *t, bool want_keys)
{
    struct termios raw;

    *t = (struct terminal){.keys = want_keys && isatty(STDIN_FILENO)};
    if (!t->keys || tcgetattr(STDIN_FILENO, &t->before) != 0) {
        t->keys = false;
        return;
    }
    raw = t->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void terminal_close(struct terminal *t)
{
    if (t->line)
        fputc('\n', stderr);
    t->line = false;
    if (t->keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
    t->keys = false;
}

void terminal_line(struct terminal *t, const char *text)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s", text);
        t->line = true;
    } else {
        fprintf(stderr, "%s\n", text);
    }
    (void)fflush(stderr);
}

void terminal_hide(struct terminal *t)
{
    if (t->line)
        fputs("\r\033[K", stderr);
    t->line = false;
}

void terminal_print(struct terminal *t, const char *text)
{
    terminal_hide(t);
    fprintf(stderr, "%s\n", text);
}

int terminal_key(struct terminal *t)
{
    unsigned char key;

    if (!t->keys)
        return 0;
    return read(STDIN_FILENO, &key, 1) == 1 ? key : 0;
}

void terminal_forget_keys(struct terminal *t)
{
    if (t->keys)
        (void)tcflush(STDIN_FILENO, TCIFLUSH);
}
