/* SPDX-License-Identifier: MIT */
/* The file of accounts: what is written is read again; what is broken is named; nobody else may
 * read it. And which account an address takes. */
#include "engine/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/tandem-accounts-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/accounts.json", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void put(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void written_and_read(void **state)
{
    static struct tandem_account kept[2] = {
        {.name = "office",
         .address = "bob@example.org",
         .password = "\"\\geheim\xc3\xa9",
         .server = "sip.example.org:5062",
         .transport = TANDEM_TRANSPORT_TLS,
         .ca_file = "/etc/ca.pem",
         .expires_s = 90,
         .preferred = true},
        {.name = "phones",
         .address = "me@gateway",
         .gateway = true,
         .password_command = "pass sip"},
    };
    static struct tandem_account read[4];
    struct tandem_cause cause = {""};
    struct stat found;
    size_t count;

    (void)state;
    assert_int_equal(tandem_accounts_load(path, read, 4, &count, &cause), TANDEM_OK);
    assert_int_equal(count, 0);
    assert_int_equal(tandem_accounts_save(path, kept, 2, &cause), TANDEM_OK);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(tandem_accounts_load(path, read, 4, &count, &cause), TANDEM_OK);
    assert_int_equal(count, 2);
    assert_memory_equal(read, kept, sizeof kept);
    assert_int_equal(tandem_accounts_load(path, read, 1, &count, &cause), TANDEM_INVALID);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(tandem_accounts_load(path, read, 4, &count, &cause), TANDEM_FAILED);
    assert_non_null(strstr(cause.text, "chmod 600"));
}

static void broken_ones(void **state)
{
    static const char *const rows[][2] = {
        {"{\"accounts\": [", "line 1"},
        {"[]", "no list"},
        {"{\"accounts\": [3]}", "account 1 is no object"},
        {"{\"accounts\": [{\"name\": \"x\"}]}", "no \"address\""},
        {"{\"accounts\": [{\"address\": 5}]}", "\"address\""},
        {"{\"accounts\": [{\"address\": \"a@b\"}, {\"adress\": \"a@b\"}]}",
         "account 2: \"adress\""},
        {"{\"accounts\": [{\"address\": \"a@b\", \"transport\": \"sctp\"}]}", "\"transport\""},
        {"{\"accounts\": [{\"address\": \"a@b\", \"expires_s\": -1}]}", "\"expires_s\""},
        {"{\"accounts\": [{\"address\": \"a@b\", \"gateway\": 1}]}", "\"gateway\""},
    };
    static struct tandem_account read[4];
    struct tandem_cause cause = {""};
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(rows[i][0], 0600);
        assert_int_equal(tandem_accounts_load(path, read, 4, &count, &cause), TANDEM_INVALID);
        if (!strstr(cause.text, rows[i][1]))
            fail_msg("row %zu: %s", i, cause.text);
    }
}

static void which_way(void **state)
{
    static const struct {
        const char *to, *way;
        tdm_sig_id account;
    } rows[] = {
        {"paul@example.org", "paul@example.org", 1},
        {"sip:paul@EXAMPLE.ORG", "sip:paul@EXAMPLE.ORG", 1},
        {"paul@elsewhere.org", "paul@elsewhere.org", 0},
        {"10.0.0.7", "10.0.0.7", 0},
        {"paul@example.org:5070", "paul@example.org:5070", 0}, /* A port is a machine's. */
        {"+49 30 1234", "sip:+49301234@gateway;user=phone", 2},
        {"tel:110", "sip:110@gateway;user=phone", 2},
    };
    struct tandem *engine = calloc(1, sizeof *engine);
    struct tdm_engine_way way;

    (void)state;
    assert_non_null(engine);
    assert_int_equal(tdm_engine_find_way(engine, "tel:110", &way, NULL), TDM_E_MALFORMED);
    engine->accounts.count = 2;
    engine->accounts.list[0] = (struct tdm_engine_account){.id = 1, .domain = "example.org"};
    engine->accounts.list[1] =
        (struct tdm_engine_account){.id = 2, .domain = "gateway", .gateway = true};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tdm_engine_find_way(engine, rows[i].to, &way, NULL), TDM_OK);
        assert_string_equal(way.to, rows[i].way);
        assert_int_equal(way.account, rows[i].account);
    }
    engine->accounts.chosen = 1;
    assert_int_equal(tdm_engine_find_way(engine, "paul", &way, NULL), TDM_OK);
    assert_string_equal(way.to, "sip:paul@example.org");
    assert_int_equal(tdm_engine_find_way(engine, "x@elsewhere", &way, NULL), TDM_OK);
    assert_int_equal(way.account, 1);
    free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_ones, set_up, tear_down),
        cmocka_unit_test(which_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
