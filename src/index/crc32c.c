/* crc32c.c - CRC32C by the processor's instruction where it has one, by a small table elsewhere. */
#include "index/crc32c.h"

#define POLYNOMIAL 0x82f63b78u /* reflected */

uint32_t crc32c_portable(uint32_t crc, struct slice bytes)
{
	/* Four bits a step. */
	static const uint32_t table[16] = {
		0x00000000,
		0x105ec76f,
		0x20bd8ede,
		0x30e349b1,
		0x417b1dbc,
		0x5125dad3,
		0x61c69362,
		0x7198540d,
		0x82f63b78,
		0x92a8fc17,
		0xa24bb5a6,
		0xb21572c9,
		0xc38d26c4,
		0xd3d3e1ab,
		0xe330a81a,
		0xf36e6f75,
	};

	crc = ~crc;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (uint8_t)bytes.ptr[i];
		crc = table[crc & 15] ^ (crc >> 4);
		crc = table[crc & 15] ^ (crc >> 4);
	}
	return ~crc;
}

#if defined(__x86_64__)

#define LANE ((size_t)16384)
#define BEHIND_A_LANE 0xbf455269u /* x^(8 * LANE), reflected: its bit 31 is x^0 */

/* Modulo the polynomial. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (int bit = 31; bit >= 0; bit--) {
		product ^= b & -(a >> bit & 1);
		b = (b >> 1) ^ (POLYNOMIAL & -(b & 1));
	}
	return product;
}

/* The instruction takes three cycles, and the processor begins one in each: three sums at a time. */
__attribute__((target("sse4.2"))) static uint32_t three_lanes(uint32_t sum, const char *p)
{
	uint64_t a = sum, b = 0, c = 0, of_a, of_b, of_c;

	for (size_t i = 0; i < LANE; i += 8) {
		memcpy(&of_a, p + i, 8);
		memcpy(&of_b, p + LANE + i, 8);
		memcpy(&of_c, p + 2 * LANE + i, 8);
		a = __builtin_ia32_crc32di(a, of_a);
		b = __builtin_ia32_crc32di(b, of_b);
		c = __builtin_ia32_crc32di(c, of_c);
	}
	sum = multiply((uint32_t)a, BEHIND_A_LANE) ^ (uint32_t)b;
	return multiply(sum, BEHIND_A_LANE) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, struct slice bytes)
{
	const char *p = bytes.ptr, *end = p + bytes.len;
	uint64_t sum = ~crc, word;

	for (; (size_t)(end - p) >= 3 * LANE; p += 3 * LANE)
		sum = three_lanes((uint32_t)sum, p);
	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, 8);
		sum = __builtin_ia32_crc32di(sum, word);
	}
	for (; p < end; p++)
		sum = __builtin_ia32_crc32qi((uint32_t)sum, (uint8_t)*p);
	return ~(uint32_t)sum;
}
#endif

uint32_t crc32c(uint32_t crc, struct slice bytes)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, bytes);
#endif
	return crc32c_portable(crc, bytes);
}
