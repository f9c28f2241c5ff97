/* SPDX-License-Identifier: MIT */
/* The secret of expiring credentials: where it is kept, and what is made of it. */

#include "engine/base/err.h"
#include "engine/core/turn_credentials.h"
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/environment.h"
#include "tandem/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_WORDS 2 /* Of 64 random bits: 32 hexadecimal digits. */

static enum tandem_status fail(struct tandem_cause *cause, const char *format, const char *path)
{
    char text[200];

    (void)snprintf(text, sizeof text, "%.180s", path);
    if (cause) {
        int size = snprintf(cause->text, sizeof cause->text, "%s: ", text);

        if (size > 0 && (size_t)size < sizeof cause->text)
            (void)snprintf(cause->text + size, sizeof cause->text - (size_t)size, "%s", format);
    }
    return TANDEM_FAILED;
}

/* $XDG_STATE_HOME/tandem/serve-secret; makes the folders. */
static bool default_path(char path[PATH_MAX])
{
    const char *state = tdm_environment("XDG_STATE_HOME");
    const char *home = tdm_environment("HOME");
    int size = state && *state ? snprintf(path, PATH_MAX, "%s", state)
                               : snprintf(path, PATH_MAX, "%s/.local/state", home ? home : "");

    if (size <= 0 || size > PATH_MAX - 32)
        return false;
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
    (void)snprintf(path + size, (size_t)(PATH_MAX - size), "/tandem");
    (void)mkdir(path, 0700);
    (void)snprintf(path + size, (size_t)(PATH_MAX - size), "/tandem/serve-secret");
    return true;
}

static enum tandem_status make(const char *path, struct tandem_cause *cause)
{
    uint64_t words[SECRET_WORDS];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!file) {
        if (fd >= 0)
            (void)close(fd);
        return errno == EEXIST
                   ? TANDEM_OK
                   : fail(cause, "cannot be written: name a file in a folder of yours", path);
    }
    tdm_entropy(words, sizeof words);
    for (size_t i = 0; i < SECRET_WORDS; i++)
        (void)fprintf(file, "%016llx", (unsigned long long)words[i]);
    (void)fputc('\n', file);
    return fclose(file) == 0 ? TANDEM_OK
                             : fail(cause, "cannot be written: is the disk full?", path);
}

enum tandem_status tandem_server_secret(const char *path, char secret[TANDEM_SECRET_BYTES],
                                        struct tandem_cause *cause)
{
    char chosen[PATH_MAX];
    struct stat info;

    if (!path && !default_path(chosen))
        return fail(cause, "no home folder: name a file for the secret", "secret");
    path = path ? path : chosen;
    if (access(path, F_OK) != 0 && make(path, cause) != TANDEM_OK)
        return TANDEM_FAILED;
    FILE *file = fopen(path, "re");

    if (!file)
        return fail(cause, "cannot be read: is it yours?", path);
    bool open_to_others = fstat(fileno(file), &info) != 0 || (info.st_mode & 077) != 0;
    char *line = fgets(secret, TANDEM_SECRET_BYTES, file);

    (void)fclose(file);
    if (open_to_others)
        return fail(cause, "others may read it: chmod 600, and change the secret", path);
    if (line)
        secret[strcspn(secret, "\r\n")] = '\0';
    if (!line || strlen(secret) < 8)
        return fail(cause, "holds no secret of at least 8 characters in its first line", path);
    return TANDEM_OK;
}

enum tandem_status tandem_server_credential(const char *secret, const char *name, uint32_t seconds,
                                            struct tandem_credential *credential,
                                            struct tandem_cause *cause)
{
    int64_t now_s = (tdm_clock_now() + tdm_clock_wall_offset()) / TDM_S;

    if (tdm_turn_rest_user(credential->user, now_s + seconds, name) != TDM_OK) {
        (void)fail(cause, "is too long for a user name", name);
        return TANDEM_INVALID;
    }
    tdm_turn_rest_password(credential->password, secret, credential->user);
    return TANDEM_OK;
}
