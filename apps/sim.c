/* SPDX-License-Identifier: MIT */
#include "apps/sim.h"

#include "apps/near.h"
#include "apps/options.h"
#include "apps/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACE_BYTES_MAX (16U << 20)
#define CONTENDERS_MAX  8
#define NEAR_MAX        4

/* A request being worked on. */
struct job {
    const struct sim_options *o;
    struct tandem_sim *sim;
    struct terminal terminal;
    bool lines; /* Somebody watches. */
    char *trace;
    size_t trace_size;
    uint32_t done, total; /* Runs. */
    uint32_t violations, missed;
    json_t *rows;
};

static int give_up(enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem sim: %s\n", why);
    return (int)code;
}

static int list(bool as_json)
{
    struct tandem_sim_scenario s;
    json_t *all = as_json ? json_array() : NULL;
    const char *family = "";

    for (uint32_t i = 0; tandem_sim_scenario(i, &s); i++) {
        char goals[300];

        if (all) {
            (void)json_array_append_new(all, sim_scenario_object(&s));
            continue;
        }
        sim_goals_text(&s, goals, sizeof goals);
        if (strcmp(family, s.family) != 0)
            printf("%s%s\n", *family ? "\n" : "", s.family);
        family = s.family;
        printf("  %-20s%c %-4s %s%s%s\n", s.name, s.trace ? '+' : ' ', s.id, s.title,
               *goals ? "; goal: " : "", goals);
    }
    if (all) {
        (void)json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        putchar('\n');
    }
    json_decref(all);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static bool is_meant(const char *word, const struct tandem_sim_scenario *s)
{
    return strcmp(word, "all") == 0 || strcmp(word, s->name) == 0 || strcmp(word, s->family) == 0;
}

static bool is_wanted(const struct sim_options *o, const struct tandem_sim_scenario *s)
{
    for (int i = 0; i < o->word_count; i++)
        if (is_meant(o->words[i], s))
            return true;
    return false;
}

/* The names nearest to a word that is none, nearest first; how many. */
static int nearest(const char *word, const char *names[NEAR_MAX])
{
    struct tandem_sim_scenario s;
    unsigned distances[NEAR_MAX];
    int count = 0;

    for (uint32_t i = 0; tandem_sim_scenario(i, &s); i++) {
        unsigned distance = near_distance(word, s.name);
        int at = count < NEAR_MAX ? count++ : NEAR_MAX;

        while (at > 0 && distances[at - 1] > distance) {
            if (at < NEAR_MAX) {
                distances[at] = distances[at - 1];
                names[at] = names[at - 1];
            }
            at--;
        }
        if (at < NEAR_MAX) {
            distances[at] = distance;
            names[at] = s.name;
        }
    }
    while (count && !near_enough(word, distances[count - 1]))
        count--;
    return count;
}

static bool knows(const char *word)
{
    struct tandem_sim_scenario s;
    const char *names[NEAR_MAX];
    int count;

    for (uint32_t i = 0; tandem_sim_scenario(i, &s); i++)
        if (is_meant(word, &s))
            return true;
    count = nearest(word, names);
    fprintf(stderr, "tandem sim: there is no scenario \"%.60s\"", word);
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s%s", i == 0 ? "; near it: " : ", ", names[i]);
    fputs("; tandem sim --list names all\n", stderr);
    return false;
}

static bool has_contender(const struct tandem_sim_scenario *s, const char *name)
{
    for (uint32_t i = 0; i < s->contender_count; i++)
        if (strcmp(s->contenders[i], name) == 0)
            return true;
    return false;
}

/* Everything that can be said before the first run is. */
static bool is_sound(struct job *job)
{
    const struct sim_options *o = job->o;
    struct tandem_sim_scenario s;
    uint64_t seeds = o->last - o->first + 1;
    uint32_t takers = 0;
    bool judged = !o->check;

    for (int i = 0; i < o->word_count; i++)
        if (!knows(o->words[i]))
            return false;
    for (uint32_t i = 0; tandem_sim_scenario(i, &s); i++) {
        if (!is_wanted(o, &s))
            continue;
        takers += s.trace != NULL;
        judged |= !o->peer || strcmp(o->peer, s.contenders[0]) == 0;
        job->total += (uint32_t)seeds * (!o->peer                     ? s.contender_count
                                         : has_contender(&s, o->peer) ? 1
                                                                      : 0);
    }
    if (!job->total)
        (void)give_up(EXIT_USAGE, "that contender takes no part there; the tables name those that "
                                  "do");
    else if (o->trace && !takers)
        (void)give_up(EXIT_USAGE, "none of these takes a trace: tandem sim --list marks those that "
                                  "do with +");
    else if (!judged)
        (void)give_up(EXIT_USAGE,
                      "--check is for what the goals are for, tandem: leave out --peer");
    return job->total && (!o->trace || takers) && judged;
}

static bool read_trace(struct job *job)
{
    const char *path = job->o->trace;
    FILE *file = path ? fopen(path, "r") : NULL;
    bool ok;

    if (!path)
        return true;
    job->trace = file ? malloc(TRACE_BYTES_MAX + 1) : NULL;
    job->trace_size = job->trace ? fread(job->trace, 1, TRACE_BYTES_MAX + 1, file) : 0;
    ok = job->trace && !ferror(file) && job->trace_size <= TRACE_BYTES_MAX;
    if (!ok)
        fprintf(stderr, "tandem sim: cannot read %.300s: %s\n", path,
                job->trace_size > TRACE_BYTES_MAX ? "too large for a trace"
                                                  : strerrordesc_np(errno));
    if (file)
        (void)fclose(file);
    return ok;
}

static void show(struct job *job, const struct tandem_sim_scenario *s, uint32_t contender,
                 uint64_t seed)
{
    char line[160];

    if (!job->lines)
        return;
    (void)snprintf(line, sizeof line, "%3.0f %%  %s, %s, seed %" PRIu64,
                   100.0 * job->done / job->total, s->name, s->contenders[contender], seed);
    terminal_line(&job->terminal, line);
}

/* One contender over all seeds. */
static enum tandem_status run_row(struct job *job, const struct tandem_sim_scenario *s,
                                  struct tandem_sim_run *run, struct sim_row *row)
{
    const struct sim_options *o = job->o;
    enum tandem_status status = TANDEM_OK;

    *row = (struct sim_row){.contender = s->contenders[run->contender]};
    run->trace = s->trace ? job->trace : NULL;
    run->trace_size = job->trace_size;
    run->fill = o->fill;
    run->spread = o->spread;
    for (run->seed = o->first; run->seed <= o->last && status == TANDEM_OK; run->seed++) {
        struct tandem_sim_score score;
        struct tandem_cause cause = {""};

        show(job, s, run->contender, run->seed);
        status = tandem_sim_run(job->sim, run, &score, &cause);
        job->done++;
        if (status != TANDEM_OK) {
            terminal_hide(&job->terminal);
            (void)give_up(EXIT_FAILED, cause.text);
            break;
        }
        sim_row_add(row, s, &score, run->seed);
        if (o->curves)
            sim_row_add_curves(row, &score, run->seed);
    }
    job->violations += row->violations;
    job->missed += run->contender == 0 && sim_row_meets_all(row, s) == 0;
    return status;
}

static enum tandem_status run_scenario(struct job *job, uint32_t index,
                                       const struct tandem_sim_scenario *s)
{
    struct sim_row rows[CONTENDERS_MAX];
    uint32_t count = 0;
    enum tandem_status status = TANDEM_OK;

    for (uint32_t c = 0; c < s->contender_count && c < CONTENDERS_MAX && status == TANDEM_OK; c++)
        if (!job->o->peer || strcmp(job->o->peer, s->contenders[c]) == 0) {
            struct tandem_sim_run run = {.scenario = index, .contender = c};

            status = run_row(job, s, &run, &rows[count++]);
        }
    terminal_hide(&job->terminal);
    if (status == TANDEM_OK && !job->rows && count)
        sim_card_print(stdout, s, rows, count);
    for (uint32_t i = 0; i < count; i++) {
        if (status == TANDEM_OK && job->rows)
            (void)json_array_append_new(job->rows, sim_row_object(s, &rows[i]));
        sim_row_free(&rows[i]);
    }
    (void)fflush(stdout);
    return status;
}

static void tell_json(const struct job *job)
{
    json_t *root =
        json_pack("{s:[I, I], s:s, s:O}", "seeds", (json_int_t)job->o->first,
                  (json_int_t)job->o->last, "version", tandem_version(), "rows", job->rows);

    if (root)
        (void)json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

static int run_all(struct job *job)
{
    struct tandem_sim_scenario s;
    enum tandem_status status = TANDEM_OK;

    for (uint32_t i = 0; status == TANDEM_OK && tandem_sim_scenario(i, &s); i++)
        if (is_wanted(job->o, &s))
            status = run_scenario(job, i, &s);
    if (status != TANDEM_OK)
        return status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED;
    if (job->rows)
        tell_json(job);
    if (fflush(stdout) != 0 || job->violations)
        return EXIT_FAILED;
    return job->o->check && job->missed ? EXIT_WORSE : EXIT_DONE;
}

int sim_run(int argc, char **argv)
{
    struct sim_options o;
    struct tandem_cause cause = {""};
    int code = EXIT_USAGE;

    if (!sim_options_parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        sim_options_help(stdout);
        options_help_codes(stdout);
        return EXIT_DONE;
    }
    if (o.list)
        return list(o.json);
    struct job job = {
        .o = &o, .lines = !o.quiet && isatty(STDERR_FILENO), .rows = o.json ? json_array() : NULL};

    if (is_sound(&job) && read_trace(&job)) {
        if (tandem_sim_create(&job.sim, &cause) != TANDEM_OK)
            code = give_up(EXIT_FAILED, cause.text);
        else
            code = run_all(&job);
    }
    tandem_sim_destroy(job.sim);
    json_decref(job.rows);
    free(job.trace);
    return code;
}
