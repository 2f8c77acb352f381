/* Reads a BPF ring buffer in Node's event loop: whole batches, not a call per record. bpf(2), BPF_MAP_TYPE_RINGBUF. */
#define _GNU_SOURCE
#include "bpf.h"
#include "socket.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_RECORDS 4096

/*
 * Watched until something is there; then it is told, and not watched again before JavaScript has found the buffer
 * empty, so that a busy table wakes nobody for each record.
 */
struct ring_reader {
	struct futago_socket base;
	struct ring_buffer *ring;
	uint32_t record_bytes;
	uint32_t count;
	uint8_t *batch;
};

static int keep_record(void *context, void *data, size_t length)
{
	struct ring_reader *reader = context;

	if (length == reader->record_bytes)
		memcpy(reader->batch + (size_t)reader->count++ * reader->record_bytes, data, length);
	/* Stops the reading; the record counts as read. */
	return reader->count == BATCH_RECORDS ? -ENOSPC : 0;
}

static napi_value take_batch(struct ring_reader *reader)
{
	napi_value array;
	uint8_t *bytes;

	reader->count = 0;
	ring_buffer__consume(reader->ring);
	array = futago_new_bytes(reader->base.env, (size_t)reader->count * reader->record_bytes, &bytes);
	memcpy(bytes, reader->batch, (size_t)reader->count * reader->record_bytes);
	return array;
}

static void on_readable(struct futago_socket *sock)
{
	napi_handle_scope scope;
	napi_value batch;

	uv_poll_stop(&sock->poll);
	napi_open_handle_scope(sock->env, &scope);
	batch = take_batch((struct ring_reader *)sock);
	futago_socket_emit(sock, 1, &batch);
	napi_close_handle_scope(sock->env, scope);
}

static void on_release(struct futago_socket *sock)
{
	struct ring_reader *reader = (struct ring_reader *)sock;

	ring_buffer__free(reader->ring);
	free(reader->batch);
}

/* bpfRingOpen(fd, recordBytes, callback): a handle for socketClose; the callback gets the first batch of a busy time. */
static napi_value ring_open(napi_env env, napi_callback_info info)
{
	struct ring_reader *reader;
	napi_value arguments[3];
	int32_t fd, record_bytes;

	futago_bpf_arguments(env, info, 3, arguments);
	if (!futago_bpf_integer(env, arguments[0], &fd) || !futago_bpf_integer(env, arguments[1], &record_bytes))
		return NULL;
	if (record_bytes <= 0 || record_bytes > 4096) {
		napi_throw_range_error(env, NULL, "a record has 1 to 4096 bytes");
		return NULL;
	}
	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		futago_throw_errno(env, ENOMEM, "calloc");
		return NULL;
	}
	reader->batch = malloc((size_t)BATCH_RECORDS * record_bytes);
	reader->ring = reader->batch ? ring_buffer__new(fd, keep_record, reader, NULL) : NULL;
	/* A descriptor of our own: libbpf closes its. */
	int own = reader->ring ? fcntl(ring_buffer__epoll_fd(reader->ring), F_DUPFD_CLOEXEC, 0) : -1;

	if (own < 0) {
		futago_throw_bpf(env, -errno, "ring_buffer__new");
		ring_buffer__free(reader->ring);
		free(reader->batch);
		free(reader);
		return NULL;
	}
	reader->record_bytes = record_bytes;
	reader->base.env = env;
	reader->base.fd = own;
	reader->base.kind = FUTAGO_RING;
	reader->base.readable = on_readable;
	reader->base.release = on_release;
	return futago_socket_start(&reader->base, arguments[2], true);
}

/* bpfRingTake(handle): what is there now; when that is nothing, the next record is told by the callback again. */
static napi_value ring_take(napi_env env, napi_callback_info info)
{
	struct futago_socket *sock;
	napi_value argument, batch;

	futago_bpf_arguments(env, info, 1, &argument);
	sock = futago_socket_get(env, argument, FUTAGO_RING, "ring_buffer__consume");
	if (!sock)
		return NULL;
	batch = take_batch((struct ring_reader *)sock);
	if (((struct ring_reader *)sock)->count == 0)
		futago_socket_watch(sock);
	return batch;
}

void futago_register_bpf_ringbuf(napi_env env, napi_value exports)
{
	futago_export(env, exports, "bpfRingOpen", ring_open);
	futago_export(env, exports, "bpfRingTake", ring_take);
}
