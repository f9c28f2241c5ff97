/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_CALL_PAGE_H
#define TDM_ENGINE_CALL_PAGE_H

/* The web page that engine/whip.h serves: engine/call_page.html, put into the program at build
 * time. */

#include <stddef.h>

extern const char tdm_call_page[];
extern const size_t tdm_call_page_size;

#endif
