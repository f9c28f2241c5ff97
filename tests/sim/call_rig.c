/* SPDX-License-Identifier: MIT */
#include "tests/sim/call_rig.h"

#include "tests/sim/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int call_rig_set_up(void **state)
{
    struct call_rig *rig = calloc(1, sizeof(*rig));

    if (!rig)
        return -1;
    rig->call = tdm_sim_call_create(CALL_RIG_LOG);
    *state = rig;
    return rig->call ? 0 : -1;
}

int call_rig_tear_down(void **state)
{
    struct call_rig *rig = *state;

    tdm_sim_call_destroy(rig->call);
    free(rig);
    return 0;
}

const struct tdm_sim_result *call_rig_run(struct call_rig *rig)
{
    assert_int_equal(tdm_sim_call_run(rig->call, &rig->s, &rig->result), TDM_OK);
    if (rig->result.violations)
        report_call(&rig->s, &rig->result);
    assert_int_equal(rig->result.violations, 0);
    return &rig->result;
}
