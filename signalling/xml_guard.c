/* SPDX-License-Identifier: MIT */
#include "signalling/xml_guard.h"

#include <string.h>

static void XMLCALL refuse_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                                   const XML_Char *public_name, int internal)
{
    struct tdm_xml_guard *guard = arg;

    (void)name;
    (void)system;
    (void)public_name;
    (void)internal;
    (void)XML_StopParser(guard->parser, XML_FALSE);
}

static void XMLCALL take_characters(void *arg, const XML_Char *text, int size)
{
    struct tdm_xml_guard *guard = arg;
    size_t room = sizeof guard->text - 1 - guard->text_size;
    size_t taken = (size_t)size < room ? (size_t)size : room;

    memcpy(guard->text + guard->text_size, text, taken);
    guard->text_size += taken;
}

bool tdm_xml_read(struct tdm_xml_guard *guard, const void *xml, size_t size,
                  XML_StartElementHandler begin, XML_EndElementHandler end)
{
    bool good;

    guard->depth = guard->elements = 0;
    guard->text_size = 0;
    guard->parser = XML_ParserCreateNS(NULL, TDM_XML_SEPARATOR);
    if (!guard->parser)
        return false;
    XML_SetUserData(guard->parser, guard);
    XML_SetElementHandler(guard->parser, begin, end);
    XML_SetCharacterDataHandler(guard->parser, take_characters);
    XML_SetStartDoctypeDeclHandler(guard->parser, refuse_doctype);
    good = size <= INT32_MAX && XML_Parse(guard->parser, xml, (int)size, XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(guard->parser);
    guard->parser = NULL;
    return good;
}

bool tdm_xml_enter(struct tdm_xml_guard *guard)
{
    guard->text_size = 0;
    guard->depth++;
    guard->elements++;
    if (guard->depth <= TDM_XML_DEPTH_MAX && guard->elements <= TDM_XML_ELEMENTS_MAX)
        return true;
    (void)XML_StopParser(guard->parser, XML_FALSE);
    return false;
}

void tdm_xml_leave(struct tdm_xml_guard *guard)
{
    guard->text_size = 0;
    guard->depth--;
}

const char *tdm_xml_text(struct tdm_xml_guard *guard)
{
    char *text = guard->text;
    size_t size = guard->text_size;

    while (size && (unsigned char)text[size - 1] <= ' ')
        size--;
    text[size] = '\0';
    while ((unsigned char)*text <= ' ' && *text)
        text++;
    return text;
}

const char *tdm_xml_attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

void tdm_xml_clip(const char *text, char *to, size_t capacity)
{
    size_t size = strlen(text);

    if (size >= capacity) {
        size = capacity - 1;
        while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    memcpy(to, text, size);
    to[size] = '\0';
}
