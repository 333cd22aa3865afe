/*
 * mapping-queue.pml - threads and a signal handler that map and unmap at once
 *
 * Of src/heap/mapping.c and src/door/interpose-map.c.  Each step here is one
 * that other threads can see; what lies between two of them is theirs to
 * interrupt.  Tickets are small numbers, a mapping is one page, and the queue
 * is as short as it can be and still go round.
 *
 *	here                in C
 *	enqueue()           enqueue(): load of head, load of turn, compare-and-
 *	                    swap of head, store of the range, store of turn
 *	work()              work(): exchange of applying, dequeue(), apply(),
 *	                    store of applying, the look at what came meanwhile
 *	submit()            submit(), which waits once in vain, for a second
 *	map(), unmap()      mmap(), munmap() of interpose-map.c around the
 *	                    kernel's own
 *	table[]             the rows of TABLE_MAPPINGS
 *	thread              any thread; handler: one that interrupts thread 0,
 *	                    which does nothing until it has returned
 *
 * Shown, for every order of steps:
 *	one at a time applies;
 *	a range that is put in finds nothing there, one that is taken out is
 *	there, and in the end table and kernel agree: unless a change was
 *	dropped, and then it was counted;
 *	every call returns, the handler's while its thread stands still.
 *
 * TWO: the thread that is interrupted and its handler, and no third.
 * BREAK_RECHECK: work() does not look again after its flag is down.
 * BREAK_ORDER: munmap() asks the kernel first and the table then.
 * Either must be found wrong.
 */
#define LENGTH  2
#define PAGES   2
#ifdef TWO
#define THREADS 2
#else
#define THREADS 3
#endif
#define NONE    255

byte turn[LENGTH], page[LENGTH], what[LENGTH];
byte head, tail;
bool applying;

byte kernel[PAGES], table[PAGES]; /* 0: nothing there */
byte lost, inside, finished;
bool interrupted;

#define turn_of(ticket) (2 * ((ticket) / LENGTH))

inline enqueue(p, w)
{
	ticket = head;
	do
	:: seen = turn[ticket % LENGTH];
		if
		:: seen != turn_of(ticket) ->
			if
			:: head == ticket -> no_room = true; break
			:: else -> ticket = head
			fi
		:: else ->
			atomic {
				won = (head == ticket);
				if
				:: won -> head++
				:: else -> ticket = head
				fi
			}
			if
			:: won ->
				atomic {
					page[ticket % LENGTH] = p;
					what[ticket % LENGTH] = w
				};
				turn[ticket % LENGTH] = seen + 1;
				no_room = false;
				break
			:: else
			fi
		fi
	od
}

inline apply(p, w)
{
	atomic {
		inside++;
		assert(inside == 1);
		assert(lost > 0 || (w == 0) != (table[p] == 0))
	};
	atomic {
		table[p] = w;
		inside--
	}
}

inline work()
{
	do
	:: atomic { busy = applying; applying = true };
		if
		:: busy -> break
		:: else
		fi;
		do
		:: turn[tail % LENGTH] == turn_of(tail) + 1 ->
			atomic {
				at = page[tail % LENGTH];
				to = what[tail % LENGTH]
			};
			atomic {
				turn[tail % LENGTH] = turn_of(tail) + 2;
				tail++
			}
			apply(at, to);
			atomic { at = 0; to = 0 }
		:: else -> break
		od;
		atomic { next = tail; applying = false };
#ifdef BREAK_RECHECK
		break
#else
		if
		:: turn[next % LENGTH] != turn_of(next) + 1 -> break
		:: else
		fi
#endif
	od
}

inline submit(p, w)
{
	enqueue(p, w);
	if
	:: no_room -> enqueue(p, w) /* a second later */
	:: else
	fi;
	if
	:: no_room -> lost++
	:: else -> work()
	fi;
	/* What is left over of one call tells no two states apart. */
	atomic { ticket = 0; seen = 0; next = 0; won = 0; busy = 0;
	    no_room = 0 }
}

inline map(p)
{
	p = NONE;
	atomic {
		if
		:: kernel[0] == 0 -> p = 0
		:: kernel[1] == 0 -> p = 1
		:: else
		fi;
		if
		:: p != NONE -> kernel[p] = me + 1
		:: else
		fi
	}
	if
	:: p != NONE -> submit(p, me + 1)
	:: else
	fi
}

inline unmap(p)
{
	if
	:: p == NONE
	:: else ->
#ifdef BREAK_ORDER
		kernel[p] = 0;
		submit(p, 0)
#else
		submit(p, 0);
		kernel[p] = 0
#endif
	fi
}

#define VARIABLES \
	byte ticket, seen, at, to, next, mine; \
	bool won, busy, no_room

/* The last mapping stays. */
proctype interrupted_thread(byte me) provided (!interrupted)
{
	VARIABLES;
	map(mine);
	unmap(mine);
	map(mine);
	finished++
}

proctype thread(byte me)
{
	VARIABLES;
	map(mine);
	unmap(mine);
	finished++
}

proctype handler(byte me)
{
	VARIABLES;
	interrupted = true;
	map(mine);
	unmap(mine);
	interrupted = false;
	finished++
}

init
{
	atomic {
		run interrupted_thread(0);
#ifndef TWO
		run thread(1);
#endif
		run handler(2)
	}
	(finished == THREADS);
	assert(!applying);
	assert(lost > 0 || head == tail);
	assert(lost > 0 || (kernel[0] == table[0] && kernel[1] == table[1]))
}

ltl every_call_returns { <> (finished == THREADS) }
