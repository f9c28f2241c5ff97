/* SPDX-License-Identifier: MIT */
/*
 * Bytes become the other side's stream, cut at places that the first byte chooses, while ours is
 * pulled, acknowledged and rewound. Checked: any cut gives the same messages, all is taken, text is
 * bounded and clean text is clean again, and what is pulled parses.
 */

#include "collab/chat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tdm_chat chats[2];

static uint64_t feed(struct tdm_chat *c, const uint8_t *data, size_t size, size_t piece)
{
    uint64_t print = 0;

    for (size_t at = 0; at < size;) {
        size_t step = piece < size - at ? piece : size - at;
        struct tdm_chat_message m;
        bool again;

        for (size_t done = 0; done < step;) {
            size_t taken =
                tdm_chat_take(c, (tdm_time)at, data + at + done, step - done, &m, &again);

            assert(taken > 0 && taken <= step - done);
            done += taken;
            if (m.kind == TDM_CHAT_OTHER)
                continue;
            print = print * 31 + (uint64_t)m.kind * 7 + m.id + m.size + again;
            if (m.size) {
                char *clean = malloc(3 * (size_t)m.size), *twice = malloc(3 * (size_t)m.size);

                assert(clean && twice);
                size_t n = tdm_chat_clean(m.text, m.size, clean, 3 * (size_t)m.size);

                assert(tdm_chat_clean(clean, n, twice, 3 * (size_t)m.size) == n &&
                       memcmp(clean, twice, n) == 0);
                free(clean);
                free(twice);
            }
        }
        at += step;
    }
    return print;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[4096];

    if (size < 2)
        return 0;
    tdm_chat_init(&chats[0]);
    tdm_chat_init(&chats[1]);
    assert(feed(&chats[0], data + 2, size - 2, size) ==
           feed(&chats[1], data + 2, size - 2, 1 + data[0]));
    while (tdm_chat_has(&chats[0])) {
        size_t n = tdm_chat_pull(&chats[0], room, 1 + data[1]);

        assert(n > 0 && n <= 1u + data[1]);
        tdm_chat_acked(&chats[0], chats[0].acked + data[0]);
        assert(chats[0].acked <= chats[0].pulled);
    }
    tdm_chat_rewind(&chats[0], data[1]);
    return 0;
}
