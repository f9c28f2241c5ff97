/* SPDX-License-Identifier: MIT */
#include "apps/serve.h"

#include "apps/folders.h"
#include "apps/options.h"
#include "apps/serve_accounts.h"
#include "apps/serve_options.h"
#include "apps/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_MS 10000

static int give_up(const struct serve_options *o, enum exit_code code, const char *why)
{
    fprintf(stderr, "tandem serve: %s\n", why);
    if (o->json) {
        json_t *object =
            json_pack("{s:s, s:i, s:s}", "event", "failed", "exit", (int)code, "reason", why);

        (void)json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
    }
    return (int)code;
}

/* One object a line; `object` is used up. */
static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    (void)fflush(stdout);
    json_decref(object);
}

static json_t *stats_json(const struct tandem_server_stats *s)
{
    return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "relays",
                     (int)s->relays, "relays_given", (json_int_t)s->relays_given, "bindings",
                     (json_int_t)s->bindings, "challenges", (json_int_t)s->challenges,
                     "wrong_credentials", (json_int_t)s->wrong_credentials, "over_quota",
                     (json_int_t)s->over_quota, "forbidden_peers", (json_int_t)s->forbidden_peers,
                     "malformed", (json_int_t)s->malformed, "rationed", (json_int_t)s->rationed,
                     "unpermitted", (json_int_t)s->unpermitted, "over_rate",
                     (json_int_t)s->over_rate, "relayed_packets", (json_int_t)s->relayed_packets,
                     "relayed_bytes", (json_int_t)s->relayed_bytes);
}

static int print_credential(const struct serve_options *o)
{
    char secret[TANDEM_SECRET_BYTES];
    struct tandem_credential credential;
    struct tandem_cause cause = {""};

    if (tandem_server_secret(o->secret_file, secret, &cause) != TANDEM_OK ||
        tandem_server_credential(secret, o->credential, o->hours * 3600, &credential, &cause) !=
            TANDEM_OK)
        return give_up(o, EXIT_FAILED, cause.text);
    if (o->json)
        print_json(json_pack("{s:s, s:s, s:I}", "username", credential.user, "credential",
                             credential.password, "seconds", (json_int_t)o->hours * 3600));
    else
        printf("user      %s\npassword  %s\n", credential.user, credential.password);
    return EXIT_DONE;
}

/* What somebody needs who wants to be called here. */
static void print_sign_in(const struct tandem_server_stats *s, const struct serve_options *o)
{
    if (!s->sip_address[0])
        return;
    fprintf(stderr, "SIP on %s, UDP and TCP%s, for people of %s\n", s->sip_address,
            o->config.sips_port ? ", and TLS" : "", s->domain);
    if (o->config.sips_port)
        fprintf(stderr, "  TLS on port %u; its certificate's fingerprint (SHA-256):\n  %s\n",
                (unsigned)o->config.sips_port, s->fingerprint);
    if (s->accounts == 0)
        fputs("  nobody has an account yet\n", stderr);
    /* A store without accounts of this domain would take the usual one. */
    fprintf(stderr, "  an account:       tandem serve adduser NAME%s%s%s%s\n",
            s->accounts ? "" : " --domain ", s->accounts ? "" : s->domain,
            o->config.store_path ? " --store " : "",
            o->config.store_path ? o->config.store_path : "");
    fprintf(stderr, "  any SIP program:  user NAME, domain %s, proxy %s\n", s->domain,
            s->sip_address);
    if (s->announced)
        fputs("  on this network:  tandem account add NAME --password (it is found by itself)\n",
              stderr);
    if (s->http_port)
        fprintf(stderr, "  figures:          http://127.0.0.1:%u/status and /metrics\n",
                (unsigned)s->http_port);
}

static void print_start(const struct serve_options *o, struct tandem_server *server)
{
    struct tandem_server_stats s;
    bool relays = o->config.secret || o->config.users;

    tandem_server_stats(server, &s);
    if (o->json)
        print_json(json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:s, s:i, s:b}", "event",
                             "started", "address", s.address, "relay4", s.relay4, "relay6",
                             s.relay6, "turn", relays, "private_peers", o->config.allow_private,
                             "domain", s.domain, "sip_address", s.sip_address, "fingerprint",
                             s.fingerprint, "http_port", (int)s.http_port, "announced",
                             (int)s.announced));
    if (o->quiet)
        return;
    print_sign_in(&s, o);
    fprintf(stderr, "STUN%s on %s, UDP and TCP%s\n", relays ? " and TURN" : "", s.address,
            o->config.tls_port ? ", and TLS" : "");
    if (!relays)
        return;
    fprintf(stderr, "relays at %s%s%s\n", s.relay4, s.relay4[0] && s.relay6[0] ? ", " : "",
            s.relay6);
    if (o->config.secret)
        fprintf(stderr,
                "a credential for somebody: tandem serve --credential NAME --hours 12%s%s\n",
                o->secret_file ? " --secret-file " : "", o->secret_file ? o->secret_file : "");
    if (s.relay_is_private && !o->config.allow_private)
        fputs("the relay's address is private, but private peers are refused: for a server within "
              "one network add --allow-peers private\n",
              stderr);
}

static void print_event(const struct serve_options *o, const struct tandem_server_event *e)
{
    static const char *const names[] = {[TANDEM_SERVER_ALLOCATED] = "allocated",
                                        [TANDEM_SERVER_REFUSED] = "refused",
                                        [TANDEM_SERVER_ENDED] = "ended"};

    if (o->json)
        print_json(json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:I}", "event", names[e->kind],
                             "user", e->user, "client", e->client, "relay", e->relay, "code",
                             (int)e->code, "text", e->text, "bytes_out", (json_int_t)e->bytes_out,
                             "bytes_in", (json_int_t)e->bytes_in));
    if (o->quiet)
        return;
    fprintf(stderr, "%-9s %s  %s  %s", names[e->kind], e->client, e->user, e->relay);
    if (e->kind == TANDEM_SERVER_ENDED)
        fprintf(stderr, "  %" PRIu64 " bytes out, %" PRIu64 " in", e->bytes_out, e->bytes_in);
    fprintf(stderr, "%s%s\n", e->text[0] ? "  " : "", e->text);
}

static void print_status(const struct serve_options *o, struct tandem_server *server,
                         const char *name)
{
    struct tandem_server_stats s;

    if (!o->json)
        return;
    tandem_server_stats(server, &s);
    json_t *object = stats_json(&s);

    (void)json_object_set_new(object, "event", json_string(name));
    print_json(object);
}

/* Until a signal ends it. */
static void watch(const struct serve_options *o, struct tandem_server *server, int signals)
{
    struct pollfd fds[2] = {{.fd = signals, .events = POLLIN},
                            {.fd = tandem_server_event_fd(server), .events = POLLIN}};

    while (!fds[0].revents) {
        struct tandem_server_event event;
        int ready = poll(fds, 2, STATUS_MS);

        if (ready < 0 && errno != EINTR)
            return;
        while (tandem_server_next_event(server, &event) == TANDEM_OK)
            print_event(o, &event);
        if (ready == 0)
            print_status(o, server, "status");
    }
}

static bool read_secrets(struct serve_options *o, struct tandem_cause *cause)
{
    bool wanted = !o->no_secret && (o->secret_file || !o->config.users);

    if (wanted) {
        if (tandem_server_secret(o->secret_file, o->secret, cause) != TANDEM_OK)
            return false;
        o->config.secret = o->secret;
    }
    if (!o->old_secret_file)
        return true;
    if (access(o->old_secret_file, R_OK) != 0) {
        (void)snprintf(cause->text, sizeof cause->text, "cannot read %.100s (%s)",
                       o->old_secret_file, strerrordesc_np(errno));
        return false;
    }
    o->config.old_secret = o->old_secret;
    return tandem_server_secret(o->old_secret_file, o->old_secret, cause) == TANDEM_OK;
}

static int serve(struct serve_options *o)
{
    struct tandem_server *server;
    struct tandem_cause cause = {""};
    int signals = signals_open(); /* Before threads start, so that they inherit the mask. */

    if (signals < 0)
        return give_up(o, EXIT_FAILED, strerrordesc_np(errno));
    enum tandem_status status =
        read_secrets(o, &cause) ? tandem_server_create(&o->config, &server, &cause) : TANDEM_FAILED;

    if (status == TANDEM_OK) {
        print_start(o, server);
        watch(o, server, signals);
        print_status(o, server, "stopped");
        tandem_server_destroy(server);
    }
    (void)close(signals);
    return status == TANDEM_OK
               ? EXIT_DONE
               : give_up(o, status == TANDEM_INVALID ? EXIT_USAGE : EXIT_FAILED, cause.text);
}

/* TLS has a certificate of its own, made at the first start. */
static void default_identity(struct serve_options *o)
{
    if (o->config.identity_path || (!o->config.sips_port && !o->config.tls_port))
        return;
    if (folders_state("serve-identity.pem", o->identity, sizeof o->identity))
        o->config.identity_path = o->identity;
}

int serve_run(int argc, char **argv)
{
    struct serve_options o;

    if (argc > 0 && serve_accounts_is_verb(argv[0]))
        return serve_accounts_run(argc, argv);
    if (!serve_options_parse(&o, argc, argv))
        return EXIT_USAGE;
    if (o.help) {
        serve_options_help(stdout);
        return EXIT_DONE;
    }
    o.config.sip = !o.no_sip;
    default_identity(&o);
    return o.credential ? print_credential(&o) : serve(&o);
}
