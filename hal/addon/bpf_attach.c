/* Puts BPF programs on links: tc's clsact hooks and XDP. Both stay when the process goes. tc-bpf(8), libbpf.h. */
#define _GNU_SOURCE
#include "bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where our filter stands among others on the hook; the first priorities are left to whoever must come before. */
#define TC_PRIORITY 10
#define TC_HANDLE 1
#define OUR_PROGRAMS "futago_"
#define MAP_IDS_MAX 32
#define RECEIVE_BYTES 16384

static int program_info(uint32_t id, struct bpf_prog_info *info)
{
	uint32_t length = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return fd;
	int error = bpf_obj_get_info_by_fd(fd, info, &length);

	close(fd);
	return error;
}

static bool is_ours(uint32_t id)
{
	struct bpf_prog_info info = {};

	return program_info(id, &info) == 0 && strncmp(info.name, OUR_PROGRAMS, strlen(OUR_PROGRAMS)) == 0;
}

/* bpfProgramInfo(id): {name, tag, maps}; the tag is a hash of the instructions, the maps are ids. */
static napi_value describe_program(napi_env env, napi_callback_info call)
{
	uint32_t map_ids[MAP_IDS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = MAP_IDS_MAX, .map_ids = (uintptr_t)map_ids };
	char tag[2 * BPF_TAG_SIZE + 1];
	napi_value argument, result, maps;
	int32_t id;

	futago_bpf_arguments(env, call, 1, &argument);
	if (!futago_bpf_integer(env, argument, &id))
		return NULL;
	int error = program_info(id, &info);

	if (error) {
		futago_throw_bpf(env, error, "bpf(BPF_OBJ_GET_INFO_BY_FD)");
		return NULL;
	}
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(tag + 2 * i, 3, "%02x", info.tag[i]);
	napi_create_object(env, &result);
	futago_bpf_set_text(env, result, "name", info.name);
	futago_bpf_set_text(env, result, "tag", tag);
	napi_create_array(env, &maps);
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAP_IDS_MAX; i++) {
		napi_value map_id;

		napi_create_uint32(env, map_ids[i], &map_id);
		napi_set_element(env, maps, i, map_id);
	}
	napi_set_named_property(env, result, "maps", maps);
	return result;
}

static int tc_attach(int ifindex, enum bpf_tc_attach_point point, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, there, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY, .prog_fd = program,
		    .flags = BPF_TC_F_REPLACE);

	if (bpf_tc_query(&hook, &there) == 0 && !is_ours(there.prog_id))
		return -EBUSY;
	futago_bpf_clear_complaints();
	return bpf_tc_attach(&hook, &options);
}

/* bpfTcAttach(ifindex, ingress, egress): EBUSY where another's filter stands in our place. */
static napi_value attach_tc(napi_env env, napi_callback_info info)
{
	int32_t numbers[3];
	napi_value arguments[3];

	futago_bpf_arguments(env, info, 3, arguments);
	for (int i = 0; i < 3; i++)
		if (!futago_bpf_integer(env, arguments[i], &numbers[i]))
			return NULL;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = numbers[0], .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	futago_bpf_clear_complaints();
	int error = bpf_tc_hook_create(&hook);

	if (!error || error == -EEXIST)
		error = tc_attach(numbers[0], BPF_TC_INGRESS, numbers[1]);
	if (!error)
		error = tc_attach(numbers[0], BPF_TC_EGRESS, numbers[2]);
	if (error)
		futago_throw_bpf(env, error, "RTM_NEWTFILTER");
	return NULL;
}

static uint32_t tc_program(int ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, there, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	return bpf_tc_query(&hook, &there) ? 0 : there.prog_id;
}

/* bpfTcQuery(ifindex): {ingress, egress}, the ids of the programs in our places; 0 where there is none, or no such link. */
static napi_value query_tc(napi_env env, napi_callback_info info)
{
	napi_value argument, result, id;
	int32_t ifindex;

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_integer(env, argument, &ifindex))
		return NULL;
	futago_bpf_clear_complaints();
	napi_create_object(env, &result);
	napi_create_uint32(env, tc_program(ifindex, BPF_TC_INGRESS), &id);
	napi_set_named_property(env, result, "ingress", id);
	napi_create_uint32(env, tc_program(ifindex, BPF_TC_EGRESS), &id);
	napi_set_named_property(env, result, "egress", id);
	return result;
}

struct filter_dump {
	struct nlmsghdr header;
	struct tcmsg tc;
};

/* One answer to the dump: whether it ends there, and whether it holds a filter. */
static bool read_filters(uint8_t *bytes, ssize_t length, bool *any)
{
	for (struct nlmsghdr *message = (void *)bytes; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
			return true;
		if (message->nlmsg_type == RTM_NEWTFILTER)
			*any = true;
	}
	return false;
}

/* Whether a clsact hook (TC_H_MIN_INGRESS or TC_H_MIN_EGRESS) holds any filter; true when the kernel does not say. */
static bool has_filters(int ifindex, uint32_t hook)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[RECEIVE_BYTES];
	struct filter_dump request = {
		.header = { sizeof(request), RTM_GETTFILTER, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		.tc = { .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, hook) },
	};
	bool any = false, done = false;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return true;
	if (send(fd, &request, sizeof(request), 0) != sizeof(request))
		any = done = true;
	while (!done) {
		ssize_t length = recv(fd, buffer, sizeof(buffer), 0);

		if (length <= 0)
			any = done = true;
		else
			done = read_filters(buffer, length, &any);
	}
	close(fd);
	return any;
}

static int tc_detach(int ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, there, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	if (bpf_tc_query(&hook, &there) || !is_ours(there.prog_id))
		return 0;
	futago_bpf_clear_complaints();
	return bpf_tc_detach(&hook, &options);
}

/* bpfTcDetach(ifindex): takes our filters away, and the hooks when nobody else uses them. Harmless when there are none. */
static napi_value detach_tc(napi_env env, napi_callback_info info)
{
	napi_value argument;
	int32_t ifindex;

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_integer(env, argument, &ifindex))
		return NULL;
	int error = tc_detach(ifindex, BPF_TC_INGRESS);

	if (!error)
		error = tc_detach(ifindex, BPF_TC_EGRESS);
	if (!error && !has_filters(ifindex, TC_H_MIN_INGRESS) && !has_filters(ifindex, TC_H_MIN_EGRESS)) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

		error = bpf_tc_hook_destroy(&hook);
		/* No clsact there, or no link any more. */
		if (error == -EINVAL || error == -ENOENT || error == -ENODEV)
			error = 0;
	}
	futago_bpf_clear_complaints();
	if (error)
		futago_throw_bpf(env, error, "RTM_DELTFILTER");
	return NULL;
}

/* bpfXdpQuery(ifindex): {id, native}; id 0 when there is no program. */
static napi_value query_xdp(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, options);
	napi_value argument, result, native;
	int32_t ifindex;

	futago_bpf_arguments(env, info, 1, &argument);
	if (!futago_bpf_integer(env, argument, &ifindex))
		return NULL;
	futago_bpf_clear_complaints();
	int error = bpf_xdp_query(ifindex, 0, &options);

	if (error) {
		futago_throw_bpf(env, error, "RTM_GETLINK");
		return NULL;
	}
	napi_create_object(env, &result);
	futago_bpf_set_number(env, result, "id", options.prog_id);
	napi_get_boolean(env, options.attach_mode == XDP_ATTACHED_DRV, &native);
	napi_set_named_property(env, result, "native", native);
	return result;
}

static int xdp_change(int ifindex, int program, bool native, uint32_t old_id)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options);
	uint32_t flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	int error;

	if (!old_id)
		return bpf_xdp_attach(ifindex, program, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, &options);
	options.old_prog_fd = bpf_prog_get_fd_by_id(old_id);
	if (options.old_prog_fd < 0)
		return options.old_prog_fd;
	error = bpf_xdp_attach(ifindex, program, flags | XDP_FLAGS_REPLACE, &options);
	close(options.old_prog_fd);
	return error;
}

/*
 * bpfXdpChange(ifindex, program, native, oldId): replaces the program with id `oldId`, or none when that is 0, by
 * `program`, or takes it away when that is -1. EBUSY or EEXIST when it is not the old one that is there.
 */
static napi_value change_xdp(napi_env env, napi_callback_info info)
{
	napi_value arguments[4];
	int32_t ifindex, program, old_id;
	bool native;

	futago_bpf_arguments(env, info, 4, arguments);
	if (!futago_bpf_integer(env, arguments[0], &ifindex) || !futago_bpf_integer(env, arguments[1], &program) ||
	    !futago_bpf_integer(env, arguments[3], &old_id))
		return NULL;
	if (napi_get_value_bool(env, arguments[2], &native) != napi_ok) {
		napi_throw_type_error(env, NULL, "a boolean is expected");
		return NULL;
	}
	futago_bpf_clear_complaints();
	int error = xdp_change(ifindex, program, native, old_id);

	if (error)
		futago_throw_bpf(env, error, "RTM_SETLINK");
	return NULL;
}

void futago_register_bpf_attach(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfProgramInfo", describe_program);
	futago_export(env, exports, "bpfTcAttach", attach_tc);
	futago_export(env, exports, "bpfTcDetach", detach_tc);
	futago_export(env, exports, "bpfTcQuery", query_tc);
	futago_export(env, exports, "bpfXdpQuery", query_xdp);
	futago_export(env, exports, "bpfXdpChange", change_xdp);
}
