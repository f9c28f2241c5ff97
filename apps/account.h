/* SPDX-License-Identifier: MIT */
#ifndef APPS_ACCOUNT_H
#define APPS_ACCOUNT_H

/** `tandem account add|find|list|remove|check`: this user's accounts at SIP servers. */
int account_run(int argc, char **argv);

#endif
