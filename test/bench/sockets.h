/* What the two ends of the row "sockets" say to each other: a small request of the web, and a small answer to it. */
#ifndef SOCKETS_H
#define SOCKETS_H

#define REQUEST "GET /status HTTP/1.0\r\nHost: www.example.net\r\nUser-Agent: sockets\r\nAccept: */*\r\n\r\n"
#define ANSWER \
	"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 64\r\nConnection: close\r\n\r\n" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"

#endif
