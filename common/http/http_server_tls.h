/*
 * The listener's certificate and key: read, checked, shown to who connects, and exchanged for newer
 * ones while the server runs. For the files http_server* only.
 */
#ifndef COMMON_HTTP_HTTP_SERVER_TLS_H
#define COMMON_HTTP_HTTP_SERVER_TLS_H

#include "common/base/error.h"
#include "common/base/fault.h"
#include "common/base/span.h"

struct http_tls;
struct MHD_Connection;

/* TLS 1.2 and 1.3; older ones have known breaks. */
#define HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Both files are PEM: the certificate with those that lead to its root behind it, and its key
 * without a passphrase. ERR_INVALID with pointer "/tls_certificate" or "/tls_key". One that has
 * expired is taken and warned of: an old certificate serves those who do not look. */
int http_tls_open(const char *certificate, const char *key, struct http_tls **out,
                  struct fault *fault) CHECKED;
void http_tls_close(struct http_tls *tls); /* NULL is fine */

/* As http_tls_open, for looking only. */
int http_tls_check(const char *certificate, const char *key, struct fault *fault) CHECKED;

/* Who connects from now on is shown these; ERR_INVALID, and the old ones stay. Any thread. */
int http_tls_renew(struct http_tls *tls, const char *certificate, const char *key,
                   struct fault *fault) CHECKED;

/* What MHD_OPTION_HTTPS_CERT_CALLBACK2 wants: finds the connection's http_tls by http_tls_of. */
void *http_tls_callback(void);

/* http_server_request.c: whose certificate this connection is to be shown; NULL: none. */
struct http_tls *http_tls_of(struct MHD_Connection *mhd);

/* Writes to the connection past libmicrohttpd, as far as that goes without waiting, and ends the
 * sending. False: it did not go out. On the connection's own thread only. */
bool http_tls_send_last(struct MHD_Connection *mhd, struct span text);

#endif
