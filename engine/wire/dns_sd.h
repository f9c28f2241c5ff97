/* SPDX-License-Identifier: MIT */
#ifndef TDM_WIRE_DNS_SD_H
#define TDM_WIRE_DNS_SD_H

/*
 * Messages of multicast DNS as service discovery needs them (RFC 1035, 6762, 6763): questions, and
 * PTR, SRV, TXT, A and AAAA records; others are stepped over. Names stay in the form of the wire,
 * because the label of an instance may hold any byte, dots too. What is asked and answered, and
 * when, is decided in engine/core/mdns.h.
 */

#include "engine/base/address.h"
#include "engine/base/bytes.h"

#define TDM_DNS_NAME_MAX    255 /* RFC 1035 section 2.3.4, with the root's zero. */
#define TDM_DNS_LABEL_MAX   63
#define TDM_DNS_MESSAGE_MAX 1440 /* Fits one frame of Ethernet (RFC 6762 section 17). */
#define TDM_DNS_NAMES_MAX   48   /* Places that later names of a message may point to. */

enum tdm_dns_type {
    TDM_DNS_A = 1,
    TDM_DNS_PTR = 12,
    TDM_DNS_TXT = 16,
    TDM_DNS_AAAA = 28,
    TDM_DNS_SRV = 33,
    TDM_DNS_ANY = 255,
};

/** Labels with their lengths, ended by the root's zero; size 0: no name. */
struct tdm_dns_name {
    uint8_t size;
    uint8_t bytes[TDM_DNS_NAME_MAX];
};

/** Of text with dots, none of them in a label: "_sip._udp.local". TDM_E_MALFORMED. */
enum tdm_err tdm_dns_name_of(struct tdm_dns_name *name, const char *text);
/** `label` in front of `rest`; TDM_E_MALFORMED when it is empty or too long. */
enum tdm_err tdm_dns_name_under(struct tdm_dns_name *name, const char *label,
                                const struct tdm_dns_name *rest);
/** Letters of ASCII count the same in both cases. */
bool tdm_dns_name_equal(const struct tdm_dns_name *a, const struct tdm_dns_name *b);
/** Whether `name` is one label and then `rest`. */
bool tdm_dns_name_is_under(const struct tdm_dns_name *name, const struct tdm_dns_name *rest);
/** The first label, with what does not print as '?'. */
void tdm_dns_name_label(const struct tdm_dns_name *name, char label[TDM_DNS_LABEL_MAX + 1]);

struct tdm_dns_question {
    struct tdm_dns_name name;
    uint16_t type;
    bool unicast; /* The asker wants the answer for itself (RFC 6762 section 5.4). */
};

enum tdm_dns_section { TDM_DNS_ANSWER, TDM_DNS_AUTHORITY, TDM_DNS_ADDITIONAL };

struct tdm_dns_record {
    enum tdm_dns_section section;
    struct tdm_dns_name name;
    uint16_t type;
    bool flush; /* The only ones of this name and type (RFC 6762 section 10.2). */
    uint32_t ttl_s;
    struct tdm_dns_name target;      /* PTR, SRV */
    uint16_t priority, weight, port; /* SRV */
    struct tdm_address address;      /* A, AAAA; port 0 */
    const uint8_t *text;             /* TXT: strings with lengths; borrowed. */
    uint16_t text_size;
};

/** Whether both say the same; time to live and flush aside. */
bool tdm_dns_record_equal(const struct tdm_dns_record *a, const struct tdm_dns_record *b);

/** Reads one message; borrows its bytes. */
struct tdm_dns_reader {
    const uint8_t *data;
    size_t size, at;
    uint16_t id;
    bool response, truncated;
    uint32_t questions, records[3]; /* Still to come. */
};

/** TDM_E_MALFORMED: no message, or one of another kind than query and answer. */
enum tdm_err tdm_dns_read(struct tdm_dns_reader *r, const uint8_t *data, size_t size);
/** TDM_E_GONE: there are no more; TDM_E_MALFORMED: nor can anything else be read. */
enum tdm_err tdm_dns_read_question(struct tdm_dns_reader *r, struct tdm_dns_question *q);
/** Likewise; steps over questions that were not read. One of a type or class that this does not
 *  know comes with type 0. */
enum tdm_err tdm_dns_read_record(struct tdm_dns_reader *r, struct tdm_dns_record *record);

/** The value of `key` in a TXT record (RFC 6763 section 6), cut to what fits, with what does not
 *  print as '?'. False: it is not there. */
bool tdm_dns_text_value(const struct tdm_dns_record *record, const char *key, char *value,
                        size_t capacity);
/** Appends "key=value" to strings of a TXT record; TDM_E_SPACE. */
enum tdm_err tdm_dns_text_add(uint8_t *text, size_t capacity, uint16_t *size, const char *key,
                              const char *value);

/** Writes one message; questions first, then records in the order of the sections. */
struct tdm_dns_writer {
    struct tdm_writer w;
    uint16_t counts[4];
    uint32_t name_count;
    uint16_t names[TDM_DNS_NAMES_MAX];
};

void tdm_dns_write(struct tdm_dns_writer *w, uint8_t *data, size_t capacity, uint16_t id,
                   bool response);
/** TDM_E_SPACE: there is no room, and the message is as before. */
enum tdm_err tdm_dns_write_question(struct tdm_dns_writer *w, const struct tdm_dns_question *q);
enum tdm_err tdm_dns_write_record(struct tdm_dns_writer *w, const struct tdm_dns_record *record);
/** Says that more known answers follow in another message. */
void tdm_dns_write_truncated(struct tdm_dns_writer *w);
/** @return the message's bytes. */
size_t tdm_dns_write_end(struct tdm_dns_writer *w);

#endif
