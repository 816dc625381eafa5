/* common/base/stop: SIGHUP asks for a reload, and meets only the thread that waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/stop.h"

static atomic_bool looked, blocked;

static void *look(void *unused)
{
    sigset_t mask;
    (void)unused;
    atomic_store(&blocked,
                 pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGHUP) == 1);
    atomic_store(&looked, true);
    stop_wait(-1); /* which a SIGHUP does not end */
    return NULL;
}

/* Sends it again and again, until the process ends: it meets a waiting thread, too. */
static void *hang_up(void *unused)
{
    (void)unused;
    while (!stop_wait(5))
        kill(getpid(), SIGHUP);
    return NULL;
}

/* The statuses say which step was wrong. */
static int child(void)
{
    pthread_t other, sender;
    if (stop_install() != 0 || stop_install_reload() != 0)
        return 1;
    kill(getpid(), SIGHUP); /* before anybody waits */
    kill(getpid(), SIGHUP);
    if (pthread_create(&other, NULL, look, NULL) != 0)
        return 2;
    if (stop_wait_reload())
        return 3;
    while (!atomic_load(&looked))
        stop_wait(1);
    if (!atomic_load(&blocked))
        return 4;
    if (pthread_create(&sender, NULL, hang_up, NULL) != 0)
        return 5;
    for (int i = 0; i < 20; i++)
        if (stop_wait_reload())
            return 6;
    if (stop_requested())
        return 7;
    kill(getpid(), SIGTERM);
    while (!stop_wait_reload())
        continue;
    pthread_join(other, NULL);
    pthread_join(sender, NULL);
    return stop_wait_reload() ? 0 : 8; /* stop is all that counts from then on */
}

static void hangup_asks_for_a_reload(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(child());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hangup_asks_for_a_reload)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
