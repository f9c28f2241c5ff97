/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_ACCOUNT_H
#define TANDEM_ACCOUNT_H

/**
 * @file
 * Accounts at SIP servers: who this user is there, and how the engine stays registered, so that
 * calls and messages find the way. Any number at once, each by itself: a server that is dead delays
 * none of the others. And the file that keeps them.
 *
 * Functions with an engine may be called from any thread; the others do no more than their
 * arguments say.
 */

#include "tandem/tandem.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TANDEM_ACCOUNTS_MAX 32

enum tandem_transport {
    TANDEM_TRANSPORT_AUTO, /* As the addresses say, else UDP. */
    TANDEM_TRANSPORT_UDP,
    TANDEM_TRANSPORT_TCP,
    TANDEM_TRANSPORT_TLS, /* The server's certificate is verified. */
};

/** One account as a person sets it up. "" means the default in brackets. */
struct tandem_account {
    char name[64];              /* How commands call it. [the address] */
    char address[200];          /* "bob@example.org" */
    char user[64];              /* For the password. [the part before @] */
    char password[128];         /* Or one of the next two. [none] */
    char password_command[256]; /* A shell line that prints it. */
    char password_variable[64]; /* Of the environment, that holds it. */
    char display_name[64];      /* That others see. [none] */
    char server[200];           /* "host", "host:port". [the part behind @] */
    char proxy[200];            /* All goes through it. [the server] */
    char ca_file[256];          /* PEM: who may have signed the server's certificate. [the system's
                                   list] */
    char fingerprint[100];      /* SHA-256 of the one certificate to believe, in hex. [none] */
    enum tandem_transport transport;
    uint32_t expires_s; /* Of a registration. [600] */
    bool gateway;       /* Never registers: a way to telephones, for calls that go out. */
    bool preferred;     /* For what no other account fits. [the first one] */
};

enum tandem_account_state {
    TANDEM_ACCOUNT_OFF,
    TANDEM_ACCOUNT_REGISTERING,
    TANDEM_ACCOUNT_REGISTERED, /* Calls come in over it; of a gateway: it answers. */
    TANDEM_ACCOUNT_WAITING,    /* No server took it: again after `seconds`. */
    TANDEM_ACCOUNT_REFUSED,    /* A wrong password, a bad certificate: tried again when asked. */
    TANDEM_ACCOUNT_LEAVING,
};

struct tandem_account_info {
    uint32_t account;
    enum tandem_account_state state;
    int code;         /* SIP status behind it; 0: none. */
    uint32_t seconds; /* REGISTERED: it holds so long; WAITING: until the next try. */
    char reason[256]; /* "" when all is well. */
    char name[64], address[200];
};

/**
 * Adds an account and registers it; TANDEM_EVENT_ACCOUNT follows with each change. The password may
 * be a command's or a variable's.
 *
 * @param only_out  Do not register: calls and messages go out over it, and none come in. For a
 *                  program that runs beside one that is registered.
 * @param account   Set to its number, which is never used again.
 *
 * @return TANDEM_INVALID with a cause that says what is wrong with it; TANDEM_FAILED when the SIP
 *         port cannot be opened, or there are too many.
 */
TANDEM_API enum tandem_status tandem_account_add(struct tandem *engine,
                                                 const struct tandem_account *settings,
                                                 bool only_out, uint32_t *account,
                                                 struct tandem_cause *cause);

/** Unregisters and forgets it. Calls over it go on. TANDEM_INVALID: there is none. */
TANDEM_API enum tandem_status tandem_account_remove(struct tandem *engine, uint32_t account);

/** Registers anew at once: the network changed, or somebody wants it. 0: all. */
TANDEM_API enum tandem_status tandem_account_retry(struct tandem *engine, uint32_t account);

/** How the accounts stand, in the order in which they came; returns how many there are. `info` NULL
 *  when only that is wanted. */
TANDEM_API size_t tandem_account_list(struct tandem *engine, struct tandem_account_info *info,
                                      size_t capacity);

/** The account over which `to` would be reached: the one with its domain; for a telephone number
 *  and for a name without a domain the preferred one; 0: straight. */
TANDEM_API uint32_t tandem_account_for(struct tandem *engine, const char *to);

/** What goes out from now on takes this account, whatever its address; 0: as tandem_account_for. */
TANDEM_API enum tandem_status tandem_account_use(struct tandem *engine, uint32_t account);

/** Somebody in the directory of a server. It is what the server says, made fit to be shown. */
struct tandem_directory_person {
    char user[64]; /* The part before the @ of the account's domain. */
    char name[64]; /* "": none. */
    bool registered;
};

#define TANDEM_DIRECTORY_MAX 50

/** Asks the server of an account that is registered, or ready, for people whose user or name has
 *  all of the words. TANDEM_EVENT_DIRECTORY follows; another question replaces one that is open.
 *  Servers other than `tandem serve` have no such directory. */
TANDEM_API enum tandem_status tandem_directory_search(struct tandem *engine, uint32_t account,
                                                      const char *words,
                                                      struct tandem_cause *cause);

/** Whom the last answer named; returns how many. `people` NULL when only that is wanted. */
TANDEM_API size_t tandem_directory_list(struct tandem *engine,
                                        struct tandem_directory_person *people, size_t capacity);

/** "registered", "waiting to try again"... */
TANDEM_API const char *tandem_account_state_name(enum tandem_account_state state);

/** A way to a server that announces itself on a network of this machine (DNS-SD, RFC 6763). It is
 *  what somebody there says of himself: nothing proves it but its certificate. */
struct tandem_found_server {
    char name[64];         /* As people read it. */
    char domain[128];      /* Of its accounts. */
    char server[64];       /* "10.0.0.7:5060" */
    char fingerprint[100]; /* SHA-256 of its certificate; "": it said none. */
    enum tandem_transport transport;
};

#define TANDEM_FOUND_MAX 16

/** Looks for servers; blocks for up to three seconds. `domain` NULL: all there are; else its own.
 *  TANDEM_UNREACHABLE with a cause: there is none. */
TANDEM_API enum tandem_status tandem_servers_find(const char *domain,
                                                  struct tandem_found_server *servers,
                                                  size_t capacity, size_t *count,
                                                  struct tandem_cause *cause);

/**
 * Fills in what a new account does not say from a server of this network: for the address "paul"
 * the domain of the only one there is; for "paul@lan.example" whose domain DNS does not know, the
 * way to it. Over TLS with its fingerprint where it offers that and no other transport is set. The
 * place stays open: it is looked for whenever the account is used, as it may change. Blocks.
 *
 * @param found  Set to the one that was chosen.
 *
 * @return TANDEM_AGAIN: the account needs none of this; TANDEM_UNREACHABLE: there is none, or of
 *         another transport alone; TANDEM_INVALID: there are several, with a cause that names them.
 */
TANDEM_API enum tandem_status tandem_account_discover(struct tandem_account *settings,
                                                      struct tandem_found_server *found,
                                                      struct tandem_cause *cause);

/**
 * The file of accounts: JSON, one object with a list "accounts", whose members have the names of
 * struct tandem_account. Mode 0600 as it may hold passwords.
 */

/** Reads it. No file is an empty list. TANDEM_INVALID with a cause that names the line, the account
 *  and the member; TANDEM_FAILED when it cannot be read, or others may read it. */
TANDEM_API enum tandem_status tandem_accounts_load(const char *path,
                                                   struct tandem_account *accounts, size_t capacity,
                                                   size_t *count, struct tandem_cause *cause);

/** Writes it whole, beside and renamed, so that a crash loses nothing. */
TANDEM_API enum tandem_status tandem_accounts_save(const char *path,
                                                   const struct tandem_account *accounts,
                                                   size_t count, struct tandem_cause *cause);

#ifdef __cplusplus
}
#endif

#endif
