/* SPDX-License-Identifier: MIT */
#include "apps/bench.h"
#include "apps/bench_file.h"
#include "apps/options.h"

#include <string.h>

#define PIXELS_720P (1280.0 * 720)

static void print_table(const json_t *root)
{
    const json_t *row;
    size_t i;

    printf("  at 1280x720, ms a picture      encode   decode   two threads\n");
    json_array_foreach(json_object_get(root, "costs"), i, row)
    {
        char name[48];

        (void)snprintf(name, sizeof name, "%s %s",
                       json_string_value(json_object_get(row, "encoder")),
                       json_string_value(json_object_get(row, "preset")));
        printf("  %-28s %8.2f %8.2f %8.2f x\n", name,
               json_number_value(json_object_get(row, "encode_ns")) * PIXELS_720P / 1e6,
               json_number_value(json_object_get(row, "decode_ns")) * PIXELS_720P / 1e6,
               json_number_value(json_object_get(row, "parallel")));
    }
    puts("A moving picture with much detail; calls choose by this and by -b:v when -c:v is auto.");
}

int bench_costs(const struct bench_options *o)
{
    struct tandem_cause cause = {""};
    struct bench_file file = {.path = NULL};
    int code = EXIT_FAILED;

    if (!bench_file_open(&file, o->json))
        return EXIT_FAILED;
    char *text = tandem_codec_costs(o->again, &cause);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;

    if (!root)
        fprintf(stderr, "tandem bench costs: %s\n", cause.text);
    else if (bench_file_write(&file, text))
        code = EXIT_DONE;
    if (root && o->json && strcmp(o->json, "-") == 0)
        puts(text);
    else if (root)
        print_table(root);
    bench_file_close(&file);
    json_decref(root);
    tandem_free(text);
    return fflush(stdout) == 0 ? code : EXIT_FAILED;
}

void bench_costs_prepare(const char *video_codecs, bool quiet)
{
    struct tandem_cause cause = {""}; /* The call says it again, where it can be acted on. */

    if (!video_codecs || strcmp(video_codecs, "auto") != 0 || tandem_codec_costs_kept())
        return;
    if (!quiet)
        fputs("measuring once what each codec costs on this machine (a few seconds)\n", stderr);
    tandem_free(tandem_codec_costs(false, &cause));
}
