/* librdkafka's calls that can fail, those of the producer and those that both sides use. */
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/failing.h"

rd_kafka_conf_res_t __real_rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *,
                                             size_t);
rd_kafka_conf_res_t __wrap_rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *,
                                             size_t);
rd_kafka_conf_res_t __real_rd_kafka_conf_get(const rd_kafka_conf_t *, const char *, char *,
                                             size_t *);
rd_kafka_conf_res_t __wrap_rd_kafka_conf_get(const rd_kafka_conf_t *, const char *, char *,
                                             size_t *);
rd_kafka_resp_err_t __real_rd_kafka_header_add(rd_kafka_headers_t *, const char *, ssize_t,
                                               const void *, ssize_t);
rd_kafka_resp_err_t __wrap_rd_kafka_header_add(rd_kafka_headers_t *, const char *, ssize_t,
                                               const void *, ssize_t);
rd_kafka_msg_status_t __real_rd_kafka_message_status(const rd_kafka_message_t *);
rd_kafka_msg_status_t __wrap_rd_kafka_message_status(const rd_kafka_message_t *);
rd_kafka_resp_err_t __real_rd_kafka_flush(rd_kafka_t *, int);
rd_kafka_resp_err_t __wrap_rd_kafka_flush(rd_kafka_t *, int);
rd_kafka_resp_err_t __real_rd_kafka_purge(rd_kafka_t *, int);
rd_kafka_resp_err_t __wrap_rd_kafka_purge(rd_kafka_t *, int);
rd_kafka_resp_err_t __wrap_rd_kafka_producev(rd_kafka_t *, ...);

static atomic_int_fast64_t stored;

int64_t failing_stored(void)
{
    return atomic_load(&stored);
}

static int turn(const char *call, int ways)
{
    return failing_now(FAILING_KAFKA, call, ways);
}

rd_kafka_conf_res_t __wrap_rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name,
                                             const char *value, char *error, size_t size)
{
    if (turn("rd_kafka_conf_set", 1) < 0)
        return __real_rd_kafka_conf_set(conf, name, value, error, size);
    snprintf(error, size, "made to fail");
    return RD_KAFKA_CONF_INVALID;
}

rd_kafka_conf_res_t __wrap_rd_kafka_conf_get(const rd_kafka_conf_t *conf, const char *name,
                                             char *value, size_t *size)
{
    return turn("rd_kafka_conf_get", 1) < 0 ? __real_rd_kafka_conf_get(conf, name, value, size)
                                            : RD_KAFKA_CONF_UNKNOWN;
}

rd_kafka_resp_err_t __wrap_rd_kafka_header_add(rd_kafka_headers_t *headers, const char *name,
                                               ssize_t name_len, const void *value, ssize_t len)
{
    return turn("rd_kafka_header_add", 1) < 0
               ? __real_rd_kafka_header_add(headers, name, name_len, value, len)
               : RD_KAFKA_RESP_ERR__READ_ONLY;
}

/* The delivery report: not stored, or nobody knows. */
rd_kafka_msg_status_t __wrap_rd_kafka_message_status(const rd_kafka_message_t *message)
{
    static const rd_kafka_msg_status_t ways[] = {RD_KAFKA_MSG_STATUS_NOT_PERSISTED,
                                                 RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED};
    int way = turn("rd_kafka_message_status", 2);
    rd_kafka_msg_status_t status = way < 0 ? __real_rd_kafka_message_status(message) : ways[way];
    if (status == RD_KAFKA_MSG_STATUS_PERSISTED)
        atomic_fetch_add(&stored, 1);
    return status;
}

rd_kafka_resp_err_t __wrap_rd_kafka_flush(rd_kafka_t *kafka, int ms)
{
    return turn("rd_kafka_flush", 1) < 0 ? __real_rd_kafka_flush(kafka, ms)
                                         : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

rd_kafka_resp_err_t __wrap_rd_kafka_purge(rd_kafka_t *kafka, int flags)
{
    return turn("rd_kafka_purge", 1) < 0 ? __real_rd_kafka_purge(kafka, flags)
                                         : RD_KAFKA_RESP_ERR__INVALID_ARG;
}

/* The arguments that kafka_producer gives, as the list that librdkafka also takes. */
static size_t collect(va_list *from, rd_kafka_vu_t *all, size_t most)
{
    size_t count = 0;
    int type;
    while ((type = va_arg(*from, int)) != RD_KAFKA_VTYPE_END && count < most) {
        rd_kafka_vu_t *one = &all[count++];
        one->vtype = (rd_kafka_vtype_t)type;
        switch (one->vtype) {
        case RD_KAFKA_VTYPE_TOPIC:
            one->u.cstr = va_arg(*from, const char *);
            break;
        case RD_KAFKA_VTYPE_PARTITION:
            one->u.i32 = va_arg(*from, int32_t);
            break;
        case RD_KAFKA_VTYPE_MSGFLAGS:
            one->u.i = va_arg(*from, int);
            break;
        case RD_KAFKA_VTYPE_KEY:
        case RD_KAFKA_VTYPE_VALUE:
            one->u.mem.ptr = va_arg(*from, void *);
            one->u.mem.size = va_arg(*from, size_t);
            break;
        case RD_KAFKA_VTYPE_HEADERS:
            one->u.headers = va_arg(*from, rd_kafka_headers_t *);
            break;
        case RD_KAFKA_VTYPE_OPAQUE:
            one->u.ptr = va_arg(*from, void *);
            break;
        default:
            return 0; /* teach it here */
        }
    }
    return count;
}

static atomic_uint_fast64_t produced;

uint64_t failing_produced(void)
{
    return atomic_load(&produced);
}

/* FNV-1a, of the length first. */
static uint64_t hash(uint64_t seed, const void *bytes, size_t size)
{
    const uint64_t prime = UINT64_C(0x100000001b3);
    const unsigned char *p = bytes;
    seed = (seed ^ size) * prime;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ p[i]) * prime;
    return seed;
}

static uint64_t hash_headers(uint64_t seed, const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        seed = hash(hash(seed, name, strlen(name)), value, size);
    return seed;
}

/* Before librdkafka takes the headers over. */
static uint64_t fingerprint(const rd_kafka_vu_t *all, size_t count)
{
    uint64_t seed = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        if (all[i].vtype == RD_KAFKA_VTYPE_KEY || all[i].vtype == RD_KAFKA_VTYPE_VALUE)
            seed = hash(seed, all[i].u.mem.ptr, all[i].u.mem.size);
        else if (all[i].vtype == RD_KAFKA_VTYPE_HEADERS)
            seed = hash_headers(seed, all[i].u.headers);
    }
    return seed;
}

rd_kafka_resp_err_t __wrap_rd_kafka_producev(rd_kafka_t *kafka, ...)
{
    static const rd_kafka_resp_err_t ways[] = {
        RD_KAFKA_RESP_ERR__QUEUE_FULL, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__FATAL};
    int way = turn("rd_kafka_producev", 4);
    if (way >= 0)
        return ways[way];
    rd_kafka_vu_t all[16];
    va_list arguments;
    va_start(arguments, kafka);
    size_t count = collect(&arguments, all, 16);
    va_end(arguments);
    uint64_t print = fingerprint(all, count);
    rd_kafka_error_t *error = rd_kafka_produceva(kafka, all, count);
    if (!error)
        atomic_fetch_add(&produced, print);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_destroy(error);
    return code;
}
