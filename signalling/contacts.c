/* SPDX-License-Identifier: MIT */
/* The address book as text: reading it. */
#include "signalling/contacts.h"

#include "signalling/contacts_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const policy_names[] = {
    [TDM_POLICY_ASK] = "ask",
    [TDM_POLICY_ALLOW] = "allow",
    [TDM_POLICY_POLITE] = "polite",
    [TDM_POLICY_BLOCK] = "block",
};

static const char *const answer_names[] = {
    [TDM_ANSWER_ASK] = "ask",
    [TDM_ANSWER_AUTO] = "auto",
    [TDM_ANSWER_REFUSE] = "refuse",
};

const char *tdm_policy_name(enum tdm_watch_policy policy)
{
    return policy_names[policy];
}

const char *tdm_answer_name(enum tdm_contact_answer answer)
{
    return answer_names[answer];
}

static int find_name(const char *const *names, int count, struct tdm_text word)
{
    for (int i = 0; i < count; i++)
        if (tdm_text_equals(word, names[i]))
            return i;
    return -1;
}

bool tdm_policy_of_name(const char *name, enum tdm_watch_policy *policy)
{
    int found = find_name(policy_names, 4, tdm_text_of_string(name));

    if (found >= 0)
        *policy = (enum tdm_watch_policy)found;
    return found >= 0;
}

bool tdm_answer_of_name(const char *name, enum tdm_contact_answer *answer)
{
    int found = find_name(answer_names, 3, tdm_text_of_string(name));

    if (found >= 0)
        *answer = (enum tdm_contact_answer)found;
    return found >= 0;
}

bool tdm_contact_id_is_valid(const char *id)
{
    size_t size = strlen(id);

    if (!size || size >= sizeof((struct tdm_contact *)0)->id || *id == '-' || *id == '#')
        return false;
    for (; *id; id++)
        if ((unsigned char)*id <= ' ' || *id == 0x7f || strchr("[]@:/\\\"'=,;", *id))
            return false;
    return true;
}

struct tdm_text tdm_contacts_line(struct tdm_text *rest)
{
    struct tdm_text line = tdm_text_until(rest, '\n');

    if (line.at < line.end && line.end[-1] == '\r')
        line.end--;
    return line;
}

bool tdm_contacts_is_header(struct tdm_text line, char *id, size_t capacity)
{
    struct tdm_text t = tdm_text_trim(line);

    if (tdm_text_size(t) < 2 || *t.at != '[' || t.end[-1] != ']')
        return false;
    t.at++;
    t.end--;
    return tdm_text_copy(tdm_text_trim(t), id, capacity) || (id[0] = '\0', true);
}

enum tdm_contacts_field tdm_contacts_field_of(struct tdm_text line, struct tdm_text *value)
{
    static const char *const names[] = {
        [TDM_FIELD_NAME] = "name",     [TDM_FIELD_ADDRESS] = "address", [TDM_FIELD_GROUP] = "group",
        [TDM_FIELD_ANSWER] = "answer", [TDM_FIELD_POLICY] = "presence", [TDM_FIELD_WATCH] = "watch",
        [TDM_FIELD_NOTE] = "note",
    };
    struct tdm_text rest = tdm_text_trim(line), key;
    int found;

    if (!memchr(line.at ? line.at : "", '=', tdm_text_size(line)) ||
        (rest.at < rest.end && *rest.at == '#'))
        return TDM_FIELD_NONE;
    key = tdm_text_trim(tdm_text_until(&rest, '='));
    *value = tdm_text_trim(rest);
    found = find_name(names + 1, TDM_FIELD_COUNT - 1, key);
    return (enum tdm_contacts_field)(found + 1);
}

/* "paul@reskit.test by work" */
static void take_address(struct tdm_contact *c, struct tdm_text value)
{
    struct tdm_text uri = tdm_text_word(&value), by = tdm_text_word(&value);
    struct tdm_contact_address *address = &c->addresses[c->address_count];

    if (c->address_count == TDM_CONTACT_ADDRESSES || uri.at == uri.end ||
        !tdm_text_copy(uri, address->uri, sizeof address->uri))
        return;
    address->account[0] = '\0';
    if (tdm_text_equals(by, "by"))
        (void)tdm_text_copy(tdm_text_word(&value), address->account, sizeof address->account);
    c->address_count++;
}

static void take_group(struct tdm_contact *c, struct tdm_text value)
{
    if (c->group_count < TDM_CONTACT_GROUPS && value.at < value.end &&
        tdm_text_copy(value, c->groups[c->group_count], sizeof c->groups[0]))
        c->group_count++;
}

static void take_line(struct tdm_contact *c, struct tdm_text line)
{
    struct tdm_text value;
    int found;

    switch (tdm_contacts_field_of(line, &value)) {
    case TDM_FIELD_NAME:
        (void)tdm_text_copy(value, c->name, sizeof c->name);
        break;
    case TDM_FIELD_NOTE:
        (void)tdm_text_copy(value, c->note, sizeof c->note);
        break;
    case TDM_FIELD_ADDRESS:
        take_address(c, value);
        break;
    case TDM_FIELD_GROUP:
        take_group(c, value);
        break;
    case TDM_FIELD_ANSWER:
        found = find_name(answer_names, 3, value);
        c->answer = found < 0 ? TDM_ANSWER_ASK : (enum tdm_contact_answer)found;
        break;
    case TDM_FIELD_POLICY:
        found = find_name(policy_names, 4, value);
        c->policy_set = found >= 0;
        c->policy = found < 0 ? TDM_POLICY_ASK : (enum tdm_watch_policy)found;
        break;
    case TDM_FIELD_WATCH:
        c->unwatched = tdm_text_equals(value, "no");
        break;
    case TDM_FIELD_NONE:
    case TDM_FIELD_COUNT:
        break;
    }
}

struct tdm_contacts_walk tdm_contacts_walk_of(const char *text, size_t size)
{
    return (struct tdm_contacts_walk){.at = text, .end = size ? text + size : text};
}

bool tdm_contacts_next(struct tdm_contacts_walk *walk, struct tdm_contact *contact)
{
    bool found = false;

    memset(contact, 0, sizeof *contact);
    while (walk->at < walk->end) {
        struct tdm_text rest = {.at = walk->at, .end = walk->end};
        struct tdm_text line = tdm_contacts_line(&rest);
        char id[sizeof contact->id];

        if (tdm_contacts_is_header(line, id, sizeof id)) {
            if (found)
                return true;
            found = tdm_contact_id_is_valid(id);
            if (found) {
                memcpy(contact->id, id, sizeof id);
                walk->start = walk->at;
            }
        } else if (found) {
            take_line(contact, line);
        }
        walk->at = rest.at;
    }
    return found;
}

/* "sip:Paul@Host;x" and "paul@host" are the same. */
static bool same_address(const char *a, const char *b)
{
    a += strncasecmp(a, "sip:", 4) == 0 ? 4 : 0;
    b += strncasecmp(b, "sip:", 4) == 0 ? 4 : 0;

    size_t size = strcspn(a, ";");

    return size == strcspn(b, ";") && strncasecmp(a, b, size) == 0;
}

static bool has_address(const struct tdm_contact *c, const char *who)
{
    for (uint32_t i = 0; i < c->address_count; i++)
        if (same_address(c->addresses[i].uri, who))
            return true;
    return false;
}

enum tdm_err tdm_contacts_find(const char *text, size_t size, const char *who,
                               struct tdm_contact *contact, struct tdm_cause *cause)
{
    struct tdm_contacts_walk walk = tdm_contacts_walk_of(text, size);
    struct tdm_contact next;
    uint32_t named = 0;
    bool addressed = false;
    char first[sizeof next.id] = "";

    while (tdm_contacts_next(&walk, &next)) {
        if (strcasecmp(next.id, who) == 0) {
            *contact = next;
            return TDM_OK;
        }
        if (next.name[0] && strcasecmp(next.name, who) == 0) {
            if (named++ == 1)
                (void)tdm_fail(cause, TDM_E_MALFORMED,
                               "\"%.60s\" is the name of several (%.60s, %.60s): say which", who,
                               first, next.id);
            memcpy(first, next.id, sizeof first);
            *contact = next;
        } else if (!named && !addressed && has_address(&next, who)) {
            *contact = next;
            addressed = true;
        }
    }
    if (named > 1)
        return TDM_E_MALFORMED;
    if (named || addressed)
        return TDM_OK;
    return tdm_fail(cause, TDM_E_GONE, "there is no contact \"%.60s\": tandem contacts list", who);
}
