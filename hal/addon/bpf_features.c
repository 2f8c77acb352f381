/*
 * What links do with XDP frames: whether one takes redirected ones (linux/netdev.h, Linux 6.3; genetlink), whether it
 * is an end of a veth pair, and whether it leaves VLAN tags in them (ethtool).
 */
#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/netdev.h, which Debian 12 does not have. */
#define NETDEV_FAMILY "netdev"
#define NETDEV_DEV_GET 1
#define NETDEV_IFINDEX 1
#define NETDEV_XDP_FEATURES 3
#define XDP_FEATURE_NDO_XMIT 4

#define RECEIVE_BYTES 8192

struct question {
	struct nlmsghdr header;
	struct genlmsghdr genl;
	struct nlattr attribute;
	uint8_t value[16];
};

/*
 * Sends a command with one attribute and copies `room` bytes of the answer's attribute `wanted`. False when the kernel
 * refuses or does not answer with it.
 */
static bool ask(int fd, struct question *question, size_t value_bytes, int wanted, void *answer, size_t room)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[RECEIVE_BYTES];
	struct nlmsghdr *message = (void *)buffer;
	const size_t heads = NLMSG_LENGTH(GENL_HDRLEN);

	question->attribute.nla_len = NLA_HDRLEN + value_bytes;
	question->header.nlmsg_len = heads + NLA_ALIGN(question->attribute.nla_len);
	question->header.nlmsg_flags = NLM_F_REQUEST;
	if (send(fd, question, question->header.nlmsg_len, 0) < 0)
		return false;
	ssize_t length = recv(fd, buffer, sizeof(buffer), 0);

	if (length < (ssize_t)heads || !NLMSG_OK(message, length) || message->nlmsg_type == NLMSG_ERROR)
		return false;
	for (size_t at = heads; at + NLA_HDRLEN <= message->nlmsg_len;) {
		struct nlattr *attribute = (void *)(buffer + at);

		if (attribute->nla_len < NLA_HDRLEN || at + attribute->nla_len > message->nlmsg_len)
			return false;
		if ((attribute->nla_type & NLA_TYPE_MASK) == wanted && attribute->nla_len >= NLA_HDRLEN + room) {
			memcpy(answer, buffer + at + NLA_HDRLEN, room);
			return true;
		}
		at += NLA_ALIGN(attribute->nla_len);
	}
	return false;
}

/* True as well where the kernel does not know such a question: then the driver's native mode is all there is to go by. */
static bool takes_redirects(int fd, uint32_t ifindex)
{
	struct question question = {
		.header = { .nlmsg_type = GENL_ID_CTRL },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attribute = { .nla_type = CTRL_ATTR_FAMILY_NAME },
		.value = NETDEV_FAMILY,
	};
	uint16_t family;
	uint64_t features;

	if (!ask(fd, &question, sizeof(NETDEV_FAMILY), CTRL_ATTR_FAMILY_ID, &family, sizeof(family)))
		return true;
	question.header.nlmsg_type = family;
	question.genl.cmd = NETDEV_DEV_GET;
	question.attribute.nla_type = NETDEV_IFINDEX;
	memcpy(question.value, &ifindex, sizeof(ifindex));
	if (!ask(fd, &question, sizeof(ifindex), NETDEV_XDP_FEATURES, &features, sizeof(features)))
		return true;
	return features & XDP_FEATURE_NDO_XMIT;
}

/* bpfTakesRedirects(ifindex) */
static napi_value describe(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	int32_t ifindex;

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_integer(env, argument, &ifindex))
		return NULL;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0) {
		futago_throw_errno(env, errno, "socket");
		return NULL;
	}
	napi_get_boolean(env, takes_redirects(fd, ifindex), &result);
	close(fd);
	return result;
}

/* Asks the driver of a link. False when it knows no such question, and for a link that is not there. */
static bool ask_driver(int fd, uint32_t ifindex, void *question)
{
	struct ifreq request = { .ifr_data = question };

	return if_indextoname(ifindex, request.ifr_name) && ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static bool is_veth(int fd, uint32_t ifindex)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };

	return ask_driver(fd, ifindex, &driver) && strcmp(driver.driver, "veth") == 0;
}

/* Has the driver leave VLAN tags in the frames (rx-vlan-offload off). False when it cannot. */
static bool leave_tags(int fd, uint32_t ifindex)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	if (!ask_driver(fd, ifindex, &flags) || !(flags.data & ETH_FLAG_RXVLAN))
		return true;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data &= ~ETH_FLAG_RXVLAN;
	return ask_driver(fd, ifindex, &flags);
}

/* What a function says of the link that JavaScript names. */
static napi_value of_link(napi_env env, napi_callback_info info, bool (*say)(int fd, uint32_t ifindex))
{
	napi_value argument, result;
	int32_t ifindex;

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_integer(env, argument, &ifindex))
		return NULL;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		futago_throw_errno(env, errno, "socket");
		return NULL;
	}
	napi_get_boolean(env, say(fd, ifindex), &result);
	close(fd);
	return result;
}

/* bpfIsVeth(ifindex); a link that is not there is none. */
static napi_value answer_is_veth(napi_env env, napi_callback_info info)
{
	return of_link(env, info, is_veth);
}

/* bpfLeaveTags(ifindex) */
static napi_value answer_leave_tags(napi_env env, napi_callback_info info)
{
	return of_link(env, info, leave_tags);
}

void futago_register_bpf_features(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfTakesRedirects", describe);
	futago_export(env, exports, "bpfIsVeth", answer_is_veth);
	futago_export(env, exports, "bpfLeaveTags", answer_leave_tags);
}
