/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_RTCP_TYPES_H
#define TDM_WIRE_RTCP_TYPES_H

/* Numbers that the reader and the writers of RTCP share. Private to engine/wire. */

enum {
    TYPE_SR = 200,
    TYPE_RR = 201,
    TYPE_SDES = 202,
    TYPE_BYE = 203,
    TYPE_RTPFB = 205,
    TYPE_PSFB = 206,
    TYPE_XR = 207
};

enum { FMT_NACK = 1, FMT_CCFB = 11, FMT_TWCC = 15 }; /* Of RTPFB. */
enum { FMT_PLI = 1, FMT_FIR = 4, FMT_AFB = 15 };     /* Of PSFB. */
enum { SDES_CNAME = 1 };
enum { XR_RRTR = 4, XR_DLRR = 5 };

#define REMB_NAME 0x52454d42u /* "REMB" */

#endif
