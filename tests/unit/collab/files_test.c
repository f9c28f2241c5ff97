/* SPDX-License-Identifier: MIT */
#include "collab/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JOBS  128
#define KINDS (TDM_FILE_END + 1)

static const uint8_t ann[TDM_FILES_PEER_BYTES] = "ann", bob[TDM_FILES_PEER_BYTES] = "bob";

/* One core, whose peer and disk the test plays. */
static struct {
    struct tdm_files *core;
    tdm_time now, wake_at;
    struct tdm_files_job jobs[JOBS];
    uint32_t job_count;
    uint32_t events[TDM_FILES_EV_ENDED + 1];
    struct tdm_files_out last[TDM_FILES_EV_ENDED + 1]; /* Of each kind of event. */
    uint32_t said[KINDS];
    struct tdm_file_message message[KINDS];
} t;

static uint32_t step(struct tdm_files_in in)
{
    struct tdm_files_out out;
    uint32_t transfer = 0;

    for (bool first = true; first || out.wake_at <= t.now; first = false) {
        tdm_files_step(t.core, t.now, first ? &in : NULL, &out);
        assert_false(out.failed);
        if (first)
            transfer = out.transfer;
        if (out.job.kind)
            t.jobs[t.job_count++] = out.job;
        t.events[out.event]++;
        t.last[out.event] = out;
    }
    t.wake_at = out.wake_at;
    return transfer;
}

static void say(struct tdm_file_message m)
{
    uint8_t bytes[TDM_FILE_MESSAGE_MAX];

    step((struct tdm_files_in){
        .kind = TDM_FILES_CONTROL, .data = bytes, .size = tdm_file_message_write(&m, bytes)});
}

/* Counts what it says since the last time. */
static void listen(void)
{
    static uint8_t bytes[1 << 17];
    struct tdm_files_in in = {.kind = TDM_FILES_PULL_CONTROL, .room = bytes, .size = sizeof bytes};
    struct tdm_files_out out;

    memset(t.said, 0, sizeof t.said);
    tdm_files_step(t.core, t.now, &in, &out);
    for (size_t at = 0; at < out.filled;) {
        size_t size = (size_t)(bytes[at + 1] << 8 | bytes[at + 2]);
        struct tdm_file_message m;

        assert_int_equal(
            tdm_file_message_parse(&m, bytes[at], bytes + at + TDM_FILE_MESSAGE_HEAD, size),
            TDM_OK);
        t.said[m.kind]++;
        t.message[m.kind] = m;
        at += TDM_FILE_MESSAGE_HEAD + size;
    }
}

static void meet_with(const uint8_t *peer, uint16_t offers_max)
{
    step((struct tdm_files_in){.kind = TDM_FILES_LINK_UP, .peer = peer});
    say((struct tdm_file_message){
        .kind = TDM_FILE_HELLO, .version = TDM_FILES_VERSION, .offers_max = offers_max});
    listen();
}

static void meet(const uint8_t *peer)
{
    meet_with(peer, TDM_FILES_OFFERS_MAX);
}

static struct tdm_file_desc file(uint8_t number)
{
    struct tdm_file_desc desc = {.size = 1000000, .root = {number}, .type = "text/plain"};

    (void)snprintf(desc.name, sizeof desc.name, "file %u", number);
    return desc;
}

static uint32_t send_file(uint8_t number)
{
    struct tdm_file_desc desc = file(number);

    return step((struct tdm_files_in){.kind = TDM_FILES_OFFER, .desc = &desc});
}

static void offer(uint64_t id, uint8_t number)
{
    memset(t.events, 0, sizeof t.events);
    say((struct tdm_file_message){.kind = TDM_FILE_OFFER, .id = id, .desc = file(number)});
    listen();
}

static void wish(enum tdm_files_input kind, uint32_t transfer)
{
    step((struct tdm_files_in){.kind = kind, .transfer = transfer, .keep = true});
}

/* The disk does the oldest job, which is this one. */
static void disk(enum tdm_files_job_kind kind, enum tdm_files_result result)
{
    struct tdm_files_job job = t.jobs[0];
    struct tdm_files_done done = {
        .kind = kind, .transfer = job.transfer, .slot = job.slot, .result = result, .count = 1};

    assert_true(t.job_count > 0);
    assert_int_equal(job.kind, kind);
    memmove(t.jobs, t.jobs + 1, --t.job_count * sizeof job);
    memset(t.events, 0, sizeof t.events);
    if (kind != TDM_FILES_JOB_CLOSE)
        step((struct tdm_files_in){.kind = TDM_FILES_DONE, .done = &done});
}

static int begin(void **state)
{
    static void *storage;
    struct tdm_files_config config = {.seed = 7};

    (void)state;
    if (!storage)
        storage = malloc(tdm_files_bytes());
    memset(&t, 0, sizeof t);
    t.core = tdm_files_init(storage, &config);
    return storage ? 0 : -1;
}

static void a_file_is_offered_only_to_whom_it_was_first(void **state)
{
    (void)state;
    uint32_t first = send_file(1);

    meet(ann);
    assert_int_equal(t.said[TDM_FILE_OFFER], 1);
    (void)send_file(2);
    listen();
    assert_int_equal(t.said[TDM_FILE_OFFER], 1);

    meet(bob);
    assert_int_equal(t.said[TDM_FILE_OFFER], 0);
    wish(TDM_FILES_PAUSE, first);
    wish(TDM_FILES_CANCEL, first);
    listen();
    assert_int_equal(t.said[TDM_FILE_PAUSE] + t.said[TDM_FILE_END], 0);

    meet(ann);
    assert_int_equal(t.said[TDM_FILE_OFFER], 1);
    assert_string_equal(t.message[TDM_FILE_OFFER].desc.name, "file 2");
    assert_int_equal(t.said[TDM_FILE_END], 1);
}

static void another_peer_cannot_ask_for_it(void **state)
{
    (void)state;
    (void)send_file(1);
    meet(ann);
    uint64_t id = t.message[TDM_FILE_OFFER].id;

    meet(bob);
    say((struct tdm_file_message){.kind = TDM_FILE_ACCEPT, .id = id});
    say((struct tdm_file_message){.kind = TDM_FILE_WANT, .id = id, .first = 0, .count = 1});
    assert_int_equal(t.events[TDM_FILES_EV_ACCEPTED], 0);
    assert_int_equal(t.job_count, 0);

    meet(ann);
    say((struct tdm_file_message){.kind = TDM_FILE_ACCEPT, .id = id});
    say((struct tdm_file_message){.kind = TDM_FILE_WANT, .id = id, .first = 0, .count = 1});
    assert_int_equal(t.events[TDM_FILES_EV_ACCEPTED], 1);
    disk(TDM_FILES_JOB_READ, TDM_FILES_OK);
}

static void what_is_accepted_goes_on_only_with_the_same_peer(void **state)
{
    (void)state;
    meet(ann);
    offer(10, 1);
    assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 1);
    wish(TDM_FILES_ACCEPT, t.last[TDM_FILES_EV_OFFERED].transfer);
    disk(TDM_FILES_JOB_OPEN, TDM_FILES_OK);
    disk(TDM_FILES_JOB_PLAN, TDM_FILES_OK);

    /* The same file, and even the same identifier, from somebody else: the user is asked. */
    meet(bob);
    offer(10, 1);
    assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 1);
    assert_int_equal(t.said[TDM_FILE_ACCEPT] + t.said[TDM_FILE_WANT], 0);
    offer(11, 1);
    assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 1);
    assert_int_equal(t.said[TDM_FILE_ACCEPT] + t.said[TDM_FILE_WANT], 0);

    /* Started again, it has another identifier. */
    meet(ann);
    offer(12, 1);
    assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 0);
    assert_int_equal(t.said[TDM_FILE_ACCEPT], 1);
    assert_int_equal(t.message[TDM_FILE_ACCEPT].id, 12);
}

static void unfinished_ones_of_who_is_gone_lock_nobody_out(void **state)
{
    (void)state;
    meet(ann);
    for (uint8_t i = 0; i < TDM_FILES_OFFERS_MAX; i++) {
        offer(100 + i, i);
        assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 1);
    }
    offer(99, 99); /* Her limit. */
    assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 0);
    assert_int_equal(t.message[TDM_FILE_END].end, TDM_FILE_END_TOO_MANY);

    meet(bob);
    for (uint8_t i = 0; i < TDM_FILES_OFFERS_MAX; i++) {
        offer(200 + i, i);
        assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 1);
        /* The oldest of hers made room; nobody is told but the user. */
        assert_int_equal(t.events[TDM_FILES_EV_ENDED], 1);
        assert_int_equal(t.last[TDM_FILES_EV_ENDED].transfer, i + 1);
        assert_int_equal(t.said[TDM_FILE_END], 0);
    }
    for (uint8_t i = 0; i < 3 * TDM_FILES_OFFERS_MAX; i++) {
        meet(i % 2 ? ann : bob);
        offer(300 + i, 100 + i);
        assert_int_equal(t.events[TDM_FILES_EV_OFFERED], 1);
    }
}

static void what_makes_room_leaves_its_part(void **state)
{
    (void)state;
    meet(ann);
    offer(1, 1);
    wish(TDM_FILES_ACCEPT, t.last[TDM_FILES_EV_OFFERED].transfer);
    disk(TDM_FILES_JOB_OPEN, TDM_FILES_OK);
    disk(TDM_FILES_JOB_PLAN, TDM_FILES_DISK_FAILED);
    while (t.job_count)
        disk(TDM_FILES_JOB_PLAN, TDM_FILES_OK);
    meet(bob);
    for (uint8_t i = 0; i < TDM_FILES_OFFERS_MAX; i++)
        offer(200 + i, i);
    assert_int_equal(t.job_count, 1);
    assert_int_equal(t.jobs[0].kind, TDM_FILES_JOB_CLOSE);
    assert_true(t.jobs[0].keep);
}

static void accept_on_a_full_disk(void)
{
    meet(ann);
    offer(1, 1);
    wish(TDM_FILES_ACCEPT, t.last[TDM_FILES_EV_OFFERED].transfer);
    disk(TDM_FILES_JOB_OPEN, TDM_FILES_DISK_FULL);
    listen();
    assert_int_equal(t.events[TDM_FILES_EV_PAUSED], 1);
    assert_int_equal(t.message[TDM_FILE_PAUSE].pause, TDM_FILE_PAUSE_DISK_FULL);
}

static void a_full_disk_is_tried_again_at_the_next_offer(void **state)
{
    (void)state;
    accept_on_a_full_disk();
    meet(ann);
    offer(2, 1);
    assert_int_equal(t.events[TDM_FILES_EV_RESUMED], 1);
    disk(TDM_FILES_JOB_OPEN, TDM_FILES_OK);
    listen();
    assert_int_equal(t.said[TDM_FILE_ACCEPT], 1);
}

static void a_full_disk_is_looked_at_until_it_has_room(void **state)
{
    (void)state;
    accept_on_a_full_disk();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(t.job_count, 0);
        assert_true(t.wake_at > t.now && t.wake_at < t.now + 10 * TDM_S);
        t.now = t.wake_at;
        wish(TDM_FILES_ACCEPT, 0); /* Nothing but time. */
        disk(TDM_FILES_JOB_SPACE, TDM_FILES_DISK_FULL);
        assert_int_equal(t.events[TDM_FILES_EV_RESUMED], 0);
    }
    t.now = t.wake_at;
    wish(TDM_FILES_ACCEPT, 0);
    disk(TDM_FILES_JOB_SPACE, TDM_FILES_OK);
    assert_int_equal(t.events[TDM_FILES_EV_RESUMED], 1);
    disk(TDM_FILES_JOB_OPEN, TDM_FILES_OK);
    listen();
    assert_int_equal(t.said[TDM_FILE_ACCEPT], 1);
    assert_int_equal(t.message[TDM_FILE_PAUSE].pause, TDM_FILE_GOES_ON);
}

static void no_more_is_offered_than_the_peer_takes(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 5; i++)
        assert_true(send_file(i));
    meet_with(ann, 2);
    assert_int_equal(t.said[TDM_FILE_OFFER], 2);
    listen();
    assert_int_equal(t.said[TDM_FILE_OFFER], 0);
    for (int i = 0; i < 3; i++) {
        say((struct tdm_file_message){
            .kind = TDM_FILE_END, .id = t.message[TDM_FILE_OFFER].id, .end = TDM_FILE_END_DONE});
        listen();
        assert_int_equal(t.said[TDM_FILE_OFFER], 1);
    }
    meet_with(ann, 2); /* Two are left. */
    assert_int_equal(t.said[TDM_FILE_OFFER], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_is_offered_only_to_whom_it_was_first, begin),
        cmocka_unit_test_setup(another_peer_cannot_ask_for_it, begin),
        cmocka_unit_test_setup(what_is_accepted_goes_on_only_with_the_same_peer, begin),
        cmocka_unit_test_setup(unfinished_ones_of_who_is_gone_lock_nobody_out, begin),
        cmocka_unit_test_setup(what_makes_room_leaves_its_part, begin),
        cmocka_unit_test_setup(a_full_disk_is_tried_again_at_the_next_offer, begin),
        cmocka_unit_test_setup(a_full_disk_is_looked_at_until_it_has_room, begin),
        cmocka_unit_test_setup(no_more_is_offered_than_the_peer_takes, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
