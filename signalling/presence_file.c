/* SPDX-License-Identifier: MIT */
#include "signalling/presence_file.h"

#include "signalling/contacts.h"
#include "signalling/rfc3339.h"
#include "signalling/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const keys[] = {"device", "state",    "note",   "since",
                                   "until",  "schedule", "watcher"};

enum key { DEVICE, STATE, NOTE, SINCE, UNTIL, SCHEDULE, WATCHER, UNKNOWN };

static struct tdm_text line_of(struct tdm_text *rest)
{
    struct tdm_text line = tdm_text_until(rest, '\n');

    if (line.at < line.end && line.end[-1] == '\r')
        line.end--;
    return line;
}

static enum key key_of(struct tdm_text line, struct tdm_text *value)
{
    struct tdm_text rest = tdm_text_trim(line), word;

    if (rest.at == rest.end || *rest.at == '#')
        return UNKNOWN;
    word = tdm_text_trim(tdm_text_until(&rest, '='));
    *value = tdm_text_trim(rest);
    for (int i = 0; i < UNKNOWN; i++)
        if (tdm_text_equals(word, keys[i]))
            return (enum key)i;
    return UNKNOWN;
}

static void take_state(struct tdm_presence_self *self, struct tdm_text value)
{
    self->set = self->set_open =
        tdm_activity_of_name(value.at, tdm_text_size(value), &self->set_activity);
    if (tdm_text_equals(value, "offline"))
        self->set = true;
}

/* "eve@example.org polite" */
static void take_decision(struct tdm_presence_file *file, struct tdm_text value)
{
    char who[sizeof file->decisions[0].who], word[16];
    enum tdm_watch_policy policy;

    if (tdm_text_copy(tdm_text_word(&value), who, sizeof who) &&
        tdm_text_copy(tdm_text_word(&value), word, sizeof word) &&
        tdm_policy_of_name(word, &policy))
        (void)tdm_presence_file_decide(file, who, policy);
}

static bool is_name(const char *id)
{
    for (; *id; id++)
        if (!((*id | 32) >= 'a' && (*id | 32) <= 'z') && !(*id >= '0' && *id <= '9'))
            return false;
    return true;
}

static void take_line(struct tdm_presence_file *file, enum key key, struct tdm_text value)
{
    struct tdm_presence_self *self = &file->self;
    size_t size = tdm_text_size(value);

    switch (key) {
    case DEVICE:
        (void)tdm_text_copy(value, self->device, sizeof self->device);
        if (!is_name(self->device))
            self->device[0] = '\0';
        break;
    case STATE:
        take_state(self, value);
        break;
    case NOTE:
        (void)tdm_text_copy(value, self->note, sizeof self->note);
        break;
    case SINCE:
        (void)tdm_rfc3339_parse(value.at, size, &self->set_since_s);
        break;
    case UNTIL:
        (void)tdm_rfc3339_parse(value.at, size, &self->set_until_s);
        break;
    case SCHEDULE:
        if (self->rule_count < TDM_SCHEDULE_MAX &&
            tdm_schedule_parse(value.at, size, &self->rules[self->rule_count], NULL) == TDM_OK)
            self->rule_count++;
        break;
    case WATCHER:
        take_decision(file, value);
        break;
    case UNKNOWN:
        break;
    }
}

void tdm_presence_file_read(struct tdm_presence_file *file, const char *text, size_t size)
{
    struct tdm_text rest = tdm_text_of(text, size);

    memset(file, 0, sizeof *file);
    while (rest.at < rest.end) {
        struct tdm_text value = {0}, line = line_of(&rest);
        enum key key = key_of(line, &value);

        take_line(file, key, value);
    }
}

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

static void TDM_PRINTF(2, 3) put(struct out *o, const char *format, ...)
{
    char line[512];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (int i = 0; i + 1 < size && i < (int)sizeof line - 1; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    put_bytes(o, line, strlen(line));
}

static void put_time(struct out *o, const char *key, int64_t unix_s)
{
    char when[TDM_RFC3339_SIZE];

    if (!unix_s)
        return;
    tdm_rfc3339_write(unix_s, when);
    put(o, "%s = %s\n", key, when);
}

static void put_self(struct out *o, const struct tdm_presence_self *self)
{
    put(o, "device = %s\n", self->device);
    if (self->set)
        put(o, "state = %s\n", self->set_open ? tdm_activity_name(self->set_activity) : "offline");
    if (self->note[0])
        put(o, "note = %s\n", self->note);
    if (self->set) {
        put_time(o, "since", self->set_since_s);
        put_time(o, "until", self->set_until_s);
    }
    for (uint32_t i = 0; i < self->rule_count; i++) {
        char rule[96];

        tdm_schedule_write(&self->rules[i], rule, sizeof rule);
        put(o, "schedule = %s\n", rule);
    }
}

enum tdm_err tdm_presence_file_write(const struct tdm_presence_file *file, const char *text,
                                     size_t size, char *out, size_t capacity, size_t *out_size)
{
    struct out o = {.text = out, .capacity = capacity, .ok = true};
    struct tdm_text rest = tdm_text_of(text, size);

    if (!size)
        put(&o, "# Tandem: own presence. Edit at will.\n");
    while (rest.at < rest.end) {
        const char *start = rest.at;
        struct tdm_text value, line = line_of(&rest);

        if (key_of(line, &value) != UNKNOWN)
            continue;
        put_bytes(&o, start, (size_t)(rest.at - start));
        if (rest.at[-1] != '\n')
            put(&o, "\n");
    }
    put_self(&o, &file->self);
    for (uint32_t i = 0; i < file->decision_count; i++)
        put(&o, "watcher = %s %s\n", file->decisions[i].who,
            tdm_policy_name(file->decisions[i].policy));
    *out_size = o.size;
    return o.ok ? TDM_OK : TDM_E_SPACE;
}

static const char *bare(const char *who, size_t *size)
{
    who += strncasecmp(who, "sips:", 5) == 0 ? 5 : strncasecmp(who, "sip:", 4) == 0 ? 4 : 0;
    *size = strcspn(who, ";? ");
    return who;
}

const struct tdm_decision *tdm_presence_file_find(const struct tdm_presence_file *file,
                                                  const char *who)
{
    size_t size;

    who = bare(who, &size);
    for (uint32_t i = 0; i < file->decision_count; i++)
        if (strlen(file->decisions[i].who) == size &&
            strncasecmp(file->decisions[i].who, who, size) == 0)
            return &file->decisions[i];
    return NULL;
}

enum tdm_err tdm_presence_file_decide(struct tdm_presence_file *file, const char *who,
                                      enum tdm_watch_policy policy)
{
    const struct tdm_decision *known = tdm_presence_file_find(file, who);
    uint32_t at = known ? (uint32_t)(known - file->decisions) : file->decision_count;
    size_t size;

    if (at == TDM_DECISIONS_MAX)
        return TDM_E_SPACE;
    if (policy == TDM_POLICY_ASK) {
        if (known)
            file->decisions[at] = file->decisions[--file->decision_count];
        return TDM_OK;
    }
    who = bare(who, &size);
    if (!size || !tdm_text_copy(tdm_text_of(who, size), file->decisions[at].who,
                                sizeof file->decisions[at].who))
        return TDM_E_MALFORMED;
    file->decisions[at].policy = policy;
    file->decision_count += !known;
    return TDM_OK;
}
