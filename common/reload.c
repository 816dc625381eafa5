#include "common/reload.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/metrics.h"

#define NAMES_LIMIT 4096

static struct metric *failed_metric(void)
{
    return metric_gauge("throughline_config_reload_failed", NULL,
                        "1 while the configuration as it is in its files was refused at the last "
                        "SIGHUP, and an older one goes on.");
}

static struct metric *loaded_metric(void)
{
    return metric_gauge("throughline_config_loaded_timestamp_seconds", NULL,
                        "When the configuration that counts was read, in seconds since 1970.");
}

static void tell_loaded(void)
{
    metric_set(failed_metric(), 0);
    metric_set(loaded_metric(), clock_wall_us() / 1000000);
}

void reload_restart(struct buffer *restart, const char *name)
{
    if (restart->len > 0)
        buffer_append_char(restart, ' ');
    buffer_append_text(restart, name);
}

static int refuse(int rc, const struct fault *fault)
{
    metric_set(failed_metric(), 1);
    log_error("The new configuration is refused, and the old one goes on",
              LOG_TEXT("file", fault->file), LOG_TEXT("pointer", fault->pointer),
              LOG_TEXT("detail", *fault->detail ? fault->detail : error_name(rc)));
    return rc;
}

static void tell_restart(const struct buffer *restart)
{
    if (restart->len > 0)
        log_warn("Of the new configuration this needs a restart, and stays as it was",
                 LOG_TEXT("settings", restart->data));
}

static int go_over(const struct reload *reload, struct config *fresh, struct fault *fault)
{
    struct buffer restart;
    int rc = reload->check ? reload->check(fresh, fault) : 0;
    if (rc != 0)
        return rc;
    buffer_init(&restart, NAMES_LIMIT);
    config_keep_fixed(fresh, reload->running, &restart);
    enum log_level level = (enum log_level)config_number(fresh, "log_level");
    rc = reload->apply(reload->context, fresh, &restart, fault);
    if (rc == 0) {
        log_set_level(level);
        tell_restart(&restart);
    }
    buffer_free(&restart);
    return rc;
}

int reload_now(const struct reload *reload)
{
    struct fault fault = {.detail = ""};
    struct config *fresh = NULL;
    int rc = config_load_again(reload->running, &fresh, &fault);
    if (rc == 0)
        rc = go_over(reload, fresh, &fault);
    config_free(fresh);
    if (rc != 0)
        return refuse(rc, &fault);
    tell_loaded();
    log_info("The configuration was read anew");
    return 0;
}

void reload_until_stop(const struct reload *reload)
{
    tell_loaded();
    while (!stop_wait_reload()) {
        int rc = reload_now(reload);
        (void)rc; /* told, and tried again at the next SIGHUP */
    }
}
