/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_TEL_URI_H
#define TDM_SIGNALLING_TEL_URI_H

/* Telephone numbers as people write them and as tel: URIs (RFC 3966). Pure. */

#include "engine/base/err.h"

#include <stdbool.h>

#define TDM_TEL_MAX 40 /* E.164 has 15 digits; local numbers with * and # may be longer. */

/** Whether the text is a telephone number: "tel:...", or nothing but digits and what is written
 *  between them, with at least two digits. A numeric IP address is none. */
bool tdm_tel_is(const char *text);

/** The number without what is only there to be read: "+49301234", "*21#". A local number with a
 *  phone-context that is a prefix gets it. TDM_E_MALFORMED with a cause. */
enum tdm_err tdm_tel_parse(const char *text, char number[TDM_TEL_MAX], struct tdm_cause *cause);

#endif
