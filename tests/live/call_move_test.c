/* SPDX-License-Identifier: MIT */
/*
 * Calls whose path goes away, in a network namespace with two addresses beside loopback: another
 * path takes over by itself, and when all are gone for a while, ICE restarts by a new offer. And a
 * call whose first offer lost its ICE on the way, but not the next.
 */
#include "tests/live/between.h"
#include "tests/live/pair.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool run(const char *command)
{
    /* NOLINTNEXTLINE(cert-env33-c): fixed texts, in a namespace of our own. */
    return system(command) == 0;
}

static bool own_network(void)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    return run("ip link set lo up && ip link add wire0 type veth peer name wire1 && "
               "ip addr add 10.77.1.1/24 dev wire0 && ip addr add 10.77.2.1/24 dev wire1 && "
               "ip link set wire0 up && ip link set wire1 up") &&
           run("nft list tables >/dev/null 2>&1");
}

static void open_everywhere(struct side *s, const char *name)
{
    const struct tandem_config config = {.sip_port_may_change = true, .listen = true, .user = name};
    struct tandem_cause cause = {""};

    memset(s, 0, sizeof *s);
    s->name = name;
    if (tandem_create(&config, &s->engine, &cause) != TANDEM_OK)
        fail_msg("%s: %s", name, cause.text);
}

static void open_call(struct pair *p)
{
    open_everywhere(&p->a, "a");
    open_everywhere(&p->b, "b");
    (void)snprintf(p->to, sizeof p->to, "127.0.0.1:%u", tandem_port(p->b.engine));
    pair_call(p, &pair_media, &pair_media);
}

/* More pictures and sound than there were, both ways. */
static void goes_on(struct pair *p, const char *what)
{
    uint64_t a = side_stats(&p->a).frames_shown, b = side_stats(&p->b).frames_shown;
    uint64_t sound = side_stats(&p->a).audio.packets_received;

    (void)side_until(&p->a, shown_at_least, a + 15, what);
    (void)side_until(&p->b, shown_at_least, b + 15, what);
    (void)side_until(&p->a, audio_received_at_least, sound + 50, what);
}

static bool came_from_elsewhere(const struct tandem_stats *s, uint64_t second_octets)
{
    char gone[32];

    (void)snprintf(gone, sizeof gone, "10.77.%u.1:", (unsigned)second_octets);
    return s->security.local[0] && strncmp(s->security.local, gone, strlen(gone)) != 0 &&
           strncmp(s->security.remote, gone, strlen(gone)) != 0;
}

static void an_address_goes(void **state)
{
    struct pair p;
    char command[100];

    (void)state;
    open_call(&p);
    goes_on(&p, "media at first");
    struct tandem_stats before = side_stats(&p.a);
    unsigned used = strncmp(before.security.local, "10.77.2.1:", 10) == 0 ? 2 : 1;

    print_message("  at first from %s to %s\n", before.security.local, before.security.remote);
    (void)snprintf(command, sizeof command, "ip addr del 10.77.%u.1/24 dev wire%u", used, used - 1);
    assert_true(run(command));
    struct tandem_stats after =
        side_until(&p.a, came_from_elsewhere, used, "a path without that address");

    print_message("  then from %s to %s\n", after.security.local, after.security.remote);
    goes_on(&p, "media on another path");
    assert_int_equal(side_stats(&p.a).state, TANDEM_STATE_UP);
    (void)snprintf(command, sizeof command, "ip addr add 10.77.%u.1/24 dev wire%u", used, used - 1);
    assert_true(run(command));
    pair_hang_up(&p);
    pair_close(&p);
}

static void nothing_passes_for_a_while(void **state)
{
    struct pair p;

    (void)state;
    open_call(&p);
    goes_on(&p, "media at first");
    /* Signalling has port 5060 on one side, and passes. */
    static const char rule[] = "nft 'add table ip move; add chain ip move out { type filter hook "
                               "output priority 0; }; add rule ip move out udp sport 20000-60000 "
                               "udp dport 20000-60000 drop'";
    static const char undo[] = "nft delete table ip move";

    assert_true(run(rule));
    pair_run(&p, 9000);
    uint64_t shown = side_stats(&p.a).frames_shown;

    assert_true(run(undo));
    (void)side_until(&p.a, shown_at_least, shown + 10, "pictures again");
    goes_on(&p, "media again");
    assert_int_equal(side_stats(&p.a).state, TANDEM_STATE_UP);
    assert_int_equal(side_stats(&p.a).security.protection, TANDEM_PROTECTION_DTLS);
    pair_hang_up(&p);
    pair_close(&p);
}

static atomic_bool strips;

static void strip_ice(char *body, size_t capacity, bool from_a)
{
    static const char *const lines[] = {"a=ice-", "a=candidate:", "a=end-of-candidates"};

    (void)capacity, (void)from_a;
    for (size_t i = 0; atomic_load(&strips) && i < sizeof lines / sizeof *lines; i++)
        between_drop_lines(body, lines[i]);
}

static bool has_ice(const struct tandem_stats *s, uint64_t unused)
{
    (void)unused;
    return s->security.ice;
}

/* Nobody heard the other any more once the second offer had ICE. */
static void ice_comes_later(void **state)
{
    struct tandem_cause cause = {""};
    struct between m;
    struct pair p;

    (void)state;
    open_everywhere(&p.a, "a");
    open_everywhere(&p.b, "b");
    atomic_store(&strips, true);
    between_open(&m, tandem_port(p.b.engine), strip_ice);
    (void)snprintf(p.to, sizeof p.to, "sip:b@127.0.0.1:%u", m.port);
    pair_call(&p, &pair_media, &pair_media);
    goes_on(&p, "media without ICE");
    assert_false(side_stats(&p.a).security.ice);
    atomic_store(&strips, false);
    assert_int_equal(tandem_set_video_codecs(p.a.call, "vp8", NULL, &cause), TANDEM_OK);
    (void)side_until(&p.a, has_ice, 0, "ICE at a");
    (void)side_until(&p.b, has_ice, 0, "ICE at b");
    goes_on(&p, "media with ICE");
    pair_hang_up(&p);
    pair_close(&p);
    between_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ice_comes_later),
        cmocka_unit_test(an_address_goes),
        cmocka_unit_test(nothing_passes_for_a_while),
    };

    if (!own_network()) {
        puts("SKIP: no network namespace with veth and nftables here");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
