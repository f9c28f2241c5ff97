/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_GOLDEN_WIRE_CAPTURES_H
#define TDM_TESTS_GOLDEN_WIRE_CAPTURES_H

/*
 * UDP payloads that other programs sent, captured on the loopback with tshark 4.0.17, and what
 * tshark's own dissectors read in them. tests/golden/README.md says how each was captured.
 *
 *   gst_*     GStreamer 1.22.0, rtpbin with profile AVPF: vp8enc, x264enc, opusenc
 *   ffmpeg_*  ffmpeg 5.1.9, -f rtp: libvpx, libx264
 *   sipp_*    the telephone event capture that sip-tester 3.6.1 carries (dtmf_2833_5.pcap)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct captured_rtp {
    const char *name;
    bool marker;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
    size_t payload_size;
    uint8_t ext_id, ext_size; /* 0 = none. */
    const char *hex;
};

static const struct captured_rtp captured_rtp[] = {
    {.name = "gst_vp8_key",
     .marker = false,
     .payload_type = 96,
     .seq = 17337,
     .timestamp = 3244643893u,
     .ssrc = 0x44069f6fu,
     .payload_size = 108,
     .hex = "806043b9c165563544069f6f9080b4861018009d012a400030000047088585889984880202db016f"
            "81fe0211a53609ddf01fc01fd43e792d05ec0feacf130c81fc07f007dd8b807f88fe1bff01e001ff"
            "7bfa03f873a8a3fc53fa07480faa4ff66eb20fe13fc9bd0f7fa47f72eb25cd01fe03f803f681e4e7"},
    {.name = "gst_vp8_inter_0",
     .marker = false,
     .payload_type = 96,
     .seq = 17345,
     .timestamp = 3244652893u,
     .ssrc = 0x44069f6fu,
     .payload_size = 108,
     .hex = "806043c1c165795d44069f6f9080b48751090005101c001bb91483f0cfb95bf40fc2bbd14feabf84"
            "18807f9be90aff17fc80fecdb007f80f902fecdfc07cc2fae7f92fb02fe29fc5ff9b7d7d73200d52"
            "0fc9201ac2b0f3c043b175c500fedc0fffea11ffdfc9ff9db7f9fc3f7a79cc8ffe517578dff9b8d2"},
    {.name = "gst_vp8_inter_1",
     .marker = false,
     .payload_type = 96,
     .seq = 17346,
     .timestamp = 3244652893u,
     .ssrc = 0x44069f6fu,
     .payload_size = 108,
     .hex = "806043c2c165795d44069f6f8080b487ff7c22c71ff3096b0f823738fdddc76e4e1d54b2b774ffa5"
            "af158628b53fffad0d31e3c5bccbf6ddbacff1a31f4aea1d848b4be6766a6a1f4f9b03caf0cf1fdb"
            "dc4064d5dfcfa99a7e582299eae5d3ea113e425addaf6770a5acf0a1f82907fe4ffdd851d4ce6430"},
    {.name = "gst_vp8_inter_2",
     .marker = false,
     .payload_type = 96,
     .seq = 17347,
     .timestamp = 3244652893u,
     .ssrc = 0x44069f6fu,
     .payload_size = 108,
     .hex = "806043c3c165795d44069f6f8080b4878f047c1e38402e9644a70ef30b475e699966cc950a7530f4"
            "ce6afc66568d2efbfffe0b33412ea8d83727f81abc8da30bacd6ac21726f3fa25f34c6e52d98fcf0"
            "d3be5fbd0e7fffdbd26fe992b67cc6dbdd9f58b86bc9e164c7fff2c40b2c5eb26b1d31493b116517"},
    {.name = "gst_vp8_inter_3",
     .marker = true,
     .payload_type = 96,
     .seq = 17348,
     .timestamp = 3244652893u,
     .ssrc = 0x44069f6fu,
     .payload_size = 8,
     .hex = "80e043c4c165795d44069f6f8080b487dd128000"},
    {.name = "ffmpeg_vp8",
     .marker = true,
     .payload_type = 96,
     .seq = 3568,
     .timestamp = 1606084827u,
     .ssrc = 0x95c82d67u,
     .payload_size = 99,
     .hex = "80e00df05fbae8db95c82d6790808001d1040008111c0018086daaff0ff27732800e6bc00114da2b"
            "772623d4c0bbde04e3e608ae65b7cac428fef018d8c51a56d8e31a1b96731c22caa0ffec7e210eb0"
            "4d36974f68c0b9bca7ef23bc906a53d225d88b7a2d63dfb91a7168f8168000"},
    {.name = "gst_h264_stap",
     .marker = false,
     .payload_type = 98,
     .seq = 25213,
     .timestamp = 4086827879u,
     .ssrc = 0x401d6861u,
     .payload_size = 36,
     .hex = "8062627df3980b67401d686178001b6742c00ad9047b016a0c0c0d4a000003000200000300291e24"
            "4c90000468cb8cb2"},
    {.name = "gst_h264_idr_start",
     .marker = false,
     .payload_type = 98,
     .seq = 25214,
     .timestamp = 4086827879u,
     .ssrc = 0x401d6861u,
     .payload_size = 108,
     .hex = "8062627ef3980b67401d68617c85888405fff87fe1a0a0a000222de0380421806a67f1000044e800"
            "0447e2000080b80036070003c0010065c870003c0010065c81d196e43a32dcffffc3503800110004"
            "01283e038042984a67f10000414800049ba200008150000961c3800081980008248000816dc1c000"},
    {.name = "gst_h264_aud",
     .marker = false,
     .payload_type = 98,
     .seq = 25222,
     .timestamp = 4086836879u,
     .ssrc = 0x401d6861u,
     .payload_size = 2,
     .hex = "80626286f3982e8f401d68610930"},
    {.name = "gst_h264_slice_0",
     .marker = false,
     .payload_type = 98,
     .seq = 25223,
     .timestamp = 4086836879u,
     .ssrc = 0x401d6861u,
     .payload_size = 108,
     .hex = "80626287f3982e8f401d68615c819a38087939c8a686687c83debeb5f8d26ee9cdd5ddddaa65aa65"
            "c2652523e1cc3dfc2dd50d50d50de8deee7129f874b7bc07000100401091a99ef7529d0da273823f"
            "1ba9b4f308442220c451aaf03800082f00008a0800082a200004000101008005f6cc025251d7cf4b"},
    {.name = "gst_h264_slice_1",
     .marker = false,
     .payload_type = 98,
     .seq = 25224,
     .timestamp = 4086836879u,
     .ssrc = 0x401d6861u,
     .payload_size = 108,
     .hex = "80626288f3982e8f401d68615c013050075c0000802801800d260330a72068b357fabf3afffbf080"
            "0040a8e000205ac57ea8006feb31b047f7000020354046b8085d569e058f4436197fde0001800080"
            "6838265e69b62b194422b32b5ab78001818c09284eba70d8b2c8bdb94680002048000bb5e600e1e2"},
    {.name = "gst_h264_slice_2",
     .marker = true,
     .payload_type = 98,
     .seq = 25225,
     .timestamp = 4086836879u,
     .ssrc = 0x401d6861u,
     .payload_size = 95,
     .hex = "80e26289f3982e8f401d68615c415748c32a5479e0318030ee2a28fe32f968aeb1feff00081de03f"
            "8c480b5ecb6b5f1245df00c140df0fccf27d713bd15cf0768006005000100739c70c011e664e432b"
            "3fe780002072001bc1ab1b1cbb2092d4f498fa682fc77320ee6780"},
    {.name = "ffmpeg_h264_stap",
     .marker = true,
     .payload_type = 96,
     .seq = 188,
     .timestamp = 3634903510u,
     .ssrc = 0x5bd0bc9fu,
     .payload_size = 134,
     .hex = "80e000bcd8a839d65bd0bc9f18000b419a3b104afffea996041c00764105268ec443ff14c78bedaa"
            "74c447e0919a9cbf438362a1b2deb47cf2a494bf5c98f0b01d9dc64781a70cbc494e159535077043"
            "80770212b2e7e23983dc9a00d1e3991000a1f515bf9d2738dfc04bb96234e807f0cca2f8cd02bb3b"
            "923053f9bb0711f095b4378f8dd6ec5129493a00fadf9751c980"},
    {.name = "ffmpeg_h264_single",
     .marker = false,
     .payload_type = 96,
     .seq = 190,
     .timestamp = 3634921510u,
     .ssrc = 0x5bd0bc9fu,
     .payload_size = 107,
     .hex = "806000bed8a880265bd0bc9f419a727843c994c08337fff4b45e90010a497bc4758e3d8d23a51666"
            "3df58a91de4282a9c2f807180565e144e0c4d3c11f1fc1843328eae1d9b3a5edda3f59556daa4f45"
            "6777dc0588a8b5027388fb37c877f9fe68a14ebb3b7aecada824a49eef6b42251df9ea36892480"},
    {.name = "gst_opus_padding_ext",
     .marker = true,
     .payload_type = 97,
     .seq = 6636,
     .timestamp = 1690316615u,
     .ssrc = 0x1a6ad218u,
     .payload_size = 72,
     .hex = "90e119ec64c02f471a6ad218bede0003000000000000000000000000788427ad568274f400000b23"
            "a91e504e954fd8bba19ce74b2873fb3f9c7f1444fc7bdd51b46483de5ac4c6df56eea7078e52d7e5"
            "2d789a32391a93aa94f4f852bd3a49b8f0f4bb1f"},
    {.name = "gst_opus_twcc",
     .marker = false,
     .payload_type = 97,
     .seq = 17719,
     .timestamp = 0x3a3cb638u,
     .ssrc = 0xfa8bbb1eu,
     .payload_size = 45,
     .ext_id = 3,
     .ext_size = 2,
     .hex = "906145373a3cb638fa8bbb1ebede00013100010078b4af2e69b00aebe403698bcc5e7ee16456f689"
            "3cb916f0b327b9e147a527529ff27a4fd2e66f23589ae03496"},
    {.name = "sipp_dtmf_first",
     .marker = true,
     .payload_type = 101,
     .seq = 8155,
     .timestamp = 43200u,
     .ssrc = 0x0e05384eu,
     .payload_size = 4,
     .hex = "80e51fdb0000a8c00e05384e050a0000"},
    {.name = "sipp_dtmf_end",
     .marker = false,
     .payload_type = 101,
     .seq = 8162,
     .timestamp = 43200u,
     .ssrc = 0x0e05384eu,
     .payload_size = 4,
     .hex = "80651fe20000a8c00e05384e058a08c0"},
};

/* `items` is the dissection in the words of wire_captures_test.c. */
struct captured_rtcp {
    const char *name;
    const char *items;
    const char *hex;
};

static const struct captured_rtcp captured_rtcp[] = {
    {.name = "gst_rr_sdes",
     .items = "rr bd3b74cf [1a6ad218 lost 0/-1 high 6658 jitter 7 lsr be1d35ce dlsr 25244]"
              " sdes bd3b74cf user3801364979@host-6d718461",
     .hex = "81c90007bd3b74cf1a6ad21800ffffff00001a0200000007be1d35ce0000629c81ca000cbd3b74cf"
            "011c757365723338303133363439373940686f73742d366437313834363106094753747265616d65"
            "72000000"},
    {.name = "gst_rr_pli_nack",
     .items = "rr 36085a45 sdes 36085a45 user3801364979@host-6d718461 pli 36085a45 "
              "44069f6f nack 36085a45 44069f6f 17367+0000",
     .hex = "80c9000136085a4581ca000936085a45011c757365723338303133363439373940686f73742d3664"
            "373138343631000081ce000236085a4544069f6f81cd000336085a4544069f6f43d70000"},
    {.name = "gst_rr_fir_nack",
     .items = "rr f9d9c717 sdes f9d9c717 user3801364979@host-6d718461 fir f9d9c717 "
              "401d6861 3 nack f9d9c717 401d6861 25217+0000",
     .hex = "80c90001f9d9c71781ca0009f9d9c717011c757365723338303133363439373940686f73742d3664"
            "373138343631000084ce0004f9d9c71700000000401d68610300000081cd0003f9d9c717401d6861"
            "62810000"},
    {.name = "gst_rr_nack",
     .items = "rr f9d9c717 sdes f9d9c717 user3801364979@host-6d718461 nack f9d9c717 "
              "401d6861 25480+0001",
     .hex = "80c90001f9d9c71781ca0009f9d9c717011c757365723338303133363439373940686f73742d3664"
            "373138343631000081cd0003f9d9c717401d686163880001"},
    {.name = "gst_sr_bye",
     .items = "sr 401d6861 eeadbe230ee75ff6 4087358908 331 27043 sdes 401d6861 "
              "user1958191788@host-da486add bye 401d6861",
     .hex = "80c80006401d6861eeadbe230ee75ff6f3a025bc0000014b000069a381ca000c401d6861011c7573"
            "65723139353831393137383840686f73742d646134383661646406094753747265616d6572000000"
            "81cb0001401d6861"},
    {.name = "gst_rr_lossy",
     .items = "rr f9d9c717 [401d6861 lost 25/29 high 25535 jitter 14 lsr be230ee7 dlsr "
              "77923] sdes f9d9c717 user3801364979@host-6d718461",
     .hex = "81c90007f9d9c717401d68611900001d000063bf0000000ebe230ee70001306381ca000cf9d9c717"
            "011c757365723338303133363439373940686f73742d366437313834363106094753747265616d65"
            "72000000"},
    {.name = "ffmpeg_sr",
     .items = "sr 95c82d67 eeadbbc990624dd2 1606535817 123 37342",
     .hex = "80c8000695c82d67eeadbbc990624dd25fc1ca890000007b000091de"},
};

#endif
