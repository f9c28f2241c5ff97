/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_CHECK_JOB_H
#define TDM_IO_CHECK_JOB_H

/*
 * The words of a call (engine/core/check_words.h) made on a worker thread, as that takes long on
 * purpose. The control thread starts it as soon as a description names the other side's
 * certificate, is woken, and takes them.
 */

#include "engine/base/err.h"
#include "engine/core/check_words.h"

struct tdm_check_job;

/** `wake_fd` is signalled when they are there. TDM_E_SYSTEM when there is no thread. */
enum tdm_err tdm_check_job_start(struct tdm_check_job **job, const uint8_t ours[32],
                                 const uint8_t theirs[32], int wake_fd, struct tdm_cause *cause);
/** TDM_E_AGAIN while it runs. */
enum tdm_err tdm_check_job_take(const struct tdm_check_job *job, char text[TDM_CHECK_WORDS_TEXT]);
/** At any time; NULL does nothing. */
void tdm_check_job_free(struct tdm_check_job *job);

#endif
