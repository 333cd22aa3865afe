/*
 * web-peer.c - whose socket is at the other end, if that is on this machine
 *
 * The kernel knows (sock_diag(7)), and is asked for one pair of addresses: it
 * does not search.  What it does not tell counts as ours, as where no such
 * question is allowed there is but one user mostly.
 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/base.h"
#include "web/web.h"

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 request;
};

static void
put_address(const struct sockaddr_storage *from, __be16 *port, __be32 *to)
{
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)from;

		*port = v4->sin_port;
		memcpy(to, &v4->sin_addr, sizeof(v4->sin_addr));
	} else {
		const struct sockaddr_in6 *v6 = (const void *)from;

		*port = v6->sin6_port;
		memcpy(to, &v6->sin6_addr, sizeof(v6->sin6_addr));
	}
}

/* As the other end has it: its own address first. */
static bool
fill(int fd, struct question *q)
{
	struct sockaddr_storage here = { 0 }, there = { 0 };
	socklen_t bytes = sizeof(here);

	if (getsockname(fd, (struct sockaddr *)&here, &bytes) < 0)
		return false;
	bytes = sizeof(there);
	if (getpeername(fd, (struct sockaddr *)&there, &bytes) < 0)
		return false;
	*q = (struct question){
		.head = {
			.nlmsg_len = sizeof(*q),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.request = {
			.sdiag_family = (uint8_t)there.ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0u,
			.id.idiag_cookie = { INET_DIAG_NOCOOKIE,
			    INET_DIAG_NOCOOKIE },
		},
	};
	put_address(&there, &q->request.id.idiag_sport,
	    q->request.id.idiag_src);
	put_address(&here, &q->request.id.idiag_dport,
	    q->request.id.idiag_dst);
	return true;
}

/* False: the kernel does not tell. */
static bool
ask(const struct question *q, uid_t *uid)
{
	const struct timeval patience = { .tv_sec = 1 };
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} answer;
	struct inet_diag_msg found;
	ssize_t n = -1;
	int fd;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	if (send(fd, q, sizeof(*q), 0) == sizeof(*q))
		n = recv(fd, &answer, sizeof(answer), 0);
	close(fd);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(found)) ||
	    answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	memcpy(&found, NLMSG_DATA(&answer.head), sizeof(found));
	/* One that is closed already belongs to nobody. */
	if (found.idiag_inode == 0)
		return false;
	*uid = found.idiag_uid;
	return true;
}

bool
web_is_foreign(int fd)
{
	struct question q;
	uid_t uid;

	return fill(fd, &q) && ask(&q, &uid) && uid != geteuid() && uid != 0;
}
