/* SPDX-License-Identifier: MIT */
/* The address book as text: changing one contact and nothing else. */
#include "signalling/contacts.h"
#include "signalling/contacts_text.h"

#include <string.h>
#include <strings.h>

struct out {
    char *text;
    size_t capacity, size;
    bool ok;
};

static void put_bytes(struct out *o, const char *bytes, size_t size)
{
    if (!o->ok || size > o->capacity - o->size) {
        o->ok = false;
        return;
    }
    if (size)
        memcpy(o->text + o->size, bytes, size);
    o->size += size;
}

static void put(struct out *o, const char *text)
{
    put_bytes(o, text, strlen(text));
}

/* A value on one line, without spaces at its ends. */
static void put_value(struct out *o, const char *value)
{
    struct tdm_text t = tdm_text_trim(tdm_text_of_string(value));

    for (; t.at < t.end; t.at++)
        put_bytes(o, (unsigned char)*t.at < ' ' || *t.at == 0x7f ? " " : t.at, 1);
}

static void put_field(struct out *o, const char *key, const char *value)
{
    if (!*value)
        return;
    put(o, key);
    put(o, " = ");
    put_value(o, value);
    put(o, "\n");
}

static void put_addresses(struct out *o, const struct tdm_contact *c)
{
    for (uint32_t i = 0; i < c->address_count; i++) {
        put(o, "address = ");
        put_value(o, c->addresses[i].uri);
        if (c->addresses[i].account[0]) {
            put(o, " by ");
            put_value(o, c->addresses[i].account);
        }
        put(o, "\n");
    }
}

/* All lines of one field. */
static void put_lines(struct out *o, const struct tdm_contact *c, enum tdm_contacts_field field)
{
    switch (field) {
    case TDM_FIELD_NAME:
        put_field(o, "name", c->name);
        break;
    case TDM_FIELD_ADDRESS:
        put_addresses(o, c);
        break;
    case TDM_FIELD_GROUP:
        for (uint32_t i = 0; i < c->group_count; i++)
            put_field(o, "group", c->groups[i]);
        break;
    case TDM_FIELD_ANSWER:
        put_field(o, "answer", c->answer == TDM_ANSWER_ASK ? "" : tdm_answer_name(c->answer));
        break;
    case TDM_FIELD_POLICY:
        put_field(o, "presence", c->policy_set ? tdm_policy_name(c->policy) : "");
        break;
    case TDM_FIELD_WATCH:
        put_field(o, "watch", c->unwatched ? "no" : "");
        break;
    case TDM_FIELD_NOTE:
        put_field(o, "note", c->note);
        break;
    case TDM_FIELD_NONE:
    case TDM_FIELD_COUNT:
        break;
    }
}

static bool same_addresses(const struct tdm_contact *a, const struct tdm_contact *b)
{
    if (a->address_count != b->address_count)
        return false;
    for (uint32_t i = 0; i < a->address_count; i++)
        if (strcmp(a->addresses[i].uri, b->addresses[i].uri) != 0 ||
            strcmp(a->addresses[i].account, b->addresses[i].account) != 0)
            return false;
    return true;
}

static bool same_groups(const struct tdm_contact *a, const struct tdm_contact *b)
{
    if (a->group_count != b->group_count)
        return false;
    for (uint32_t i = 0; i < a->group_count; i++)
        if (strcmp(a->groups[i], b->groups[i]) != 0)
            return false;
    return true;
}

/* Whether the lines of a field may stay as they are. */
static bool is_same(const struct tdm_contact *a, const struct tdm_contact *b,
                    enum tdm_contacts_field field)
{
    switch (field) {
    case TDM_FIELD_NAME:
        return strcmp(a->name, b->name) == 0;
    case TDM_FIELD_ADDRESS:
        return same_addresses(a, b);
    case TDM_FIELD_GROUP:
        return same_groups(a, b);
    case TDM_FIELD_ANSWER:
        return a->answer == b->answer;
    case TDM_FIELD_POLICY:
        return a->policy_set == b->policy_set && (!a->policy_set || a->policy == b->policy);
    case TDM_FIELD_WATCH:
        return a->unwatched == b->unwatched;
    case TDM_FIELD_NOTE:
        return strcmp(a->note, b->note) == 0;
    default:
        return true;
    }
}

/* A contact's lines, from its header to its last line that is neither blank nor a comment: what
 * stands below belongs to the next one. */
static struct tdm_text section_at(const char *start, const char *end)
{
    struct tdm_text rest = {.at = start, .end = end};
    const char *last;
    char id[64];

    (void)tdm_contacts_line(&rest);
    last = rest.at;
    while (rest.at < rest.end) {
        struct tdm_text line = tdm_contacts_line(&rest), bare = tdm_text_trim(line);

        if (tdm_contacts_is_header(line, id, sizeof id))
            break;
        if (bare.at < bare.end && *bare.at != '#')
            last = rest.at;
    }
    return (struct tdm_text){.at = start, .end = last};
}

/* The section again, with what changed. */
static void put_changed(struct out *o, struct tdm_text section, const struct tdm_contact *was,
                        const struct tdm_contact *is)
{
    struct tdm_text rest = section;
    bool done[TDM_FIELD_COUNT] = {false};

    for (int field = 1; field < TDM_FIELD_COUNT; field++)
        done[field] = is_same(was, is, (enum tdm_contacts_field)field);
    while (rest.at < rest.end) {
        const char *start = rest.at;
        struct tdm_text value, line = tdm_contacts_line(&rest);
        enum tdm_contacts_field field = tdm_contacts_field_of(line, &value);

        if (is_same(was, is, field)) {
            put_bytes(o, start, (size_t)(rest.at - start));
        } else if (!done[field]) {
            put_lines(o, is, field);
            done[field] = true;
        }
    }
    if (o->ok && o->size && o->text[o->size - 1] != '\n')
        put(o, "\n");
    for (int field = 1; field < TDM_FIELD_COUNT; field++)
        if (!done[field])
            put_lines(o, is, (enum tdm_contacts_field)field);
}

static void put_new(struct out *o, const struct tdm_contact *contact)
{
    if (o->size && o->text[o->size - 1] != '\n')
        put(o, "\n");
    put(o, o->size ? "\n[" : "[");
    put_value(o, contact->id);
    put(o, "]\n");
    for (int field = 1; field < TDM_FIELD_COUNT; field++)
        put_lines(o, contact, (enum tdm_contacts_field)field);
}

enum tdm_err tdm_contacts_put(const char *text, size_t size, const char *id,
                              const struct tdm_contact *contact, char *out, size_t capacity,
                              size_t *out_size)
{
    struct tdm_contacts_walk walk = tdm_contacts_walk_of(text, size);
    struct out o = {.text = out, .capacity = capacity, .ok = true};
    struct tdm_contact was;
    bool found = false;

    while (!found && tdm_contacts_next(&walk, &was))
        found = strcasecmp(was.id, id) == 0;
    if (!found && !contact)
        return TDM_E_GONE;
    if (found) {
        struct tdm_text section = section_at(walk.start, walk.end);

        put_bytes(&o, text, (size_t)(section.at - text));
        if (contact)
            put_changed(&o, section, &was, contact);
        put_bytes(&o, section.end, (size_t)(walk.end - section.end));
    } else {
        put_bytes(&o, text, size);
        put_new(&o, contact);
    }
    *out_size = o.size;
    return o.ok ? TDM_OK : TDM_E_SPACE;
}
