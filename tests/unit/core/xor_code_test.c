/* SPDX-License-Identifier: MIT */
#include "engine/core/xor_code.h"

#include "engine/base/rng.h"
#include "engine/wire/red.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One picture of GStreamer 1.22: vp8enc, rtpvp8pay mtu=180 seqnum-offset=65534, rtpulpfecenc pt=122
 * percentage=50 percentage-important=50, rtpredenc pt=121. */
static const char *const captured[] = {
    "8079fffe0000074300000001609080fa0e1018009d012a400030000047088585889984880202db016f81fe"
    "0211a53609ddf01fc01fd43e792d05ec0feacf130c81fc07f007dd8b807f88fe1bff01e001ff7bfa03f873"
    "a8a3fc53fa07480faa4ff66eb20fe13fc9bd0f7fa47f72eb25cd01fe03f803f681e4e7e957a60fd1ac909f"
    "26fc59fdabff67a4dff11b2497f4ffc72f205fce7f1bb9407f137d81fe03fd038877f4bfc2bf540ef33f61"
    "3fe15fcaff107f7ab9",
    "8079ffff0000074300000001608080fa0e407f457db603f44420a5cd346acfe273578ced5a01767f94bdd8"
    "00b91a393fe961c84c806500feff80c7fffb78b3f55f7adfffeb552a15f9612d45f6cf846772c25a74ae92"
    "17c9b5cf6485f2715200be65b2def9ef8e53a31127d457915b6642f326c7cce4af88d40cb1fa3f2f0261a1"
    "31eaf22643cb5aad28a467ed28168fff9d46f53df6fb0c989a179f13bb00fa6835f7cce5fa7cf73a5108a2"
    "e57ace6b447f996ace",
    "807900000000074300000001608080fa0ea003bfcbbea0398574ab6ff2846eeefe240ffffaa735eac09adf"
    "fffea9cd7ab0179b46590c35da5a29287b19ca0fab00b8009e0240a07140c6a04800b96a01a113f6f4b027"
    "a2533675d55cc8dbfff5a0fffd08696dda17b2d7d7e20f161c97543f3715c290fffef563ffe59cbe094f71"
    "6ef46edb7aa835dec9649e6174f3fdc2de8cfb40b6a167dfc63f7e060fe7d2dafbbbbfc463c427042c4ffb"
    "bdde7a9f9ef93c2733",
    "807900010000074300000001608080fa0e7647d614b30e45e005bdc4fffa78ed077eac8f7ab1d53786712c"
    "fc03fd4ef3f5392352d90dd78884d51bbfff8479bba65f9cd42e64e0615fedfb4bb33dfbd0d5d199ad9309"
    "4bffeacc9bbb788096ce5e602f85b6dea2515faa4276b6540c9cd75173132b889deb96e8f7691f850c2fd3"
    "ad432e8c1f3eb50461fefdce9b2da0d930c7bf89f2e1f25df7b6a74b5a4f12e986f3dfc2f0aacca0e34911"
    "1f8ec6b9b31eba1b7e",
    "80f900020000074300000001608080fa0ee43d188109e2523e19c658794dc22d5c627871e64ef77b059aff"
    "c8a3bf10612072f863d9922b2d21a6bc103fdb6e0d1f461bc6fdcba0cdff11b51165878b668636fd19daf4"
    "030c7e42dd24f9abaecf6add22bd4ce0c214cc6a0d10775f0b4464859feb7fddf738b25f9dafa886258aa1"
    "9f979476bb41ec64e3a5f2d3e52ac1f982775cfa43017c9b204dfffdd74872d0326920e64b23c2803e7002"
    "800000",
    "8079000300000743000000017a0060fffe0000074300a800a8e0009080fa0ef064fa2b09898dc1640ea281"
    "e6248905ea079aa2a498943ba6f9fd5616c24c84864ccac6bd0b5d88ac038b087daf52de3ed891eec801e4"
    "c62f731609770e672caa5683e6c61d397fe94bde72a507bae8f4fdd971bd9df91eb954492a6c623c173212"
    "2a0d82d192c68619b9ac40a7be4f79e2c500929c08d73e31e2a8cb118dfa6cea51b33f41d207233b9c944a"
    "e4d5b1463b879e5b0784308e78386745eb3e2596da3744",
    "8079000400000743000000017a00e000000000074300a200a8e0008080fa0e3279715e044c2e5b68d0f374"
    "33d42ea538db01665817a643710ccb5eeb93e8655c40775993c97fff5a8fd4d995181db9a1878cd1efe0dd"
    "e03aee12d6031ab7f2f49240f9daeaa0a2fb93c349f0c7f49442f0309353ba5221179884ce1d1b4fe7ebdb"
    "ed96c5952dd1d495232bbd20ea035c20d421ded76cbe4b3f917c0af49ce26c3c18330741e91911c426b082"
    "e0b2e34f2140e0d84d2924f176e82250bc262de7863c4d",
};

#define CAPTURED ((int)(sizeof captured / sizeof *captured))

/* The packet without RED; true for media, false for a repair, of which the payload alone is left.
 */
static bool plain_of(const char *hex, uint8_t *bytes, size_t *size, uint16_t *seq)
{
    struct tdm_rtp rtp;
    struct tdm_red red;

    *size = strlen(hex) / 2;
    for (size_t i = 0; i < *size; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    assert_int_equal(tdm_rtp_parse(&rtp, bytes, *size), TDM_OK);
    assert_int_equal(rtp.payload_type, 121);
    assert_int_equal(tdm_red_parse(&red, rtp.payload, rtp.payload_size), TDM_OK);
    assert_int_equal(red.count, 1);
    *seq = rtp.seq;
    bool media = red.blocks[0].payload_type == 96;

    assert_true(media || red.blocks[0].payload_type == 122);
    if (media) {
        bytes[1] = (uint8_t)((bytes[1] & 0x80) | 96);
        memmove(bytes + 12, red.blocks[0].data, red.blocks[0].size);
        *size = 12 + red.blocks[0].size;
    } else {
        memmove(bytes, red.blocks[0].data, red.blocks[0].size);
        *size = red.blocks[0].size;
    }
    return media;
}

static struct tdm_xor_decoder *decoder(void)
{
    struct tdm_xor_decoder *d = malloc(sizeof *d);

    assert_non_null(d);
    tdm_xor_decoder_init(d);
    return d;
}

/* Each packet of GStreamer's that is covered comes back from its repairs, byte for byte. */
static void test_gstreamer_repairs(void **state)
{
    int recovered = 0;

    (void)state;
    for (int lost = 1; lost < CAPTURED; lost++) {
        struct tdm_xor_decoder *d = decoder();
        uint8_t bytes[1500], gone[1500];
        size_t size, gone_size = 0;
        uint16_t seq, gone_seq = 0;
        struct tdm_xor_out out;

        for (int i = 0; i < CAPTURED; i++) {
            bool media = plain_of(captured[i], bytes, &size, &seq);

            out.count = 0;
            if (i == lost && media) {
                memcpy(gone, bytes, size);
                gone_size = size;
                gone_seq = seq;
            } else if (media) {
                tdm_xor_decoder_packet(d, tdm_seq_extend(65534 + 65536, seq), bytes, size, &out);
            } else if (i != lost) {
                assert_int_equal(tdm_xor_decoder_repair(d, tdm_seq_extend(65534 + 65536, seq),
                                                        bytes, size, &out),
                                 TDM_OK);
            }
            for (int k = 0; k < out.count; k++) {
                assert_int_equal((uint16_t)out.packets[k]->seq, gone_seq);
                assert_int_equal(out.packets[k]->size, gone_size);
                assert_memory_equal(out.packets[k]->bytes, gone, gone_size);
                recovered++;
            }
        }
        free(d);
    }
    assert_true(recovered >= 3);
}

#define PACKETS 20

static size_t packet_of(uint16_t seq, uint8_t *bytes)
{
    struct tdm_rng rng = tdm_rng_of(seq);
    size_t size = 12 + 40 + tdm_rng_below(&rng, 1100);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)tdm_rng_u32(&rng);
    bytes[0] = 0x80 | (bytes[0] & 0x10);
    bytes[2] = (uint8_t)(seq >> 8);
    bytes[3] = (uint8_t)seq;
    memcpy(bytes + 8, "ssrc", 4);
    return size;
}

static size_t repair_of(uint16_t base, uint8_t count, uint8_t index, uint8_t of, uint8_t *payload)
{
    struct tdm_xor_sum sum = {0};
    uint64_t mask = tdm_xor_mask(count, index, of);
    struct tdm_writer w = tdm_writer_of(payload, 1500);
    uint8_t bytes[1500];

    for (uint8_t i = 0; i < count; i++)
        if (mask >> i & 1)
            tdm_xor_add(&sum, bytes, packet_of((uint16_t)(base + i), bytes));
    tdm_ulpfec_write(&w, &(struct tdm_ulpfec){.flags = sum.flags,
                                              .type = sum.type,
                                              .timestamp = sum.timestamp,
                                              .length = sum.length,
                                              .base = base,
                                              .mask = mask,
                                              .size = sum.size,
                                              .data = sum.body});
    assert_true(w.ok);
    return tdm_writer_size(&w);
}

/* A block of 20 packets with `of` repairs, of which those of `lost` do not come. Gives how many
 * come back, all of them as they were. */
static int mended(uint32_t lost, uint8_t of, bool repairs_first)
{
    const int64_t base = 65536 + 65530; /* The numbers wrap inside. */
    struct tdm_xor_decoder *d = decoder();
    uint8_t bytes[1500];
    struct tdm_xor_out out;
    int count = 0;

    tdm_xor_decoder_packet(d, base - 1, bytes, packet_of((uint16_t)(base - 1), bytes), &out);
    for (int turn = 0; turn < 2; turn++) {
        for (uint8_t r = 0; (turn == 0) == repairs_first && r < of; r++) {
            size_t size = repair_of((uint16_t)base, PACKETS, r, of, bytes);

            assert_int_equal(tdm_xor_decoder_repair(d, base - 1, bytes, size, &out), TDM_OK);
            count += out.count;
        }
        for (int i = 0; (turn == 1) == repairs_first && i < PACKETS; i++) {
            size_t size = packet_of((uint16_t)(base + i), bytes);

            out.count = 0;
            if (!(lost >> i & 1))
                tdm_xor_decoder_packet(d, base + i, bytes, size, &out);
            count += out.count;
        }
    }
    for (int i = 0; i < PACKETS; i++) {
        size_t size = packet_of((uint16_t)(base + i), bytes);
        const struct tdm_xor_packet *p = tdm_xor_decoder_find(d, base + i);

        if (p) {
            assert_int_equal(p->size, size);
            assert_memory_equal(p->bytes, bytes, size);
        }
    }
    free(d);
    return count;
}

static void test_single_losses_and_rows(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        for (int i = 0; i < PACKETS; i++)
            assert_int_equal(mended(1u << i, 1, first), 1);
        for (int i = 0; i + 4 <= PACKETS; i++)
            assert_int_equal(mended(0xfu << i, 4, first), 4);
    }
    assert_int_equal(mended(0x11, 4, false), 0); /* Both in the first repair. */
    assert_int_equal(mended(0x13, 4, false), 1);
    assert_int_equal(mended(0, 4, false), 0);
    /* In front of its packets a repair gives the last of them before it comes. */
    assert_int_equal(mended(0, 4, true), 4);
}

/* Repairs that lie: nothing but the damage, and bounded. */
static void test_lies(void **state)
{
    struct tdm_xor_decoder *d = decoder();
    uint8_t bytes[1500], payload[1500];
    struct tdm_xor_out out;

    (void)state;
    size_t size = repair_of(100, 2, 0, 1, payload);

    assert_int_equal(tdm_xor_decoder_repair(d, 100, payload, size, &out), TDM_OK);
    assert_int_equal(out.count, 0); /* Before any packet. */
    tdm_xor_decoder_packet(d, 100, bytes, packet_of(100, bytes), &out);
    payload[8] = 0x7f; /* Longer than what is covered. */
    assert_int_equal(tdm_xor_decoder_repair(d, 100, payload, size, &out), TDM_OK);
    assert_int_equal(out.count, 0);
    assert_int_equal(tdm_xor_decoder_repair(d, 100, payload, 10, &out), TDM_E_MALFORMED);
    size = repair_of(90, 1, 0, 1, payload); /* Of one packet alone, so some do: no lie. */
    assert_int_equal(tdm_xor_decoder_repair(d, 100, payload, size, &out), TDM_OK);
    assert_int_equal(out.count, 1);
    assert_memory_equal(out.packets[0]->bytes, bytes, packet_of(90, bytes));
    size = repair_of(20000, 2, 0, 1, payload);
    assert_int_equal(tdm_xor_decoder_repair(d, 100, payload, size, &out), TDM_OK);
    assert_int_equal(d->highest, 100);
    for (int i = 0; i < 3 * TDM_XOR_ROWS; i++) {
        size = repair_of((uint16_t)(101 + i), 3, 0, 1, payload);
        assert_int_equal(tdm_xor_decoder_repair(d, 100, payload, size, &out), TDM_OK);
    }
    assert_int_equal(d->recovered, 1);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gstreamer_repairs),
        cmocka_unit_test(test_single_losses_and_rows),
        cmocka_unit_test(test_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
