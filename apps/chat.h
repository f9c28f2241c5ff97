/* SPDX-License-Identifier: MIT */
#ifndef APPS_CHAT_H
#define APPS_CHAT_H

/* `tandem chat`: one text, a conversation, waiting for others, or what was said before. */

/** The verb; `argc` and `argv` begin behind it. Returns the exit code. */
int chat_run(int argc, char **argv);

#endif
