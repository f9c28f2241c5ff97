/* SPDX-License-Identifier: MIT */
#include "apps/account.h"

#include "apps/account_open.h"
#include "apps/folders.h"
#include "apps/options.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_MS 30000
#define TICK_MS  500

struct account_options {
    const char *verb, *what; /* add ADDRESS, remove NAME, check [NAME] */
    const char *file;
    struct tandem_account account;
    bool json, help, ask_password;
};

static const char *const transports[] = {"auto", "udp", "tcp", "tls"};

enum kind { TEXT, FLAG, TRANSPORT, SECONDS };

struct option {
    const char *name;
    enum kind kind;
    size_t at, capacity;
    const char *value, *help;
};

#define FIELD(field)                                                                               \
    offsetof(struct account_options, account.field), sizeof(((struct tandem_account *)0)->field)
#define OWN(field) offsetof(struct account_options, field), 0

static const struct option options[] = {
    {"--name", TEXT, FIELD(name), "NAME", "how commands call it [the address]"},
    {"--user", TEXT, FIELD(user), "USER", "for the password [the part before @]"},
    {"--password", FLAG, OWN(ask_password), NULL, "read it as a line from the input"},
    {"--password-command", TEXT, FIELD(password_command), "LINE",
     "a shell line that prints it each time, e.g. of a password store"},
    {"--password-env", TEXT, FIELD(password_variable), "VARIABLE",
     "of the environment that holds it each time"},
    {"--display-name", TEXT, FIELD(display_name), "NAME", "that others see"},
    {"--server", TEXT, FIELD(server), "HOST[:PORT]",
     "[the part behind @, by its SRV records; what DNS does not know is looked for on this "
     "network]"},
    {"--proxy", TEXT, FIELD(proxy), "HOST[:PORT]", "all goes through it [the server]"},
    {"--transport", TRANSPORT, FIELD(transport), "udp|tcp|tls", "[udp]"},
    {"--ca", TEXT, FIELD(ca_file), "FILE",
     "PEM: who may have signed the server's certificate [the system's list]"},
    {"--fingerprint", TEXT, FIELD(fingerprint), "SHA256",
     "believe this one certificate, whatever else it says"},
    {"--expires", SECONDS, FIELD(expires_s), "SECONDS", "of a registration [600]"},
    {"--gateway", FLAG, FIELD(gateway), NULL,
     "do not register: a way out to telephones, for tel: and numbers"},
    {"--default", FLAG, FIELD(preferred), NULL, "for telephone numbers [a gateway, or the first]"},
    {"--file", TEXT, OWN(file), "FILE", "of accounts [~/.config/tandem/accounts.json]"},
    {"--json", FLAG, OWN(json), NULL, "one JSON object on stdout"},
    {"--help", FLAG, OWN(help), NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static void help(FILE *to)
{
    fputs(
        "tandem account add ADDRESS [options]   an account at a SIP server (user@server)\n"
        "tandem account list                    those there are\n"
        "tandem account add NAME                the same at the server that is found on this "
        "network\n"
        "tandem account find                    servers that announce themselves on this network\n"
        "tandem account remove NAME\n"
        "tandem account check [NAME]            signs in at each, and says how it went\n\n",
        to);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];

        (void)snprintf(left, sizeof left, "%s %s", options[i].name,
                       options[i].value ? options[i].value : "");
        fprintf(to, "  %-28s %s\n", left, options[i].help);
    }
    fputc('\n', to);
    options_help_codes(to);
}

static int give_up(const struct account_options *o, enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem account: %s\n", why);
    if (o->json) {
        json_t *object = json_pack("{s:i, s:s}", "exit", (int)code, "reason", why);

        (void)json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
    }
    return (int)code;
}

static bool set_text(struct account_options *o, const struct option *option, const char *value)
{
    char *field = (char *)o + option->at;

    if (!option->capacity) {
        *(const char **)(void *)field = value;
        return true;
    }
    if (strlen(value) >= option->capacity)
        return false;
    memcpy(field, value, strlen(value) + 1);
    return true;
}

static bool set_value(struct account_options *o, const struct option *option, const char *value)
{
    char *end;

    switch (option->kind) {
    case TEXT:
        return set_text(o, option, value);
    case TRANSPORT:
        for (size_t i = 0; i < sizeof transports / sizeof *transports; i++)
            if (strcmp(value, transports[i]) == 0) {
                o->account.transport = (enum tandem_transport)i;
                return true;
            }
        return false;
    case SECONDS:
        o->account.expires_s = (uint32_t)strtoul(value, &end, 10);
        return end != value && !*end && o->account.expires_s > 0 && o->account.expires_s <= 86400;
    default:
        return false;
    }
}

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static bool wrong(const char *what, const char *about)
{
    fprintf(stderr, "tandem account: %s: %s; see tandem account --help\n", about, what);
    return false;
}

static bool parse(struct account_options *o, int argc, char **argv)
{
    memset(o, 0, sizeof *o);
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i]);

        if (!option && argv[i][0] == '-' && argv[i][1])
            return wrong("unknown option", argv[i]);
        if (!option && !o->verb) {
            o->verb = argv[i];
        } else if (!option && !o->what) {
            o->what = argv[i];
        } else if (!option) {
            return wrong("one too many", argv[i]);
        } else if (option->kind == FLAG) {
            *(bool *)(void *)((char *)o + option->at) = true;
        } else if (i + 1 == argc || !set_value(o, option, argv[i + 1])) {
            return wrong("needs another value", argv[i]);
        } else {
            i++;
        }
    }
    return o->verb || o->help || wrong("say add, find, list, remove or check", "what to do");
}

/* --- The file --------------------------------------------------------------------------------- */

static struct tandem_account accounts[TANDEM_ACCOUNTS_MAX + 1];
static size_t account_count;
static char path[300];

static int load(struct account_options *o)
{
    struct tandem_cause cause = {""};

    if (!o->file && !account_path(path, sizeof path))
        return give_up(o, EXIT_FAILED, "there is no home folder for settings: name a --file");
    if (!o->file)
        o->file = path;
    if (!account_read(o->file, accounts, &account_count, &cause))
        return give_up(o, EXIT_FAILED, cause.text);
    return EXIT_DONE;
}

static size_t index_of(const char *name)
{
    size_t i = 0;

    while (i < account_count && strcmp(accounts[i].name, name) != 0 &&
           strcmp(accounts[i].address, name) != 0)
        i++;
    return i;
}

static int save(const struct account_options *o)
{
    struct tandem_cause cause = {""};

    if (tandem_accounts_save(o->file, accounts, account_count, &cause) != TANDEM_OK)
        return give_up(o, EXIT_FAILED, cause.text);
    if (o->json)
        printf("{\"exit\": 0, \"accounts\": %zu}\n", account_count);
    return EXIT_DONE;
}

/* The account must be one that the engine takes: it says what is wrong with it. */
static bool is_sound(const struct tandem_account *account, struct tandem_cause *cause)
{
    static const struct tandem_config config = {.bind_address = "127.0.0.1",
                                                .sip_port_may_change = true};
    struct tandem_account tried = *account;
    struct tandem *engine;
    uint32_t number;
    bool sound;

    tried.password_command[0] = tried.password_variable[0] = '\0'; /* Those may come later. */
    if (tandem_create(&config, &engine, cause) != TANDEM_OK)
        return false;
    sound = tandem_account_add(engine, &tried, true, &number, cause) == TANDEM_OK;
    tandem_destroy(engine);
    return sound;
}

/* --- The network ------------------------------------------------------------------------------ */

static json_t *found_json(const struct tandem_found_server *s)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", s->name, "domain", s->domain, "server",
                     s->server, "transport", transports[s->transport], "fingerprint",
                     s->fingerprint);
}

static int find_servers(const struct account_options *o)
{
    struct tandem_found_server servers[TANDEM_FOUND_MAX];
    struct tandem_cause cause = {""};
    size_t count;
    enum tandem_status status =
        tandem_servers_find(o->what, servers, TANDEM_FOUND_MAX, &count, &cause);
    json_t *all = json_array();

    if (status != TANDEM_OK) {
        json_decref(all);
        return give_up(o, status == TANDEM_UNREACHABLE ? EXIT_UNREACHABLE : EXIT_FAILED,
                       cause.text);
    }
    for (size_t i = 0; i < count; i++) {
        const struct tandem_found_server *s = &servers[i];

        if (o->json)
            (void)json_array_append_new(all, found_json(s));
        else
            printf("%-24s %-24s %-5s %s\n", s->domain, s->server, transports[s->transport],
                   s->transport == TANDEM_TRANSPORT_TLS ? s->fingerprint : "");
    }
    if (o->json) {
        (void)json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(all);
    return EXIT_DONE;
}

/* Without a server, one that announces itself. A domain may also be known tomorrow, or elsewhere;
 * a bare name cannot. False: the cause was told. */
static bool discover(struct account_options *o, int *code)
{
    struct tandem_found_server found;
    struct tandem_cause cause = {""};
    bool whole = strchr(o->account.address, '@') || o->account.server[0] || o->account.proxy[0];
    enum tandem_status status = tandem_account_discover(&o->account, &found, &cause);

    if (status == TANDEM_AGAIN)
        return true;
    if (status == TANDEM_OK) {
        fprintf(stderr, "found %s at %s, %s%s%s\n", found.domain, found.server,
                transports[found.transport], o->account.fingerprint[0] ? "; certificate " : "",
                o->account.fingerprint);
        return true;
    }
    if (whole) {
        fprintf(stderr, "tandem account: DNS does not know this server now, and %s\n", cause.text);
        return true;
    }
    *code = give_up(o,
                    status == TANDEM_INVALID       ? EXIT_USAGE
                    : status == TANDEM_UNREACHABLE ? EXIT_UNREACHABLE
                                                   : EXIT_FAILED,
                    cause.text);
    return false;
}

static int add(struct account_options *o)
{
    struct tandem_cause cause = {""};
    int code;
    size_t at;

    if (!o->what || strlen(o->what) >= sizeof o->account.address)
        return give_up(o, EXIT_USAGE, "say whose account: user@server");
    (void)snprintf(o->account.address, sizeof o->account.address, "%s", o->what);
    if (!discover(o, &code))
        return code;
    if (!o->account.name[0])
        (void)snprintf(o->account.name, sizeof o->account.name, "%.63s", o->account.address);
    if (o->ask_password) {
        if (!fgets(o->account.password, sizeof o->account.password, stdin))
            return give_up(o, EXIT_USAGE, "no password came on the input");
        o->account.password[strcspn(o->account.password, "\r\n")] = '\0';
    }
    if (!is_sound(&o->account, &cause))
        return give_up(o, EXIT_USAGE, cause.text);
    at = index_of(o->account.name);
    if (at == TANDEM_ACCOUNTS_MAX)
        return give_up(o, EXIT_FAILED, "there are too many accounts: remove one first");
    accounts[at] = o->account; /* One of the same name is replaced. */
    if (at == account_count)
        account_count++;
    for (size_t i = 0; o->account.preferred && i < account_count; i++)
        accounts[i].preferred = i == at;
    return save(o);
}

static int drop(const struct account_options *o)
{
    size_t at = o->what ? index_of(o->what) : account_count;

    if (at == account_count)
        return give_up(o, EXIT_USAGE, "there is no such account: see tandem account list");
    account_count--;
    memmove(&accounts[at], &accounts[at + 1], (account_count - at) * sizeof *accounts);
    return save(o);
}

static int list(const struct account_options *o)
{
    json_t *all = json_array();

    for (size_t i = 0; i < account_count; i++) {
        const struct tandem_account *a = &accounts[i];

        if (o->json)
            (void)json_array_append_new(all,
                                        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "name", a->name,
                                                  "address", a->address, "server", a->server,
                                                  "transport", transports[a->transport], "gateway",
                                                  a->gateway, "preferred", a->preferred));
        else
            printf("%-24s %-32s %-5s %s%s%s\n", a->name, a->address, transports[a->transport],
                   a->server, a->gateway ? " gateway" : "", a->preferred ? " default" : "");
    }
    if (o->json) {
        (void)json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (!account_count) {
        puts("no accounts: see tandem account add");
    }
    json_decref(all);
    return EXIT_DONE;
}

/* --- Checking --------------------------------------------------------------------------------- */

static bool is_settled(enum tandem_account_state state)
{
    return state == TANDEM_ACCOUNT_REGISTERED || state == TANDEM_ACCOUNT_REFUSED ||
           state == TANDEM_ACCOUNT_WAITING;
}

static size_t wait_for_all(struct tandem *engine, struct tandem_account_info *infos)
{
    struct tandem_event event;
    size_t count = 0;

    for (int ms = 0; ms < CHECK_MS; ms += TICK_MS) {
        size_t settled = 0;

        count = tandem_account_list(engine, infos, TANDEM_ACCOUNTS_MAX);
        for (size_t i = 0; i < count; i++)
            settled += is_settled(infos[i].state);
        if (settled == count)
            break;
        (void)tandem_wait_event(engine, TICK_MS, &event);
    }
    return count;
}

static int tell(const struct account_options *o, const struct tandem_account_info *infos,
                size_t count)
{
    enum exit_code code = EXIT_DONE;
    json_t *all = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct tandem_account_info *info = &infos[i];

        if (info->state == TANDEM_ACCOUNT_REFUSED)
            code = EXIT_REFUSED;
        else if (info->state != TANDEM_ACCOUNT_REGISTERED && code == EXIT_DONE)
            code = EXIT_UNREACHABLE;
        if (o->json)
            (void)json_array_append_new(
                all, json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", info->name, "address",
                               info->address, "state", tandem_account_state_name(info->state),
                               "code", info->code, "reason", info->reason));
        else
            printf("%s: %s%s%s\n", info->name, tandem_account_state_name(info->state),
                   info->reason[0] ? ": " : "", info->reason);
    }
    if (o->json) {
        json_t *object = json_pack("{s:i, s:O}", "exit", (int)code, "accounts", all);

        (void)json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
    }
    json_decref(all);
    return (int)code;
}

static int check(const struct account_options *o)
{
    static struct tandem_account_info infos[TANDEM_ACCOUNTS_MAX];
    const struct tandem_config config = {.sip_port_may_change = true};
    struct tandem_cause cause = {""};
    struct tandem *engine;
    uint32_t number;
    int code;

    if (o->what && index_of(o->what) == account_count)
        return give_up(o, EXIT_USAGE, "there is no such account: see tandem account list");
    if (tandem_create(&config, &engine, &cause) != TANDEM_OK)
        return give_up(o, EXIT_FAILED, cause.text);
    for (size_t i = 0; i < account_count; i++)
        if ((!o->what || index_of(o->what) == i) &&
            tandem_account_add(engine, &accounts[i], false, &number, &cause) != TANDEM_OK) {
            tandem_destroy(engine);
            return give_up(o, EXIT_FAILED, cause.text);
        }
    code = tell(o, infos, wait_for_all(engine, infos));
    tandem_destroy(engine);
    return code;
}

int account_run(int argc, char **argv)
{
    struct account_options o;
    int code;

    if (!parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(o.verb, "find") == 0)
        return find_servers(&o);
    code = load(&o);
    if (code != EXIT_DONE)
        return code;
    if (strcmp(o.verb, "add") == 0)
        return add(&o);
    if (strcmp(o.verb, "list") == 0)
        return list(&o);
    if (strcmp(o.verb, "remove") == 0)
        return drop(&o);
    if (strcmp(o.verb, "check") == 0)
        return check(&o);
    return give_up(&o, EXIT_USAGE, "say add, find, list, remove or check");
}
