/* SPDX-License-Identifier: MIT */
#include "apps/demo_meet.h"

#include "tandem/account.h"
#include "tandem/chat.h"
#include "tandem/presence.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 20.0
#define PORT_FIRST 45060 /* Of the server; */
#define PORT_TRIES 200   /* the first that is free from there on. */
#define HELLO      "hello B, shall we talk?"

/* One of the two, for as long as they sign in and write. */
struct end {
    const char *address, *other;
    struct tandem *engine;
    struct tandem_chat *chat;
    struct tandem_presence *presence;
    bool signed_in, sees, delivered, received;
    char reason[256];
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool fail(struct tandem_cause *cause, const char *why)
{
    (void)snprintf(cause->text, sizeof cause->text, "%.250s", why);
    return false;
}

/* Nobody else on this machine should sign in as one of them. */
static bool make_password(char *text, size_t capacity)
{
    unsigned char bytes[16];
    FILE *file = fopen("/dev/urandom", "rb");
    bool good = file && fread(bytes, 1, sizeof bytes, file) == sizeof bytes;

    if (file)
        (void)fclose(file);
    for (size_t i = 0; good && i < sizeof bytes; i++)
        (void)snprintf(text + 2 * i, capacity - 2 * i, "%02x", bytes[i]);
    return good;
}

static struct tandem_account account_of(const struct demo_meet *meet, int index)
{
    struct tandem_account account = {.address = ""};

    (void)snprintf(account.address, sizeof account.address, "%s@" DEMO_DOMAIN, index ? "b" : "a");
    (void)snprintf(account.password, sizeof account.password, "%s", meet->password[index]);
    (void)snprintf(account.server, sizeof account.server, "127.0.0.1:%u", meet->port);
    return account;
}

static bool make_accounts(struct demo_meet *meet, const char *folder, struct tandem_cause *cause)
{
    for (int i = 0; i < 2; i++) {
        const struct tandem_server_account account = {
            .user = i ? "b" : "a", .password = meet->password[i], .domain = DEMO_DOMAIN};

        (void)snprintf(meet->accounts[i], sizeof meet->accounts[i], "%s/%s-account.json", folder,
                       i ? "b" : "a");
        if (!make_password(meet->password[i], sizeof meet->password[i]))
            return fail(cause, "no random numbers: is /dev/urandom there?");
        if (tandem_server_put_account(meet->store, &account, cause) != TANDEM_OK)
            return false;
    }
    return true;
}

static bool write_accounts(struct demo_meet *meet, struct tandem_cause *cause)
{
    for (int i = 0; i < 2; i++) {
        struct tandem_account account = account_of(meet, i);

        if (tandem_accounts_save(meet->accounts[i], &account, 1, cause) != TANDEM_OK)
            return false;
    }
    return true;
}

bool demo_meet_open(struct demo_meet *meet, const char *folder, struct tandem_cause *cause)
{
    struct tandem_server_config config = {
        .listen = "127.0.0.1", .sip = true, .domain = DEMO_DOMAIN, .no_announcement = true};

    *meet = (struct demo_meet){.server = NULL};
    (void)snprintf(meet->store, sizeof meet->store, "%s/serve.db", folder);
    (void)unlink(meet->store);
    config.store_path = meet->store;
    if (!make_accounts(meet, folder, cause))
        return false;
    for (int i = 0; i < PORT_TRIES && !meet->server; i++) {
        /* Demos at the same time begin their search at different ports. */
        meet->port = (uint16_t)(PORT_FIRST + ((int)getpid() * 8 + 4 * i) % 16000);
        config.sip_port = meet->port;
        config.port = (uint16_t)(meet->port + 2);
        if (tandem_server_create(&config, &meet->server, cause) != TANDEM_OK)
            meet->server = NULL;
    }
    return meet->server && write_accounts(meet, cause);
}

void demo_meet_close(struct demo_meet *meet)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[1200];

    tandem_server_destroy(meet->server);
    meet->server = NULL;
    for (size_t i = 0; meet->store[0] && i < sizeof endings / sizeof *endings; i++) {
        (void)snprintf(name, sizeof name, "%s%s", meet->store, endings[i]);
        (void)unlink(name);
    }
    for (int i = 0; i < 2; i++)
        if (meet->accounts[i][0])
            (void)unlink(meet->accounts[i]);
}

/* --- A and B, before they talk ---------------------------------------------------------------- */

static bool open_end(struct end *end, const struct demo_meet *meet, int index,
                     struct tandem_cause *cause)
{
    struct tandem_account account = account_of(meet, index);
    struct tandem_config config = {
        .bind_address = "127.0.0.1", .sip_port_may_change = true, .listen = true};
    uint32_t number;

    if (tandem_chat_create(NULL, &end->chat, cause) != TANDEM_OK ||
        tandem_presence_create(&(struct tandem_presence_config){.path = NULL}, &end->presence,
                               cause) != TANDEM_OK)
        return false;
    config.chat = end->chat;
    config.presence = end->presence;
    config.sip_port = (uint16_t)(meet->port + 1 + 2 * index);
    return tandem_create(&config, &end->engine, cause) == TANDEM_OK &&
           tandem_account_add(end->engine, &account, false, &number, cause) == TANDEM_OK &&
           tandem_presence_watch(end->presence, end->other, NULL, cause) == TANDEM_OK;
}

static void close_end(struct end *end)
{
    tandem_destroy(end->engine);
    tandem_presence_destroy(end->presence);
    tandem_chat_destroy(end->chat);
}

static void take_events(struct end *end)
{
    struct tandem_account_info info;
    struct tandem_event event;
    struct tandem_presence_event presence;
    struct tandem_chat_event text;

    while (tandem_next_event(end->engine, &event) == TANDEM_OK)
        if (event.kind == TANDEM_EVENT_ACCOUNT && tandem_account_list(end->engine, &info, 1) == 1) {
            end->signed_in |= info.state == TANDEM_ACCOUNT_REGISTERED;
            (void)snprintf(end->reason, sizeof end->reason, "%s", info.reason);
        }
    while (tandem_presence_next_event(end->presence, &presence) == TANDEM_OK)
        if (presence.kind == TANDEM_PRESENCE_CHANGED) {
            end->sees |= presence.known && presence.open;
            if (!presence.known)
                (void)snprintf(end->reason, sizeof end->reason, "%s", presence.text);
        }
    while (tandem_chat_next_event(end->chat, &text) == TANDEM_OK) {
        end->delivered |= text.kind == TANDEM_CHAT_DELIVERED;
        end->received |= text.kind == TANDEM_CHAT_RECEIVED && strcmp(text.text, HELLO) == 0;
        if (text.kind == TANDEM_CHAT_FAILED)
            (void)snprintf(end->reason, sizeof end->reason, "%.255s", text.text);
    }
}

typedef bool step_fn(const struct end *a, const struct end *b);

static bool both_signed_in(const struct end *a, const struct end *b)
{
    return a->signed_in && b->signed_in;
}

static bool both_see(const struct end *a, const struct end *b)
{
    return a->sees && b->sees;
}

static bool said(const struct end *a, const struct end *b)
{
    return a->delivered && b->received;
}

/* @return how long it took; 0: it did not come. */
static double wait_for(struct end *a, struct end *b, step_fn *step)
{
    double start = now_s();

    for (;;) {
        struct pollfd fds[] = {{.fd = tandem_event_fd(a->engine), .events = POLLIN},
                               {.fd = tandem_event_fd(b->engine), .events = POLLIN},
                               {.fd = tandem_presence_event_fd(a->presence), .events = POLLIN},
                               {.fd = tandem_presence_event_fd(b->presence), .events = POLLIN},
                               {.fd = tandem_chat_event_fd(a->chat), .events = POLLIN},
                               {.fd = tandem_chat_event_fd(b->chat), .events = POLLIN}};

        take_events(a);
        take_events(b);
        if (step(a, b))
            return now_s() - start + 1e-6;
        if (now_s() - start > PATIENCE_S)
            return 0;
        (void)poll(fds, sizeof fds / sizeof *fds, 1000);
    }
}

static bool meet_each_other(struct demo_meet *meet, struct end *a, struct end *b,
                            struct tandem_cause *cause)
{
    const char *why;

    if (!open_end(a, meet, 0, cause) || !open_end(b, meet, 1, cause))
        return false;
    meet->signed_in_s = wait_for(a, b, both_signed_in);
    why = a->reason[0] ? a->reason : b->reason;
    if (meet->signed_in_s <= 0)
        return fail(cause, why[0] ? why : "the server does not answer");
    meet->seen_s = wait_for(a, b, both_see);
    why = a->sees ? b->reason : a->reason;
    if (meet->seen_s <= 0)
        return fail(cause, why[0] ? why : "they do not see each other");
    if (tandem_chat_say(a->chat, a->engine, b->address, HELLO, NULL, cause) != TANDEM_OK)
        return false;
    meet->message_s = wait_for(a, b, said);
    return meet->message_s > 0 || fail(cause, a->reason[0] ? a->reason : "the message is lost");
}

bool demo_meet_run(struct demo_meet *meet, struct tandem_cause *cause)
{
    struct end a = {.address = "a@" DEMO_DOMAIN, .other = "b@" DEMO_DOMAIN};
    struct end b = {.address = "b@" DEMO_DOMAIN, .other = "a@" DEMO_DOMAIN};
    bool met = meet_each_other(meet, &a, &b, cause);

    close_end(&a);
    close_end(&b);
    return met;
}

bool demo_meet_wait(struct demo_meet *meet)
{
    double until = now_s() + PATIENCE_S;
    struct tandem_server_stats stats;

    for (;;) {
        struct tandem_server_event event;

        tandem_server_stats(meet->server, &stats);
        if (stats.devices > 0)
            return true;
        if (now_s() > until)
            return false;
        (void)tandem_server_wait_event(meet->server, 20, &event);
    }
}
