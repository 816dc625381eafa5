/* A plain HTTP client over raw sockets, for tests that send what no library would. */
#ifndef TESTS_UNIT_HTTP_KIT_H
#define TESTS_UNIT_HTTP_KIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The longest that any wait in these tests takes before it fails. */
#define KIT_PATIENCE_S 10

/* A socket to 127.0.0.1; -1 if refused. */
static inline int kit_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = KIT_PATIENCE_S};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* False when the other side has closed. */
static inline bool kit_send(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static inline bool kit_send_text(int fd, const char *text)
{
    return kit_send(fd, text, strlen(text));
}

enum { KIT_CLOSED = 0, KIT_TIMEOUT = -1 };

struct kit_answer {
    int status; /* KIT_CLOSED: end of file instead of an answer */
    char head[8192];
    char body[8192];
    size_t body_len;
};

static inline const char *kit_header(const struct kit_answer *answer, const char *name)
{
    static _Thread_local char value[512];
    char line[128];
    snprintf(line, sizeof line, "\n%s:", name);
    const char *found = strcasestr(answer->head, line);
    if (!found)
        return NULL;
    found += strlen(line);
    found += strspn(found, " ");
    snprintf(value, sizeof value, "%.*s", (int)strcspn(found, "\r\n"), found);
    return value;
}

/* One byte; false at the end or at a timeout (`status` says which). */
static inline bool kit_byte(int fd, char *byte, int *status)
{
    ssize_t got = recv(fd, byte, 1, 0);
    if (got == 1)
        return true;
    *status = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? KIT_TIMEOUT : KIT_CLOSED;
    return false;
}

/* Reads one answer, and nothing beyond it; `has_body` is false after HEAD. */
static inline void kit_read(int fd, struct kit_answer *answer, bool has_body)
{
    memset(answer, 0, sizeof *answer);
    size_t len = 0;
    while (!strstr(answer->head, "\r\n\r\n")) {
        if (len + 1 == sizeof answer->head || !kit_byte(fd, answer->head + len, &answer->status))
            return;
        len++;
    }
    const char *length = kit_header(answer, "Content-Length");
    size_t want = length && has_body ? strtoul(length, NULL, 10) : 0;
    int status = atoi(answer->head + strlen("HTTP/1.1 "));
    while (answer->body_len < want && answer->body_len + 1 < sizeof answer->body) {
        if (!kit_byte(fd, answer->body + answer->body_len, &answer->status))
            return;
        answer->body_len++;
    }
    answer->status = status;
}

/* Does the other side close, after whatever it still sends? */
static inline bool kit_closes(int fd)
{
    char waste[4096];
    ssize_t got;
    while ((got = recv(fd, waste, sizeof waste, 0)) > 0)
        continue;
    return got == 0 || errno == ECONNRESET;
}

#endif
