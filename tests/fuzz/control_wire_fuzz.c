/* SPDX-License-Identifier: MIT */
/*
 * Bytes become the other side's stream, cut at places that the first byte chooses. Checked: any cut
 * gives the same records, all is taken, and what was read is written and read alike.
 */

#include "collab/control_pipe.h"
#include "collab/control_view.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t print_of(const struct tdm_control_record *rec)
{
    uint64_t print = (uint64_t)rec->kind;

    print = print * 31 + rec->seq + rec->usage + rec->keysym + rec->mods + rec->x + rec->y;
    print = print * 31 + rec->serial + rec->origin + rec->format_count + rec->scopes;
    for (uint32_t i = 0; i < rec->size; i++)
        print = print * 31 + rec->data[i];
    return print;
}

static void write_again(const struct tdm_control_record *rec)
{
    uint8_t bytes[TDM_CONTROL_RECORD_MAX];
    struct tdm_control_record again;
    size_t size;

    assert(tdm_control_write(rec, bytes, sizeof bytes, &size) == TDM_OK);
    assert(tdm_control_parse(&again, bytes + 2, size - 2) == TDM_OK);
    assert(print_of(rec) == print_of(&again) && again.kind == rec->kind);
}

static uint64_t feed(const uint8_t *data, size_t size, size_t piece)
{
    static struct tdm_control_pipe pipe;
    static struct tdm_control_view view;
    static struct tdm_control_view_out out;
    uint64_t print = 0;

    tdm_control_pipe_init(&pipe);
    tdm_control_view_init(&view, "us", 0);
    for (size_t at = 0; at < size;) {
        size_t step = piece < size - at ? piece : size - at;

        for (size_t done = 0; done < step;) {
            struct tdm_control_view_in in = {.kind = TDM_VIEW_RECORD};
            size_t taken = tdm_control_pipe_take(&pipe, data + at + done, step - done, &in.record);

            assert(taken > 0 && taken <= step - done);
            done += taken;
            if (in.record.kind == TDM_CONTROL_OTHER)
                continue;
            print = print * 31 + print_of(&in.record);
            write_again(&in.record);
            tdm_control_view_step(&view, 0, &in, &out);
        }
        at += step;
    }
    return print * 31 + pipe.refused;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    assert(feed(data + 1, size - 1, size) == feed(data + 1, size - 1, 1 + data[0] % 64));
    return 0;
}
