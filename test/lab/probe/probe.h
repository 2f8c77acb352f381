/* What the files of the prober share: the options, all its state, and one way to write a line. */
#pragma once
#include <netinet/in.h>
#include <net/ethernet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define WINDOW 65536           /* echoes remembered: the sequence number's range */
#define LOST_AFTER_US 500000
#define SILENT_AFTER_US 20000
#define ANSWERERS_MAX 8

struct options {
	const char *device;
	struct in_addr address;
	bool ping, arp;
	int64_t interval, gap, stall;
};

struct answerer {
	uint8_t mac[ETH_ALEN];
	int64_t first, last;
	uint64_t request; /* the ARP request it answered last */
	bool answering;
};

struct probe {
	struct options options;
	int icmp, arp;
	int ifindex;
	uint8_t mac[ETH_ALEN];
	struct in_addr own;
	int64_t sent_at[WINDOW]; /* 0 once answered or lost */
	uint64_t sent, answered, lost, swept;
	uint64_t run; /* lost in a row, not said yet */
	int64_t run_start, run_end;
	int64_t first_answer, last_answer, rtt_max;
	uint64_t asked, both;
	bool both_counted;
	struct answerer answerers[ANSWERERS_MAX];
	int answerer_count;
};

int64_t now_us(void);
/* Ends the program with the sentence of errno. */
void fail(const char *what) __attribute__((noreturn));
/* One write per line, below PIPE_BUF: lines of different threads do not mix. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Puts the calling thread at SCHED_FIFO. */
void real_time(int priority);
/* Returns the length, or -1 when the socket is drained; *at is the arrival on CLOCK_MONOTONIC. */
ssize_t receive(int fd, void *buffer, size_t size, struct sockaddr_storage *from, int64_t *at);

/* control.c: one thread per CPU that notes when it woke late by at least `threshold` microseconds. */
void start_controls(int64_t threshold);

/* sockets.c */
void open_sockets(struct probe *probe);

/* echo.c */
void send_echo(struct probe *probe);
void read_echoes(struct probe *probe);
/* Gives up on echoes older than half a second, oldest first. */
void sweep_lost(struct probe *probe, int64_t now);

/* arp.c */
void send_arp(struct probe *probe);
void read_arp(struct probe *probe);
/* Reports the MACs that answer no more. */
void note_silences(struct probe *probe, int64_t now);
