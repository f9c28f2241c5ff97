/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_REPORT_TEMPLATE_H
#define TDM_MEASURE_REPORT_TEMPLATE_H

/* measure/report.html as the build embeds it (cmake/embed.cmake). */

#include <stddef.h>

extern const char tdm_report_template[];
extern const size_t tdm_report_template_size;

#endif
