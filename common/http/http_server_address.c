#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/http/http_server_internal.h"

struct address {
    char host[256];
    char port[6];
};

/* "host:port" or "[v6]:port"; an empty host means every address. */
static int parse_address(const char *listen, struct address *address)
{
    const char *colon = strrchr(listen, ':');
    if (!colon || colon[1] == '\0' || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > 65535)
        return ERR_INVALID;
    snprintf(address->port, sizeof address->port, "%s", colon + 1);
    const char *host = listen;
    size_t len = (size_t)(colon - listen);
    if (listen[0] == '[') {
        if (len < 2 || listen[len - 1] != ']')
            return ERR_INVALID;
        host++;
        len -= 2;
    } else if (memchr(listen, ':', len)) {
        return ERR_INVALID; /* an IPv6 address without brackets */
    }
    if (len >= sizeof address->host)
        return ERR_INVALID;
    memcpy(address->host, host, len);
    address->host[len] = '\0';
    return 0;
}

int http_listen_is_loopback(const char *listen, bool *loopback)
{
    struct address address;
    int rc = parse_address(listen, &address);
    if (rc)
        return rc;
    struct in_addr v4;
    struct in6_addr v6;
    *loopback = span_is_nocase(span_of(address.host), "localhost");
    if (inet_pton(AF_INET, address.host, &v4) == 1)
        *loopback = ntohl(v4.s_addr) >> 24 == 127;
    else if (inet_pton(AF_INET6, address.host, &v6) == 1)
        *loopback =
            IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return 0;
}

/* Every address? A listener on all of IPv6 takes IPv4, too, and there may be no IPv6 loopback. */
static bool is_wildcard(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return v4.s_addr == htonl(INADDR_ANY);
    return *host == '\0' || (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6));
}

int http_listen_reach(const char *listen, char *address, size_t size)
{
    struct address parts;
    int rc = parse_address(listen, &parts);
    if (rc || atoi(parts.port) == 0)
        return ERR_INVALID;
    const char *host = is_wildcard(parts.host) ? "127.0.0.1" : parts.host;
    bool v6 = strchr(host, ':') != NULL;
    int len = snprintf(address, size, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", parts.port);
    return len >= 0 && (size_t)len < size ? 0 : ERR_INVALID;
}

static int open_one(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len))
        return -1;
    if (bound.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
    return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

static int failed(const char *listen, const char *error)
{
    log_error("cannot listen", LOG_TEXT("address", listen), LOG_TEXT("error", error));
    return ERR_IO;
}

int http_address_listen(const char *listen, int *fd, int *port)
{
    struct address address;
    if (parse_address(listen, &address))
        return failed(listen, "this is no address: it must be host:port or [IPv6]:port");
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int rc = getaddrinfo(address.host[0] ? address.host : NULL, address.port, &hints, &found);
    if (rc)
        return failed(listen, gai_strerror(rc));
    *fd = -1;
    for (const struct addrinfo *info = found; info && *fd < 0; info = info->ai_next)
        *fd = open_one(info);
    int error = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return failed(listen, strerror(error));
    *port = port_of(*fd);
    return 0;
}
