/*
 * fuzz-request.c - what somebody writes to the control socket, line by line
 *
 * Over the segment of this very process, which the requests before have
 * changed: each is answered by one line of JSON.  The first byte says how much
 * room there is for answers.
 */
#include "fuzz.h"

#include <jansson.h>

#include "control/request.h"
#include "door/inside.h"
#include "heap/site.h"
#include "heap/tally.h"
#include "mem/segment.h"

static char room[REQUEST_REPLY_ROOM];

/* The file's name goes at once. */
static void
create(void)
{
	char folder[] = "/tmp/heaptide-fuzz.XXXXXX", path[64];
	uint32_t exec_count;

	MUST(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/1.2.tide", folder);
	MUST(segment_create(path, &exec_count) == 0);
	MUST(tally_create_shared(getpid()) == 0);
	MUST(site_create_known() == 0);
	segment_publish();
	MUST(unlink(path) == 0);
	MUST(rmdir(folder) == 0);
}

/* A few sites that hold something, under each other. */
static void
fill(void)
{
	struct node *n = segment_rows(TABLE_NODES);
	struct count *c = segment_rows(TABLE_FIRST);
	uint32_t site;

	for (int i = 0; i < 40; i++) {
		int64_t node = segment_take(TABLE_NODES, 1);

		MUST(node > 0);
		n[node].pc = 0x400000 + (uint64_t)node * 64;
		n[node].parent = (uint32_t)node - 1;
		site = site_make((uint32_t)node, 0);
		MUST(site != 0);
		c[site].allocated_bytes = (uint64_t)i * 1000;
		c[site].allocations = (uint64_t)i;
	}
}

static void
ask(struct control *c, const uint8_t *line, size_t bytes, size_t most)
{
	json_t *answer;
	struct text t;
	char *exact = malloc(bytes > 0 ? bytes : 1);

	/* Of exactly that size, so that no byte more can be read. */
	MUST(exact != NULL);
	memcpy(exact, line, bytes);
	text_open(&t, room, most);
	request_line(c, exact, bytes, &t);
	free(exact);
	MUST(t.used > 0 && t.used < most && !t.cut);
	MUST(memchr(room, '\n', t.used) == room + t.used - 1);
	answer = json_loadb(room, t.used, 0, NULL);
	MUST(answer != NULL);
	MUST(json_is_boolean(json_object_get(answer, "ok")));
	MUST(json_is_true(json_object_get(answer, "ok")) ||
	    json_is_string(json_object_get(answer, "message")));
	json_decref(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct control c;
	const uint8_t *end = bytes + size, *newline;
	size_t most;

	if (c.segment == NULL) {
		create();
		fill();
		c = inside();
		c.bytes = c.segment->head.bytes;
		c.pid = getpid();
	}
	if (size == 0)
		return 0;
	/* A refusal fits at least. */
	most = bytes[0] < 128 ? sizeof(room) : 1024 + 8 * (size_t)bytes[0];
	/* Marks are there to be set again and again. */
	atomic_store(&c.segment->table[TABLE_MARKS].used, 0);
	for (bytes++; bytes < end; bytes = newline + 1) {
		newline = memchr(bytes, '\n', (size_t)(end - bytes));
		if (newline == NULL)
			newline = end;
		ask(&c, bytes, (size_t)(newline - bytes), most);
	}
	return 0;
}
