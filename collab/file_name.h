/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_NAME_H
#define TDM_COLLAB_FILE_NAME_H

/*
 * Names of files as a stranger sends them, made safe to write and honest to read. A name that
 * comes out is one component: valid UTF-8 without separators, controls, characters that turn the
 * direction of text or that nobody sees; it does not begin with a dot or a dash, is none that a
 * system reserves, and leaves room for " (2)" and a suffix within what file systems take. What
 * nobody sees is dropped, so that the extension at the end is the true one; what is dangerous
 * becomes '_'. The same bytes always give the same name.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define TDM_FILE_NAME_MAX  201 /* With the terminator. */
#define TDM_FILE_PATH_MAX  1024
#define TDM_FILE_DEPTH_MAX 32

/** Returns whether the name had to be changed. Never fails: "file" when nothing is left. */
bool tdm_file_name_clean(char out[TDM_FILE_NAME_MAX], const char *raw, size_t size);

/** A path of components with '/' between them, each cleaned; "." and empty components vanish,
 *  ".." becomes a harmless name. TDM_E_MALFORMED: longer, deeper than the limits, or empty. */
enum tdm_err tdm_file_name_clean_path(char out[TDM_FILE_PATH_MAX], const char *raw, size_t size);

/** The extension without its dot, "" when there is none; points into `name`. */
const char *tdm_file_name_extension(const char *name);

/** Whether a double click would start such a file rather than show it. */
bool tdm_file_name_is_program(const char *name);

/** The name to try next when it is taken: "photo.jpg" and 2 give "photo (2).jpg". */
void tdm_file_name_numbered(char *out, size_t room, const char *name, unsigned number);

#endif
