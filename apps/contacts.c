/* SPDX-License-Identifier: MIT */
#include "apps/contacts.h"

#include "apps/contacts_search.h"
#include "apps/contacts_show.h"
#include "apps/folders.h"
#include "apps/options.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CARDS_MAX ((size_t)16 << 20)

/* What stands behind `contacts WHAT`. */
struct contacts_options {
    const char *words[2 + TANDEM_CONTACT_ADDRESSES];
    int word_count;
    const char *name, *by, *note, *answer, *presence;
    const char *groups[TANDEM_CONTACT_GROUPS];
    int group_count;
    bool json, help, silent, unwatched;
};

static const struct option {
    const char *name;
    bool value;
    const char *argument, *help;
} options[] = {
    {"--name", true, "NAME", "add: the full name"},
    {"--by", true, "ACCOUNT",
     "add: the account that reaches these addresses; search: whose server is asked"},
    {"--group", true, "GROUP", "add, list, export: a group; add takes several"},
    {"--note", true, "TEXT", "add: anything"},
    {"--answer", true, "HOW", "add: ask, auto or refuse calls of theirs [ask]"},
    {"--presence", true, "HOW", "add: ask, allow, polite or block: who sees us [allow]"},
    {"--no-watch", false, NULL, "add: do not ask for their presence"},
    {"--no-presence", false, NULL, "list: without asking who is there"},
    {"--json", false, NULL, "the result as JSON"},
    {"--help", false, NULL, "this text"},
};

static int complain(enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem contacts: %s\n", why);
    return (int)code;
}

struct tandem_contacts *contacts_open(const char *verb)
{
    struct tandem_contacts *contacts = NULL;
    struct tandem_cause cause = {""};
    char path[400];

    if (!folders_settings("contacts.conf", path, sizeof path))
        return NULL;
    if (tandem_contacts_open(path, &contacts, &cause) != TANDEM_OK)
        fprintf(stderr, "tandem %s: %s\n", verb, cause.text);
    return contacts;
}

bool contacts_resolve(const char *verb, const char *who, char address[256])
{
    struct tandem_contacts *contacts = contacts_open(verb);
    struct tandem_cause cause = {""};
    enum tandem_status status = TANDEM_OK;

    (void)snprintf(address, 256, "%s", who);
    if (contacts)
        status = tandem_contacts_resolve(contacts, who, address, NULL, &cause);
    tandem_contacts_close(contacts);
    if (status != TANDEM_OK)
        fprintf(stderr, "tandem %s: %s\n", verb, cause.text);
    return status == TANDEM_OK;
}

/* --- Options ---------------------------------------------------------------------------------- */

static bool take_value(struct contacts_options *o, const char *name, const char *value)
{
    if (strcmp(name, "--name") == 0)
        o->name = value;
    else if (strcmp(name, "--by") == 0)
        o->by = value;
    else if (strcmp(name, "--note") == 0)
        o->note = value;
    else if (strcmp(name, "--answer") == 0)
        o->answer = value;
    else if (strcmp(name, "--presence") == 0)
        o->presence = value;
    else if (o->group_count < TANDEM_CONTACT_GROUPS)
        o->groups[o->group_count++] = value;
    else
        return false;
    return *value != '\0';
}

static void take_flag(struct contacts_options *o, const char *name)
{
    o->json |= strcmp(name, "--json") == 0;
    o->help |= strcmp(name, "--help") == 0;
    o->silent |= strcmp(name, "--no-presence") == 0;
    o->unwatched |= strcmp(name, "--no-watch") == 0;
}

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static bool parse(struct contacts_options *o, int argc, char **argv)
{
    *o = (struct contacts_options){.json = false};
    for (int i = 0; i < argc; i++) {
        const struct option *option = find(argv[i]);
        bool stands_for_itself = argv[i][0] != '-' || strcmp(argv[i], "-") == 0;

        if (!option && stands_for_itself) {
            if (o->word_count == (int)(sizeof o->words / sizeof *o->words))
                return !complain(EXIT_USAGE, "too many words; see tandem contacts --help");
            o->words[o->word_count++] = argv[i];
        } else if (!option) {
            fprintf(stderr, "tandem contacts: unknown option \"%s\"; see --help\n", argv[i]);
            return false;
        } else if (!option->value) {
            take_flag(o, option->name);
        } else if (++i == argc || !take_value(o, option->name, argv[i])) {
            fprintf(stderr, "tandem contacts: a value is missing behind %s, or one too many\n",
                    option->name);
            return false;
        }
    }
    return true;
}

/* --- What it does ----------------------------------------------------------------------------- */

static int end(enum tandem_status status, const struct tandem_cause *cause)
{
    if (status == TANDEM_OK)
        return EXIT_DONE;
    return complain(status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED, cause->text);
}

static void set(char *to, size_t capacity, const char *from)
{
    (void)snprintf(to, capacity, "%s", from);
}

static int index_of(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static bool take_rules(const struct contacts_options *o, struct tandem_contact_entry *c)
{
    static const char *const answers[] = {"ask", "auto", "refuse"};
    static const char *const policies[] = {"ask", "allow", "polite", "block"};
    int answer = o->answer ? index_of(answers, 3, o->answer) : (int)c->answer;
    int policy = o->presence ? index_of(policies, 4, o->presence) : (int)c->policy;

    if (answer < 0 || policy < 0)
        return false;
    c->answer = (enum tandem_contact_answer)answer;
    c->policy = (enum tandem_policy)policy;
    c->policy_set |= o->presence != NULL;
    c->unwatched |= o->unwatched;
    return true;
}

/* By that account, or by whichever it is when none is named. */
static bool has_address(const struct tandem_contact_entry *c, const char *uri, const char *by)
{
    for (uint32_t i = 0; i < c->address_count; i++)
        if (strcmp(c->addresses[i].uri, uri) == 0 &&
            (!by || strcmp(c->addresses[i].account, by) == 0))
            return true;
    return false;
}

/* A contact that is there already gets what was said, and keeps the rest. */
static int add(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    struct tandem_contact_entry c;
    struct tandem_cause cause = {""};
    const char *word = o->words[1];

    if (o->word_count < 2)
        return complain(EXIT_USAGE, "whom? tandem contacts add WORD ADDRESS...");
    if (tandem_contacts_find(contacts, word, &c, NULL) != TANDEM_OK) {
        memset(&c, 0, sizeof c);
        set(c.id, sizeof c.id, word);
        if (o->word_count < 3)
            return complain(EXIT_USAGE, "with which address? tandem contacts add WORD ADDRESS...");
    }
    if (o->name)
        set(c.name, sizeof c.name, o->name);
    if (o->note)
        set(c.note, sizeof c.note, o->note);
    if (!take_rules(o, &c))
        return complain(EXIT_USAGE, "--answer is ask, auto or refuse; --presence is ask, allow, "
                                    "polite or block");
    for (int i = 2; i < o->word_count; i++) {
        if (has_address(&c, o->words[i], o->by))
            continue;
        if (c.address_count == TANDEM_CONTACT_ADDRESSES)
            return complain(EXIT_USAGE, "a contact has at most 8 addresses");
        if (strpbrk(o->words[i], " \t\n") || strlen(o->words[i]) >= sizeof c.addresses[0].uri)
            return complain(EXIT_USAGE, "an address is like paul@example.org or 10.0.0.7");
        set(c.addresses[c.address_count].uri, sizeof c.addresses[0].uri, o->words[i]);
        set(c.addresses[c.address_count++].account, sizeof c.addresses[0].account,
            o->by ? o->by : "");
    }
    for (int i = 0; i < o->group_count && c.group_count < TANDEM_CONTACT_GROUPS; i++)
        set(c.groups[c.group_count++], sizeof c.groups[0], o->groups[i]);
    return end(tandem_contacts_put(contacts, &c, &cause), &cause);
}

static int remove_one(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    struct tandem_cause cause = {""};

    if (o->word_count != 2)
        return complain(EXIT_USAGE, "whom? tandem contacts remove WHO");
    return end(tandem_contacts_remove(contacts, o->words[1], &cause), &cause);
}

static int group(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    struct tandem_cause cause = {""};
    bool in = o->word_count == 4 && strcmp(o->words[2], "add") == 0;

    if (o->word_count != 4 || (!in && strcmp(o->words[2], "remove") != 0))
        return complain(EXIT_USAGE, "tandem contacts group WHO add|remove GROUP");
    return end(tandem_contacts_group(contacts, o->words[1], o->words[3], in, &cause), &cause);
}

static char *read_file(const char *path, size_t *size)
{
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(path, "r");
    char *text = file ? malloc(CARDS_MAX) : NULL;

    *size = text ? fread(text, 1, CARDS_MAX, file) : 0;
    if (file && !from_stdin)
        (void)fclose(file);
    return text;
}

static int import(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    struct tandem_contacts_imported count = {0};
    struct tandem_cause cause = {""};
    size_t size;
    char *text;

    if (o->word_count != 2)
        return complain(EXIT_USAGE, "what? tandem contacts import FILE (- is standard input)");
    text = read_file(o->words[1], &size);
    if (!text)
        return complain(EXIT_FAILED, "cannot read that file");
    enum tandem_status status = tandem_contacts_import(contacts, text, size, &count, &cause);

    free(text);
    if (status != TANDEM_OK)
        return end(status, &cause);
    if (o->json)
        printf("{\"added\": %u, \"merged\": %u, \"skipped\": %u}\n", count.added, count.merged,
               count.skipped);
    else
        printf("%u added, %u merged, %u without a name or an address that can be called\n",
               count.added, count.merged, count.skipped);
    return EXIT_DONE;
}

static int export(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    struct tandem_cause cause = {""};
    char *cards = tandem_contacts_export(contacts, o->group_count ? o->groups[0] : NULL, &cause);
    FILE *to = o->word_count > 1 ? fopen(o->words[1], "w") : stdout;
    bool good = cards && to && fputs(cards, to) >= 0 && fflush(to) == 0;

    if (to && to != stdout)
        good = fclose(to) == 0 && good;
    tandem_free(cards);
    return good ? EXIT_DONE
                : complain(EXIT_FAILED, cause.text[0] ? cause.text : "cannot write that file");
}

static int list(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    return contacts_show(contacts, o->group_count ? o->groups[0] : NULL, o->json, !o->silent);
}

static int search(struct tandem_contacts *contacts, const struct contacts_options *o)
{
    (void)contacts; /* It is the server's people that are looked through. */
    return contacts_search(o->words + 1, o->word_count - 1, o->by, o->json);
}

static void help(void)
{
    puts("tandem contacts WHAT [options]: the address book\n\n"
         "  list                       who is in it, and who is there now\n"
         "  search WORDS               who has an account at your server\n"
         "  add WORD ADDRESS...        somebody, or more of somebody\n"
         "  remove WHO                 by word, name or address\n"
         "  group WHO add|remove GROUP\n"
         "  import FILE                vCards; - is standard input\n"
         "  export [FILE]              vCards of version 4\n\n"
         "The word is what one types: tandem call paul.\n");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        printf("  %s %-*s %s\n", options[i].name, 20 - (int)strlen(options[i].name),
               options[i].argument ? options[i].argument : "", options[i].help);
    options_help_codes(stdout);
}

int contacts_run(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(struct tandem_contacts *contacts, const struct contacts_options *o);
    } verbs[] = {{"list", list},     {"add", add},       {"remove", remove_one}, {"group", group},
                 {"import", import}, {"export", export}, {"search", search}};
    struct contacts_options o;
    struct tandem_contacts *contacts;
    int code = EXIT_USAGE;

    if (!parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        help();
        return EXIT_DONE;
    }
    if (!o.word_count)
        o.words[o.word_count++] = "list";
    contacts = contacts_open("contacts");
    if (!contacts)
        return complain(EXIT_FAILED, "no address book: is HOME set?");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].word, o.words[0]) == 0) {
            code = verbs[i].run(contacts, &o);
            tandem_contacts_close(contacts);
            return code;
        }
    tandem_contacts_close(contacts);
    return complain(EXIT_USAGE, "what? list, search, add, remove, group, import or export; see "
                                "--help");
}
