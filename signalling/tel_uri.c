/* SPDX-License-Identifier: MIT */
#include "signalling/tel_uri.h"
#include "signalling/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool has_scheme(struct tdm_text *t)
{
    bool has = tdm_text_size(*t) >= 4 && tdm_text_equals(tdm_text_of(t->at, 4), "tel:");

    if (has)
        t->at += 4;
    return has;
}

/* Appends without visual separators. False for what is in no number, and when it is too long. */
static bool take_number(struct tdm_text t, char number[TDM_TEL_MAX], size_t *used, bool spaces)
{
    for (const char *at = t.at; at < t.end; at++) {
        bool first = *used == 0 && *at == '+';

        if (strchr("-.()", *at) || (spaces && *at == ' '))
            continue;
        if (!first && !is_digit(*at) && !strchr("*#", *at))
            return false;
        if (*used + 1 >= TDM_TEL_MAX)
            return false;
        number[(*used)++] = *at;
    }
    number[*used] = '\0';
    return true;
}

bool tdm_tel_is(const char *text)
{
    struct tdm_text t = tdm_text_trim(tdm_text_of_string(text));
    unsigned digits = 0;

    if (has_scheme(&t))
        return true;
    for (const char *at = t.at; at < t.end; at++) {
        digits += is_digit(*at);
        if (!is_digit(*at) && !strchr("+-()*# ", *at))
            return false;
    }
    return digits >= 2;
}

/* ";phone-context=+49" of a local number. */
static struct tdm_text context_of(struct tdm_text parameters)
{
    while (parameters.at < parameters.end) {
        struct tdm_text value = tdm_text_until(&parameters, ';');
        struct tdm_text name = tdm_text_until(&value, '=');

        if (tdm_text_equals(name, "phone-context"))
            return value;
    }
    return tdm_text_of("", 0);
}

enum tdm_err tdm_tel_parse(const char *text, char number[TDM_TEL_MAX], struct tdm_cause *cause)
{
    struct tdm_text t = tdm_text_trim(tdm_text_of_string(text));
    bool uri = has_scheme(&t);
    struct tdm_text digits = tdm_text_until(&t, ';');
    struct tdm_text context = context_of(t);
    size_t used = 0;
    bool good = true;

    number[0] = '\0';
    if (digits.at < digits.end && *digits.at != '+' && context.at < context.end &&
        *context.at == '+')
        good = take_number(context, number, &used, false);
    good = good && take_number(digits, number, &used, !uri);
    if (!good || used == 0 || (used == 1 && number[0] == '+')) {
        number[0] = '\0';
        return tdm_fail(cause, TDM_E_MALFORMED,
                        "\"%.60s\" is no telephone number: write +49301234, or tel:+49-30-1234",
                        text);
    }
    return TDM_OK;
}
