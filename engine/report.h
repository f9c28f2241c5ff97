/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_REPORT_H
#define TDM_ENGINE_REPORT_H

/* Call statistics as JSON; the field names are those of struct tandem_stats. */

#include "tandem/tandem.h"

/** Free with free(). NULL when there is no memory. */
char *tdm_report_json(const struct tandem_stats *stats);

#endif
