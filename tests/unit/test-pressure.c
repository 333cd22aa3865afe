#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "sys/pressure.h"

struct world {
	char top[64];
	char path[128];
};

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	strcpy(w->top, "/tmp/heaptide-test-pressure.XXXXXX");
	if (mkdtemp(w->top) == NULL)
		return -1;
	snprintf(w->path, sizeof(w->path), "%s/it", w->top);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	(void)unlink(w->path);
	(void)rmdir(w->top);
	test_free(w);
	return 0;
}

static void
put(const struct world *w, const char *text)
{
	FILE *f = fopen(w->path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What poll() says at once. */
static short
ready(const struct pressure_client *c)
{
	struct pollfd p = { .fd = c->fd, .events = c->events };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

/* --- PSI ------------------------------------------------------------------ */

static void
the_two_lines_are_read(void **state)
{
	const struct world *w = *state;
	struct pressure p;

	put(w, "some avg10=12.05 avg60=0.00 avg300=0.00 total=12229461\n"
	    "full avg10=0.40 avg60=0.00 avg300=0.00 total=5145806\n");
	errno = 7;
	assert_int_equal(pressure_read(w->top, "/it", &p), 0);
	assert_int_equal(errno, 7);
	assert_int_equal(p.some.avg10, 1205);
	assert_int_equal(p.some.total_us, 12229461);
	assert_int_equal(p.full.avg10, 40);
	assert_int_equal(p.full.total_us, 5145806);
}

static void
what_is_no_pressure_is_refused_and_writes_nothing(void **state)
{
	static const char *const table[] = {
		"", "some\n", "some avg10=1 total=2\n", "avg10=0.00 total=1\n",
		"some avg10=0.00 avg60=0.00\n",
		"some avg10=101.00 total=1\n", "some avg10=1.100 total=1\n",
		"some avg10=1.00 total=x\n", "full avg10=0.00 total=1\n",
	};
	const struct world *w = *state;
	struct pressure p = { .some = { 7, 7 } };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		put(w, table[i]);
		if (pressure_read("", w->path, &p) != -ENODATA)
			fail_msg("row %zu was taken", i);
	}
	assert_int_equal(pressure_read(w->top, "/none", &p), -ENOENT);
	assert_int_equal(p.some.avg10, 7);
}

static void
the_share_is_of_the_time_between(void **state)
{
	const struct pressure_line before = { 0, 1000000 };
	const struct pressure_line now = { 0, 1200000 };

	(void)state;
	assert_int_equal(pressure_share(&before, &now, 2 * NS_PER_S), 100000);
	assert_int_equal(pressure_share(&before, &now, 0), 0);
	assert_int_equal(pressure_share(&now, &before, NS_PER_S), 0);
	/* Never more than all of it. */
	assert_int_equal(pressure_share(&before, &now, NS_PER_MS), 1000000);
}

static void
groups_that_are_short_are_not_the_machine(void **state)
{
	struct proc_memory memory = { .total = 1000 * MIB };

	(void)state;
	memory.available = 900 * MIB;
	assert_false(pressure_is_common(&memory));
	memory.available = 250 * MIB;
	assert_false(pressure_is_common(&memory));
	memory.available = 249 * MIB;
	assert_true(pressure_is_common(&memory));
	memory.available = 0;
	assert_true(pressure_is_common(&memory));
}

static void
this_machine_is_read_or_has_none(void **state)
{
	struct pressure p;
	int r = pressure_read("", PRESSURE_SYSTEM, &p);

	(void)state;
	if (r != 0 && r != -ENOENT && r != -EOPNOTSUPP)
		fail_msg("error %d", r);
	if (r == 0)
		assert_true(p.full.total_us <= p.some.total_us);
}

/* --- to be told ----------------------------------------------------------- */

static void
a_client_at_a_fifo_waits_until_it_is_told(void **state)
{
	const struct world *w = *state;
	struct pressure_server server;
	struct pressure_client client;

	assert_int_equal(pressure_server_make(&server, w->path), 0);
	assert_int_equal(pressure_server_notify(&server), -EBADF);
	/* Whoever comes first. */
	assert_int_equal(pressure_client_open(&client, w->path, NULL), 0);
	assert_int_equal(client.events, POLLIN);
	assert_int_equal(pressure_server_open(&server), 0);
	assert_int_equal(ready(&client), 0);
	assert_int_equal(pressure_client_take(&client), 0);

	assert_int_equal(pressure_server_notify(&server), 0);
	assert_int_equal(ready(&client), POLLIN);
	assert_int_equal(pressure_client_take(&client), 1);
	/* Taken: it waits again. */
	assert_int_equal(ready(&client), 0);
	assert_int_equal(pressure_client_take(&client), 0);

	pressure_server_close(&server);
	assert_int_equal(access(w->path, F_OK), -1);
	assert_int_equal(pressure_client_take(&client), -EPIPE);
	pressure_client_close(&client);
	assert_int_equal(client.fd, -1);
}

static void
a_fifo_is_the_users_alone_and_never_a_file_that_was_there(void **state)
{
	const struct world *w = *state;
	struct pressure_server server;
	struct stat st;

	assert_int_equal(pressure_server_make(&server, w->path), 0);
	assert_int_equal(stat(w->path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
	pressure_server_close(&server);
	put(w, "mine\n");
	assert_int_equal(pressure_server_make(&server, w->path), -EEXIST);
	pressure_server_close(&server); /* takes nothing away */
	assert_int_equal(access(w->path, F_OK), 0);
}

static void
a_fifo_that_nobody_reads_blocks_nobody(void **state)
{
	const struct world *w = *state;
	struct pressure_server server;
	int i;

	assert_int_equal(pressure_server_make(&server, w->path), 0);
	assert_int_equal(pressure_server_open(&server), 0);
	for (i = 0; i < 200000; i++)
		assert_int_equal(pressure_server_notify(&server), 0);
	pressure_server_close(&server);
}

static void
what_is_asked_for_is_written_decoded(void **state)
{
	const struct world *w = *state;
	struct pressure_client client;
	char text[64] = "";
	FILE *f;

	/* `some 150000 2000000`, as systemd gives it, its zero included. */
	put(w, "");
	assert_int_equal(pressure_client_open(&client, w->path,
	    "c29tZSAxNTAwMDAgMjAwMDAwMAA="), 0);
	assert_int_equal(client.events, POLLPRI);
	assert_int_equal(pressure_client_take(&client), 1);
	pressure_client_close(&client);
	f = fopen(w->path, "r");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 20);
	fclose(f);
	assert_memory_equal(text, "some 150000 2000000", 20);
}

static void
what_is_no_base64_is_refused(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *decoded;
	} table[] = {
		{ "YQ==", 0, "a" }, { "YWI=", 0, "ab" }, { "YWJj", 0, "abc" },
		{ "YWJjZA==", 0, "abcd" }, { "+/+/", 0, "\xfb\xff\xbf" },
		{ "", 0, "" },
		{ "Y", -EINVAL, "" }, { "YQ", -EINVAL, "" },
		{ "YQ=", -EINVAL, "" }, { "Y===", -EINVAL, "" },
		{ "YW=j", -EINVAL, "" }, { "YQ-_", -EINVAL, "" },
		{ "YQ==\n", -EINVAL, "" },
	};
	const struct world *w = *state;
	struct pressure_client client;
	char text[64], *huge;
	size_t i, n;
	FILE *f;

	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		put(w, "");
		if (pressure_client_open(&client, w->path, table[i].text) !=
		    table[i].result)
			fail_msg("row %zu", i);
		pressure_client_close(&client);
		f = fopen(w->path, "r");
		assert_non_null(f);
		n = fread(text, 1, sizeof(text), f);
		fclose(f);
		assert_int_equal(n, strlen(table[i].decoded));
		assert_memory_equal(text, table[i].decoded, n);
	}
	huge = test_calloc(1, 4096);
	memset(huge, 'A', 4000);
	assert_int_equal(pressure_client_open(&client, w->path, huge),
	    -EINVAL);
	test_free(huge);
}

static void
a_socket_is_connected_to(void **state)
{
	const struct world *w = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pressure_client client;
	char said[8] = "";
	int listener, peer;

	strcpy(address.sun_path, w->path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(pressure_client_open(&client, w->path, "aGk="), 0);
	assert_int_equal(client.events, POLLIN);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(read(peer, said, sizeof(said)), 2);
	assert_string_equal(said, "hi");
	assert_int_equal(ready(&client), 0);
	assert_int_equal(write(peer, "!", 1), 1);
	assert_int_equal(ready(&client), POLLIN);
	assert_int_equal(pressure_client_take(&client), 1);
	assert_int_equal(ready(&client), 0);
	close(peer);
	assert_int_equal(pressure_client_take(&client), -EPIPE);
	pressure_client_close(&client);
	close(listener);
}

static void
what_cannot_be_watched_is_told_apart(void **state)
{
	const struct world *w = *state;
	struct pressure_client client;

	assert_int_equal(pressure_client_open(&client, "/dev/null", NULL),
	    -ENODEV);
	assert_int_equal(client.fd, -1);
	assert_int_equal(pressure_client_open(&client, w->path, NULL),
	    -ENOENT);
	assert_int_equal(pressure_client_open(&client, w->top, NULL), -EBADF);
	assert_int_equal(pressure_client_open(&client, "/dev/zero", NULL),
	    -EBADF);
	pressure_client_close(&client);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(the_two_lines_are_read),
		IN_WORLD(what_is_no_pressure_is_refused_and_writes_nothing),
		cmocka_unit_test(the_share_is_of_the_time_between),
		cmocka_unit_test(groups_that_are_short_are_not_the_machine),
		cmocka_unit_test(this_machine_is_read_or_has_none),
		IN_WORLD(a_client_at_a_fifo_waits_until_it_is_told),
		IN_WORLD(
		    a_fifo_is_the_users_alone_and_never_a_file_that_was_there),
		IN_WORLD(a_fifo_that_nobody_reads_blocks_nobody),
		IN_WORLD(what_is_asked_for_is_written_decoded),
		IN_WORLD(what_is_no_base64_is_refused),
		IN_WORLD(a_socket_is_connected_to),
		IN_WORLD(what_cannot_be_watched_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
