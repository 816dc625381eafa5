/* Whom a request comes from, where proxies stand in between: who is believed, how far, and what is
 * not. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/http/forwarded.h"

static struct in6_addr address_of(const char *text)
{
    struct in6_addr address;
    assert_int_equal(forwarded_address(span_of(text), &address), 0);
    return address;
}

static struct forwarded_trust trust_of(const char *text)
{
    struct forwarded_trust trust;
    struct fault fault = {.detail = ""};
    if (forwarded_trust_parse(text, &trust, &fault))
        fail_msg("%s: %s", text, fault.detail);
    return trust;
}

/* --- addresses --- */

static void an_address_may_have_a_port(void **state)
{
    static const char *const same[][2] = {
        {"192.0.2.7", "192.0.2.7"},
        {"192.0.2.7", "192.0.2.7:4711"},
        {"192.0.2.7", "[::ffff:192.0.2.7]:1"},
        {"2001:db8::7", "2001:db8::7"},
        {"2001:db8::7", "[2001:db8::7]"},
        {"2001:DB8:0::7", "[2001:db8::7]:65535"},
    };
    static const char *const bad[] = {
        "",
        " ",
        "unknown",
        "_hidden",
        "192.0.2",
        "192.0.2.7.1",
        "192.0.2.256",
        "192.0.2.7:",
        "192.0.2.7:99999",
        "192.0.2.7:1x",
        "192.0.2.7 ",
        "[192.0.2.7]",
        "[2001:db8::7",
        "[2001:db8::7]x",
        "[2001:db8::7]:",
        "[]",
        "2001:db8::7::1",
        "fe80::1%eth0",
        "localhost",
        "192.0.2.7/32",
        ":80",
        "192.0.2.7\n",
        "00192.0.2.7",
        "0x7f.0.0.1",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct in6_addr a = address_of(same[i][0]), b = address_of(same[i][1]);
        assert_memory_equal(&a, &b, sizeof a);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct in6_addr address;
        if (forwarded_address(span_of(bad[i]), &address) != ERR_INVALID)
            fail_msg("\"%s\" is an address", bad[i]);
    }
    struct in6_addr address;
    assert_int_equal(forwarded_address((struct span){"192.0.2.7\0", 10}, &address), ERR_INVALID);
}

/* --- who is trusted --- */

static void a_network_is_what_its_prefix_says(void **state)
{
    static const struct {
        const char *trust, *address;
        bool trusted;
    } rows[] = {
        {NULL, "127.0.0.1", false},
        {"", "127.0.0.1", false},
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1", "::1", false},
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.64.0.0/10", "10.127.255.255", true},
        {"10.64.0.0/10", "10.128.0.0", false},
        {"192.0.2.6/31", "192.0.2.7", true},
        {"192.0.2.6/31", "192.0.2.8", false},
        {"192.0.2.7/32", "192.0.2.7", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "203.0.113.9", true},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},
        {"2001:db8::7", "2001:db8::7", true},
        {"2001:db8::7", "2001:db8::8", false},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"::ffff:10.0.0.0/104", "11.9.9.9", false},
        {" 10.0.0.0/8 ,, 127.0.0.1\t::1, ", "::1", true},
        {"10.0.0.0/8,127.0.0.1", "127.0.0.1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct forwarded_trust trust = trust_of(rows[i].trust);
        struct in6_addr address = address_of(rows[i].address);
        if (forwarded_trusts(&trust, &address) != rows[i].trusted)
            fail_msg("%s of %s", rows[i].address, rows[i].trust);
    }
}

static void what_is_no_network_is_refused(void **state)
{
    static const char *const bad[] = {"localhost",     "10.0.0.0/33",  "10.0.0.0/",  "10.0.0.0/8x",
                                      "10.0.0.1/8",    "fd00::1/8",    "fd00::/129", "/8",
                                      "10.0.0.0/-1",   "10.0.0",       "[fd00::1]",  "127.0.0.1:80",
                                      "10.0.0.0/1000", "127.0.0.1;::1"};
    struct forwarded_trust trust;
    char many[FORWARDED_NETWORKS * 8 + 16] = "";
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault = {.detail = ""};
        if (forwarded_trust_parse(bad[i], &trust, &fault) != ERR_INVALID || !fault.detail[0])
            fail_msg("\"%s\" is trusted", bad[i]);
    }
    for (int i = 0; i < FORWARDED_NETWORKS; i++)
        strcat(many, "1.1.1.1,");
    assert_int_equal(forwarded_trust_parse(many, &trust, NULL), 0);
    strcat(many, "2.2.2.2");
    assert_int_equal(forwarded_trust_parse(many, &trust, NULL), ERR_INVALID);
}

/* --- who asks --- */

#define TRUST "10.0.0.0/8, 2001:db8::/32"

static const struct {
    const char *what, *peer, *first, *second, *client; /* two header lines; NULL: none */
} rows[] = {
    {"no header", "10.0.0.1", NULL, NULL, "10.0.0.1"},
    {"one hop", "10.0.0.1", "203.0.113.9", NULL, "203.0.113.9"},
    {"nobody trusts this peer", "192.0.2.1", "203.0.113.9", NULL, "192.0.2.1"},
    {"its own lie stays left of it", "10.0.0.1", "127.0.0.1, 203.0.113.9", NULL, "203.0.113.9"},
    {"... also a trusted address", "10.0.0.1", "10.0.0.7, 203.0.113.9", NULL, "203.0.113.9"},
    {"two proxies", "10.0.0.1", "203.0.113.9, 10.0.0.2", NULL, "203.0.113.9"},
    {"three proxies of both kinds", "10.0.0.1", "203.0.113.9, 2001:db8::1, [2001:db8::2]:99", NULL,
     "203.0.113.9"},
    {"all are trusted: the first", "10.0.0.1", "10.0.0.3, 10.0.0.2", NULL, "10.0.0.3"},
    {"two lines", "10.0.0.1", "203.0.113.9", "10.0.0.2", "203.0.113.9"},
    {"two lines, the client sent the first", "10.0.0.1", "198.51.100.1", "203.0.113.9",
     "203.0.113.9"},
    {"with ports", "10.0.0.1", "203.0.113.9:1234, 10.0.0.2:80", NULL, "203.0.113.9"},
    {"no white space", "10.0.0.1", "198.51.100.1,203.0.113.9", NULL, "203.0.113.9"},
    {"much white space", "10.0.0.1", "\t 203.0.113.9 \t", NULL, "203.0.113.9"},
    {"empty members are none", "10.0.0.1", "203.0.113.9,, ,", NULL, "203.0.113.9"},
    {"nothing but commas", "10.0.0.1", ",,,", NULL, "10.0.0.1"},
    {"an empty value", "10.0.0.1", "", NULL, "10.0.0.1"},
    {"malformed: who sent it on", "10.0.0.1", "unknown", NULL, "10.0.0.1"},
    {"malformed in the middle", "10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", NULL, "10.0.0.2"},
    {"malformed at the left is never reached", "10.0.0.1", "<script>, 203.0.113.9", NULL,
     "203.0.113.9"},
    {"IPv6 client", "2001:db8::1", "2001:470::9", NULL, "2001:470::9"},
    {"IPv4 in IPv6", "::ffff:10.0.0.1", "::ffff:203.0.113.9", NULL, "203.0.113.9"},
};

static void the_first_from_the_right_that_is_not_trusted(void **state)
{
    struct forwarded_trust trust = trust_of(TRUST);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct in6_addr peer = address_of(rows[i].peer), want = address_of(rows[i].client);
        const struct record_header headers[] = {
            {span_of("Host"), span_of("tl")},
            {span_of(rows[i].first ? "X-Forwarded-For" : "X-None"), span_of(rows[i].first)},
            {span_of("Forwarded"), span_of("for=198.51.100.77")},
            {span_of(rows[i].second ? "x-forwarded-for" : "X-None"), span_of(rows[i].second)},
        };
        struct forwarded_client client;
        forwarded_resolve(&trust, &peer, false, headers, 4, &client);
        if (memcmp(&client.address, &want, sizeof want) != 0)
            fail_msg("%s", rows[i].what);
    }
}

static void hops_have_a_bound(void **state)
{
    struct forwarded_trust trust = trust_of(TRUST);
    struct in6_addr peer = address_of("10.0.0.1"), last = address_of("10.0.0.2");
    char value[2000] = "203.0.113.9";
    (void)state;
    for (int i = 0; i < FORWARDED_HOPS; i++)
        strcat(value, ", 10.0.0.2");
    const struct record_header header = {span_of("X-Forwarded-For"), span_of(value)};
    struct forwarded_client client;
    forwarded_resolve(&trust, &peer, false, &header, 1, &client);
    assert_memory_equal(&client.address, &last, sizeof last);
    const struct record_header shorter = {header.name,
                                          {value, strlen(value) - strlen(", 10.0.0.2")}};
    struct in6_addr first = address_of("203.0.113.9");
    forwarded_resolve(&trust, &peer, false, &shorter, 1, &client);
    assert_memory_equal(&client.address, &first, sizeof first);
}

static void the_scheme_is_told_by_the_proxy_next_to_us(void **state)
{
    static const struct {
        const char *peer, *value;
        bool own, https;
    } schemes[] = {
        {"10.0.0.1", "https", false, true},       {"10.0.0.1", "http", true, false},
        {"10.0.0.1", "HTTPS", false, true},       {"10.0.0.1", "http, https", false, true},
        {"10.0.0.1", "https, http", true, false}, {"10.0.0.1", "ftp", true, true},
        {"10.0.0.1", "", false, false},           {"192.0.2.1", "https", false, false},
        {"192.0.2.1", "http", true, true},
    };
    struct forwarded_trust trust = trust_of(TRUST);
    (void)state;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct in6_addr peer = address_of(schemes[i].peer);
        const struct record_header header = {span_of("X-Forwarded-Proto"),
                                             span_of(schemes[i].value)};
        struct forwarded_client client;
        forwarded_resolve(&trust, &peer, schemes[i].own, &header, 1, &client);
        if (client.https != schemes[i].https)
            fail_msg("\"%s\" by %s", schemes[i].value, schemes[i].peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_may_have_a_port),
        cmocka_unit_test(a_network_is_what_its_prefix_says),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(the_first_from_the_right_that_is_not_trusted),
        cmocka_unit_test(hops_have_a_bound),
        cmocka_unit_test(the_scheme_is_told_by_the_proxy_next_to_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
