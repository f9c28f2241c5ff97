/* SPDX-License-Identifier: MIT */
/*
 * The contacts' fingerprints as seen before (identity.h). A line is 64 hexadecimal digits, a blank
 * and the contact; a line that is none is kept as it is and never fits anybody.
 */
#include "engine/io/entropy.h"
#include "engine/io/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS      ((size_t)2 * TDM_FINGERPRINT_BYTES)
#define CONTACT_MAX 256
#define PATH_BYTES  4096

static void digits_of(char text[DIGITS + 1], const uint8_t fingerprint[TDM_FINGERPRINT_BYTES])
{
    for (size_t i = 0; i < TDM_FINGERPRINT_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", fingerprint[i]);
}

/* One line of text without anything that a terminal or this file would take for more. */
static bool is_contact(const char *contact)
{
    size_t size = strlen(contact);

    for (size_t i = 0; i < size; i++)
        if ((unsigned char)contact[i] < 0x20 || contact[i] == 0x7f)
            return false;
    return size > 0 && size <= CONTACT_MAX;
}

/* Whether `line` (without its end) is of `contact`. */
static bool is_of(const char *line, const char *contact)
{
    return strspn(line, "0123456789abcdef") == DIGITS && line[DIGITS] == ' ' &&
           strcmp(line + DIGITS + 1, contact) == 0;
}

static void cut_end(char *line)
{
    line[strcspn(line, "\n")] = '\0';
}

/* Programs that remember at the same time take turns; the lock is a file of its own, because the
 * remembered one is replaced by renaming. */
static int lock(const char *path)
{
    char name[PATH_BYTES];
    int size = snprintf(name, sizeof name, "%s.lock", path);
    int fd = size > 0 && (size_t)size < sizeof name
                 ? open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
                 : -1;

    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static enum tdm_known look(FILE *file, const char *contact, const char *digits)
{
    char *line = NULL;
    size_t room = 0;
    enum tdm_known known = TDM_KNOWN_FIRST;

    while (file && known != TDM_KNOWN_SAME && getline(&line, &room, file) > 0) {
        cut_end(line);
        if (is_of(line, contact))
            known = strncmp(line, digits, DIGITS) == 0 ? TDM_KNOWN_SAME : TDM_KNOWN_CHANGED;
    }
    free(line);
    return known;
}

static bool copy_others(FILE *from, FILE *to, const char *contact)
{
    char *line = NULL;
    size_t room = 0;
    bool good = true;

    while (from && good && getline(&line, &room, from) > 0) {
        cut_end(line);
        if (!is_of(line, contact))
            good = fprintf(to, "%s\n", line) > 0;
    }
    free(line);
    return good && (!from || !ferror(from));
}

/* The whole file anew, beside the old one, which it then replaces. */
static bool rewrite(const char *path, const char *contact, const char *digits)
{
    char beside[PATH_BYTES];
    int size =
        snprintf(beside, sizeof beside, "%s.%016llx", path, (unsigned long long)tdm_entropy_u64());
    int fd = size > 0 && (size_t)size < sizeof beside
                 ? open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
                 : -1;
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    FILE *from = to ? fopen(path, "re") : NULL;
    bool good = to && (from || errno == ENOENT);

    good = good && copy_others(from, to, contact) && fprintf(to, "%s %s\n", digits, contact) > 0 &&
           fflush(to) == 0 && fsync(fd) == 0;
    if (from)
        (void)fclose(from);
    if (to)
        good = fclose(to) == 0 && good;
    else if (fd >= 0)
        (void)close(fd);
    good = good && rename(beside, path) == 0;
    int failed = errno;

    if (!good && fd >= 0)
        (void)unlink(beside);
    errno = failed;
    return good;
}

static enum tdm_err failed(struct tdm_cause *cause, const char *path)
{
    return tdm_fail(cause, TDM_E_SYSTEM,
                    "cannot remember contacts in %s (%s): check the folder and who may write there",
                    path, strerrordesc_np(errno));
}

static enum tdm_err refuse(struct tdm_cause *cause)
{
    return tdm_fail(cause, TDM_E_MALFORMED,
                    "a contact is remembered by a name of 1 to %d bytes in one line", CONTACT_MAX);
}

enum tdm_err tdm_known_check(const char *path, const char *contact,
                             const uint8_t fingerprint[TDM_FINGERPRINT_BYTES],
                             enum tdm_known *known, struct tdm_cause *cause)
{
    char digits[DIGITS + 1];
    int locked;
    FILE *file;
    bool good;

    *known = TDM_KNOWN_FIRST;
    if (!is_contact(contact))
        return refuse(cause);
    digits_of(digits, fingerprint);
    locked = lock(path);
    if (locked < 0)
        return failed(cause, path);
    file = fopen(path, "re");
    good = file || errno == ENOENT;
    *known = look(file, contact, digits);
    if (file)
        (void)fclose(file);
    if (good && *known == TDM_KNOWN_FIRST)
        good = rewrite(path, contact, digits);
    enum tdm_err err = good ? TDM_OK : failed(cause, path);

    (void)close(locked);
    return err;
}

enum tdm_err tdm_known_accept(const char *path, const char *contact,
                              const uint8_t fingerprint[TDM_FINGERPRINT_BYTES],
                              struct tdm_cause *cause)
{
    char digits[DIGITS + 1];
    int locked;

    if (!is_contact(contact))
        return refuse(cause);
    digits_of(digits, fingerprint);
    locked = lock(path);
    if (locked < 0)
        return failed(cause, path);
    enum tdm_err err = rewrite(path, contact, digits) ? TDM_OK : failed(cause, path);

    (void)close(locked);
    return err;
}
