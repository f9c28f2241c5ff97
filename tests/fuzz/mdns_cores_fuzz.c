/* SPDX-License-Identifier: MIT */
/*
 * Bytes become datagrams and steps of time for an announcer and a finder, which also hear each
 * other. Checked: bounded messages that can be read, no wake in the past, they come to rest, and
 * after the goodbye there is silence.
 */
#include "engine/core/mdns.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tdm_mdns_announcer announcer;
static struct tdm_mdns_finder finder;
static struct tdm_mdns_out out;
static tdm_time now;

static const struct tdm_address ours = {.family = TDM_IPV4, .bytes = {10, 0, 0, 1}, .port = 5353};

static void check_out(void)
{
    assert(out.send_count <= TDM_MDNS_SENDS_MAX);
    for (uint32_t i = 0; i < out.send_count; i++) {
        struct tdm_dns_reader r;
        struct tdm_dns_record record;
        enum tdm_err err;

        assert(out.sends[i].size >= 12 && out.sends[i].size <= TDM_DNS_MESSAGE_MAX);
        assert(tdm_dns_read(&r, out.sends[i].data, out.sends[i].size) == TDM_OK);
        while ((err = tdm_dns_read_record(&r, &record)) == TDM_OK)
            continue;
        assert(err == TDM_E_GONE && r.at == r.size);
    }
}

static void step_announcer(const struct tdm_mdns_in *in)
{
    for (int n = 0;; n++, in = NULL) {
        tdm_mdns_announcer_step(&announcer, now, in, &out);
        check_out();
        if (out.wake_at > now)
            return;
        assert(n < 8); /* A few messages, when one is too small. */
    }
}

static void step_finder(const struct tdm_mdns_in *in)
{
    tdm_mdns_finder_step(&finder, now, in, &out);
    check_out();
    assert(out.wake_at > now && finder.found_count <= TDM_MDNS_FOUND_MAX);
    for (uint32_t i = 0; i < finder.found_count; i++)
        assert(finder.found[i].expires > now &&
               finder.found[i].address_count <= TDM_MDNS_ADDRESSES_MAX);
}

static void start(void)
{
    static const char *const types[] = {"_sip._udp", "_sip._tcp"};
    struct tdm_mdns_announcer_config config = {.instance = "lan.test",
                                               .services = {{types[0], 5060}, {types[1], 5060}},
                                               .service_count = 2,
                                               .addresses = {ours},
                                               .address_count = 1,
                                               .seed = 1};

    now = 0;
    assert(tdm_dns_text_add(config.text, sizeof config.text, &config.text_size, "domain",
                            "lan.test") == TDM_OK);
    assert(tdm_mdns_announcer_init(&announcer, &config, now) == TDM_OK);
    assert(tdm_mdns_finder_init(&finder, types, 2, 2, now) == TDM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    start();
    while (tdm_reader_left(&r)) {
        uint8_t op = tdm_read_u8(&r);
        size_t bytes = tdm_read_u8(&r);

        bytes |= (size_t)(op & 3) << 8;
        bytes = bytes < tdm_reader_left(&r) ? bytes : tdm_reader_left(&r);
        struct tdm_mdns_in in = {.data = tdm_read_bytes(&r, bytes), .size = bytes, .from = ours};

        in.from.bytes[3] = op;
        in.from.port = op & 4 ? 40000 : 5353;
        now += (tdm_time)(op >> 3) * 50 * TDM_MS;
        step_announcer(&in);
        if (out.send_count) { /* The finder hears it. */
            struct tdm_mdns_send heard = out.sends[0];

            step_finder(
                &(struct tdm_mdns_in){.data = heard.data, .size = heard.size, .from = ours});
        }
        step_finder(&in);
    }
    now += 60 * TDM_S;
    step_announcer(&(struct tdm_mdns_in){.leave = true});
    step_announcer(&(struct tdm_mdns_in){.data = data, .size = size, .from = ours});
    assert(out.send_count == 0 && out.wake_at == TDM_NEVER);
    return 0;
}
