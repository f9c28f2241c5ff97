/* SPDX-License-Identifier: MIT */
#include "tests/sim/report.h"

#include <inttypes.h>
#include <stdio.h>

static double ms(tdm_time t)
{
    return t == TDM_NEVER ? -1 : (double)t / 1e6;
}

void report_violations(const struct tdm_sim_result *result)
{
    for (uint32_t i = 0; i < result->kept; i++)
        printf("  at %.6f s: %s\n", (double)result->kept_violations[i].at / 1e9,
               result->kept_violations[i].text);
    if (result->violations > result->kept)
        printf("  and %" PRIu64 " more\n", result->violations - result->kept);
}

void report_call(const struct tdm_sim_scenario *scenario, const struct tdm_sim_result *result)
{
    printf("%s, seed %" PRIu64 ", %.0f s: %" PRIu64 " events, hash %016" PRIx64 ", %" PRIu64
           " violations\n",
           scenario->name, scenario->seed, (double)scenario->duration / 1e9, result->events,
           result->hash, result->violations);
    for (unsigned i = 0; i < 2; i++) {
        const struct tdm_sim_side_result *r = &result->side[i];

        printf("  from side %u: %s, up at %.0f ms, ended at %.0f ms\n", i,
               tdm_call_state_name(r->state), ms(r->up_at), ms(r->ended_at));
        printf("    sound:   %" PRIu64 " frames heard, latency %.1f (most %.1f) ms, "
               "longest gap %.1f ms\n",
               r->audio_frames, ms(r->audio_latency), ms(r->audio_latency_max),
               ms(r->audio_gap_max));
        printf("    picture: %" PRIu64 " frames shown, latency %.1f (most %.1f) ms, "
               "longest gap %.1f ms\n",
               r->video_frames, ms(r->video_latency), ms(r->video_latency_max),
               ms(r->video_gap_max));
        printf("    packets: %" PRIu64 " sent, %" PRIu64 " again; %" PRIu64 " asked for, %" PRIu64
               " repaired; %" PRIu64 " keyframes asked for\n",
               r->packets_sent, r->packets_resent, r->nacked, r->repaired, r->keyframes_wanted);
    }
    report_violations(result);
}

void report_log(const struct tdm_sim_log *log)
{
    for (uint64_t i = 0; i < log->count; i++) {
        const struct tdm_sim_event *e = tdm_sim_log_at(log, i);

        if (e)
            printf("%" PRId64 " %u %u.%u %" PRIu32 " %016" PRIx64 "\n", e->at, e->kind, e->side,
                   e->stream, e->a, e->b);
    }
}
