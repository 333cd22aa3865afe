/*
 * message.h - what is said to people about memory, word by word
 *
 * Floor (plan).  May use: base, model.  Used by: plan, control, the tools,
 * and heaptide.h, of which it is a part.
 * Contexts: anywhere; nothing here has state, allocates or asks the locale.
 *
 * Each writes one line, without a newline, into @line of @room bytes, cut if it
 * must be, and returns @line.  The words are a contract: people search their
 * logs for them.  MB and GB are of powers of 1024 there, rounded to nearest.
 */
#ifndef PLAN_MESSAGE_H
#define PLAN_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_ROOM 160 /* that each fits into, names of 47 letters included */

/* "ok", "warning", "critical", "exhausted"; "unknown": @state is none. */
const char *message_state(int state);

/* --- how high it stands --------------------------------------------------- */

/* High memory usage detected: 600MB of 512MB. Running cleanup... */
char *message_high(char *line, size_t room, uint64_t used, uint64_t budget);

/* Memory warning: 1.12GB */
char *message_warning(char *line, size_t room, uint64_t used);

/* Memory: 600MB/1024MB warning; without a budget: Memory: 600MB/none ok */
char *message_memory(char *line, size_t room, uint64_t used, uint64_t budget,
    int state);

/* [heaptide] MEMORY_OPT REST: in front of what a log is searched for */
char *message_tagged(char *line, size_t room, const char *rest);

/* Low memory (87MB), skipping */
char *message_low(char *line, size_t room, uint64_t available);

/* Memory usage is well within acceptable limits (245MB average) */
char *message_fine(char *line, size_t room, uint64_t mean);

/*
 * baseline 1.61 GB leaves no room for one item (0.12 GB) in 1.50 GB; raise the
 * budget to 1.75 GB or more.  @enough is rounded up.
 */
char *message_no_room(char *line, size_t room, uint64_t baseline,
    uint64_t one, uint64_t budget, uint64_t enough);

/* --- operations ----------------------------------------------------------- */

/* Starting OP (Memory: 0.85GB) */
char *message_starting(char *line, size_t room, const char *op, uint64_t used);

/* Using memory-efficient processing (OP) */
char *message_efficient(char *line, size_t room, const char *op);

/* Batch processing timeout after 30000ms */
char *message_timeout(char *line, size_t room, uint64_t ns);

/* Item 17 failed: WHY */
char *message_item_failed(char *line, size_t room, uint64_t index,
    const char *why);

/* --- cleanup -------------------------------------------------------------- */

/* Forcing memory cleanup... */
char *message_forcing(char *line, size_t room);

/* Cleanup: 1247 objects freed (18.4 MB), now 0.94GB */
char *message_cleanup(char *line, size_t room, uint64_t objects,
    uint64_t freed, uint64_t used);

/* Running cleanup between chunks... */
char *message_between(char *line, size_t room);

/* Cleanup freed: 18.4 MB */
char *message_freed(char *line, size_t room, uint64_t freed);

/*
 * Cleanup freed: 18.4 MB (12.1 MB returned to the system, 3.2 ms; refault cost
 * ~4.0 ms); the refaults are left out if @refault_ns is 0.
 */
char *message_freed_at(char *line, size_t room, uint64_t freed,
    uint64_t returned, uint64_t time_ns, uint64_t refault_ns);

/* --- chunks --------------------------------------------------------------- */

/* Initial memory usage: 45.2 MB */
char *message_initial(char *line, size_t room, uint64_t used);

/*
 * Memory after chunk 1: 67.8 MB (change: +22.6 MB): against @initial.  If there
 * was a cleanup since, with @cleaned left after it: ... (+2.7 since cleanup);
 * UINT64_MAX: there was none.
 */
char *message_after_chunk(char *line, size_t room, uint64_t chunk,
    uint64_t used, uint64_t initial, uint64_t cleaned);

/*
 * --- PROCESSING CHUNK 1/20 (pages 1-50) ---: items from @first (0 is called 1)
 * on, @count of them; @chunks 0: how many there will be is not known, and is
 * left out.
 */
char *message_chunk(char *line, size_t room, uint64_t chunk, uint64_t chunks,
    uint64_t first, uint64_t count, const char *unit);

/* Processing 50 pages in chunk 1 */
char *message_chunk_items(char *line, size_t room, uint64_t count,
    const char *unit, uint64_t chunk);

/* "  Processing page 1..." (@index 0 is called 1) */
char *message_item(char *line, size_t room, const char *unit, uint64_t index);

/* Chunk 1 completed in 45.2s */
char *message_chunk_done(char *line, size_t room, uint64_t chunk,
    uint64_t ns);

/*
 * Progress: 1/20 chunks completed (5.0%); the same of items where how many
 * chunks there will be is not known, by @unit "page".
 */
char *message_progress(char *line, size_t room, uint64_t done, uint64_t whole,
    const char *unit);

/* Elapsed: 0h 0m; and how long it will still take: ETA: 0h 14m */
char *message_elapsed(char *line, size_t room, uint64_t ns);
char *message_eta(char *line, size_t room, uint64_t ns);

#endif
