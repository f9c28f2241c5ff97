/* SPDX-License-Identifier: MIT */
#include "engine/io/tls.h"

#include "engine/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tdm_identity *ids[2];

struct pair {
    int fds[2]; /* 0: the client's. */
    struct tdm_tls *sides[2];
    enum tdm_err results[2];
    struct tdm_cause causes[2];
};

static void make_sockets(struct pair *p)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fds), 0);
}

static void trust(struct tdm_tls_config *config, const struct tdm_identity *id)
{
    struct tdm_fingerprint_desc *f = &config->fingerprints[config->fingerprint_count++];

    *f = (struct tdm_fingerprint_desc){.hash = "sha-256", .size = TDM_FINGERPRINT_BYTES};
    memcpy(f->bytes, tdm_identity_fingerprint(id), TDM_FINGERPRINT_BYTES);
}

static void shake(struct pair *p)
{
    p->results[0] = p->results[1] = TDM_E_AGAIN;
    for (int turn = 0; turn < 100 && (p->results[0] == TDM_E_AGAIN || p->results[1] == TDM_E_AGAIN);
         turn++)
        for (int i = 0; i < 2; i++)
            if (p->results[i] == TDM_E_AGAIN)
                p->results[i] = tdm_tls_handshake(p->sides[i], &p->causes[i]);
}

static void drop(struct pair *p)
{
    tdm_tls_destroy(p->sides[0]);
    tdm_tls_destroy(p->sides[1]);
}

/* Both with certificates; each trusts that of ids[trusted]. */
static void open_mutual(struct pair *p, int client_trusts, int server_trusts)
{
    struct tdm_tls_config client = {.client = true, .identity = ids[0]};
    struct tdm_tls_config server = {.identity = ids[1]};
    struct tdm_cause cause;

    make_sockets(p);
    client.fd = p->fds[0];
    server.fd = p->fds[1];
    trust(&client, ids[client_trusts]);
    trust(&server, ids[server_trusts]);
    assert_true(tdm_tls_create(&p->sides[0], &client, &cause) == TDM_OK);
    assert_true(tdm_tls_create(&p->sides[1], &server, &cause) == TDM_OK);
    shake(p);
}

static void test_mutual(void **state)
{
    struct pair p;
    uint8_t peer[TDM_FINGERPRINT_BYTES];
    char byte;
    size_t size = 1;

    (void)state;
    open_mutual(&p, 1, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(p.results[i] == TDM_OK);
        assert_true(tdm_tls_peer(p.sides[i], peer) == TDM_OK);
        assert_memory_equal(peer, tdm_identity_fingerprint(ids[!i]), sizeof peer);
        assert_int_equal(tdm_tls_events(p.sides[i]), POLLIN);
        assert_int_equal(tdm_tls_fd(p.sides[i]), p.fds[i]);
        size = 1;
        assert_true(tdm_tls_read(p.sides[i], &byte, &size) == TDM_E_AGAIN);
        assert_int_equal(size, 0);
    }
    drop(&p);
}

static void test_wrong_fingerprint(void **state)
{
    struct pair p;
    char byte;
    size_t size = 1;

    (void)state;
    open_mutual(&p, 0, 0);
    assert_true(p.results[0] == TDM_E_DENIED);
    assert_non_null(strstr(p.causes[0].text, "somebody may sit between"));
    assert_true(p.results[1] == TDM_E_DENIED);
    assert_non_null(strstr(p.causes[1].text, "refused our certificate"));
    drop(&p);

    /* The client of TLS 1.3 has finished before the server judges it: its first read tells. */
    open_mutual(&p, 1, 1);
    assert_true(p.results[1] == TDM_E_DENIED);
    assert_non_null(strstr(p.causes[1].text, "somebody may sit between"));
    assert_true(tdm_tls_read(p.sides[0], &byte, &size) == TDM_E_GONE);
    assert_int_equal(size, 0);
    drop(&p);
}

/* Pieces of any size arrive in order, through a socket that takes what it wants. */
static void test_stream(void **state)
{
    enum { BYTES = 3000000 };
    struct pair p;
    struct tdm_rng rng = tdm_rng_of(3);
    static uint8_t out[BYTES], in[BYTES];
    size_t sent = 0, received = 0;

    (void)state;
    open_mutual(&p, 1, 0);
    for (size_t i = 0; i < BYTES; i++)
        out[i] = (uint8_t)tdm_rng_u32(&rng);
    while (received < BYTES) {
        size_t size = 1 + tdm_rng_below(&rng, 100000);
        enum tdm_err err = TDM_E_AGAIN;

        /* What was not taken is offered again, with more behind it. */
        if (sent < BYTES && tdm_rng_below(&rng, 3)) {
            size_t left = BYTES - sent;

            err = tdm_tls_write(p.sides[0], out + sent, &left);
            assert_true(err == TDM_OK || err == TDM_E_AGAIN);
            assert_true(left == BYTES - sent || tdm_tls_events(p.sides[0]) == (POLLIN | POLLOUT));
            sent += left;
        }
        if (size > BYTES - received)
            size = BYTES - received;
        err = tdm_tls_read(p.sides[1], in + received, &size);
        assert_true(err == TDM_OK || (err == TDM_E_AGAIN && size == 0));
        received += size;
    }
    assert_memory_equal(in, out, BYTES);
    drop(&p);
}

static void test_end(void **state)
{
    struct pair p;
    char bytes[8] = "end";
    size_t size = 3;

    (void)state;
    open_mutual(&p, 1, 0);
    assert_true(tdm_tls_write(p.sides[0], bytes, &size) == TDM_OK);
    tdm_tls_destroy(p.sides[0]);
    size = sizeof bytes;
    assert_true(tdm_tls_read(p.sides[1], bytes, &size) == TDM_OK);
    assert_int_equal(size, 3);
    size = sizeof bytes;
    assert_true(tdm_tls_read(p.sides[1], bytes, &size) == TDM_E_GONE);
    size = 3;
    assert_true(tdm_tls_write(p.sides[1], bytes, &size) == TDM_E_GONE);
    tdm_tls_destroy(p.sides[1]);

    /* Without a word, while the other side writes: no signal ends the process. */
    open_mutual(&p, 1, 0);
    assert_int_equal(shutdown(p.fds[0], SHUT_RDWR), 0);
    size = 3;
    (void)tdm_tls_write(p.sides[1], bytes, &size);
    size = sizeof bytes;
    assert_true(tdm_tls_read(p.sides[1], bytes, &size) == TDM_E_GONE);
    drop(&p);
}

/* A record that was changed on its way ends the connection. */
static void test_damage(void **state)
{
    struct pair p;
    char bytes[64] = {0};
    size_t size = sizeof bytes;

    (void)state;
    open_mutual(&p, 1, 0);
    assert_int_equal(write(p.fds[0], "\x17\x03\x03\x00\x20 nothing that anybody encrypted...", 37),
                     37);
    assert_true(tdm_tls_read(p.sides[1], bytes, &size) == TDM_E_GONE);
    drop(&p);
}

static void test_nonsense(void **state)
{
    struct pair p;
    struct tdm_tls_config server = {.identity = ids[1]};

    (void)state;
    make_sockets(&p);
    server.fd = p.fds[1];
    trust(&server, ids[0]);
    assert_true(tdm_tls_create(&p.sides[1], &server, &p.causes[1]) == TDM_OK);
    assert_int_equal(write(p.fds[0], "GET / HTTP/1.0\r\n\r\n", 18), 18);
    assert_true(tdm_tls_handshake(p.sides[1], &p.causes[1]) == TDM_E_DENIED);
    assert_true(strlen(p.causes[1].text) > 10);
    tdm_tls_destroy(p.sides[1]);
    (void)close(p.fds[0]);
}

/* A client that offers TLS 1.2 alone gets nothing. */
static void test_downgrade(void **state)
{
    struct pair p;
    struct tdm_tls_config server = {.identity = ids[1]};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;

    (void)state;
    make_sockets(&p);
    server.fd = p.fds[1];
    assert_true(tdm_tls_create(&p.sides[1], &server, &p.causes[1]) == TDM_OK);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    ssl = SSL_new(ctx);
    assert_int_equal(SSL_set_fd(ssl, p.fds[0]), 1);
    assert_int_equal(SSL_connect(ssl), -1);
    assert_true(tdm_tls_handshake(p.sides[1], &p.causes[1]) == TDM_E_DENIED);
    assert_non_null(strstr(p.causes[1].text, "too old"));
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    tdm_tls_destroy(p.sides[1]);
    (void)close(p.fds[0]);
}

/* Authorities and what they sign, as files. */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

static char folder[64];

static void name_file(char path[128], const char *name)
{
    (void)snprintf(path, 128, "%s/%s", folder, name);
}

static void add_extension(X509 *c, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(e);
    assert_int_equal(X509_add_ext(c, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* Signed by `by`, or by itself when that is NULL. */
static struct authority sign(const char *name, const char *extension, long valid_s,
                             const struct authority *by)
{
    struct authority a = {EVP_EC_gen("P-256"), X509_new()};
    X509 *c = a.certificate;
    X509_NAME *subject = X509_get_subject_name(c);

    assert_int_equal(X509_set_version(c, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(c), 1 + (long)strlen(name)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), -7200));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), valid_s));
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(c, by ? X509_get_subject_name(by->certificate) : subject),
                     1);
    assert_int_equal(X509_set_pubkey(c, a.key), 1);
    add_extension(c, by ? NID_subject_alt_name : NID_basic_constraints, extension);
    assert_true(X509_sign(c, by ? by->key : a.key, EVP_sha256()) > 0);
    return a;
}

static void save(const struct authority *a, const char *name, bool with_key)
{
    char path[128];

    name_file(path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    if (with_key)
        assert_int_equal(PEM_write_PrivateKey(file, a->key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_X509(file, a->certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static void forget(struct authority *a)
{
    EVP_PKEY_free(a->key);
    X509_free(a->certificate);
}

static void make_files(void)
{
    static const struct {
        const char *file, *names;
        long valid_s;
    } leaves[] = {
        {"good", "DNS:turn.example.org,IP:192.0.2.7", 3600},
        {"old", "DNS:turn.example.org", -3600},
    };
    struct authority known = sign("an authority", "critical,CA:TRUE", 3600, NULL);
    struct authority unknown = sign("another", "critical,CA:TRUE", 3600, NULL);

    save(&known, "known", false);
    save(&unknown, "unknown", false);
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        struct authority leaf = sign("server", leaves[i].names, leaves[i].valid_s, &known);

        save(&leaf, leaves[i].file, true);
        forget(&leaf);
    }
    struct authority alone = sign("turn.example.org", "CA:FALSE", 3600, NULL);

    save(&alone, "alone", true);
    forget(&alone);
    forget(&known);
    forget(&unknown);
}

/* By name and chain: who is let in, and what a person is told otherwise. */
static void test_names(void **state)
{
    static const struct {
        const char *server, *authority, *host;
        enum tdm_err result;
        const char *words;
    } rows[] = {
        {"good", "known", "turn.example.org", TDM_OK, NULL},
        {"good", "known", "192.0.2.7", TDM_OK, NULL},
        {"good", "known", "other.example.org", TDM_E_DENIED, "for another name"},
        {"good", "known", "192.0.2.8", TDM_E_DENIED, "for another name"},
        {"good", "unknown", "turn.example.org", TDM_E_DENIED, "does not know"},
        {"good", NULL, "turn.example.org", TDM_E_DENIED, "does not know"},
        {"old", "known", "turn.example.org", TDM_E_DENIED, "expired"},
        {"alone", "known", "turn.example.org", TDM_E_DENIED, "self-signed"},
    };

    (void)state;
    make_files();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tdm_tls_config client = {.client = true, .host = rows[i].host};
        struct tdm_tls_config server = {0};
        struct tdm_identity *id;
        struct pair p;
        char path[128], ca[128];

        name_file(path, rows[i].server);
        assert_true(tdm_identity_load(path, &id, &p.causes[1]) == TDM_OK);
        if (rows[i].authority) {
            name_file(ca, rows[i].authority);
            client.ca_file = ca;
        }
        make_sockets(&p);
        client.fd = p.fds[0];
        server.fd = p.fds[1];
        server.identity = id;
        assert_true(tdm_tls_create(&p.sides[0], &client, &p.causes[0]) == TDM_OK);
        assert_true(tdm_tls_create(&p.sides[1], &server, &p.causes[1]) == TDM_OK);
        shake(&p);
        assert_int_equal(p.results[0], rows[i].result);
        if (rows[i].words)
            assert_non_null(strstr(p.causes[0].text, rows[i].words));
        assert_true((p.results[1] == TDM_OK) == (rows[i].result == TDM_OK));
        drop(&p);
        tdm_identity_free(id);
    }
}

static void test_no_authorities(void **state)
{
    struct tdm_tls_config client = {
        .client = true, .host = "turn.example.org", .ca_file = "/nowhere/at/all"};
    struct pair p;

    (void)state;
    make_sockets(&p);
    client.fd = p.fds[0];
    assert_true(tdm_tls_create(&p.sides[0], &client, &p.causes[0]) == TDM_E_SYSTEM);
    assert_null(p.sides[0]);
    assert_non_null(strstr(p.causes[0].text, "/nowhere/at/all"));
    assert_int_equal(fcntl(p.fds[0], F_GETFD), -1); /* Closed, as it was ours to close. */
    (void)close(p.fds[1]);
}

static int set_up(void **state)
{
    struct tdm_cause cause;

    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/tandem-tls-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < 2; i++)
        if (tdm_identity_load(NULL, &ids[i], &cause) != TDM_OK)
            return -1;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"known", "unknown", "good", "old", "alone"};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];

        name_file(path, files[i]);
        (void)unlink(path);
    }
    tdm_identity_free(ids[0]);
    tdm_identity_free(ids[1]);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutual),         cmocka_unit_test(test_wrong_fingerprint),
        cmocka_unit_test(test_stream),         cmocka_unit_test(test_end),
        cmocka_unit_test(test_damage),         cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_downgrade),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_authorities),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
