/* The raw ICMP socket and the ARP packet socket, with the kernel's receive timestamps. */
#define _GNU_SOURCE
#include "probe.h"
#include <linux/filter.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

static int64_t realtime_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void want_timestamps(int fd)
{
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		fail("SO_TIMESTAMPNS");
}

void open_sockets(struct probe *probe)
{
	struct ifreq request = {0};
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", probe->options.device);

	probe->icmp = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (probe->icmp < 0)
		fail("ICMP socket (needs root)");
	if (ioctl(probe->icmp, SIOCGIFADDR, &request) < 0)
		fail(probe->options.device);
	probe->own = ((struct sockaddr_in *)&request.ifr_addr)->sin_addr;
	if (ioctl(probe->icmp, SIOCGIFHWADDR, &request) < 0)
		fail(probe->options.device);
	memcpy(probe->mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	probe->ifindex = (int)if_nametoindex(probe->options.device);
	want_timestamps(probe->icmp);

	/* ETH_P_ALL, because a socket bound to ETH_P_ARP does not see what this host sends; the filter leaves only ARP. */
	struct sock_filter only_arp[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
					 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 1), BPF_STMT(BPF_RET | BPF_K, 256),
					 BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog filter = {.len = sizeof(only_arp) / sizeof(only_arp[0]), .filter = only_arp};
	struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_ifindex = probe->ifindex, .sll_protocol = htons(ETH_P_ALL)};
	probe->arp = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->arp < 0 || setsockopt(probe->arp, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    bind(probe->arp, (struct sockaddr *)&here, sizeof(here)) < 0)
		fail("packet socket");
	want_timestamps(probe->arp);
}

ssize_t receive(int fd, void *buffer, size_t size, struct sockaddr_storage *from, int64_t *at)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec part = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {.msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &part, .msg_iovlen = 1,
				 .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(fd, &message, 0);
	*at = now_us();
	struct cmsghdr *header = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_type == SO_TIMESTAMPNS) {
		struct timespec arrived;
		memcpy(&arrived, CMSG_DATA(header), sizeof(arrived));
		*at -= realtime_us() - ((int64_t)arrived.tv_sec * 1000000 + arrived.tv_nsec / 1000);
	}
	return length;
}
