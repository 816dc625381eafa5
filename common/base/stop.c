#include "common/base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"

static atomic_int stop_signals; /* how many have come */
static atomic_bool reload_asked;
static int stop_pipe[2] = {-1, -1};

/* One byte that nobody reads: from then on every poll of the pipe returns at once. */
static void wake(void)
{
    int saved = errno;
    ssize_t written = write(stop_pipe[1], "", 1);
    (void)written;
    errno = saved;
}

static void on_signal(int number)
{
    if (atomic_fetch_add(&stop_signals, 1) > 0)
        _exit(128 + number);
    wake();
}

static void on_hangup(int number)
{
    (void)number;
    atomic_store(&reload_asked, true);
}

int stop_install(void)
{
    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        log_error("Cannot make the pipe for signals", LOG_TEXT("error", strerror(errno)));
        return ERR_IO;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0) {
        log_error("Cannot install signal handlers", LOG_TEXT("error", strerror(errno)));
        return ERR_IO;
    }
    return 0;
}

int stop_install_reload(void)
{
    struct sigaction action = {.sa_handler = on_hangup};
    sigset_t hangup;
    sigemptyset(&action.sa_mask);
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    /* Blocked here and in every thread to come: it waits until somebody waits for it. */
    if (sigaction(SIGHUP, &action, NULL) != 0 || pthread_sigmask(SIG_BLOCK, &hangup, NULL) != 0) {
        log_error("Cannot install the handler of SIGHUP");
        return ERR_IO;
    }
    return 0;
}

bool stop_requested(void)
{
    return atomic_load(&stop_signals) > 0;
}

void stop_request(void)
{
    if (atomic_fetch_add(&stop_signals, 1) == 0)
        wake();
}

bool stop_wait(int ms)
{
    int64_t deadline = ms < 0 ? INT64_MAX : clock_monotonic_ms() + ms;
    while (!stop_requested()) {
        int64_t left = ms < 0 ? -1 : deadline - clock_monotonic_ms();
        if (ms >= 0 && left <= 0)
            break;
        struct pollfd wait = {.fd = stop_pipe[0], .events = POLLIN};
        poll(&wait, stop_pipe[0] >= 0 ? 1 : 0, (int)left);
    }
    return stop_requested();
}

bool stop_wait_reload(void)
{
    sigset_t waiting;
    pthread_sigmask(SIG_SETMASK, NULL, &waiting);
    sigdelset(&waiting, SIGHUP);
    while (!stop_requested()) {
        if (atomic_exchange(&reload_asked, false))
            return false;
        struct pollfd wait = {.fd = stop_pipe[0], .events = POLLIN};
        ppoll(&wait, 1, NULL, &waiting); /* lets SIGHUP in, and returns when it has come */
    }
    return true;
}

int stop_descriptor(void)
{
    return stop_pipe[0];
}
