/* SPDX-License-Identifier: MIT */
#ifndef TDM_RENDER_BOARD_POINTER_H
#define TDM_RENDER_BOARD_POINTER_H

/* What the input extension says of pens: which devices are some, and how hard they are pressed.
 * Reads what was asked of the server; asks it nothing. */

#include "collab/board_tools.h"

#include <X11/extensions/XInput2.h>

#define TDM_BOARD_PRESSURE_MOUSE 32768 /* Of what has none. */

/** An X input device, as far as it matters. */
struct tdm_board_pointer_device {
    int id;
    enum tdm_board_device kind;
    int pressure_axis; /* -1: none */
    double pressure_min, pressure_max;
    uint16_t pressure; /* What it said last. */
};

/** @param pressure  The atom "Abs Pressure", by which drivers of pens name that axis. */
struct tdm_board_pointer_device tdm_board_pointer_device_of(const XIDeviceInfo *info,
                                                            Atom pressure);

/** Events say only what is another than before: without the axis it is what it was. */
uint16_t tdm_board_pointer_pressure(struct tdm_board_pointer_device *device,
                                    const XIValuatorState *valuators);

#endif
