/* libmicrohttpd's calls that can fail. */
#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <unistd.h>

#include "tests/unit/failing.h"

enum MHD_Result __real_MHD_add_connection(struct MHD_Daemon *, int, const struct sockaddr *,
                                          socklen_t);
enum MHD_Result __wrap_MHD_add_connection(struct MHD_Daemon *, int, const struct sockaddr *,
                                          socklen_t);
enum MHD_Result __real_MHD_add_response_header(struct MHD_Response *, const char *, const char *);
enum MHD_Result __wrap_MHD_add_response_header(struct MHD_Response *, const char *, const char *);
struct MHD_Response *__real_MHD_create_response_from_buffer(size_t, void *,
                                                            enum MHD_ResponseMemoryMode);
struct MHD_Response *__wrap_MHD_create_response_from_buffer(size_t, void *,
                                                            enum MHD_ResponseMemoryMode);
const union MHD_ConnectionInfo *__real_MHD_get_connection_info(struct MHD_Connection *,
                                                               enum MHD_ConnectionInfoType, ...);
const union MHD_ConnectionInfo *__wrap_MHD_get_connection_info(struct MHD_Connection *,
                                                               enum MHD_ConnectionInfoType, ...);
enum MHD_Result __real_MHD_queue_response(struct MHD_Connection *, unsigned, struct MHD_Response *);
enum MHD_Result __wrap_MHD_queue_response(struct MHD_Connection *, unsigned, struct MHD_Response *);
struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned, uint16_t, MHD_AcceptPolicyCallback, void *,
                                           MHD_AccessHandlerCallback, void *, ...);

static bool fails(const char *call)
{
    return failing_now(FAILING_HTTP, call, 1) >= 0;
}

/* It closes the socket that it does not take. */
enum MHD_Result __wrap_MHD_add_connection(struct MHD_Daemon *daemon, int fd,
                                          const struct sockaddr *address, socklen_t size)
{
    if (!fails("MHD_add_connection"))
        return __real_MHD_add_connection(daemon, fd, address, size);
    close(fd);
    return MHD_NO;
}

enum MHD_Result __wrap_MHD_add_response_header(struct MHD_Response *response, const char *name,
                                               const char *value)
{
    return fails("MHD_add_response_header") ? MHD_NO
                                            : __real_MHD_add_response_header(response, name, value);
}

struct MHD_Response *__wrap_MHD_create_response_from_buffer(size_t size, void *bytes,
                                                            enum MHD_ResponseMemoryMode mode)
{
    return fails("MHD_create_response_from_buffer")
               ? NULL
               : __real_MHD_create_response_from_buffer(size, bytes, mode);
}

const union MHD_ConnectionInfo *__wrap_MHD_get_connection_info(struct MHD_Connection *connection,
                                                               enum MHD_ConnectionInfoType what,
                                                               ...)
{
    return fails("MHD_get_connection_info") ? NULL
                                            : __real_MHD_get_connection_info(connection, what);
}

enum MHD_Result __wrap_MHD_queue_response(struct MHD_Connection *connection, unsigned status,
                                          struct MHD_Response *response)
{
    return fails("MHD_queue_response") ? MHD_NO
                                       : __real_MHD_queue_response(connection, status, response);
}

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned flags, uint16_t port,
                                           MHD_AcceptPolicyCallback policy, void *policy_context,
                                           MHD_AccessHandlerCallback handler, void *handler_context,
                                           ...)
{
    if (fails("MHD_start_daemon")) {
        errno = ENOMEM;
        return NULL;
    }
    va_list options;
    va_start(options, handler_context);
    struct MHD_Daemon *daemon =
        MHD_start_daemon_va(flags, port, policy, policy_context, handler, handler_context, options);
    va_end(options);
    return daemon;
}
