/* SPDX-License-Identifier: MIT */
#include "collab/file_name.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LENGTH_MAX    (TDM_FILE_NAME_MAX - 1)
#define EXTENSION_MAX 16 /* Of a name that is cut, kept up to this many bytes with the dot. */

struct range {
    uint32_t first, last;
};

/* Nobody sees them, or they change how their neighbours are shown. */
static const struct range unseen[] = {
    {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c}, {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
};

/* Shown as a space. */
static const struct range spaces[] = {
    {0x20, 0x20},     {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000},
};

/* Controls, separators and what looks like them, what shells of other systems take for themselves,
 * and no characters at all. */
static const struct range unsafe[] = {
    {0x00, 0x1f},     {'"', '"'},       {'*', '*'},       {'/', '/'},       {':', ':'},
    {'<', '<'},       {'>', '?'},       {'\\', '\\'},     {'|', '|'},       {0x7f, 0x9f},
    {0x2028, 0x2029}, {0x2044, 0x2044}, {0x2215, 0x2216}, {0x29f5, 0x29f9}, {0xd800, 0xdfff},
    {0xfdd0, 0xfdef}, {0xfe68, 0xfe68}, {0xff0f, 0xff0f}, {0xff3c, 0xff3c}, {0xfffc, 0xffff},
};

/* Windows gives them to devices, whatever follows the first dot. */
static const char *const reserved[] = {
    "con",  "prn",  "aux",  "nul",  "conin$", "conout$", "com0", "com1", "com2", "com3", "com4",
    "com5", "com6", "com7", "com8", "com9",   "lpt0",    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5",
    "lpt6", "lpt7", "lpt8", "lpt9", "com¹",   "com²",    "com³", "lpt¹", "lpt²", "lpt³",
};

static const char *const programs[] = {
    "app",    "appimage", "bat", "cmd", "com", "command", "cpl", "deb",  "desktop", "dll", "exe",
    "gadget", "hta",      "inf", "jar", "js",  "jse",     "lnk", "msi",  "msp",     "pif", "pl",
    "ps1",    "py",       "rb",  "reg", "rpm", "run",     "scf", "scr",  "sh",      "so",  "vb",
    "vbe",    "vbs",      "ws",  "wsf", "wsh", "xpi",     "url", "jnlp", "apk",     "dmg",
};

static bool in(const struct range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

#define IN(ranges, c) in(ranges, sizeof(ranges) / sizeof *(ranges), c)

/* One character of UTF-8 (RFC 3629): its length, or 0 when the first byte begins none. */
static size_t decode(const uint8_t *at, size_t left, uint32_t *c)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80             ? 1
                    : (at[0] & 0xe0) == 0xc0 ? 2
                    : (at[0] & 0xf0) == 0xe0 ? 3
                    : (at[0] & 0xf8) == 0xf0 ? 4
                                             : 0;

    if (length == 0 || length > left)
        return 0;
    *c = length == 1 ? at[0] : at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (at[i] & 0x3f);
    }
    return *c < smallest[length] || *c > 0x10ffff ? 0 : length;
}

/* Where to cut so that `most` bytes remain at most and no character is cut in two. */
static size_t cut_at(const char *text, size_t size, size_t most)
{
    if (size <= most)
        return size;
    while (most && ((uint8_t)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* Characters one by one; the result may be longer than a name, but not than `room`. */
static size_t clean_characters(char *out, size_t room, const char *raw, size_t size)
{
    size_t at = 0, length = 0;

    while (at < size && length + 5 < room) {
        uint32_t c = 0;
        size_t step = decode((const uint8_t *)raw + at, size - at, &c);

        if (step && IN(unseen, c)) {
            at += step;
            continue;
        }
        if (!step || IN(unsafe, c) || (c & 0xfffe) == 0xfffe) {
            out[length++] = '_';
        } else if (IN(spaces, c)) {
            if (length && out[length - 1] != ' ')
                out[length++] = ' ';
        } else {
            memcpy(out + length, raw + at, step);
            length += step;
        }
        at += step ? step : 1;
    }
    return length;
}

static bool is_reserved(const char *name)
{
    size_t stem = strcspn(name, ".");

    while (stem && name[stem - 1] == ' ')
        stem--;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strlen(reserved[i]) == stem && strncasecmp(name, reserved[i], stem) == 0)
            return true;
    return false;
}

bool tdm_file_name_clean(char out[TDM_FILE_NAME_MAX], const char *raw, size_t size)
{
    char text[4 * TDM_FILE_NAME_MAX];
    size_t length = clean_characters(text + 1, sizeof text - 2, raw, size);
    char *name = text + 1;

    while (length && (name[length - 1] == '.' || name[length - 1] == ' '))
        length--;
    name[length] = 0;
    if (name[0] == '.' || name[0] == '-' || name[0] == '~')
        name[0] = '_';
    if (is_reserved(name)) {
        *--name = '_';
        length++;
    }
    if (length > LENGTH_MAX) {
        const char *extension = tdm_file_name_extension(name);
        size_t tail = *extension ? (size_t)(name + length - extension) + 1 : 0;

        if (tail > EXTENSION_MAX)
            tail = 0;
        size_t stem = cut_at(name, length, LENGTH_MAX - tail);

        memmove(name + stem, name + length - tail, tail);
        length = stem + tail;
        while (length && (name[length - 1] == '.' || name[length - 1] == ' '))
            length--;
    }
    if (length == 0) {
        memcpy(name, "file", 4);
        length = 4;
    }
    memcpy(out, name, length);
    out[length] = 0;
    return length != size || memcmp(out, raw, size) != 0;
}

enum tdm_err tdm_file_name_clean_path(char out[TDM_FILE_PATH_MAX], const char *raw, size_t size)
{
    size_t at = 0, length = 0, depth = 0;

    while (at < size) {
        const char *slash = memchr(raw + at, '/', size - at);
        size_t part = slash ? (size_t)(slash - raw) - at : size - at;
        char name[TDM_FILE_NAME_MAX];

        if (part && !(part == 1 && raw[at] == '.')) {
            tdm_file_name_clean(name, raw + at, part);
            size_t more = strlen(name);

            if (++depth > TDM_FILE_DEPTH_MAX || length + more + 2 > TDM_FILE_PATH_MAX)
                return TDM_E_MALFORMED;
            if (length)
                out[length++] = '/';
            memcpy(out + length, name, more);
            length += more;
        }
        at += part + 1;
    }
    out[length] = 0;
    return length ? TDM_OK : TDM_E_MALFORMED;
}

const char *tdm_file_name_extension(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name && dot[1] ? dot + 1 : name + strlen(name);
}

bool tdm_file_name_is_program(const char *name)
{
    const char *extension = tdm_file_name_extension(name);

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (strcasecmp(extension, programs[i]) == 0)
            return true;
    return false;
}

void tdm_file_name_numbered(char *out, size_t room, const char *name, unsigned number)
{
    const char *extension = tdm_file_name_extension(name);
    size_t stem = *extension ? (size_t)(extension - name) - 1 : strlen(name);

    (void)snprintf(out, room, "%.*s (%u)%s", (int)stem, name, number, name + stem);
}
