/*
 * Text on a terminal: how wide it is, and what of it may be shown. Data comes
 * from outside, so control characters (escape sequences, carriage returns,
 * bidirectional overrides) never reach the terminal.
 */
#ifndef SERVICES_CLI_TEXT_H
#define SERVICES_CLI_TEXT_H

#include "common/base/buffer.h"

/* Columns that one character takes: 0 for combining marks, 2 for East Asian wide ones and emoji. */
int text_character_width(uint32_t character);

/* Columns of a text as text_append would show it. */
int text_width(struct span text);

/* Appends the text without what a terminal would act on: line ends and tabs
 * become a space, other controls and bytes that are no UTF-8 become U+FFFD. At
 * most `columns` wide (-1: no bound); what is cut ends with "…". */
void text_append(struct buffer *out, struct span text, int columns);

/* The same of a text of several lines, which stay apart; `indent` begins each but the first. */
void text_append_lines(struct buffer *out, struct span text, const char *indent);

/* As a JSON string, with its quotes; what is no UTF-8 is replaced as above. */
void text_append_json(struct buffer *out, struct span text);

#endif
