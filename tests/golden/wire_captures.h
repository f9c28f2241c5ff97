/* SPDX-License-Identifier: MIT */
#ifndef TDM_TESTS_GOLDEN_WIRE_CAPTURES_H
#define TDM_TESTS_GOLDEN_WIRE_CAPTURES_H

/*
 * UDP payloads that other programs sent, captured on the loopback with tshark 4.0.17, and what
 * tshark's own dissectors read in them. tests/golden/README.md says how each was captured.
 *
 *   gst_*     GStreamer 1.22.0, rtpbin with profile AVPF: vp8enc, x264enc, opusenc; without rtpbin:
 *             vp9enc, x265enc
 *   ffmpeg_*  ffmpeg 5.1.9, -f rtp: libvpx, libx264, libvpx-vp9, libx265
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
    {.name = "gst_vp9_key_0",
     .marker = false,
     .payload_type = 98,
     .seq = 1986,
     .timestamp = 375050906u,
     .ssrc = 0xa2db40f9u,
     .payload_size = 188,
     .hex = "806207c2165ad29aa2db40f98ab85f1800400030010401b124c1a148001f8017b031c120e0c29000"
            "28805f7fbfc6fe1f7c6f91f0af91f9bf3fe5fc5f45e3fe87f7fcefd9ef6df27fdef91fbfd7ff0fa7"
            "f918bfaedaeb0dc3f91ffe6f91fc5e47dbfc1fa7fd3feafccea3f63e95fef7c6fff9f91fb1feae44"
            "0a7c007e9e9fffffc272f70db2c10e3a1f5b90cec29237db8db42f10f5a60704e67778f6e05d8fb1"
            "560de8953c278b8ae62c8b762ea3a51debe1a394f66f10b1b619bd5a68b13ecc1c9d1d9741d52d64"},
    {.name = "gst_vp9_key_1",
     .marker = false,
     .payload_type = 98,
     .seq = 1987,
     .timestamp = 375050906u,
     .ssrc = 0xa2db40f9u,
     .payload_size = 180,
     .hex = "806207c3165ad29aa2db40f980b85f25245a594de3ffde59c518a380d44798398b47e17d13041eec"
            "a104126f915636e564dd84df7312cfab404efbf8fe88acfcc822b442576c5b59e5504f891766482a"
            "478eeaab3c4d38e956e461fe5b240217cae408773bd5bb88db35bad752141104866f9f4ea5e47070"
            "747dc484844daf5367ca1ecdf00fc3c76237ce3e82adb0cdead99f7064a45db5ce2e3c885e0762b1"
            "6a6babec6115f24cf8f1c6f8c736c77555a0271dd556789a71d2adc8c3fcb648"},
    {.name = "gst_vp9_key_6",
     .marker = true,
     .payload_type = 98,
     .seq = 1992,
     .timestamp = 375050906u,
     .ssrc = 0xa2db40f9u,
     .payload_size = 67,
     .hex = "80e207c8165ad29aa2db40f984b85f4c44ebc316b984b9c0607934bd2e80a5dc44c69a4926e5b462"
            "3383a765d91102099af6175744ae04bfb8c462cda37a8ec5ae90b524c439adf6101ecde7a32000"},
    {.name = "gst_vp9_inter_0",
     .marker = false,
     .payload_type = 98,
     .seq = 1995,
     .timestamp = 375068906u,
     .ssrc = 0xa2db40f9u,
     .payload_size = 188,
     .hex = "806207cb165b18eaa2db40f9c8b861b30020497858968000067000007f2fe65da04ccab6ff807508"
            "405001935dfe3a846baa19a3e554340ee3230908fcbf51ec7b940ae00f75ec1fb618b69a8f739ee6"
            "6d7e92b4239cfcbf6f75f18d10b6592064a8b8386c3d1b46eba53c424b1e0e0a7ae1adb60692dc21"
            "2aafb714cbed3108bf9ffe6d375b99f39bfc455f3e90cde557eca9cf44a3b081a3ad730986222e28"
            "796778460aa35fb3997fc82450c3ef2251127baf7ff0dff8f52286537c41af23abee819e79a8ba21"},
    {.name = "gst_vp9_inter_1",
     .marker = true,
     .payload_type = 98,
     .seq = 1996,
     .timestamp = 375068906u,
     .ssrc = 0xa2db40f9u,
     .payload_size = 30,
     .hex = "80e207cc165b18eaa2db40f9c4b86125ffcc6bdcde9328c8aff2aebd7375b49ef2d7b2b59af81ff0"
            "f000"},
    {.name = "gst_vp9_7bit_0",
     .marker = false,
     .payload_type = 98,
     .seq = 8260,
     .timestamp = 4231907519u,
     .ssrc = 0x49d3fd2bu,
     .payload_size = 188,
     .hex = "80622044fc3dc8bf49d3fd2bc849b30020497858968000067000007f2fe65da04ccab6ff80750840"
            "5001935dfe3a846baa19a3e554340ee3230908fcbf51ec7b940ae00f75ec1fb618b69a8f739ee66d"
            "7e92b4239cfcbf6f75f18d10b6592064a8b8386c3d1b46eba53c424b1e0e0a7ae1adb60692dc212a"
            "afb714cbed3108bf9ffe6d375b99f39bfc455f3e90cde557eca9cf44a3b081a3ad730986222e2879"
            "6778460aa35fb3997fc82450c3ef2251127baf7ff0dff8f52286537c41af23abee819e79a8ba2125"},
    {.name = "gst_vp9_7bit_1",
     .marker = true,
     .payload_type = 98,
     .seq = 8261,
     .timestamp = 4231907519u,
     .ssrc = 0x49d3fd2bu,
     .payload_size = 28,
     .hex = "80e22045fc3dc8bf49d3fd2bc449ffcc6bdcde9328c8aff2aebd7375b49ef2d7b2b59af81ff0f000"},
    {.name = "ffmpeg_vp9_key_0",
     .marker = false,
     .payload_type = 96,
     .seq = 2766,
     .timestamp = 4067018947u,
     .ssrc = 0xb3573d27u,
     .payload_size = 388,
     .hex = "80600acef269c8c3b3573d2708a2498342e009f007760638241c184a000cc05f7fdfc4fff97e2fc9"
            "ff47eff3fe3d91f9bfbbf1ffc17d1771790f46ff91fd3f97ffefdc7f1bf67f0731f2affdd69fcfa7"
            "fc7fdc46ff3eb5ffd5eb5ff69e7f3fd5d2feb5ed3d2fabfe67b3646d68fabc69fc3f5dfff5654754"
            "f8df4b9ad7a8fabb0dff8de6bbdddcb973f6f1d7cfeafff78de9cc8bc47ec20d43f8dfffaf7e6606"
            "fcffeafeafd9bc7d2bfe23dfeb88be37ffb3b7fb0f4ff95f7b1f9dd3ba37fc014a7f75fcdbc36fa4"
            "f0e43f63f7d9608fcfff09ac7cf0df2b78f9e0be46f0f4bf49ffd7e1fff69d8ffd500079e513254f"
            "b36085869da76faa537105d592a8440464b45357ebed582c310169cf45def06a1fd16307e55ea19b"
            "0a68fe5afe8b183f2ff7393ff7426d3c675caaf7f6ab5856cfd55308d8288144cdbb3e1ceb71c6d0"
            "dfa03b81e0757e791a64c055e66d47f1bcf766b39617566927605ed255670eda957c9aef636a18a3"
            "eaddfd6cca2dbe8aae6bebaf7678e4be03f4873cfb02daec40702f72038ccbc39ca2487d5bcce2a8"},
    {.name = "ffmpeg_vp9_inter_0",
     .marker = false,
     .payload_type = 96,
     .seq = 2780,
     .timestamp = 4067027947u,
     .ssrc = 0xb3573d27u,
     .payload_size = 388,
     .hex = "80600adcf269ebebb3573d2708a60040929c485000001f73bfa76fe0e2922ed9f4bdb3e890d6a0bd"
            "2e6bbaf53394e0cb77d75de000005a076cc05556a1508f5ef4dc526938bddc5b5a7221ac4beba067"
            "703118e35516d056ad14e72be95d0a3ba73bb90628d144d9eb5ac7f4a345eb9fbb4e756391d3af1c"
            "c6e8b5dc94dcf522cbca680e57c62dc3ee2ebde1ffe93aac10ad8c36c3a6cc838f5b5d4afdebe8c4"
            "cdfc5fc58e32427f5a172f30b081389106a8286c4e3dc92d3b7b0e4705a3e16330b13ebd0071ab2f"
            "905a131faeeca590d58b77e8667b05822eb51ce7b713cb1cf176e9dfb6038ad6d11a149822aedec1"
            "8f7bfe6efc25d955651f1b503ccddebd19745fb4565b62ee93e47fb3d0bd13aa613e91adb2498d65"
            "9cb65466cea91d140a7bb7e45725ecfe346d6dd3e50edcd84ca1da4445de9bfe9e5613724fd5859d"
            "338ee486587143ceb029628211197fe5bb12ff2668c4ee9530d94f63adbb5bf4999b92a613e21672"
            "30ce33242f097c691956c2acaff24f1304ed484ca5420cc4796d5ec8015fb5999570b6e4303a3a29"},
    {.name = "ffmpeg_vp9_inter_1",
     .marker = true,
     .payload_type = 96,
     .seq = 2781,
     .timestamp = 4067027947u,
     .ssrc = 0xb3573d27u,
     .payload_size = 9,
     .hex = "80e00addf269ebebb3573d2704e4d85b4a3de38c00"},
    {.name = "ffmpeg_vp9_whole",
     .marker = true,
     .payload_type = 96,
     .seq = 2784,
     .timestamp = 4067045947u,
     .ssrc = 0xb3573d27u,
     .payload_size = 302,
     .hex = "80e00ae0f26a323bb3573d270ca60040929c48500000037000005a076cc05556a1509409dad1a9ef"
            "2689e938c57c19e709305db735080af34059a494c3e5a13d6ba33913ba7d34cb3a089625642a4718"
            "58d766b278321f084f78824d0f7766c9037029f8c25e6423217f77c4882c9dbb116abcee057ed5f3"
            "8f2d4882e5c28b3e607338fafa7072b1494eb1ac453b1d950024182c2dfbd3adeb652dda66fdff59"
            "8e32221289f8a117faa23d4f4ecb660fcdaa02d6cb1804fc76543d1a487cb427cdeaff498853c81c"
            "047bba5082bfe5bb4ca65a26e16de03b642da0bc4162709989fe9a99afb80389fb640b32f2a87b50"
            "cd2290874ba0a95f3335c7f3958680d220ced829480aeceba7e58d5fb9d1caed1c7381a8889561a7"
            "11e5f5f00625a1c9d23c98a2a50bd8747953ce3cb523ec0bcbda180fc6483bf17d80"},
    {.name = "gst_h265_ap",
     .marker = false,
     .payload_type = 100,
     .seq = 12860,
     .timestamp = 1010677878u,
     .ssrc = 0xf587b502u,
     .payload_size = 87,
     .hex = "8064323c3c3db876f587b5026001001740010c01ffff040800000300980800000300001eba024000"
            "30420101040800000300980800000300001e90041062294b7494985ffe00020002d4181818100000"
            "03001000000300a08000084401c07030601120"},
    {.name = "gst_h265_idr_0",
     .marker = false,
     .payload_type = 100,
     .seq = 12861,
     .timestamp = 1010677878u,
     .ssrc = 0xf587b502u,
     .payload_size = 188,
     .hex = "8064323d3c3db876f587b502620194ac1ae0a649bf8cbe330eb9173fd91343dd474c058cbba0b696"
            "5f99fb89e989b9af3f07f4c451e7c876ee7631cd6fc8a77ea28fda1ac24de8a4c8bf6c0d93977b2a"
            "92f97e5b6dfc63c789d48d87e33b58f70169dee7afad2a99912677012450ec564f912bc935cb5be8"
            "9ff10b8d01ae8c755812fd4b937c4cf23fdcd78cfe3f3fb25a506cd6fe2e268b55c1797fa1fe43f1"
            "09c7c1a3ac784e84a7f60ffe2dffa27fe2f146bfdbdf947c21f91233210c10cf6da8893c8830e84c"},
    {.name = "gst_h265_idr_1",
     .marker = false,
     .payload_type = 100,
     .seq = 12862,
     .timestamp = 1010677878u,
     .ssrc = 0xf587b502u,
     .payload_size = 188,
     .hex = "8064323e3c3db876f587b502620114f49be8de0e7f4e6035c36b56f3d602cf9f6d360d0a93be6556"
            "c58615118dd5180fec91e227f2e21a98fbfd6379bbef0132fa5ccd5cf3a1135f3fee544acff1df3e"
            "983c2ef3b57cf25f1eb748ab1e7b12a774c8c322b5dacbd3994e72b7e007807f609e12a007eb9a5a"
            "ad8d9861f9bc39f4bfce9eafc767cc9e43d15c28a3b721dc74d3dbdd551d18dbcac0774daf885e9b"
            "47b68c6cd7d937e96aea4a392f1adc925e77ffb5757362c7ae2fe039759ed9569fc92b6b49548d8e"},
    {.name = "gst_h265_idr_13",
     .marker = true,
     .payload_type = 100,
     .seq = 12874,
     .timestamp = 1010677878u,
     .ssrc = 0xf587b502u,
     .payload_size = 163,
     .hex = "80e4324a3c3db876f587b502620154612cbedf62524bd7c6916db0126c0a26ad8e4bd6076d718cf1"
            "7d64d59c8b79484580cb6353cf56c988159542962c0406d1859f65a8535192a0227d619e4495bee5"
            "a9ab66c7c2f761d428e93400868c52ddef8e5c6df98656fa0c1383a9f087b3a989941e6b8ba18f56"
            "5d8e962940ce941ffb863e61b99be6fc232c044c5141f13a22c02fb262cc90d8e761f61f0aa0cb54"
            "74a706419dad22fffe60fe9fdf2be0"},
    {.name = "gst_h265_slice_0",
     .marker = false,
     .payload_type = 100,
     .seq = 12875,
     .timestamp = 1010686878u,
     .ssrc = 0xf587b502u,
     .payload_size = 188,
     .hex = "8064324b3c3ddb9ef587b502620181d0097880d74f25a0d6a722f781c21840af7da8dd1a0f412593"
            "835523dc14356e212ebd0c2809cfbf1ef30e254b39b3937d07486417240430d6ee40aa9a39b1f240"
            "1dc2dcce3dba58b52dc1de167aa220719a43940399085d1c41d900f9657270adad12b9323f758b44"
            "812411ff8d36d24209d8b19e5d5fbfeab8d1aff31fffffffffff551fdfd1830690690f5022671e71"
            "0ce98f0b34be21cbcffe431dffa1cffa9ff92dbd5e97ca66fa6db6fd2737d1fb23761c10dffbced2"},
    {.name = "gst_h265_slice_1",
     .marker = false,
     .payload_type = 100,
     .seq = 12876,
     .timestamp = 1010686878u,
     .ssrc = 0xf587b502u,
     .payload_size = 188,
     .hex = "8064324c3c3ddb9ef587b502620101b5c83f2f32e574ce4215d88ec5a879764184547e0fa45f5bdf"
            "d99ecd5ded09b881477ce7ab8e29a8a22acdf0137010c53cc2d9c0adcfb34c87209667a9118f8856"
            "ff7e1e80fe12bbf9e2a2413cf5b976a55609b25c2fce6ef2a79e10acdb1d56f3676780d8cb35ad6f"
            "5ea67b54f9af2c8c8cd19bf9fc9c3d945258bc772a6430bc0e9da71fe437e16c4021a6f0cbb1fa54"
            "521f328d8f17bb3e93250afaca8774812aa04b2dfd7cfff48c071eb99a97284b3299fc2faa9229ca"},
    {.name = "gst_h265_slice_2",
     .marker = true,
     .payload_type = 100,
     .seq = 12877,
     .timestamp = 1010686878u,
     .ssrc = 0xf587b502u,
     .payload_size = 147,
     .hex = "80e4324d3c3ddb9ef587b502620141431a94a0d689094c43baa763261c3333e8b05b44c20dd023eb"
            "4de30599b43db985f28d7879f26ad758d67c71c7df1b64a589a2e9019db1f84ad84ae5c33cbef9f9"
            "d9fafd40a2dd3596bf44df16a7eaf579776ea5fb25594b0fb62ea7a53e0ba45424d42161936a1233"
            "dc37f3b83fb83ed110674ea1425dd016635bd16cf9c1afa2ec0f7a277d3093cbfd29be39d24d20"},
    {.name = "ffmpeg_h265_single",
     .marker = true,
     .payload_type = 96,
     .seq = 2111,
     .timestamp = 293145454u,
     .ssrc = 0xded6dcfdu,
     .payload_size = 191,
     .hex = "80e0083f11790b6eded6dcfd0201d009788690e1c553800e84be745233a48028753648f83f5bb899"
            "8460f952e33c4123e6f04cae097f229331fa08bf7bf85519a7bfd5737c409e79ffe7ea50f8fe8244"
            "733a80995539e973c6737a3bea5e6d5d1ff527d65e3f44701c2389e808daccd7ff604d117f9f4f4c"
            "1156c9e4b580b549dfbda05f5fa2169098a042f2446b90bdf8647c5fa6fc111dcde0127185cca9b8"
            "8760db8c1c326e60af5c7729c871ccbda2a8746d1485db2111f49dfef41236690aabf11e31db3d95"
            "5b6e58"},
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
