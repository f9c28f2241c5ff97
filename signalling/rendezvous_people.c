/* SPDX-License-Identifier: MIT */
/*
 * Who has an account. Somebody who is taken away is gone at once: his devices, what he published,
 * who watched him and whom he watched. His place is kept under his name for as long as a
 * transaction may still point at it, and then given to another when there is no fresh one left.
 */
#include "signalling/rendezvous_state.h"

#include <stdio.h>

#define PLACE_KEPT (600 * TDM_S) /* Longer than a call rings and its answer is remembered. */

static uint64_t hash_of(const struct tdm_rdv *r, struct tdm_text text)
{
    struct tdm_rdv_key key = tdm_rdv_key_begin(r->hash_key);

    tdm_rdv_key_add(&key, text);
    return key.a;
}

/* Of who is there, or was. */
static uint32_t place_of(const struct tdm_rdv *r, struct tdm_text user)
{
    for (uint32_t i = tdm_rdv_hash_first(&r->by_user, hash_of(r, user)); i != TDM_RDV_NONE;
         i = tdm_rdv_hash_next(&r->by_user, i))
        if (strlen(r->accounts[i].user) == tdm_text_size(user) &&
            memcmp(r->accounts[i].user, user.at, tdm_text_size(user)) == 0)
            return i;
    return TDM_RDV_NONE;
}

uint32_t tdm_rdv_account_of(const struct tdm_rdv *r, struct tdm_text user)
{
    uint32_t index = place_of(r, user);

    return index != TDM_RDV_NONE && r->accounts[index].exists ? index : TDM_RDV_NONE;
}

static uint32_t abandoned_place(struct tdm_rdv *r)
{
    for (uint32_t i = 0; i < r->pools[TDM_RDV_OF_ACCOUNT].fresh; i++) {
        const struct tdm_rdv_account *a = &r->accounts[i];

        if (a->exists || r->now - a->gone_at < PLACE_KEPT || a->subscriptions != TDM_RDV_NONE ||
            a->watching_count)
            continue;
        tdm_rdv_hash_remove(&r->by_user, hash_of(r, tdm_text_of_string(a->user)), i);
        return i;
    }
    return TDM_RDV_NONE;
}

static uint32_t new_place(struct tdm_rdv *r, struct tdm_text user)
{
    uint32_t index = tdm_rdv_take_item(r, TDM_RDV_OF_ACCOUNT);

    if (index == TDM_RDV_NONE)
        index = abandoned_place(r);
    if (index == TDM_RDV_NONE) {
        r->stats.full++;
        return index;
    }
    struct tdm_rdv_account *a = &r->accounts[index];

    *a = (struct tdm_rdv_account){
        .bindings = TDM_RDV_NONE, .publications = TDM_RDV_NONE, .subscriptions = TDM_RDV_NONE};
    (void)tdm_text_copy(user, a->user, sizeof a->user);
    tdm_rdv_hash_add(&r->by_user, hash_of(r, user), index);
    return index;
}

void tdm_rdv_put_person(struct tdm_rdv *r, const struct tdm_rdv_in *in)
{
    struct tdm_text user = tdm_text_of_string(in->user);
    uint32_t index = place_of(r, user);

    if (!*in->user || tdm_text_size(user) >= TDM_RDV_USER_MAX)
        return;
    if (index == TDM_RDV_NONE)
        index = new_place(r, user);
    if (index == TDM_RDV_NONE)
        return;
    struct tdm_rdv_account *a = &r->accounts[index];

    if (!a->exists || strcmp(a->ha1[TDM_DIGEST_SHA256], in->ha1_sha256) != 0) {
        /* Another password: who knew the old one has proven nothing. */
        memset(a->proven, 0, sizeof a->proven);
        a->failures = (struct tdm_rdv_failures){.count = 0};
    }
    r->stats.accounts += !a->exists;
    a->exists = true;
    a->round = r->round;
    a->locked = in->locked;
    (void)snprintf(a->name, sizeof a->name, "%s", in->name ? in->name : "");
    (void)snprintf(a->ha1[TDM_DIGEST_MD5], sizeof a->ha1[0], "%s", in->ha1_md5);
    (void)snprintf(a->ha1[TDM_DIGEST_SHA256], sizeof a->ha1[0], "%s", in->ha1_sha256);
}

static void take_away(struct tdm_rdv *r, uint32_t index)
{
    struct tdm_rdv_account *a = &r->accounts[index];

    a->exists = false;
    a->gone_at = r->now;
    r->stats.accounts--;
    tdm_rdv_unbind_all(r, index);
    while (a->publications != TDM_RDV_NONE)
        tdm_rdv_unpublish(r, a->publications);
    tdm_rdv_chain_drop(&r->blocks, &a->rules);
    tdm_rdv_end_subscriptions(r, index);
    tdm_rdv_sleep_item(r, TDM_RDV_OF_ACCOUNT, index);
    a->kept_count = 0;
    a->kept_bytes = a->done_id = 0;
}

void tdm_rdv_drop_others(struct tdm_rdv *r)
{
    for (uint32_t i = 0; i < r->pools[TDM_RDV_OF_ACCOUNT].fresh; i++)
        if (r->accounts[i].exists && r->accounts[i].round != r->round)
            take_away(r, i);
    r->round++;
}

bool tdm_rdv_next_person(const struct tdm_rdv *r, uint32_t *at, struct tdm_rdv_person *person)
{
    while (*at < r->pools[TDM_RDV_OF_ACCOUNT].fresh) {
        const struct tdm_rdv_account *a = &r->accounts[(*at)++];

        if (!a->exists)
            continue;
        *person = (struct tdm_rdv_person){.user = a->user,
                                          .name = a->name,
                                          .locked = a->locked,
                                          .bindings = a->binding_count,
                                          .kept = a->kept_count};
        return true;
    }
    return false;
}
