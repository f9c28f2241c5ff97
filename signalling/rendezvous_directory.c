/* SPDX-License-Identifier: MIT */
/*
 * Who is here: an OPTIONS to sip:directory@DOMAIN with words in its body (text/plain) is answered
 * with the accounts whose user or name has all of them, as JSON. Only people of this server may
 * ask.
 */
#include "signalling/rendezvous_state.h"

#include <strings.h>

#define ROWS_MAX 50

static bool has_word(const char *text, struct tdm_text word)
{
    size_t size = tdm_text_size(word);

    for (; strlen(text) >= size; text++)
        if (strncasecmp(text, word.at, size) == 0)
            return true;
    return false;
}

static bool has_words(const struct tdm_rdv_account *a, struct tdm_text words)
{
    while (words.at < words.end) {
        struct tdm_text word = tdm_sip_trim(tdm_text_word(&words));

        if (word.at < word.end && !has_word(a->user, word) && !has_word(a->name, word))
            return false;
    }
    return true;
}

static void put_json(struct tdm_writer *w, const char *text)
{
    tdm_write_u8(w, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            tdm_write_u8(w, '\\');
        if ((unsigned char)*text >= ' ')
            tdm_write_u8(w, (uint8_t)*text);
    }
    tdm_write_u8(w, '"');
}

static void put_row(const struct tdm_rdv *r, struct tdm_writer *w, uint32_t index, bool first)
{
    const struct tdm_rdv_account *a = &r->accounts[index];

    tdm_sip_put(w, first ? "{\"user\":" : ",{\"user\":");
    put_json(w, a->user);
    tdm_sip_put(w, ",\"name\":");
    put_json(w, a->name);
    tdm_sip_put(w, tdm_rdv_is_reachable(r, index) ? ",\"registered\":true}"
                                                  : ",\"registered\":false}");
}

void tdm_rdv_directory(struct tdm_rdv *r, const struct tdm_sip_message *m,
                       const struct tdm_rdv_flow *flow, struct tdm_rdv_out *out)
{
    struct tdm_writer w = tdm_writer_of(r->scratch, 20000);
    uint32_t rows = 0;

    tdm_sip_put(&w, "[");
    for (uint32_t i = 0; i < r->pools[TDM_RDV_OF_ACCOUNT].fresh && rows < ROWS_MAX; i++)
        if (r->accounts[i].exists && has_words(&r->accounts[i], m->body))
            put_row(r, &w, i, rows++ == 0);
    tdm_sip_put(&w, "]");
    tdm_rdv_answer(r, m, flow,
                   &(struct tdm_rdv_answer){.code = 200,
                                            .type = "application/json",
                                            .body = r->scratch,
                                            .body_size = w.ok ? tdm_writer_size(&w) : 0},
                   out);
}
