#include "services/cli/books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/list.h"
#include "sql.h"

void books_init(struct books *books)
{
    *books = (struct books){0};
}

void books_free(struct books *books)
{
    free(books->items);
    books_init(books);
}

static struct book *find(const struct books *books, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < books->count; i++)
        if (books->items[i].partition == partition && strcmp(books->items[i].topic, topic) == 0)
            return &books->items[i];
    return NULL;
}

static struct book *add(struct books *books, const char *topic, int32_t partition)
{
    if (list_grow(&books->items, books->count, &books->capacity, sizeof *books->items) != 0)
        return NULL;
    struct book *book = &books->items[books->count++];
    *book = (struct book){.partition = partition};
    snprintf(book->topic, sizeof book->topic, "%s", topic);
    return book;
}

static int fill(struct books *books, const struct pg_result *result, bool counted)
{
    books->count = 0;
    for (int row = 0; row < pg_rows(result); row++) {
        struct book *book = add(books, pg_text(result, row, 0), (int32_t)pg_int(result, row, 1));
        if (!book)
            return ERR_MEMORY;
        int next = counted ? 8 : 2;
        book->begun = !pg_is_null(result, row, next);
        book->next = pg_int(result, row, next);
        snprintf(book->stopped, sizeof book->stopped, "%s", pg_text(result, row, next + 1));
        if (!counted)
            continue;
        book->records = pg_int(result, row, 2);
        book->on_timeline = pg_int(result, row, 3);
        book->duplicates = pg_int(result, row, 4);
        book->quarantined = pg_int(result, row, 5);
        book->void_ = pg_int(result, row, 6);
        book->difference = pg_int(result, row, 7);
        book->skipped = pg_int(result, row, 10);
    }
    return 0;
}

static int read_by(struct books *books, struct pg *pg, const char *sql, bool counted)
{
    struct pg_result *result;
    int rc = pg_query(pg, sql, NULL, 0, &result);
    if (rc != 0)
        return rc;
    rc = fill(books, result, counted);
    pg_result_free(result);
    return rc;
}

int books_read(struct books *books, struct pg *pg)
{
    return read_by(books, pg, SQL_BOOKS, true);
}

int books_read_kept(struct books *books, struct pg *pg)
{
    return read_by(books, pg, SQL_BOOKS_KEPT, true);
}

int books_read_offsets(struct books *books, struct pg *pg)
{
    return read_by(books, pg, SQL_BOOKS_OFFSETS, false);
}

static int by_topic_and_partition(const void *a, const void *b)
{
    const struct book *x = a, *y = b;
    int topics = strcmp(x->topic, y->topic);
    return topics ? topics : (x->partition > y->partition) - (x->partition < y->partition);
}

int books_join(struct books *books, const struct kafka_cluster *cluster)
{
    for (size_t i = 0; i < cluster->count; i++) {
        const struct kafka_watermarks *seen = &cluster->partitions[i];
        struct book *book = find(books, seen->topic, seen->partition);
        if (!book)
            book = add(books, seen->topic, seen->partition);
        if (!book)
            return ERR_MEMORY;
        book->in_kafka = true;
        book->low = seen->low;
        book->high = seen->high;
    }
    if (books->count)
        qsort(books->items, books->count, sizeof *books->items, by_topic_and_partition);
    books->kafka_known = true;
    return 0;
}

int64_t book_lag(const struct book *book)
{
    if (!book->in_kafka)
        return 0;
    int64_t from = book->begun && book->next > book->low ? book->next : book->low;
    return book->high > from ? book->high - from : 0;
}

const char *book_wrong_rows(const struct book *book, char *text, size_t size)
{
    if (book->difference > 0)
        snprintf(text, size, "%lld rows are missing", (long long)book->difference);
    else if (book->difference < 0)
        snprintf(text, size, "%lld rows too many", (long long)-book->difference);
    else
        return NULL;
    return text;
}

const char *book_wrong_place(const struct books *books, const struct book *book, char *text,
                             size_t size)
{
    if (books->kafka_known && book->begun && book->in_kafka && book->next < book->low)
        snprintf(text, size,
                 "Kafka dropped %lld records before they were read: see throughline replay",
                 (long long)(book->low - book->next));
    else if (books->kafka_known && book->begun && book->in_kafka && book->next > book->high)
        snprintf(text, size,
                 "read to offset %lld, but Kafka ends at %lld: was the topic made anew? See "
                 "throughline replay",
                 (long long)book->next, (long long)book->high);
    else if (book->stopped[0])
        snprintf(text, size, "stopped: %s: see throughline replay", book->stopped);
    else if (books->kafka_known && book->begun && !book->in_kafka)
        snprintf(text, size, "Kafka does not have this partition any more");
    else
        return NULL;
    return text;
}

const char *book_wrong(const struct books *books, const struct book *book, char *text, size_t size)
{
    const char *rows = book_wrong_rows(book, text, size);
    return rows ? rows : book_wrong_place(books, book, text, size);
}

bool books_reached(const struct books *books, const struct kafka_cluster *goal)
{
    for (size_t i = 0; i < goal->count; i++) {
        const struct kafka_watermarks *want = &goal->partitions[i];
        const struct book *book = find(books, want->topic, want->partition);
        if (want->high > want->low && (!book || !book->begun || book->next < want->high))
            return false;
    }
    return true;
}
