/* SPDX-License-Identifier: MIT */
#include "apps/contacts_search.h"

#include "apps/account_open.h"
#include "apps/options.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 40000 /* SIP gives up in 32 s. */

static int complain(enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem contacts: %s\n", why);
    return (int)code;
}

/* The preferred account, else the first; none of a gateway, where there are only numbers. */
static bool choose(const char **by, struct tandem_cause *cause)
{
    static struct tandem_account accounts[TANDEM_ACCOUNTS_MAX];
    const struct tandem_account *chosen = NULL;
    size_t count;

    if (*by)
        return true;
    if (!account_read(NULL, accounts, &count, cause))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!accounts[i].gateway && (!chosen || (accounts[i].preferred && !chosen->preferred)))
            chosen = &accounts[i];
    if (chosen)
        *by = chosen->name[0] ? chosen->name : chosen->address;
    else
        (void)snprintf(cause->text, sizeof cause->text,
                       "there is no account whose server could be asked: tandem account add "
                       "you@example.org");
    return chosen != NULL;
}

/* With as much of the address as a call needs. */
static void print(struct tandem *engine, const char *domain, bool json)
{
    static struct tandem_directory_person people[TANDEM_DIRECTORY_MAX];
    size_t count = tandem_directory_list(engine, people, TANDEM_DIRECTORY_MAX);
    json_t *list = json_array();
    char address[300];

    for (size_t i = 0; i < count; i++) {
        const struct tandem_directory_person *p = &people[i];

        (void)snprintf(address, sizeof address, "%s@%s", p->user, domain);
        if (json)
            json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "address", address, "name",
                                                  p->name, "registered", p->registered));
        else
            printf("%s%s%s%s%s\n", address, p->name[0] ? " (" : "", p->name, p->name[0] ? ")" : "",
                   p->registered ? "" : ", not signed in");
    }
    if (json) {
        (void)json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (!count) {
        puts("nobody has all of these words in the name");
    }
    json_decref(list);
}

static bool await_answer(struct tandem *engine, struct tandem_cause *cause)
{
    struct tandem_event event;

    (void)snprintf(cause->text, sizeof cause->text, "the server does not answer");
    while (tandem_wait_event(engine, PATIENCE_MS, &event) == TANDEM_OK)
        if (event.kind == TANDEM_EVENT_DIRECTORY) {
            (void)snprintf(cause->text, sizeof cause->text, "%s", event.text);
            return event.value >= 0;
        }
    return false;
}

static int ask(struct tandem *engine, const char *words, const char *by, bool json)
{
    struct tandem_account_info info[TANDEM_ACCOUNTS_MAX];
    struct tandem_cause cause = {""};
    const char *at;
    bool invalid;

    if (!account_open_out(engine, NULL, by, "directory", &invalid, &cause))
        return complain(invalid ? EXIT_USAGE : EXIT_FAILED, cause.text);
    if (!tandem_account_list(engine, info, TANDEM_ACCOUNTS_MAX) ||
        tandem_directory_search(engine, info[0].account, words, &cause) != TANDEM_OK ||
        !await_answer(engine, &cause))
        return complain(EXIT_FAILED, cause.text);
    at = strrchr(info[0].address, '@');
    print(engine, at ? at + 1 : info[0].address, json);
    return EXIT_DONE;
}

int contacts_search(const char *const *words, int count, const char *by, bool json)
{
    struct tandem_config config = {.sip_port_may_change = true};
    struct tandem_cause cause = {""};
    struct tandem *engine = NULL;
    char text[400] = "";
    int code;

    for (int i = 0; i < count; i++) {
        size_t size = strlen(text);

        if (size + strlen(words[i]) + 2 > sizeof text)
            return complain(EXIT_USAGE, "these are too many letters to search for");
        (void)snprintf(text + size, sizeof text - size, "%s%s", i ? " " : "", words[i]);
    }
    if (!text[0])
        return complain(EXIT_USAGE, "which words? tandem contacts search WORDS");
    if (!choose(&by, &cause))
        return complain(EXIT_USAGE, cause.text);
    if (tandem_create(&config, &engine, &cause) != TANDEM_OK)
        return complain(EXIT_FAILED, cause.text);
    code = ask(engine, text, by, json);
    tandem_destroy(engine);
    return code;
}
