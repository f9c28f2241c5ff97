/* SPDX-License-Identifier: MIT */
#include "apps/hooks.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 32
#define FACTS_MAX 16
#define ENV_MAX   512
#define FACT_MAX  1400

extern char **environ;

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void hooks_look(struct hooks *hooks)
{
    for (int i = 0; i < HOOKS_AT_ONCE; i++) {
        struct hook_process *p = &hooks->processes[i];

        if (!p->pid)
            continue;
        if (waitpid(p->pid, NULL, WNOHANG) != 0) {
            p->pid = 0;
        } else if (now_s() - p->since > HOOK_SECONDS) {
            (void)kill(p->pid, SIGKILL);
            (void)waitpid(p->pid, NULL, 0);
            p->pid = 0;
        }
    }
}

static struct hook_process *find_free(struct hooks *hooks)
{
    for (int i = 0; i < HOOKS_AT_ONCE; i++)
        if (!hooks->processes[i].pid)
            return &hooks->processes[i];
    return NULL;
}

static bool split(char *command, char *words[WORDS_MAX])
{
    int count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(command, " \t", &rest); word && count < WORDS_MAX - 1;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    words[count] = NULL;
    return count > 0;
}

/* Ours and the facts; the text of a fact on one line, as a file of such lines would want it. */
static void make_environment(const struct hook_fact *facts, char texts[FACTS_MAX][FACT_MAX],
                             char *list[ENV_MAX])
{
    int count = 0;

    for (int i = 0; i < FACTS_MAX && facts[i].name; i++) {
        (void)snprintf(texts[i], FACT_MAX, "%s=%s", facts[i].name,
                       facts[i].value ? facts[i].value : "");
        list[count++] = texts[i];
    }
    for (char **at = environ; *at && count < ENV_MAX - 1; at++)
        if (strncmp(*at, "TANDEM_", 7) != 0)
            list[count++] = *at;
    list[count] = NULL;
}

/* Its input and output are nowhere: ours belong to the terminal; and no signal is held back. */
static bool start(char *words[], char *environment[], int *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t started = 0;
    bool good = posix_spawn_file_actions_init(&actions) == 0;

    (void)sigemptyset(&none);
    good = good && posix_spawnattr_init(&attributes) == 0;
    good = good && posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
           posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP) ==
               0 &&
           posix_spawnp(&started, words[0], &actions, &attributes, words, environment) == 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    *pid = started;
    return good;
}

bool hooks_run(struct hooks *hooks, const char *command, const struct hook_fact *facts)
{
    static char texts[FACTS_MAX][FACT_MAX];
    struct hook_process *process;
    char copy[1024], *words[WORDS_MAX], *environment[ENV_MAX];

    if (!command)
        return true;
    hooks_look(hooks);
    process = find_free(hooks);
    if (!process || strlen(command) >= sizeof copy) {
        hooks->skipped++;
        return false;
    }
    memcpy(copy, command, strlen(command) + 1);
    make_environment(facts, texts, environment);
    if (!split(copy, words) || !start(words, environment, &process->pid)) {
        process->pid = 0;
        return false;
    }
    process->since = now_s();
    return true;
}

void hooks_close(struct hooks *hooks)
{
    hooks_look(hooks);
    memset(hooks->processes, 0, sizeof hooks->processes);
}
