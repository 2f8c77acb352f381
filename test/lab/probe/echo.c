/* ICMP echoes to the address: sent, answered, lost, and the gaps between answers. */
#define _GNU_SOURCE
#include "probe.h"
#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

static uint16_t checksum(const void *data, size_t length)
{
	const uint16_t *words = data;
	uint32_t sum = 0;
	for (size_t i = 0; i < length / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

void send_echo(struct probe *probe)
{
	struct icmphdr echo = {.type = ICMP_ECHO};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = probe->options.address};
	uint16_t slot = (uint16_t)probe->sent;
	echo.un.echo.id = htons((uint16_t)getpid());
	echo.un.echo.sequence = htons(slot);
	echo.checksum = checksum(&echo, sizeof(echo));
	probe->sent_at[slot] = now_us();
	probe->sent++;
	/* A refusal (no route, no buffer) is an echo that nobody answers. */
	(void)!sendto(probe->icmp, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to));
}

static void note_answer(struct probe *probe, uint16_t slot, int64_t at)
{
	if (probe->sent_at[slot] == 0)
		return; /* answered before, or given up */
	int64_t round_trip = at - probe->sent_at[slot];
	probe->sent_at[slot] = 0;
	probe->answered++;
	if (round_trip > probe->rtt_max)
		probe->rtt_max = round_trip;
	if (probe->last_answer != 0 && at - probe->last_answer >= probe->options.gap)
		report("{\"kind\":\"gap\",\"start\":%ld,\"end\":%ld}", (long)probe->last_answer, (long)at);
	probe->last_answer = at;
	if (probe->first_answer == 0)
		probe->first_answer = at;
}

void read_echoes(struct probe *probe)
{
	uint8_t packet[256];
	struct sockaddr_storage from;
	int64_t at;
	ssize_t length;
	while ((length = receive(probe->icmp, packet, sizeof(packet), &from, &at)) >= 0) {
		size_t header = (size_t)(packet[0] & 0x0f) * 4;
		struct icmphdr echo;
		if ((size_t)length < header + sizeof(echo))
			continue;
		memcpy(&echo, packet + header, sizeof(echo));
		bool ours = echo.type == ICMP_ECHOREPLY && echo.un.echo.id == htons((uint16_t)getpid());
		if (ours && ((struct sockaddr_in *)&from)->sin_addr.s_addr == probe->options.address.s_addr)
			note_answer(probe, ntohs(echo.un.echo.sequence), at);
	}
}

/* Said once an echo after them was answered: which ones, all in a row, nobody answered. */
static void end_run(struct probe *probe)
{
	if (probe->run > 0)
		report("{\"kind\":\"lost\",\"start\":%ld,\"end\":%ld,\"count\":%lu,\"total\":%lu}", (long)probe->run_start,
		       (long)probe->run_end, (unsigned long)probe->run, (unsigned long)probe->lost);
	probe->run = 0;
}

static void note_loss(struct probe *probe, int64_t sent_at)
{
	probe->lost++;
	if (probe->run++ == 0)
		probe->run_start = sent_at;
	probe->run_end = sent_at;
}

void sweep_lost(struct probe *probe, int64_t now)
{
	for (; probe->swept < probe->sent; probe->swept++) {
		int64_t *sent_at = &probe->sent_at[(uint16_t)probe->swept];
		if (*sent_at != 0 && now - *sent_at < LOST_AFTER_US)
			return;
		/* Before the address answered for the first time there was nothing to lose. */
		if (*sent_at != 0 && probe->first_answer != 0 && *sent_at > probe->first_answer)
			note_loss(probe, *sent_at);
		else
			end_run(probe);
		*sent_at = 0;
	}
}
