/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a TAP, attaches to one, or inspects an inherited one. */
#include "netns-helper/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/log.h"
#include "ipc/messages.h"

#define DEVICE "/dev/net/tun"

/* The offloads of every TAP of ours; the worker's vnet.c handles their headers. */
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)

/* Frames with several UDP datagrams. Since Linux 6.2 (drivers/net/tun.c, set_offload),
 * which takes both or none. Older kernels refuse flags that they do not know. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#define OFFLOADS_WITH_USO (OFFLOADS | TUN_F_USO4 | TUN_F_USO6)

/* Attaches to the interface, or makes it. The kernel (drivers/net/tun.c, tun_set_iff)
 * returns EINVAL for unknown flags, and for flags that do not fit an existing interface.
 * Attaching to a TAP with one queue sets its flags anew. Attaching to a TAP with several
 * queues adds a queue and keeps its flags. */
static int
set_interface(int tun_fd, const char *name)
{
	static const short kinds[] = { IFF_VNET_HDR, 0, IFF_MULTI_QUEUE };
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | kinds[i]);
		if (ioctl(tun_fd, TUNSETIFF, &request) == 0)
			return 0;
		if (errno != EINVAL)
			break;
	}
	return -1;
}

/* An earlier user may have left offloads on, and then frames come incomplete. */
static void
switch_offloads_off(int tun_fd, const char *name)
{
	if (ioctl(tun_fd, TUNSETOFFLOAD, 0) == -1)
		fatal("switch off the offloads of TAP %s", name);
}

/* Asks the device for the size of the header before each frame, when offloads are off. */
static struct netns_tap_header
plain_header(int tun_fd, const struct ifreq *request)
{
	struct netns_tap_header header = { 0 };
	int vnet_header_len = 0;

	if (!(request->ifr_flags & IFF_NO_PI))
		header.len += sizeof(struct tun_pi);
	if (request->ifr_flags & IFF_VNET_HDR) {
		if (ioctl(tun_fd, TUNGETVNETHDRSZ, &vnet_header_len) == -1)
			fatal("ask for the header size of TAP %s", request->ifr_name);
		header.len += (uint32_t)vnet_header_len;
	}
	return header;
}

/* Returns 0, or -1 with errno set and offloads unchanged. An earlier user may have set
 * another header size and byte order, so set both. The size is that of the header's first
 * version. It has all fields that are needed, and aligns the IP header after the Ethernet
 * header to 8 bytes. */
static int
switch_offloads_on(int tun_fd, bool *has_uso)
{
	int header_len = IPC_TAP_OFFLOAD_HEADER_LEN;
	int little_endian = 1;

	if (ioctl(tun_fd, TUNSETVNETHDRSZ, &header_len) == -1 ||
	    ioctl(tun_fd, TUNSETVNETLE, &little_endian) == -1)
		return -1;
	*has_uso = ioctl(tun_fd, TUNSETOFFLOAD, OFFLOADS_WITH_USO) == 0;
	return *has_uso ? 0 : ioctl(tun_fd, TUNSETOFFLOAD, OFFLOADS);
}

/* The mode of the device, or 0. Set before the jail, which allows no look at files. */
static mode_t device_mode;

void
netns_tap_look(void)
{
	struct stat st;

	device_mode = stat(DEVICE, &st) == 0 ? st.st_mode & 07777U : 0;
}

/* The device cannot be opened, with errno set. Says what an administrator can do. */
static _Noreturn void
refuse_device(void)
{
	const char *who =
	    device_mode & (S_IRGRP | S_IWGRP) ? "its owner and its group" : "its owner";

	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		fatalx("open " DEVICE
		       ": %s; as root: modprobe tun, or give the container "
		       "this device",
		    strerror(errno));
	if (errno != EACCES || device_mode == 0)
		fatal("open " DEVICE);
	if ((device_mode & (S_IROTH | S_IWOTH)) == (S_IROTH | S_IWOTH))
		fatalx("open " DEVICE ": %s; its mode is %04o, so its file system may be "
		       "mounted nodev",
		    strerror(errno), device_mode);
	fatalx("open " DEVICE ": %s; its mode is %04o, so only %s can open it; as root: "
	       "chmod 0666 " DEVICE,
	    strerror(errno), device_mode, who);
}

int
netns_tap_open(const char *name, struct netns_tap_header *header)
{
	struct ifreq request = { 0 };
	bool has_uso = false;
	bool exists = if_nametoindex(name) != 0;
	/* The device belongs to the network namespace in which it is opened. */
	autofd int tun_fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (tun_fd == -1)
		refuse_device();
	if (set_interface(tun_fd, name) == -1) {
		if (exists && errno == EINVAL)
			fatal("attach to interface %s, which is not a TAP", name);
		fatal("%s TAP %s", exists ? "attach to" : "create", name);
	}
	if (ioctl(tun_fd, TUNGETIFF, &request) == -1)
		fatal("ask what kind of TAP %s is", name);
	if ((request.ifr_flags & (IFF_VNET_HDR | IFF_MULTI_QUEUE)) == IFF_VNET_HDR &&
	    switch_offloads_on(tun_fd, &has_uso) == 0) {
		*header = (struct netns_tap_header){
			.len = IPC_TAP_OFFLOAD_HEADER_LEN,
			.has_offloads = true,
			.has_uso = has_uso,
		};
		return take_fd(&tun_fd);
	}
	switch_offloads_off(tun_fd, name);
	*header = plain_header(tun_fd, &request);
	return take_fd(&tun_fd);
}

void
netns_tap_inspect(int fd, uint32_t caller_number, struct netns_tap_header *header)
{
	struct ifreq request = { 0 };

	if (ioctl(fd, TUNGETIFF, &request) == -1)
		fatal("inspect inherited TAP descriptor %u", caller_number);
	if (!(request.ifr_flags & IFF_TAP))
		fatalx("inspect the inherited TAP descriptor: %.*s is not a TAP",
		    IFNAMSIZ, request.ifr_name);
	switch_offloads_off(fd, request.ifr_name);
	*header = plain_header(fd, &request);
}
