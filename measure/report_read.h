/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_REPORT_READ_H
#define TDM_MEASURE_REPORT_READ_H

/*
 * Reads a report of the codec bench (docs/bench-codec.md) that may come from anywhere: another
 * version, another machine, an editor. What a member is named is looked up when it is used; a
 * missing one, or one of another kind, reads as NULL or "not a number" and never as a fault.
 */

#include "include/tandem/bench.h"

#include <jansson.h>

/** NULL with a cause when the text is no report; else the caller's reference. */
json_t *tdm_report_read(const char *text, struct tandem_cause *cause);

/** The member at a path like "encode_ms.p50"; NULL when there is none. Borrowed from `object`. */
const json_t *tdm_report_at(const json_t *object, const char *path);

/** A number there, or NAN. */
double tdm_report_number(const json_t *object, const char *path);

/** A text there, or "". */
const char *tdm_report_text(const json_t *object, const char *path);

/** Takes off the first bytes of a character whose last ones did not fit; texts of a report are
 * UTF-8. */
void tdm_report_trim(char *text);

/** What changed, as tandem_bench_compare gives it; NULL when there is no memory. Both were read by
 *  tdm_report_read. */
json_t *tdm_report_changes(const json_t *now, const json_t *before);

/** What differs beside the figures (machine, method, inputs, versions, cells), a list of sentences.
 */
json_t *tdm_report_differences(const json_t *now, const json_t *before, const json_t *changes);

#endif
