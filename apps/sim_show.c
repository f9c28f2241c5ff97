/* SPDX-License-Identifier: MIT */
#include "apps/sim.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void sim_row_add(struct sim_row *row, const struct tandem_sim_scenario *s,
                 const struct tandem_sim_score *score, uint64_t seed)
{
    row->seeds++;
    for (int i = 0; i < s->figure_count; i++) {
        double value = score->figures[i];
        bool worse = s->figures[i].more_is_better ? value < row->worst[i] : value > row->worst[i];

        if (isnan(value))
            continue;
        if (!row->counts[i]++ || worse)
            row->worst[i] = value;
        row->sums[i] += value;
    }
    if (!score->violation[0])
        return;
    row->violations++;
    if (!row->violation_list)
        row->violation_list = json_array();
    (void)json_array_append_new(
        row->violation_list,
        json_pack("{s:I, s:s}", "seed", (json_int_t)seed, "text", score->violation));
}

double sim_row_mean(const struct sim_row *row, int figure)
{
    return row->counts[figure] ? row->sums[figure] / row->counts[figure] : (double)NAN;
}

bool sim_row_meets(const struct sim_row *row, const struct tandem_sim_goal *goal)
{
    double value = sim_row_mean(row, goal->figure);

    return goal->at_least ? value >= goal->value - 1e-9 : value <= goal->value + 1e-9;
}

int sim_row_meets_all(const struct sim_row *row, const struct tandem_sim_scenario *s)
{
    int met = s->goal_count ? 1 : -1;

    for (int i = 0; i < s->goal_count; i++)
        if (!sim_row_meets(row, &s->goals[i]))
            met = 0;
    return met;
}

void sim_row_add_curves(struct sim_row *row, const struct tandem_sim_score *score, uint64_t seed)
{
    json_t *run = json_pack("{s:I}", "seed", (json_int_t)seed);

    for (uint32_t i = 0; i < score->curve_count; i++) {
        const struct tandem_sim_curve *c = &score->curves[i];
        json_t *values = json_array();

        for (uint32_t k = 0; k < c->count; k++)
            (void)json_array_append_new(values, json_real((double)c->values[k]));
        (void)json_object_set_new(run, c->name,
                                  json_pack("{s:f, s:o}", "every_s", c->every_s, "values", values));
    }
    if (!row->curves)
        row->curves = json_array();
    (void)json_array_append_new(row->curves, run);
}

void sim_row_free(struct sim_row *row)
{
    json_decref(row->violation_list);
    json_decref(row->curves);
    row->violation_list = row->curves = NULL;
}

static size_t add_goal(const struct tandem_sim_scenario *s, int i, char *text, size_t capacity)
{
    const struct tandem_sim_goal *g = &s->goals[i];
    int size = snprintf(text, capacity, "%s%s %s %g", i ? ", " : "", s->figures[g->figure].name,
                        g->at_least ? ">=" : "<=", g->value);

    return size < 0 || (size_t)size >= capacity ? capacity - 1 : (size_t)size;
}

void sim_goals_text(const struct tandem_sim_scenario *s, char *text, size_t capacity)
{
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < s->goal_count; i++)
        used += add_goal(s, i, text + used, capacity - used);
}

/* Which goals are missed, by name. */
static void print_verdict(FILE *to, const struct tandem_sim_scenario *s, const struct sim_row *row)
{
    int met = sim_row_meets_all(row, s);

    if (met >= 0)
        fprintf(to, "  %s", met ? "met" : "not met:");
    for (int i = 0; i < s->goal_count && !met; i++)
        if (!sim_row_meets(row, &s->goals[i]))
            fprintf(to, " %s", s->figures[s->goals[i].figure].name);
    if (row->violations)
        fprintf(to,
                "  %" PRIu32 " runs broke a promise, the first: seed %" JSON_INTEGER_FORMAT ": %s",
                row->violations,
                json_integer_value(json_object_get(json_array_get(row->violation_list, 0), "seed")),
                json_string_value(json_object_get(json_array_get(row->violation_list, 0), "text")));
    fputc('\n', to);
}

static bool any_has(const struct sim_row *rows, uint32_t count, int figure)
{
    for (uint32_t r = 0; r < count; r++)
        if (rows[r].counts[figure])
            return true;
    return false;
}

static void print_value(FILE *to, const char *name, double value)
{
    int width = (int)strlen(name);

    width = width < 8 ? 8 : width;
    if (isnan(value))
        fprintf(to, "  %*s", width, "-");
    else
        fprintf(to, "  %*.*f", width, fabs(value) < 10 ? 2 : 1, value);
}

void sim_card_print(FILE *to, const struct tandem_sim_scenario *s, const struct sim_row *rows,
                    uint32_t count)
{
    char goals[300];

    sim_goals_text(s, goals, sizeof goals);
    fprintf(to, "%s%s%s: %s\n", s->name, *s->id ? "  " : "", s->id, s->title);
    fprintf(to, "  %-12s", "");
    for (int i = 0; i < s->figure_count; i++)
        if (any_has(rows, count, i))
            fprintf(to, "  %8s", s->figures[i].name);
    fprintf(to, "%s%s\n", *goals ? "  goal: " : "", goals);
    for (uint32_t r = 0; r < count; r++) {
        fprintf(to, "  %-12s", rows[r].contender);
        for (int i = 0; i < s->figure_count; i++)
            if (any_has(rows, count, i))
                print_value(to, s->figures[i].name, sim_row_mean(&rows[r], i));
        print_verdict(to, s, &rows[r]);
    }
    fputc('\n', to);
}

static json_t *goals_of(const struct tandem_sim_scenario *s, const struct sim_row *row)
{
    json_t *list = json_array();

    for (int i = 0; i < s->goal_count; i++) {
        const struct tandem_sim_goal *g = &s->goals[i];
        json_t *goal = json_pack("{s:s, s:s, s:f}", "figure", s->figures[g->figure].name, "is",
                                 g->at_least ? "at least" : "at most", "value", g->value);

        if (row)
            (void)json_object_set_new(goal, "met", json_boolean(sim_row_meets(row, g)));
        (void)json_array_append_new(list, goal);
    }
    return list;
}

json_t *sim_scenario_object(const struct tandem_sim_scenario *s)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:s?}", "scenario", s->name, "family",
                     s->family, "id", s->id, "title", s->title, "seconds", (int)s->seconds, "goals",
                     goals_of(s, NULL), "trace", s->trace);
}

json_t *sim_row_object(const struct tandem_sim_scenario *s, const struct sim_row *row)
{
    int met = sim_row_meets_all(row, s);
    json_t *figures = json_object();
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "scenario", s->name, "family", s->family,
                  "id", s->id, "contender", row->contender, "goals", goals_of(s, row), "met",
                  met < 0 ? json_null() : json_boolean(met), "figures", figures);

    for (int i = 0; i < s->figure_count; i++)
        if (row->counts[i])
            (void)json_object_set_new(figures, s->figures[i].name,
                                      json_pack("{s:f, s:f, s:i}", "mean", sim_row_mean(row, i),
                                                "worst", row->worst[i], "seeds",
                                                (int)row->counts[i]));
    if (row->violation_list)
        (void)json_object_set(object, "violations", row->violation_list);
    if (row->curves)
        (void)json_object_set(object, "runs", row->curves);
    return object;
}
