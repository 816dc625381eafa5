/* URLs, by the parser that libcurl itself goes by. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "common/http/http_client.h"

static bool get(CURLU *parts, CURLUPart what, char *text, size_t size)
{
    char *found = NULL;
    bool fits = curl_url_get(parts, what, &found, 0) == CURLUE_OK && strlen(found) < size;
    if (fits)
        snprintf(text, size, "%s", found);
    curl_free(found);
    return fits;
}

static bool parse(const char *url, char scheme[8], char host[256], char port[8])
{
    CURLU *parts = curl_url();
    bool well = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                get(parts, CURLUPART_SCHEME, scheme, 8) &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                get(parts, CURLUPART_HOST, host, 256) && *host;
    if (well && !get(parts, CURLUPART_PORT, port, 8))
        *port = '\0';
    curl_url_cleanup(parts);
    return well;
}

int http_client_check_url(const char *url, struct fault *fault)
{
    char scheme[8], host[256], port[8];
    if (parse(url, scheme, host, port))
        return 0;
    return fault_set(fault, "", "must be a URL like https://crm.example/handoffs");
}

void http_client_origin(const char *url, char origin[HTTP_ORIGIN_SIZE])
{
    char scheme[8], host[256], port[8];
    *origin = '\0';
    if (parse(url, scheme, host, port))
        snprintf(origin, HTTP_ORIGIN_SIZE, "%s://%s%s%s", scheme, host, *port ? ":" : "", port);
}
