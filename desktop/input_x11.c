/* SPDX-License-Identifier: MIT */

/*
 * Input through XTest. What the person at the machine does is told by XInput 2: raw events name the
 * device that they come from, and those of the XTest devices are ours (or another program's that
 * injects, which is not the person either). Raw events arrive even while a program grabs the
 * keyboard, so the revoke key cannot be taken away.
 */

#include "desktop/input.h"
#include "desktop/x11_keymap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xcb/xcb.h>
#include <xcb/xinput.h>
#include <xcb/xtest.h>
#include <xkbcommon/xkbcommon.h>

#define XTEST_DEVICES_MAX 8

struct tdm_input {
    xcb_connection_t *connection;
    xcb_window_t root;
    struct tdm_x11_keys *keys;
    uint8_t xkb_event, xinput_opcode;
    uint16_t xtest_devices[XTEST_DEVICES_MAX];
    uint32_t xtest_count;
    uint32_t revoke_keysym;
    uint16_t revoke_mods;
    uint8_t revoke_codes[TDM_CONTROL_REVOKES_MAX];
    uint32_t revoke_count;
    bool saw_keymap, saw_locks, saw_local, saw_revoke;
    uint16_t locks;
    /* What is down or mapped for us, to be undone at the end: bits by code. */
    uint8_t keys_down[32], buttons_down[32], mapped[32];
};

static void set_bit(uint8_t bits[32], uint8_t i, bool on)
{
    if (on)
        bits[i / 8] |= (uint8_t)(1u << i % 8);
    else
        bits[i / 8] &= (uint8_t) ~(1u << i % 8);
}

static bool bit(const uint8_t bits[32], uint8_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}

static void fake(struct tdm_input *in, uint8_t type, uint8_t detail, int32_t x, int32_t y)
{
    (void)xcb_test_fake_input(in->connection, type, detail, XCB_CURRENT_TIME, in->root, (int16_t)x,
                              (int16_t)y, 0);
}

/* Both levels get the symbol: with one, the server would add its capital for shift. */
static void map(struct tdm_input *in, uint8_t code, uint32_t keysym)
{
    xcb_keysym_t both[2] = {keysym, keysym};

    (void)xcb_change_keyboard_mapping(in->connection, 1, code, 2, both);
    set_bit(in->mapped, code, keysym != 0);
}

static void undo(struct tdm_input *in)
{
    for (int i = 0; i < 256; i++) {
        if (bit(in->keys_down, (uint8_t)i))
            fake(in, XCB_KEY_RELEASE, (uint8_t)i, 0, 0);
        if (bit(in->buttons_down, (uint8_t)i))
            fake(in, XCB_BUTTON_RELEASE, (uint8_t)i, 0, 0);
        if (bit(in->mapped, (uint8_t)i))
            map(in, (uint8_t)i, 0);
    }
    (void)xcb_flush(in->connection);
    free(xcb_get_input_focus_reply(in->connection, xcb_get_input_focus(in->connection), NULL));
}

static void destroy(struct tdm_input *in)
{
    if (!in)
        return;
    if (in->connection && !xcb_connection_has_error(in->connection))
        undo(in);
    tdm_x11_keys_destroy(in->keys);
    if (in->connection)
        xcb_disconnect(in->connection);
    free(in);
}

/* "ctrl+alt+End": modifiers, then a keysym's name. */
static bool parse_key(const char *text, uint32_t *keysym, uint16_t *mods)
{
    static const struct {
        const char *name;
        uint16_t mod;
    } names[] = {
        {"ctrl+", TDM_MOD_CTRL},
        {"alt+", TDM_MOD_ALT},
        {"shift+", TDM_MOD_SHIFT},
        {"super+", TDM_MOD_SUPER},
    };

    *mods = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size = strlen(names[i].name);

        if (strncasecmp(text, names[i].name, size) != 0)
            continue;
        *mods |= names[i].mod;
        text += size;
        i = (size_t)-1;
    }
    *keysym = xkb_keysym_from_name(text, XKB_KEYSYM_CASE_INSENSITIVE);
    return *keysym != XKB_KEY_NoSymbol && !tdm_key_mod_of_keysym(*keysym);
}

/* Ids of the devices that XTest injects through. */
static void find_xtest_devices(struct tdm_input *in)
{
    xcb_input_xi_query_device_reply_t *reply = xcb_input_xi_query_device_reply(
        in->connection, xcb_input_xi_query_device(in->connection, XCB_INPUT_DEVICE_ALL), NULL);

    if (!reply)
        return;
    for (xcb_input_xi_device_info_iterator_t i = xcb_input_xi_query_device_infos_iterator(reply);
         i.rem; xcb_input_xi_device_info_next(&i)) {
        char name[256];
        int size = xcb_input_xi_device_info_name_length(i.data);

        (void)snprintf(name, sizeof name, "%.*s", size, xcb_input_xi_device_info_name(i.data));
        if (strstr(name, "XTEST") && in->xtest_count < XTEST_DEVICES_MAX)
            in->xtest_devices[in->xtest_count++] = i.data->deviceid;
    }
    free(reply);
}

static bool listen_to_devices(struct tdm_input *in)
{
    const xcb_query_extension_reply_t *ext = xcb_get_extension_data(in->connection, &xcb_input_id);
    struct {
        xcb_input_event_mask_t head;
        uint32_t mask;
    } mask = {{XCB_INPUT_DEVICE_ALL_MASTER, 1},
              XCB_INPUT_XI_EVENT_MASK_RAW_KEY_PRESS | XCB_INPUT_XI_EVENT_MASK_RAW_BUTTON_PRESS |
                  XCB_INPUT_XI_EVENT_MASK_RAW_MOTION | XCB_INPUT_XI_EVENT_MASK_RAW_TOUCH_BEGIN};

    if (!ext || !ext->present)
        return false;
    in->xinput_opcode = ext->major_opcode;
    xcb_input_xi_query_version_reply_t *version = xcb_input_xi_query_version_reply(
        in->connection, xcb_input_xi_query_version(in->connection, 2, 2), NULL);
    bool good = version && (version->major_version > 2 || version->minor_version >= 2);

    free(version);
    if (!good)
        return false;
    find_xtest_devices(in);
    xcb_generic_error_t *error = xcb_request_check(
        in->connection,
        xcb_input_xi_select_events_checked(in->connection, in->root, 1, &mask.head));

    good = error == NULL && in->xtest_count > 0;
    free(error);
    return good;
}

static xcb_window_t root_of(xcb_connection_t *connection, int number)
{
    xcb_screen_iterator_t i = xcb_setup_roots_iterator(xcb_get_setup(connection));

    for (; number > 0 && i.rem > 1; number--)
        xcb_screen_next(&i);
    return i.data->root;
}

static enum tdm_err create(const struct tdm_input_config *config, struct tdm_input **input,
                           struct tdm_cause *cause)
{
    struct tdm_input *in = calloc(1, sizeof *in);
    int screen = 0;

    if (!in)
        return tdm_fail(cause, TDM_E_SPACE, "out of memory: close other programs");
    enum tdm_err err = TDM_OK;

    in->connection = xcb_connect(config->display, &screen);
    if (xcb_connection_has_error(in->connection)) {
        err = tdm_fail(cause, TDM_E_GONE, "cannot open display %s: set DISPLAY, or log in there",
                       config->display ? config->display : "of this session");
        goto failed;
    }
    in->root = root_of(in->connection, screen);
    if (config->revoke_key &&
        !parse_key(config->revoke_key, &in->revoke_keysym, &in->revoke_mods)) {
        err = tdm_fail(cause, TDM_E_MALFORMED,
                       "\"%s\" is no key that can end control: write a key's name such as Pause, "
                       "with ctrl+, alt+, shift+ or super+ before it",
                       config->revoke_key);
        goto failed;
    }
    const xcb_query_extension_reply_t *xtest = xcb_get_extension_data(in->connection, &xcb_test_id);

    in->keys = tdm_x11_keys_create(in->connection, &in->xkb_event);
    if (!xtest || !xtest->present || !in->keys || !listen_to_devices(in)) {
        err = tdm_fail(cause, TDM_E_UNSUPPORTED,
                       "this display takes no remote input: its server has no %s",
                       !xtest || !xtest->present ? "XTEST"
                       : !in->keys               ? "XKB"
                                                 : "XInput 2.2");
        goto failed;
    }
    in->locks = tdm_x11_keys_locks(in->keys);
    in->saw_keymap = in->saw_locks = true;
    in->revoke_count =
        tdm_x11_keys_codes(in->keys, in->revoke_keysym, in->revoke_codes, TDM_CONTROL_REVOKES_MAX);
    *input = in;
    return TDM_OK;
failed:
    destroy(in);
    return err;
}

static int input_fd(struct tdm_input *in)
{
    return xcb_get_file_descriptor(in->connection);
}

static bool is_ours(const struct tdm_input *in, uint16_t device)
{
    for (uint32_t i = 0; i < in->xtest_count; i++)
        if (in->xtest_devices[i] == device)
            return true;
    return false;
}

static bool is_revoke(const struct tdm_input *in, uint32_t code)
{
    for (uint32_t i = 0; i < in->revoke_count; i++)
        if (in->revoke_codes[i] == code)
            return in->revoke_mods == 0 ||
                   (tdm_x11_keys_mods(in->keys) & in->revoke_mods) == in->revoke_mods;
    return false;
}

static void take_device_event(struct tdm_input *in, const xcb_ge_generic_event_t *event)
{
    /* The kinds of raw events begin alike: key, button, motion, touch. */
    const xcb_input_raw_key_press_event_t *raw = (const void *)event;

    if (is_ours(in, raw->sourceid))
        return;
    in->saw_local = true;
    if (event->event_type == XCB_INPUT_RAW_KEY_PRESS && is_revoke(in, raw->detail))
        in->saw_revoke = true;
}

/* Changes of the mapping that are our own spare keys are no news. */
static bool is_own_mapping(const struct tdm_input *in, uint8_t first, uint8_t count)
{
    for (unsigned i = 0; i < count; i++)
        if (!tdm_x11_keys_is_spare(in->keys, (uint8_t)(first + i)))
            return false;
    return count > 0;
}

static void take_event(struct tdm_input *in, const xcb_generic_event_t *event)
{
    uint8_t type = event->response_type & 0x7f;
    uint8_t first = 0, count = 0;

    if (type == XCB_GE_GENERIC &&
        ((const xcb_ge_generic_event_t *)(const void *)event)->extension == in->xinput_opcode) {
        take_device_event(in, (const void *)event);
        return;
    }
    if (type != in->xkb_event)
        return;
    switch (tdm_x11_keys_event(in->keys, event, &first, &count)) {
    case TDM_X11_KEYS_MAP:
        in->saw_keymap |= !is_own_mapping(in, first, count);
        break;
    case TDM_X11_KEYS_GROUP:
        in->saw_keymap = true;
        break;
    case TDM_X11_KEYS_STATE:
    case TDM_X11_KEYS_OTHER:
        break;
    }
    uint16_t locks = tdm_x11_keys_locks(in->keys);

    in->saw_locks |= locks != in->locks;
    in->locks = locks;
}

static bool take_flag(bool *flag)
{
    bool was = *flag;

    *flag = false;
    return was;
}

static enum tdm_input_event next(struct tdm_input *in, uint16_t *mods)
{
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_event(in->connection))) {
        take_event(in, event);
        free(event);
    }
    *mods = in->locks;
    if (xcb_connection_has_error(in->connection))
        return TDM_INPUT_GONE;
    if (take_flag(&in->saw_revoke))
        return TDM_INPUT_REVOKE;
    if (take_flag(&in->saw_local))
        return TDM_INPUT_LOCAL;
    if (take_flag(&in->saw_keymap))
        return TDM_INPUT_KEYMAP;
    return take_flag(&in->saw_locks) ? TDM_INPUT_LOCKS : TDM_INPUT_NOTHING;
}

static enum tdm_err keymap(struct tdm_input *in, struct tdm_keymap *map_out)
{
    if (!tdm_x11_keys_load(in->keys, map_out))
        return TDM_E_GONE;
    in->revoke_count =
        tdm_x11_keys_codes(in->keys, in->revoke_keysym, in->revoke_codes, TDM_CONTROL_REVOKES_MAX);
    return TDM_OK;
}

static uint32_t revoke_codes(struct tdm_input *in, uint8_t codes[TDM_CONTROL_REVOKES_MAX])
{
    memcpy(codes, in->revoke_codes, sizeof in->revoke_codes);
    return in->revoke_count;
}

static void perform_one(struct tdm_input *in, const struct tdm_control_action *a)
{
    switch (a->act) {
    case TDM_ACT_KEY:
        fake(in, a->down ? XCB_KEY_PRESS : XCB_KEY_RELEASE, a->code, 0, 0);
        set_bit(in->keys_down, a->code, a->down);
        break;
    case TDM_ACT_BUTTON:
        fake(in, a->down ? XCB_BUTTON_PRESS : XCB_BUTTON_RELEASE, a->code, 0, 0);
        set_bit(in->buttons_down, a->code, a->down);
        break;
    case TDM_ACT_MOVE:
        fake(in, XCB_MOTION_NOTIFY, 0, a->x, a->y);
        break;
    case TDM_ACT_NUDGE:
        fake(in, XCB_MOTION_NOTIFY, 1, a->x, a->y);
        break;
    case TDM_ACT_MAP:
        if (tdm_x11_keys_is_spare(in->keys, a->code))
            map(in, a->code, a->keysym);
        break;
    case TDM_ACT_GHOST:
    case TDM_ACT_GHOST_GONE:
        break;
    }
}

static enum tdm_err perform(struct tdm_input *in, const struct tdm_control_action *actions,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        perform_one(in, &actions[i]);
    (void)xcb_flush(in->connection);
    return xcb_connection_has_error(in->connection) ? TDM_E_GONE : TDM_OK;
}

const struct tdm_input_ops tdm_x11_input = {
    .kind = "x11",
    .create = create,
    .destroy = destroy,
    .fd = input_fd,
    .next = next,
    .keymap = keymap,
    .revoke_codes = revoke_codes,
    .perform = perform,
};

bool tdm_input_layout_name(const char *display, char name[TDM_CONTROL_LAYOUT_MAX])
{
    xcb_connection_t *connection = xcb_connect(display, NULL);
    uint8_t event;
    struct tdm_x11_keys *keys =
        xcb_connection_has_error(connection) ? NULL : tdm_x11_keys_create(connection, &event);
    bool good = keys && tdm_x11_keys_name(keys, name);

    tdm_x11_keys_destroy(keys);
    xcb_disconnect(connection);
    return good;
}
