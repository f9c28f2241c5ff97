/* SPDX-License-Identifier: MIT */
/* The doctor's look at what a board needs of this machine. */
#include "engine/doctor.h"

#include "engine/io/helper.h"
#include "render/board_scripts.h"

#include <stdio.h>

bool tdm_doctor_board(struct tandem_doctor *d, struct tandem_finding *f)
{
    bool pdf = tdm_helper_there("pdfinfo") && tdm_helper_there("pdftocairo");
    char lacking[160], advice[160];

    (void)d;
    tdm_board_scripts_lacking(lacking, sizeof lacking);
    if (pdf && !lacking[0])
        return tdm_doctor_say(f, TANDEM_WORKS, NULL,
                              "a board takes PDFs, and has letters of all common scripts");
    (void)snprintf(advice, sizeof advice, "install it (on Debian: apt install%s%s)",
                   pdf ? "" : " poppler-utils",
                   lacking[0] ? " fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji" : "");
    return tdm_doctor_say(f, TANDEM_HINDERED, advice, "a board %s%s%s%s",
                          pdf ? "" : "takes no PDFs without pdftocairo",
                          pdf || !lacking[0] ? "" : ", and ",
                          lacking[0] ? "has no letters for " : "", lacking);
}
