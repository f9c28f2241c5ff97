/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_FILE_RULE_H
#define TDM_COLLAB_FILE_RULE_H

/*
 * Which offers are taken without asking. A rule is a list of conditions with commas between them
 * that must all hold: `all`, `from:ADDRESS` (a user, a host, or user@host), `max:SIZE` (K, M, G, T
 * are powers of 1024), `type:image/...` or `type:.pdf`. Several rules: one that holds is enough.
 */

#include "collab/file_wire.h"

struct tdm_file_offerer {
    const char *address; /* As signalling names who offers: "sip:paul@10.0.0.7:5070". */
    const struct tdm_file_desc *desc;
};

/** TDM_E_MALFORMED, with what to write instead. */
enum tdm_err tdm_file_rule_check(const char *rule, struct tdm_cause *cause);
/** Whether the rule takes the offer; a rule that does not check takes none. */
bool tdm_file_rule_takes(const char *rule, const struct tdm_file_offerer *offer);

/** "100M", "1.5G" or plain bytes. */
enum tdm_err tdm_file_size_parse(const char *text, size_t length, uint64_t *bytes);

#endif
