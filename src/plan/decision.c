#include "plan/decision.h"

#include "base/base.h"
#include "base/text.h"
#include "plan/message.h"
#include "plan/plan.h"

#define LINE_ROOM 256

static const char *
bound_word(uint32_t bound)
{
	static const char *const words[10] = { "nothing", "memory", "growth",
		"knee", "max", "remaining", "overrun", "state", "lease",
		"fixed" };

	return bound < 10 ? words[bound] : "nothing";
}

static void
put(struct text *t, const char *before, uint64_t n, const char *behind)
{
	text_put(t, before);
	text_put_u64(t, n);
	text_put(t, behind);
}

/* Memory: 600MB/1024MB ok; breaker closed */
static void
put_room(struct text *t)
{
	const struct tide_room *room = plan_room();
	char line[MESSAGE_ROOM];

	text_put(t, message_memory(line, sizeof(line), room->used,
	    room->budget, room->state));
	text_put(t, "; breaker ");
	text_put(t, states_breaker_name(plan_states()->breaker));
}

static void
open_line(struct text *t, char line[LINE_ROOM], const struct tide_op_stats *row)
{
	text_open(t, line, LINE_ROOM);
	text_put(t, "DEBUG ");
	text_put(t, row->name);
}

void
decision_begin(const tide_op *op, const tide_batch *b, uint64_t predicted)
{
	const struct tide_op_stats *row = op_row(op);
	char line[LINE_ROOM];
	struct text t;

	if (!plan_debugs())
		return;
	open_line(&t, line, row);
	put(&t, ": batch ", row->batches + 1, " of ");
	put(&t, "", b->n, " from ");
	put(&t, "", b->first, ", bound by ");
	text_put(&t, bound_word(row->bound));
	put(&t, ", predicted ", predicted, " bytes; ");
	put_room(&t);
	plan_say(line);
}

void
decision_end(const tide_op *op, const struct sizing_batch *s)
{
	const struct tide_op_stats *row = op_row(op);
	char line[LINE_ROOM];
	struct text t;

	if (!plan_debugs())
		return;
	open_line(&t, line, row);
	put(&t, ": batch ", row->batches, s->failed ? " failed: " :
	    s->cut ? " was cut: " : " took ");
	put(&t, "", s->growth, " bytes for ");
	put(&t, "", s->n, " in ");
	put(&t, "", s->time_ns / NS_PER_MS, " ms, left ");
	put(&t, "", s->retained, " bytes; ");
	put_room(&t);
	plan_say(line);
}

bool
decision_vain(tide_op *op, uint64_t budget)
{
	char line[LINE_ROOM];
	struct text t;

	if (op->delay.conf.mode != DELAY_AUTO ||
	    !delay_is_vain(&op->delay, budget))
		return false;
	if (op->vain)
		return true;
	op->vain = true;
	text_open(&t, line, sizeof(line));
	put(&t, "delays of ", op->delay.waited_ns / NS_PER_S, " s freed ");
	put(&t, "", op->delay.freed, " bytes: there are no more of them; "
	    "delay.mode=off has none from the start");
	plan_say(line);
	return true;
}
