/* SPDX-License-Identifier: MIT */
#ifndef TDM_BOARD_BASE64_H
#define TDM_BOARD_BASE64_H

/* RFC 4648 section 4, and the data: URIs (RFC 2397) in which drawings carry their images. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that `size` bytes become, with the zero behind them. */
size_t tdm_base64_room(size_t size);
/** Writes them, ended by a zero. */
void tdm_base64_write(const uint8_t *data, size_t size, char *text);
/** Into room for size / 4 * 3 + 3 bytes, which may be where `text` is; spaces and line ends are
 *  stepped over. False: no Base64. */
bool tdm_base64_read(const char *text, size_t size, uint8_t *data, size_t *written);

/** Where the Base64 of "data:TYPE;base64,..." begins; NULL: it is something else. */
const char *tdm_data_uri(const char *uri, size_t size);

#endif
