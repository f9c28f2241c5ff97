/* SPDX-License-Identifier: MIT */
#include "engine/io/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/tandem-identity-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/it", folder);
    return 0;
}

static int count_files(void)
{
    DIR *dir = opendir(folder);
    int count = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        count += e->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

static int drop_folder(void **state)
{
    DIR *dir = opendir(folder);

    (void)state;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char name[512];

        (void)snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        (void)unlink(name);
    }
    if (dir)
        (void)closedir(dir);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_made_once(void **state)
{
    struct tdm_identity *a, *b;
    struct tdm_cause cause;
    struct stat about;

    (void)state;
    assert_true(tdm_identity_load(path, &a, &cause) == TDM_OK);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(count_files(), 1);
    assert_true(tdm_identity_load(path, &b, &cause) == TDM_OK);
    assert_memory_equal(tdm_identity_fingerprint(a), tdm_identity_fingerprint(b),
                        TDM_FINGERPRINT_BYTES);
    tdm_identity_free(b);
    assert_true(tdm_identity_load(NULL, &b, &cause) == TDM_OK);
    assert_memory_not_equal(tdm_identity_fingerprint(a), tdm_identity_fingerprint(b),
                            TDM_FINGERPRINT_BYTES);
    tdm_identity_free(a);
    tdm_identity_free(b);
}

static void test_refused(void **state)
{
    struct tdm_identity *id;
    struct tdm_cause cause;
    struct stat about;

    (void)state;
    assert_true(tdm_identity_load(path, &id, &cause) == TDM_OK);
    tdm_identity_free(id);
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(tdm_identity_load(path, &id, &cause) == TDM_E_DENIED);
    assert_null(id);
    assert_non_null(strstr(cause.text, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    write_file("not a key\n");
    assert_true(tdm_identity_load(path, &id, &cause) == TDM_E_MALFORMED);
    assert_null(id);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, strlen("not a key\n")); /* Not overwritten. */
    assert_true(tdm_identity_load(folder, &id, &cause) != TDM_OK);
    assert_true(tdm_identity_load("/nowhere/at/all", &id, &cause) == TDM_E_SYSTEM);
}

/* A key with somebody else's certificate. */
static void test_mixed(void **state)
{
    static char keys[2][8192];
    struct tdm_identity *id;
    struct tdm_cause cause;

    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)unlink(path);
        assert_true(tdm_identity_load(path, &id, &cause) == TDM_OK);
        tdm_identity_free(id);
        FILE *file = fopen(path, "r");

        assert_non_null(file);
        assert_true(fread(keys[i], 1, sizeof keys[i] - 1, file) > 0);
        (void)fclose(file);
    }
    const char *other = strstr(keys[1], "-----BEGIN CERTIFICATE");
    char *own = strstr(keys[0], "-----BEGIN CERTIFICATE");

    assert_true(own && other);
    memcpy(own, other, strlen(other) + 1);
    write_file(keys[0]);
    assert_true(tdm_identity_load(path, &id, &cause) == TDM_E_MALFORMED);
}

static void check(const char *contact, uint8_t first, enum tdm_known expected)
{
    uint8_t fingerprint[TDM_FINGERPRINT_BYTES] = {first, 2, 3};
    enum tdm_known known;
    struct tdm_cause cause;

    assert_true(tdm_known_check(path, contact, fingerprint, &known, &cause) == TDM_OK);
    assert_int_equal(known, expected);
}

static void test_known(void **state)
{
    uint8_t fingerprint[TDM_FINGERPRINT_BYTES] = {9, 2, 3};
    enum tdm_known known;
    struct tdm_cause cause;
    struct stat about;

    (void)state;
    (void)unlink(path);
    check("paul@here", 1, TDM_KNOWN_FIRST);
    check("paul@here", 1, TDM_KNOWN_SAME);
    check("anna@here", 2, TDM_KNOWN_FIRST);
    check("paul", 2, TDM_KNOWN_FIRST); /* Part of a name is another name. */
    check("paul@here", 9, TDM_KNOWN_CHANGED);
    check("paul@here", 9, TDM_KNOWN_CHANGED); /* Asking is not accepting. */
    check("paul@here", 1, TDM_KNOWN_SAME);
    assert_true(tdm_known_accept(path, "paul@here", fingerprint, &cause) == TDM_OK);
    check("paul@here", 9, TDM_KNOWN_SAME);
    check("paul@here", 1, TDM_KNOWN_CHANGED);
    check("anna@here", 2, TDM_KNOWN_SAME);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_true(tdm_known_check(path, "a\nb", fingerprint, &known, &cause) == TDM_E_MALFORMED);
    assert_true(tdm_known_check(path, "", fingerprint, &known, &cause) == TDM_E_MALFORMED);
    assert_true(tdm_known_check("/nowhere/at/all", "x", fingerprint, &known, &cause) ==
                TDM_E_SYSTEM);
}

/* A file that was damaged forgets what was damaged and keeps the rest. */
static void test_known_damaged(void **state)
{
    (void)state;
    write_file("nonsense\n\n0102 paul@here\n"
               "0102030000000000000000000000000000000000000000000000000000000000 anna@here\n"
               "0302030000000000000000000000000000000000000000000000000000000000 eve@here");
    check("paul@here", 1, TDM_KNOWN_FIRST);
    check("anna@here", 1, TDM_KNOWN_SAME);
    check("anna@here", 5, TDM_KNOWN_CHANGED);
    check("eve@here", 3, TDM_KNOWN_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_once, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_refused, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_mixed, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_known, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_known_damaged, make_folder, drop_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
