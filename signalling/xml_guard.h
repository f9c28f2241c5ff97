/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_XML_GUARD_H
#define TDM_SIGNALLING_XML_GUARD_H

/*
 * XML of strangers through expat, for the few documents that SIP carries: no doctype (so no
 * entities of theirs), no deep trees, no endless list of elements, and text up to a bound. Names
 * come as "namespace|local".
 */

#include <expat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_XML_SEPARATOR    '|'
#define TDM_XML_DEPTH_MAX    16
#define TDM_XML_ELEMENTS_MAX 1000
#define TDM_XML_TEXT_MAX     512 /* Of an element; more is cut off. */

struct tdm_xml_guard {
    XML_Parser parser;
    uint32_t depth, elements;
    char text[TDM_XML_TEXT_MAX];
    size_t text_size;
};

/** Reads the whole document; the handlers call what follows. They get `guard`, which may be the
 *  first member of a struct of theirs. False: the document is broken, or too much. */
bool tdm_xml_read(struct tdm_xml_guard *guard, const void *xml, size_t size,
                  XML_StartElementHandler begin, XML_EndElementHandler end);

/** First in the handlers; false: leave it, reading stops. */
bool tdm_xml_enter(struct tdm_xml_guard *guard);
void tdm_xml_leave(struct tdm_xml_guard *guard);
/** The text of the element that ends, without spaces around it. */
const char *tdm_xml_text(struct tdm_xml_guard *guard);
/** NULL: there is none. */
const char *tdm_xml_attribute(const char **attributes, const char *name);
/** Copies as much as fits, whole characters of UTF-8. */
void tdm_xml_clip(const char *text, char *to, size_t capacity);

#endif
