/* SPDX-License-Identifier: MIT */
/* SIP over TLS between two backends on loopback: whose certificate is believed and whose is not,
 * and what a person is told then. The certificates are made here. */
#include "engine/io/clock.h"
#include "engine/io/entropy.h"
#include "engine/io/wake.h"
#include "signalling/signalling.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT (20 * TDM_S)
#define DAY  86400L

static const struct tdm_sig_ops *const sip = &tdm_sig_libre;
static const struct tdm_sig_body offer_body = {.data = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n",
                                               .size = 31};
static const struct tdm_sig_body answer_body = {.data = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\n",
                                                .size = 31};

/* --- Certificates ------------------------------------------------------------------------------
 */

struct signer {
    EVP_PKEY *key;
    X509 *certificate;
};

struct spec {
    const char *cn, *alt; /* "DNS:localhost" or NULL. */
    long from_s, until_s;
    bool ca;
};

static void add_extension(X509 *c, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(c, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* `by` NULL: by itself. */
static struct signer make(const struct spec *spec, const struct signer *by)
{
    struct signer made = {EVP_EC_gen("P-256"), X509_new()};
    X509 *c = made.certificate;
    X509_NAME *name = X509_get_subject_name(c);

    assert_non_null(made.key);
    assert_int_equal(X509_set_version(c, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), tdm_entropy_u64() >> 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), spec->from_s));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), spec->until_s));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)spec->cn, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(c, by ? X509_get_subject_name(by->certificate) : name),
                     1);
    assert_int_equal(X509_set_pubkey(c, made.key), 1);
    if (spec->ca)
        add_extension(c, by ? by->certificate : c, NID_basic_constraints, "critical,CA:TRUE");
    if (spec->alt)
        add_extension(c, by ? by->certificate : c, NID_subject_alt_name, spec->alt);
    assert_true(X509_sign(c, by ? by->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void drop(struct signer *s)
{
    EVP_PKEY_free(s->key);
    X509_free(s->certificate);
}

static void save(const struct signer *s, const char *path, bool with_key)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    if (with_key)
        assert_int_equal(PEM_write_PrivateKey(file, s->key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_X509(file, s->certificate), 1);
    assert_int_equal(fclose(file), 0);
}

struct world {
    char folder[64], ca_path[96], server_path[96];
    struct signer ca, other_ca;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/tandem-tls-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->ca_path, sizeof w->ca_path, "%s/ca.pem", w->folder);
    (void)snprintf(w->server_path, sizeof w->server_path, "%s/server.pem", w->folder);
    w->ca = make(&(struct spec){"Test CA", NULL, -DAY, DAY, true}, NULL);
    w->other_ca = make(&(struct spec){"Other CA", NULL, -DAY, DAY, true}, NULL);
    save(&w->ca, w->ca_path, false);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    (void)unlink(w->ca_path);
    (void)unlink(w->server_path);
    (void)rmdir(w->folder);
    drop(&w->ca);
    drop(&w->other_ca);
    free(w);
    return 0;
}

/* --- Backends ----------------------------------------------------------------------------------
 */

static struct tdm_sig *open_sip(const char *identity, const char *ca_file)
{
    struct tdm_sig *sig = NULL;
    struct tdm_cause cause = {""};
    struct tdm_sig_config config = {.bind_address = "127.0.0.1",
                                    .port = (uint16_t)(20000 + tdm_entropy_u64() % 10000 * 2),
                                    .port_may_change = true,
                                    .identity = identity,
                                    .ca_file = ca_file};

    if (sip->open(&sig, &config, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return sig;
}

static struct tdm_sig_event next(struct tdm_sig *sig)
{
    tdm_time deadline = tdm_clock_now() + WAIT;
    struct tdm_sig_event event = {.kind = TDM_SIG_NONE};

    while (sip->next(sig, &event) != TDM_OK)
        if (tdm_wait_until(deadline, sip->fd(sig), -1) == TDM_WAIT_TIME)
            fail_msg("no event came");
    return event;
}

static struct tdm_sig_event expect(struct tdm_sig *sig, enum tdm_sig_kind kind)
{
    struct tdm_sig_event event = next(sig);

    if (event.kind != kind)
        fail_msg("event %d (\"%s\") instead of %d", (int)event.kind, event.reason, (int)kind);
    return event;
}

static tdm_sig_id call(struct tdm_sig *from, const struct tdm_sig *to, const char *host)
{
    struct tdm_cause cause = {""};
    char uri[80];
    tdm_sig_id id = 0;

    (void)snprintf(uri, sizeof uri, "sips:bob@%s:%u", host, sip->port(to) + 1u);
    if (sip->call(from, 0, uri, &offer_body, &id, &cause) != TDM_OK)
        fail_msg("%s", cause.text);
    return id;
}

/* --- Tests -------------------------------------------------------------------------------------
 */

static void a_whole_call(void **state)
{
    struct world *w = *state;
    struct signer server =
        make(&(struct spec){"server", "DNS:localhost,IP:127.0.0.1", -DAY, DAY, false}, &w->ca);
    struct tdm_sig *a, *b;
    struct tdm_sig_event in;
    tdm_sig_id id;

    save(&server, w->server_path, true);
    a = open_sip(NULL, w->ca_path);
    b = open_sip(w->server_path, NULL);
    for (int i = 0; i < 2; i++) { /* By name, by address. */
        id = call(a, b, i ? "127.0.0.1" : "localhost");
        in = expect(b, TDM_SIG_CALL_IN);
        assert_true(in.confidential);
        assert_int_equal(sip->ring(b, in.id), TDM_OK);
        (void)expect(a, TDM_SIG_RINGING);
        assert_int_equal(sip->accept(b, in.id, &answer_body), TDM_OK);
        (void)expect(a, TDM_SIG_ACCEPTED);
        (void)expect(b, TDM_SIG_CONFIRMED);
        assert_int_equal(sip->offer(b, in.id, &offer_body), TDM_OK);
        (void)expect(a, TDM_SIG_OFFER);
        assert_int_equal(sip->answer(a, id, &answer_body, 0), TDM_OK);
        (void)expect(b, TDM_SIG_ANSWER);
        assert_int_equal(sip->hangup(i ? a : b, i ? id : in.id, NULL), TDM_OK);
        (void)expect(a, TDM_SIG_ENDED);
        (void)expect(b, TDM_SIG_ENDED);
    }
    sip->close(a);
    sip->close(b);
    drop(&server);
}

static void who_is_not_believed(void **state)
{
    struct world *w = *state;
    const struct {
        struct spec spec;
        const struct signer *by;
        const char *words;
    } rows[] = {
        {{"server", "DNS:elsewhere.example", -DAY, DAY, false}, &w->ca, "for another name"},
        {{"localhost", NULL, -2 * DAY, -DAY, false}, &w->ca, "expired"},
        {{"localhost", NULL, DAY, 2 * DAY, false}, &w->ca, "not valid yet"},
        {{"localhost", "DNS:localhost", -DAY, DAY, false}, NULL, "self-signed"},
        {{"localhost", "DNS:localhost", -DAY, DAY, false}, &w->other_ca, "an authority"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signer server = make(&rows[i].spec, rows[i].by);
        struct tdm_sig_event event;
        struct tdm_sig *a, *b;

        save(&server, w->server_path, true);
        a = open_sip(NULL, w->ca_path);
        b = open_sip(w->server_path, NULL);
        (void)call(a, b, "localhost");
        event = expect(a, TDM_SIG_FAILED);
        if (!strstr(event.reason, rows[i].words))
            fail_msg("row %zu: %s", i, event.reason);
        assert_int_equal(sip->next(b, &event), TDM_E_AGAIN); /* It heard nothing of us. */
        sip->close(a);
        sip->close(b);
        drop(&server);
    }
}

static struct tdm_sig_event registration(struct tdm_sig *sig)
{
    for (;;) {
        struct tdm_sig_event event = expect(sig, TDM_SIG_REGISTRATION);

        if (event.registration != TDM_SIG_ACCOUNT_REGISTERING)
            return event;
    }
}

static void fingerprint_of(const struct signer *s, char text[100])
{
    unsigned char digest[32];
    unsigned int size = sizeof digest;

    assert_int_equal(X509_digest(s->certificate, EVP_sha256(), digest, &size), 1);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(text + 3 * i, 4, "%02x%s", digest[i], i < 31 ? ":" : "");
}

/* An account with a chosen fingerprint believes that certificate alone, self-signed or not. */
static void a_pinned_fingerprint(void **state)
{
    struct world *w = *state;
    struct signer server = make(&(struct spec){"whoever", NULL, -DAY, DAY, false}, NULL);
    struct signer other =
        make(&(struct spec){"localhost", "DNS:localhost,IP:127.0.0.1", -DAY, DAY, false}, &w->ca);

    for (int i = 0; i < 2; i++) {
        char fingerprint[100], registrar[64];
        struct tdm_cause cause = {""};
        struct tdm_sig_event event;
        struct tdm_sig *a, *b;
        tdm_sig_id id;

        save(i ? &other : &server, w->server_path, true);
        a = open_sip(NULL, w->ca_path);
        b = open_sip(w->server_path, NULL);
        fingerprint_of(&server, fingerprint);
        (void)snprintf(registrar, sizeof registrar, "sips:127.0.0.1:%u", sip->port(b) + 1u);
        assert_int_equal(sip->account_add(a,
                                          &(struct tdm_sig_account){.aor = "bob@reskit.test",
                                                                    .registrar = registrar,
                                                                    .fingerprint = fingerprint},
                                          &id, &cause),
                         TDM_OK);
        event = registration(a);
        assert_int_equal(event.registration, TDM_SIG_ACCOUNT_REFUSED);
        if (i) /* The authority would have been good enough; the choice counts. */
            assert_non_null(strstr(event.reason, "not the one whose fingerprint was chosen"));
        else /* TLS stands: a Tandem is no registrar, and says so itself. */
            assert_int_equal(event.code, 405);
        sip->close(a);
        sip->close(b);
    }
    drop(&server);
    drop(&other);
}

/* A port that answers the hello in plain text. (A SIP port of the library may also take it for the
 * begin of a message and wait for the rest, until the transaction's 32 s are over.) */
static void no_tls_there(void **state)
{
    static const char plain[] = "SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    struct world *w = *state;
    struct tdm_sig *a = open_sip(NULL, w->ca_path);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct pollfd door = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN};
    socklen_t size = sizeof at;
    struct tdm_cause cause = {""};
    struct tdm_sig_event event;
    char uri[80];
    tdm_sig_id id;
    int caller;

    assert_int_equal(bind(door.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(door.fd, 1), 0);
    assert_int_equal(getsockname(door.fd, (struct sockaddr *)&at, &size), 0);
    (void)snprintf(uri, sizeof uri, "sip:bob@127.0.0.1:%u;transport=tls", ntohs(at.sin_port));
    assert_int_equal(sip->call(a, 0, uri, &offer_body, &id, &cause), TDM_OK);
    assert_int_equal(poll(&door, 1, (int)(WAIT / TDM_MS)), 1);
    caller = accept(door.fd, NULL, NULL);
    assert_true(caller >= 0);
    assert_int_equal(write(caller, plain, sizeof plain - 1), sizeof plain - 1);
    event = expect(a, TDM_SIG_FAILED);
    assert_true(event.reason[0]);
    print_message("told: %s\n", event.reason);
    close(caller);
    close(door.fd);
    sip->close(a);
}

static void an_authority_file_that_is_not_there(void **state)
{
    struct tdm_sig *a = open_sip(NULL, "/nowhere/ca.pem");
    struct tdm_cause cause = {""};
    struct tdm_sig_event event;
    tdm_sig_id id;

    (void)state;
    assert_int_equal(sip->call(a, 0, "sips:bob@127.0.0.1:9", &offer_body, &id, &cause), TDM_OK);
    event = expect(a, TDM_SIG_FAILED);
    assert_non_null(strstr(event.reason, "/nowhere/ca.pem"));
    sip->close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_call),
        cmocka_unit_test(who_is_not_believed),
        cmocka_unit_test(a_pinned_fingerprint),
        cmocka_unit_test(no_tls_there),
        cmocka_unit_test(an_authority_file_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
