/* SPDX-License-Identifier: MIT */
/* Pens as the input extension describes them: a server without one cannot be asked for any. */
#include "render/board_pointer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After the four headers that it needs. */
#include <cmocka.h>

#define PRESSURE 77 /* An atom. */

/* A pen has x, y and, as its third axis, pressure from 0 to 2000. */
static struct tdm_board_pointer_device pen_named(char *name, Atom label)
{
    XIValuatorClassInfo x = {.type = XIValuatorClass, .number = 0, .label = 1, .max = 100};
    XIValuatorClassInfo force = {
        .type = XIValuatorClass, .number = 2, .label = label, .min = 0, .max = 2000};
    XIButtonClassInfo buttons = {.type = XIButtonClass};
    XIAnyClassInfo *classes[] = {(XIAnyClassInfo *)&buttons, (XIAnyClassInfo *)&x,
                                 (XIAnyClassInfo *)&force};
    const XIDeviceInfo info = {.deviceid = 9, .name = name, .num_classes = 3, .classes = classes};

    return tdm_board_pointer_device_of(&info, PRESSURE);
}

static uint16_t pressed(struct tdm_board_pointer_device *d, unsigned char axes, double *values)
{
    return tdm_board_pointer_pressure(
        d, &(XIValuatorState){.mask_len = 1, .mask = &axes, .values = values});
}

static void test_kinds(void **state)
{
    char tip[] = "Wacom Intuos Pen stylus", end[] = "Wacom Intuos Pen ERASER", mouse[] = "Mouse";

    (void)state;
    assert_int_equal(pen_named(tip, PRESSURE).kind, TDM_DEVICE_PEN);
    assert_int_equal(pen_named(end, PRESSURE).kind, TDM_DEVICE_RUBBER);
    assert_int_equal(pen_named(mouse, 5).kind, TDM_DEVICE_MOUSE);
    assert_int_equal(pen_named(tip, PRESSURE).id, 9);
}

static void test_pressure(void **state)
{
    char name[] = "pen";
    struct tdm_board_pointer_device d = pen_named(name, PRESSURE), mouse = pen_named(name, 5);

    (void)state;
    /* Values stand close together: the axis is the third one, its value the second. */
    assert_int_equal(pressed(&d, 1 << 0 | 1 << 2, (double[]){40, 1000}), 32767);
    assert_int_equal(pressed(&d, 1 << 2, (double[]){2000}), 65535);
    /* A button's event need not say it. */
    assert_int_equal(pressed(&d, 0, NULL), 65535);
    assert_int_equal(pressed(&d, 1 << 0 | 1 << 1, (double[]){1, 2}), 65535);
    /* Whatever a driver says. */
    assert_int_equal(pressed(&d, 1 << 2, (double[]){-5}), 0);
    assert_int_equal(pressed(&d, 1 << 2, (double[]){1e300}), 65535);
    assert_int_equal(pressed(&d, 1 << 2, (double[]){NAN}), 0);
    assert_int_equal(pressed(&mouse, 1 << 2, (double[]){2000}), TDM_BOARD_PRESSURE_MOUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_pressure)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
