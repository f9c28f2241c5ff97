/* SPDX-License-Identifier: MIT */
#include "board/number.h"

#include <math.h>

#define EXPONENT_MAX 300
#define HUGE_NUMBER  1e300

static bool digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* An exponent that is one: "2em" has none. */
static int take_exponent(const char **at, const char *end)
{
    const char *p = *at;
    int value = 0;
    bool negative;

    if (p == end || (*p != 'e' && *p != 'E'))
        return 0;
    p++;
    negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (!digit(p, end))
        return 0;
    for (; digit(p, end); p++)
        if (value < 2 * EXPONENT_MAX)
            value = 10 * value + (*p - '0');
    *at = p;
    return negative ? -value : value;
}

bool tdm_number_take(const char **at, const char *end, double *value)
{
    const char *p = *at;
    bool negative = p < end && *p == '-', any;
    double number = 0;
    int shift = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    any = digit(p, end);
    for (; digit(p, end); p++)
        number = number < HUGE_NUMBER ? 10 * number + (*p - '0') : number;
    if (p < end && *p == '.') {
        any |= digit(p + 1, end);
        for (p++; digit(p, end); p++)
            if (shift > -EXPONENT_MAX) {
                number = 10 * number + (*p - '0');
                shift--;
            }
    }
    if (!any)
        return false;
    shift += take_exponent(&p, end);
    number *= pow(10, shift);
    if (!(number < HUGE_NUMBER))
        number = HUGE_NUMBER;
    *value = negative ? -number : number;
    *at = p;
    return true;
}

void tdm_number_gap(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == ',' || (**at >= '\t' && **at <= '\r')))
        (*at)++;
}
