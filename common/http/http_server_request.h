/* libmicrohttpd's callbacks, for http_server.c to register. Their first argument is the server. */
#ifndef COMMON_HTTP_HTTP_SERVER_REQUEST_H
#define COMMON_HTTP_HTTP_SERVER_REQUEST_H

#include <microhttpd.h>

void *http_request_on_line(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_request_on_data(void *server, struct MHD_Connection *mhd, const char *path,
                                     const char *method, const char *version, const char *data,
                                     size_t *size, void **request);
void http_request_on_completed(void *server, struct MHD_Connection *mhd, void **request,
                               enum MHD_RequestTerminationCode why);
void http_request_on_connection(void *server, struct MHD_Connection *mhd, void **connection,
                                enum MHD_ConnectionNotificationCode what);

#endif
