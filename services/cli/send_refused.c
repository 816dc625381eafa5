#include "services/cli/send_refused.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "services/cli/text.h"

#define ENTRY_LIMIT ((size_t)16 * 1024 * 1024) /* an event of 1 MiB, escaped */

int send_refused_init(struct send_refused *refused, const char *input, bool append)
{
    static const char suffix[] = ".refused.jsonl";
    bool standard_input = strcmp(input, "-") == 0;
    *refused = (struct send_refused){.append = append};
    if (standard_input)
        refused->path = strdup(suffix + 1);
    else if (asprintf(&refused->path, "%s%s", input, suffix) < 0)
        refused->path = NULL;
    return refused->path ? 0 : ERR_MEMORY;
}

static int fail(const struct send_refused *refused)
{
    log_error("the file of refused events cannot be written", LOG_TEXT("file", refused->path),
              LOG_TEXT("error", strerror(errno)));
    return ERR_IO;
}

int send_refused_close(struct send_refused *refused)
{
    int rc = refused->file && fclose(refused->file) != 0 ? fail(refused) : 0;
    free(refused->path);
    return rc;
}

int send_refused_add(struct send_refused *refused, int64_t line, struct span text, bool json,
                     const char *reason, const char *pointer)
{
    if (!refused->file)
        refused->file = fopen(refused->path, refused->append ? "a" : "w");
    if (!refused->file)
        return fail(refused);
    struct buffer entry;
    buffer_init(&entry, ENTRY_LIMIT);
    buffer_printf(&entry, "{\"line\": %lld, \"reason\": ", (long long)line);
    text_append_json(&entry, span_of(reason));
    buffer_append_text(&entry, ", \"pointer\": ");
    text_append_json(&entry, span_of(pointer));
    buffer_append_text(&entry, ", \"event\": ");
    if (json)
        buffer_append_span(&entry, text);
    else
        text_append_json(&entry, text);
    buffer_append_text(&entry, "}\n");
    int rc = entry.failed ? ERR_MEMORY : 0;
    /* Flushed at once: it must be there when the program is killed right after. */
    if (rc == 0 && (fwrite(entry.data, 1, entry.len, refused->file) != entry.len ||
                    fflush(refused->file) != 0))
        rc = fail(refused);
    buffer_free(&entry);
    refused->count += rc == 0;
    return rc;
}
