/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_SERVER_STORE_H
#define TDM_IO_SERVER_STORE_H

/*
 * What a rendezvous server must still know after it was killed, in one SQLite file: accounts,
 * records that expire, messages for who is away. A function that returns TDM_OK has written: a
 * process that is killed right then finds it again. Passwords are not in it, only what digest needs
 * (RFC 7616 section 5.2: whoever reads the file can still sign in, so only its owner may).
 *
 * One thread each; several processes may have it open.
 */

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_server_store;

/** Made when it is not there, for its owner alone. TDM_E_SYSTEM, TDM_E_MALFORMED with a cause. */
enum tdm_err tdm_server_store_open(struct tdm_server_store **store, const char *path,
                                   struct tdm_cause *cause);
void tdm_server_store_close(struct tdm_server_store *store);

struct tdm_server_account {
    const char *user, *name, *realm, *ha1_md5, *ha1_sha256;
    bool locked;
};

/** Makes or replaces it. */
enum tdm_err tdm_server_store_put_account(struct tdm_server_store *store,
                                          const struct tdm_server_account *account,
                                          struct tdm_cause *cause);
/** With its messages, its records and the subscriptions that name it. TDM_E_GONE: there is none. */
enum tdm_err tdm_server_store_drop_account(struct tdm_server_store *store, const char *user,
                                           struct tdm_cause *cause);
/** TDM_E_GONE: there is none. */
enum tdm_err tdm_server_store_lock_account(struct tdm_server_store *store, const char *user,
                                           bool locked, struct tdm_cause *cause);
/** The realm that accounts were made for, into `realm`; TDM_E_GONE: there are none. */
enum tdm_err tdm_server_store_realm(struct tdm_server_store *store, char *realm, size_t capacity);

enum tdm_err tdm_server_store_put(struct tdm_server_store *store, const char *key, const void *data,
                                  size_t size, int64_t expires_s, struct tdm_cause *cause);
enum tdm_err tdm_server_store_remove(struct tdm_server_store *store, const char *key,
                                     struct tdm_cause *cause);

struct tdm_server_message {
    const char *user, *from, *type;
    uint64_t id; /* One of the same id and user is there once. */
    int64_t sent_s;
    const void *data;
    size_t size;
};

enum tdm_err tdm_server_store_keep(struct tdm_server_store *store,
                                   const struct tdm_server_message *message,
                                   struct tdm_cause *cause);
enum tdm_err tdm_server_store_delivered(struct tdm_server_store *store, const char *user,
                                        uint64_t id, struct tdm_cause *cause);
/** The oldest one of `user`, borrowed until the next call. TDM_E_GONE: there is none. */
enum tdm_err tdm_server_store_oldest(struct tdm_server_store *store, const char *user,
                                     struct tdm_server_message *message);

enum tdm_server_list { TDM_SERVER_ACCOUNTS, TDM_SERVER_RECORDS, TDM_SERVER_WAITING };

/** A row of one of the lists; borrowed until the next call. */
struct tdm_server_row {
    struct tdm_server_account account;
    const char *key, *user;
    const void *data;
    size_t size; /* WAITING: bytes of `count` messages of `user`. */
    uint32_t count;
    int64_t expires_s;
};

/** Begins a list, in place of one that was begun. Records that expired before `now_s` go first. */
enum tdm_err tdm_server_store_list(struct tdm_server_store *store, enum tdm_server_list list,
                                   int64_t now_s, struct tdm_cause *cause);
/** TDM_E_GONE at its end; TDM_E_SYSTEM: the rest cannot be read. */
enum tdm_err tdm_server_store_next(struct tdm_server_store *store, struct tdm_server_row *row);

/** Whether another process wrote since the last time. */
bool tdm_server_store_changed(struct tdm_server_store *store);

#endif
