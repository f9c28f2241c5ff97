/* SPDX-License-Identifier: MIT */
#include "render/board_scripts.h"

#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *letters;
} scripts[] = {
    {"Latin", "aßč"},    {"Greek", "λόγος"},      {"Cyrillic", "Жїў"},      {"Arabic", "كتاب"},
    {"Hebrew", "שלום"},  {"Devanagari", "हिन्दी"}, {"Bengali", "বাংলা"},     {"Tamil", "தமிழ்"},
    {"Thai", "ไทย"},     {"Chinese", "汉字漢"},   {"Japanese", "かなカナ"}, {"Korean", "한국어"},
    {"symbols", "€→≤✓"}, {"emoji", "😀🎉"},
};

void tdm_board_scripts_lacking(char *names, size_t capacity)
{
    PangoContext *context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    PangoLayout *layout = pango_layout_new(context);

    names[0] = '\0';
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        size_t used = strlen(names);

        pango_layout_set_text(layout, scripts[i].letters, -1);
        if (pango_layout_get_unknown_glyphs_count(layout) > 0)
            (void)snprintf(names + used, capacity - used, "%s%s", used ? ", " : "",
                           scripts[i].name);
    }
    g_object_unref(layout);
    g_object_unref(context);
}
