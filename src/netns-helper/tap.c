#include "netns-helper/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

/* drivers/net/tun.c, tun_set_iff: attaching to an interface with flags that don't fit
 * its kind gives EINVAL. A TAP made with several queues is the one such kind that we
 * can use, so that is tried before it is given up. */
static int
set_interface(int tun_fd, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(tun_fd, TUNSETIFF, &request) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	request.ifr_flags |= IFF_MULTI_QUEUE;
	return ioctl(tun_fd, TUNSETIFF, &request);
}

int
netns_tap_open(const char *name)
{
	bool exists = if_nametoindex(name) != 0;
	/* The device belongs to the network namespace that it is opened in. */
	autofd int tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (tun_fd == -1)
		fatal("open /dev/net/tun");
	if (set_interface(tun_fd, name) == -1) {
		if (exists && errno == EINVAL)
			fatal("attach to interface %s, which is not a TAP", name);
		fatal("%s TAP %s", exists ? "attach to" : "create", name);
	}
	/* Whoever had it before may have left them on, and then frames come unfinished. */
	if (ioctl(tun_fd, TUNSETOFFLOAD, 0) == -1)
		fatal("switch off the offloads of TAP %s", name);
	return take_fd(&tun_fd);
}

uint32_t
netns_tap_inspect(int fd, uint32_t caller_number)
{
	struct ifreq request = { 0 };
	int vnet_header_len = 0;
	uint32_t header_len = 0;

	if (ioctl(fd, TUNGETIFF, &request) == -1)
		fatal("inspect inherited TAP descriptor %u", caller_number);
	if (!(request.ifr_flags & IFF_TAP))
		fatalx("inspect the inherited TAP descriptor: %.*s is not a TAP",
		    IFNAMSIZ, request.ifr_name);
	if (ioctl(fd, TUNSETOFFLOAD, 0) == -1)
		fatal("switch off the offloads of TAP %.*s", IFNAMSIZ, request.ifr_name);
	if (!(request.ifr_flags & IFF_NO_PI))
		header_len += sizeof(struct tun_pi);
	if (request.ifr_flags & IFF_VNET_HDR) {
		if (ioctl(fd, TUNGETVNETHDRSZ, &vnet_header_len) == -1)
			fatal("ask for the header size of TAP %.*s", IFNAMSIZ,
			    request.ifr_name);
		header_len += (uint32_t)vnet_header_len;
	}
	return header_len;
}
