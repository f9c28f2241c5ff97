/* SPDX-License-Identifier: MIT */
/* One account against model services in virtual time: single paths by hand, then thousands of
 * seeded services with several addresses that die, come back, are slow, ask for passwords, know
 * stale nonces, want longer registrations, are overloaded. */
#include "signalling/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 3000

struct walk {
    struct tdm_account account;
    struct tdm_account_out out;
    tdm_time now;
};

static void step(struct walk *w, const struct tdm_account_in *in)
{
    tdm_account_step(&w->account, w->now, in, &w->out);
    if (w->out.wake_at < w->now)
        fail_msg("a wake in the past (%s)", w->out.wake_why);
}

static void begin(struct walk *w, uint32_t address_count)
{
    memset(w, 0, sizeof *w);
    w->now = 5 * TDM_S;
    tdm_account_init(&w->account, &(struct tdm_account_config){.seed = 1, .keepalive_s = 25});
    step(w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_START});
    assert_int_equal(w->out.action, TDM_ACCOUNT_DO_LOOK_UP);
    assert_true(w->out.changed);
    step(w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_LOOKED_UP,
                                     .attempt = w->out.attempt,
                                     .address_count = address_count});
}

static void answer(struct walk *w, struct tdm_account_in in)
{
    assert_int_equal(w->out.action, TDM_ACCOUNT_DO_SEND);
    in.kind = TDM_ACCOUNT_ANSWERED;
    in.attempt = w->out.attempt;
    step(w, &in);
}

static void pass_to_wake(struct walk *w)
{
    w->now = w->out.wake_at;
    step(w, NULL);
}

static void registers_and_refreshes(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 1);
    assert_int_equal(w.out.expires_s, 600);
    answer(&w, (struct tdm_account_in){.code = 401, .challenge = TDM_ACCOUNT_CAN_ANSWER});
    answer(&w, (struct tdm_account_in){.code = 200, .expires_s = 300});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);

    tdm_time at = w.now;
    uint32_t kept = 0;

    for (w.out.action = TDM_ACCOUNT_DO_NOTHING; w.out.action != TDM_ACCOUNT_DO_SEND;) {
        pass_to_wake(&w);
        kept += w.out.action == TDM_ACCOUNT_DO_KEEP_ALIVE;
    }
    assert_true(w.now - at > 150 * TDM_S && w.now - at < 290 * TDM_S);
    assert_true(kept >= 6 && kept <= 14);
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);
    answer(&w, (struct tdm_account_in){.code = 200, .expires_s = 300});
    assert_false(w.out.changed); /* Nothing to tell. */
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_STOP});
    assert_int_equal(w.out.action, TDM_ACCOUNT_DO_SEND);
    assert_int_equal(w.out.expires_s, 0);
    answer(&w, (struct tdm_account_in){.code = 401, .challenge = TDM_ACCOUNT_CAN_ANSWER});
    assert_int_equal(w.out.expires_s, 0);
    answer(&w, (struct tdm_account_in){.code = 200});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_OFF);
    assert_true(w.out.wake_at == TDM_NEVER);
}

static void a_wrong_password_is_said_once(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 3);
    answer(&w, (struct tdm_account_in){.code = 401, .challenge = TDM_ACCOUNT_CAN_ANSWER});
    answer(&w, (struct tdm_account_in){.code = 401, .challenge = TDM_ACCOUNT_WRONG_PASSWORD});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REFUSED);
    assert_non_null(strstr(w.account.reason, "password"));
    assert_true(w.out.wake_at == TDM_NEVER); /* Trying again would lock the account. */
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_RETRY});
    assert_int_equal(w.out.action, TDM_ACCOUNT_DO_LOOK_UP);
}

static void a_longer_registration_is_asked_for(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 1);
    answer(&w, (struct tdm_account_in){.code = 423, .min_expires_s = 1800});
    assert_int_equal(w.out.expires_s, 1800);
    answer(&w, (struct tdm_account_in){.code = 200, .expires_s = 1800});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);
    begin(&w, 1);
    answer(&w, (struct tdm_account_in){.code = 423, .min_expires_s = 5}); /* Nonsense. */
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_BACKING_OFF);
}

static void overload_is_respected(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 1);
    answer(&w, (struct tdm_account_in){.code = 503, .retry_after_s = 120});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_BACKING_OFF);
    assert_true(w.out.wake_at - w.now >= 120 * TDM_S && w.out.wake_at - w.now < 130 * TDM_S);
}

static void addresses_in_turn(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 3);
    assert_int_equal(w.out.address_index, 0);
    step(&w, &(struct tdm_account_in){
                 .kind = TDM_ACCOUNT_FAILED, .attempt = w.out.attempt, .reason = "refused"});
    assert_int_equal(w.out.action, TDM_ACCOUNT_DO_SEND);
    assert_int_equal(w.out.address_index, 1);

    tdm_time at = w.now;

    pass_to_wake(&w); /* Silent: the next one soon. */
    assert_true(w.now - at <= 10 * TDM_S);
    assert_int_equal(w.out.address_index, 2);
    answer(&w, (struct tdm_account_in){.code = 200, .expires_s = 60});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);
}

static void late_answers_count_for_nothing(void **state)
{
    struct walk w;
    uint32_t old;

    (void)state;
    begin(&w, 2);
    old = w.out.attempt;
    pass_to_wake(&w);
    assert_int_equal(w.out.action, TDM_ACCOUNT_DO_SEND);
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_ANSWERED, .attempt = old, .code = 403});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERING);
}

static void a_refused_certificate_stops_it(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 2);
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_FAILED,
                                      .attempt = w.out.attempt,
                                      .hopeless = true,
                                      .reason = "its certificate ran out"});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REFUSED);
    assert_string_equal(w.account.reason, "its certificate ran out");
}

static void a_lost_connection_registers_anew(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 1);
    answer(&w, (struct tdm_account_in){.code = 200, .expires_s = 600});
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_LOST});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERING);
    assert_true(w.out.wake_at - w.now <= TDM_S);
    pass_to_wake(&w);
    assert_int_equal(w.out.action, TDM_ACCOUNT_DO_SEND);
}

/* What was taken once is not thrown away because a server that starts again knows nobody yet. */
static void a_refusal_after_a_registration_is_not_final(void **state)
{
    struct walk w;

    (void)state;
    begin(&w, 1);
    answer(&w, (struct tdm_account_in){.code = 200, .expires_s = 60});
    while (w.out.action != TDM_ACCOUNT_DO_SEND)
        pass_to_wake(&w);
    answer(&w, (struct tdm_account_in){.code = 404});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_BACKING_OFF);
}

static void a_gateway_is_there_when_it_answers(void **state)
{
    struct walk w = {.now = TDM_S};

    (void)state;
    tdm_account_init(&w.account, &(struct tdm_account_config){.seed = 1, .probe = true});
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_START});
    step(&w, &(struct tdm_account_in){
                 .kind = TDM_ACCOUNT_LOOKED_UP, .attempt = w.out.attempt, .address_count = 1});
    answer(&w, (struct tdm_account_in){.code = 404});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_STOP});
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_OFF); /* Nothing to take back. */
}

/* --- Seeded services -------------------------------------------------------------------------- */

enum temper { HEALTHY, DEAD, OVERLOADED, BROKEN, SLOW, TEMPERS };

struct service {
    struct tdm_rng rng;
    uint32_t address_count;
    enum temper tempers[TDM_ACCOUNT_ADDRESSES_MAX];
    uint32_t min_expires_s, grant_s;
    bool digest, password_right, nonce_given, moves;
    tdm_time answer_at;
    struct tdm_account_in answer;
    uint32_t requests, with_password, keepalives;
    bool registered;
};

static void change_tempers(struct service *s)
{
    for (uint32_t i = 0; i < s->address_count; i++)
        s->tempers[i] = (enum temper)tdm_rng_below(&s->rng, TEMPERS);
}

static void serve(struct service *s, tdm_time now, const struct tdm_account_out *out)
{
    enum temper temper = s->tempers[out->address_index];
    struct tdm_account_in in = {.kind = TDM_ACCOUNT_ANSWERED, .attempt = out->attempt};
    tdm_time after = TDM_MS * (1 + tdm_rng_below(&s->rng, 200));

    s->requests++;
    s->answer_at = TDM_NEVER;
    if (temper == DEAD && tdm_rng_chance(&s->rng, 0.5))
        return;
    if (temper == DEAD) {
        in.kind = TDM_ACCOUNT_FAILED;
    } else if (temper == OVERLOADED) {
        in.code = 503;
        in.retry_after_s = tdm_rng_below(&s->rng, 60);
    } else if (temper == BROKEN) {
        in.code = 500;
    } else if (s->digest && !s->nonce_given) {
        in.code = 401;
        in.challenge = TDM_ACCOUNT_CAN_ANSWER;
        s->nonce_given = true;
    } else if (s->digest && tdm_rng_chance(&s->rng, 0.1)) {
        in.code = 401; /* Stale. */
        in.challenge = TDM_ACCOUNT_CAN_ANSWER;
    } else if (s->digest && !s->password_right) {
        s->with_password++;
        in.code = 401;
        in.challenge = TDM_ACCOUNT_WRONG_PASSWORD;
    } else if (out->expires_s && out->expires_s < s->min_expires_s) {
        in.code = 423;
        in.min_expires_s = s->min_expires_s;
    } else {
        in.code = 200;
        in.expires_s = out->expires_s ? s->grant_s : 0;
        in.contact_moved = s->moves;
        s->moves = false;
        s->registered = out->expires_s != 0;
    }
    s->answer_at = now + (temper == SLOW ? 20 * after : after);
    s->answer = in;
}

static void act(struct walk *w, struct service *s)
{
    switch (w->out.action) {
    case TDM_ACCOUNT_DO_LOOK_UP:
        s->answer_at = w->now + TDM_MS;
        s->answer = (struct tdm_account_in){.kind = TDM_ACCOUNT_LOOKED_UP,
                                            .attempt = w->out.attempt,
                                            .address_count = s->address_count};
        break;
    case TDM_ACCOUNT_DO_SEND:
        assert_true(w->out.address_index < s->address_count);
        serve(s, w->now, &w->out);
        break;
    case TDM_ACCOUNT_DO_KEEP_ALIVE:
        s->keepalives++;
        break;
    default:
        break;
    }
}

static void run_until(struct walk *w, struct service *s, tdm_time until)
{
    while (w->now < until) {
        tdm_time next = tdm_time_min(tdm_time_min(w->out.wake_at, s->answer_at), until);

        w->now = next;
        if (s->answer_at <= next) {
            struct tdm_account_in in = s->answer;

            s->answer_at = TDM_NEVER;
            step(w, &in);
        } else {
            step(w, NULL);
        }
        act(w, s);
    }
}

static void one_seed(uint64_t seed)
{
    struct service s = {.rng = tdm_rng_of(seed), .answer_at = TDM_NEVER};
    struct walk w = {.now = TDM_S};
    uint32_t hours = 4;

    s.address_count = 1 + tdm_rng_below(&s.rng, 4);
    s.digest = tdm_rng_chance(&s.rng, 0.8);
    s.password_right = tdm_rng_chance(&s.rng, 0.85);
    s.min_expires_s = tdm_rng_chance(&s.rng, 0.2) ? 900 : 0;
    s.grant_s = s.min_expires_s ? 900 : 30 + tdm_rng_below(&s.rng, 1200);
    change_tempers(&s);
    tdm_account_init(&w.account, &(struct tdm_account_config){.seed = seed, .keepalive_s = 25});
    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_START});
    act(&w, &s);
    for (uint32_t i = 0; i < hours * 6; i++) {
        run_until(&w, &s, w.now + 600 * TDM_S);
        if (tdm_rng_chance(&s.rng, 0.3))
            change_tempers(&s);
        if (tdm_rng_chance(&s.rng, 0.1)) {
            s.moves = true;
            s.nonce_given = false;
            step(&w,
                 &(struct tdm_account_in){.kind = tdm_rng_chance(&s.rng, 0.5) ? TDM_ACCOUNT_RETRY
                                                                              : TDM_ACCOUNT_LOST});
            act(&w, &s);
        }
    }
    /* A password that is wrong is said once for each time that somebody asks for another try. */
    if (s.digest && !s.password_right) {
        assert_int_not_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);
        assert_true(s.with_password <= 2 + hours * 6);
    }
    /* No storm: a refresh can take some tries, and the shortest grant is 30 s. */
    assert_true(s.requests < hours * 3600 / 4);

    /* Once all is well, it is registered within the longest wait, unless it may not be. */
    for (uint32_t i = 0; i < s.address_count; i++)
        s.tempers[i] = HEALTHY;
    run_until(&w, &s, w.now + 1000 * TDM_S);
    if (!s.digest || s.password_right)
        assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_REGISTERED);

    bool was = w.account.state == TDM_SIG_ACCOUNT_REGISTERED;

    step(&w, &(struct tdm_account_in){.kind = TDM_ACCOUNT_STOP});
    act(&w, &s);
    run_until(&w, &s, w.now + 60 * TDM_S);
    assert_int_equal(w.account.state, TDM_SIG_ACCOUNT_OFF);
    if (was)
        assert_false(s.registered);
    assert_true(w.out.wake_at == TDM_NEVER);
}

static void seeded_services(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_seed(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_and_refreshes),
        cmocka_unit_test(a_wrong_password_is_said_once),
        cmocka_unit_test(a_longer_registration_is_asked_for),
        cmocka_unit_test(overload_is_respected),
        cmocka_unit_test(addresses_in_turn),
        cmocka_unit_test(late_answers_count_for_nothing),
        cmocka_unit_test(a_refused_certificate_stops_it),
        cmocka_unit_test(a_lost_connection_registers_anew),
        cmocka_unit_test(a_refusal_after_a_registration_is_not_final),
        cmocka_unit_test(a_gateway_is_there_when_it_answers),
        cmocka_unit_test(seeded_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
