/*
 * psi.h - does the kernel, or systemd, say that memory is short?
 *
 * Floor 8 (door), below cooperate.  May use: plan, sys.  Used by: cooperate.
 * Contexts: where a program calls tide_*(), one thread at a time; reads a file
 * or two each half second.
 */
#ifndef DOOR_PSI_H
#define DOOR_PSI_H

#include "plan/host.h"

/* As struct plan_host has it. */
int psi_look(struct host_pressure *pressure);

/* A child that was forked: what the parent watched is the parent's. */
void psi_in_child(void);

#endif
