/* SPDX-License-Identifier: MIT */
#ifndef APPS_FOLDERS_H
#define APPS_FOLDERS_H

/* Where this user's files of Tandem lie; the folders are made when they are not there. */

#include <stdbool.h>
#include <stddef.h>

/** "$XDG_CONFIG_HOME/tandem/NAME" or the like below the home; false: there is nowhere. */
bool folders_settings(const char *name, char *path, size_t capacity);

/** The same with $XDG_DATA_HOME, for what is kept of use. */
bool folders_data(const char *name, char *path, size_t capacity);

/** Tries to make a file there; false: errno says why not. */
bool folders_writable(const char *folder);

#endif
