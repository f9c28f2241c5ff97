/* SPDX-License-Identifier: MIT */
/* A board's document on the disk: there again, as it was, and after a crash at any byte. */
#include "engine/board_doc.h"

#include "engine/io/board_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define EDITS 12

struct place {
    char folder[64], path[96], copy[96];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    const char *under = getenv("TMPDIR");

    assert_non_null(p);
    (void)snprintf(p->folder, sizeof p->folder, "%.40s/board-doc-XXXXXX", under ? under : "/tmp");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof p->path, "%s/a.board", p->folder);
    (void)snprintf(p->copy, sizeof p->copy, "%s/b.board", p->folder);
    *state = p;
    return 0;
}

static int leave_place(void **state)
{
    struct place *p = *state;
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static struct tdm_board_doc *open_doc(const char *path, const struct tdm_board_doc_config *more,
                                      struct tdm_board_doc_found *found)
{
    struct tdm_board_doc_config config =
        more ? *more : (struct tdm_board_doc_config){.create = true};
    struct tdm_board_doc *doc = NULL;
    struct tdm_cause cause = {""};

    config.path = path;
    if (tdm_board_doc_open(&doc, &config, found, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return doc;
}

static struct tdm_board_id add_at(struct tdm_board_doc *doc, int32_t x)
{
    const struct tdm_board_value values[] = {tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
                                             tdm_board_int(TDM_PROP_X, x)};
    struct tdm_board_id id;

    assert_int_equal(tdm_board_doc_room(doc, TDM_BOARD_ROOM), TDM_OK);
    assert_int_equal(tdm_board_add(tdm_board_doc_board(doc), TDM_BOARD_RECTANGLE, values, 2, &id),
                     TDM_OK);
    return id;
}

static unsigned count_of(struct tdm_board_doc *doc)
{
    const struct tdm_board *b = tdm_board_doc_board(doc);
    unsigned count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(b, TDM_BOARD_FIRST_PAGE); o;
         o = tdm_board_above(o))
        count++;
    return count;
}

static void digest_of(struct tdm_board_doc *doc, uint8_t digest[TDM_BOARD_DIGEST_BYTES])
{
    tdm_board_digest(tdm_board_doc_board(doc), digest);
}

static void save(struct tdm_board_doc *doc)
{
    struct tdm_cause cause = {""};

    if (tdm_board_doc_save(doc, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
}

static void test_there_again(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc_found found;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, &found);
    uint8_t before[TDM_BOARD_DIGEST_BYTES], after[TDM_BOARD_DIGEST_BYTES], id[16], again[16];

    assert_true(found.created);
    tdm_board_doc_id(doc, id);
    for (int i = 0; i < EDITS; i++)
        (void)add_at(doc, i);
    digest_of(doc, before);
    tdm_board_doc_close(doc);

    doc = open_doc(p->path, NULL, &found);
    digest_of(doc, after);
    assert_memory_equal(before, after, sizeof before);
    tdm_board_doc_id(doc, again);
    assert_memory_equal(id, again, sizeof id);
    assert_false(found.created || found.was_open || found.lost_content);
    assert_int_equal(found.ops, EDITS);
    assert_int_equal(found.holes + found.lost + found.refused, 0);
    assert_true(found.first_ms > 0 && found.last_ms >= found.first_ms);

    /* A second one is refused as long as the first has it. */
    struct tdm_board_doc *other;
    struct tdm_cause cause;

    assert_int_equal(
        tdm_board_doc_open(&other, &(struct tdm_board_doc_config){.path = p->path}, NULL, &cause),
        TDM_E_DENIED);
    tdm_board_doc_close(doc);
}

static void test_step_journals(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc_found found;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);

    assert_true(tdm_board_doc_step(doc, TDM_S) == TDM_NEVER);
    (void)add_at(doc, 1);
    tdm_time wake = tdm_board_doc_step(doc, TDM_S);

    assert_true(wake > TDM_S && wake <= 2 * TDM_S);
    assert_true(tdm_board_doc_step(doc, wake) == TDM_NEVER);

    /* Another program looks, while this one has it open. */
    struct tdm_board_doc *other =
        open_doc(p->path, &(struct tdm_board_doc_config){.read_only = true}, &found);

    assert_int_equal(count_of(other), 1);
    assert_true(found.was_open);
    tdm_board_doc_close(other);
    tdm_board_doc_close(doc);
}

static void test_read_only_changes_nothing(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    uint8_t hash[TDM_SHA256_BYTES];
    struct tdm_cause cause;
    struct stat before, after;

    (void)add_at(doc, 1);
    tdm_board_doc_close(doc);
    assert_int_equal(stat(p->path, &before), 0);
    doc = open_doc(p->path, &(struct tdm_board_doc_config){.read_only = true}, NULL);
    (void)add_at(doc, 2);
    assert_int_equal(tdm_board_doc_save(doc, &cause), TDM_OK);
    assert_int_equal(tdm_board_doc_blob_put(doc, "x", 1, hash, &cause), TDM_E_DENIED);
    assert_int_equal(tdm_board_doc_compact(doc, &cause), TDM_E_DENIED);
    tdm_board_doc_close(doc);
    assert_int_equal(stat(p->path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);

    /* And what is not there is not made. */
    assert_int_equal(
        tdm_board_doc_open(&doc, &(struct tdm_board_doc_config){.path = p->copy}, NULL, &cause),
        TDM_E_GONE);
}

/* Two documents of which one gets what the other made: both journals have it. */
static void test_others_work_is_journaled(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *a = open_doc(p->path, NULL, NULL), *b = open_doc(p->copy, NULL, NULL);
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES];
    struct tdm_board_id id = add_at(a, 5);
    size_t size;
    const uint8_t *records = tdm_board_fresh(tdm_board_doc_board(a), &size);

    assert_int_equal(tdm_board_doc_apply(b, records, size), TDM_OK);
    save(a);
    assert_int_equal(tdm_board_set(tdm_board_doc_board(b), id,
                                   &(struct tdm_board_value){.prop = TDM_PROP_X, .number = 7}, 1),
                     TDM_OK);
    records = tdm_board_fresh(tdm_board_doc_board(b), &size);
    assert_int_equal(tdm_board_doc_apply(a, records, size), TDM_OK);
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
    a = open_doc(p->path, NULL, NULL);
    b = open_doc(p->copy, NULL, NULL);
    digest_of(a, one);
    digest_of(b, two);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(count_of(a), 1);
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
}

/* Both edit within one turn of the journal. */
static void test_edits_around_others_work(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *a = open_doc(p->path, NULL, NULL), *b = open_doc(p->copy, NULL, NULL);
    uint8_t before[TDM_BOARD_DIGEST_BYTES], after[TDM_BOARD_DIGEST_BYTES];
    struct tdm_board_doc_found found;
    size_t size, taken = 0;

    for (int i = 0; i < 4; i++) {
        (void)add_at(a, i);
        (void)add_at(b, 100 + i);
        const uint8_t *records = tdm_board_fresh(tdm_board_doc_board(b), &size);

        assert_int_equal(tdm_board_doc_apply(a, records + taken, size - taken), TDM_OK);
        taken = size;
    }
    digest_of(a, before);
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
    a = open_doc(p->path, NULL, &found);
    digest_of(a, after);
    assert_int_equal(count_of(a), 8);
    assert_int_equal(found.lost + found.refused, 0);
    assert_memory_equal(before, after, sizeof before);
    tdm_board_doc_close(a);
}

/* What was merged is known as such the next time, too. */
static void test_merge_is_journaled(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *a = open_doc(p->path, NULL, NULL), *b = open_doc(p->copy, NULL, NULL);
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES];
    struct tdm_cause cause;

    (void)add_at(a, 1);
    (void)add_at(b, 2);
    assert_int_equal(tdm_board_doc_merge(a, b, &cause), TDM_OK);
    assert_int_equal(tdm_board_doc_merge(b, a, &cause), TDM_OK);
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
    a = open_doc(p->path, NULL, NULL);
    b = open_doc(p->copy, NULL, NULL);
    digest_of(a, one);
    digest_of(b, two);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(count_of(a), 2);
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
}

static uint8_t *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);

    assert_non_null(file);
    assert_non_null(data);
    *size = fread(data, 1, 1 << 20, file);
    assert_int_equal(fclose(file), 0);
    return data;
}

static void write_all(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* The file ends after any of its bytes: all whole records are there, the rest is cut off, and what
 * is drawn then is there the next time. */
static void test_crash_at_any_byte(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    struct tdm_board_doc_found found;
    size_t ends[EDITS], size;
    struct stat s;

    for (int i = 0; i < EDITS; i++) {
        (void)add_at(doc, i);
        save(doc);
        assert_int_equal(stat(p->path, &s), 0);
        ends[i] = (size_t)s.st_size;
    }
    tdm_board_doc_close(doc);
    uint8_t *data = read_all(p->path, &size);

    for (size_t cut = 0; cut <= size; cut++) {
        unsigned whole = 0;

        while (whole < EDITS && ends[whole] <= cut)
            whole++;
        write_all(p->copy, data, cut);
        if (cut >= TDM_JOURNAL_HEAD_BYTES) {
            doc = open_doc(p->copy, &(struct tdm_board_doc_config){.read_only = true}, &found);
            assert_int_equal(count_of(doc), whole);
            assert_int_equal(found.was_open, cut < size && found.records > 0);
            tdm_board_doc_close(doc);
        }
        if (cut % 64 != 39) /* The disk is slow. */
            continue;
        doc = open_doc(p->copy, NULL, NULL);
        (void)add_at(doc, 1000);
        tdm_board_doc_close(doc);
        doc = open_doc(p->copy, NULL, &found);
        assert_int_equal(count_of(doc), whole + 1);
        assert_int_equal(found.lost, 0);
        tdm_board_doc_close(doc);
    }
    free(data);
}

/* A byte in the middle is spoiled: what one record said is lost, and said to be. */
static void test_spoiled(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    struct tdm_board_doc_found found;
    size_t at = 0, size;
    struct stat s;

    for (int i = 0; i < EDITS; i++) {
        (void)add_at(doc, i);
        save(doc);
        if (i == EDITS / 2) {
            assert_int_equal(stat(p->path, &s), 0);
            at = (size_t)s.st_size - 1;
        }
    }
    tdm_board_doc_close(doc);
    uint8_t *data = read_all(p->path, &size);

    data[at] ^= 0x40;
    write_all(p->copy, data, size);
    free(data);
    doc = open_doc(p->copy, NULL, &found);
    assert_int_equal(found.holes, 1);
    assert_true(found.lost > 0 && found.lost_content);
    assert_true(count_of(doc) >= EDITS / 2);
    tdm_board_doc_close(doc);
}

/* Much was done at once: a spoiled byte costs a part of it. */
static void test_spoiled_in_a_batch(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    struct tdm_board_doc_found found;
    const int count = 2000;
    size_t size;

    for (int i = 0; i < count; i++) {
        (void)add_at(doc, i);
        (void)tdm_board_doc_step(doc, 1); /* Too early to write. */
    }
    tdm_board_doc_close(doc);
    uint8_t *data = read_all(p->path, &size);

    data[size * 3 / 4] ^= 0x40;
    write_all(p->copy, data, size);
    free(data);
    doc = open_doc(p->copy, NULL, &found);
    print_message("%d of %d, %zu lost\n", count_of(doc), count, (size_t)found.lost);
    assert_int_equal(found.holes, 1);
    assert_true(found.lost < size / 4 && found.lost_content);
    assert_true(count_of(doc) >= count / 2);
    tdm_board_doc_close(doc);
}

static void test_as_it_was(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    struct tdm_board_doc_found found;
    int64_t first, last, wall = 0;
    unsigned records = 0;

    (void)add_at(doc, 1);
    save(doc);
    first = tdm_board_file_wall_ms();
    do /* The clock has a next millisecond. */
        (void)usleep(1000);
    while ((last = tdm_board_file_wall_ms()) == first);
    (void)add_at(doc, 2);
    save(doc);
    tdm_board_doc_close(doc);

    doc = open_doc(p->path, &(struct tdm_board_doc_config){.until_ms = first}, &found);
    assert_int_equal(count_of(doc), 1);
    assert_true(found.first_ms <= first && found.last_ms >= last);
    tdm_board_doc_close(doc);
    doc = open_doc(p->path, &(struct tdm_board_doc_config){.until_ms = last + 60000}, NULL);
    assert_int_equal(count_of(doc), 2);
    tdm_board_doc_close(doc);

    doc = open_doc(p->path, &(struct tdm_board_doc_config){.replay = true}, NULL);
    assert_int_equal(count_of(doc), 0);
    while (tdm_board_doc_replay(doc, &wall)) {
        records++;
        assert_int_equal(count_of(doc), records);
        assert_true(records == 1 ? wall <= first : wall >= last);
    }
    assert_int_equal(records, 2);
    tdm_board_doc_close(doc);
}

static void test_compact(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    uint8_t shown[TDM_SHA256_BYTES], unseen[TDM_SHA256_BYTES], before[TDM_BOARD_DIGEST_BYTES],
        after[TDM_BOARD_DIGEST_BYTES], *data;
    struct tdm_board_id id = add_at(doc, 0);
    struct tdm_cause cause;
    struct stat large, small;
    size_t size;

    for (int i = 1; i < 500; i++) {
        const struct tdm_board_value x = tdm_board_int(TDM_PROP_X, i);

        assert_int_equal(tdm_board_set(tdm_board_doc_board(doc), id, &x, 1), TDM_OK);
    }
    assert_int_equal(tdm_board_doc_blob_put(doc, "one", 3, shown, &cause), TDM_OK);
    assert_int_equal(tdm_board_doc_blob_put(doc, "two", 3, unseen, &cause), TDM_OK);
    const struct tdm_board_value image = tdm_board_bytes(TDM_PROP_IMAGE, shown, sizeof shown);

    assert_int_equal(tdm_board_set(tdm_board_doc_board(doc), id, &image, 1), TDM_OK);
    save(doc);
    assert_int_equal(stat(p->path, &large), 0);
    assert_int_equal(tdm_board_doc_compact(doc, &cause), TDM_OK);
    assert_int_equal(stat(p->path, &small), 0);
    assert_true(small.st_size * 4 < large.st_size);
    assert_true(tdm_board_doc_blob_has(doc, shown));
    assert_false(tdm_board_doc_blob_has(doc, unseen));
    assert_int_equal(tdm_board_doc_blob_get(doc, shown, &data, &size, &cause), TDM_OK);
    assert_memory_equal(data, "one", 3);
    free(data);
    (void)add_at(doc, 3);
    digest_of(doc, before);
    tdm_board_doc_close(doc);
    doc = open_doc(p->path, NULL, NULL);
    digest_of(doc, after);
    assert_memory_equal(before, after, sizeof before);
    tdm_board_doc_close(doc);
}

/* Much work: there is a snapshot in between, and a spoiled begin loses nothing. */
static void test_snapshot_covers_holes(void **state)
{
    const struct place *p = *state;
    struct tdm_board_doc *doc = open_doc(p->path, NULL, NULL);
    struct tdm_board_doc_found found;
    struct tdm_board_id id = add_at(doc, 0);
    int writer;

    for (int32_t i = 1; i <= 60000; i++) {
        const struct tdm_board_value x = tdm_board_int(TDM_PROP_X, i);
        enum tdm_err err = tdm_board_set(tdm_board_doc_board(doc), id, &x, 1);

        if (err == TDM_E_AGAIN || err == TDM_E_SPACE) {
            save(doc);
            assert_int_equal(tdm_board_doc_room(doc, TDM_BOARD_ROOM), TDM_OK);
            assert_int_equal(tdm_board_set(tdm_board_doc_board(doc), id, &x, 1), TDM_OK);
        } else {
            assert_int_equal(err, TDM_OK);
        }
    }
    tdm_board_doc_close(doc);
    writer = open(p->path, O_WRONLY);
    assert_true(writer >= 0);
    assert_int_equal(pwrite(writer, "spoiled", 7, 5000), 7);
    assert_int_equal(close(writer), 0);
    doc = open_doc(p->path, NULL, &found);
    assert_true(found.holes > 0);
    assert_false(found.lost_content);
    struct tdm_board_view view;

    tdm_board_read(tdm_board_doc_board(doc), tdm_board_find(tdm_board_doc_board(doc), id), &view);
    assert_int_equal(view.x, 60000);
    tdm_board_doc_close(doc);
}

static void test_in_memory(void **state)
{
    struct tdm_board_doc *doc = open_doc(NULL, NULL, NULL);
    uint8_t hash[TDM_SHA256_BYTES], *data;
    struct tdm_cause cause;
    size_t size;

    (void)state;
    (void)add_at(doc, 1);
    save(doc);
    assert_int_equal(tdm_board_doc_blob_put(doc, "pixels", 6, hash, &cause), TDM_OK);
    assert_true(tdm_board_doc_blob_has(doc, hash));
    assert_int_equal(tdm_board_doc_blob_get(doc, hash, &data, &size, &cause), TDM_OK);
    assert_int_equal(size, 6);
    assert_memory_equal(data, "pixels", 6);
    free(data);
    assert_int_equal(count_of(doc), 1);
    tdm_board_doc_close(doc);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, leave_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(test_there_again),
        IN_PLACE(test_step_journals),
        IN_PLACE(test_read_only_changes_nothing),
        IN_PLACE(test_others_work_is_journaled),
        IN_PLACE(test_edits_around_others_work),
        IN_PLACE(test_merge_is_journaled),
        IN_PLACE(test_crash_at_any_byte),
        IN_PLACE(test_spoiled),
        IN_PLACE(test_spoiled_in_a_batch),
        IN_PLACE(test_as_it_was),
        IN_PLACE(test_compact),
        IN_PLACE(test_snapshot_covers_holes),
        cmocka_unit_test(test_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
