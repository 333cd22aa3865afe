/*
 * inside.h - our own segment, as control has those of others
 *
 * Floor 8 (door), below dial.  May use: mem, control.  Used by: dial, attend,
 * keeper.
 * Contexts: anywhere once there is a segment.
 */
#ifndef DOOR_INSIDE_H
#define DOOR_INSIDE_H

#include "control/control.h"

struct control inside(void);

#endif
