/* SPDX-License-Identifier: MIT */
#include "signalling/rfc3339.h"

#include "signalling/text.h"

#include <stdio.h>

#define DAY       INT64_C(86400)
#define LAST_YEAR INT64_C(253402300799) /* The end of 9999. */

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar, counted in years that begin
 * in March. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

void tdm_rfc3339_write(int64_t unix_s, char text[TDM_RFC3339_SIZE])
{
    int64_t s = unix_s < 0 ? 0 : unix_s > LAST_YEAR ? LAST_YEAR : unix_s;
    int64_t year, month, day, rest = s % DAY;

    date_of(s / DAY, &year, &month, &day);
    (void)snprintf(text, TDM_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month,
                   (int)day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}

/* A number of so many digits, and the mark behind it (0: none). */
static bool take(struct tdm_text *t, int digits, const char *marks, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, t->at++) {
        if (t->at == t->end || *t->at < '0' || *t->at > '9')
            return false;
        *value = *value * 10 + (*t->at - '0');
    }
    if (!*marks)
        return true;
    return t->at < t->end && strchr(marks, *t->at) && *t->at++;
}

/* "Z", "+01:00" */
static bool take_zone(struct tdm_text *t, int64_t *offset_s)
{
    int64_t hours, minutes, sign;

    *offset_s = 0;
    if (t->at < t->end && (*t->at == 'Z' || *t->at == 'z'))
        return ++t->at == t->end;
    if (t->at == t->end || (*t->at != '+' && *t->at != '-'))
        return false;
    sign = *t->at++ == '-' ? -1 : 1;
    if (!take(t, 2, ":", &hours) || !take(t, 2, "", &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return t->at == t->end;
}

bool tdm_rfc3339_parse(const char *text, size_t size, int64_t *unix_s)
{
    static const int64_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct tdm_text t = tdm_text_trim(tdm_text_of(text, size));
    int64_t year, month, day, hour, minute, second, zone;

    if (!take(&t, 4, "-", &year) || !take(&t, 2, "-", &month) || !take(&t, 2, "Tt ", &day) ||
        !take(&t, 2, ":", &hour) || !take(&t, 2, ":", &minute) || !take(&t, 2, "", &second))
        return false;
    if (t.at < t.end && *t.at == '.')
        for (t.at++; t.at < t.end && *t.at >= '0' && *t.at <= '9'; t.at++)
            ;
    if (!take_zone(&t, &zone) || year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] || hour > 23 || minute > 59 || second > 60)
        return false;
    *unix_s = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second - zone;
    return *unix_s >= 0 && *unix_s <= LAST_YEAR;
}

uint32_t tdm_minute_of_week(int64_t unix_s, int32_t offset_s)
{
    int64_t week = 7 * DAY;
    int64_t local = unix_s + offset_s + 3 * DAY; /* 1970-01-01 was a Thursday. */

    return (uint32_t)((local % week + week) % week / 60);
}
