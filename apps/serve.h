/* SPDX-License-Identifier: MIT */
#ifndef APPS_SERVE_H
#define APPS_SERVE_H

/** `tandem serve`; `argv` begins behind the verb. */
int serve_run(int argc, char **argv);

#endif
