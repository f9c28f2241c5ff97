/* SPDX-License-Identifier: MIT */

/*
 * A key of the helper until a program of the host has it, without a network: through the helper's
 * core, a record, the host's core, XTest and the X server of a private Xvfb. Beside it XTest alone
 * in the same run. Every key is checked: a run in which one does not come fails.
 *
 *   key_bench [KEYS]     a table on stderr, JSON on stdout
 */

#include "collab/control_pipe.h"
#include "collab/control_view.h"
#include "desktop/input.h"
#include "tests/unit/x_server.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <xcb/xcb.h>

#define KEYS_MAX 100000
#define EVDEV_A  30

static struct x_server server;
static xcb_connection_t *program; /* Of the host: it waits for keys. */
static struct tdm_input *input;
static struct tdm_control_host host;
static struct tdm_control_host_out out;
static struct tdm_control_view view;
static struct tdm_control_view_out said;
static struct tdm_control_pipe pipes[2];
static struct tdm_keymap keymap;

static tdm_time now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * TDM_S + t.tv_nsec;
}

static int by_time(const void *a, const void *b)
{
    const tdm_time *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void step_host(const struct tdm_control_host_in *in)
{
    tdm_control_host_step(&host, now(), in, &out);
    if (tdm_x11_input.perform(input, out.actions, out.count))
        exit(1);
}

static void press(enum tdm_press what)
{
    struct tdm_control_view_in in = {
        .kind = TDM_VIEW_KEY,
        .key = {.evdev = EVDEV_A, .press = what, .keysym = 'a', .text = "a", .size = 1}};
    uint8_t bytes[256];

    tdm_control_view_step(&view, now(), &in, &said);
    for (uint32_t i = 0; i < said.count; i++)
        if (tdm_control_pipe_put(&pipes[0], &said.records[i]))
            exit(1);
    size_t size = tdm_control_pipe_pull(&pipes[0], bytes, sizeof bytes);

    tdm_control_pipe_acked(&pipes[0], pipes[0].pulled);
    for (size_t at = 0; at < size;) {
        struct tdm_control_record rec;

        at += tdm_control_pipe_take(&pipes[1], bytes + at, size - at, &rec);
        if (rec.kind != TDM_CONTROL_OTHER)
            step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &rec});
    }
}

/* Waits for the key event in the program's window; there may be others before it. */
static bool arrives(uint8_t type)
{
    xcb_generic_event_t *event;
    bool good = false;

    while (!good && (event = xcb_wait_for_event(program))) {
        good = (event->response_type & 0x7f) == type;
        free(event);
    }
    return good;
}

static void bare(bool down)
{
    struct tdm_control_action a = {
        .act = TDM_ACT_KEY, .code = EVDEV_A + TDM_X_FROM_EVDEV, .down = down};

    if (tdm_x11_input.perform(input, &a, 1))
        exit(1);
}

/* One row: `there` until the program has it, `ours` until the X server was given it. */
static bool measure(bool whole, int keys, tdm_time *there, tdm_time *ours)
{
    for (int i = 0; i < keys; i++) {
        tdm_time start = now();

        if (whole)
            press(TDM_PRESS_DOWN);
        else
            bare(true);
        ours[i] = now() - start;
        if (!arrives(XCB_KEY_PRESS))
            return false;
        there[i] = now() - start;
        if (whole)
            press(TDM_PRESS_UP);
        else
            bare(false);
        if (!arrives(XCB_KEY_RELEASE))
            return false;
    }
    qsort(there, (size_t)keys, sizeof *there, by_time);
    qsort(ours, (size_t)keys, sizeof *ours, by_time);
    return true;
}

static void open_window(void)
{
    uint32_t mask = XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_KEY_RELEASE;
    xcb_window_t root, window;

    program = xcb_connect(server.display, NULL);
    if (xcb_connection_has_error(program))
        exit(1);
    root = xcb_setup_roots_iterator(xcb_get_setup(program)).data->root;
    window = xcb_generate_id(program);
    (void)xcb_create_window(program, XCB_COPY_FROM_PARENT, window, root, 0, 0, 64, 64, 0,
                            XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT, XCB_CW_EVENT_MASK,
                            &mask);
    (void)xcb_map_window(program, window);
    (void)xcb_set_input_focus(program, XCB_INPUT_FOCUS_PARENT, window, XCB_CURRENT_TIME);
    free(xcb_get_input_focus_reply(program, xcb_get_input_focus(program), NULL));
}

static void begin(void)
{
    struct tdm_control_host_config config = {.consent.known = true, .events_per_second = 1000000};
    struct tdm_control_record ask = {.kind = TDM_CONTROL_ASK, .scopes = TDM_SCOPE_KEYBOARD}, rec;
    struct tdm_cause cause;

    if (!x_server_start(&server, "64x64x24") ||
        tdm_x11_input.create(&(struct tdm_input_config){.display = server.display}, &input, &cause))
        exit(1);
    open_window();
    if (tdm_x11_input.keymap(input, &keymap))
        exit(1);
    tdm_control_host_init(&host, &config, now());
    tdm_control_view_init(&view, "another", now()); /* So that the symbol is looked up. */
    tdm_control_pipe_init(&pipes[0]);
    tdm_control_pipe_init(&pipes[1]);
    step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_KEYMAP, .keymap = &keymap});
    step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_RECORD, .record = &ask});
    step_host(&(struct tdm_control_host_in){.kind = TDM_HOST_CONSENT,
                                            .consent = {.kind = TDM_CONSENT_IN_ALLOW}});
    tdm_consent_tell(&host.consent, now(), &rec);
    tdm_control_view_step(
        &view, now(), &(struct tdm_control_view_in){.kind = TDM_VIEW_RECORD, .record = rec}, &said);
}

int main(int argc, char **argv)
{
    static tdm_time there[KEYS_MAX], ours[KEYS_MAX];
    static const char *const names[] = {"xtest_alone", "helper_to_program"};
    int keys = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2000;

    if (keys < 1 || keys > KEYS_MAX) {
        fprintf(stderr, "usage: key_bench [KEYS (1 to %d)]\n", KEYS_MAX);
        return 2;
    }
    begin();
    fprintf(stderr, "%-20s %10s %10s %10s  %s\n", "us", "min", "median", "p99", "our part");
    printf("{\"bench\": \"control_key\", \"keys\": %d, \"rows\": [", keys);
    for (int row = 0; row < 2; row++) {
        int middle = keys / 2, last = keys * 99 / 100;

        if (!measure(row == 1, keys, there, ours)) {
            fprintf(stderr, "a key did not arrive\n");
            return 1;
        }
        fprintf(stderr, "%-20s %10.1f %10.1f %10.1f  %.1f\n", names[row], (double)there[0] / 1000,
                (double)there[middle] / 1000, (double)there[last] / 1000,
                (double)ours[middle] / 1000);
        printf("%s\n  {\"row\": \"%s\", \"min_ns\": %" PRId64 ", \"median_ns\": %" PRId64
               ", \"p99_ns\": %" PRId64 ", \"our_part_median_ns\": %" PRId64 "}",
               row ? "," : "", names[row], there[0], there[keys / 2], there[keys * 99 / 100],
               ours[keys / 2]);
    }
    printf("\n]}\n");
    tdm_x11_input.destroy(input);
    xcb_disconnect(program);
    x_server_stop(&server);
    return 0;
}
