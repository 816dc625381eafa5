/*
 * A PostgreSQL of one connection, in a thread of the test, that misbehaves as told: so much of the
 * protocol (version 3) as libpq needs to connect and to ask, and then the fault.
 */
#ifndef TESTS_UNIT_PG_FAKE_H
#define TESTS_UNIT_PG_FAKE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum fake_fault {
    FAKE_MUTE_AT_START, /* takes the connection, and says nothing */
    FAKE_REFUSES,       /* "password authentication failed" */
    FAKE_MUTE,          /* connected, and then no answer to anything but the settings */
    FAKE_TRICKLES,      /* begins an answer that never ends, a byte at a time */
    FAKE_CUTS,          /* hangs up when asked */
    FAKE_FATAL,         /* says why, and hangs up, when asked */
    FAKE_FATAL_IDLE,    /* says why, and hangs up, before it is asked */
    FAKE_COPY_DEAF,     /* lets a COPY begin, and reads nothing of it */
    FAKE_COPY_CUTS,     /* lets a COPY begin, and hangs up */
    FAKE_COPY_UNASKED,  /* answers any statement by a COPY */
};

struct fake {
    enum fake_fault fault;
    int listener, port;
    pthread_t thread;
    sem_t go; /* FAKE_FATAL_IDLE waits for it */
};

static inline bool fake_read(int fd, char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, bytes, len, 0);
        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static inline void fake_say(int fd, const char *bytes, size_t len)
{
    ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
    (void)sent;
}

static inline void fake_error(int fd, const char *sqlstate, const char *text)
{
    char message[256] = "E";
    size_t len = 5;
    len += (size_t)snprintf(message + len, sizeof message - len, "SFATAL%cVFATAL%cC%s%cM%s%c%c", 0,
                            0, sqlstate, 0, text, 0, 0);
    uint32_t size = htonl((uint32_t)len - 1);
    memcpy(message + 1, &size, 4);
    fake_say(fd, message, len);
}

/* One message of the client; its type, or 0 at the end. `startup`: the first has none. */
static inline int fake_hear(int fd, bool startup)
{
    char type = 1, body[65536];
    uint32_t size;
    if ((!startup && !fake_read(fd, &type, 1)) || !fake_read(fd, (char *)&size, 4))
        return 0;
    size = ntohl(size) - 4;
    while (size > 0) {
        uint32_t piece = size < sizeof body ? size : (uint32_t)sizeof body;
        if (!fake_read(fd, body, piece))
            return 0;
        size -= piece;
    }
    return type;
}

/* Until the client hangs up. */
static inline void fake_wait_for_end(int fd)
{
    while (fake_hear(fd, false))
        continue;
}

static inline void fake_answer(int fd, enum fake_fault fault)
{
    static const char copy_in[] = "G\0\0\0\7\1\0\0", row[] = "T\0\0\1\0";
    switch (fault) {
    case FAKE_FATAL:
        fake_error(fd, "57P01", "terminating connection due to administrator command");
        break;
    case FAKE_TRICKLES:
        fake_say(fd, row, 5);
        for (int i = 0; i < 100; i++) {
            struct timeval pause = {.tv_usec = 50000};
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
            char byte;
            if (recv(fd, &byte, 1, 0) == 0)
                break;
            fake_say(fd, "", 1);
        }
        break;
    case FAKE_COPY_UNASKED:
        fake_say(fd, copy_in, 8);
        fake_wait_for_end(fd);
        break;
    case FAKE_COPY_CUTS:
        fake_say(fd, copy_in, 8);
        break;
    case FAKE_COPY_DEAF: {
        fake_say(fd, copy_in, 8);
        char byte;
        struct timeval patience = {.tv_sec = 3};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        /* Peeking takes nothing: what the client sends stays where it is. */
        for (int i = 0; i < 40 && recv(fd, &byte, 1, MSG_PEEK) != 0; i++)
            usleep(50000);
        break;
    }
    default:
        fake_wait_for_end(fd);
    }
}

static inline void *fake_serve(void *argument)
{
    struct fake *fake = argument;
    int fd = accept(fake->listener, NULL, NULL);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    fake_hear(fd, true);
    if (fake->fault == FAKE_REFUSES) {
        fake_error(fd, "28P01", "password authentication failed for user \"x\"");
    } else if (fake->fault == FAKE_MUTE_AT_START) {
        fake_wait_for_end(fd);
    } else {
        fake_say(fd, "R\0\0\0\10\0\0\0\0Z\0\0\0\5I", 15);
        fake_hear(fd, false); /* the settings */
        fake_say(fd, "C\0\0\0\10SET\0Z\0\0\0\5I", 15);
        if (fake->fault == FAKE_FATAL_IDLE && sem_wait(&fake->go) == 0)
            fake_error(fd, "57P01", "terminating connection due to administrator command");
        else if (fake_hear(fd, false) && fake->fault != FAKE_CUTS)
            fake_answer(fd, fake->fault);
    }
    close(fd);
    return NULL;
}

/* Starts it; `conninfo` (128 bytes) leads to it. */
static inline void fake_start(struct fake *fake, enum fake_fault fault, char *conninfo)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int small = 4096; /* so that a COPY soon meets a full buffer */
    fake->fault = fault;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fake->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fake->listener, 4), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &len), 0);
    fake->port = ntohs(address.sin_port);
    snprintf(conninfo, 128,
             "host=127.0.0.1 port=%d user=x password=y dbname=z sslmode=disable gssencmode=disable",
             fake->port);
    assert_int_equal(sem_init(&fake->go, 0, 0), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, fake_serve, fake), 0);
}

static inline void fake_join(struct fake *fake)
{
    assert_int_equal(pthread_join(fake->thread, NULL), 0);
    close(fake->listener);
    sem_destroy(&fake->go);
}

#endif
