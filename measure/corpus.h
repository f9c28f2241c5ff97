/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_CORPUS_H
#define TDM_MEASURE_CORPUS_H

/* The text that drawn desktops show. Written for this; it means little and looks like the real
 * thing. NULL behind the last of each list. */

extern const char *const tdm_corpus_code[];       /* Lines of a program. */
extern const char *const tdm_corpus_typed[];      /* Lines that somebody types into it. */
extern const char *const tdm_corpus_paragraphs[]; /* Prose, a paragraph each. */
extern const char *const tdm_corpus_files[];      /* Names of files. */

#endif
