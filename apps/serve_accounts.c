/* SPDX-License-Identifier: MIT */
#include "apps/serve_accounts.h"

#include "apps/options.h"
#include "tandem/server.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct request {
    const char *verb, *user, *store;
    struct tandem_server_account account;
    bool json, help, password_stdin;
    char password[128];
};

static const char *const verbs[] = {"adduser", "deluser", "lock", "unlock", "users"};

bool serve_accounts_is_verb(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(word, verbs[i]) == 0)
            return true;
    return false;
}

static void print_help(void)
{
    puts("tandem serve adduser NAME [options]    an account, or a new password for it\n"
         "tandem serve deluser NAME              takes it away, with what is kept for it\n"
         "tandem serve lock NAME | unlock NAME   may not sign in, call or write; may again\n"
         "tandem serve users                     lists them\n"
         "\n"
         "  --name TEXT       as people call them\n"
         "  --domain NAME     people are NAME@domain [of the accounts there are, else tandem]\n"
         "  --password-stdin  the password is the first line of standard input [made and printed]\n"
         "  --store FILE      of the server [~/.local/state/tandem/serve.db]\n"
         "  --json            a JSON object on stdout\n"
         "  --help            this text");
    options_help_codes(stdout);
}

static bool parse(struct request *r, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"--name", &r->account.name}, {"--domain", &r->account.domain}, {"--store", &r->store}};

    r->verb = argv[0];
    for (int i = 1; i < argc; i++) {
        bool known = false;

        for (size_t t = 0; t < sizeof texts / sizeof *texts && i + 1 < argc; t++)
            if (strcmp(argv[i], texts[t].name) == 0) {
                *texts[t].to = argv[++i];
                known = true;
                break;
            }
        if (known)
            continue;
        if (strcmp(argv[i], "--json") == 0)
            r->json = true;
        else if (strcmp(argv[i], "--help") == 0)
            r->help = true;
        else if (strcmp(argv[i], "--password-stdin") == 0)
            r->password_stdin = true;
        else if (argv[i][0] != '-' && !r->user)
            r->user = argv[i];
        else
            return false;
    }
    return r->help || (strcmp(r->verb, "users") == 0) == !r->user;
}

static int end(const struct request *r, enum tandem_status status, const struct tandem_cause *cause)
{
    if (status == TANDEM_OK)
        return EXIT_DONE;
    fprintf(stderr, "tandem serve %s: %s\n", r->verb, cause->text);
    return status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

static bool read_password(struct request *r)
{
    if (!fgets(r->password, sizeof r->password, stdin))
        return false;
    r->password[strcspn(r->password, "\r\n")] = '\0';
    return true;
}

/* 95 bits, without letters that look alike. */
static bool make_password(struct request *r)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    unsigned char bytes[20];
    FILE *file = fopen("/dev/urandom", "rb");
    bool got = file && fread(bytes, 1, sizeof bytes, file) == sizeof bytes;

    if (file)
        (void)fclose(file);
    for (size_t i = 0; got && i < sizeof bytes; i++)
        r->password[i] = letters[bytes[i] % (sizeof letters - 1)];
    r->password[got ? sizeof bytes : 0] = '\0';
    return got;
}

static void print_added(const struct request *r)
{
    struct tandem_server_person p;
    struct tandem_cause cause = {""};

    for (uint32_t i = 0; tandem_server_list_account(r->store, i, &p, &cause) == TANDEM_OK; i++) {
        if (strcmp(p.user, r->user) != 0)
            continue;
        if (r->json) {
            json_t *object =
                json_pack("{s:s, s:s, s:s, s:s}", "user", p.user, "domain", p.domain, "name",
                          p.name, "password", r->password_stdin ? "" : r->password);

            (void)json_dumpf(object, stdout, JSON_COMPACT);
            putchar('\n');
            json_decref(object);
        } else {
            printf("%s@%s\n", p.user, p.domain);
            if (!r->password_stdin)
                printf("password  %s\n", r->password);
        }
        return;
    }
}

static int add(struct request *r)
{
    struct tandem_cause cause = {""};

    if (!(r->password_stdin ? read_password(r) : make_password(r))) {
        fputs("tandem serve adduser: no password came; write it to standard input\n", stderr);
        return EXIT_USAGE;
    }
    r->account.user = r->user;
    r->account.password = r->password;
    enum tandem_status status = tandem_server_put_account(r->store, &r->account, &cause);

    if (status == TANDEM_OK)
        print_added(r);
    return end(r, status, &cause);
}

static int list(const struct request *r)
{
    struct tandem_server_person p;
    struct tandem_cause cause = {""};
    enum tandem_status status;
    json_t *all = json_array();

    for (uint32_t i = 0;
         (status = tandem_server_list_account(r->store, i, &p, &cause)) == TANDEM_OK; i++) {
        if (r->json)
            (void)json_array_append_new(all,
                                        json_pack("{s:s, s:s, s:s, s:b}", "user", p.user, "domain",
                                                  p.domain, "name", p.name, "locked", p.locked));
        else
            printf("%s@%s  %s%s\n", p.user, p.domain, p.name, p.locked ? "  (locked)" : "");
    }
    if (r->json) {
        (void)json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(all);
    return end(r, status == TANDEM_AGAIN ? TANDEM_OK : status, &cause);
}

int serve_accounts_run(int argc, char **argv)
{
    struct request r = {.verb = ""};
    struct tandem_cause cause = {""};

    if (!parse(&r, argc, argv)) {
        fprintf(stderr, "tandem serve %s: see tandem serve %s --help\n", argv[0], argv[0]);
        return EXIT_USAGE;
    }
    if (r.help) {
        print_help();
        return EXIT_DONE;
    }
    if (strcmp(r.verb, "adduser") == 0)
        return add(&r);
    if (strcmp(r.verb, "users") == 0)
        return list(&r);
    if (strcmp(r.verb, "deluser") == 0)
        return end(&r, tandem_server_drop_account(r.store, r.user, &cause), &cause);
    return end(&r, tandem_server_lock_account(r.store, r.user, strcmp(r.verb, "lock") == 0, &cause),
               &cause);
}
