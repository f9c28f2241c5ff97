/* SPDX-License-Identifier: MIT */
/*
 * All 49 messages of RFC 4475 and the 12 of RFC 5118, and what becomes of each here: whether libre
 * can read it at all, and with which status our checks refuse it. Then each as a datagram to a real
 * backend, which must do no more than ring for those INVITEs that may.
 *
 * Files: tests/golden/README.md says whence. A verdict that is not what the RFC asks for has its
 * reason beside it.
 */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/sip_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define UNREADABLE 1 /* Dropped without an answer. */
#define RESPONSE   2 /* Belongs to no request of ours: ignored. */
#define OK         0 /* Handled as its method is. */
#define FILE_MAX   8192

static const struct row {
    const char *name;
    uint16_t verdict;
} rows[] = {
    {"badaspec", OK},  /* Lenient: spaces in To change nothing for us. */
    {"badbranch", OK}, /* Lenient: such a branch is as good as any. */
    {"baddate", OK},   /* Lenient: we have no use for a Date. */
    {"baddn", OK},
    {"badinv01", UNREADABLE}, /* Could get 400. */
    {"badvers", UNREADABLE},  /* Could get 505. */
    {"bcast", RESPONSE},
    {"bext01", 420},
    {"bigcode", RESPONSE},
    {"clerr", 400},
    {"cparam01", OK},
    {"cparam02", OK},
    {"dblreq", OK},
    {"esc01", OK},
    {"esc02", OK},
    {"escnull", OK},
    {"escruri", 400},
    {"insuf", 400},
    {"intmeth", OK},
    {"inv2543",
     UNREADABLE}, /* Without a branch it is from before RFC 3261, which libre does not speak. */
    {"invut", 415},
    {"ipv4-mapped-ipv6.v6", OK},
    {"ipv6-bad.v6", 400},
    {"ipv6-bug-abnf-3-colons.v6", OK},
    {"ipv6-correct-abnf-2-colons.v6", OK},
    {"ipv6-good.v6", OK},
    {"ipv6-in-sdp.v6", OK},
    {"longreq", UNREADABLE},  /* Likewise: its top Via has no branch. */
    {"ltgtruri", UNREADABLE}, /* Could get 400. */
    {"lwsdisp", OK},
    {"lwsruri", UNREADABLE},  /* Could get 400. */
    {"lwsstart", UNREADABLE}, /* Could get 400. */
    {"mcl01", 400},
    {"mismatch01", 400},
    {"mismatch02", 400},
    {"mpart01", OK},
    {"mult-ip-in-header.v6", OK},
    {"mult-ip-in-sdp.v6", OK},
    {"multi01", 400},
    {"ncl", 400},
    {"noreason", RESPONSE},
    {"novelsc", 416},
    {"port-ambiguous.v6", OK},
    {"port-unambiguous.v6", OK},
    {"quotbal", 400},
    {"regaut01", OK},
    {"regbadct", OK}, /* A REGISTER: 405. */
    {"regescrt", OK},
    {"scalar02", 400},
    {"scalarlg", RESPONSE},
    {"sdp01", 406},
    {"semiuri", OK},
    {"transports", OK},
    {"trws", UNREADABLE}, /* Could get 400. */
    {"unkscm", 416},
    {"unksm2", UNREADABLE}, /* Libre reads no other schemes in To. */
    {"unreason", RESPONSE},
    {"via-received-param-no-delim.v6", OK},
    {"via-received-param-with-delim.v6", OK},
    {"wsinv", OK},
    {"zeromf", OK}, /* The last one that it reaches may answer. */
};

#define ROWS (sizeof rows / sizeof *rows)

static size_t load(const char *name, uint8_t data[FILE_MAX])
{
    char path[512];
    FILE *file;
    size_t size;

    (void)snprintf(path, sizeof path, "%s/%s.dat", TORTURE_FOLDER, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("no %s", path);
    size = fread(data, 1, FILE_MAX, file);
    assert_true(size > 0 && size < FILE_MAX);
    (void)fclose(file);
    return size;
}

static uint16_t verdict_on(const uint8_t *data, size_t size, bool *rings)
{
    struct mbuf *mb = mbuf_alloc(size);
    struct sip_msg *msg = NULL;
    struct sip_dialog *dialog = NULL;
    uint16_t verdict = UNREADABLE;

    *rings = false;
    assert_non_null(mb);
    assert_int_equal(mbuf_write_mem(mb, data, size), 0);
    mb->pos = 0;
    if (tdm_sip_is_readable(mb) && sip_msg_decode(&msg, mb) == 0) {
        bool invite = msg->req && !pl_strcmp(&msg->met, "INVITE") && !pl_isset(&msg->to.tag);

        verdict = msg->req ? tdm_sip_check_request(msg) : RESPONSE;
        if (verdict == OK && invite)
            verdict = tdm_sip_check_invite(msg);
        if (verdict == OK && invite && sip_dialog_accept(&dialog, msg))
            verdict = 400;
        *rings = verdict == OK && invite;
    }
    mem_deref(dialog);
    mem_deref(msg);
    mem_deref(mb);
    return verdict;
}

static void each_gets_its_verdict(void **state)
{
    uint32_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t data[FILE_MAX];
        bool rings;
        uint16_t verdict = verdict_on(data, load(rows[i].name, data), &rings);

        if (verdict != rows[i].verdict) {
            print_error("%s: %u instead of %u\n", rows[i].name, verdict, rows[i].verdict);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* The last one asks for an answer, which says that all before it were taken. */
static void wait_until_taken(const struct tdm_sig_ops *sip, struct tdm_sig *sig, int fd,
                             const struct sockaddr_in *to)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "INVITE sip:last@127.0.0.1 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKlast\r\n"
                        "From: <sip:a@b>;tag=1\r\nTo: <sip:last@b>\r\nCall-ID: last\r\n"
                        "CSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\n"
                        "Content-Length: 0\r\n\r\n");

    (void)sip;
    (void)sig;
    assert_int_equal(sendto(fd, text, (size_t)size, 0, (const struct sockaddr *)to, sizeof *to),
                     size);
}

static void a_backend_survives_them(void **state)
{
    const struct tdm_sig_ops *sip = &tdm_sig_libre;
    struct tdm_sig_config config = {.bind_address = "127.0.0.1",
                                    .port = (uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2),
                                    .port_may_change = true,
                                    .calls_max = 64};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    tdm_time deadline = tdm_clock_now() + 30 * TDM_S;
    uint32_t expected = 0, rang = 0;
    struct tdm_sig_event event = {.kind = TDM_SIG_NONE};
    struct tdm_cause cause = {""};
    struct tdm_sig *sig;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(sip->open(&sig, &config, &cause), TDM_OK);
    to.sin_port = htons(sip->port(sig));
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t data[FILE_MAX];
        size_t size = load(rows[i].name, data);
        bool rings;

        (void)verdict_on(data, size, &rings);
        expected += rings;
        assert_int_equal(sendto(fd, data, size, 0, (struct sockaddr *)&to, sizeof to), size);
    }
    wait_until_taken(sip, sig, fd, &to);
    while (event.kind != TDM_SIG_CALL_IN || !strstr(event.to, "last@")) {
        if (sip->next(sig, &event) == TDM_OK)
            rang += event.kind == TDM_SIG_CALL_IN;
        else if (tdm_wait_until(deadline, sip->fd(sig), -1) == TDM_WAIT_TIME)
            fail_msg("it does not answer any more");
    }
    assert_int_equal(rang, expected + 1);
    sip->close(sig);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_verdict),
        cmocka_unit_test(a_backend_survives_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
