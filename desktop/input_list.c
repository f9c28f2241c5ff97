/* SPDX-License-Identifier: MIT */

/* Keeps what it was told, for tests: the newest actions, and events that the test puts in. */

#include "desktop/input.h"

#include <stdlib.h>
#include <string.h>

#define ACTIONS 4096
#define EVENTS  16

struct tdm_input {
    struct tdm_control_action actions[ACTIONS];
    uint32_t count;
    enum tdm_input_event events[EVENTS];
    uint32_t event_count;
};

static enum tdm_err create(const struct tdm_input_config *config, struct tdm_input **input,
                           struct tdm_cause *cause)
{
    (void)config;
    *input = calloc(1, sizeof **input);
    return *input ? TDM_OK : tdm_fail(cause, TDM_E_SPACE, "out of memory: close other programs");
}

static void destroy(struct tdm_input *in)
{
    free(in);
}

static int no_fd(struct tdm_input *in)
{
    (void)in;
    return -1;
}

static enum tdm_input_event next(struct tdm_input *in, uint16_t *mods)
{
    *mods = 0;
    if (in->event_count == 0)
        return TDM_INPUT_NOTHING;
    enum tdm_input_event first = in->events[0];

    memmove(in->events, in->events + 1, --in->event_count * sizeof *in->events);
    return first;
}

/* Letters a to z and a shift key in their places, and spare keys from 240 on. */
static enum tdm_err keymap(struct tdm_input *in, struct tdm_keymap *map)
{
    (void)in;
    memset(map, 0, sizeof *map);
    map->name[0] = 'l';
    for (uint32_t c = 'a'; c <= 'z'; c++) {
        uint16_t evdev = tdm_key_evdev_of_usage((uint16_t)(4 + c - 'a'));

        for (uint8_t shift = 0; shift < 2; shift++)
            map->entries[map->entry_count++] = (struct tdm_keymap_entry){
                .keysym = shift ? c - 32 : c,
                .ucs = shift ? c - 32 : c,
                .code = (uint8_t)(evdev + TDM_X_FROM_EVDEV),
                .mask = TDM_MOD_SHIFT,
                .want = shift ? TDM_MOD_SHIFT : 0,
            };
    }
    map->mod_code[0] = 50;
    map->code_mod[50] = TDM_MOD_SHIFT;
    for (uint8_t i = 0; i < 8; i++)
        map->spares[map->spare_count++] = (uint8_t)(240 + i);
    return TDM_OK;
}

static uint32_t revoke_codes(struct tdm_input *in, uint8_t codes[TDM_CONTROL_REVOKES_MAX])
{
    (void)in;
    codes[0] = 127;
    return 1;
}

static enum tdm_err perform(struct tdm_input *in, const struct tdm_control_action *actions,
                            uint32_t count)
{
    if (in->count + count > ACTIONS)
        in->count = 0;
    memcpy(in->actions + in->count, actions, count * sizeof *actions);
    in->count += count;
    return TDM_OK;
}

const struct tdm_input_ops tdm_list_input = {
    .kind = "list",
    .create = create,
    .destroy = destroy,
    .fd = no_fd,
    .next = next,
    .keymap = keymap,
    .revoke_codes = revoke_codes,
    .perform = perform,
};

const struct tdm_control_action *tdm_input_list_actions(const struct tdm_input *in, uint32_t *count)
{
    *count = in->count;
    return in->actions;
}

void tdm_input_list_event(struct tdm_input *in, enum tdm_input_event event)
{
    if (in->event_count < EVENTS)
        in->events[in->event_count++] = event;
}
