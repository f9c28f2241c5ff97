/* SPDX-License-Identifier: MIT */

/*
 * A helper with a keyboard of one layout types into an xterm on a display with another: through
 * both cores, the records, XTest and the X server. What the program in the xterm reads must be what
 * the helper meant.
 */

#include "collab/control_pipe.h"
#include "collab/control_view.h"
#include "desktop/input.h"
#include "tests/unit/x_server.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <xcb/xinput.h>
#include <xcb/xtest.h>
#include <xkbcommon/xkbcommon.h>

#include <cmocka.h>

#define LONGEST (30 * TDM_S) /* That anything here may take. */

static struct x_server server;
static char folder[] = "/tmp/tandem-input-XXXXXX";
static char typed_path[64];
static xcb_connection_t *display; /* The test's own: another program there. */
static struct tdm_input *input;
static struct tdm_control_host host;
static struct tdm_control_host_out out;
static struct tdm_control_view view;
static struct tdm_control_view_out said;
static struct tdm_control_pipe pipes[2]; /* To the host; to the helper. */
static struct tdm_keymap keymap;
static bool revoked;
static pid_t terminal;

static tdm_time now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * TDM_S + t.tv_nsec;
}

static pid_t run(const char *program, ...)
{
    const char *argv[16] = {program};
    va_list list;
    int count = 1;

    va_start(list, program);
    while (count < 15 && (argv[count] = va_arg(list, const char *)))
        count++;
    va_end(list);
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)setenv("DISPLAY", server.display, 1);
        (void)setenv("LC_ALL", "C.UTF-8", 1);
        (void)execvp(program, (char *const *)argv);
        _exit(127);
    }
    return pid;
}

static bool run_to_end(pid_t pid)
{
    int status = -1;

    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void step_host(const struct tdm_control_host_in *in)
{
    tdm_control_host_step(&host, now(), in, &out);
    assert_int_equal(tdm_x11_input.perform(input, out.actions, out.count), TDM_OK);
    for (uint32_t i = 0; i < out.tell_count; i++)
        assert_int_equal(tdm_control_pipe_put(&pipes[1], &out.tell[i]), TDM_OK);
}

static void step_view(const struct tdm_control_view_in *in)
{
    tdm_control_view_step(&view, now(), in, &said);
    for (uint32_t i = 0; i < said.count; i++)
        assert_int_equal(tdm_control_pipe_put(&pipes[0], &said.records[i]), TDM_OK);
}

/* What the display has to say, as the host's program does it. */
static void hear_display(void)
{
    enum tdm_input_event event;
    uint16_t mods;

    while ((event = tdm_x11_input.next(input, &mods)) != TDM_INPUT_NOTHING) {
        assert_int_not_equal(event, TDM_INPUT_GONE);
        if (event == TDM_INPUT_KEYMAP) {
            assert_int_equal(tdm_x11_input.keymap(input, &keymap), TDM_OK);
            step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_KEYMAP, .keymap = &keymap});
        } else if (event == TDM_INPUT_LOCKS) {
            step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_LOCKS, .mods = mods});
        } else if (event == TDM_INPUT_LOCAL) {
            step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_LOCAL});
        } else {
            revoked = true;
            step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT,
                                                    .consent.kind = TDM_CONSENT_IN_END});
        }
    }
}

static void pass(int way)
{
    uint8_t bytes[512];

    while (tdm_control_pipe_has(&pipes[way]) && !(way == 0 && out.busy)) {
        size_t size = tdm_control_pipe_pull(&pipes[way], bytes, sizeof bytes);

        for (size_t at = 0; at < size;) {
            struct tdm_control_record rec;

            at += tdm_control_pipe_take(&pipes[way], bytes + at, size - at, &rec);
            if (rec.kind == TDM_CONTROL_OTHER)
                continue;
            if (way == 1)
                step_view(&(struct tdm_control_view_in){.kind = TDM_VIEW_RECORD, .record = rec});
            else
                step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &rec});
        }
        tdm_control_pipe_acked(&pipes[way], pipes[way].pulled);
    }
}

static void settle(int ms)
{
    tdm_time until = now() + ms * TDM_MS;

    do {
        struct pollfd fd = {.fd = tdm_x11_input.fd(input), .events = POLLIN};

        hear_display();
        pass(0);
        pass(1);
        step_host(NULL);
        step_view(NULL);
        (void)poll(&fd, 1, 5);
    } while (now() < until || out.busy);
}

/* Goes on until it holds. */
#define WAIT_FOR(what)                                                                             \
    do {                                                                                           \
        for (tdm_time until_ = now() + LONGEST; !(what) && now() < until_;)                        \
            settle(5);                                                                             \
        assert_true(what);                                                                         \
    } while (0)

static bool typed_is(const char *text)
{
    char got[512] = "";
    FILE *f = fopen(typed_path, "r");

    if (f) {
        size_t size = fread(got, 1, sizeof got - 1, f);

        got[size] = '\0';
        (void)fclose(f);
    }
    return strcmp(got, text) == 0;
}

static void expect_typed(const char *text)
{
    tdm_time until = now() + LONGEST;

    while (!typed_is(text) && now() < until)
        settle(20);
    if (!typed_is(text)) {
        char command[256];

        (void)snprintf(command, sizeof command, "od -c %s >&2", typed_path);
        (void)run_to_end(run("sh", "-c", command, (char *)NULL));
        fail_msg("typed is not \"%s\"", text);
    }
}

/* A key of the helper, on a keyboard of the layout `board`. */
static void key(struct xkb_state *board, uint16_t evdev, enum tdm_press press, const char *composed)
{
    char text[32] = "";
    struct tdm_control_view_in in = {
        .kind = TDM_VIEW_KEY,
        .key = {.evdev = evdev,
                .press = press,
                .keysym = xkb_state_key_get_one_sym(board, evdev + 8u)},
    };
    static const struct {
        const char *name;
        uint16_t mod;
    } mods[] = {{XKB_MOD_NAME_SHIFT, TDM_MOD_SHIFT},
                {XKB_MOD_NAME_CTRL, TDM_MOD_CTRL},
                {XKB_MOD_NAME_ALT, TDM_MOD_ALT},
                {"Mod5", TDM_MOD_ALTGR},
                {XKB_MOD_NAME_CAPS, TDM_MOD_CAPS}};

    (void)xkb_state_key_get_utf8(board, evdev + 8u, text, sizeof text);
    (void)xkb_state_update_key(board, evdev + 8u,
                               press == TDM_PRESS_UP ? XKB_KEY_UP : XKB_KEY_DOWN);
    for (size_t i = 0; i < sizeof mods / sizeof *mods; i++)
        if (xkb_state_mod_name_is_active(board, mods[i].name, XKB_STATE_MODS_EFFECTIVE) > 0)
            in.key.mods |= mods[i].mod;
    in.key.composing = composed && !*composed;
    in.key.text = composed ? composed : text;
    in.key.size = (uint32_t)strlen(in.key.text);
    step_view(&in);
}

static void tap(struct xkb_state *board, uint16_t evdev)
{
    key(board, evdev, TDM_PRESS_DOWN, NULL);
    key(board, evdev, TDM_PRESS_UP, NULL);
}

static void tap_with(struct xkb_state *board, uint16_t held, uint16_t evdev)
{
    key(board, held, TDM_PRESS_DOWN, NULL);
    tap(board, evdev);
    key(board, held, TDM_PRESS_UP, NULL);
}

static struct xkb_state *board_of(const char *layout, const char *variant)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_FLAGS);
    struct xkb_keymap *map = xkb_keymap_new_from_names(
        context, &(struct xkb_rule_names){.rules = "evdev", .layout = layout, .variant = variant},
        XKB_KEYMAP_COMPILE_NO_FLAGS);
    struct xkb_state *state = xkb_state_new(map);

    assert_non_null(state);
    xkb_keymap_unref(map);
    xkb_context_unref(context);
    return state;
}

static void write_text(const char *text)
{
    step_view(&(struct tdm_control_view_in){
        .kind = TDM_VIEW_TEXT,
        .record = {.data = (const uint8_t *)text, .size = (uint32_t)strlen(text)}});
}

static void start_terminal(void)
{
    char command[256];

    (void)unlink(typed_path);
    (void)snprintf(command, sizeof command, "stty -echoctl; : >%s; exec cat >%s", typed_path,
                   typed_path);
    /* The file is there when the window is: keys before that go nowhere. */
    terminal = run("xterm", "-u8", "-xrm", "*waitForMap: true", "-geometry", "80x24+0+0", "-e",
                   "sh", "-c", command, (char *)NULL);
    for (tdm_time until = now() + LONGEST; access(typed_path, F_OK) && now() < until;)
        (void)poll(NULL, 0, 20);
}

static void stop_terminal(void)
{
    if (terminal > 0) {
        (void)kill(terminal, SIGTERM);
        (void)waitpid(terminal, NULL, 0);
    }
    terminal = 0;
}

/* A granted session with a host of this layout and a helper of that. */
static void start(const char *layout, const char *variant, const char *helper)
{
    struct tdm_cause cause;
    struct tdm_control_host_config config = {.consent.known = true};
    struct tdm_control_surface surfaces[TDM_CONTROL_SURFACES_MAX] = {
        {.id = 1, .width = 640, .height = 480}};
    struct tdm_control_record rec;

    assert_true(run_to_end(run("setxkbmap", "-layout", layout, "-variant", variant, (char *)NULL)));
    assert_int_equal(tdm_x11_input.create(&(struct tdm_input_config){.display = server.display,
                                                                     .revoke_key = "Pause"},
                                          &input, &cause),
                     TDM_OK);
    config.revoke_count = tdm_x11_input.revoke_codes(input, config.revoke_codes);
    assert_true(config.revoke_count > 0);
    revoked = false;
    tdm_control_host_init(&host, &config, now());
    tdm_control_view_init(&view, helper, now());
    tdm_control_pipe_init(&pipes[0]);
    tdm_control_pipe_init(&pipes[1]);
    step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_SURFACES, .surfaces = surfaces});
    hear_display();
    tdm_control_host_hello(&host, &rec);
    assert_int_equal(tdm_control_pipe_put(&pipes[1], &rec), TDM_OK);
    tdm_control_view_hello(&view, &rec);
    assert_int_equal(tdm_control_pipe_put(&pipes[0], &rec), TDM_OK);
    step_view(&(struct tdm_control_view_in){
        .kind = TDM_VIEW_ASK, .record.scopes = TDM_SCOPE_POINTER | TDM_SCOPE_KEYBOARD});
    WAIT_FOR(host.consent.state == TDM_CONSENT_ASKED);
    step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT,
                                            .consent.kind = TDM_CONSENT_IN_ALLOW});
    WAIT_FOR(view.state == TDM_CONSENT_GRANTED);
    step_view(
        &(struct tdm_control_view_in){.kind = TDM_VIEW_FOCUS, .record.press = TDM_PRESS_DOWN});
    step_view(&(struct tdm_control_view_in){.kind = TDM_VIEW_MOVE,
                                            .record = {.surface = 1, .x = 6000, .y = 6000}});
    settle(20);
    if (!terminal)
        start_terminal();
}

static void stop(void)
{
    tdm_x11_input.destroy(input);
    input = NULL;
    stop_terminal();
}

/* The codes that are down at the X server, ours or not. */
static int keys_down(void)
{
    xcb_query_keymap_reply_t *reply =
        xcb_query_keymap_reply(display, xcb_query_keymap(display), NULL);
    int count = 0;

    assert_non_null(reply);
    for (int i = 0; i < 32; i++)
        count += __builtin_popcount(reply->keys[i]);
    free(reply);
    return count;
}

static void expect_down(int count)
{
    WAIT_FOR(keys_down() == count);
}

static void test_equal_layouts(void **state)
{
    struct xkb_state *board = board_of("de", "");

    (void)state;
    start("de", "", "de");
    assert_string_equal(keymap.name, "de");
    tap(board, 16);           /* q */
    tap_with(board, 42, 21);  /* Z */
    tap_with(board, 100, 16); /* AltGr q: @ */
    tap(board, 13);           /* A dead acute, */
    tap(board, 18);           /* and e: composed at the host. */
    tap(board, 28);
    expect_typed("qZ@\xc3\xa9\n");
    expect_down(0);
    stop();
    xkb_state_unref(board);
}

static void test_other_layout(void **state)
{
    struct xkb_state *board = board_of("de", "");

    (void)state;
    start("us", "", "de");
    tap(board, 16);                             /* q */
    tap(board, 21);                             /* z, which is y in its place at the host */
    tap_with(board, 42, 21);                    /* Z */
    tap_with(board, 100, 16);                   /* @ without an AltGr there */
    tap_with(board, 42, 8);                     /* Shift 7: a slash, which needs no shift there */
    tap(board, 39);                             /* o umlaut: on no key there */
    key(board, 13, TDM_PRESS_DOWN, "");         /* A dead acute, composed here */
    key(board, 18, TDM_PRESS_DOWN, "\xc3\xa9"); /* with e */
    key(board, 18, TDM_PRESS_UP, NULL);
    tap(board, 28);
    expect_typed("qzZ@/\xc3\xb6\xc3\xa9\n");
    expect_down(0);
    stop();
    xkb_state_unref(board);
}

static void test_cyrillic_host(void **state)
{
    struct xkb_state *board = board_of("us", "");

    (void)state;
    start("ru", "", "us");
    tap(board, 30); /* a: on no key there */
    tap_with(board, 42, 48);
    write_text("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
    tap(board, 28);
    expect_typed("aB\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\n");
    stop();
    xkb_state_unref(board);
}

static void test_any_text(void **state)
{
    static const char text[] = "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 "
                               "\xe6\x97\xa5\xe6\x9c\xac \xc3\xa9\xe2\x82\xac";
    /* More characters than there are spare keys. */
    static const char many[] = "\xce\xb1\xce\xb2\xce\xb3\xce\xb4\xce\xb5\xce\xb6\xce\xb7\xce\xb8"
                               "\xce\xb9\xce\xba\xce\xbb\xce\xbc\xce\xbd\xce\xbe\xce\xbf\xcf\x80"
                               "\xcf\x81\xcf\x82\xcf\x83\xcf\x84\xcf\x85\xcf\x86\xcf\x87\xcf\x88"
                               "\xcf\x89\xd7\x90\xd7\x91\xd7\x92\xd7\x93\xd7\x94\xd7\x95\xd7\x96"
                               "\xd7\x97\xd7\x98\xd7\x99\xd7\x9a\xd7\x9b\xd7\x9c\xd7\x9d\xd7\x9e";
    char both[256];

    (void)state;
    start("us", "", "de");
    write_text(text);
    write_text("\n");
    (void)snprintf(both, sizeof both, "%s\n", text);
    expect_typed(both);
    write_text(many);
    write_text("\n");
    (void)snprintf(both, sizeof both, "%s\n%s\n", text, many);
    expect_typed(both);
    WAIT_FOR(host.spares[0].keysym == 0); /* Idle: the spare keys are bare again. */
    stop();
}

static void test_nothing_stays_down(void **state)
{
    struct xkb_state *board = board_of("us", "");

    (void)state;
    start("us", "", "us");
    key(board, 42, TDM_PRESS_DOWN, NULL);
    key(board, 29, TDM_PRESS_DOWN, NULL);
    key(board, 106, TDM_PRESS_DOWN, NULL);
    expect_down(3);
    step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT,
                                            .consent.kind = TDM_CONSENT_IN_DOWN});
    expect_down(0);
    step_host(
        &(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT, .consent.kind = TDM_CONSENT_IN_UP});
    settle(20);
    key(board, 103, TDM_PRESS_DOWN, NULL);
    expect_down(3);               /* The modifiers are still held over there. */
    tdm_x11_input.destroy(input); /* The program ends without a word of the core. */
    input = NULL;
    assert_int_equal(keys_down(), 0);
    stop_terminal();
    xkb_state_unref(board);
}

/* Acts of the person at the machine: of a device that is not XTest's. */
static void act_locally(uint8_t type, uint8_t code)
{
    const xcb_query_extension_reply_t *ext = xcb_get_extension_data(display, &xcb_input_id);
    xcb_input_xi_query_device_reply_t *reply = xcb_input_xi_query_device_reply(
        display, xcb_input_xi_query_device(display, XCB_INPUT_DEVICE_ALL), NULL);
    uint16_t device = 0;

    assert_non_null(reply);
    for (xcb_input_xi_device_info_iterator_t i = xcb_input_xi_query_device_infos_iterator(reply);
         i.rem; xcb_input_xi_device_info_next(&i)) {
        const char *name = xcb_input_xi_device_info_name(i.data);

        if (i.data->type == XCB_INPUT_DEVICE_TYPE_SLAVE_KEYBOARD && !strstr(name, "XTEST"))
            device = i.data->deviceid;
    }
    free(reply);
    assert_true(device > 0);
    (void)xcb_test_fake_input(display, (uint8_t)(ext->first_event + type), code, 0, XCB_NONE, 0, 0,
                              (uint8_t)device);
    free(xcb_get_input_focus_reply(display, xcb_get_input_focus(display), NULL));
}

static void test_the_person_wins_and_revokes(void **state)
{
    struct xkb_state *board = board_of("us", "");
    uint64_t before;

    (void)state;
    start("us", "", "us");
    tap(board, 30);
    settle(50);
    assert_true(host.yield_until == 0); /* What we inject is not the person. */
    key(board, 42, TDM_PRESS_DOWN, NULL);
    expect_down(1);
    act_locally(XCB_INPUT_DEVICE_KEY_PRESS, 53);
    act_locally(XCB_INPUT_DEVICE_KEY_RELEASE, 53);
    WAIT_FOR(host.yield_until > 0);
    expect_down(0);
    host.yield_until = now() + LONGEST; /* However slow this machine is. */
    tap(board, 31);
    WAIT_FOR(host.dropped[TDM_DROP_YIELD] > 0);
    host.yield_until = 0;

    /* The helper cannot press the revoke key, by whatever way. */
    before = host.dropped[TDM_DROP_REVOKE];
    tap(board, 119);
    tap_with(board, 29, 119);
    WAIT_FOR(host.dropped[TDM_DROP_REVOKE] >= before + 2);
    assert_false(revoked);
    assert_int_equal(host.consent.state, TDM_CONSENT_GRANTED);
    act_locally(XCB_INPUT_DEVICE_KEY_PRESS, 127);
    act_locally(XCB_INPUT_DEVICE_KEY_RELEASE, 127);
    WAIT_FOR(revoked);
    assert_int_equal(host.consent.state, TDM_CONSENT_REVOKED);
    WAIT_FOR(view.state == TDM_CONSENT_REVOKED);
    stop();
    xkb_state_unref(board);
}

/* Adds what arrived at the test's window to the list. @return how long that is */
static int buttons(char *list, size_t capacity)
{
    static int count;

    for (xcb_generic_event_t *e; (e = xcb_poll_for_event(display)); free(e)) {
        const xcb_button_press_event_t *b = (const void *)e;
        uint8_t type = e->response_type & 0x7f;
        size_t used = strlen(list);

        if (type != XCB_BUTTON_PRESS && type != XCB_BUTTON_RELEASE)
            continue;
        assert_int_equal(b->root_x, 639);
        assert_int_equal(b->root_y, 240);
        (void)snprintf(list + used, capacity - used, "%c%d", type == XCB_BUTTON_PRESS ? '+' : '-',
                       b->detail);
        count++;
    }
    return count;
}

static void test_pointer_and_wheel(void **state)
{
    xcb_window_t root = xcb_setup_roots_iterator(xcb_get_setup(display)).data->root;
    xcb_window_t window = xcb_generate_id(display);
    uint32_t values[2] = {1, XCB_EVENT_MASK_BUTTON_PRESS | XCB_EVENT_MASK_BUTTON_RELEASE};
    char got[64] = "";

    (void)state;
    start("us", "", "us");
    (void)xcb_create_window(display, XCB_COPY_FROM_PARENT, window, root, 0, 0, 640, 480, 0,
                            XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT,
                            XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    (void)xcb_map_window(display, window);
    free(xcb_get_input_focus_reply(display, xcb_get_input_focus(display), NULL));
    struct tdm_control_view_in in = {
        .record = {.surface = 1, .x = 65535, .y = 32768, .button = 3, .press = TDM_PRESS_DOWN}};

    in.kind = TDM_VIEW_BUTTON;
    step_view(&in);
    in.record.press = TDM_PRESS_UP;
    step_view(&in);
    in.kind = TDM_VIEW_WHEEL;
    in.record.dy = 60;
    in.record.dx = -120;
    step_view(&in);
    in.record.dx = 0;
    step_view(&in); /* Half a notch twice. */
    WAIT_FOR(buttons(got, sizeof got) == 6);
    assert_string_equal(got, "+3-3+6-6+5-5");
    (void)xcb_destroy_window(display, window);
    (void)xcb_flush(display);
    stop();
}

static int begin(void **state)
{
    (void)state;
    if (!x_server_start(&server, "640x480x24") || !mkdtemp(folder))
        return -1;
    (void)snprintf(typed_path, sizeof typed_path, "%s/typed", folder);
    display = xcb_connect(server.display, NULL);
    return xcb_connection_has_error(display);
}

static int end(void **state)
{
    (void)state;
    xcb_disconnect(display);
    x_server_stop(&server);
    (void)unlink(typed_path);
    (void)rmdir(folder);
    return 0;
}

static void test_names_of_the_revoke_key(void **state)
{
    static const struct {
        const char *name;
        enum tdm_err err;
    } keys[] = {{"ctrl+alt+End", TDM_OK},
                {"Ctrl+Alt+End", TDM_OK},
                {"Pause", TDM_OK},
                {"Meta+End", TDM_E_MALFORMED},
                {"ctrl+", TDM_E_MALFORMED}};
    struct tdm_input *one = NULL;
    struct tdm_cause cause;

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct tdm_input_config config = {.display = server.display,
                                                .revoke_key = keys[i].name};

        assert_int_equal(tdm_x11_input.create(&config, &one, &cause), keys[i].err);
        if (keys[i].err == TDM_OK)
            tdm_x11_input.destroy(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_the_revoke_key),
        cmocka_unit_test(test_equal_layouts),
        cmocka_unit_test(test_other_layout),
        cmocka_unit_test(test_cyrillic_host),
        cmocka_unit_test(test_any_text),
        cmocka_unit_test(test_nothing_stays_down),
        cmocka_unit_test(test_the_person_wins_and_revokes),
        cmocka_unit_test(test_pointer_and_wheel),
    };

    if (access("/usr/bin/Xvfb", X_OK) || access("/usr/bin/xterm", X_OK)) {
        puts("SKIP: no Xvfb or xterm");
        return 77;
    }
    return cmocka_run_group_tests(tests, begin, end);
}
