/* SPDX-License-Identifier: MIT */
#include "measure/machine.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What the encoders of this build have code for. */
static const char *const telling[] = {"sse2", "ssse3",   "sse4_1",   "sse4_2",   "avx",
                                      "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
                                      "neon", "asimd",   "sve",      NULL};

/* Whether `word` is one of the words of `line`. */
static bool has_word(const char *line, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = line; (at = strstr(at, word)); at += size) {
        bool starts = at == line || at[-1] == ' ' || at[-1] == '\t';

        if (starts && (at[size] == ' ' || at[size] == '\n' || at[size] == '\0'))
            return true;
    }
    return false;
}

static void note_flags(struct tdm_machine *machine, const char *line)
{
    size_t used = 0;

    for (size_t i = 0; telling[i]; i++) {
        size_t size = strlen(telling[i]);

        if (!has_word(line, telling[i]) || used + size + 2 > sizeof machine->flags)
            continue;
        if (used)
            machine->flags[used++] = ' ';
        memcpy(machine->flags + used, telling[i], size + 1);
        used += size;
    }
}

static void copy_line(char *to, size_t capacity, const char *from)
{
    (void)snprintf(to, capacity, "%.*s", (int)capacity - 1, from);
    to[strcspn(to, "\n")] = '\0';
}

static void read_cpu(struct tdm_machine *machine)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[8192];

    (void)snprintf(machine->cpu, sizeof machine->cpu, "unknown");
    if (!file)
        return;
    while (fgets(line, sizeof line, file) && line[0] != '\n') { /* The first processor. */
        const char *value = strchr(line, ':');

        if (!value || !value[1])
            continue;
        if (strncmp(line, "model name", 10) == 0)
            copy_line(machine->cpu, sizeof machine->cpu, value + 2);
        else if (strncmp(line, "flags", 5) == 0 || strncmp(line, "Features", 8) == 0)
            note_flags(machine, value + 1);
    }
    (void)fclose(file);
}

static void read_governor(struct tdm_machine *machine)
{
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "r");
    char line[64];

    if (!file)
        return;
    if (fgets(line, sizeof line, file))
        copy_line(machine->governor, sizeof machine->governor, line);
    (void)fclose(file);
}

void tdm_machine_describe(struct tdm_machine *machine)
{
    struct utsname name;
    cpu_set_t cores;
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

    *machine = (struct tdm_machine){.cores = 1};
    read_cpu(machine);
    read_governor(machine);
    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        machine->cores = CPU_COUNT(&cores);
    if (pages > 0 && page_bytes > 0)
        machine->memory_bytes = (uint64_t)pages * (uint64_t)page_bytes;
    if (uname(&name) == 0)
        (void)snprintf(machine->kernel, sizeof machine->kernel, "%.40s %.50s", name.sysname,
                       name.release);
    if (getloadavg(&machine->load, 1) != 1)
        machine->load = 0;
}

void tdm_pin_take(struct tdm_pin *pin)
{
    cpu_set_t one;
    int core = sched_getcpu();

    pin->pinned = false;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof pin->before, &pin->before))
        return;
    CPU_ZERO(&one);
    CPU_SET((unsigned)core, &one);
    pin->pinned = sched_setaffinity(0, sizeof one, &one) == 0;
}

void tdm_pin_release(struct tdm_pin *pin)
{
    if (pin->pinned)
        (void)sched_setaffinity(0, sizeof pin->before, &pin->before);
    pin->pinned = false;
}

uint64_t tdm_heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}
