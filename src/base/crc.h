/*
 * crc.h - sums by which bytes are known again
 *
 * Floor 0.  May use: base.  Used by: plan, tools, and heaptide.h, of which it
 * is a part: C99 and C++11.
 * Contexts: anywhere; nothing here has state.
 */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli, as in iSCSI, RFC 3720 B.4).  Begin with @crc 0, and go on
 * with the answer: crc_32c(crc_32c(0, "ab", 2), "c", 1) is that of "abc".
 */
uint32_t crc_32c(uint32_t crc, const void *data, size_t bytes);

/*
 * 64 bits by which contents are told apart; it is no defence against who wants
 * two to be the same.  It goes on in the same way, but by steps of 8 bytes: only
 * the last piece may be of another size.
 */
uint64_t crc_hash(uint64_t hash, const void *data, size_t bytes);

#endif
