/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_ENVIRONMENT_H
#define TDM_IO_ENVIRONMENT_H

/** A variable of the environment, such as DISPLAY; NULL when it is not set. Nobody in this engine
 *  sets one, so any thread may ask, as long as the program sets none during a call either. */
const char *tdm_environment(const char *name);

#endif
