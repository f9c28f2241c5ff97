/* SPDX-License-Identifier: MIT */
/* The tree hash: against the vectors of RFC 9162's reference log (certificate-transparency's test
 * leaves), and proofs of every leaf of every small tree, also of runs of zeros. */
#include "collab/file_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEAVES_MAX 70

static void is_hex(const uint8_t *bytes, const char *hex)
{
    char text[2 * TDM_FILE_HASH_BYTES + 1] = "";

    for (size_t i = 0; i < TDM_FILE_HASH_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, hex);
}

static void test_vectors(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } leaves[] = {{"", 0},         {"\0", 1},
                  {"\x10", 1},     {"\x20\x21", 2},
                  {"\x30\x31", 2}, {"\x40\x41\x42\x43", 4},
                  {"PQRSTUVW", 8}, {"`abcdefghijklmno", 16}};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    tdm_file_hash nodes[32], root;
    struct tdm_file_root rolling;

    (void)state;
    tdm_file_root_init(&rolling);
    for (uint32_t n = 0; n <= 8; n++) {
        for (uint32_t i = 0; i < n; i++)
            tdm_file_leaf(leaves[i].bytes, leaves[i].size, nodes[i]);
        tdm_file_tree_build(nodes, n, root);
        is_hex(root, roots[n]);
        tdm_file_root_final(&rolling, root);
        is_hex(root, roots[n]);
        if (n < 8) {
            tdm_file_leaf(leaves[n].bytes, leaves[n].size, nodes[0]);
            tdm_file_root_add(&rolling, nodes[0]);
        }
    }
}

static void test_proofs(void **state)
{
    tdm_file_hash nodes[3 * LEAVES_MAX], proof[TDM_FILE_PROOF_MAX], root, other;
    struct tdm_file_root rolling;

    (void)state;
    for (uint32_t n = 1; n < LEAVES_MAX; n++) {
        tdm_file_root_init(&rolling);
        for (uint32_t i = 0; i < n; i++) {
            tdm_file_leaf(&i, sizeof i, nodes[i]);
            tdm_file_root_add(&rolling, nodes[i]);
        }
        assert_true(tdm_file_tree_nodes(n) <= sizeof nodes / sizeof *nodes);
        tdm_file_tree_build(nodes, n, root);
        tdm_file_root_final(&rolling, other);
        assert_memory_equal(root, other, sizeof root);
        for (uint32_t i = 0; i < n; i++) {
            struct tdm_file_place place = {.index = i, .leaves = n, .root = root};
            struct tdm_file_proof p = {proof[0], tdm_file_tree_proof(nodes, &place, proof)};

            assert_true(tdm_file_tree_proves(&place, nodes[i], &p));
            /* Another leaf, another place, another length of the file, a proof cut short. */
            memcpy(other, nodes[i], sizeof other);
            other[5] ^= 1;
            assert_false(tdm_file_tree_proves(&place, other, &p));
            place.index = i + 1;
            assert_false(tdm_file_tree_proves(&place, nodes[i], &p));
            place = (struct tdm_file_place){.index = i, .leaves = 2 * n + 1, .root = root};
            assert_false(tdm_file_tree_proves(&place, nodes[i], &p));
            place.leaves = n;
            if (p.count--)
                assert_false(tdm_file_tree_proves(&place, nodes[i], &p));
        }
    }
}

static void test_zeros(void **state)
{
    uint8_t *zeros = calloc(1, TDM_FILE_BLOCK_BYTES);
    tdm_file_hash nodes[64], proof[TDM_FILE_PROOF_MAX], root, hash;

    (void)state;
    assert_non_null(zeros);
    for (uint32_t i = 0; i < 21; i++)
        tdm_file_leaf(i >= 8 && i < 16 ? zeros : (uint8_t *)&i,
                      i >= 8 && i < 16 ? TDM_FILE_BLOCK_BYTES : sizeof i, nodes[i]);
    tdm_file_tree_build(nodes, 21, root);
    for (uint8_t height = 0; height <= 3; height++) {
        struct tdm_file_place place = {.index = 8, .leaves = 21, .height = height, .root = root};
        struct tdm_file_proof p = {proof[0], tdm_file_tree_proof(nodes, &place, proof)};

        tdm_file_zeros(height, hash);
        assert_true(tdm_file_tree_proves(&place, hash, &p));
        place.index = 16;
        assert_false(tdm_file_tree_proves(&place, hash, &p));
    }
    free(zeros);
}

static void test_blocks(void **state)
{
    static const struct {
        uint64_t size;
        uint32_t count, last;
    } rows[] = {
        {0, 0, 0},           {1, 1, 1},      {262143, 1, 262143},
        {262144, 1, 262144}, {262145, 2, 1}, {5368709121, 20481, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tdm_file_block_count(rows[i].size), rows[i].count);
        if (rows[i].count)
            assert_int_equal(tdm_file_block_size(rows[i].size, rows[i].count - 1), rows[i].last);
        assert_int_equal(tdm_file_block_size(rows[i].size, rows[i].count), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
