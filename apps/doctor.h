/* SPDX-License-Identifier: MIT */
#ifndef APPS_DOCTOR_H
#define APPS_DOCTOR_H

/** `tandem doctor`: the arguments behind the verb. Returns an enum exit_code. */
int doctor_run(int argc, char **argv);

#endif
