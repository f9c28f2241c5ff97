/* SPDX-License-Identifier: MIT */
#ifndef TDM_DESKTOP_REGISTRY_H
#define TDM_DESKTOP_REGISTRY_H

/* The desktops that are built in. */

#include "desktop/desktop.h"

extern const struct tdm_desktop_ops tdm_x11_desktop;
extern const struct tdm_desktop_ops tdm_pattern_desktop;

#endif
