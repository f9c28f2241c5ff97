/* SPDX-License-Identifier: MIT */
/* `bench call`, `channel` and `connect` are programs of bench/ that stand in the source and build
 * trees and are installed with their helpers. They are found from this program's place: above the
 * build folder, or under the prefix. */
#include "apps/bench.h"
#include "apps/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

/* `to` = `folder` + `below`, if that can be run (or, for a folder, entered). */
static bool there(char to[PATH_MAX], const char *folder, const char *below)
{
    return snprintf(to, PATH_MAX, "%s%s", folder, below) < PATH_MAX && access(to, X_OK) == 0;
}

/* What is started: a script, or a program alone; and a program by which the build is known. */
struct started {
    const char *script; /* NULL: the program itself. */
    const char *program;
};

/* Each folder above this program: a prefix, a build folder or the source tree. */
static bool find(const char *self, const struct started *what, char path[PATH_MAX],
                 char programs[PATH_MAX])
{
    char folder[PATH_MAX], installed[64], in_tree[64], built[64];

    (void)snprintf(folder, sizeof folder, "%s", self);
    (void)snprintf(installed, sizeof installed, "/share/tandem/bench/%s",
                   what->script ? what->script : "");
    (void)snprintf(in_tree, sizeof in_tree, "/bench/%s", what->script ? what->script : "");
    (void)snprintf(built, sizeof built, "/bench/%s", what->program);
    programs[0] = 0;
    for (char *end; (end = strrchr(folder, '/'));) {
        char found[PATH_MAX], libexec[PATH_MAX];

        *end = 0;
        if (there(libexec, folder, "/libexec/tandem") && there(found, libexec, built) &&
            (!what->script || there(path, folder, installed))) {
            memcpy(what->script ? programs : path, what->script ? libexec : found, PATH_MAX);
            return true;
        }
        if (!programs[0] && there(found, folder, built)) {
            memcpy(programs, folder, sizeof folder);
            if (!what->script) {
                memcpy(path, found, sizeof found);
                return true;
            }
        }
        if (programs[0] && there(path, folder, in_tree) && there(found, folder, "/bench/blackbox"))
            return true;
    }
    return false;
}

/* "baresip,gstreamer" as an expression for the names of configurations; false for another name. */
static bool peers_of(const char *list, char *text, size_t capacity)
{
    static const struct {
        const char *name, *prefix;
    } peers[] = {{"baresip", "baresip"}, {"gstreamer", "gst"}};
    size_t size = (size_t)snprintf(text, capacity, "^(tandem|floor|inside");

    for (const char *at = list; *at; at += *at == ',') {
        size_t length = strcspn(at, ","), i = 0;

        while (i < 2 &&
               (strlen(peers[i].name) != length || strncmp(peers[i].name, at, length) != 0))
            i++;
        if (i == 2 || size + 16 > capacity)
            return false;
        size += (size_t)snprintf(text + size, capacity - size, "|%s", peers[i].prefix);
        at += length;
    }
    (void)snprintf(text + size, capacity - size, ")-");
    return true;
}

static int start(const char *what, char *argv[])
{
    (void)execv(argv[0], argv);
    fprintf(stderr, "tandem bench %s: cannot start %.300s (%s); it may need python3\n", what,
            argv[0], strerrordesc_np(errno));
    return EXIT_FAILED;
}

/* Where this program lies and what to start; tells what is missing. */
static bool locate(const char *what, const struct started *started, char self[PATH_MAX],
                   char path[PATH_MAX], char programs[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", self, PATH_MAX - 1);

    self[size > 0 ? size : 0] = 0;
    if (size > 0 && find(self, started, path, programs))
        return true;
    fprintf(stderr,
            "tandem bench %s: bench/%s and its programs are neither above this program nor "
            "installed beside it: build them, or install Tandem\n",
            what, what);
    return false;
}

/* For the scripts, which know "-", too. */
static void add_json(const struct bench_options *o, char *argv[], size_t count)
{
    if (!o->json)
        return;
    argv[count] = "--json";
    argv[count + 1] = (char *)o->json;
}

int bench_call(const struct bench_options *o)
{
    static const struct started call = {.script = "call", .program = "glass_sampler"};
    char self[PATH_MAX], script[PATH_MAX], programs[PATH_MAX], only[128];
    char *argv[ARGUMENTS_MAX] = {script, "--build", programs, "--tandem", self};
    size_t count = 5;

    if (o->against && !peers_of(o->against, only, sizeof only)) {
        fprintf(stderr, "tandem bench call: --against knows baresip and gstreamer, not \"%s\"\n",
                o->against);
        return EXIT_USAGE;
    }
    if (!locate("call", &call, self, script, programs))
        return EXIT_FAILED;
    if (o->against) {
        argv[count++] = "--only";
        argv[count++] = only;
    }
    if (o->config.quick)
        argv[count++] = "--quick";
    add_json(o, argv, count);
    return start("call", argv);
}

int bench_channel(const struct bench_options *o)
{
    static const struct started channel = {.script = "channel", .program = "channel_load"};
    char self[PATH_MAX], script[PATH_MAX], programs[PATH_MAX];
    char *argv[ARGUMENTS_MAX] = {script, "--build", programs};
    size_t count = 3;

    if (!locate("channel", &channel, self, script, programs))
        return EXIT_FAILED;
    if (o->config.quick)
        argv[count++] = "--quick";
    add_json(o, argv, count);
    return start("channel", argv);
}

int bench_connect(const struct bench_options *o)
{
    static const struct started connect = {.program = "connect_bench"};
    char self[PATH_MAX], path[PATH_MAX], programs[PATH_MAX], rounds[8];
    char *argv[ARGUMENTS_MAX] = {path};
    size_t count = 1;

    if (!locate("connect", &connect, self, path, programs))
        return EXIT_FAILED;
    if (o->config.quick || o->config.rounds) {
        (void)snprintf(rounds, sizeof rounds, "%u", o->config.rounds ? o->config.rounds : 3U);
        argv[count++] = "--rounds";
        argv[count++] = rounds;
    }
    if (o->json) {
        argv[count++] = "--json";
        argv[count++] = strcmp(o->json, "-") == 0 ? "/dev/stdout" : (char *)o->json;
    }
    return start("connect", argv);
}
