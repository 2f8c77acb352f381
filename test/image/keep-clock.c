/* Tells the kernel that the clock is right, as an NTP client does, or with an argument that nobody keeps it. */
#include <stdio.h>
#include <sys/timex.h>

int main(int argc, char **argv)
{
	struct timex state = { .modes = ADJ_STATUS | ADJ_MAXERROR, .status = argc > 1 ? STA_UNSYNC : 0 };

	(void)argv;
	if (adjtimex(&state) < 0) {
		perror("adjtimex");
		return 1;
	}
	return 0;
}
