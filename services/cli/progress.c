#include "services/cli/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "services/cli/text.h"

#define REDRAW_MS 100
#define BAR       24 /* columns */

void progress_begin(struct progress *progress, bool wanted, int64_t total)
{
    *progress = (struct progress){
        .on = wanted && isatty(STDERR_FILENO), .total = total, .since = clock_monotonic_ms()};
}

static void append_time(struct buffer *out, int64_t seconds)
{
    if (seconds >= 3600)
        buffer_printf(out, "%lld:%02lld:%02lld", (long long)(seconds / 3600),
                      (long long)(seconds / 60 % 60), (long long)(seconds % 60));
    else
        buffer_printf(out, "%lld:%02lld", (long long)(seconds / 60), (long long)(seconds % 60));
}

void progress_line(struct buffer *out, int64_t done, int64_t total, int64_t events,
                   int64_t elapsed_ms, int columns)
{
    bool known = total > 0;
    if (known && done > total)
        done = total;
    if (known && columns >= 72) {
        int64_t filled = done * BAR / total;
        buffer_append_char(out, '[');
        for (int64_t i = 0; i < BAR; i++)
            buffer_append_char(out, i < filled ? '#' : '.');
        buffer_append_text(out, "] ");
    }
    if (known)
        buffer_printf(out, "%3lld%%  ", (long long)(done * 100 / total));
    buffer_printf(out, "%lld events", (long long)events);
    if (elapsed_ms > 0)
        buffer_printf(out, "  %lld/s", (long long)(events * 1000 / elapsed_ms));
    buffer_append_text(out, "  ");
    if (known && done > 0 && done < total) {
        append_time(out,
                    (int64_t)((double)(total - done) / (double)done * (double)elapsed_ms / 1000));
        buffer_append_text(out, " to go");
    } else {
        append_time(out, elapsed_ms / 1000);
    }
}

void progress_show(struct progress *progress, int64_t done, int64_t events, const char *note)
{
    int64_t now = clock_monotonic_ms();
    if (!progress->on || (!note && now - progress->shown < REDRAW_MS))
        return;
    progress->shown = now;
    struct winsize size;
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    struct buffer line, out;
    buffer_init(&line, 4096);
    buffer_init(&out, 16384);
    progress_line(&line, done, progress->total, events, now - progress->since, columns);
    if (note)
        buffer_printf(&line, "  %s", note);
    buffer_append_text(&out, "\r\033[K");
    text_append(&out, buffer_span(&line), columns - 1);
    fwrite(out.data, 1, out.len, stderr);
    fflush(stderr);
    buffer_free(&line);
    buffer_free(&out);
}

void progress_clear(struct progress *progress)
{
    if (progress->on)
        fputs("\r\033[K", stderr);
    progress->shown = 0;
}

void progress_end(struct progress *progress)
{
    progress_clear(progress);
    progress->on = false;
}
