/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_COST_TABLE_H
#define TDM_MEASURE_COST_TABLE_H

/*
 * What each encoder of this build costs on this machine (struct tdm_cost_table of
 * measure/choice.h): measured in a few seconds on a small moving picture, and kept in a file for
 * the next start. The file names the machine and the libraries that it is of; another machine or
 * another version measures anew.
 */

#include "engine/base/err.h"
#include "measure/choice.h"

/** Measures now, on the calling thread. Encoders that fail are left out. TDM_E_SYSTEM when none is
 *  left or there is no memory. */
enum tdm_err tdm_cost_table_measure(struct tdm_cost_table *table, struct tdm_cause *cause);

/** The kept table, or a new one that is then kept. A file that cannot be written is no error: the
 *  next start measures again. `path` NULL: tdm_cost_table_path. */
enum tdm_err tdm_cost_table_get(struct tdm_cost_table *table, const char *path,
                                struct tdm_cause *cause);

/** Reads a kept table; TDM_E_GONE when there is none, TDM_E_MALFORMED when it is of another
 *  machine or version, or no table. */
enum tdm_err tdm_cost_table_load(struct tdm_cost_table *table, const char *path);

/** Written beside and renamed, so that a reader sees a whole table or the one before. */
enum tdm_err tdm_cost_table_save(const struct tdm_cost_table *table, const char *path,
                                 struct tdm_cause *cause);

/** $XDG_CACHE_HOME/tandem/codec-costs.json, or under ~/.cache; false when neither is set. */
bool tdm_cost_table_path(char *path, size_t capacity);

#endif
