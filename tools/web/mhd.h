/*
 * mhd.h - libmicrohttpd, loaded when it is needed
 *
 * Beside the house (tools/web).  May use: libmicrohttpd's header, dlopen().
 * Used by: web-*.c.
 *
 * Debian's is linked with a library for TLS and eight more behind it, which
 * take some ms to load: every other command would pay for the one that serves.
 * So no command is linked with it.
 */
#ifndef WEB_MHD_H
#define WEB_MHD_H

#include <microhttpd.h>
#include <stdbool.h>

#define MHD_SONAME "libmicrohttpd.so.12" /* of 0.9.53 and all since */

/* What of it is used; each as `mhd.NAME`, without its MHD_. */
#define MHD_FUNCTIONS(f) \
	f(start_daemon) \
	f(stop_daemon) \
	f(quiesce_daemon) \
	f(get_daemon_info) \
	f(run) \
	f(get_timeout) \
	f(lookup_connection_value) \
	f(lookup_connection_value_n) \
	f(get_connection_values) \
	f(get_connection_info) \
	f(suspend_connection) \
	f(resume_connection) \
	f(create_response_from_buffer) \
	f(create_response_from_callback) \
	f(add_response_header) \
	f(queue_response) \
	f(destroy_response)

struct mhd {
#define MHD_MEMBER(name) __typeof__(&MHD_##name) name;
	MHD_FUNCTIONS(MHD_MEMBER)
#undef MHD_MEMBER
};

extern struct mhd mhd;

/* False: it is not there, or too old; @why has the sentence. */
#define MHD_WHY_ROOM 256
bool mhd_load(char why[MHD_WHY_ROOM]);

#endif
