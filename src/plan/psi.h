/*
 * psi.h - does the kernel, or systemd, say that memory is short?
 *
 * Floor (plan).  May use: base, sys, host.h.  Used by: both hosts: door's, and that
 * of heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), one thread at a time; reads a file
 * or two each half second.
 */
#ifndef PLAN_PSI_H
#define PLAN_PSI_H

#include "plan/host.h"

/* As struct plan_host has it. */
int psi_look(struct host_pressure *pressure);

/* A child that was forked: what the parent watched is the parent's. */
void psi_in_child(void);

#endif
