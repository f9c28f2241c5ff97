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

enum { FMT_NACK = 1, FMT_TMMBR = 3, FMT_TMMBN = 4, FMT_CCFB = 11, FMT_TWCC = 15 }; /* Of RTPFB. */
enum { FMT_PLI = 1, FMT_RPSI = 3, FMT_FIR = 4, FMT_AFB = 15 };                     /* Of PSFB. */
enum { SDES_CNAME = 1 };
enum { XR_RRTR = 4, XR_DLRR = 5 };

/* RFC 5104 section 4.2.1.1: exponent, mantissa, overhead. */
enum { TMMBR_EXPONENT_MAX = 63, TMMBR_MANTISSA_MAX = 0x1ffff, TMMBR_OVERHEAD_MAX = 0x1ff };

/* Our own form of RPSI: a head of two bytes, a report of eight, and two that are not used. */
#define RPSI_BYTES       12
#define RPSI_UNUSED_BITS 16

#define REMB_NAME 0x52454d42u /* "REMB" */

#endif
