/* SPDX-License-Identifier: MIT */
#include "bench/micro/micro.h"
#include "engine/base/cpu.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t feature;
} features[] = {{"ssse3", TDM_CPU_SSSE3}, {"avx2", TDM_CPU_AVX2}, {"gfni", TDM_CPU_GFNI}};

/* The processor's name as the kernel has it, without what JSON does not like. */
static const char *processor(char *name, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");

    (void)snprintf(name, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');

        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        (void)snprintf(name, size, "%.*s", (int)strcspn(value + 2, "\"\\\n"), value + 2);
        break;
    }
    if (file)
        (void)fclose(file);
    return name;
}

void micro_print_head(void)
{
    char name[256];

    printf("%s;", processor(name, sizeof name));
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (tdm_cpu_has(features[i].feature))
            printf(" %s", features[i].name);
    printf("\n\n%-18s %-12s %10s %10s %10s %9s %9s %8s\n", "routine", "variant", "min us",
           "median us", "max us", "GB/s", "items/ms", "times");
}

static void print_rate(double per_ns, double scale, int width)
{
    if (per_ns > 0)
        printf(" %*.2f", width, per_ns * scale);
    else
        printf(" %*s", width, "");
}

void micro_print(const struct micro_result *result)
{
    printf("%s: %s\n", result->routine->name, result->routine->shape);
    for (size_t i = 0; i < result->count; i++) {
        const struct micro_times *t = &result->times[i];

        printf("%-18s %-12s %10.3f %10.3f %10.3f", "", t->variant, t->min_ns / 1e3,
               t->median_ns / 1e3, t->max_ns / 1e3);
        print_rate(result->bytes / t->median_ns, 1, 9);
        print_rate(result->items / t->median_ns, 1e6, 9);
        printf(" %8.2f\n", t->ratio);
    }
    (void)fflush(stdout);
}

static void write_result(FILE *file, const struct micro_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct micro_times *t = &result->times[i];

        (void)fprintf(file,
                      "%s    {\"variant\": \"%s\", \"min_ns\": %.2f, \"median_ns\": %.2f, "
                      "\"max_ns\": %.2f, \"times_reference\": %.4f, \"rounds\": %zu, "
                      "\"runs\": %zu}",
                      i ? ",\n" : "", t->variant, t->min_ns, t->median_ns, t->max_ns, t->ratio,
                      t->rounds, t->runs);
    }
}

bool micro_write_json(const struct micro_options *options, const struct micro_result *results,
                      size_t count)
{
    char name[256];
    FILE *file = fopen(options->json, "w");

    if (!file)
        return false;
    (void)fprintf(file, "{\"processor\": \"%s\", \"seed\": %llu, \"seconds\": %.3f,\n",
                  processor(name, sizeof name), (unsigned long long)options->seed,
                  options->seconds);
    (void)fprintf(file, " \"routines\": [\n");
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file,
                      "  {\"name\": \"%s\", \"shape\": \"%s\", \"bytes\": %.0f, "
                      "\"items\": %.0f, \"variants\": [\n",
                      results[i].routine->name, results[i].routine->shape, results[i].bytes,
                      results[i].items);
        write_result(file, &results[i]);
        (void)fprintf(file, "]}%s\n", i + 1 < count ? "," : "");
    }
    (void)fprintf(file, " ]}\n");
    bool good = !ferror(file);

    return fclose(file) == 0 && good;
}
