/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_PRESENCE_STATE_H
#define TDM_ENGINE_PRESENCE_STATE_H

/* The inside of engine/presence.h, shared by its two files. */

#include "engine/engine.h"
#include "engine/io/settings_file.h"
#include "engine/presence.h"
#include "signalling/pidf.h"

#define TDM_PRESENCE_WATCHES  128
#define TDM_PRESENCE_WATCHERS 64
#define TDM_PRESENCE_ASKED    32 /* Questions that the program has not taken. */

/** Somebody whom the program watches. */
struct tdm_presence_watch {
    bool used, wanted;
    char who[256]; /* As the program said it. */
    char account[64];
    char uri[256]; /* Where that is. */
    tdm_sig_id sig;
    bool known;
    struct tdm_pidf pidf;
    char why[256];   /* Why nothing is known. */
    int64_t until_s; /* When it changes by time alone. */
    bool news;       /* Not told yet. */
    struct tdm_presence_view view;
};

/** Somebody who watches this device itself. */
struct tdm_presence_viewer {
    tdm_sig_id sig; /* 0: free. */
    char from[256], to[256];
    struct tdm_watcher core;
    tdm_time wake;
};

struct tdm_presence_publication {
    tdm_sig_id account, sig; /* account 0: free. */
};

/* `lock` guards all of it. */
struct tandem_presence {
    pthread_mutex_t lock;
    char path[512];
    struct tandem_contacts *contacts;
    struct tdm_settings_stamp stamp;
    struct tdm_presence_file file;
    struct tandem *engine; /* NULL: none runs it. */
    bool idle, in_call;
    int64_t idle_since_s, call_since_s;
    struct tdm_presence_tuple own; /* As it was told last. */
    bool own_known, own_news;
    tdm_time look_at; /* At the file. */
    int event_fd;
    char asked[TDM_PRESENCE_ASKED][256];
    uint32_t asked_count;
    struct tdm_presence_publication publications[TANDEM_ACCOUNTS_MAX];
    struct tdm_presence_publication rules[TANDEM_ACCOUNTS_MAX];
    uint32_t rules_sum[TANDEM_ACCOUNTS_MAX]; /* Of what was said. */
    struct tdm_presence_watch watches[TDM_PRESENCE_WATCHES];
    struct tdm_presence_viewer viewers[TDM_PRESENCE_WATCHERS];
};

/** Wall time, and how far this place is east of UTC then. */
int64_t tdm_presence_unix(void);
int32_t tdm_presence_offset(int64_t unix_s);
/** This device as it is now. The lock is held. */
void tdm_presence_compose_own(const struct tandem_presence *presence, int64_t unix_s,
                              struct tdm_presence_tuple *tuple);
/** Reads the file, if it is another; true: it was. The lock is held. */
bool tdm_presence_reload(struct tandem_presence *presence);

#endif
