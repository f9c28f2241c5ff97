/* SPDX-License-Identifier: MIT */
#include "apps/folders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NOLINTBEGIN(concurrency-mt-unsafe): nothing in this command sets the environment. */
static const char *absolute(const char *variable)
{
    const char *path = getenv(variable);

    return path && *path == '/' ? path : NULL;
}
/* NOLINTEND(concurrency-mt-unsafe) */

/* With all that lead to it. */
static bool make(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* "BASE/tandem/NAME", where BASE is a variable's or lies one or two folders below the home. */
static bool find(const char *variable, const char *outer, const char *inner, const char *name,
                 char *path, size_t capacity)
{
    const char *base = absolute(variable), *home = absolute("HOME");
    char folder[256];
    int size = -1;

    if (base) {
        size = snprintf(folder, sizeof folder, "%s", base);
    } else if (home) {
        size = snprintf(folder, sizeof folder, "%s%s%s", home, outer, inner);
    }
    if (size < 0 || (size_t)size + sizeof "/tandem" > sizeof folder)
        return false;
    (void)snprintf(folder + size, sizeof folder - (size_t)size, "/tandem");
    if (!make(folder))
        return false;
    size = snprintf(path, capacity, "%s/%s", folder, name);
    return size > 0 && (size_t)size < capacity;
}

bool folders_settings(const char *name, char *path, size_t capacity)
{
    return find("XDG_CONFIG_HOME", "/.config", "", name, path, capacity);
}

bool folders_state(const char *name, char *path, size_t capacity)
{
    return find("XDG_STATE_HOME", "/.local", "/state", name, path, capacity);
}

bool folders_data(const char *name, char *path, size_t capacity)
{
    return find("XDG_DATA_HOME", "/.local", "/share", name, path, capacity);
}

bool folders_writable(const char *folder)
{
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/.tandem-XXXXXX", folder);

    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = mkstemp(path);

    if (fd < 0)
        return false;
    (void)close(fd);
    (void)unlink(path);
    return true;
}

void folders_keep_self(struct folders_self *self, struct tandem_config *config)
{
    if (!folders_settings("identity.pem", self->identity, sizeof self->identity) ||
        !folders_settings("known", self->known, sizeof self->known))
        return;
    if (!config->identity_path)
        config->identity_path = self->identity;
    config->known_path = self->known;
}
