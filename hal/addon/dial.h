/* What dial.c (the calls) and dial_events.c (what the kernel tells) share. */
#ifndef FUTAGO_DIAL_H
#define FUTAGO_DIAL_H

#include "socket.h"

#define DIAL_READ_BYTES 16384

/* What the callback is told of a connection: the second argument. */
enum dial_event { DIAL_CONNECTED, DIAL_BYTES, DIAL_ENDED, DIAL_FAILED };

struct dial_connection {
	/* -1: the slot is free, and `next_free` counts. */
	int fd;
	uint32_t generation;
	uint32_t next_free;
	bool connected;
	uint8_t *request;
	size_t request_length;
	size_t sent;
};

/* Connections behind one descriptor of the event loop, an epoll(7) set. */
struct dialer {
	struct futago_socket base;
	struct dial_connection *slots;
	uint32_t slot_count;
	uint32_t first_free;
	napi_ref buffer_ref;
	uint8_t *buffer;
};

/* Resets the connection and frees its slot. */
void futago_dial_close(struct dialer *dialer, uint32_t slot);
/* Reads the epoll set; the `readable` of the dialer's socket. */
void futago_dial_readable(struct futago_socket *sock);

#endif
