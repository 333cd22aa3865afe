/*
 * segment-growth.pml - threads take rows while a table grows and a disk fills
 *
 * Of src/mem/segment.c.  Room is counted in rows, a page holds one, and a step
 * of growth is two.
 *
 *	here                in C
 *	grow()              grow(): load of backed, back() page by page, the
 *	                    loop of compare-and-swaps that raises backed
 *	room()              segment_room()
 *	take()              segment_take(), and the caller's first store
 *	page[]              what the kernel has set aside for the file
 *	blocks              what the disk has left
 *	thread              any thread
 *	what_is_used_is_backed  who reads from another process, at any moment,
 *	                    the file of a program that was killed as well: that
 *	                    is a run that goes no further
 *
 * Shown, for every order of steps: a row that is stored into is backed, so
 * there is no SIGBUS; no row is given out twice; and who reads up to `used`
 * reads what is there, whenever he looks and wherever the threads were killed.
 *
 * BREAK_ORDER: rows are taken first and backed then.  It must be found wrong.
 */
#define CAPACITY 6
#define STEP     2
#define THREADS  3
#define BLOCKS   5 /* the disk is full before the table is */

byte used, backed, blocks = BLOCKS, finished;
bool page[CAPACITY], taken[CAPACITY], is_full;

/* Pages [from, to), each by itself; those that are there already cost none. */
inline back(from, to)
{
	ok = true;
	i = from;
	do
	:: i < to && ok ->
		atomic {
			if
			:: page[i]
			:: !page[i] && blocks > 0 -> page[i] = true; blocks--
			:: else -> ok = false
			fi;
			i++
		}
	:: else -> break
	od
}

inline grow(need)
{
	have = backed;
	to = (need > have + STEP -> need : have + STEP);
	to = (to < CAPACITY -> to : CAPACITY);
	back(have, to);
	if
	:: !ok && to > need -> to = need; back(have, to)
	:: else
	fi;
	if
	:: !ok -> is_full = true
	:: else ->
		do
		:: have < to ->
			atomic {
				if
				:: backed == have -> backed = to; break
				:: else -> have = backed
				fi
			}
		:: else -> break
		od
	fi
}

inline room(rows)
{
	if
	:: rows <= backed -> ok = true
	:: else ->
		if
		:: rows > CAPACITY || is_full -> ok = false
		:: else -> grow(rows)
		fi
	fi
}

inline swap_used()
{
	atomic {
		won = (used == first);
		if
		:: won -> used = first + n
		:: else -> first = used
		fi
	}
}

inline take(n)
{
	first = used;
	do
	::
#ifdef BREAK_ORDER
		ok = true;
		swap_used();
		if
		:: won -> room(first + n)
		:: else
		fi;
#else
		room(first + n);
		if
		:: ok -> swap_used()
		:: else -> won = false
		fi;
#endif
		if
		:: !ok || won -> break
		:: else
		fi
	od;
	i = 0;
	do
	:: ok && i < n ->
		atomic {
			assert(page[first + i]);
			assert(!taken[first + i]);
			taken[first + i] = true;
			i++
		}
	:: else -> break
	od;
	/* What is left over of one call tells no two states apart. */
	atomic { first = 0; have = 0; to = 0; i = 0; ok = false; won = false }
}

proctype thread(byte n)
{
	byte first, have, to, i;
	bool ok, won;

	take(n);
	if
	:: n == 1 -> skip
	:: else -> take(n) /* once more */
	fi;
	finished++
}

init
{
	atomic {
		run thread(1);
		run thread(1);
		run thread(2)
	}
}

ltl every_call_returns { <> (finished == THREADS) }
ltl what_is_used_is_backed {
	[] ((used > 0 -> page[0]) && (used > 1 -> page[1]) &&
	    (used > 2 -> page[2]) && (used > 3 -> page[3]) &&
	    (used > 4 -> page[4]) && (used > 5 -> page[5]))
}
