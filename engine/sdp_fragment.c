/* SPDX-License-Identifier: MIT */
#include "engine/sdp_fragment.h"

#include "engine/base/bytes.h"
#include "signalling/text.h"

#include <string.h>

static const char ufrag[] = "a=ice-ufrag:", pwd[] = "a=ice-pwd:", candidate[] = "a=candidate:",
                  last[] = "a=end-of-candidates", media[] = "m=", mid[] = "a=mid:";

/* The next line, without its end; false behind the last. */
static bool next_line(struct tdm_text *rest, struct tdm_text *line)
{
    if (!tdm_text_size(*rest))
        return false;
    *line = tdm_text_until(rest, '\n');
    if (tdm_text_size(*line) && line->end[-1] == '\r')
        line->end--;
    return true;
}

static bool begins(struct tdm_text line, const char *with)
{
    size_t size = strlen(with);

    return tdm_text_size(line) >= size && memcmp(line.at, with, size) == 0;
}

static void put(struct tdm_writer *w, struct tdm_text line)
{
    tdm_write_bytes(w, line.at, tdm_text_size(line));
    tdm_write_bytes(w, "\r\n", 2);
}

/* The first line of `text` that begins so; empty when there is none. */
static struct tdm_text find(const char *text, size_t size, const char *with)
{
    struct tdm_text rest = tdm_text_of(text, size), line;

    while (next_line(&rest, &line))
        if (begins(line, with))
            return line;
    return tdm_text_of(text, 0);
}

static void put_candidates(struct tdm_writer *w, const char *fragment, size_t size)
{
    struct tdm_text rest = tdm_text_of(fragment, size), line;

    while (next_line(&rest, &line))
        if (begins(line, candidate) || begins(line, last))
            put(w, line);
}

enum tdm_err tdm_sdp_fragment_apply(const char *offer, size_t offer_size, const char *fragment,
                                    size_t fragment_size, char *to, size_t capacity, size_t *size)
{
    struct tdm_writer w = tdm_writer_of((uint8_t *)to, capacity);
    struct tdm_text rest = tdm_text_of(offer, offer_size), line;
    struct tdm_text new_ufrag = find(fragment, fragment_size, ufrag);
    struct tdm_text new_pwd = find(fragment, fragment_size, pwd);
    bool in_media = false, told = false;

    if (!tdm_text_size(new_ufrag) || !tdm_text_size(new_pwd))
        return TDM_E_MALFORMED;
    while (next_line(&rest, &line)) {
        if (begins(line, candidate) || begins(line, last))
            continue;
        in_media |= begins(line, media);
        if (begins(line, ufrag))
            put(&w, new_ufrag);
        else if (begins(line, pwd))
            put(&w, new_pwd);
        else
            put(&w, line);
        if (in_media && !told && begins(line, mid)) {
            told = true;
            put_candidates(&w, fragment, fragment_size);
        }
    }
    *size = tdm_writer_size(&w);
    return w.ok ? TDM_OK : TDM_E_SPACE;
}

enum tdm_err tdm_sdp_fragment_of(const char *sdp, size_t sdp_size, char *to, size_t capacity,
                                 size_t *size)
{
    struct tdm_writer w = tdm_writer_of((uint8_t *)to, capacity);
    struct tdm_text rest = tdm_text_of(sdp, sdp_size), line;
    int lines = 0;

    put(&w, find(sdp, sdp_size, ufrag));
    put(&w, find(sdp, sdp_size, pwd));
    while (next_line(&rest, &line)) {
        lines += begins(line, media);
        if (lines == 1 && (begins(line, media) || begins(line, mid) || begins(line, candidate) ||
                           begins(line, last)))
            put(&w, line);
    }
    *size = tdm_writer_size(&w);
    return w.ok ? TDM_OK : TDM_E_SPACE;
}
