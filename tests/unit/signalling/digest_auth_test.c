/* SPDX-License-Identifier: MIT */
/* Digest: the examples of RFC 2617 and RFC 7616, both sides against each other, broken headers. */
#include "signalling/digest_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tdm_digest_challenge parsed(const char *text)
{
    struct tdm_digest_challenge challenge;

    assert_int_equal(tdm_digest_parse_challenge(text, strlen(text), &challenge), TDM_OK);
    return challenge;
}

/* The value of name=... in a header. */
static void assert_says(const char *header, const char *expected)
{
    if (!strstr(header, expected))
        fail_msg("no %s in %s", expected, header);
}

static void rfc2617_example(void **state)
{
    struct tdm_digest_challenge c =
        parsed("Digest\r\n realm=\"testrealm@host.com\",\r\n qop=\"auth,auth-int\",\r\n"
               " nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",\r\n"
               " opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    char value[TDM_DIGEST_HEADER_MAX];

    (void)state;
    assert_int_equal(tdm_digest_answer(&c,
                                       &(struct tdm_digest_request){.user = "Mufasa",
                                                                    .password = "Circle Of Life",
                                                                    .method = "GET",
                                                                    .uri = "/dir/index.html",
                                                                    .cnonce = "0a4f113b",
                                                                    .nc = 1},
                                       value, sizeof value),
                     TDM_OK);
    assert_says(value, "response=\"6629fae49393a05397450978507c4ef1\"");
    assert_says(value, "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    assert_says(value, "nc=00000001");
}

/* RFC 7616 section 3.9.1, both algorithms. */
static void rfc7616_examples(void **state)
{
    static const struct {
        const char *algorithm, *response;
    } rows[] = {
        {"MD5", "response=\"8ca523f5e9506fed4657c9700eebdbec\""},
        {"SHA-256",
         "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""},
    };
    char text[512], value[TDM_DIGEST_HEADER_MAX];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text,
                       "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
                       "algorithm=%s, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                       "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
                       rows[i].algorithm);

        struct tdm_digest_challenge c = parsed(text);

        assert_int_equal(
            tdm_digest_answer(&c,
                              &(struct tdm_digest_request){
                                  .user = "Mufasa",
                                  .password = "Circle of Life",
                                  .method = "GET",
                                  .uri = "/dir/index.html",
                                  .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                                  .nc = 1},
                              value, sizeof value),
            TDM_OK);
        assert_says(value, rows[i].response);
    }
}

/* RFC 2069's form, without qop: what old servers ask. RFC 3261 section 22.4 allows it. */
static void without_qop(void **state)
{
    struct tdm_digest_challenge c = parsed("Digest realm=\"r\",nonce=\"n\"");
    char value[TDM_DIGEST_HEADER_MAX], ha1[TDM_DIGEST_HEX_MAX];
    struct tdm_digest_credentials credentials;

    (void)state;
    assert_false(c.qop_auth);
    assert_int_equal(tdm_digest_answer(&c,
                                       &(struct tdm_digest_request){.user = "u",
                                                                    .password = "p",
                                                                    .method = "REGISTER",
                                                                    .uri = "sip:h",
                                                                    .cnonce = "",
                                                                    .nc = 1},
                                       value, sizeof value),
                     TDM_OK);
    assert_null(strstr(value, "qop"));
    assert_null(strstr(value, "nc="));
    assert_int_equal(tdm_digest_parse_credentials(value, strlen(value), &credentials), TDM_OK);
    tdm_digest_ha1(TDM_DIGEST_MD5, "u", "r", "p", ha1);
    assert_true(tdm_digest_check(&credentials, "REGISTER", ha1));
}

static void both_sides(void **state)
{
    static const char *const users[] = {"bob", "bob \"the\" back\\slash", "\xd0\x98\xd0\xb2"};
    char ha1[TDM_DIGEST_HEX_MAX], wrong[TDM_DIGEST_HEX_MAX];

    (void)state;
    for (int i = 0; i < 6; i++) {
        enum tdm_digest_algorithm algorithm = i % 2 ? TDM_DIGEST_SHA256 : TDM_DIGEST_MD5;
        struct tdm_digest_challenge sent = {.algorithm = algorithm, .stale = i == 3}, got;
        struct tdm_digest_credentials credentials;
        char value[TDM_DIGEST_HEADER_MAX];

        (void)snprintf(sent.realm, sizeof sent.realm, "tandem");
        (void)snprintf(sent.nonce, sizeof sent.nonce, "abc%d", i);
        assert_int_equal(tdm_digest_write_challenge(&sent, value, sizeof value), TDM_OK);
        got = parsed(value);
        assert_int_equal(got.algorithm, algorithm);
        assert_true(got.qop_auth);
        assert_int_equal(got.stale, i == 3);
        assert_int_equal(tdm_digest_answer(&got,
                                           &(struct tdm_digest_request){.user = users[i / 2],
                                                                        .password = "geheim",
                                                                        .method = "INVITE",
                                                                        .uri = "sip:paul@host",
                                                                        .cnonce = "c0",
                                                                        .nc = 0x1f},
                                           value, sizeof value),
                         TDM_OK);
        assert_int_equal(tdm_digest_parse_credentials(value, strlen(value), &credentials), TDM_OK);
        assert_string_equal(credentials.user, users[i / 2]);
        assert_string_equal(credentials.uri, "sip:paul@host");
        assert_int_equal(credentials.nc, 0x1f);
        tdm_digest_ha1(algorithm, users[i / 2], "tandem", "geheim", ha1);
        tdm_digest_ha1(algorithm, users[i / 2], "tandem", "Geheim", wrong);
        assert_true(tdm_digest_check(&credentials, "INVITE", ha1));
        assert_false(tdm_digest_check(&credentials, "BYE", ha1));
        assert_false(tdm_digest_check(&credentials, "INVITE", wrong));
        credentials.nc++;
        assert_false(tdm_digest_check(&credentials, "INVITE", ha1));
    }
}

static void broken(void **state)
{
    static const struct {
        const char *text;
        enum tdm_err err;
    } rows[] = {
        {"Basic realm=\"x\"", TDM_E_UNSUPPORTED},
        {"Digest realm=\"x\", nonce=\"n\", algorithm=AKAv1-MD5", TDM_E_UNSUPPORTED},
        {"Digest realm=\"x\", nonce=\"n\", algorithm=MD5-sess", TDM_E_UNSUPPORTED},
        {"Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"", TDM_E_UNSUPPORTED},
        {"Digest realm=\"x\"", TDM_E_MALFORMED},
        {"Digest nonce=\"x\"", TDM_E_MALFORMED},
        {"Digest realm=\"x, nonce=\"n\"", TDM_E_MALFORMED},
        {"Digest realm=\"x\", nonce=\"n", TDM_E_MALFORMED},
        {"Digest realm=\"x\\\", nonce=n", TDM_E_MALFORMED},
        {"Digest realm=\"x\", nonce=\"n\" stale=true", TDM_E_MALFORMED},
        {"Digest realm", TDM_E_MALFORMED},
        {"Digest realm=\"x\", nonce=\"a\nb\"", TDM_E_MALFORMED},
        {"Digest", TDM_E_MALFORMED},
        {"", TDM_E_UNSUPPORTED},
    };
    static const char *const credentials[] = {
        "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\"",
        "Digest username=\"u\", nonce=\"n\", uri=\"sip:h\", response=\"0\", qop=auth, nc=1, "
        "cnonce=\"c\"",
        "Digest username=\"u\", nonce=\"n\", uri=\"sip:h\", response=\"0\", qop=auth, "
        "nc=00000000, cnonce=\"c\"",
        "Digest username=\"u\", nonce=\"n\", uri=\"sip:h\", response=\"0\", qop=auth, "
        "nc=00000001",
    };
    struct tdm_digest_challenge c;
    struct tdm_digest_credentials r;
    char longer[400];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (tdm_digest_parse_challenge(rows[i].text, strlen(rows[i].text), &c) != rows[i].err)
            fail_msg("row %zu: %s", i, rows[i].text);
    for (size_t i = 0; i < sizeof credentials / sizeof *credentials; i++)
        if (tdm_digest_parse_credentials(credentials[i], strlen(credentials[i]), &r) !=
            TDM_E_MALFORMED)
            fail_msg("credentials %zu", i);
    (void)snprintf(longer, sizeof longer, "Digest realm=\"%0300d\", nonce=\"n\"", 0);
    assert_int_equal(tdm_digest_parse_challenge(longer, strlen(longer), &c), TDM_E_MALFORMED);
}

static void a_header_cannot_be_broken_out_of(void **state)
{
    struct tdm_digest_challenge c = parsed("Digest realm=\"r\",nonce=\"n\"");
    struct tdm_digest_request request = {
        .user = "a\r\nX: y", .password = "p", .method = "M", .uri = "sip:h", .cnonce = ""};
    char value[TDM_DIGEST_HEADER_MAX];

    (void)state;
    assert_int_equal(tdm_digest_answer(&c, &request, value, sizeof value), TDM_E_MALFORMED);
    request.user = "a";
    request.uri = "sip:h\"";
    assert_int_equal(tdm_digest_answer(&c, &request, value, sizeof value), TDM_E_MALFORMED);
    request.uri = "sip:h";
    assert_int_equal(tdm_digest_answer(&c, &request, value, 40), TDM_E_SPACE);
}

static void sha256_goes_first(void **state)
{
    struct tdm_digest_challenge md5 = parsed("Digest realm=\"r\",nonce=\"n\",qop=\"auth\"");
    struct tdm_digest_challenge sha = parsed("Digest realm=\"r\",nonce=\"n\",algorithm=sha-256");

    (void)state;
    assert_true(tdm_digest_is_better(&sha, &md5));
    assert_false(tdm_digest_is_better(&md5, &sha));
}

static void nonces(void **state)
{
    uint8_t key[TDM_SHA256_BYTES] = {1}, other[TDM_SHA256_BYTES] = {2};
    char nonce[TDM_DIGEST_NONCE_MAX];

    (void)state;
    tdm_digest_make_nonce(key, 1000, 0x123456789abcdef0, nonce);
    assert_int_equal(tdm_digest_look_at_nonce(key, 1000, 300, nonce), TDM_OK);
    assert_int_equal(tdm_digest_look_at_nonce(key, 1300, 300, nonce), TDM_OK);
    assert_int_equal(tdm_digest_look_at_nonce(key, 1301, 300, nonce), TDM_E_GONE);
    assert_int_equal(tdm_digest_look_at_nonce(key, 999, 300, nonce), TDM_E_GONE);
    assert_int_equal(tdm_digest_look_at_nonce(other, 1000, 300, nonce), TDM_E_DENIED);
    for (size_t i = 0; nonce[i]; i++) {
        char changed[TDM_DIGEST_NONCE_MAX];

        memcpy(changed, nonce, sizeof changed);
        changed[i] = changed[i] == '0' ? '1' : '0';
        assert_int_equal(tdm_digest_look_at_nonce(key, 1000, 300, changed), TDM_E_DENIED);
    }
    assert_int_equal(tdm_digest_look_at_nonce(key, 1000, 300, ""), TDM_E_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc2617_example),
        cmocka_unit_test(rfc7616_examples),
        cmocka_unit_test(without_qop),
        cmocka_unit_test(both_sides),
        cmocka_unit_test(broken),
        cmocka_unit_test(a_header_cannot_be_broken_out_of),
        cmocka_unit_test(sha256_goes_first),
        cmocka_unit_test(nonces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
