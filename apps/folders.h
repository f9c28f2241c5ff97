/* SPDX-License-Identifier: MIT */
#ifndef APPS_FOLDERS_H
#define APPS_FOLDERS_H

/* Where this user's files of Tandem lie; the folders are made when they are not there. */

#include "tandem/tandem.h"

#include <stdbool.h>
#include <stddef.h>

#define FOLDERS_PATH_MAX 512

/** "$XDG_CONFIG_HOME/tandem/NAME" or the like below the home; false: there is nowhere. */
bool folders_settings(const char *name, char *path, size_t capacity);

/** The same with $XDG_STATE_HOME, for what a server keeps. */
bool folders_state(const char *name, char *path, size_t capacity);

/** The same with $XDG_DATA_HOME, for what is kept of use. */
bool folders_data(const char *name, char *path, size_t capacity);

/** Room for the paths of who we are. */
struct folders_self {
    char identity[FOLDERS_PATH_MAX], known[FOLDERS_PATH_MAX];
};

/** Contacts know this user again by what lies in the settings: names it to the engine, but for an
 *  identity that is named already. `self` lives as long as the configuration. */
void folders_keep_self(struct folders_self *self, struct tandem_config *config);

/** Tries to make a file there; false: errno says why not. */
bool folders_writable(const char *folder);

#endif
