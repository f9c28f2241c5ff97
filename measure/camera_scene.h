/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_CAMERA_SCENE_H
#define TDM_MEASURE_CAMERA_SCENE_H

/* A camera's picture where no clip of a real one is installed: a head that moves before a still
 * room, with the noise of a sensor. Easier on an encoder than a real face; a report says that it
 * was drawn. */

#include "engine/base/picture.h"

/** The `index`-th picture; the same for equal arguments. */
void tdm_camera_scene_draw(struct tdm_picture *pic, uint32_t index, uint32_t fps);

#endif
