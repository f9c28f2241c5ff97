/* SPDX-License-Identifier: MIT */
#include "render/board_pointer.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define WHOLE 65535.0

static bool has_word(const char *name, const char *word)
{
    size_t size = strlen(word);

    for (; *name; name++) {
        size_t i = 0;

        while (i < size && tolower((unsigned char)name[i]) == word[i])
            i++;
        if (i == size)
            return true;
    }
    return false;
}

struct tdm_board_pointer_device tdm_board_pointer_device_of(const XIDeviceInfo *info, Atom pressure)
{
    struct tdm_board_pointer_device d = {
        .id = info->deviceid, .pressure_axis = -1, .pressure = TDM_BOARD_PRESSURE_MOUSE};

    for (int i = 0; i < info->num_classes; i++) {
        const XIValuatorClassInfo *axis = (const XIValuatorClassInfo *)info->classes[i];

        if (info->classes[i]->type != XIValuatorClass || axis->label != pressure ||
            !(axis->max > axis->min))
            continue;
        d.pressure_axis = axis->number;
        d.pressure_min = axis->min;
        d.pressure_max = axis->max;
        d.pressure = 0;
        d.kind = TDM_DEVICE_PEN;
    }
    if (d.kind == TDM_DEVICE_PEN && has_word(info->name, "eraser"))
        d.kind = TDM_DEVICE_RUBBER;
    return d;
}

uint16_t tdm_board_pointer_pressure(struct tdm_board_pointer_device *d,
                                    const XIValuatorState *valuators)
{
    const double *value = valuators->values;

    for (int axis = 0; d->pressure_axis >= 0 && axis < valuators->mask_len * 8; axis++) {
        if (!XIMaskIsSet(valuators->mask, axis))
            continue;
        if (axis == d->pressure_axis) {
            double part = (*value - d->pressure_min) / (d->pressure_max - d->pressure_min);

            d->pressure = (uint16_t)(fmin(fmax(part, 0), 1) * WHOLE);
        }
        value++;
    }
    return d->pressure;
}
