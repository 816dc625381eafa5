#include "services/aggregator/event_types.h"

#include "common/base/log.h"
#include "common/event/system_department.h"
#include "sql.h"

#define ARRAY_LIMIT ((size_t)4 * 1024 * 1024)

int event_types_put(struct pg *pg, const struct vocabulary *vocabulary)
{
    struct buffer types, departments, money, touch;
    struct buffer *const all[] = {&types, &departments, &money, &touch};
    for (size_t i = 0; i < 4; i++)
        buffer_init(all[i], ARRAY_LIMIT);
    for (size_t d = 0; d <= vocabulary->count; d++) {
        const struct department *department =
            d < vocabulary->count ? &vocabulary->departments[d] : system_department();
        for (size_t t = 0; t < department->type_count; t++) {
            const struct event_type *type = &department->types[t];
            pg_array_text(&types, span_of(type->name));
            pg_array_text(&departments, span_of(department->name));
            pg_array_text(&money, span_of(money_name(type->money)));
            pg_array_text(&touch, span_of(type->touch ? "true" : "false"));
        }
    }
    bool complete = true;
    for (size_t i = 0; i < 4; i++) {
        pg_array_end(all[i]);
        complete = complete && !all[i]->failed;
    }
    int rc = ERR_MEMORY;
    if (complete) {
        const char *const params[] = {types.data, departments.data, money.data, touch.data};
        rc = pg_query(pg, SQL_EVENT_TYPES_PUT, params, 4, NULL);
    } else {
        log_error("No memory for the event types");
    }
    for (size_t i = 0; i < 4; i++)
        buffer_free(all[i]);
    return rc;
}
