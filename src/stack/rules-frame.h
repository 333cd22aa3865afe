/*
 * rules-frame.h - the rule of a place, as .eh_frame has it
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: rules.
 * Contexts: as rules.h.
 */
#ifndef STACK_RULES_FRAME_H
#define STACK_RULES_FRAME_H

#include <stdint.h>

#include "stack/rules.h"

/*
 * @header: the .eh_frame_hdr of the object that @place is in.  0; -ENOENT: it
 * has no entry for it; -ENOTSUP: of a shape that is not known here.
 */
int rules_compile(const uint8_t *header, uint64_t place, struct rule *rule);

#endif
