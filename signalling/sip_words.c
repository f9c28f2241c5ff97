/* SPDX-License-Identifier: MIT */
#include "signalling/sip_words.h"

#include <stddef.h>

struct status {
    uint16_t code;
    const char *phrase, *words;
};

static const struct status statuses[] = {
    {400, "Bad Request", "the other side could not read the request"},
    {401, "Unauthorized",
     "the other side asks for a password: call it over an account that it knows"},
    {403, "Forbidden", "the other side does not allow the call"},
    {404, "Not Found", "there is nobody of that name at that address"},
    {405, "Method Not Allowed", "the other side does not do that"},
    {407, "Proxy Authentication Required",
     "the server asks for a password: call over an account of it, with the right password"},
    {406, "Not Acceptable", "the other side understands no answer of ours"},
    {408, "Request Timeout", "nobody answered in time"},
    {410, "Gone", "there is nobody of that name at that address any more"},
    {415, "Unsupported Media Type", "the other side does not understand the session description"},
    {416, "Unsupported URI Scheme", "the other side does not know that kind of address"},
    {420, "Bad Extension", "the other side lacks an extension that was asked for"},
    {480, "Temporarily Unavailable", "nobody answered"},
    {481, "Call Does Not Exist", "the other side does not know the call any more"},
    {484, "Address Incomplete", "the address is not complete"},
    {486, "Busy Here", "the other side is busy"},
    {487, "Request Terminated", "the call was cancelled"},
    {488, "Not Acceptable Here", "no common codec: the other side takes none of those offered"},
    {491, "Request Pending", "both sides changed the call at the same time"},
    {500, "Server Internal Error", "the other side had an internal error"},
    {501, "Not Implemented", "the other side does not do that"},
    {503, "Service Unavailable", "the other side takes no calls now"},
    {505, "Version Not Supported", "the other side speaks another version of SIP"},
    {513, "Message Too Large", "the other side finds the message too large"},
    {600, "Busy Everywhere", "the other side is busy everywhere"},
    {603, "Decline", "the other side declined"},
    {604, "Does Not Exist Anywhere", "there is nobody of that name anywhere"},
    {606, "Not Acceptable", "no common codec: the other side takes none of those offered"},
};

static const struct status *find(uint16_t code)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].code == code)
            return &statuses[i];
    return NULL;
}

const char *tdm_sip_words(uint16_t code)
{
    const struct status *status = find(code);

    if (status)
        return status->words;
    return code < 400 ? "the other side has moved elsewhere" : "the other side refused";
}

const char *tdm_sip_phrase(uint16_t code)
{
    const struct status *status = find(code);

    return status ? status->phrase : "Refused";
}
