/* SPDX-License-Identifier: MIT */
#include "apps/bench.h"
#include "apps/bench_file.h"
#include "apps/bench_plain.h"
#include "apps/options.h"
#include "apps/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What `bench codec` holds from its check of the arguments to its last file. */
struct run {
    const struct bench_options *o;
    struct bench_file json, html;
    char *older; /* Text of --compare. */
    json_t *report;
};

static int give_up(enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem bench: %s\n", why);
    return (int)code;
}

/* Ctrl-C and the like are kept waiting and looked for between steps; the threads of the encoders
 * inherit that. */
static void keep_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    /* A file that hits a limit is an error of that file. */
    (void)sigaction(SIGXFSZ, &ignore, NULL);
}

static bool interrupted(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigpending(&set);
    return sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1 ||
           sigismember(&set, SIGHUP) == 1;
}

static void show(struct terminal *t, const struct tandem_bench_progress *p)
{
    unsigned left = (unsigned)(p->seconds_left + 0.5);
    char line[256], figures[64] = "";

    if (p->psnr_db > 0)
        (void)snprintf(figures, sizeof figures, "   encode %.2f ms, decode %.2f ms, %.1f dB",
                       p->encode_ms, p->decode_ms, p->psnr_db);
    (void)snprintf(line, sizeof line, "%3.0f %%  %u:%02u left  %.80s%s",
                   p->total ? 100.0 * p->done / p->total : 100.0, left / 60, left % 60, p->cell,
                   figures);
    terminal_line(t, line);
}

/* Measures until all is done or somebody wants an end. */
static void measure(struct run *r, struct tandem_bench *bench, struct tandem_bench_progress *p)
{
    struct terminal terminal = {.keys = false};
    bool lines = !r->o->quiet && isatty(STDERR_FILENO);
    enum tandem_status status = TANDEM_OK;

    while (status != TANDEM_AGAIN && !interrupted()) {
        struct tandem_cause cause = {""};

        status = tandem_bench_step(bench, p, &cause);
        if (status != TANDEM_OK && status != TANDEM_AGAIN)
            terminal_print(&terminal, cause.text);
        else if (lines)
            show(&terminal, p);
    }
    if (status != TANDEM_AGAIN)
        terminal_print(&terminal, "stopped early: the report holds what was measured so far");
    terminal_close(&terminal);
}

/* A report that says how far it came, if not to its end. */
static json_t *parsed(char *text, const struct tandem_bench_progress *p)
{
    json_t *report = text ? json_loads(text, 0, NULL) : NULL;

    if (report && p->done < p->total)
        (void)json_object_set_new(
            report, "partial",
            json_pack("{s:i, s:i}", "done", (int)p->done, "total", (int)p->total));
    tandem_free(text);
    return report;
}

static int fill_by_measuring(struct run *r)
{
    struct tandem_cause cause = {""};
    struct tandem_bench *bench = NULL;
    struct tandem_bench_progress progress = {.done = 0, .total = 1};
    enum tandem_status status = tandem_bench_create(&r->o->config, &bench, &cause);

    if (status != TANDEM_OK)
        return give_up(status == TANDEM_FAILED ? EXIT_FAILED : EXIT_USAGE, cause.text);
    measure(r, bench, &progress);
    r->report = parsed(tandem_bench_json(bench), &progress);
    tandem_bench_destroy(bench);
    return r->report ? EXIT_DONE : give_up(EXIT_FAILED, "no memory for the report");
}

static int fill_from_file(struct run *r)
{
    char *text = bench_file_read(r->o->from);

    r->report = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return r->report ? EXIT_DONE : EXIT_FAILED;
}

/* A report of another kind is said before the run: a report differs from itself in nothing. */
static bool is_report(const char *path, const char *text)
{
    struct tandem_cause cause = {""};
    char *changes = text ? tandem_bench_compare(text, text, &cause) : NULL;
    bool ok = changes != NULL;

    bench_plain_text(cause.text); /* It may quote the file. */
    if (text && !ok)
        fprintf(stderr, "tandem bench: %.300s is %s\n", path, cause.text);
    tandem_free(changes);
    return ok;
}

static bool prepare(struct run *r)
{
    const struct bench_options *o = r->o;
    bool ok = true;

    if (o->json && o->html && strcmp(o->json, o->html) == 0) {
        fprintf(stderr, "tandem bench: --json and --html name the same file\n");
        return false;
    }
    if (o->from) {
        char *text = bench_file_read(o->from);

        ok = is_report(o->from, text);
        free(text);
    }
    if (ok && o->compare) {
        r->older = bench_file_read(o->compare);
        ok = is_report(o->compare, r->older);
    }
    return ok && bench_file_open(&r->json, o->json) && bench_file_open(&r->html, o->html);
}

static bool write_html(struct run *r, const char *text)
{
    struct tandem_cause cause = {""};
    char *page;
    bool ok;

    if (!r->o->html)
        return true;
    page = tandem_bench_html(text, r->older, &cause);
    if (!page)
        fprintf(stderr, "tandem bench: %s\n", cause.text);
    ok = page && bench_file_write(&r->html, page);
    tandem_free(page);
    return ok;
}

/* The exit code that the comparison asks for. */
static int tell_changes(struct run *r, const char *text, FILE *to)
{
    struct tandem_cause cause = {""};
    char *changes = r->older ? tandem_bench_compare(text, r->older, &cause) : NULL;
    json_t *found = changes ? json_loads(changes, 0, NULL) : NULL;
    int code = r->older && !found ? EXIT_FAILED : EXIT_DONE;

    if (code == EXIT_FAILED)
        fprintf(stderr, "tandem bench: %s\n", cause.text);
    if (found && bench_plain(found))
        bench_changes_print(to, found);
    /* Worse ones come first. */
    if (json_is_true(
            json_object_get(json_array_get(json_object_get(found, "changes"), 0), "worse")))
        code = EXIT_WORSE;
    json_decref(found);
    tandem_free(changes);
    return code;
}

static int tell(struct run *r)
{
    bool only_json = r->o->json && strcmp(r->o->json, "-") == 0;
    char *text = json_dumps(r->report, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    bool ok = text && bench_file_write(&r->json, text) && write_html(r, text);
    int code = EXIT_FAILED;

    if (text && only_json)
        puts(text);
    else if (text && bench_plain(r->report)) { /* The text for the files is made. */
        bench_table_print(stdout, r->report);
        bench_recommendations_print(stdout, r->report);
    }
    if (text)
        code = tell_changes(r, text, only_json ? stderr : stdout);
    if (fflush(stdout) != 0 || !ok)
        code = EXIT_FAILED;
    free(text);
    return code;
}

static bool is_empty(const json_t *report)
{
    return !json_array_size(json_object_get(report, "video")) &&
           !json_array_size(json_object_get(report, "audio"));
}

static int bench_codec(const struct bench_options *o)
{
    struct run r = {.o = o};
    int code = EXIT_FAILED;

    keep_signals();
    if (prepare(&r))
        code = o->from ? fill_from_file(&r) : fill_by_measuring(&r);
    if (code == EXIT_DONE)
        code = is_empty(r.report) ? give_up(EXIT_FAILED, "nothing was measured") : tell(&r);
    bench_file_close(&r.html);
    bench_file_close(&r.json);
    json_decref(r.report);
    free(r.older);
    return code;
}

int bench_run(int argc, char **argv)
{
    struct bench_options o;

    if (!bench_options_parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        bench_options_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(o.what, "codec") == 0)
        return bench_codec(&o);
    if (strcmp(o.what, "call") == 0)
        return bench_call(&o);
    if (strcmp(o.what, "costs") == 0)
        return bench_costs(&o);
    if (strcmp(o.what, "screen") == 0)
        return give_up(EXIT_USAGE, "this build cannot share a screen yet, so there is nothing to "
                                   "measure; a screen as the video of a call is in bench call");
    if (strcmp(o.what, "channel") == 0)
        return bench_channel(&o);
    return bench_connect(&o);
}
