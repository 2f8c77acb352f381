/* ARP about the address: who announces it, who answers for it, and whether two do. */
#define _GNU_SOURCE
#include "probe.h"
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>

static const char *mac_text(const uint8_t *mac, char *text)
{
	sprintf(text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

void send_arp(struct probe *probe)
{
	struct ether_arp request = {
		.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETHERTYPE_IP), .ar_hln = ETH_ALEN, .ar_pln = 4, .ar_op = htons(ARPOP_REQUEST)}};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = probe->ifindex, .sll_protocol = htons(ETH_P_ARP), .sll_halen = ETH_ALEN};
	memcpy(request.arp_sha, probe->mac, ETH_ALEN);
	memcpy(request.arp_spa, &probe->own, 4);
	memcpy(request.arp_tpa, &probe->options.address, 4);
	memset(to.sll_addr, 0xff, ETH_ALEN);
	probe->asked++;
	probe->both_counted = false;
	(void)!sendto(probe->arp, &request, sizeof(request), 0, (struct sockaddr *)&to, sizeof(to));
}

static struct answerer *answerer_of(struct probe *probe, const uint8_t *mac)
{
	for (int i = 0; i < probe->answerer_count; i++)
		if (memcmp(probe->answerers[i].mac, mac, ETH_ALEN) == 0)
			return &probe->answerers[i];
	if (probe->answerer_count == ANSWERERS_MAX)
		return NULL;
	struct answerer *answerer = &probe->answerers[probe->answerer_count++];
	memcpy(answerer->mac, mac, ETH_ALEN);
	return answerer;
}

static void note_arp_answer(struct probe *probe, const uint8_t *mac, int64_t at)
{
	char text[18];
	struct answerer *answerer = answerer_of(probe, mac);
	if (answerer == NULL)
		return;
	if (!answerer->answering) {
		answerer->answering = true;
		answerer->first = at;
		report("{\"kind\":\"answering\",\"mac\":\"%s\",\"at\":%ld}", mac_text(mac, text), (long)at);
	}
	answerer->last = at;
	answerer->request = probe->asked;
	for (int i = 0; i < probe->answerer_count; i++) {
		const struct answerer *other = &probe->answerers[i];
		if (other == answerer || other->request != probe->asked || probe->both_counted)
			continue;
		probe->both++;
		probe->both_counted = true;
	}
}

void note_silences(struct probe *probe, int64_t now)
{
	char text[18];
	for (int i = 0; i < probe->answerer_count; i++) {
		struct answerer *answerer = &probe->answerers[i];
		if (!answerer->answering || now - answerer->last < SILENT_AFTER_US)
			continue;
		answerer->answering = false;
		report("{\"kind\":\"silent\",\"mac\":\"%s\",\"at\":%ld}", mac_text(answerer->mac, text), (long)answerer->last);
	}
}

void read_arp(struct probe *probe)
{
	struct ether_arp arp;
	struct sockaddr_storage from;
	int64_t at;
	ssize_t length;
	char text[18];
	while ((length = receive(probe->arp, &arp, sizeof(arp), &from, &at)) >= 0) {
		if ((size_t)length < sizeof(arp) || arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP))
			continue;
		bool about_source = memcmp(arp.arp_spa, &probe->options.address, 4) == 0;
		bool about_target = memcmp(arp.arp_tpa, &probe->options.address, 4) == 0;
		bool outgoing = ((struct sockaddr_ll *)&from)->sll_pkttype == PACKET_OUTGOING;
		if (outgoing && about_target && !probe->options.arp)
			report("{\"kind\":\"ask\",\"at\":%ld}", (long)at);
		else if (about_source && about_target)
			report("{\"kind\":\"announce\",\"at\":%ld,\"mac\":\"%s\",\"operation\":\"%s\"}", (long)at, mac_text(arp.arp_sha, text),
			       arp.ea_hdr.ar_op == htons(ARPOP_REQUEST) ? "request" : "reply");
		else if (about_source && probe->options.arp && arp.ea_hdr.ar_op == htons(ARPOP_REPLY))
			note_arp_answer(probe, arp.arp_sha, at);
	}
}
