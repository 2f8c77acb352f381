/*
 * verify FILE.bpf.o…: offers each program of the objects to the kernel's verifier, alone, and prints a JSON line for
 * each: whether it was taken, its stack by subprogram, and the verifier's last lines when it was not. libbpf.h.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_BYTES (16 << 20)
#define TAIL_LINES 40
/* include/linux/bpf_verifier.h: the steps of the verification, or its figures only. */
#define LOG_STEPS 1
#define LOG_FIGURES 4

static char verifier_log[LOG_BYTES];

static const char *tail(const char *text, int lines)
{
	const char *at = text + strlen(text);

	while (at > text && lines >= 0) {
		at--;
		if (*at == '\n' && at[1] != '\0')
			lines--;
	}
	return lines < 0 ? at + 1 : at;
}

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < ' ')
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* The names of an object's programs; how many. */
static int names_of(const char *path, char (*names)[64], int max)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int count = 0;

	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object) {
		if (count < max)
			snprintf(names[count++], sizeof(names[0]), "%s", bpf_program__name(program));
	}
	bpf_object__close(object);
	return count;
}

static unsigned jited_bytes_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	unsigned length = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) ? 0 : info.jited_prog_len;
}

/* Loads the one program; 0, or a negative errno with the log filled. */
static int offer(const char *path, const char *name, int level, unsigned *jited_bytes)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	struct bpf_map *map;
	int error;

	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, strcmp(bpf_program__name(program), name) == 0);
		bpf_program__set_log_level(program, level);
		bpf_program__set_log_buf(program, verifier_log, sizeof(verifier_log));
	}
	bpf_object__for_each_map(map, object)
		bpf_map__set_pin_path(map, NULL);
	verifier_log[0] = '\0';
	error = bpf_object__load(object);
	*jited_bytes = error ? 0 : jited_bytes_of(bpf_object__find_program_by_name(object, name));
	bpf_object__close(object);
	return error;
}

static void report(const char *path, const char *name)
{
	const char *stack;
	unsigned jited_bytes, none;
	int error = offer(path, name, LOG_FIGURES, &jited_bytes);

	printf("{\"program\":\"%s\",\"taken\":%s,\"jitedBytes\":%u,\"stack\":", name, error ? "false" : "true",
	       jited_bytes);
	stack = error ? NULL : strstr(verifier_log, "stack depth ");
	printf("\"%.*s\",\"log\":", stack ? (int)strcspn(stack + 12, "\n") : 0, stack ? stack + 12 : "");
	if (error)
		offer(path, name, LOG_STEPS, &none);
	print_string(error ? tail(verifier_log, TAIL_LINES) : tail(verifier_log, 2));
	printf("}\n");
}

int main(int argc, char **argv)
{
	char names[32][64];

	libbpf_set_print(silent);
	for (int i = 1; i < argc; i++) {
		int count = names_of(argv[i], names, 32);

		if (count < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-count));
			return 1;
		}
		for (int at = 0; at < count; at++)
			report(argv[i], names[at]);
	}
	return 0;
}
