/* SPDX-License-Identifier: MIT */
#include "measure/cost_table.h"

#include "engine/io/environment.h"
#include "tandem/bench.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORM     3
#define TEXT_MAX 512
#define KEPT_MAX 65536
#define NS_MAX   1e6 /* A pixel: a second for 1000 of them. */

/* What the figures hold for: this processor and these libraries. */
static void subject(char *text, size_t capacity)
{
    const struct tdm_video_encoder_ops *ops;
    char line[TEXT_MAX] = "", model[TEXT_MAX] = "?";
    FILE *cpus = fopen("/proc/cpuinfo", "re");
    size_t at;

    while (cpus && fgets(line, sizeof line, cpus))
        if (sscanf(line, "model name : %511[^\n]", model) == 1)
            break;
    if (cpus)
        (void)fclose(cpus);
    at = (size_t)snprintf(text, capacity, "%s, %ld cores", model, sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; (ops = tdm_video_encoder_at(i)) && at < capacity; i++)
        at += (size_t)snprintf(text + at, capacity - at, "; %s", ops->version());
}

bool tdm_cost_table_path(char *path, size_t capacity)
{
    const char *cache = tdm_environment("XDG_CACHE_HOME"), *home = tdm_environment("HOME");
    int size = -1;

    if (cache && cache[0] == '/')
        size = snprintf(path, capacity, "%s/tandem/codec-costs.json", cache);
    else if (home && home[0] == '/')
        size = snprintf(path, capacity, "%s/.cache/tandem/codec-costs.json", home);
    return size > 0 && (size_t)size < capacity;
}

static bool good_number(double value, double least, double most)
{
    return value >= least && value <= most; /* Also false when it is not a number. */
}

static bool read_cost(struct tdm_cost *cost, const json_t *row)
{
    const char *encoder = json_string_value(json_object_get(row, "encoder"));
    const char *preset = json_string_value(json_object_get(row, "preset"));
    const struct tdm_video_encoder_ops *ops = encoder ? tdm_video_encoder_named(encoder) : NULL;

    if (!ops || !preset || strlen(preset) >= sizeof cost->preset ||
        strlen(encoder) >= sizeof cost->encoder)
        return false;
    *cost = (struct tdm_cost){
        .codec = ops->id,
        .encode_ns = json_number_value(json_object_get(row, "encode_ns")),
        .decode_ns = json_number_value(json_object_get(row, "decode_ns")),
        .parallel = json_number_value(json_object_get(row, "parallel")),
        .first = json_number_value(json_object_get(row, "first")),
    };
    (void)snprintf(cost->encoder, sizeof cost->encoder, "%s", encoder);
    (void)snprintf(cost->preset, sizeof cost->preset, "%s", preset);
    return good_number(cost->encode_ns, 1e-3, NS_MAX) &&
           good_number(cost->decode_ns, 1e-3, NS_MAX) && good_number(cost->parallel, 1, 2) &&
           good_number(cost->first, 0.01, 1);
}

static enum tdm_err read_table(struct tdm_cost_table *table, const json_t *root)
{
    const char *of = json_string_value(json_object_get(root, "of"));
    const json_t *rows = json_object_get(root, "costs"), *row;
    char here[TEXT_MAX];
    size_t i;

    subject(here, sizeof here);
    if (json_integer_value(json_object_get(root, "tandem_codec_costs")) != FORM || !of ||
        strcmp(of, here) != 0 || json_array_size(rows) == 0 ||
        json_array_size(rows) > TDM_COSTS_MAX)
        return TDM_E_MALFORMED;
    json_array_foreach(rows, i, row) if (!read_cost(&table->costs[i], row)) return TDM_E_MALFORMED;
    table->count = (uint32_t)json_array_size(rows);
    return TDM_OK;
}

enum tdm_err tdm_cost_table_load(struct tdm_cost_table *table, const char *path)
{
    FILE *file = fopen(path, "re");
    char text[KEPT_MAX];
    json_t *root = NULL;
    size_t size;

    table->count = 0;
    if (!file)
        return TDM_E_GONE;
    size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    if (size < sizeof text)
        root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    enum tdm_err err = root ? read_table(table, root) : TDM_E_MALFORMED;

    json_decref(root);
    return err;
}

static json_t *json_of(const struct tdm_cost_table *table)
{
    json_t *rows = json_array();
    char here[TEXT_MAX];

    subject(here, sizeof here);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct tdm_cost *c = &table->costs[i];

        if (json_array_append_new(rows, json_pack("{ss ss sf sf sf sf}", "encoder", c->encoder,
                                                  "preset", c->preset, "encode_ns", c->encode_ns,
                                                  "decode_ns", c->decode_ns, "parallel",
                                                  c->parallel, "first", c->first)) != 0)
            break;
    }
    return json_pack("{si ss so}", "tandem_codec_costs", FORM, "of", here, "costs", rows);
}

/* The folder of the file, and the one that holds it. */
static void make_folders(const char *path)
{
    char folder[TEXT_MAX];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        (void)mkdir(folder, 0700); /* It is there, or opening the file says what is wrong. */
    }
}

enum tdm_err tdm_cost_table_save(const struct tdm_cost_table *table, const char *path,
                                 struct tdm_cause *cause)
{
    char beside[TEXT_MAX];
    json_t *root = json_of(table);
    int size = snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
    bool good = root && size > 0 && (size_t)size < sizeof beside;

    if (good) {
        make_folders(path);
        good = json_dump_file(root, beside, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0 &&
               rename(beside, path) == 0;
    }
    json_decref(root);
    return good ? TDM_OK
                : tdm_fail(cause, TDM_E_SYSTEM, "the codecs' costs cannot be kept in %s", path);
}

/* Two that start at once: one measures, the other waits for what it found. -1: nobody can wait. */
static int lock_beside(const char *path)
{
    char lock[TEXT_MAX];
    int size = snprintf(lock, sizeof lock, "%s.lock", path), fd;

    if (size < 0 || (size_t)size >= sizeof lock)
        return -1;
    make_folders(path);
    fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

enum tdm_err tdm_cost_table_get(struct tdm_cost_table *table, const char *path,
                                struct tdm_cause *cause)
{
    char usual[TEXT_MAX] = "";
    struct tdm_cause unsaid;

    if (!path && tdm_cost_table_path(usual, sizeof usual))
        path = usual;
    if (!path)
        return tdm_cost_table_measure(table, cause);
    if (tdm_cost_table_load(table, path) == TDM_OK)
        return TDM_OK;
    int lock = lock_beside(path);
    enum tdm_err err = tdm_cost_table_load(table, path);

    if (err != TDM_OK) {
        err = tdm_cost_table_measure(table, cause);
        if (err == TDM_OK && tdm_cost_table_save(table, path, &unsaid) != TDM_OK)
            err = TDM_OK; /* The next start measures again. */
    }
    if (lock >= 0)
        (void)close(lock);
    return err;
}

bool tandem_codec_costs_kept(void)
{
    struct tdm_cost_table table;
    char path[TEXT_MAX];

    return tdm_cost_table_path(path, sizeof path) && tdm_cost_table_load(&table, path) == TDM_OK;
}

char *tandem_codec_costs(bool again, struct tandem_cause *cause)
{
    struct tdm_cost_table table;
    struct tdm_cause why = {""};
    char path[TEXT_MAX];
    enum tdm_err err;

    if (again && tdm_cost_table_path(path, sizeof path))
        (void)remove(path); /* There may be none. */
    err = tdm_cost_table_get(&table, NULL, &why);
    if (err != TDM_OK) {
        if (cause)
            (void)snprintf(cause->text, sizeof cause->text, "%s", why.text);
        return NULL;
    }
    json_t *root = json_of(&table);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;

    json_decref(root);
    return text;
}
