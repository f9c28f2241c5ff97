/* SPDX-License-Identifier: MIT */
#include "signalling/vcard.h"

#include "signalling/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FOLD_AT 75

/* --- Reading ---------------------------------------------------------------------------------- */

/* One line, put together from its folded parts. */
struct line {
    char text[TDM_VCARD_LINE_MAX];
    size_t size;
};

struct property {
    struct tdm_text name, params, value;
    bool quoted; /* The value is quoted-printable. */
};

struct tdm_vcard_walk tdm_vcard_walk_of(const char *text, size_t size)
{
    return (struct tdm_vcard_walk){.at = text, .end = size ? text + size : text};
}

static void add_part(struct line *line, struct tdm_text part)
{
    size_t room = sizeof line->text - line->size, size = tdm_text_size(part);

    size = size < room ? size : room;
    if (size)
        memcpy(line->text + line->size, part.at, size);
    line->size += size;
}

static bool contains(struct tdm_text t, const char *word)
{
    size_t size = strlen(word);

    for (; tdm_text_size(t) >= size; t.at++)
        if (strncasecmp(t.at, word, size) == 0)
            return true;
    return false;
}

/* Lines of version 2.1 that end in "=" go on below, without a space there. */
static bool goes_on(const struct line *line)
{
    return line->size && line->size < sizeof line->text && line->text[line->size - 1] == '=' &&
           contains(tdm_text_of(line->text, line->size), "QUOTED-PRINTABLE");
}

static bool next_line(struct tdm_vcard_walk *walk, struct line *line)
{
    struct tdm_text rest = {.at = walk->at, .end = walk->end};
    bool first = true;

    line->size = 0;
    if (rest.at == rest.end)
        return false;
    while (rest.at < rest.end) {
        bool folded = *rest.at == ' ' || *rest.at == '\t', soft = goes_on(line);

        if (!first && !folded && !soft)
            break;
        if (soft)
            line->size--;
        else if (!first)
            rest.at++;
        struct tdm_text part = tdm_text_until(&rest, '\n');

        if (part.at < part.end && part.end[-1] == '\r')
            part.end--;
        add_part(line, part);
        first = false;
    }
    walk->at = rest.at;
    return true;
}

/* "item1.IMPP;PREF=1;X="a:b":sip:paul@host" */
static bool split(const struct line *line, struct property *p)
{
    struct tdm_text t = tdm_text_of(line->text, line->size);
    const char *colon = NULL, *name_end = NULL;
    bool quoted = false;

    for (const char *at = t.at; at < t.end && !colon; at++) {
        quoted ^= *at == '"';
        if (!quoted && !name_end && (*at == ';' || *at == ':'))
            name_end = at;
        if (!quoted && *at == ':')
            colon = at;
    }
    if (!colon)
        return false;
    p->name = (struct tdm_text){.at = t.at, .end = name_end};
    p->params = (struct tdm_text){.at = name_end, .end = colon};
    p->value = (struct tdm_text){.at = colon + 1, .end = t.end};
    for (const char *at = p->name.at; at < p->name.end; at++)
        if (*at == '.')
            p->name.at = at + 1; /* Of a group. */
    p->quoted = contains(p->params, "QUOTED-PRINTABLE");
    return true;
}

/* The value of a parameter, without its quotes. */
static struct tdm_text param(struct tdm_text params, const char *name)
{
    while (params.at < params.end) {
        struct tdm_text one = tdm_text_until(&params, ';');
        struct tdm_text key = tdm_text_until(&one, '=');

        if (!tdm_text_equals(key, name))
            continue;
        if (tdm_text_size(one) >= 2 && *one.at == '"' && one.end[-1] == '"') {
            one.at++;
            one.end--;
        }
        return one;
    }
    return (struct tdm_text){.at = params.end, .end = params.end};
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* One character of a value; escapes count as what they mean. */
static char take_character(const struct property *p, struct tdm_text *t)
{
    char c = *t->at++;

    if (p->quoted && c == '=' && tdm_text_size(*t) >= 2 && hex(t->at[0]) >= 0 &&
        hex(t->at[1]) >= 0) {
        c = (char)(hex(t->at[0]) * 16 + hex(t->at[1]));
        t->at += 2;
    } else if (c == '\\' && t->at < t->end) {
        c = *t->at++;
        if (c == 'n' || c == 'N')
            c = '\n';
    }
    return (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
}

/* A text that was cut may end within a character. */
static size_t without_half(const char *text, size_t size)
{
    while (size && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
        size--;
    return size && ((unsigned char)text[size - 1] & 0xc0) == 0xc0 ? size - 1 : size;
}

/* Takes what stands before an unescaped `stop` (0: all), as much as fits. */
static void take_text(const struct property *p, struct tdm_text *t, char stop, char *to,
                      size_t capacity)
{
    size_t size = 0;
    bool cut = false;

    while (t->at < t->end && (!stop || *t->at != stop)) {
        char c = take_character(p, t);

        cut |= size + 1 == capacity;
        if (size + 1 < capacity && (size || c != ' '))
            to[size++] = c;
    }
    if (t->at < t->end)
        t->at++;
    if (cut)
        size = without_half(to, size);
    while (size && to[size - 1] == ' ')
        size--;
    to[size] = '\0';
}

static void take_address(const struct property *p, struct tdm_contact *c, const char *scheme)
{
    struct tdm_text t = tdm_text_trim(p->value);
    char uri[200];
    uint64_t preferred = 0;
    struct tdm_text pref = param(p->params, "PREF");
    uint32_t at = c->address_count;

    take_text(p, &t, 0, uri, sizeof uri);
    if (!uri[0] || strpbrk(uri, " \t") || c->address_count == TDM_CONTACT_ADDRESSES)
        return;
    if ((tdm_text_number(&pref, 100, &preferred) && preferred == 1) ||
        contains(p->params, "TYPE=PREF"))
        at = 0;
    memmove(&c->addresses[at + 1], &c->addresses[at],
            (c->address_count - at) * sizeof c->addresses[0]);
    memset(&c->addresses[at], 0, sizeof c->addresses[at]);
    (void)snprintf(c->addresses[at].uri, sizeof c->addresses[at].uri, "%s%s", scheme, uri);
    (void)tdm_text_copy(param(p->params, "X-TANDEM-ACCOUNT"), c->addresses[at].account,
                        sizeof c->addresses[at].account);
    if (!tdm_contact_id_is_valid(c->addresses[at].account))
        c->addresses[at].account[0] = '\0';
    c->address_count++;
}

static bool begins(struct tdm_text value, const char *word)
{
    return tdm_text_size(value) >= strlen(word) && strncasecmp(value.at, word, strlen(word)) == 0;
}

/* A number as people write it, "+43 (1) 234-5": what of it is dialled. */
static void take_number(const struct property *p, struct tdm_contact *c)
{
    char digits[64] = "";
    struct line line = {.size = 0};
    struct property number = {.params = p->params};

    for (const char *at = p->value.at; at < p->value.end; at++)
        if ((isdigit((unsigned char)*at) || (*at == '+' && !digits[0])) &&
            strlen(digits) + 1 < sizeof digits)
            (void)snprintf(digits + strlen(digits), 2, "%c", *at);
    if (strlen(digits) < 2)
        return;
    add_part(&line, tdm_text_of_string(digits));
    number.value = tdm_text_of(line.text, line.size);
    take_address(&number, c, "tel:");
}

static void take_reach(const struct property *p, struct tdm_contact *c)
{
    struct tdm_text value = tdm_text_trim(p->value);

    if (begins(value, "sip:") || begins(value, "sips:"))
        take_address(p, c, "");
    else if (tdm_text_equals(p->name, "TEL") || begins(value, "tel:"))
        take_number(p, c);
    else if (tdm_text_equals(p->name, "X-SIP"))
        take_address(p, c, "sip:");
}

static void take_groups(const struct property *p, struct tdm_contact *c)
{
    struct tdm_text t = p->value;

    while (t.at < t.end && c->group_count < TDM_CONTACT_GROUPS) {
        take_text(p, &t, ',', c->groups[c->group_count], sizeof c->groups[0]);
        c->group_count += c->groups[c->group_count][0] != '\0';
    }
}

/* "Okafor;Paul;;;" */
static void take_name_parts(const struct property *p, struct tdm_contact *c)
{
    struct tdm_text t = p->value;
    char family[60], given[60];

    if (c->name[0])
        return;
    take_text(p, &t, ';', family, sizeof family);
    take_text(p, &t, ';', given, sizeof given);
    (void)snprintf(c->name, sizeof c->name, "%s%s%s", given, *given && *family ? " " : "", family);
}

static void take_ours(const struct property *p, struct tdm_contact *c)
{
    struct tdm_text t = p->value;
    char word[32];

    take_text(p, &t, 0, word, sizeof word);
    if (tdm_text_equals(p->name, "X-TANDEM-ANSWER"))
        (void)tdm_answer_of_name(word, &c->answer);
    else if (tdm_text_equals(p->name, "X-TANDEM-PRESENCE"))
        c->policy_set = tdm_policy_of_name(word, &c->policy);
    else if (tdm_text_equals(p->name, "X-TANDEM-WATCH"))
        c->unwatched = strcasecmp(word, "no") == 0;
}

static void take_property(const struct property *p, struct tdm_contact *c)
{
    struct tdm_text t = p->value;

    if (tdm_text_equals(p->name, "FN"))
        take_text(p, &t, 0, c->name, sizeof c->name);
    else if (tdm_text_equals(p->name, "N"))
        take_name_parts(p, c);
    else if (tdm_text_equals(p->name, "NICKNAME"))
        take_text(p, &t, ',', c->id, sizeof c->id);
    else if (tdm_text_equals(p->name, "NOTE"))
        take_text(p, &t, 0, c->note, sizeof c->note);
    else if (tdm_text_equals(p->name, "CATEGORIES"))
        take_groups(p, c);
    else if (tdm_text_equals(p->name, "IMPP") || tdm_text_equals(p->name, "TEL") ||
             tdm_text_equals(p->name, "X-SIP"))
        take_reach(p, c);
    else if (begins(p->name, "X-TANDEM-"))
        take_ours(p, c);
}

/* The word that one types, from a nickname or a name. */
static void make_id(struct tdm_contact *c)
{
    char word[sizeof c->id] = "";
    const char *from = c->id[0] ? c->id : c->name;
    size_t size = 0;

    for (; *from && size + 1 < sizeof word; from++) {
        char c1 = (char)tolower((unsigned char)*from);
        bool good = (unsigned char)c1 > ' ' && c1 != 0x7f && !strchr("[]@:/\\\"'=,;#-", c1);

        if (good)
            word[size++] = c1;
        else if (size && word[size - 1] != '-')
            word[size++] = '-';
    }
    if (*from)
        size = without_half(word, size);
    while (size && word[size - 1] == '-')
        size--;
    word[size] = '\0';
    memcpy(c->id, word, sizeof word);
}

bool tdm_vcard_next(struct tdm_vcard_walk *walk, struct tdm_contact *contact)
{
    struct line line;
    bool inside = false;

    while (next_line(walk, &line)) {
        struct property p;

        if (!split(&line, &p))
            continue;
        if (tdm_text_equals(p.name, "BEGIN")) {
            inside = tdm_text_equals(tdm_text_trim(p.value), "VCARD");
            memset(contact, 0, sizeof *contact);
        } else if (inside && tdm_text_equals(p.name, "END")) {
            make_id(contact);
            if (tdm_contact_id_is_valid(contact->id) && contact->address_count)
                return true;
            walk->skipped++;
            inside = false;
        } else if (inside) {
            take_property(&p, contact);
        }
    }
    return false;
}

/* --- Writing ---------------------------------------------------------------------------------- */

struct out {
    char *text;
    size_t capacity, size, column;
    bool ok;
};

static void put_byte(struct out *o, char c)
{
    if (!o->ok || o->size + 1 >= o->capacity) {
        o->ok = false;
        return;
    }
    o->text[o->size++] = c;
    o->column++;
}

static void put_raw(struct out *o, const char *text)
{
    for (; *text; text++) {
        /* Folded between characters. */
        if (o->column >= FOLD_AT - 3 && ((unsigned char)*text & 0xc0) != 0x80) {
            put_byte(o, '\r');
            put_byte(o, '\n');
            o->column = 0;
            put_byte(o, ' ');
        }
        put_byte(o, *text);
    }
}

static void put_end(struct out *o)
{
    put_byte(o, '\r');
    put_byte(o, '\n');
    o->column = 0;
}

static void put_escaped(struct out *o, const char *text)
{
    for (; *text; text++) {
        char one[3] = {'\\', *text, '\0'};

        put_raw(o, strchr("\\,;", *text) ? one : (char[]){*text, '\0'});
    }
}

static void put_property(struct out *o, const char *name, const char *value)
{
    if (!*value)
        return;
    put_raw(o, name);
    put_raw(o, ":");
    put_escaped(o, value);
    put_end(o);
}

static void put_address(struct out *o, const struct tdm_contact_address *address)
{
    bool tel = strncasecmp(address->uri, "tel:", 4) == 0;
    bool scheme = tel || strncasecmp(address->uri, "sip:", 4) == 0 ||
                  strncasecmp(address->uri, "sips:", 5) == 0;

    put_raw(o, tel ? "TEL;VALUE=uri" : "IMPP");
    if (address->account[0]) {
        put_raw(o, ";X-TANDEM-ACCOUNT=");
        put_raw(o, address->account);
    }
    put_raw(o, scheme ? ":" : ":sip:");
    put_escaped(o, address->uri);
    put_end(o);
}

static void put_groups(struct out *o, const struct tdm_contact *c)
{
    if (!c->group_count)
        return;
    put_raw(o, "CATEGORIES:");
    for (uint32_t i = 0; i < c->group_count; i++) {
        put_raw(o, i ? "," : "");
        put_escaped(o, c->groups[i]);
    }
    put_end(o);
}

enum tdm_err tdm_vcard_write(const struct tdm_contact *c, char *text, size_t capacity, size_t *size)
{
    struct out o = {.text = text, .capacity = capacity, .ok = capacity > 0};

    put_raw(&o, "BEGIN:VCARD");
    put_end(&o);
    put_property(&o, "VERSION", "4.0");
    put_property(&o, "FN", c->name[0] ? c->name : c->id);
    put_property(&o, "NICKNAME", c->id);
    for (uint32_t i = 0; i < c->address_count; i++)
        put_address(&o, &c->addresses[i]);
    put_groups(&o, c);
    put_property(&o, "NOTE", c->note);
    if (c->answer != TDM_ANSWER_ASK)
        put_property(&o, "X-TANDEM-ANSWER", tdm_answer_name(c->answer));
    if (c->policy_set)
        put_property(&o, "X-TANDEM-PRESENCE", tdm_policy_name(c->policy));
    if (c->unwatched)
        put_property(&o, "X-TANDEM-WATCH", "no");
    put_raw(&o, "END:VCARD");
    put_end(&o);
    if (!o.ok)
        return TDM_E_SPACE;
    text[o.size] = '\0';
    *size = o.size;
    return TDM_OK;
}
