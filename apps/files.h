/* SPDX-License-Identifier: MIT */
#ifndef APPS_FILES_H
#define APPS_FILES_H

/* `tandem send FILE... WHO` and `tandem get`. */

int files_send(int argc, char **argv);
int files_get(int argc, char **argv);

#endif
