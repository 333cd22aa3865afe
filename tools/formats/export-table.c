/*
 * export-table.c - a profile's sites as lines of CSV, and all of it as the JSON
 * that `report` prints
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "formats/export.h"

/* RFC 4180: in quotes, and a quote twice. */
static void
put_quoted(FILE *to, const char *text)
{
	const char *from = text;

	for (; *text != '\0'; text++) {
		if (*text != '"' && (unsigned char)*text >= ' ')
			continue;
		fwrite(from, 1, (size_t)(text - from), to);
		fputs(*text == '"' ? "\"\"" : "?", to);
		from = text + 1;
	}
	fwrite(from, 1, (size_t)(text - from), to);
}

static void
put_frame(FILE *to, const struct frame *f)
{
	fputs(",\"", to);
	put_quoted(to, f->function);
	fputs("\",\"", to);
	put_quoted(to, f->file);
	fputs("\",", to);
	if (f->line != 0)
		fprintf(to, "%" PRIu32, f->line);
	fputs(",\"", to);
	put_quoted(to, f->module);
	fputc('"', to);
}

/* All frames, leaf first, as `function;function`. */
static void
put_stack(FILE *to, const struct frame *frame, size_t count)
{
	fputs(",\"", to);
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			fputc(';', to);
		put_quoted(to, frame[i].function);
	}
	fputs("\"\r\n", to);
}

static void
put_row(const struct export *e, const struct export_row *row)
{
	const struct figures *f = row->site != NULL ? row->site->figures :
	    NULL;
	struct frame *frame;
	size_t count = export_stack(e, row, &frame);

	if (row->site != NULL)
		fprintf(e->to, "%" PRIu32, row->site->id);
	for (int v = 0; v < EXPORT_GROWTH; v++)
		fprintf(e->to, ",%" PRId64, row->value[v]);
	fputc(',', e->to);
	if (e->grown)
		fprintf(e->to, "%" PRId64, row->value[EXPORT_GROWTH]);
	fprintf(e->to, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d,%" PRIu64,
	    row->live_blocks, row->frees, row->temporary,
	    f != NULL && f->drawn != 0, f != NULL ? f->error_bytes : 0);
	put_frame(e->to, &frame[0]);
	put_stack(e->to, frame, count);
	free(frame);
}

bool
export_csv(const struct export *e)
{
	fputs("id,live_bytes,at_peak_bytes,allocations,allocated_bytes,"
	    "growth_bytes,live_blocks,frees,temporary,estimated,error_bytes,"
	    "function,file,line,module,stack\r\n", e->to);
	for (size_t i = 0; i < e->rows && !ferror(e->to); i++)
		put_row(e, &e->row[i]);
	return true;
}

bool
export_json(const struct export *e)
{
	json_t *json = report_json(e->report);

	(void)json_write(json, e->to, JSON_COMPACT | JSON_REAL_PRECISION(15));
	fputc('\n', e->to);
	json_decref(json);
	return true;
}
