/* SPDX-License-Identifier: MIT */
#ifndef TDM_ENGINE_RENDEZVOUS_REPORT_H
#define TDM_ENGINE_RENDEZVOUS_REPORT_H

/* What a rendezvous server tells over HTTP: /status as JSON, /metrics as Prometheus reads it. */

#include "engine/io/http.h"
#include "signalling/rendezvous.h"

/** Answers one request; on the thread that owns the core. */
void tdm_rendezvous_report(struct tdm_http *http, const struct tdm_http_request *request,
                           const struct tdm_rdv *core, const char *domain, uint32_t links);

#endif
