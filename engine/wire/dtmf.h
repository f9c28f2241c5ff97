/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_DTMF_H
#define TDM_WIRE_DTMF_H

/* Telephone events (RFC 4733 section 2.3): the four-byte payload and digits as characters. */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_dtmf {
    uint8_t event; /* 0-9 digits, 10 '*', 11 '#', 12-15 A-D. */
    bool end;
    uint8_t volume_dbm0; /* 0 to 63, meaning 0 to -63 dBm0. */
    uint16_t duration;   /* RTP units. */
};

#define TDM_DTMF_BYTES 4

/** Reads the first event of a payload; TDM_E_MALFORMED when it is short. */
enum tdm_err tdm_dtmf_parse(struct tdm_dtmf *dtmf, const uint8_t *payload, size_t size);
void tdm_dtmf_write(uint8_t payload[TDM_DTMF_BYTES], const struct tdm_dtmf *dtmf);

/** '0'-'9', '*', '#', 'A'-'D' to the event number; -1 for another character. */
int tdm_dtmf_event_of(char digit);
/** The reverse; '?' for an event that is no digit. */
char tdm_dtmf_digit_of(uint8_t event);

#endif
