/* SPDX-License-Identifier: MIT */
#include "apps/board_file.h"

#include "apps/options.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_AND_LAST 2

static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

static enum exit_code fail(const struct board_options *o, enum tandem_status status,
                           const struct tandem_cause *cause)
{
    enum exit_code code =
        status == TANDEM_INVALID || status == TANDEM_UNSUPPORTED ? EXIT_USAGE : EXIT_FAILED;

    fprintf(stderr, "tandem board: %s\n", cause->text);
    if (o->json)
        print_json(json_pack("{s:b, s:i, s:s}", "ok", 0, "exit", (int)code, "why", cause->text));
    return code;
}

/* What the engine wants known goes to the user. */
static void tell_notices(struct tandem_board *board)
{
    struct tandem_board_event event;

    while (tandem_board_next_event(board, &event) == TANDEM_OK)
        if (event.kind == TANDEM_BOARD_NOTICE)
            fprintf(stderr, "tandem board: %s\n", event.text);
}

static json_t *state_of(struct tandem_board *board)
{
    struct tandem_board_stats stats;
    char *answer = NULL;
    unsigned visible = 0;
    json_int_t pages = 0;

    (void)tandem_board_stats(board, &stats);
    for (pages = 0; pages < (json_int_t)stats.pages; pages++) {
        char request[64];

        (void)snprintf(request, sizeof request, "{\"do\": \"list\", \"page\": %d}", (int)pages);
        if (tandem_board_request(board, request, &answer, NULL) == TANDEM_OK) {
            json_t *list = json_loads(answer, 0, NULL);

            visible += (unsigned)json_array_size(json_object_get(list, "objects"));
            json_decref(list);
        }
        tandem_free(answer);
        answer = NULL;
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:s}", "pages", (json_int_t)stats.pages, "objects",
                     (json_int_t)visible, "operations", (json_int_t)stats.operations, "authors",
                     (json_int_t)stats.actors, "digest", stats.digest);
}

static enum exit_code info(const struct board_options *o, struct tandem_board *board)
{
    int64_t first = 0, last = 0;
    json_t *state = state_of(board);

    (void)tandem_board_times(board, &first, &last);
    if (o->json) {
        (void)json_object_set_new(state, "first_ms", json_integer(first));
        (void)json_object_set_new(state, "last_ms", json_integer(last));
        print_json(state);
        return EXIT_DONE;
    }
    printf("%lld pages, %lld objects, %lld operations\n",
           (long long)json_integer_value(json_object_get(state, "pages")),
           (long long)json_integer_value(json_object_get(state, "objects")),
           (long long)json_integer_value(json_object_get(state, "operations")));
    if (last)
        printf("drawn from %lld to %lld (seconds since 1970)\n", (long long)(first / 1000),
               (long long)((last + 999) / 1000));
    printf("digest %s\n", json_string_value(json_object_get(state, "digest")));
    json_decref(state);
    return EXIT_DONE;
}

static enum exit_code export_to(const struct board_options *o, struct tandem_board *board)
{
    struct tandem_cause cause = {""};
    enum tandem_status status;
    json_t *request = json_pack("{s:s, s:s}", "do", "export", "path", o->words[2]);
    char *text, *answer = NULL;

    if (o->page)
        (void)json_object_set_new(request, "page", json_integer(o->page - 1));
    if (o->scale > 0)
        (void)json_object_set_new(request, "scale", json_real(o->scale));
    text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    status = tandem_board_request(board, text, &answer, &cause);
    if (o->json && status == TANDEM_OK)
        printf("%s\n", answer);
    tandem_free(answer);
    tandem_free(text);
    return status == TANDEM_OK ? EXIT_DONE : fail(o, status, &cause);
}

static enum exit_code import_from(const struct board_options *o, struct tandem_board *board)
{
    struct tandem_cause cause = {""};
    enum tandem_status status = tandem_board_import(board, o->words[2], &cause);

    return status == TANDEM_OK ? EXIT_DONE : fail(o, status, &cause);
}

static enum exit_code merge(const struct board_options *o, struct tandem_board *board)
{
    struct tandem_cause cause = {""};
    enum tandem_status status = tandem_board_merge(board, o->words[2], &cause);

    return status == TANDEM_OK ? EXIT_DONE : fail(o, status, &cause);
}

static int64_t size_of(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 ? (int64_t)about.st_size : -1;
}

static enum exit_code compact(const struct board_options *o, struct tandem_board *board)
{
    struct tandem_cause cause = {""};
    int64_t before = size_of(o->words[1]);
    enum tandem_status status = tandem_board_compact(board, &cause);
    int64_t after = size_of(o->words[1]);

    if (status != TANDEM_OK)
        return fail(o, status, &cause);
    if (o->json)
        print_json(json_pack("{s:b, s:I, s:I}", "ok", 1, "before", (json_int_t)before, "after",
                             (json_int_t)after));
    else
        printf("%lld bytes of %lld\n", (long long)after, (long long)before);
    return EXIT_DONE;
}

static void print_step(const struct board_options *o, struct tandem_board *board, int64_t at)
{
    json_t *state = state_of(board);

    if (o->json) {
        (void)json_object_set_new(state, "at_ms", json_integer(at));
        print_json(state);
        return;
    }
    printf("%lld.%03d  %lld pages, %lld objects\n", (long long)(at / 1000), (int)(at % 1000),
           (long long)json_integer_value(json_object_get(state, "pages")),
           (long long)json_integer_value(json_object_get(state, "objects")));
    json_decref(state);
}

static enum exit_code replay(const struct board_options *o, struct tandem_board *board)
{
    int steps = o->steps < FIRST_AND_LAST ? FIRST_AND_LAST : o->steps;
    int64_t first, last;

    if (o->at_ms) { /* It was opened as it was then. */
        print_step(o, board, o->at_ms);
        return EXIT_DONE;
    }
    if (!tandem_board_times(board, &first, &last))
        return EXIT_DONE; /* Nothing was ever drawn. */
    if (last == first)
        steps = 1;
    for (int i = 0; i < steps; i++) {
        int64_t at = steps > 1 ? first + (last - first) * i / (steps - 1) : last;
        struct tandem_cause cause = {""};
        enum tandem_status status = tandem_board_travel(board, at, &cause);

        if (status != TANDEM_OK)
            return fail(o, status, &cause);
        print_step(o, board, at);
    }
    return EXIT_DONE;
}

static const struct deed {
    const char *name;
    int words;
    bool writes;
    enum exit_code (*perform)(const struct board_options *o, struct tandem_board *board);
} deeds[] = {
    {"info", 2, false, info},  {"export", 3, false, export_to}, {"import", 3, true, import_from},
    {"merge", 3, true, merge}, {"replay", 2, false, replay},    {"compact", 2, true, compact},
};

static enum exit_code do_deed(const struct deed *deed, const struct board_options *o)
{
    const struct tandem_board_config config = {
        .file = o->words[1], .read_only = !deed->writes, .at_ms = deed->writes ? 0 : o->at_ms};
    struct tandem_board *board;
    struct tandem_cause cause = {""};

    if (o->count != deed->words) {
        fprintf(stderr, "tandem board %s: %s; see tandem board --help\n", deed->name,
                deed->words == 2 ? "name one file" : "name two files");
        return EXIT_USAGE;
    }
    if (deed->perform != export_to && (o->page || o->scale > 0)) {
        fprintf(stderr, "tandem board %s: --page and --scale go with export\n", deed->name);
        return EXIT_USAGE;
    }
    if (deed->perform == compact && size_of(o->words[1]) < 0) {
        (void)snprintf(cause.text, sizeof cause.text, "%.200s: %s", o->words[1],
                       strerrordesc_np(errno));
        return fail(o, TANDEM_FAILED, &cause);
    }
    enum tandem_status status = tandem_board_create(&config, &board, &cause);

    if (status != TANDEM_OK)
        return fail(o, status, &cause);
    enum exit_code code = deed->perform(o, board);

    tell_notices(board);
    tandem_board_destroy(board);
    return code;
}

bool board_file_run(const struct board_options *o, int *code)
{
    for (size_t i = 0; o->count && i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(o->words[0], deeds[i].name) == 0) {
            *code = (int)do_deed(&deeds[i], o);
            return true;
        }
    return false;
}
