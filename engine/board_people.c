/* SPDX-License-Identifier: MIT */
#include "engine/board_people.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_BYTES ((size_t)2 * TDM_FINGERPRINT_BYTES)
#define ID_HEX    ((size_t)2 * TDM_DOOR_ID_BYTES)

static void hex_of(const uint8_t *bytes, size_t size, char *text)
{
    for (size_t i = 0; i < size; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* False: the path would be too long. */
static bool path_in(char path[TDM_BOARD_PATH_MAX], const char *folder,
                    const uint8_t peer[TDM_FINGERPRINT_BYTES], const char *name)
{
    char hex[HEX_BYTES + 1];

    hex_of(peer, TDM_FINGERPRINT_BYTES, hex);
    int size = snprintf(path, TDM_BOARD_PATH_MAX, "%s/%s%s%s", folder, hex, *name ? "/" : "", name);

    return size > 0 && size < TDM_BOARD_PATH_MAX;
}

static void read_file(const char *path, struct tdm_board_person *person)
{
    char line[TDM_BOARD_WHO_MAX];
    FILE *file = fopen(path, "re");

    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "who ", 4) == 0)
            (void)snprintf(person->who, sizeof person->who, "%s", line + 4);
        else if (strcmp(line, "rule always") == 0)
            person->rule = TDM_DOOR_ALWAYS;
        else if (strcmp(line, "rule never") == 0)
            person->rule = TDM_DOOR_NEVER;
    }
    (void)fclose(file);
}

void tdm_board_person_read(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                           struct tdm_board_person *person)
{
    char path[TDM_BOARD_PATH_MAX];

    *person = (struct tdm_board_person){.rule = TDM_DOOR_ASKS};
    if (folder && path_in(path, folder, peer, "contact"))
        read_file(path, person);
}

static enum tdm_err make_folder(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                                struct tdm_cause *cause)
{
    char path[TDM_BOARD_PATH_MAX];

    if (!path_in(path, folder, peer, ""))
        return tdm_fail(cause, TDM_E_SYSTEM, "the path of the folder of boards is too long");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return tdm_fail(cause, TDM_E_SYSTEM, "%.150s cannot be made: %s", path,
                        strerrordesc_np(errno));
    return TDM_OK;
}

enum tdm_err tdm_board_person_write(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                                    const struct tdm_board_person *person, struct tdm_cause *cause)
{
    char path[TDM_BOARD_PATH_MAX], beside[TDM_BOARD_PATH_MAX];
    enum tdm_err err = make_folder(folder, peer, cause);

    if (err != TDM_OK)
        return err;
    if (!path_in(path, folder, peer, "contact") || !path_in(beside, folder, peer, "contact.new"))
        return tdm_fail(cause, TDM_E_SYSTEM, "the path of the folder of boards is too long");
    FILE *file = fopen(beside, "we");
    bool good = file != NULL;

    if (file) {
        good = fprintf(file, "who %s\nrule %s\n", person->who,
                       person->rule == TDM_DOOR_ALWAYS  ? "always"
                       : person->rule == TDM_DOOR_NEVER ? "never"
                                                        : "ask") > 0;
        good = fclose(file) == 0 && good && rename(beside, path) == 0;
    }
    return good ? TDM_OK
                : tdm_fail(cause, TDM_E_SYSTEM, "%.150s cannot be written: %s", path,
                           strerrordesc_np(errno));
}

static bool peer_of(const char *name, uint8_t peer[TDM_FINGERPRINT_BYTES])
{
    if (strlen(name) != HEX_BYTES || strspn(name, "0123456789abcdef") != HEX_BYTES)
        return false;
    for (size_t i = 0; i < (size_t)TDM_FINGERPRINT_BYTES; i++) {
        const char pair[3] = {name[2 * i], name[2 * i + 1], '\0'};

        peer[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

bool tdm_board_person_find(const char *folder, const char *who, uint8_t peer[TDM_FINGERPRINT_BYTES])
{
    DIR *list = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    struct tdm_board_person person;
    struct stat about;
    time_t newest = 0;
    bool found = false;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream. */
    while (list && (entry = readdir(list)) != NULL) {
        uint8_t one[TDM_FINGERPRINT_BYTES];
        char path[TDM_BOARD_PATH_MAX];

        if (!peer_of(entry->d_name, one))
            continue;
        tdm_board_person_read(folder, one, &person);
        if (strcasecmp(person.who, who) != 0 || !path_in(path, folder, one, "contact") ||
            stat(path, &about) != 0 || (found && about.st_mtime <= newest))
            continue;
        newest = about.st_mtime;
        memcpy(peer, one, sizeof one);
        found = true;
    }
    if (list)
        (void)closedir(list);
    return found;
}

enum tdm_err tdm_board_person_path(const char *folder, const uint8_t peer[TDM_FINGERPRINT_BYTES],
                                   const uint8_t *document, char path[TDM_BOARD_PATH_MAX],
                                   struct tdm_cause *cause)
{
    char name[ID_HEX + sizeof ".board"] = "our.board";
    enum tdm_err err = make_folder(folder, peer, cause);

    if (err != TDM_OK)
        return err;
    if (document) {
        hex_of(document, TDM_DOOR_ID_BYTES, name);
        (void)snprintf(name + ID_HEX, sizeof ".board", ".board");
    }
    return path_in(path, folder, peer, name)
               ? TDM_OK
               : tdm_fail(cause, TDM_E_SYSTEM, "the path of the folder of boards is too long");
}
