/* SPDX-License-Identifier: MIT */
#include "signalling/contacts.h"
#include "signalling/vcard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char book[] = "# Tandem contacts. Edit at will.\r\n"
                           "\n"
                           "# family\n"
                           "[paul]\n"
                           "name = Paul Okafor\n"
                           "address = paul@reskit.test by work\n"
                           "  # at home\n"
                           "address=10.0.0.7\n"
                           "birthday = 1970-01-01\n"
                           "group = family\n"
                           "answer = auto\n"
                           "presence = allow\n"
                           "note = plays the cello\n"
                           "\n"
                           "# a colleague\n"
                           "[eve]\n"
                           "name = Eve\n"
                           "address = sip:eve@example.org;transport=tcp\n"
                           "[not a contact]\n"
                           "name = nobody\n"
                           "[eve2]\n"
                           "name = Eve\n"
                           "watch = no\n";

static struct tdm_contact find(const char *text, size_t size, const char *who)
{
    struct tdm_contact contact;

    assert_int_equal(tdm_contacts_find(text, size, who, &contact, NULL), TDM_OK);
    return contact;
}

static void read_as_written(void **state)
{
    struct tdm_contacts_walk walk = tdm_contacts_walk_of(book, sizeof book - 1);
    struct tdm_contact c;

    (void)state;
    assert_true(tdm_contacts_next(&walk, &c));
    assert_string_equal(c.id, "paul");
    assert_string_equal(c.name, "Paul Okafor");
    assert_int_equal(c.address_count, 2);
    assert_string_equal(c.addresses[0].uri, "paul@reskit.test");
    assert_string_equal(c.addresses[0].account, "work");
    assert_string_equal(c.addresses[1].uri, "10.0.0.7");
    assert_string_equal(c.addresses[1].account, "");
    assert_int_equal(c.group_count, 1);
    assert_int_equal(c.answer, TDM_ANSWER_AUTO);
    assert_true(c.policy_set);
    assert_int_equal(c.policy, TDM_POLICY_ALLOW);
    assert_string_equal(c.note, "plays the cello");
    assert_true(tdm_contacts_next(&walk, &c));
    assert_string_equal(c.id, "eve");
    assert_false(c.policy_set);
    assert_true(tdm_contacts_next(&walk, &c));
    assert_string_equal(c.id, "eve2");
    assert_true(c.unwatched);
    assert_false(tdm_contacts_next(&walk, &c));
}

static void found_by_word_name_or_address(void **state)
{
    static const char *const pauls[] = {"paul", "PAUL", "Paul okafor", "10.0.0.7",
                                        "sip:Paul@reskit.test"};
    struct tdm_contact c;
    struct tdm_cause cause = {""};

    (void)state;
    for (size_t i = 0; i < sizeof pauls / sizeof *pauls; i++)
        assert_string_equal(find(book, sizeof book - 1, pauls[i]).id, "paul");
    assert_string_equal(find(book, sizeof book - 1, "eve").id, "eve"); /* The word goes first. */
    assert_string_equal(find(book, sizeof book - 1, "eve@example.org").id, "eve");
    assert_int_equal(tdm_contacts_find(book, sizeof book - 1, "mallory", &c, &cause), TDM_E_GONE);
    assert_non_null(strstr(cause.text, "mallory"));
    static const char two[] = "[a]\nname=Same\n[b]\nname=same\n";

    assert_int_equal(tdm_contacts_find(two, sizeof two - 1, "SAME", &c, &cause), TDM_E_MALFORMED);
    assert_non_null(strstr(cause.text, "a, b"));
}

static void put(char *text, size_t *size, const char *id, const struct tdm_contact *contact)
{
    char out[4096];
    size_t out_size = 0;

    assert_int_equal(tdm_contacts_put(text, *size, id, contact, out, sizeof out, &out_size),
                     TDM_OK);
    memcpy(text, out, out_size);
    text[out_size] = '\0';
    *size = out_size;
}

static void a_change_leaves_the_rest(void **state)
{
    char text[4096];
    size_t size = sizeof book - 1;
    struct tdm_contact c = find(book, size, "paul");

    (void)state;
    memcpy(text, book, sizeof book);
    put(text, &size, "paul", &c); /* Nothing is another. */
    assert_string_equal(text, book);

    (void)snprintf(c.note, sizeof c.note, "plays\nthe viola ");
    c.answer = TDM_ANSWER_ASK;
    (void)snprintf(c.groups[c.group_count++], sizeof c.groups[0], "friends");
    put(text, &size, "Paul", &c);
    assert_non_null(strstr(text, "# family\n[paul]\nname = Paul Okafor\n"
                                 "address = paul@reskit.test by work\n  # at home\n"
                                 "address=10.0.0.7\nbirthday = 1970-01-01\n"
                                 "group = family\ngroup = friends\npresence = allow\n"
                                 "note = plays the viola\n\n# a colleague\n[eve]\n"));
    assert_int_equal(find(text, size, "paul").group_count, 2);

    c = find(text, size, "paul");
    c.addresses[0] = c.addresses[1];
    c.address_count = 1;
    put(text, &size, "paul", &c);
    assert_int_equal(find(text, size, "paul").address_count, 1);
    assert_non_null(strstr(text, "address = 10.0.0.7\n  # at home\nbirthday"));
}

static void added_and_taken_out(void **state)
{
    char text[4096] = "";
    size_t size = 0;
    struct tdm_contact c = {.id = "zoe", .name = "Zo\xc3\xab", .address_count = 1};
    struct tdm_contact other = {.id = "adam"};

    (void)state;
    (void)snprintf(c.addresses[0].uri, sizeof c.addresses[0].uri, "zoe@example.org");
    put(text, &size, "zoe", &c);
    assert_string_equal(text, "[zoe]\nname = Zo\xc3\xab\naddress = zoe@example.org\n");
    size -= 1; /* Somebody's editor left no line end. */
    put(text, &size, "adam", &other);
    assert_string_equal(text, "[zoe]\nname = Zo\xc3\xab\naddress = zoe@example.org\n\n[adam]\n");
    put(text, &size, "zoe", NULL);
    assert_string_equal(text, "\n[adam]\n");
    char out[64];
    size_t out_size;

    assert_int_equal(tdm_contacts_put(text, size, "zoe", NULL, out, sizeof out, &out_size),
                     TDM_E_GONE);
    assert_int_equal(tdm_contacts_put(text, size, "zoe", &c, out, 20, &out_size), TDM_E_SPACE);
}

static void words(void **state)
{
    (void)state;
    assert_true(tdm_contact_id_is_valid("paul-2"));
    assert_true(tdm_contact_id_is_valid("zo\xc3\xab"));
    assert_false(tdm_contact_id_is_valid(""));
    assert_false(tdm_contact_id_is_valid("-x"));
    assert_false(tdm_contact_id_is_valid("paul okafor"));
    assert_false(tdm_contact_id_is_valid("paul@home"));
    assert_false(tdm_contact_id_is_valid("a:b"));
}

static void cards_of_others(void **state)
{
    static const char cards[] =
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\\, Countess\r\n  of Lovelace\r\n"
        "item1.IMPP;PREF=2:sip:ada@example.org\r\nIMPP;PREF=1:sip:ada@home.example\r\n"
        "PHOTO:data:image/jpeg;base64,AAAA\r\n BBBB\r\n"
        "TEL;VALUE=uri;TYPE=\"voice,home\":tel:+43-1-2345\r\n"
        "CATEGORIES:friends,mathe\\,matics\r\nNOTE:first line\\nsecond\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\nVERSION:3.0\nN:Turing;Alan;;;\nFN:Alan Turing\nNICKNAME:al an,prof\n"
        "X-SIP:alan@example.org\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:Nobody at all\nEMAIL:x@y\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6r=\n"
        "g M\nTEL;CELL:+49 (30) 12 34\nEND:VCARD\n";
    struct tdm_vcard_walk walk = tdm_vcard_walk_of(cards, sizeof cards - 1);
    struct tdm_contact c;

    (void)state;
    assert_true(tdm_vcard_next(&walk, &c));
    assert_string_equal(c.name, "Ada, Countess of Lovelace");
    assert_string_equal(c.id, "ada-countess-of-lovelace");
    assert_int_equal(c.address_count, 3);
    assert_string_equal(c.addresses[0].uri, "sip:ada@home.example");
    assert_string_equal(c.addresses[2].uri, "tel:+4312345");
    assert_int_equal(c.group_count, 2);
    assert_string_equal(c.groups[1], "mathe,matics");
    assert_string_equal(c.note, "first line second");
    assert_true(tdm_vcard_next(&walk, &c));
    assert_string_equal(c.id, "al-an");
    assert_string_equal(c.addresses[0].uri, "sip:alan@example.org");
    assert_true(tdm_vcard_next(&walk, &c));
    assert_string_equal(c.name, "J\xc3\xb6rg M");
    assert_string_equal(c.addresses[0].uri, "tel:+493012"
                                            "34");
    assert_int_equal(walk.skipped, 1);
    assert_false(tdm_vcard_next(&walk, &c));
}

static void check_same(const struct tdm_contact *a, const struct tdm_contact *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->note, b->note);
    assert_int_equal(a->address_count, b->address_count);
    for (uint32_t i = 0; i < a->address_count; i++) {
        assert_string_equal(a->addresses[i].uri, b->addresses[i].uri);
        assert_string_equal(a->addresses[i].account, b->addresses[i].account);
    }
    assert_int_equal(a->group_count, b->group_count);
    for (uint32_t i = 0; i < a->group_count; i++)
        assert_string_equal(a->groups[i], b->groups[i]);
    assert_int_equal(a->answer, b->answer);
    assert_int_equal(a->policy_set, b->policy_set);
    assert_int_equal(a->policy, b->policy);
    assert_int_equal(a->unwatched, b->unwatched);
}

static void a_card_comes_back(void **state)
{
    struct tdm_contact c = find(book, sizeof book - 1, "paul"), again;
    char card[2048];
    size_t size = 0, column = 0;

    (void)state;
    (void)snprintf(
        c.note, sizeof c.note, "%s",
        "a; b, c\\d with \xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4 and so "
        "long that it has to be folded at least once or even twice \xe2\x82\xac\xe2\x82"
        "\xac\xe2\x82\xac");
    (void)snprintf(c.addresses[0].uri, sizeof c.addresses[0].uri, "sip:paul@reskit.test");
    (void)snprintf(c.addresses[1].uri, sizeof c.addresses[1].uri, "sip:10.0.0.7");
    c.unwatched = true;
    assert_int_equal(tdm_vcard_write(&c, card, sizeof card, &size), TDM_OK);
    for (size_t i = 0; i < size; i++) {
        column = card[i] == '\n' ? 0 : column + 1;
        assert_true(column <= 76); /* With the CR. */
    }
    struct tdm_vcard_walk walk = tdm_vcard_walk_of(card, size);

    assert_true(tdm_vcard_next(&walk, &again));
    check_same(&c, &again);
    for (size_t room = 0; room <= size; room++)
        assert_int_equal(tdm_vcard_write(&c, card, room, &size), TDM_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_as_written),
        cmocka_unit_test(found_by_word_name_or_address),
        cmocka_unit_test(a_change_leaves_the_rest),
        cmocka_unit_test(added_and_taken_out),
        cmocka_unit_test(words),
        cmocka_unit_test(cards_of_others),
        cmocka_unit_test(a_card_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
