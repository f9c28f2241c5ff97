/* SPDX-License-Identifier: MIT */
#ifndef APPS_BOARD_H
#define APPS_BOARD_H

/* The verb `board`: with somebody, or on a file. */

int board_run(int argc, char **argv);

#endif
