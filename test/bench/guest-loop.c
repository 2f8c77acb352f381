/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Runs as many instructions as each line of standard input says, an even number, and answers "ok". */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

int main(void)
{
	uint64_t instructions;

	while (scanf("%" SCNu64, &instructions) == 1) {
		uint64_t turns = instructions / 2;

		if (turns)
			__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
