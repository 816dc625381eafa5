#include "common/http/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/log.h"

/* Of the whole head of an answer; libcurl's own bound is 300 KiB a header, later 8 MiB in all. */
#define HEAD_LIMIT (64 * 1024)

struct http_client {
    CURL *curl;
    struct http_client_options options;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode ready = CURLE_FAILED_INIT;

static void init_curl(void)
{
    ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_client_new(const struct http_client_options *options, struct http_client **out)
{
    pthread_once(&once, init_curl);
    struct http_client *client = calloc(1, sizeof *client);
    if (client && ready == CURLE_OK)
        client->curl = curl_easy_init();
    if (!client || !client->curl) {
        log_error("libcurl cannot be started", LOG_TEXT("error", curl_easy_strerror(ready)));
        free(client);
        return ERR_MEMORY;
    }
    client->options = *options;
    *out = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

void http_answer_free(struct http_answer *answer)
{
    buffer_free(&answer->body);
}

/* What libcurl's callbacks work on. */
struct reception {
    struct http_answer *answer;
    size_t head_len;
    bool too_long;
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct reception *reception = context;
    buffer_append(&reception->answer->body, data, size * count);
    if (!reception->answer->body.failed)
        return size * count;
    reception->too_long = true;
    return 0; /* ends the transfer */
}

/* RFC 9110 section 10.2.3: seconds, or a date. */
static int parse_retry_after(const char *text)
{
    char *end;
    if (*text >= '0' && *text <= '9') {
        long seconds = strtol(text, &end, 10);
        if (*end == '\0')
            return seconds < 0 || seconds > 86400 ? 86400 : (int)seconds;
    }
    time_t at = curl_getdate(text, NULL);
    if (at < 0)
        return -1;
    double wait = difftime(at, time(NULL));
    return wait < 0 ? 0 : wait > 86400 ? 86400 : (int)wait;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    static const char name[] = "Retry-After:";
    const size_t skip = sizeof name - 1;
    struct reception *reception = context;
    struct span line = {data, size * count};
    reception->head_len += line.len;
    if (reception->head_len > HEAD_LIMIT) {
        reception->too_long = true;
        return 0;
    }
    if (line.len <= skip || !span_is_nocase((struct span){line.ptr, skip}, name))
        return line.len;
    struct span value = {line.ptr + skip, line.len - skip};
    while (value.len && strchr(" \t", value.ptr[0]))
        value = (struct span){value.ptr + 1, value.len - 1};
    while (value.len && strchr(" \t\r\n", value.ptr[value.len - 1]))
        value.len--;
    char text[64];
    snprintf(text, sizeof text, "%.*s", SPAN_ARGS(value));
    reception->answer->retry_after_s = parse_retry_after(text);
    return line.len;
}

/* libcurl asks about once a second, however quiet the connection is. */
static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const atomic_bool *cut = ((const struct http_client *)context)->options.cut;
    return cut && atomic_load(cut);
}

static bool only_http(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

static bool configure_limits(struct http_client *client)
{
    const struct http_client_options *options = &client->options;
    CURL *curl = client->curl;
    bool verify = !options->any_certificate;
    long timeout = options->timeout_ms;
    long connecting = options->connect_timeout_ms ? options->connect_timeout_ms : timeout;
    return curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L) == CURLE_OK &&
           (!options->direct || curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
           (!options->ca_file ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connecting) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client) == CURLE_OK;
}

/* The handle keeps its connections over a reset, but no option of the last request. */
static bool configure(struct http_client *client, const char *url, struct curl_slist *headers,
                      struct reception *reception)
{
    CURL *curl = client->curl;
    curl_easy_reset(curl);
    client->error[0] = '\0';
    return only_http(curl) && configure_limits(client) &&
           curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "throughline") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, reception) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, reception) == CURLE_OK;
}

static bool configure_post(CURL *curl, struct span body)
{
    return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.ptr ? body.ptr : "") == CURLE_OK;
}

/* The caller's, and no "Expect: 100-continue", which costs a round trip and,
 * where a server ignores it, a second. */
static int list_headers(const char *const *headers, struct curl_slist **list)
{
    *list = curl_slist_append(NULL, "Expect:");
    for (; *list && headers && *headers; headers++) {
        struct curl_slist *longer = curl_slist_append(*list, *headers);
        if (!longer) {
            curl_slist_free_all(*list);
            *list = NULL;
            break;
        }
        *list = longer;
    }
    if (*list)
        return 0;
    log_error("no memory for a request's headers");
    return ERR_MEMORY;
}

static int perform(struct http_client *client, struct reception *reception)
{
    struct http_answer *answer = reception->answer;
    CURLcode code = curl_easy_perform(client->curl);
    if (code == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        answer->status = (int)status;
        return 0;
    }
    buffer_clear(&answer->body); /* half an answer is none */
    answer->retry_after_s = -1;
    if (reception->too_long) {
        snprintf(answer->error, sizeof answer->error, "the answer is over %zu bytes",
                 client->options.body_limit);
        return ERR_LIMIT;
    }
    snprintf(answer->error, sizeof answer->error, "%s",
             client->error[0] ? client->error : curl_easy_strerror(code));
    return ERR_BUSY;
}

static int request(struct http_client *client, const char *url, const char *const *headers,
                   const struct span *body, struct http_answer *answer)
{
    *answer = (struct http_answer){.retry_after_s = -1};
    buffer_init(&answer->body, client->options.body_limit);
    struct curl_slist *list;
    int rc = list_headers(headers, &list);
    if (rc)
        return rc;
    struct reception reception = {.answer = answer};
    if (configure(client, url, list, &reception) &&
        (!body || configure_post(client->curl, *body))) {
        rc = perform(client, &reception);
    } else {
        log_error("libcurl refuses an option");
        rc = ERR_MEMORY;
    }
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(list);
    return rc;
}

int http_client_post(struct http_client *client, const char *url, const char *const *headers,
                     struct span body, struct http_answer *answer)
{
    return request(client, url, headers, &body, answer);
}

int http_client_get(struct http_client *client, const char *url, const char *const *headers,
                    struct http_answer *answer)
{
    return request(client, url, headers, NULL, answer);
}
