/* SPDX-License-Identifier: MIT */
#include "measure/report_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORM_VERSION 1

static json_t *refuse(json_t *report, struct tandem_cause *cause, const char *why)
{
    if (cause)
        (void)snprintf(cause->text, sizeof cause->text, "%s", why);
    json_decref(report);
    return NULL;
}

json_t *tdm_report_read(const char *text, struct tandem_cause *cause)
{
    json_error_t error;
    json_t *report = json_loads(text, 0, &error);
    char why[sizeof cause->text];

    if (!report) {
        (void)snprintf(why, sizeof why, "no report of the codec bench: line %d: %s", error.line,
                       error.text);
        return refuse(NULL, cause, why);
    }
    if (!json_is_integer(json_object_get(report, "tandem_bench")))
        return refuse(report, cause, "JSON, but no report of \"tandem bench codec\"");
    if (json_integer_value(json_object_get(report, "tandem_bench")) != FORM_VERSION)
        return refuse(report, cause,
                      "a report in a form that this version does not read: measure again");
    if (!json_is_array(json_object_get(report, "video")) ||
        !json_is_array(json_object_get(report, "audio")))
        return refuse(report, cause, "a report without its lists \"video\" and \"audio\"");
    return report;
}

const json_t *tdm_report_at(const json_t *object, const char *path)
{
    while (object && *path) {
        size_t size = strcspn(path, ".");
        char name[32];

        if (size >= sizeof name)
            return NULL;
        memcpy(name, path, size);
        name[size] = 0;
        object = json_object_get(object, name);
        path += size + (path[size] == '.');
    }
    return object;
}

double tdm_report_number(const json_t *object, const char *path)
{
    const json_t *value = tdm_report_at(object, path);

    if (json_is_boolean(value))
        return json_is_true(value) ? 1 : 0;
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *tdm_report_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(tdm_report_at(object, path));

    return text ? text : "";
}

void tdm_report_trim(char *text)
{
    size_t size = strlen(text), start = size;

    while (start && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start && (unsigned char)text[start - 1] >= 0xc0) {
        unsigned char first = (unsigned char)text[--start];
        size_t needs = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

        if (size - start < needs)
            text[start] = 0;
    }
}
