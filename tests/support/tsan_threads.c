/*
 * For builds under ThreadSanitizer only: librdkafka runs on C11's threads, which
 * the sanitizer does not know (it ends the program at the first one), nor does
 * it know pthread_clockjoin_np (the thread looks as if nobody had joined it).
 * These stand in for glibc's: the same objects, by way of the pthread functions
 * that it does know, so that it also sees who waited for whom inside librdkafka.
 *
 * The locks of pthreads that librdkafka uses itself come through here, too: a
 * library that tsan.supp names would pass by the sanitizer's own, which look at
 * who calls them, and then its readers and writers would seem not to wait.
 * Only what ends a lock is not looked at: that nobody uses it any more librdkafka
 * knows from atomic counters, which the sanitizer does not see.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc's mtx_t is a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's cnd_t is a pthread_cond_t");

_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t),
               "glibc's once_flag is a pthread_once_t");

void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

/* Without memory of its own: tests make every allocation fail, and glibc's needs none. */
struct start {
    thrd_start_t function;
    void *argument;
    sem_t taken;
};

static void *run(void *given)
{
    struct start *start = given;
    thrd_start_t function = start->function;
    void *argument = start->argument;
    sem_post(&start->taken); /* `start` is gone now */
    return (void *)(long)function(argument);
}

static int result(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct start start = {.function = function, .argument = argument};
    sem_init(&start.taken, 0, 0);
    int error = pthread_create(thread, NULL, run, &start);
    while (!error && sem_wait(&start.taken) && errno == EINTR)
        ;
    sem_destroy(&start.taken);
    return result(error);
}

void call_once(once_flag *flag, void (*function)(void))
{
    pthread_once((pthread_once_t *)flag, function);
}

int thrd_join(thrd_t thread, int *status)
{
    void *value;
    int error = pthread_join(thread, &value);
    if (!error && status)
        *status = (int)(long)value;
    return result(error);
}

int pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
                         const struct timespec *until)
{
    struct timespec now, real;
    clock_gettime(clock, &now);
    clock_gettime(CLOCK_REALTIME, &real);
    real.tv_sec += until->tv_sec - now.tv_sec;
    real.tv_nsec += until->tv_nsec - now.tv_nsec;
    if (real.tv_nsec < 0 || real.tv_nsec >= 1000000000) {
        int carry = real.tv_nsec < 0 ? -1 : 1;
        real.tv_sec += carry;
        real.tv_nsec -= carry * 1000000000L;
    }
    return pthread_timedjoin_np(thread, value, &real);
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    int error = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result(error);
}

void mtx_destroy(mtx_t *mutex)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

int mtx_lock(mtx_t *mutex)
{
    return result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_trylock(mtx_t *mutex)
{
    return result(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

int cnd_init(cnd_t *condition)
{
    return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

void cnd_destroy(cnd_t *condition)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    pthread_cond_destroy((pthread_cond_t *)condition);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

int cnd_signal(cnd_t *condition)
{
    return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    return result(
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

#define SANITIZERS_OWN(name) __interceptor_pthread_rwlock_##name

int SANITIZERS_OWN(init)(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes);
int SANITIZERS_OWN(rdlock)(pthread_rwlock_t *lock);
int SANITIZERS_OWN(wrlock)(pthread_rwlock_t *lock);
int SANITIZERS_OWN(unlock)(pthread_rwlock_t *lock);

int pthread_rwlock_init(pthread_rwlock_t *restrict lock,
                        const pthread_rwlockattr_t *restrict attributes)
{
    return SANITIZERS_OWN(init)(lock, attributes);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return SANITIZERS_OWN(rdlock)(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return SANITIZERS_OWN(wrlock)(lock);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    return SANITIZERS_OWN(unlock)(lock);
}
