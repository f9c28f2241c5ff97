/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_SIP_WORDS_H
#define TDM_SIGNALLING_SIP_WORDS_H

/* SIP status codes as a person reads them, and as the wire wants them. */

#include <stdint.h>

/** "the other side is busy"; never NULL. */
const char *tdm_sip_words(uint16_t code);

/** The reason phrase of RFC 3261 section 21, "Refused" for codes that we never send. */
const char *tdm_sip_phrase(uint16_t code);

#endif
