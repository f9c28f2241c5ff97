/* SPDX-License-Identifier: MIT */
/* Requests of programs on a document: each of them, and that what is refused has changed nothing.
 */
#include "engine/board_request.h"
#include "tests/unit/collab/board_sides.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct board_side side;
static size_t blocks_left;

static bool relieve(void *arg, enum tdm_err err)
{
    struct board_side *s = arg;

    if (err == TDM_E_AGAIN) {
        tdm_board_fresh_done(s->board);
        return true;
    }
    if (!blocks_left)
        return false;
    blocks_left--;
    side_give(s);
    return true;
}

static const struct tdm_board_desk *desk(void)
{
    static struct tdm_board_desk d;

    d = (struct tdm_board_desk){.board = side.board, .relieve = relieve, .arg = &side};
    return &d;
}

static int open_side(void **state)
{
    (void)state;
    blocks_left = 100;
    side_open(&side, 10);
    return 0;
}

static int close_side(void **state)
{
    (void)state;
    side_close(&side);
    return 0;
}

static enum tdm_err ask_json(json_t *request, json_t **answer)
{
    struct tdm_cause cause = {""};
    enum tdm_err err;

    assert_non_null(request);
    *answer = NULL;
    err = tdm_board_request_do(desk(), request, answer, &cause);
    json_decref(request);
    assert_true(err == TDM_OK ? *answer && !cause.text[0] : !*answer && cause.text[0]);
    return err;
}

/* What a request that must succeed says; the caller's. */
static json_t *ask(const char *text)
{
    json_error_t error;
    json_t *answer;

    if (ask_json(json_loads(text, 0, &error), &answer) != TDM_OK)
        fail_msg("%s", text);
    return answer;
}

static void ask_alone(const char *text)
{
    json_decref(ask(text));
}

/* The object that a request made. */
static const char *make(const char *text, char id[24])
{
    json_t *answer = ask(text);

    (void)snprintf(id, 24, "%s", json_string_value(json_object_get(answer, "object")));
    json_decref(answer);
    return id;
}

/* Refuses, and everything is as it was. */
static void refuse_json(json_t *request, enum tdm_err expected)
{
    uint8_t before[TDM_BOARD_DIGEST_BYTES], after[TDM_BOARD_DIGEST_BYTES];
    bool undo = tdm_board_can_undo(side.board), redo = tdm_board_can_redo(side.board);
    json_t *answer;

    tdm_board_digest(side.board, before);
    assert_int_equal(ask_json(request, &answer), expected);
    tdm_board_digest(side.board, after);
    assert_memory_equal(before, after, sizeof before);
    assert_true(undo == tdm_board_can_undo(side.board) && redo == tdm_board_can_redo(side.board));
}

static void refuse(const char *text, enum tdm_err expected)
{
    refuse_json(json_loads(text, 0, NULL), expected);
}

static json_t *get(const char *id)
{
    char text[80];

    (void)snprintf(text, sizeof text, "{\"do\": \"get\", \"object\": \"%s\"}", id);
    return ask(text);
}

static double number_of(const char *id, const char *member)
{
    json_t *all = get(id);
    double value = json_number_value(json_object_get(all, member));

    json_decref(all);
    return value;
}

static void check_text(const char *id, const char *expected)
{
    json_t *all = get(id);

    assert_string_equal(json_string_value(json_object_get(all, "text")), expected);
    json_decref(all);
}

static void test_objects(void **state)
{
    char note[24], pen[24], text[200];

    (void)state;
    make("{\"do\": \"add\", \"type\": \"note\", \"x\": 10, \"text\": \"h\\u00e9\"}", note);
    (void)snprintf(text, sizeof text, "{\"do\": \"set\", \"object\": \"%s\", \"x\": 20.5}", note);
    ask_alone(text);
    assert_true(number_of(note, "x") == 20.5);
    (void)snprintf(text, sizeof text,
                   "{\"do\": \"text\", \"object\": \"%s\", \"at\": 1, \"delete\": 1, "
                   "\"insert\": \"ola\"}",
                   note);
    ask_alone(text);
    check_text(note, "hola");
    ask_alone("{\"do\": \"undo\"}");
    check_text(note, "h\xc3\xa9");
    ask_alone("{\"do\": \"redo\"}");
    check_text(note, "hola");
    (void)snprintf(text, sizeof text, "{\"do\": \"text\", \"object\": \"%s\", \"text\": \"new\"}",
                   note);
    ask_alone(text);
    check_text(note, "new");

    make("{\"do\": \"add\", \"type\": \"pen\", \"points\": [[0, 0], [1, 2]], \"done\": false}",
         pen);
    (void)snprintf(text, sizeof text,
                   "{\"do\": \"ink\", \"object\": \"%s\", \"points\": [[3, 4, 200, 8]], "
                   "\"done\": true}",
                   pen);
    ask_alone(text);
    json_t *all = get(pen);

    assert_int_equal(json_array_size(json_object_get(all, "points")), 3);
    json_decref(all);
    refuse(text, TDM_E_DENIED); /* It is finished. */

    (void)snprintf(text, sizeof text, "{\"do\": \"delete\", \"objects\": [\"%s\", \"%s\"]}", note,
                   pen);
    ask_alone(text);
    json_t *list = ask("{\"do\": \"list\"}");

    assert_int_equal(json_array_size(json_object_get(list, "objects")), 0);
    json_decref(list);
    ask_alone("{\"do\": \"undo\"}"); /* One step. */
    list = ask("{\"do\": \"list\", \"page\": 0, \"whole\": true}");
    assert_int_equal(json_array_size(json_object_get(list, "objects")), 2);
    json_decref(list);
}

static void test_pages(void **state)
{
    char page[24];

    (void)state;
    make("{\"do\": \"page\", \"name\": \"second\", \"background\": \"#ffffee\"}", page);
    json_t *pages = ask("{\"do\": \"pages\"}");

    assert_int_equal(json_array_size(json_object_get(pages, "objects")), 2);
    json_decref(pages);
    ask_alone("{\"do\": \"add\", \"type\": \"line\", \"page\": 1}");
    json_t *list = ask("{\"do\": \"list\", \"page\": 1}");

    assert_int_equal(json_array_size(json_object_get(list, "objects")), 1);
    json_decref(list);
    refuse("{\"do\": \"list\", \"page\": 2}", TDM_E_GONE);
    char text[100];

    (void)snprintf(text, sizeof text, "{\"do\": \"order\", \"object\": \"%s\", \"to\": \"back\"}",
                   page);
    ask_alone(text);
    pages = ask("{\"do\": \"pages\"}");
    json_t *first = json_array_get(json_object_get(pages, "objects"), 0);

    assert_string_equal(json_string_value(json_object_get(first, "object")), page);
    json_decref(pages);
}

/* The page's objects from the lowest up, by their x: "0 1 2". */
static void check_order(const char *expected)
{
    json_t *list = ask("{\"do\": \"list\"}"), *item;
    char found[64] = "";
    size_t i;

    json_array_foreach(json_object_get(list, "objects"), i, item)
    {
        size_t used = strlen(found);

        if (strcmp(json_string_value(json_object_get(item, "type")), "group") != 0)
            (void)snprintf(found + used, sizeof found - used, "%s%g", used ? " " : "",
                           json_number_value(json_object_get(item, "x")));
    }
    json_decref(list);
    assert_string_equal(found, expected);
}

static void order(const char *first, const char *second, const char *to)
{
    char text[160];

    (void)snprintf(text, sizeof text,
                   "{\"do\": \"order\", \"objects\": [\"%s\", \"%s\"], \"to\": \"%s\"}", first,
                   second, to);
    ask_alone(text);
}

static void test_order_and_groups(void **state)
{
    char ids[5][24], text[200], group[24];

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"do\": \"add\", \"type\": \"rectangle\", \"x\": %d, \"w\": 5}", i);
        make(text, ids[i]);
    }
    order(ids[1], ids[0], "front");
    check_order("2 3 4 0 1");
    order(ids[0], ids[4], "backward");
    check_order("2 4 0 3 1");
    order(ids[2], ids[0], "forward");
    check_order("4 3 2 0 1");
    order(ids[1], ids[2], "back");
    check_order("2 1 4 3 0");
    ask_alone("{\"do\": \"undo\"}");
    check_order("4 3 2 0 1");
    order(ids[1], ids[1], "front"); /* It is there. */
    check_order("4 3 2 0 1");

    (void)snprintf(text, sizeof text, "{\"do\": \"group\", \"objects\": [\"%s\", \"%s\"]}", ids[3],
                   ids[0]);
    make(text, group);
    (void)snprintf(text, sizeof text, "{\"do\": \"move\", \"object\": \"%s\", \"x\": 10, \"y\": 1}",
                   group);
    ask_alone(text);
    check_order("4 13 2 10 1");
    (void)snprintf(text, sizeof text, "{\"do\": \"order\", \"object\": \"%s\", \"to\": \"back\"}",
                   group);
    ask_alone(text);
    check_order("13 10 4 2 1");
    (void)snprintf(text, sizeof text, "{\"do\": \"ungroup\", \"object\": \"%s\"}", group);
    ask_alone(text);
    refuse(text, TDM_E_GONE);
    json_t *all = get(ids[3]);

    assert_null(json_object_get(all, "group"));
    json_decref(all);
    (void)snprintf(text, sizeof text, "{\"do\": \"group\", \"object\": \"%s\"}", ids[3]);
    refuse(text, TDM_E_MALFORMED);
    (void)snprintf(text, sizeof text, "{\"do\": \"order\", \"object\": \"%s\", \"to\": \"up\"}",
                   ids[3]);
    refuse(text, TDM_E_MALFORMED);
}

static void test_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        enum tdm_err err;
    } rows[] = {
        {"{}", TDM_E_MALFORMED},
        {"{\"do\": 7}", TDM_E_MALFORMED},
        {"{\"do\": \"dance\"}", TDM_E_UNSUPPORTED},
        {"{\"do\": \"add\"}", TDM_E_MALFORMED},
        {"{\"do\": \"add\", \"type\": \"cloud\"}", TDM_E_MALFORMED},
        {"{\"do\": \"add\", \"type\": \"note\", \"x\": \"far\"}", TDM_E_MALFORMED},
        {"{\"do\": \"add\", \"type\": \"note\", \"page\": 9}", TDM_E_GONE},
        {"{\"do\": \"add\", \"type\": \"note\", \"text\": 5}", TDM_E_MALFORMED},
        {"{\"do\": \"add\", \"type\": \"pen\", \"points\": [[0, 0], [1]]}", TDM_E_MALFORMED},
        {"{\"do\": \"add\", \"type\": \"pen\", \"points\": {}}", TDM_E_MALFORMED},
        {"{\"do\": \"set\", \"object\": \"a.1\", \"x\": 1}", TDM_E_GONE},
        {"{\"do\": \"set\", \"object\": \"here\"}", TDM_E_MALFORMED},
        {"{\"do\": \"get\", \"object\": \"0000000b.9\"}", TDM_E_GONE},
        {"{\"do\": \"ink\", \"object\": \"0000000b.9\", \"points\": []}", TDM_E_GONE},
        {"{\"do\": \"text\", \"object\": \"0000000b.9\", \"text\": \"\"}", TDM_E_GONE},
        {"{\"do\": \"delete\", \"objects\": [\"0000000b.9\"]}", TDM_E_GONE},
        {"{\"do\": \"delete\", \"objects\": 3}", TDM_E_MALFORMED},
        {"{\"do\": \"move\", \"objects\": []}", TDM_E_MALFORMED},
        {"{\"do\": \"undo\"}", TDM_E_GONE},
        {"{\"do\": \"redo\"}", TDM_E_GONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(rows[i].text, rows[i].err);
    char note[24], text[300];

    make("{\"do\": \"add\", \"type\": \"note\", \"text\": \"kept\"}", note);
    (void)snprintf(text, sizeof text, "{\"do\": \"delete\", \"objects\": [\"%s\", \"0000000b.9\"]}",
                   note);
    refuse(text, TDM_E_GONE);
    (void)snprintf(text, sizeof text, "{\"do\": \"move\", \"object\": \"%s\", \"x\": 1}", note);
    refuse(text, TDM_E_MALFORMED);
}

/* Large ones do not stop in the middle: too many characters, points; no memory for all. */
static void test_whole_or_not_at_all(void **state)
{
    size_t most = TDM_BOARD_TEXT_MAX;
    char *long_text = malloc(most + 2);
    char note[24], pen[24];
    json_t *answer, *points = json_array();

    (void)state;
    assert_non_null(long_text);
    memset(long_text, 'x', most + 1);
    long_text[most + 1] = '\0';
    blocks_left = 0; /* There is not enough for all of it: for nothing. */
    long_text[most] = '\0';
    refuse_json(json_pack("{s:s, s:s, s:s}", "do", "add", "type", "text", "text", long_text),
                TDM_E_SPACE);
    long_text[most] = 'x';
    blocks_left = 100;
    make("{\"do\": \"add\", \"type\": \"note\", \"text\": \"kept\"}", note);
    refuse_json(json_pack("{s:s, s:s, s:s}", "do", "add", "type", "text", "text", long_text),
                TDM_E_DENIED);
    long_text[most - 3] = '\0'; /* One more than what is left beside "kept". */
    refuse_json(json_pack("{s:s, s:s, s:s}", "do", "text", "object", note, "text", long_text),
                TDM_E_DENIED);
    check_text(note, "kept");
    long_text[most - 4] = '\0';
    assert_int_equal(
        ask_json(json_pack("{s:s, s:s, s:s}", "do", "text", "object", note, "text", long_text),
                 &answer),
        TDM_OK);
    json_decref(answer);
    check_text(note, long_text);

    make("{\"do\": \"add\", \"type\": \"pen\", \"points\": [[0, 0]], \"done\": false}", pen);
    for (int i = 0; i < TDM_BOARD_POINTS_MAX; i++)
        (void)json_array_append_new(points, json_pack("[i, i]", i % 100, i % 77));
    refuse_json(json_pack("{s:s, s:s, s:O}", "do", "ink", "object", pen, "points", points),
                TDM_E_DENIED);
    (void)json_array_remove(points, 0);
    assert_int_equal(
        ask_json(json_pack("{s:s, s:s, s:O}", "do", "ink", "object", pen, "points", points),
                 &answer),
        TDM_OK);
    json_decref(answer);
    json_t *all = get(pen);

    assert_int_equal(json_array_size(json_object_get(all, "points")), TDM_BOARD_POINTS_MAX);
    json_decref(all);
    json_decref(points);
    free(long_text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_side, close_side)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_objects),
        TEST(test_pages),
        TEST(test_order_and_groups),
        TEST(test_what_is_wrong),
        TEST(test_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
