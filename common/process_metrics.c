#include "common/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/metrics.h"

static struct metric *cpu, *memory, *open_files;

void process_metrics_init(void)
{
    struct rlimit files = {0};
    metric_set(metric_gauge_seconds("process_start_time_seconds", NULL,
                                    "When the process started, in seconds since 1970."),
               clock_wall_us());
    cpu = metric_counter_seconds("process_cpu_seconds_total", NULL,
                                 "Processor time that the process has taken.");
    memory = metric_gauge("process_resident_memory_bytes", NULL,
                          "Memory of the process that is resident.");
    open_files = metric_gauge("process_open_fds", NULL, "File descriptors in use.");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metric_set(metric_gauge("process_max_fds", NULL, "File descriptors that may be in use."),
                   (int64_t)files.rlim_cur);
    process_metrics_look();
}

static void look_at_memory(void)
{
    long long resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return;
    if (fscanf(file, "%*d %lld", &resident) == 1)
        metric_set(memory, resident * sysconf(_SC_PAGESIZE));
    fclose(file);
}

static void look_at_files(void)
{
    int64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    metric_set(open_files, count - 1); /* without the one that looked */
}

void process_metrics_look(void)
{
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
        metric_set(cpu, (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000);
    look_at_memory();
    look_at_files();
}
