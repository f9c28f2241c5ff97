/* SPDX-License-Identifier: MIT */
#include "engine/io/interfaces.h"

#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void test_list(void **state)
{
    struct tdm_address list[TDM_INTERFACES_MAX];
    uint32_t count = tdm_interfaces_list(list, TDM_INTERFACES_MAX);

    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        assert_int_not_equal(list[i].family, TDM_ADDRESS_NONE);
        assert_int_equal(list[i].port, 0);
        assert_false(tdm_address_is_loopback(&list[i]));
        assert_false(tdm_address_is_link_local(&list[i]));
        for (uint32_t k = 0; k < i; k++)
            assert_false(tdm_address_same_host(&list[i], &list[k]));
    }
    if (count)
        assert_int_equal(tdm_interfaces_list(list, 1), 1);
    assert_int_equal(tdm_interfaces_list(list, 0), 0);
}

/* Gives the loopback interface of our own namespace another address, as an alias. */
static void add_address(const char *text)
{
    struct ifreq request = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "lo:1");
    memcpy(&request.ifr_addr, &address, sizeof address);
    assert_int_equal(ioctl(fd, SIOCSIFADDR, &request), 0);
    assert_int_equal(close(fd), 0);
}

static void test_change_is_told(void **state)
{
    struct tdm_cause cause;

    (void)state;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        skip(); /* Not allowed here. */
    int fd = tdm_interfaces_watch(&cause);

    assert_true(fd >= 0);
    (void)tdm_interfaces_changed(fd);
    assert_false(tdm_interfaces_changed(fd));
    add_address("10.9.8.7");
    assert_int_equal(tdm_wait_until(tdm_clock_now() + TDM_S, fd, -1), TDM_WAIT_WAKE);
    assert_true(tdm_interfaces_changed(fd));
    assert_false(tdm_interfaces_changed(fd));
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_change_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
