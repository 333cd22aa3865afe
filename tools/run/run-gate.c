/*
 * run-gate.c - a program is started only if there is room for it
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/message.h"
#include "run/room.h"
#include "run/run.h"
#include "say/command.h"
#include "say/print.h"
#include "settings/config.h"
#include "sys/sys.h"

#define LOOK_FIRST_NS (100 * NS_PER_MS)
#define LOOK_LAST_NS  NS_PER_S

static uint64_t
available_now(const struct config *config)
{
	struct room room;
	uint64_t bytes;

	(void)room_find(&room, "run", NULL);
	room_read(&room, config);
	bytes = room_available(&room);
	room_close(&room);
	return bytes;
}

/* Look again and again until there is enough, or @wait_ns have gone by. */
static uint64_t
wait_for(const struct config *config, uint64_t need_bytes, uint64_t wait_ns)
{
	uint64_t until_ns = sys_clock() + wait_ns, now_ns, pause_ns;
	uint64_t next_ns = LOOK_FIRST_NS, bytes;

	for (;;) {
		bytes = available_now(config);
		now_ns = sys_clock();
		if (bytes >= need_bytes || now_ns >= until_ns)
			return bytes;
		pause_ns = min_u64(next_ns, until_ns - now_ns);
		(void)nanosleep(&(struct timespec){
			.tv_sec = (time_t)(pause_ns / NS_PER_S),
			.tv_nsec = (long)(pause_ns % NS_PER_S),
		}, NULL);
		next_ns = min_u64(next_ns * 2, LOOK_LAST_NS);
	}
}

int
run_gate(const struct config *config)
{
	const char *value = config_get(config, "gate");
	char need[TEXT_BYTES_ROOM], left[TEXT_BYTES_ROOM];
	char line[MESSAGE_ROOM];
	struct setting_gate gate;
	uint64_t bytes;

	if (value == NULL || setting_gate_parse(value, &gate) < 0)
		return COMMAND_DONE; /* a value that is set was checked */
	bytes = available_now(config);
	if (bytes < gate.need_bytes && gate.policy == GATE_WAIT)
		bytes = wait_for(config, gate.need_bytes, gate.wait_ns);
	if (bytes >= gate.need_bytes)
		return COMMAND_DONE;
	if (gate.policy == GATE_FAIL)
		print_error("run: there is no room: %s are needed, %s are "
		    "left (%s)", text_format_bytes(need, gate.need_bytes),
		    text_format_bytes(left, bytes),
		    config_where(config, "gate"));
	else
		fprintf(stderr, "%s\n", message_low(line, sizeof(line),
		    bytes));
	return COMMAND_NO_MEMORY;
}
