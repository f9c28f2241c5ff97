/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_TEXT_H
#define TDM_SIGNALLING_TEXT_H

/*
 * A bounded cursor over text that is not terminated: words, numbers, prefixes. Past the end every
 * step gives an empty result.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tdm_text {
    const char *at;
    const char *end;
};

static inline struct tdm_text tdm_text_of(const char *at, size_t size)
{
    return (struct tdm_text){.at = at, .end = size ? at + size : at};
}

static inline struct tdm_text tdm_text_of_string(const char *string)
{
    return tdm_text_of(string, strlen(string));
}

static inline size_t tdm_text_size(struct tdm_text t)
{
    return (size_t)(t.end - t.at);
}

static inline bool tdm_text_is_space(char c)
{
    return c == ' ' || c == '\t';
}

static inline char tdm_text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/** Without spaces at both ends. */
static inline struct tdm_text tdm_text_trim(struct tdm_text t)
{
    while (t.at < t.end && tdm_text_is_space(*t.at))
        t.at++;
    while (t.at < t.end && tdm_text_is_space(t.end[-1]))
        t.end--;
    return t;
}

/** Takes everything up to `stop` (which is stepped over) or the end. */
static inline struct tdm_text tdm_text_until(struct tdm_text *t, char stop)
{
    struct tdm_text part = {.at = t->at, .end = t->at};

    while (part.end < t->end && *part.end != stop)
        part.end++;
    t->at = part.end < t->end ? part.end + 1 : part.end;
    return part;
}

/** Takes the next word; spaces around it are stepped over. */
static inline struct tdm_text tdm_text_word(struct tdm_text *t)
{
    while (t->at < t->end && tdm_text_is_space(*t->at))
        t->at++;

    struct tdm_text word = {.at = t->at, .end = t->at};

    while (word.end < t->end && !tdm_text_is_space(*word.end))
        word.end++;
    t->at = word.end;
    while (t->at < t->end && tdm_text_is_space(*t->at))
        t->at++;
    return word;
}

/** Takes leading digits. False, with nothing taken, when there is none or the value is over max. */
static inline bool tdm_text_number(struct tdm_text *t, uint64_t max, uint64_t *value)
{
    const char *at = t->at;
    uint64_t sum = 0;

    while (at < t->end && *at >= '0' && *at <= '9') {
        uint64_t digit = (uint64_t)(*at - '0');

        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
        at++;
    }
    if (at == t->at || sum > max)
        return false;
    t->at = at;
    *value = sum;
    return true;
}

/** Case-insensitive, as names in SDP and MIME are. */
static inline bool tdm_text_equals(struct tdm_text t, const char *string)
{
    size_t size = strlen(string);

    if (tdm_text_size(t) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (tdm_text_lower(t.at[i]) != tdm_text_lower(string[i]))
            return false;
    return true;
}

/** Copies with a terminator; false when it does not fit, and then `to` is "". */
static inline bool tdm_text_copy(struct tdm_text t, char *to, size_t capacity)
{
    size_t size = tdm_text_size(t);

    if (size >= capacity) {
        to[0] = '\0';
        return false;
    }
    if (size)
        memcpy(to, t.at, size);
    to[size] = '\0';
    return true;
}

#endif
