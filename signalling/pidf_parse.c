/* SPDX-License-Identifier: MIT */
/* Presence documents of others, through expat. */
#include "signalling/pidf.h"

#include "signalling/rfc3339.h"
#include "signalling/text.h"
#include "signalling/xml_guard.h"

#include <string.h>

#define NS_PIDF  "urn:ietf:params:xml:ns:pidf"
#define NS_MODEL "urn:ietf:params:xml:ns:pidf:data-model"
#define NS_RPID  "urn:ietf:params:xml:ns:pidf:rpid"
#define NS_TIMED "urn:ietf:params:xml:ns:pidf:timed-status"

#define PERSONS_MAX TDM_PIDF_TUPLES_MAX

/* What stands in a <dm:person>, or in a tuple of programs that put it there. */
struct person {
    char id[44];
    bool said, idle;
    enum tdm_activity activity;
    int64_t since_s, until_s, idle_since_s;
    char note[TDM_PIDF_NOTE_MAX];
};

struct reader {
    struct tdm_xml_guard guard; /* First: expat's handlers get it. */
    struct tdm_pidf *pidf;
    struct tdm_presence_tuple *tuple; /* NULL: not in one, or one too many. */
    struct person *person;
    struct tdm_timed_status *timed;
    bool root, in_tuple, activities;
    struct person own[TDM_PIDF_TUPLES_MAX]; /* Of a tuple itself. */
    struct person persons[PERSONS_MAX];
    uint32_t person_count;
};

/* An element's name, when it is of this namespace; else "". */
static const char *of(const char *name, const char *space)
{
    size_t size = strlen(space);

    return strncmp(name, space, size) == 0 && name[size] == TDM_XML_SEPARATOR ? name + size + 1
                                                                              : "";
}

static bool is(const char *name, const char *space, const char *local)
{
    return strcmp(of(name, space), local) == 0;
}

static int64_t time_of(const char **attributes, const char *name)
{
    const char *text = tdm_xml_attribute(attributes, name);
    int64_t at = 0;

    return text && tdm_rfc3339_parse(text, strlen(text), &at) ? at : 0;
}

static void copy(char *to, size_t capacity, const char *from)
{
    (void)tdm_text_copy(tdm_text_of_string(from ? from : ""), to, capacity);
}

static void begin_tuple(struct reader *r, const char **attributes)
{
    struct tdm_pidf *pidf = r->pidf;

    r->in_tuple = true;
    if (pidf->tuple_count == TDM_PIDF_TUPLES_MAX)
        return;
    r->tuple = &pidf->tuples[pidf->tuple_count];
    r->person = &r->own[pidf->tuple_count++];
    copy(r->tuple->id, sizeof r->tuple->id, tdm_xml_attribute(attributes, "id"));
}

static void begin_person(struct reader *r, const char **attributes)
{
    if (r->in_tuple || r->person_count == PERSONS_MAX)
        return;
    r->person = &r->persons[r->person_count++];
    r->person->said = true;
    copy(r->person->id, sizeof r->person->id, tdm_xml_attribute(attributes, "id"));
}

static void begin_timed(struct reader *r, const char **attributes)
{
    if (!r->tuple || r->tuple->timed_count == TDM_PIDF_TIMED_MAX)
        return;
    r->timed = &r->tuple->timed[r->tuple->timed_count];
    r->timed->from_s = time_of(attributes, "from");
    r->timed->until_s = time_of(attributes, "until");
}

/* "0.8" as thousandths. */
static uint16_t priority_of(const char *text)
{
    struct tdm_text t = tdm_text_of_string(text ? text : "");
    uint64_t whole = 0;
    uint32_t part = 0;

    if (!tdm_text_number(&t, 1, &whole))
        return 0;
    if (t.at < t.end && *t.at == '.')
        for (uint32_t unit = 100; ++t.at < t.end && *t.at >= '0' && *t.at <= '9'; unit /= 10)
            part += unit * (uint32_t)(*t.at - '0');
    return whole ? 1000 : (uint16_t)part;
}

/* One that says two things means the first. */
static void take_activity(struct reader *r, const char *name)
{
    struct person *p = r->person;

    if (!*name || !p || p->activity != TDM_ACTIVITY_NONE)
        return;
    p->said = true;
    if (!tdm_activity_of_name(name, strlen(name), &p->activity))
        p->activity = strcmp(name, "unknown") == 0 ? TDM_ACTIVITY_NONE : TDM_ACTIVITY_OTHER;
}

static void begin_rpid(struct reader *r, const char *name, const char **attributes)
{
    if (!r->person)
        return;
    if (r->activities) {
        take_activity(r, name);
    } else if (strcmp(name, "activities") == 0) {
        r->activities = true;
        r->person->said = true;
        r->person->since_s = time_of(attributes, "from");
        r->person->until_s = time_of(attributes, "until");
    } else if (strcmp(name, "user-input") == 0) {
        r->person->idle_since_s = time_of(attributes, "last-input");
    }
}

static void XMLCALL begin(void *arg, const char *name, const char **attributes)
{
    struct reader *r = arg;

    if (!tdm_xml_enter(&r->guard))
        return;
    if (r->guard.depth == 1) {
        r->root = is(name, NS_PIDF, "presence");
        copy(r->pidf->entity, sizeof r->pidf->entity, tdm_xml_attribute(attributes, "entity"));
    } else if (is(name, NS_PIDF, "tuple") && r->guard.depth == 2) {
        begin_tuple(r, attributes);
    } else if (is(name, NS_MODEL, "person") && r->guard.depth == 2) {
        begin_person(r, attributes);
    } else if (is(name, NS_TIMED, "timed-status")) {
        begin_timed(r, attributes);
    } else if (is(name, NS_PIDF, "contact") && r->tuple) {
        r->tuple->priority = priority_of(tdm_xml_attribute(attributes, "priority"));
    } else {
        begin_rpid(r, of(name, NS_RPID), attributes);
    }
}

static void take_note(struct reader *r, const char *text)
{
    char *note = r->tuple ? r->tuple->note : r->person ? r->person->note : r->pidf->note;

    if (r->in_tuple && !r->tuple)
        return;
    if (!note[0]) /* Others are the same in further languages. */
        tdm_xml_clip(text, note, TDM_PIDF_NOTE_MAX);
}

static void take_basic(struct reader *r, const char *text)
{
    if (r->timed)
        r->timed->open = strcmp(text, "open") == 0;
    else if (r->tuple)
        r->tuple->open = strcmp(text, "open") == 0;
}

static void take_text(struct reader *r, const char *name, const char *text)
{
    const char *pidf = of(name, NS_PIDF);

    if (strcmp(pidf, "basic") == 0 || is(name, NS_TIMED, "basic"))
        take_basic(r, text);
    else if (strcmp(pidf, "note") == 0 || is(name, NS_MODEL, "note"))
        take_note(r, text);
    else if (strcmp(pidf, "contact") == 0 && r->tuple)
        copy(r->tuple->contact, sizeof r->tuple->contact, text);
    else if (strcmp(pidf, "timestamp") == 0 && r->tuple)
        (void)tdm_rfc3339_parse(text, strlen(text), &r->tuple->timestamp_s);
    else if (is(name, NS_RPID, "user-input") && r->person) {
        r->person->said = true;
        r->person->idle = strcmp(text, "idle") == 0;
    }
}

static void XMLCALL end(void *arg, const char *name)
{
    struct reader *r = arg;

    take_text(r, name, tdm_xml_text(&r->guard));
    if (is(name, NS_RPID, "activities")) {
        r->activities = false;
    } else if (is(name, NS_TIMED, "timed-status")) {
        if (r->timed && r->timed->from_s)
            r->tuple->timed_count++;
        r->timed = NULL;
    } else if (r->guard.depth == 2) {
        r->tuple = NULL;
        r->person = NULL;
        r->in_tuple = r->activities = false;
    }
    tdm_xml_leave(&r->guard);
}

static void give(struct tdm_presence_tuple *t, const struct person *p)
{
    t->activity = p->activity;
    t->since_s = p->since_s;
    t->until_s = p->until_s;
    t->idle = p->idle;
    t->idle_since_s = p->idle_since_s;
    if (!t->note[0])
        memcpy(t->note, p->note, sizeof t->note);
}

/* Whose word holds for a tuple: its own, that of its person, that of a person of no tuple. */
static void settle(struct reader *r, uint32_t index)
{
    struct tdm_presence_tuple *t = &r->pidf->tuples[index];
    const struct person *found = r->own[index].said ? &r->own[index] : NULL;

    for (uint32_t i = 0; i < r->person_count && !found; i++)
        if (strncmp(r->persons[i].id, "p-", 2) == 0 && strcmp(r->persons[i].id + 2, t->id) == 0)
            found = &r->persons[i];
    for (uint32_t i = 0; i < r->person_count && !found; i++)
        if (strncmp(r->persons[i].id, "p-", 2) != 0)
            found = &r->persons[i];
    if (found)
        give(t, found);
}

enum tdm_err tdm_pidf_parse(struct tdm_pidf *pidf, const void *xml, size_t size)
{
    struct reader r = {.pidf = pidf};

    memset(pidf, 0, sizeof *pidf);
    if (size > TDM_PIDF_MAX || !tdm_xml_read(&r.guard, xml, size, begin, end) || !r.root)
        return TDM_E_MALFORMED;
    for (uint32_t i = 0; i < pidf->tuple_count; i++)
        settle(&r, i);
    return TDM_OK;
}
