#include "base/crc.h"

#include <string.h>

#include "base/base.h"

/* Of each half of a byte: small enough to be copied into every program. */
static const uint32_t half_byte[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t
crc_32c(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)data;

	crc = ~crc;
	for (; bytes > 0; bytes--) {
		crc ^= *at++;
		crc = (crc >> 4) ^ half_byte[crc & 15];
		crc = (crc >> 4) ^ half_byte[crc & 15];
	}
	return ~crc;
}

uint64_t
crc_hash(uint64_t hash, const void *data, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)data;
	uint64_t word;

	for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = mix_u64(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
		at += sizeof(word);
	}
	if (bytes == 0)
		return hash;
	word = bytes << 56;
	memcpy(&word, at, bytes);
	/* On either kind of machine the length is a part of it. */
	return mix_u64(hash ^ word ^ (uint64_t)bytes << 56) + bytes;
}
