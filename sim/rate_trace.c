/* SPDX-License-Identifier: MIT */
#include "sim/rate_trace.h"

#include "sim/network.h"

#define LEAST 0.08 /* Of the mean. */

enum tdm_err tdm_rate_trace_parse(const char *text, size_t size, uint32_t *trace_ms,
                                  uint32_t capacity, uint32_t *count)
{
    uint64_t value = 0;
    bool digits = false;

    *count = 0;
    for (size_t i = 0; i <= size; i++) {
        char c = i < size ? text[i] : '\n';

        if (c >= '0' && c <= '9') {
            value = value * 10 + (uint64_t)(c - '0');
            digits = true;
            if (value > INT32_MAX)
                return TDM_E_MALFORMED;
        } else if (c == '\n' || c == '\r' || c == ' ') {
            if (!digits)
                continue;
            if (*count && value < trace_ms[*count - 1])
                return TDM_E_MALFORMED;
            if (*count == capacity)
                return TDM_E_SPACE;
            trace_ms[(*count)++] = (uint32_t)value;
            value = 0;
            digits = false;
        } else {
            return TDM_E_MALFORMED;
        }
    }
    /* The last is the period. */
    return *count && trace_ms[*count - 1] > 0 ? TDM_OK : TDM_E_MALFORMED;
}

uint32_t tdm_rate_trace_draw(const struct tdm_rate_trace_model *model, uint64_t seed,
                             uint32_t seconds, uint32_t *trace_ms, uint32_t capacity)
{
    struct tdm_rng rng = tdm_rng_of(seed);
    double level = 0, owed = 0, until_outage = 0, outage = 0;
    double root = 0.1414; /* Of a slot of 20 ms. */
    double gather = 0;
    uint32_t count = 0;

    until_outage = model->outages_s * tdm_sim_exponential(&rng);
    for (uint32_t ms = 1; ms <= seconds * 1000; ms++) {
        if (ms % 20 == 0) {
            level += model->wander * root * tdm_sim_normal(&rng) - level * 0.02 * 0.25;
            level = level < -2.5 ? -2.5 : level > model->most ? model->most : level;
        }
        if (model->outages_s > 0 && outage <= 0 && (until_outage -= 0.001) <= 0) {
            outage = model->outage_s * tdm_sim_exponential(&rng);
            until_outage = model->outages_s * tdm_sim_exponential(&rng);
        }
        outage -= outage > 0 ? 0.001 : 0;
        double mean = model->mean_bps * tdm_sim_exp(level) / 12e6;

        if (model->gather_ms && (gather -= 1) > 0) {
            owed += mean;
            continue;
        }
        gather = 0.5 + model->gather_ms * tdm_sim_exponential(&rng);
        /* Poisson by exponential gaps: what is owed passes in this millisecond. */
        for (owed += outage > 0 ? mean * LEAST * 0.2 : mean; owed > 0 && count + 1 < capacity;
             owed -= tdm_sim_exponential(&rng))
            trace_ms[count++] = (ms + model->slot_ms - 1) / model->slot_ms * model->slot_ms;
    }
    if (!count || trace_ms[count - 1] < seconds * 1000)
        trace_ms[count++] = seconds * 1000;
    return count;
}
