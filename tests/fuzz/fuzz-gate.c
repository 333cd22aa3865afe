/*
 * fuzz-gate.c - the expressions of `heaptide check`
 */
#include "fuzz.h"

#include <stdbool.h>

#include "base/base.h"
#include "check/gate.h"

static void
is_sound(const struct gate *g, const char *text)
{
	const struct gate_figure_row *f = &gate_figures[g->figure];
	char words[GATE_VALUE_ROOM];

	MUST(g->text == text && g->figure < GATE_FIGURES);
	MUST(g->operator <= GATE_BELOW && g->unit <= GATE_SECOND);
	MUST(memchr(g->pattern, '\0', sizeof(g->pattern)) != NULL);
	MUST(f->sites || g->pattern[0] == '\0');
	MUST(f->rate || g->unit == GATE_WHOLE);
	MUST(f->shares || !g->relative);
	MUST(g->relative || g->value >= 0);
	MUST(strlen(gate_format(g->figure, g->value, g->unit, words)) <
	    sizeof(words));
	/* Not both worse, one than the other. */
	MUST(!gate_is_worse(g, 1, 2) || !gate_is_worse(g, 2, 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_text(bytes, size);
	struct gate g = { .age = 0x5eed }, was = g;
	char why[GATE_WHY_ROOM];

	memset(why, 'x', sizeof(why));
	if (gate_parse(text, &g, why)) {
		is_sound(&g, text);
	} else {
		MUST(memchr(why, '\0', sizeof(why)) != NULL);
		MUST(memcmp(&g, &was, sizeof(g)) == 0);
	}
	free(text);
	return 0;
}
