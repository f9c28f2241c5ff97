/* SPDX-License-Identifier: MIT */

/*
 * Two desktops, each with its clipboard and its core, joined by two pipes of records. What xclip
 * copies on one is what xclip pastes on the other, and no more than the host allows.
 */

#include "collab/control_pipe.h"
#include "desktop/clipboard.h"
#include "tests/unit/x_server.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define LONGEST (30 * TDM_S)
#define HOST    0
#define HELPER  1
#define LARGE   (5u << 20)

struct side {
    struct x_server server;
    struct tdm_desk_clipboard *desk;
    struct tdm_clipboard core;
    struct tdm_control_pipe small, bulk; /* Towards the other. */
    bool more;
    uint32_t offers_sent;
    pid_t owner; /* The xclip that holds what was copied last. */
};

static struct side sides[2];
static struct tdm_clipboard_rights rights;
static char folder[] = "/tmp/tandem-clipboard-XXXXXX";

static tdm_time now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * TDM_S + t.tv_nsec;
}

static void step(struct side *s, const struct tdm_clipboard_in *in)
{
    struct tdm_clipboard_out out;

    do {
        tdm_clipboard_step(&s->core, now(), &rights, in, &out);
        if (out.send) {
            bool data = out.record.kind == TDM_CONTROL_CLIP_DATA;

            s->offers_sent += out.record.kind == TDM_CONTROL_CLIP_OFFER;
            assert_int_equal(tdm_control_pipe_put(data ? &s->bulk : &s->small, &out.record),
                             TDM_OK);
        }
        tdm_desk_clipboard_perform(s->desk, now(), &out);
        s->more = out.more;
        in = NULL;
    } while (out.wake_at <= now());
}

static void hear_desk(struct side *s)
{
    struct tdm_clipboard_in in;
    enum tdm_desk_clipboard_event event;

    while ((event = tdm_desk_clipboard_next(s->desk, now(), &in)) != TDM_DESK_CLIPBOARD_NOTHING) {
        assert_int_not_equal(event, TDM_DESK_CLIPBOARD_GONE);
        step(s, &in);
    }
}

static void pass(struct tdm_control_pipe *pipe, struct side *to)
{
    uint8_t bytes[20000];

    while (tdm_control_pipe_has(pipe)) {
        size_t size = tdm_control_pipe_pull(pipe, bytes, sizeof bytes);

        for (size_t at = 0; at < size;) {
            struct tdm_control_record rec;

            at += tdm_control_pipe_take(pipe, bytes + at, size - at, &rec);
            if (rec.kind != TDM_CONTROL_OTHER)
                step(to, &(struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_RECORD, .record = &rec});
        }
        tdm_control_pipe_acked(pipe, pipe->pulled);
    }
}

static void turn(void)
{
    struct pollfd fds[2] = {{.fd = tdm_desk_clipboard_fd(sides[0].desk), .events = POLLIN},
                            {.fd = tdm_desk_clipboard_fd(sides[1].desk), .events = POLLIN}};

    for (int i = 0; i < 2; i++) {
        hear_desk(&sides[i]);
        pass(&sides[i].small, &sides[!i]);
        pass(&sides[i].bulk, &sides[!i]);
        for (int pieces = 0; sides[i].more && pieces < 64; pieces++) {
            if (tdm_control_pipe_room(&sides[i].bulk) >= TDM_CONTROL_RECORD_MAX)
                step(&sides[i], &(struct tdm_clipboard_in){.kind = TDM_CLIPBOARD_ROOM});
            pass(&sides[i].bulk, &sides[!i]);
        }
        step(&sides[i], NULL);
    }
    if (!sides[0].more && !sides[1].more)
        (void)poll(fds, 2, 5);
}

static pid_t run(const struct side *s, const char *in, const char *to, const char *const *argv)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)setenv("DISPLAY", s->server.display, 1);
        (void)dup2(open(in, O_RDONLY), 0);
        (void)dup2(open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
        (void)dup2(open("/dev/null", O_WRONLY), 2);
        (void)execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    return pid;
}

static const char *path_of(const char *name)
{
    static char paths[2][128];
    static int which;

    which = !which;
    (void)snprintf(paths[which], sizeof paths[which], "%s/%s", folder, name);
    return paths[which];
}

static void write_file(const char *name, const char *bytes, size_t size)
{
    FILE *f = fopen(path_of(name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static bool has_offer(const struct side *s, uint8_t format)
{
    for (uint8_t i = 0; i < s->core.theirs_count; i++)
        if (s->core.theirs[i].format == format)
            return s->core.held;
    return false;
}

static void stop_owner(struct side *s)
{
    if (s->owner > 0) {
        (void)kill(s->owner, SIGTERM);
        (void)waitpid(s->owner, NULL, 0);
    }
    s->owner = 0;
}

/* A program copies what is in the file, as this target. */
static void copy(struct side *s, const char *target, const char *bytes, size_t size)
{
    pid_t before = s->owner;

    /* Sooner it would count as a clipboard manager that takes over. */
    while (s->core.held && now() - s->core.held_at <= TDM_CLIPBOARD_TAKEOVER)
        turn();
    write_file("in", bytes, size);
    s->owner = run(
        s, path_of("in"), "/dev/null",
        (const char *[]){"xclip", "-quiet", "-selection", "clipboard", "-t", target, "-i", NULL});
    if (before > 0) { /* It ends when another program owns the clipboard. */
        for (tdm_time until = now() + LONGEST; waitpid(before, NULL, WNOHANG) == 0;) {
            assert_true(now() < until);
            turn();
        }
    }
}

/* What a program pastes; NULL: it could not. */
static char *paste(struct side *s, const char *target, size_t *size)
{
    static char got[LARGE + 64];
    int status = 0;
    pid_t pid = run(s, "/dev/null", path_of("out"),
                    (const char *[]){"xclip", "-selection", "clipboard", "-t", target, "-o", NULL});

    for (tdm_time until = now() + LONGEST; waitpid(pid, &status, WNOHANG) == 0;) {
        assert_true(now() < until);
        turn();
    }
    FILE *f = fopen(path_of("out"), "r");

    assert_non_null(f);
    *size = fread(got, 1, sizeof got, f);
    (void)fclose(f);
    return status == 0 ? got : NULL;
}

static void expect_across(int from, const char *target, uint8_t format, const char *bytes,
                          size_t size)
{
    struct side *s = &sides[from], *other = &sides[!from];
    uint32_t before = s->offers_sent;
    size_t got_size;

    copy(s, target, bytes, size);
    for (tdm_time until = now() + LONGEST;
         (s->offers_sent == before || !has_offer(other, format)) && now() < until;)
        turn();
    assert_true(has_offer(other, format));
    for (int i = 0; i < 3; i++)
        turn();
    char *got = paste(other, target, &got_size);

    assert_non_null(got);
    assert_int_equal(got_size, size);
    assert_memory_equal(got, bytes, size);
    got = paste(other, target, &got_size); /* Once more: it is kept there. */
    assert_non_null(got);
    assert_int_equal(got_size, size);
}

static void start(uint16_t scopes)
{
    struct tdm_cause cause;

    rights = (struct tdm_clipboard_rights){.scopes = scopes, .seq = 7};
    for (int i = 0; i < 2; i++) {
        struct side *s = &sides[i];

        stop_owner(s);
        assert_int_equal(tdm_desk_clipboard_create(s->server.display, 16u << 20, &s->desk, &cause),
                         TDM_OK);
        tdm_clipboard_init(
            &s->core,
            &(struct tdm_clipboard_config){.host = i == HOST, .origin = 0xabc0 + (uint64_t)i},
            now());
        tdm_control_pipe_init(&s->small);
        tdm_control_pipe_init(&s->bulk);
        s->more = false;
        s->offers_sent = 0;
    }
}

static void stop(void)
{
    for (int i = 0; i < 2; i++) {
        stop_owner(&sides[i]);
        tdm_desk_clipboard_destroy(sides[i].desk);
        sides[i].desk = NULL;
    }
}

#define BOTH (TDM_SCOPE_VIEW | TDM_SCOPE_CLIPBOARD_IN | TDM_SCOPE_CLIPBOARD_OUT)

static void test_both_ways(void **state)
{
    static const char text[] = "Gr\xc3\xbc\xc3\x9f"
                               "e, \xe6\x97\xa5\xe6\x9c\xac";
    static const char html[] = "<b>bold</b>";
    static const char png[] = "\x89PNG\r\n\x1a\n\0\1\2";

    (void)state;
    start(BOTH);
    expect_across(HOST, "UTF8_STRING", TDM_CLIP_TEXT, text, sizeof text - 1);
    expect_across(HELPER, "text/html", TDM_CLIP_HTML, html, sizeof html - 1);
    expect_across(HOST, "image/png", TDM_CLIP_PNG, png, sizeof png - 1);
    expect_across(HELPER, "UTF8_STRING", TDM_CLIP_TEXT, text, sizeof text - 1);
    stop();
}

static void test_large(void **state)
{
    char *bytes = malloc(LARGE);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)('a' + i * 2654435761u % 26);
    start(BOTH);
    expect_across(HOST, "UTF8_STRING", TDM_CLIP_TEXT, bytes, LARGE);
    expect_across(HELPER, "UTF8_STRING", TDM_CLIP_TEXT, bytes, LARGE - 7);
    stop();
    free(bytes);
}

/* What came from the other side is not announced back to it. */
static void test_no_loop(void **state)
{
    (void)state;
    start(BOTH);
    expect_across(HOST, "UTF8_STRING", TDM_CLIP_TEXT, "once", 4);
    for (tdm_time until = now() + 100 * TDM_MS; now() < until;)
        turn();
    assert_int_equal(sides[HOST].offers_sent, 1);
    assert_int_equal(sides[HELPER].offers_sent, 0);
    stop();
}

static void test_only_what_is_allowed(void **state)
{
    size_t size;

    (void)state;
    start(TDM_SCOPE_VIEW | TDM_SCOPE_CLIPBOARD_OUT);
    expect_across(HOST, "UTF8_STRING", TDM_CLIP_TEXT, "out", 3);
    copy(&sides[HELPER], "UTF8_STRING", "in", 2);
    for (tdm_time until = now() + LONGEST; sides[HELPER].core.held && now() < until;)
        turn();
    assert_false(sides[HELPER].core.held); /* It was noticed there, */
    assert_int_equal(sides[HELPER].offers_sent, 0);
    assert_int_equal(sides[HOST].core.theirs_count, 0); /* and never told. */

    /* The end of the grant takes away what could still be pasted. */
    expect_across(HOST, "UTF8_STRING", TDM_CLIP_TEXT, "again", 5);
    rights = (struct tdm_clipboard_rights){.scopes = TDM_SCOPE_VIEW, .seq = 8};
    for (tdm_time until = now() + LONGEST; sides[HELPER].core.held && now() < until;)
        turn();
    assert_null(paste(&sides[HELPER], "UTF8_STRING", &size));
    stop();
}

static int begin(void **state)
{
    (void)state;
    return !mkdtemp(folder) || !x_server_start(&sides[0].server, "64x64x24") ||
           !x_server_start(&sides[1].server, "64x64x24");
}

static int end(void **state)
{
    (void)state;
    x_server_stop(&sides[0].server);
    x_server_stop(&sides[1].server);
    (void)unlink(path_of("in"));
    (void)unlink(path_of("out"));
    (void)rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_no_loop),
        cmocka_unit_test(test_only_what_is_allowed),
    };

    if (access("/usr/bin/Xvfb", X_OK) || access("/usr/bin/xclip", X_OK)) {
        puts("SKIP: no Xvfb or xclip");
        return 77;
    }
    return cmocka_run_group_tests(tests, begin, end);
}
