#include "top/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"

#include <term.h>
#undef columns /* a word that it takes away */

#define ESCAPE_MS 50 /* what comes later is not of one escape sequence */

/* Signals set their flag and are seen at the latest after so long. */
#define WAIT_MOST_MS 250

/* At the end of a file there is always input, and never a key. */
#define SILENT_MOST 20

static struct {
	SCREEN *screen; /* NULL: closed */
	bool utf8;
	bool selected;
	bool colour;
	int error_fd;   /* standard error, meanwhile */
	unsigned silent; /* times in a row that there was input, but no key */
	attr_t style[SCREEN_STYLES];
} screen;

static volatile sig_atomic_t ended_by;

/* --- opening and closing -------------------------------------------------- */

static void
note_signal(int signal)
{
	ended_by = signal;
}

/* Those that are ignored, as under nohup, stay so. */
static void
catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = note_signal }, old;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

static bool
may_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");

	return (no_colour == NULL || *no_colour == '\0') && has_colors();
}

static void
set_styles(void)
{
	static const short colours[SCREEN_STYLES] = {
		[SCREEN_GOOD] = COLOR_GREEN,
		[SCREEN_WARN] = COLOR_YELLOW,
		[SCREEN_BAD] = COLOR_RED,
		[SCREEN_HEAD] = COLOR_CYAN,
	};

	screen.style[SCREEN_STRONG] = A_BOLD;
	screen.style[SCREEN_FAINT] = A_DIM;
	screen.style[SCREEN_BAD] = A_BOLD;
	screen.style[SCREEN_TITLE] = A_REVERSE;
	screen.style[SCREEN_HEAD] = A_BOLD;
	screen.colour = may_colour();
	if (!screen.colour)
		return;
	start_color();
	use_default_colors();
	for (short i = 0; i < SCREEN_STYLES; i++)
		if (colours[i] != 0 && init_pair(i, colours[i], -1) == OK)
			screen.style[i] |= (attr_t)COLOR_PAIR(i);
}

static void
hush_stderr(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	screen.error_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null >= 0 && screen.error_fd >= 0)
		dup2(null, STDERR_FILENO);
	if (null >= 0)
		close(null);
}

static bool
has_wide_characters(void)
{
#if defined(NCURSES_WIDECHAR) && NCURSES_WIDECHAR
	return true;
#else
	return false;
#endif
}

int
screen_open(char why[SCREEN_WHY_ROOM])
{
	const char *term = getenv("TERM");

	setlocale(LC_CTYPE, "");
	screen.utf8 = has_wide_characters() &&
	    strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	screen.screen = newterm(NULL, stdout, stdin);
	if (screen.screen == NULL || tigetstr("cup") == NULL ||
	    tigetstr("cup") == (char *)-1) {
		screen_close();
		snprintf(why, SCREEN_WHY_ROOM, "a terminal of type '%.100s' "
		    "cannot be drawn on; set TERM to what it is", term !=
		    NULL ? term : "");
		return -1;
	}
	catch_signals();
	atexit(screen_close); /* need() may end us */
	hush_stderr();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	set_styles();
	return 0;
}

void
screen_close(void)
{
	if (screen.screen == NULL)
		return;
	/* Not every terminal has a second page, to leave the first be. */
	if (stdscr != NULL) {
		move(LINES - 1, 0);
		clrtoeol();
		refresh();
	}
	endwin();
	delscreen(screen.screen);
	screen.screen = NULL;
	if (screen.error_fd > 0) {
		dup2(screen.error_fd, STDERR_FILENO);
		close(screen.error_fd);
		screen.error_fd = -1;
	}
}

int
screen_signal(void)
{
	return ended_by;
}

/* --- keys ----------------------------------------------------------------- */

static int
translate(int key)
{
	static const struct {
		int theirs, ours;
	} keys[] = {
		{ KEY_UP, SCREEN_KEY_UP },
		{ KEY_DOWN, SCREEN_KEY_DOWN },
		{ KEY_PPAGE, SCREEN_KEY_PAGE_UP },
		{ KEY_NPAGE, SCREEN_KEY_PAGE_DOWN },
		{ KEY_HOME, SCREEN_KEY_FIRST }, { KEY_END, SCREEN_KEY_LAST },
		{ '\r', SCREEN_KEY_RETURN }, { '\n', SCREEN_KEY_RETURN },
		{ KEY_ENTER, SCREEN_KEY_RETURN },
		{ KEY_BACKSPACE, SCREEN_KEY_ERASE },
		{ 0x7f, SCREEN_KEY_ERASE }, { '\b', SCREEN_KEY_ERASE },
		{ KEY_LEFT, SCREEN_KEY_BACK }, { KEY_RIGHT, SCREEN_KEY_RETURN },
		{ 0x1b, SCREEN_KEY_ESCAPE }, { 'L' - '@', SCREEN_KEY_REDRAW },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
		if (keys[i].theirs == key)
			return keys[i].ours;
	return key >= 0 && key < 0x100 ? key : SCREEN_KEY_NONE;
}

int
screen_key(uint64_t wait_ns)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t wait_ms = min_u64(wait_ns / NS_PER_MS + 1, WAIT_MOST_MS);
	int key = getch(), n;

	if (key == ERR && ended_by == 0) {
		n = poll(&input, 1, (int)wait_ms);
		if (n > 0 && (input.revents & POLLIN) == 0)
			return SCREEN_KEY_STOP; /* nobody is there any more */
		key = getch();
		screen.silent = n > 0 && key == ERR ? screen.silent + 1 : 0;
		if (screen.silent > SILENT_MOST)
			return SCREEN_KEY_STOP;
	}
	if (ended_by != 0)
		return SCREEN_KEY_STOP;
	return key == ERR ? SCREEN_KEY_NONE : translate(key);
}

/* --- drawing -------------------------------------------------------------- */

unsigned
screen_rows(void)
{
	return (unsigned)LINES;
}

unsigned
screen_columns(void)
{
	return (unsigned)COLS;
}

bool
screen_is_utf8(void)
{
	return screen.utf8;
}

void
screen_clear(void)
{
	erase();
}

void
screen_show(void)
{
	/* Where a terminal shows it although it was asked not to. */
	move(LINES - 1, 0);
	refresh();
}

void
screen_redraw(void)
{
	clearok(curscr, TRUE);
}

void
screen_select(bool selected)
{
	screen.selected = selected;
}

static attr_t
attributes(enum screen_style style)
{
	attr_t a = screen.style[style];

	/* Dim on light is hard to read; the mark is enough. */
	return screen.selected ? (a & A_BOLD) | A_REVERSE : a;
}

/*
 * The next character: how many bytes, and the columns it takes; 0: it is not to
 * be shown as it is.
 */
static size_t
take(const char *text, unsigned *columns)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t bytes;
	int width;

	*columns = 1;
	if ((unsigned char)*text < 0x80)
		return 1;
	*columns = 0;
	if (!screen.utf8)
		return 1;
	bytes = mbrtowc(&c, text, MB_CUR_MAX, &state);
	if (bytes == 0 || bytes == (size_t)-1 || bytes == (size_t)-2)
		return 1;
	width = wcwidth(c);
	if (width > 0)
		*columns = (unsigned)width;
	return bytes;
}

/* What fits @room columns; returns how many it takes. */
static unsigned
fit(const char *text, unsigned room, char *to, size_t to_room)
{
	unsigned used = 0, columns;
	size_t at = 0, bytes;

	while (*text != '\0') {
		bytes = take(text, &columns);
		if (used + (columns != 0 ? columns : 1) > room ||
		    at + bytes + 1 > to_room)
			break;
		if (columns == 0)
			to[at++] = '?';
		else
			memcpy(to + at, text, bytes);
		at += columns == 0 ? 0 : bytes;
		used += columns != 0 ? columns : 1;
		text += bytes;
	}
	to[at] = '\0';
	return used;
}

static unsigned
put(unsigned y, unsigned x, unsigned room, bool right,
    enum screen_style style, char *text)
{
	char line[4096];
	unsigned used;

	if (y >= screen_rows() || x >= screen_columns() || room == 0)
		return x;
	room = (unsigned)min_u64(room, screen_columns() - x);
	used = fit(print_clean(text), room, line, sizeof(line));
	attrset(attributes(style));
	mvaddstr((int)y, (int)(right ? x + room - used : x), line);
	attrset(A_NORMAL);
	return right ? x + room : x + used;
}

unsigned
screen_put(unsigned y, unsigned x, unsigned room, enum screen_style style,
    const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	x = put(y, x, room, false, style, text);
	free(text);
	return x;
}

unsigned
screen_put_right(unsigned y, unsigned x, unsigned room,
    enum screen_style style, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	x = put(y, x, room, true, style, text);
	free(text);
	return x;
}

void
screen_fill(unsigned y, enum screen_style style)
{
	if (y >= screen_rows())
		return;
	attrset(attributes(style));
	mvhline((int)y, 0, ' ', COLS);
	attrset(A_NORMAL);
}
