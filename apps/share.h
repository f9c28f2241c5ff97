/* SPDX-License-Identifier: MIT */
#ifndef APPS_SHARE_H
#define APPS_SHARE_H

/* `tandem share` and `tandem assist`: a screen to somebody, and help on somebody's. */

int share_run(int argc, char **argv);
int assist_run(int argc, char **argv);

#endif
