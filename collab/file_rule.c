/* SPDX-License-Identifier: MIT */
#include "collab/file_rule.h"

#include <string.h>
#include <strings.h>

struct piece {
    const char *text;
    size_t length;
};

static bool begins(struct piece p, const char *word)
{
    return p.length > strlen(word) && strncasecmp(p.text, word, strlen(word)) == 0;
}

static struct piece behind(struct piece p, const char *word)
{
    return (struct piece){p.text + strlen(word), p.length - strlen(word)};
}

static bool same(struct piece p, const char *text, size_t length)
{
    return p.length == length && strncasecmp(p.text, text, length) == 0;
}

enum tdm_err tdm_file_size_parse(const char *text, size_t length, uint64_t *bytes)
{
    static const char units[] = "kmgt";
    double value = 0, place = 1;
    size_t at = 0;
    bool digits = false, dot = false;

    for (; at < length && ((text[at] >= '0' && text[at] <= '9') || (text[at] == '.' && !dot));
         at++) {
        if (text[at] == '.') {
            dot = true;
            continue;
        }
        digits = true;
        place *= dot ? 0.1 : 1;
        value = dot ? value + place * (text[at] - '0') : value * 10 + (text[at] - '0');
    }
    if (at + 1 == length) {
        const char *unit = memchr(units, text[at] | 0x20, sizeof units - 1);

        if (!unit)
            return TDM_E_MALFORMED;
        for (const char *u = units; u <= unit; u++)
            value *= 1024;
        at++;
    }
    if (!digits || at != length || value > (double)TDM_FILE_SIZE_MAX)
        return TDM_E_MALFORMED;
    *bytes = (uint64_t)value;
    return TDM_OK;
}

/* user, host or user@host of a SIP address without its scheme, port and parameters. */
static bool is_from(struct piece want, const char *address)
{
    const char *colon = strchr(address, ':');

    if (strncasecmp(address, "sip:", 4) == 0 || strncasecmp(address, "sips:", 5) == 0)
        address = colon + 1;
    const char *at = strchr(address, '@');
    const char *host = at ? at + 1 : address;
    size_t host_size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":;?>");

    if (memchr(want.text, '@', want.length))
        return same(want, address, (size_t)(host - address) + host_size);
    return same(want, host, host_size) || (at && same(want, address, (size_t)(at - address)));
}

static bool is_type(struct piece want, const struct tdm_file_desc *desc)
{
    if (want.text[0] == '.') {
        const char *extension = tdm_file_name_extension(desc->name);

        return same(behind(want, "."), extension, strlen(extension));
    }
    if (want.length > 1 && want.text[want.length - 1] == '*')
        return strncasecmp(want.text, desc->type, want.length - 1) == 0;
    return same(want, desc->type, strlen(desc->type));
}

/* Whether a condition is one that we know, and whether it holds (offer NULL: only the first). */
static bool holds(struct piece p, const struct tdm_file_offerer *offer, bool *known)
{
    uint64_t most;

    *known = true;
    if (same(p, "all", 3))
        return true;
    if (begins(p, "from:"))
        return offer && is_from(behind(p, "from:"), offer->address);
    if (begins(p, "max:") && tdm_file_size_parse(p.text + 4, p.length - 4, &most) == TDM_OK)
        return offer && offer->desc->size <= most;
    if (begins(p, "type:"))
        return offer && is_type(behind(p, "type:"), offer->desc);
    *known = false;
    return false;
}

static struct piece next_piece(const char **rule)
{
    struct piece p = {*rule, strcspn(*rule, ",")};

    *rule += p.length + ((*rule)[p.length] == ',');
    while (p.length && *p.text == ' ') {
        p.text++;
        p.length--;
    }
    return p;
}

enum tdm_err tdm_file_rule_check(const char *rule, struct tdm_cause *cause)
{
    const char *at = rule;

    do {
        struct piece p = next_piece(&at);
        bool known;

        (void)holds(p, NULL, &known);
        if (!known)
            return tdm_fail(cause, TDM_E_MALFORMED,
                            "no rule \"%.*s\": write all, from:ADDRESS, max:100M or type:image/*, "
                            "with commas between what must all hold",
                            (int)p.length, p.text);
    } while (*at);
    return TDM_OK;
}

bool tdm_file_rule_takes(const char *rule, const struct tdm_file_offerer *offer)
{
    const char *at = rule;

    do {
        bool known;

        if (!holds(next_piece(&at), offer, &known))
            return false;
    } while (*at);
    return true;
}
