/* T.4 and T.6; what the encoder and the decoder share. */
#include "t4.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "t4_tables.h"

static inline uint64_t KERNEL(load_big)(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return __builtin_bswap64(word);
}

static inline void KERNEL(store_big)(uint8_t *at, uint64_t word)
{
    word = __builtin_bswap64(word);
    memcpy(at, &word, 8);
}

/* every octet's bits in reverse */
static inline uint64_t KERNEL(reverse_octets)(uint64_t x)
{
    x = (x >> 1 & 0x5555555555555555u) | (x & 0x5555555555555555u) << 1;
    x = (x >> 2 & 0x3333333333333333u) | (x & 0x3333333333333333u) << 2;
    return (x >> 4 & 0x0f0f0f0f0f0f0f0fu) | (x & 0x0f0f0f0f0f0f0f0fu) << 4;
}

void KERNEL(t4_reverse)(uint8_t *octets, int64_t n_octets)
{
    int64_t i = 0;
    for (; i + 8 <= n_octets; i += 8) {
        uint64_t word;
        memcpy(&word, octets + i, 8);
        word = KERNEL(reverse_octets)(word);
        memcpy(octets + i, &word, 8);
    }
    for (; i < n_octets; i++)
        octets[i] = (uint8_t)KERNEL(reverse_octets)(octets[i]);
}

/* End the changes of a line by the imaginary one behind the last pel, often enough for every look ahead, and put
 * one before the first that no position is left of. */
static inline void KERNEL(close_line)(uint16_t *changes, int n, int width)
{
    changes[-1] = 0;
    for (int i = 0; i < 8; i++)
        changes[n + i] = (uint16_t)width;
}

#include "t4_encode.c"
#include "t4_lines.c"
#include "t4_decode.c"
