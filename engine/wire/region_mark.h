/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_REGION_MARK_H
#define TDM_WIRE_REGION_MARK_H

/*
 * Our own header extension that tells packets of a moving region of a shared screen from those of
 * the camera on the same m=video line, and names the region. It stands on each packet, so that no
 * packet needs another one to be understood. Negotiated by a=extmap with the URI below, which also
 * says that the other side takes such a stream beside the line's own.
 *
 *   byte 0       number of the region (`stream` in collab/screen.h)
 *   bytes 1-4    the screen's frame that the region began with
 */

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDM_REGION_MARK_URI   "urn:tandem:rtp-hdrext:screen-region"
#define TDM_REGION_MARK_BYTES 5

struct tdm_region_mark {
    uint8_t stream;
    uint32_t frame_id;
};

void tdm_region_mark_write(uint8_t bytes[TDM_REGION_MARK_BYTES],
                           const struct tdm_region_mark *mark);
enum tdm_err tdm_region_mark_parse(struct tdm_region_mark *mark, const uint8_t *data, size_t size);

#endif
