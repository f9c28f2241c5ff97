/* SPDX-License-Identifier: MIT */
#include "bench/blackbox/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void refuse(const char *program, const struct tdm_option *options,
                             const char *argument)
{
    fprintf(stderr, "%s: cannot use \"%s\". Options:\n", program, argument);
    for (; options->name; options++)
        fprintf(stderr, "  %-10s %s\n", options->name, options->help);
    exit(2);
}

static bool read_value(const struct tdm_option *option, const char *value)
{
    char *end = NULL;

    if (option->text) {
        *option->text = value;
        return true;
    }
    if (option->number) {
        *option->number = strtod(value, &end);
        return end != value && *end == '\0';
    }
    option->pair[0] = (int)strtol(value, &end, 10);
    if (end == value || (*end != 'x' && *end != ','))
        return false;
    value = end + 1;
    option->pair[1] = (int)strtol(value, &end, 10);
    return end != value && *end == '\0';
}

void tdm_options_read(int argc, char **argv, const struct tdm_option *options)
{
    for (int i = 1; i < argc; i += 2) {
        const struct tdm_option *option = options;
        while (option->name && strcmp(option->name, argv[i]) != 0)
            option++;
        if (!option->name || i + 1 == argc || !read_value(option, argv[i + 1]))
            refuse(argv[0], options, argv[i]);
    }
}
