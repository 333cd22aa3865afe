/*
 * shares.pml - processes lease parts of one budget, and are killed at any step
 *
 * Of src/plan/shares*.c.  Each step here is one that others can see; what lies
 * between two of them is theirs, and death's: each process may be killed before
 * each of its steps, DEATHS of them.  The budget is two units, everybody asks
 * for one or two.
 *
 *	here                in C
 *	left, epoch         two parts of head.word, which is swapped as one
 *	lease[], waits[]    parts of slot.held
 *	owner[]             slot.owner: nobody, its member, or who buries it
 *	enter(), leave      shares_begin(), shares_end()
 *	acquire()           acquire_at_once(), start_waiting(), wait_turn()
 *	release()           set_held()
 *	serve()             grant_once() and hand(); what makes one at a time
 *	                    do it is not here: several may
 *	bury(), audit()     shares_bury(), shares_audit()
 *	carer               who looks after the dead: any that waits, or a
 *	                    broker.  Two, and one of them may be killed.
 *	stop at the gate    wait_gate(): who waits there may lift the gate at
 *	                    any time, as if who audits had been stopped
 *
 * Shown, for every order of steps: left and all leases are never more than the
 * budget; a lease that is held is one's own until one gives it back; who lives
 * gets to the end; and in the end all of the budget is left, whoever died
 * where.
 *
 * BREAK_ORDER: a lease that ends is added to what is left first.
 * BREAK_QUIET: an audit does not wait for those between two steps.
 * BREAK_EARLY: it looks at the epoch when its gate is shut, not before.
 * BREAK_DUE: an audit is taken for done when it begins.
 * BREAK_EPOCH: nor at all, so it does not see that its gate was lifted.
 * BREAK_BURY: who buries does not make the slot its own before.
 * Each must be found wrong.
 */
#define BUDGET  2
#ifndef MEMBERS
#define MEMBERS 2
#endif
#ifndef CARERS
#define CARERS  1
#endif
#define SLOTS   4 /* a carer has one as well: it is busy, too */
#ifndef DEATHS
#define DEATHS  1
#endif
#ifndef AUDITS
#define AUDITS  2
#endif
#define NOBODY  255

byte left = BUDGET, epoch, gate, audits;
byte lease[SLOTS], waits[SLOTS], ticket[2], owner[SLOTS];
bool busy[SLOTS], dead[SLOTS], buried[SLOTS];
byte next, deaths, finished, gone;
byte suspect, audited; /* an audit is due while they differ */

#define DUE (suspect != audited)
#define SUM (lease[0] + lease[1])
#define IS_KEPT assert(left + SUM <= BUDGET)

/* Either the audit sees that we are busy, or we see its gate. */
inline enter()
{
	do
	:: busy[me] = true;
		seen = gate;
		if
		:: seen == 0 -> break
		:: else -> busy[me] = false
		fi;
		do
		:: gate != seen -> break
		:: gate == seen -> /* it takes too long */
			d_step { epoch = (epoch + 1) % 8; suspect++ };
			d_step {
				if
				:: gate == seen -> gate = 0
				:: else
				fi
			}
		od
	od;
	seen = 0
}

/* A compare-and-swap of the word: as it was read, or not at all. */
inline take(n)
{
	at_left = left;
	at_epoch = epoch;
	d_step {
		won = (left == at_left && epoch == at_epoch && left >= n);
		if
		:: won -> left = left - n
		:: else
		fi;
		at_left = 0;
		at_epoch = 0
	}
}

/* The first of those who wait, if there is enough for it. */
inline serve()
{
	d_step {
		who = NOBODY;
		if
		:: waits[0] > 0 &&
			(waits[1] == 0 || ticket[0] < ticket[1]) -> who = 0
		:: else ->
			if
			:: waits[1] > 0 -> who = 1
			:: else
			fi
		fi;
		n = (who == NOBODY -> 0 : waits[who])
	}
	if
	:: n > 0 && n <= left ->
		enter();
		take(n);
		if
		:: won ->
			d_step {
				won = (waits[who] == n);
				if
				:: won -> waits[who] = 0; lease[who] = n
				:: else
				fi;
				IS_KEPT
			};
			if
			:: !won -> d_step { left = left + n; IS_KEPT }
			:: else
			fi
		:: else
		fi;
		busy[me] = false
	:: else
	fi;
	d_step { who = 0; n = 0; won = false }
}

inline acquire(want)
{
	enter();
	if
	:: waits[0] == 0 && waits[1] == 0 && left >= want -> take(want)
	:: else -> won = false
	fi;
	if
	:: won -> d_step { lease[me] = want; IS_KEPT }
	:: else
	fi;
	busy[me] = false;
	if
	:: won -> won = false
	:: else ->
		d_step { ticket[me] = next; next++; waits[me] = want };
		serve();
		do
		:: waits[me] == 0 -> break
		:: waits[me] > 0 -> /* no longer */
			d_step {
				if
				:: waits[me] > 0 -> waits[me] = 0
				:: else
				fi
			}
			serve();
			break
		od
	fi
}

inline release()
{
	if
	:: lease[me] > 0 ->
		enter();
#ifdef BREAK_ORDER
		d_step { left = left + lease[me]; IS_KEPT };
		lease[me] = 0;
#else
		d_step { n = lease[me]; lease[me] = 0 };
		d_step { left = left + n; IS_KEPT };
		n = 0;
#endif
		busy[me] = false
	:: else
	fi
}

#define VARIABLES \
	byte seen, at_left, at_epoch, due, who, n, mine; \
	bool won

proctype member(byte me; byte wants)
{
	VARIABLES;
	{
		acquire(wants);
		/* It is mine: nobody takes it from me. */
		mine = lease[me];
		assert(mine == 0 || mine == wants);
		assert(lease[me] == mine);
		mine = 0;
		release();
		serve();
		d_step { owner[me] = 0; finished++ }
	} unless { dead[me] }
}

#define BURIABLE(i) ((owner[i] == i + 1 && dead[i]) || \
	(owner[i] > SLOTS && dead[owner[i] - SLOTS - 1]))

inline bury(i)
{
	d_step {
		won = BURIABLE(i);
		if
		:: won && (busy[i] || owner[i] > SLOTS) -> suspect++
		:: else
		fi;
#ifndef BREAK_BURY
		if
		:: won -> owner[i] = SLOTS + 1 + me
		:: else
		fi
#endif
	};
	if
	:: won ->
		enter();
#ifdef BREAK_BURY
		n = lease[i];
		lease[i] = 0;
		waits[i] = 0;
#else
		d_step { n = lease[i]; lease[i] = 0; waits[i] = 0 };
#endif
		d_step { left = left + n; IS_KEPT };
		busy[me] = false;
		d_step { n = 0; won = false; busy[i] = false };
		d_step {
#ifndef BREAK_BURY
			if
			:: owner[i] == SLOTS + 1 + me ->
#endif
				owner[i] = 0;
				if
				:: i < MEMBERS && !buried[i] ->
					buried[i] = true; gone++
				:: else
				fi
#ifndef BREAK_BURY
			:: else -> assert(false)
			fi
#endif
		}
	:: else
	fi
}

#define QUIET(i) (!busy[i] || dead[i] || owner[i] == 0 || owner[i] > SLOTS)

inline audit()
{
#ifndef BREAK_EARLY
	/* Before there is a gate that could be lifted. */
	d_step { at_epoch = epoch; due = suspect };
#else
	due = suspect;
#endif
	d_step {
		won = (DUE && gate == 0 && audits < AUDITS);
		if
		:: won -> audits++; gate = audits
		:: else -> at_epoch = 0; due = 0
		fi
	};
	if
	:: won ->
		d_step { won = false; seen = gate };
#ifdef BREAK_DUE
		audited = suspect;
#endif
#ifdef BREAK_EARLY
		at_epoch = epoch;
#endif
#ifdef BREAK_QUIET
		skip;
#else
		n = 0;
		do
		:: n < SLOTS && QUIET(n) -> n++
		:: n < SLOTS && !QUIET(n) -> n = NOBODY /* he is stopped */
		:: n >= SLOTS -> break
		od;
#endif
		if
		:: n != NOBODY ->
			who = lease[0];
			who = who + lease[1];
			at_left = left;
			d_step {
				won = (left == at_left);
#ifndef BREAK_EPOCH
				won = won && epoch == at_epoch;
#endif
				if
				:: won -> left = BUDGET - who;
					epoch = (epoch + 1) % 8
				:: else
				fi;
				IS_KEPT
			}
			d_step {
				if
				:: won && due > audited -> audited = due
				:: else
				fi
			}
		:: else
		fi;
		d_step {
			if
			:: gate == seen -> gate = 0
			:: else
			fi;
			won = false; n = 0; who = 0; at_left = 0; at_epoch = 0;
			seen = 0; due = 0
		}
	:: else
	fi
}

/* Of those who look after others one is there to the end. */
proctype carer(byte me)
{
	VARIABLES;
	{
		do
		:: BURIABLE(0) -> bury(0)
		:: BURIABLE(1) -> bury(1)
		:: BURIABLE(2) -> bury(2)
		:: gate != 0 -> enter(); busy[me] = false
		:: DUE && gate == 0 && audits < AUDITS -> audit()
		:: waits[0] + waits[1] > 0 -> serve()
		:: finished + gone == MEMBERS && gate == 0 &&
			(!DUE || audits == AUDITS) &&
			(me == 2 || owner[2] == 0) -> break
		od;
		owner[me] = 0
	} unless { dead[me] }
}

/* Members, and one of two carers. */
proctype killer()
{
	do
	:: deaths < DEATHS && owner[0] == 1 && !dead[0] ->
		atomic { dead[0] = true; deaths++ }
	:: deaths < DEATHS && owner[1] == 2 && !dead[1] ->
		atomic { dead[1] = true; deaths++ }
	:: deaths < DEATHS && owner[2] == 3 && !dead[2] ->
		atomic { dead[2] = true; deaths++ }
	:: break
	od
}

init
{
	atomic {
		owner[0] = 1; owner[3] = 4;
		run member(0, BUDGET);
#if MEMBERS == 2
		owner[1] = 2;
		run member(1, 1);
#endif
#if CARERS == 2
		owner[2] = 3;
		run carer(2);
#endif
		run carer(3);
		run killer()
	}
	(owner[3] == 0 && finished + gone == MEMBERS);
	/* But for losses that more audits would find. */
	assert(DUE || left == BUDGET)
}

ltl all_get_to_the_end { <> (finished + deaths == MEMBERS) }
