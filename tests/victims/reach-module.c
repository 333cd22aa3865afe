/*
 * reach-module.c - a library that is loaded later, with data of its own and of
 * its threads
 */
void *reach_data = (void *)1;
void **reach_local(void);

static _Thread_local void *local = (void *)2;

void **
reach_local(void)
{
	return &local;
}
