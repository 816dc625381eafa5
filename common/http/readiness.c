#include "common/http/readiness.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/http/http_client.h"
#include "common/http/http_server.h"

#define OWN_MS       3000
#define ANSWER_LIMIT ((size_t)64 * 1024)

int readiness_address(const char *listen, char *address, size_t size, struct fault *fault)
{
    if (http_listen_reach(listen, address, size) == 0)
        return 0;
    return fault_set(fault, "/listen", "%s cannot be asked: it takes host:port, with a port",
                     listen);
}

/* Whoever answers there may be somebody else: what does not print stays out. */
static void keep_to_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

void readiness_words(const char *address, int status, struct span body, char text[READINESS_TEXT])
{
    json_t *problem = body.len ? json_loadb(body.ptr, body.len, 0, NULL) : NULL;
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    snprintf(text, READINESS_TEXT, "%s is not ready (%d)%s%s", address, status, detail ? ": " : "",
             detail ? detail : "");
    json_decref(problem);
    keep_to_one_line(text);
}

int readiness_ask(const char *address, int ms, char text[READINESS_TEXT])
{
    const struct http_client_options options = {
        .timeout_ms = ms, .body_limit = ANSWER_LIMIT, .direct = true, .any_certificate = true};
    struct http_client *client;
    struct http_answer answer;
    char url[300];
    *text = '\0';
    int rc = http_client_new(&options, &client);
    if (rc)
        return rc;
    snprintf(url, sizeof url, "%s%s/readyz", strstr(address, "://") ? "" : "http://", address);
    rc = http_client_get(client, url, NULL, &answer);
    if (rc == ERR_BUSY || rc == ERR_LIMIT) {
        snprintf(text, READINESS_TEXT, "%s does not answer: %s", address, answer.error);
        keep_to_one_line(text);
        rc = ERR_BUSY;
    } else if (rc == 0 && answer.status != 200) {
        readiness_words(address, answer.status, buffer_span(&answer.body), text);
        rc = ERR_BUSY;
    }
    http_answer_free(&answer);
    http_client_free(client);
    return rc;
}

int readiness_of_own(const char *listen, bool tls, struct fault *fault)
{
    char address[256], url[sizeof "https://" + sizeof address], text[READINESS_TEXT];
    int rc = readiness_address(listen, address, sizeof address, fault);
    if (rc)
        return rc;
    snprintf(url, sizeof url, "%s%s", tls ? "https://" : "", address);
    rc = readiness_ask(url, OWN_MS, text);
    if (rc == ERR_BUSY)
        (void)fault_set(fault, "", "%s", text);
    return rc;
}
