/* SPDX-License-Identifier: MIT */

/*
 * Bytes become a short call: its networks, clocks and what the two people do, and when. Whatever
 * they are, no core spins, wakes in the past, or makes a frame out of nothing, and both sides end.
 */

#include "engine/base/bytes.h"
#include "sim/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION (14 * TDM_S) /* The last 8 s are for the goodbye. */

/* Violations that a wild scenario may bring about by itself: it never came up, or is still busy. */
static bool is_fair(const char *text)
{
    static const char *const words[] = {"never up", "still", "no picture", "no sound", "s old"};

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(text, words[i]))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_sim_scenario *s = malloc(sizeof(*s));
    struct tdm_sim_call *call = tdm_sim_call_create(0);
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_sim_result result;
    tdm_time at = 0;

    if (!s || !call)
        abort();
    tdm_sim_scenario_mixed(s, tdm_read_u32(&r), DURATION);
    s->action_count = 0;
    s->steady = false;
    s->signalling_loss = tdm_read_u8(&r) / 1024.0;
    for (unsigned i = 0; i < 2; i++) {
        s->path[i].link.corrupt = tdm_read_u8(&r) / 2048.0;
        s->path[i].link.duplicate = tdm_read_u8(&r) / 1024.0;
    }
    while (tdm_reader_left(&r) >= 2 && s->action_count < TDM_SIM_ACTIONS_MAX) {
        uint8_t what = tdm_read_u8(&r);

        at += tdm_read_u8(&r) * 10 * TDM_MS;
        tdm_sim_scenario_act(s, (struct tdm_sim_action){.at = at,
                                                        .side = what & 1,
                                                        .kind = (enum tdm_sim_action_kind)(
                                                            (what >> 1) % (TDM_SIM_VANISH + 1)),
                                                        .digit = '7'});
    }
    if (tdm_sim_call_run(call, s, &result) != TDM_OK)
        abort();
    for (uint32_t i = 0; i < result.kept; i++)
        if (!is_fair(result.kept_violations[i].text)) {
            fprintf(stderr, "%.6f: %s\n", (double)result.kept_violations[i].at / 1e9,
                    result.kept_violations[i].text);
            abort();
        }
    tdm_sim_call_destroy(call);
    free(s);
    return 0;
}
