/* SPDX-License-Identifier: MIT */
/* `bench call` is bench/call, a script that stands in the source tree and is installed with its
 * helpers. It is found from this program's place: above the build folder, or under the prefix. */
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

/* Each folder above this program: a prefix, a build folder or the source tree. */
static bool find_script(const char *self, char script[PATH_MAX], char programs[PATH_MAX])
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s", self);
    programs[0] = 0;
    for (char *end; (end = strrchr(folder, '/'));) {
        char found[PATH_MAX];

        *end = 0;
        if (there(script, folder, "/share/tandem/bench/call"))
            return there(programs, folder, "/libexec/tandem");
        if (!programs[0] && there(found, folder, "/bench/glass_sampler"))
            (void)snprintf(programs, PATH_MAX, "%s", folder);
        if (programs[0] && there(script, folder, "/bench/call") &&
            there(found, folder, "/bench/blackbox"))
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

int bench_call(const struct bench_options *o)
{
    char self[PATH_MAX] = "", script[PATH_MAX], programs[PATH_MAX], only[128];
    char *argv[ARGUMENTS_MAX] = {script, "--build", programs, "--tandem", self};
    size_t count = 5;
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);

    if (o->against && !peers_of(o->against, only, sizeof only)) {
        fprintf(stderr, "tandem bench call: --against knows baresip and gstreamer, not \"%s\"\n",
                o->against);
        return EXIT_USAGE;
    }
    if (size < 0 || !find_script(self, script, programs)) {
        fprintf(stderr, "tandem bench call: bench/call and its programs are neither above this "
                        "program nor installed beside it: build them, or install Tandem\n");
        return EXIT_FAILED;
    }
    if (o->against) {
        argv[count++] = "--only";
        argv[count++] = only;
    }
    if (o->config.quick)
        argv[count++] = "--quick";
    if (o->json) {
        argv[count++] = "--json";
        argv[count++] = (char *)o->json;
    }
    argv[count] = NULL;
    (void)execv(script, argv);
    fprintf(stderr, "tandem bench call: cannot start %.300s (%s); it needs python3\n", script,
            strerrordesc_np(errno));
    return EXIT_FAILED;
}
