/* What the configuration says of a listener: who is shown which certificate, and which proxies are
 * believed. */
#include "common/base/log.h"
#include "common/http/http_server_internal.h"

void http_server_configure(struct http_server_options *options, const struct config *config)
{
    options->read_deadline_ms = (int)config_number(config, "http_read_deadline");
    options->idle_ms = (int)config_number(config, "http_idle");
    options->tls_certificate = config_text(config, "tls_certificate");
    options->tls_key = config_text(config, "tls_key");
    options->trusted_proxies = config_text(config, "trusted_proxies");
}

bool http_server_has_tls(const struct config *config)
{
    return config_text(config, "tls_certificate");
}

static int check_both(const char *certificate, const char *key, struct fault *fault)
{
    if (!certificate == !key)
        return 0;
    return fault_set(fault, key ? "/tls_certificate" : "/tls_key",
                     "is missing: TLS wants tls_certificate and tls_key");
}

static int parse_trust(const char *text, struct forwarded_trust *trust, struct fault *fault)
{
    int rc = forwarded_trust_parse(text, trust, fault);
    if (rc)
        fault_prefix(fault, "/trusted_proxies");
    return rc;
}

int http_server_check(const struct config *config, struct fault *fault)
{
    const char *certificate = config_text(config, "tls_certificate");
    const char *key = config_text(config, "tls_key");
    struct forwarded_trust trust;
    int rc = parse_trust(config_text(config, "trusted_proxies"), &trust, fault);
    if (!rc)
        rc = check_both(certificate, key, fault);
    if (!rc && certificate)
        rc = http_tls_check(certificate, key, fault);
    return rc;
}

int http_settings_open(struct http_server *server)
{
    const struct http_server_options *options = &server->options;
    struct fault fault = {.detail = ""};
    int rc = parse_trust(options->trusted_proxies, &server->trust, &fault);
    if (!rc)
        rc = check_both(options->tls_certificate, options->tls_key, &fault);
    if (!rc && options->tls_certificate)
        rc = http_tls_open(options->tls_certificate, options->tls_key, &server->tls, &fault);
    if (rc == ERR_INVALID)
        log_error("The configuration is wrong", LOG_TEXT("pointer", fault.pointer),
                  LOG_TEXT("detail", fault.detail));
    return rc;
}

int http_server_renew(struct http_server *server, const struct config *config, struct fault *fault)
{
    const char *certificate = config_text(config, "tls_certificate");
    const char *key = config_text(config, "tls_key");
    int rc = check_both(certificate, key, fault);
    if (rc)
        return rc;
    if (!certificate != !server->tls)
        return fault_set(fault, "/tls_certificate", "switches TLS %s: that wants a restart",
                         certificate ? "on" : "off");
    return certificate ? http_tls_renew(server->tls, certificate, key, fault) : 0;
}
