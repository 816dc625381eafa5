#include "common/http/forwarded.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_BITS 96 /* before an IPv4 address in an IPv6 one */

/* --- addresses --- */

static struct in6_addr mapped(const struct in_addr *v4)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xFF, [11] = 0xFF}};
    memcpy(address.s6_addr + 12, v4, sizeof *v4);
    return address;
}

static int parse_plain(struct span text, struct in6_addr *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (text.len >= sizeof copy || (text.len > 0 && memchr(text.ptr, '\0', text.len)))
        return ERR_INVALID;
    memcpy(copy, text.len ? text.ptr : "", text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        *address = mapped(&v4);
        return 0;
    }
    return inet_pton(AF_INET6, copy, address) == 1 ? 0 : ERR_INVALID;
}

static bool is_port(struct span text)
{
    unsigned port = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return port <= 65535;
}

static bool is_v4(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address);
}

int forwarded_address(struct span text, struct in6_addr *address)
{
    const char *end = text.ptr + text.len;
    if (text.len > 0 && text.ptr[0] == '[') {
        const char *close = memchr(text.ptr, ']', text.len);
        if (!close)
            return ERR_INVALID;
        struct span inside = {text.ptr + 1, (size_t)(close - text.ptr) - 1};
        bool v6 = inside.len > 0 && memchr(inside.ptr, ':', inside.len);
        bool alone = close + 1 == end;
        if (!v6 || (!alone && (close[1] != ':' ||
                               !is_port((struct span){close + 2, (size_t)(end - close) - 2}))))
            return ERR_INVALID;
        return parse_plain(inside, address);
    }
    const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    bool single = colon && !memchr(colon + 1, ':', (size_t)(end - colon) - 1);
    if (!single)
        return parse_plain(text, address);
    struct span host = {text.ptr, (size_t)(colon - text.ptr)};
    if (!is_port((struct span){colon + 1, (size_t)(end - colon) - 1}))
        return ERR_INVALID;
    return parse_plain(host, address);
}

/* --- who is trusted --- */

static bool within(const struct forwarded_network *network, const struct in6_addr *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address.s6_addr, address->s6_addr, whole) != 0)
        return false;
    unsigned differ = rest ? network->address.s6_addr[whole] ^ address->s6_addr[whole] : 0u;
    return differ >> (8 - rest) == 0;
}

bool forwarded_trusts(const struct forwarded_trust *trust, const struct in6_addr *address)
{
    for (size_t i = 0; i < trust->count; i++)
        if (within(&trust->networks[i], address))
            return true;
    return false;
}

/* Nothing but zeros behind the prefix: 10.1.2.3/8 is a mistake, or a misunderstanding. */
static bool is_prefix(const struct forwarded_network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++)
        if (network->address.s6_addr[bit / 8] & (0x80u >> bit % 8))
            return false;
    return true;
}

static int parse_bits(struct span text, unsigned most, unsigned *bits)
{
    *bits = 0;
    if (text.len == 0 || text.len > 3)
        return ERR_INVALID;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return ERR_INVALID;
        *bits = *bits * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return *bits <= most ? 0 : ERR_INVALID;
}

static int parse_network(struct span text, struct forwarded_network *network, struct fault *fault)
{
    const char *slash = memchr(text.ptr, '/', text.len);
    struct span host = {text.ptr, slash ? (size_t)(slash - text.ptr) : text.len};
    if (parse_plain(host, &network->address))
        return fault_set(fault, "", "\"%.*s\" is no address and no network like 10.1.0.0/16",
                         SPAN_ARGS(text));
    unsigned before =
        is_v4(&network->address) && !memchr(host.ptr, ':', host.len) ? MAPPED_BITS : 0;
    network->bits = 128;
    if (slash) {
        struct span bits = {slash + 1, text.len - host.len - 1};
        if (parse_bits(bits, 128 - before, &network->bits))
            return fault_set(fault, "", "\"%.*s\": what follows the slash must be 0 to %u",
                             SPAN_ARGS(text), 128 - before);
        network->bits += before;
    }
    if (!is_prefix(network))
        return fault_set(fault, "",
                         "\"%.*s\" has bits behind its prefix: write the network's first address",
                         SPAN_ARGS(text));
    return 0;
}

int forwarded_trust_parse(const char *text, struct forwarded_trust *trust, struct fault *fault)
{
    static const char separators[] = ", \t\n";
    trust->count = 0;
    if (!text)
        return 0;
    for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
        struct span one = {text, strcspn(text, separators)};
        if (trust->count == FORWARDED_NETWORKS)
            return fault_set(fault, "", "names more than %d addresses and networks",
                             FORWARDED_NETWORKS);
        int rc = parse_network(one, &trust->networks[trust->count], fault);
        if (rc)
            return rc;
        trust->count++;
        text += one.len;
    }
    return 0;
}

/* --- whom they tell of --- */

static struct span trimmed(struct span text)
{
    while (text.len > 0 && strchr(" \t", text.ptr[0]) && text.ptr[0])
        text = (struct span){text.ptr + 1, text.len - 1};
    while (text.len > 0 && strchr(" \t", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
        text.len--;
    return text;
}

/* The last member of a list, which is then shorter. False: it is used up. Empty ones are none (RFC
 * 9110 section 5.6.1). */
static bool take_last(struct span *list, struct span *member)
{
    while (list->len > 0) {
        size_t start = list->len;
        while (start > 0 && list->ptr[start - 1] != ',')
            start--;
        *member = trimmed((struct span){list->ptr + start, list->len - start});
        list->len = start > 0 ? start - 1 : 0;
        if (member->len > 0)
            return true;
    }
    return false;
}

/* Goes left through one header line. False: no further. */
static bool follow(const struct forwarded_trust *trust, struct span list, unsigned *hops,
                   struct in6_addr *client)
{
    struct span member;
    while (take_last(&list, &member)) {
        struct in6_addr hop;
        if (++*hops > FORWARDED_HOPS || forwarded_address(member, &hop))
            return false;
        *client = hop;
        if (!forwarded_trusts(trust, &hop))
            return false;
    }
    return true;
}

void forwarded_resolve(const struct forwarded_trust *trust, const struct in6_addr *peer, bool https,
                       const struct record_header *headers, size_t count,
                       struct forwarded_client *client)
{
    *client = (struct forwarded_client){*peer, https};
    if (!forwarded_trusts(trust, peer))
        return;
    unsigned hops = 0;
    bool on = true, told = false;
    for (size_t i = count; i > 0; i--) {
        const struct record_header *header = &headers[i - 1];
        struct span value = header->value, scheme;
        if (on && span_is_nocase(header->name, "X-Forwarded-For"))
            on = follow(trust, value, &hops, &client->address);
        if (told || !span_is_nocase(header->name, "X-Forwarded-Proto") ||
            !take_last(&value, &scheme))
            continue;
        told = true; /* by the proxy next to us: the last one */
        if (span_is_nocase(scheme, "https") || span_is_nocase(scheme, "http"))
            client->https = scheme.len == strlen("https");
    }
}
