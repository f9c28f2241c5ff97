/* SPDX-License-Identifier: MIT */
/* Publications, subscriptions and watchers in virtual time, each by itself; and composing. */
#include "signalling/composing.h"
#include "signalling/presence_publish.h"
#include "signalling/presence_watch.h"
#include "signalling/presence_watcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* --- Publications ----------------------------------------------------------------------------- */

static struct tdm_publish_out publish(struct tdm_publish *p, tdm_time now,
                                      enum tdm_publish_kind kind)
{
    struct tdm_publish_out out;

    tdm_publish_step(p, now, &(struct tdm_publish_in){.kind = kind}, &out);
    return out;
}

static struct tdm_publish_out publish_done(struct tdm_publish *p, tdm_time now, uint16_t code,
                                           const char *etag)
{
    struct tdm_publish_out out;

    tdm_publish_step(p, now,
                     &(struct tdm_publish_in){.kind = TDM_PUBLISH_DONE,
                                              .code = code,
                                              .etag = etag,
                                              .expires_s = 600,
                                              .min_expires_s = code == 423 ? 7200 : 0},
                     &out);
    return out;
}

static void publication(void **state)
{
    struct tdm_publish p;
    struct tdm_publish_out out;
    tdm_time now = 5 * TDM_S;

    (void)state;
    tdm_publish_init(&p, 1);
    assert_int_equal(publish(&p, now, TDM_PUBLISH_CHANGED).what, TDM_PUBLISH_NOTHING);
    out = publish(&p, now, TDM_PUBLISH_START);
    assert_int_equal(out.what, TDM_PUBLISH_SAY);
    assert_string_equal(out.etag, "");
    assert_int_equal(publish(&p, now, TDM_PUBLISH_CHANGED).what, TDM_PUBLISH_NOTHING);
    out = publish_done(&p, now, 200, "one"); /* What changed meanwhile goes out at once. */
    assert_int_equal(out.what, TDM_PUBLISH_SAY);
    assert_string_equal(out.etag, "one");
    out = publish_done(&p, now, 200, "two");
    assert_int_equal(out.what, TDM_PUBLISH_NOTHING);
    assert_in_range(out.wake_at - now, 600 * TDM_S / 2, 600 * TDM_S * 4 / 5);
    now = out.wake_at;
    out = publish(&p, now, TDM_PUBLISH_TIME);
    assert_int_equal(out.what, TDM_PUBLISH_REFRESH);
    assert_string_equal(out.etag, "two");
    out = publish_done(&p, now, 412, NULL); /* The server forgot: said anew. */
    assert_int_equal(out.what, TDM_PUBLISH_SAY);
    assert_string_equal(out.etag, "");
    out = publish_done(&p, now, 412, NULL); /* But not for ever at once. */
    assert_int_equal(out.what, TDM_PUBLISH_NOTHING);
    assert_true(out.wake_at > now);
    now = out.wake_at;
    assert_int_equal(publish(&p, now, TDM_PUBLISH_TIME).what, TDM_PUBLISH_SAY);
    out = publish_done(&p, now, 423, NULL);
    assert_int_equal(out.what, TDM_PUBLISH_SAY);
    assert_int_equal(out.expires_s, 7200);
    (void)publish_done(&p, now, 200, "three");
    out = publish(&p, now, TDM_PUBLISH_STOP);
    assert_int_equal(out.what, TDM_PUBLISH_REMOVE);
    assert_string_equal(out.etag, "three");
    assert_int_equal(out.expires_s, 0);
    out = publish_done(&p, now, 200, NULL);
    assert_int_equal(out.what, TDM_PUBLISH_NOTHING);
    assert_true(out.wake_at == TDM_NEVER);
    assert_int_equal(p.phase, TDM_PUBLISH_OFF);
}

static void publication_at_a_failing_server(void **state)
{
    struct tdm_publish p;
    struct tdm_publish_out out;
    tdm_time now = 0, last = 0;

    (void)state;
    tdm_publish_init(&p, 2);
    assert_int_equal(publish(&p, now, TDM_PUBLISH_START).what, TDM_PUBLISH_SAY);
    for (int i = 0; i < 12; i++) {
        out = publish_done(&p, now, i % 2 ? 503 : 0, NULL);
        assert_int_equal(out.what, TDM_PUBLISH_NOTHING);
        assert_true(out.wake_at - now >= last * 3 / 4 && out.wake_at - now <= 600 * TDM_S);
        last = out.wake_at - now;
        now = out.wake_at;
        assert_int_equal(publish(&p, now, TDM_PUBLISH_TIME).what, TDM_PUBLISH_SAY);
    }
    assert_true(last >= 450 * TDM_S);
    out = publish_done(&p, now, 489, NULL); /* It knows no presence. */
    assert_true(out.wake_at == TDM_NEVER);
    assert_int_equal(p.phase, TDM_PUBLISH_REFUSED);
    assert_int_equal(publish(&p, now, TDM_PUBLISH_CHANGED).what, TDM_PUBLISH_NOTHING);
    assert_int_equal(publish(&p, now, TDM_PUBLISH_START).what, TDM_PUBLISH_SAY);
}

/* --- Subscriptions ---------------------------------------------------------------------------- */

static struct tdm_watch_out watch(struct tdm_watch *w, tdm_time now, enum tdm_watch_kind kind)
{
    struct tdm_watch_out out;

    tdm_watch_step(w, now, &(struct tdm_watch_in){.kind = kind}, &out);
    return out;
}

static struct tdm_watch_out watch_answer(struct tdm_watch *w, tdm_time now, uint16_t code)
{
    struct tdm_watch_out out;

    tdm_watch_step(
        w, now, &(struct tdm_watch_in){.kind = TDM_WATCH_ANSWERED, .code = code, .expires_s = 600},
        &out);
    return out;
}

static struct tdm_watch_out watch_notify(struct tdm_watch *w, tdm_time now,
                                         enum tdm_watch_state state, enum tdm_watch_reason reason)
{
    struct tdm_watch_out out;

    tdm_watch_step(
        w, now,
        &(struct tdm_watch_in){
            .kind = TDM_WATCH_NOTIFIED, .state = state, .reason = reason, .expires_s = 600},
        &out);
    return out;
}

static void subscription(void **state)
{
    struct tdm_watch w;
    struct tdm_watch_out out;
    tdm_time now = 0;

    (void)state;
    tdm_watch_init(&w, 3);
    out = watch(&w, now, TDM_WATCH_START);
    assert_int_equal(out.what, TDM_WATCH_SUBSCRIBE);
    assert_int_equal(out.expires_s, TDM_WATCH_EXPIRES);
    assert_true(out.wake_at == TDM_NEVER);
    /* The NOTIFY may come before the answer. */
    (void)watch_notify(&w, now, TDM_WATCH_IS_PENDING, TDM_WATCH_NO_REASON);
    out = watch_answer(&w, now, 202);
    assert_int_equal(w.phase, TDM_WATCH_PENDING);
    assert_in_range(out.wake_at - now, 600 * TDM_S / 2, 600 * TDM_S * 4 / 5);
    out = watch_notify(&w, now, TDM_WATCH_IS_ACTIVE, TDM_WATCH_NO_REASON);
    assert_int_equal(w.phase, TDM_WATCH_ACTIVE);
    now = out.wake_at;
    assert_int_equal(watch(&w, now, TDM_WATCH_TIME).what, TDM_WATCH_REFRESH);
    out = watch_answer(&w, now, 200);
    assert_int_equal(w.phase, TDM_WATCH_ACTIVE);
    assert_true(out.wake_at > now);
    out = watch(&w, now, TDM_WATCH_STOP);
    assert_int_equal(out.what, TDM_WATCH_LEAVE);
    assert_int_equal(out.expires_s, 0);
    out = watch_answer(&w, now, 200);
    assert_int_equal(out.what, TDM_WATCH_NOTHING);
    assert_int_equal(w.phase, TDM_WATCH_OFF);
}

static void subscription_that_was_forgotten(void **state)
{
    struct tdm_watch w;
    struct tdm_watch_out out;
    tdm_time now = 0;

    (void)state;
    tdm_watch_init(&w, 4);
    (void)watch(&w, now, TDM_WATCH_START);
    (void)watch_answer(&w, now, 200);
    out = watch_notify(&w, now, TDM_WATCH_IS_ACTIVE, TDM_WATCH_NO_REASON);
    now = out.wake_at;
    assert_int_equal(watch(&w, now, TDM_WATCH_TIME).what, TDM_WATCH_REFRESH);
    assert_int_equal(watch_answer(&w, now, 481).what, TDM_WATCH_SUBSCRIBE); /* At once, anew. */
    out = watch_answer(&w, now, 481);
    assert_int_equal(out.what, TDM_WATCH_NOTHING);
    assert_true(out.wake_at > now);
}

/* They end it while our refresh is on its way: nothing is due before the answer to that. */
static void ended_while_we_ask(void **state)
{
    struct tdm_watch w;
    struct tdm_watch_out out;
    tdm_time now = 0;

    (void)state;
    tdm_watch_init(&w, 8);
    (void)watch(&w, now, TDM_WATCH_START);
    (void)watch_answer(&w, now, 200);
    out = watch_notify(&w, now, TDM_WATCH_IS_ACTIVE, TDM_WATCH_NO_REASON);
    now = out.wake_at;
    assert_int_equal(watch(&w, now, TDM_WATCH_TIME).what, TDM_WATCH_REFRESH);
    out = watch_notify(&w, now, TDM_WATCH_IS_TERMINATED, TDM_WATCH_TIMEOUT);
    assert_int_equal(out.what, TDM_WATCH_NOTHING);
    assert_true(out.wake_at == TDM_NEVER);
    assert_int_equal(watch_answer(&w, now, 200).what, TDM_WATCH_SUBSCRIBE);
}

static void who_took_us_and_said_nothing(void **state)
{
    struct tdm_watch w;
    struct tdm_watch_out out;

    (void)state;
    tdm_watch_init(&w, 5);
    (void)watch(&w, 0, TDM_WATCH_START);
    out = watch_answer(&w, 0, 200);
    assert_true(out.wake_at == 32 * TDM_S);
    assert_int_equal(watch(&w, out.wake_at, TDM_WATCH_TIME).what, TDM_WATCH_SUBSCRIBE);
}

static void ends_by_them(void **state)
{
    static const struct {
        enum tdm_watch_reason reason;
        enum tdm_watch_phase phase;
        tdm_time least, most;
    } cases[] = {
        {TDM_WATCH_DEACTIVATED, TDM_WATCH_ASKED, 0, 0},
        {TDM_WATCH_TIMEOUT, TDM_WATCH_ASKED, 0, 0},
        {TDM_WATCH_PROBATION, TDM_WATCH_WAITS, 3 * TDM_S, 4 * TDM_S},
        {TDM_WATCH_GIVEUP, TDM_WATCH_WAITS, 3 * TDM_S, 4 * TDM_S},
        {TDM_WATCH_REJECTED, TDM_WATCH_REFUSED, 2700 * TDM_S, 3600 * TDM_S},
        {TDM_WATCH_NORESOURCE, TDM_WATCH_REFUSED, 2700 * TDM_S, 3600 * TDM_S},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tdm_watch w;
        struct tdm_watch_out out;

        tdm_watch_init(&w, i);
        (void)watch(&w, 0, TDM_WATCH_START);
        (void)watch_answer(&w, 0, 200);
        (void)watch_notify(&w, 0, TDM_WATCH_IS_ACTIVE, TDM_WATCH_NO_REASON);
        out = watch_notify(&w, 0, TDM_WATCH_IS_TERMINATED, cases[i].reason);
        assert_int_equal(w.phase, cases[i].phase);
        assert_int_equal(out.what, cases[i].most ? TDM_WATCH_NOTHING : TDM_WATCH_SUBSCRIBE);
        if (cases[i].most)
            assert_in_range(out.wake_at, cases[i].least, cases[i].most);
        /* Whoever does not want us is asked again when they ask for us. */
        if (cases[i].phase == TDM_WATCH_REFUSED)
            assert_int_equal(watch(&w, 0, TDM_WATCH_RETRY).what, TDM_WATCH_SUBSCRIBE);
    }
    assert_int_equal(tdm_watch_reason_of("Rejected"), TDM_WATCH_REJECTED);
    assert_int_equal(tdm_watch_reason_of("?"), TDM_WATCH_NO_REASON);
}

static void asked_once(void **state)
{
    struct tdm_watch w;
    struct tdm_watch_out out;

    (void)state;
    tdm_watch_init(&w, 6);
    w.once = true;
    out = watch(&w, 0, TDM_WATCH_START);
    assert_int_equal(out.what, TDM_WATCH_SUBSCRIBE);
    assert_int_equal(out.expires_s, 0);
    (void)watch_answer(&w, 0, 200);
    out = watch_notify(&w, 0, TDM_WATCH_IS_TERMINATED, TDM_WATCH_TIMEOUT);
    assert_int_equal(out.what, TDM_WATCH_NOTHING);
    assert_int_equal(w.phase, TDM_WATCH_OFF);
    assert_true(out.wake_at == TDM_NEVER);
}

/* --- Watchers --------------------------------------------------------------------------------- */

static struct tdm_watcher_out watcher_asks(struct tdm_watcher *w, tdm_time now,
                                           enum tdm_watch_policy policy, uint32_t expires_s)
{
    struct tdm_watcher_out out;

    tdm_watcher_step(w, now,
                     &(struct tdm_watcher_in){
                         .kind = TDM_WATCHER_ASKS, .policy = policy, .expires_s = expires_s},
                     &out);
    return out;
}

static struct tdm_watcher_out watcher(struct tdm_watcher *w, tdm_time now,
                                      enum tdm_watcher_kind kind, enum tdm_watch_policy policy)
{
    struct tdm_watcher_out out;

    tdm_watcher_step(w, now, &(struct tdm_watcher_in){.kind = kind, .policy = policy, .code = 200},
                     &out);
    return out;
}

static void approval(void **state)
{
    struct tdm_watcher w;
    struct tdm_watcher_out out;
    tdm_time now = 0;

    (void)state;
    tdm_watcher_init(&w);
    out = watcher_asks(&w, now, TDM_POLICY_ASK, 600);
    assert_int_equal(out.code, 202);
    assert_true(out.ask);
    assert_int_equal(out.notify, TDM_WATCHER_OFFLINE);
    assert_true(out.pending);
    assert_int_equal(out.left_s, 600);
    (void)watcher(&w, now, TDM_WATCHER_NOTIFIED, 0);
    out = watcher(&w, now, TDM_WATCHER_CHANGED, 0); /* None of their business yet. */
    assert_int_equal(out.notify, TDM_WATCHER_NOTHING);
    now += 2 * TDM_S;
    out = watcher(&w, now, TDM_WATCHER_DECIDED, TDM_POLICY_ALLOW);
    assert_int_equal(out.notify, TDM_WATCHER_REAL);
    assert_false(out.pending);
    out = watcher(&w, now, TDM_WATCHER_CHANGED, 0); /* One is under way. */
    assert_int_equal(out.notify, TDM_WATCHER_NOTHING);
    out = watcher(&w, now, TDM_WATCHER_NOTIFIED, 0);
    assert_int_equal(out.notify, TDM_WATCHER_NOTHING); /* Not so soon. */
    assert_true(out.wake_at == now + TDM_WATCHER_PACE);
    now = out.wake_at;
    assert_int_equal(watcher(&w, now, TDM_WATCHER_TIME, 0).notify, TDM_WATCHER_REAL);
    (void)watcher(&w, now, TDM_WATCHER_NOTIFIED, 0);
    now += 2 * TDM_S;
    out = watcher(&w, now, TDM_WATCHER_DECIDED, TDM_POLICY_POLITE);
    assert_int_equal(out.notify, TDM_WATCHER_OFFLINE);
    assert_false(out.pending || out.terminated);
    (void)watcher(&w, now, TDM_WATCHER_NOTIFIED, 0);
    now += 2 * TDM_S;
    out = watcher(&w, now, TDM_WATCHER_DECIDED, TDM_POLICY_BLOCK);
    assert_true(out.terminated && out.over);
    assert_string_equal(out.reason, "rejected");
    assert_int_equal(watcher_asks(&w, now, TDM_POLICY_BLOCK, 600).code, 403);
}

static void watchers_come_and_go(void **state)
{
    struct tdm_watcher w;
    struct tdm_watcher_out out;

    (void)state;
    tdm_watcher_init(&w);
    assert_int_equal(watcher_asks(&w, 0, TDM_POLICY_ALLOW, 5).code, 423);
    out = watcher_asks(&w, 0, TDM_POLICY_ALLOW, 1000000);
    assert_int_equal(out.code, 200);
    assert_int_equal(out.expires_s, TDM_WATCHER_EXPIRES);
    out = watcher(&w, 0, TDM_WATCHER_NOTIFIED, 0);
    assert_true(out.wake_at == TDM_WATCHER_EXPIRES * TDM_S);
    out = watcher(&w, out.wake_at, TDM_WATCHER_TIME, 0); /* It ran out. */
    assert_true(out.terminated && out.over);
    assert_string_equal(out.reason, "timeout");

    tdm_watcher_init(&w);
    out = watcher_asks(&w, 0, TDM_POLICY_ALLOW, 0); /* Asks once. */
    assert_int_equal(out.code, 200);
    assert_int_equal(out.notify, TDM_WATCHER_REAL);
    assert_true(out.terminated && out.over);

    tdm_watcher_init(&w);
    (void)watcher_asks(&w, 0, TDM_POLICY_ALLOW, 600);
    tdm_watcher_step(&w, 0, &(struct tdm_watcher_in){.kind = TDM_WATCHER_NOTIFIED, .code = 481},
                     &out); /* Not there any more. */
    assert_true(out.over);
    assert_int_equal(out.notify, TDM_WATCHER_NOTHING);
}

/* --- Composing -------------------------------------------------------------------------------- */

static void composing(void **state)
{
    struct tdm_composing c = {.active = true, .refresh_s = 90}, again;
    struct tdm_composing_out typing = {.active = false};
    char xml[512];
    size_t size;
    tdm_time wake;

    (void)state;
    assert_int_equal(tdm_composing_write(&c, xml, sizeof xml, &size), TDM_OK);
    assert_int_equal(tdm_composing_parse(&again, xml, size), TDM_OK);
    assert_true(again.active);
    assert_int_equal(again.refresh_s, 90);
    assert_true(tdm_composing_until(&again, 0) == 90 * TDM_S);
    assert_int_equal(tdm_composing_write(&c, xml, 100, &size), TDM_E_SPACE);
    assert_int_equal(tdm_composing_parse(&again, "<isComposing/>", 14), TDM_E_MALFORMED);

    assert_true(tdm_composing_typed(&typing, 0, true));
    assert_false(tdm_composing_typed(&typing, TDM_S, true));
    assert_false(tdm_composing_step(&typing, 2 * TDM_S, &wake));
    assert_true(wake == TDM_S + TDM_COMPOSING_IDLE);
    assert_true(tdm_composing_typed(&typing, 60 * TDM_S, true)); /* Said again in time. */
    assert_true(tdm_composing_step(&typing, 80 * TDM_S, &wake)); /* Idle. */
    assert_false(typing.active);
    assert_true(wake == TDM_NEVER);
    assert_false(tdm_composing_typed(&typing, 81 * TDM_S, false));
    assert_true(tdm_composing_typed(&typing, 82 * TDM_S, true));
    assert_true(tdm_composing_typed(&typing, 83 * TDM_S, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publication),        cmocka_unit_test(publication_at_a_failing_server),
        cmocka_unit_test(subscription),       cmocka_unit_test(subscription_that_was_forgotten),
        cmocka_unit_test(ended_while_we_ask), cmocka_unit_test(who_took_us_and_said_nothing),
        cmocka_unit_test(ends_by_them),       cmocka_unit_test(asked_once),
        cmocka_unit_test(approval),           cmocka_unit_test(watchers_come_and_go),
        cmocka_unit_test(composing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
