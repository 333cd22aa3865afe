/*
 * own-malloc.c - a program with a malloc of its own, but for reallocarray()
 *
 * libc's reallocarray() calls the program's realloc().  One that calls libc's
 * instead gives a block that the program's free() has never seen.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK UINT64_C(0x6f776e206d616c6c)

struct head {
	size_t bytes;
	uint64_t mark;
};

static char heap[1 << 24] __attribute__((aligned(16)));
static size_t used;

static struct head *
head_of(void *block)
{
	struct head *head = (struct head *)block - 1;

	if ((char *)block < heap || (char *)block >= heap + sizeof(heap) ||
	    head->mark != MARK)
		abort();
	return head;
}

void *
malloc(size_t bytes)
{
	struct head *head = (struct head *)(heap + used);

	used += sizeof(*head) + ((bytes + 15) & ~(size_t)15);
	if (used > sizeof(heap))
		return NULL;
	head->bytes = bytes;
	head->mark = MARK;
	return head + 1;
}

void
free(void *block)
{
	if (block != NULL)
		(void)head_of(block);
}

void *
calloc(size_t n, size_t bytes)
{
	return malloc(n * bytes); /* no piece is used twice */
}

void *
realloc(void *block, size_t bytes)
{
	void *fresh = malloc(bytes);

	if (block != NULL && fresh != NULL) {
		size_t was = head_of(block)->bytes;

		memcpy(fresh, block, was < bytes ? was : bytes);
	}
	return fresh;
}

int
main(void)
{
	char *text = reallocarray(NULL, 4, 8);

	__asm__ volatile("" : "+r"(text));
	strcpy(text, "still here");
	text = reallocarray(text, 100, 8);
	/* Kept from the compiler: it knows what libc's reallocarray() does. */
	__asm__ volatile("" : "+r"(text));
	puts(text);
	free(text);
	return 0;
}
