/* The page codes MH, MR and MMR [T.4, T.6]: packed rows to code bits and back.
 *
 * Bits are in octets first bit first (most significant); t4_reverse turns them for a line. A row is kept as its
 * changes: the ascending positions of the pels that differ from the pel before them, the first one black. */
#ifndef FAXCORE_T4_H
#define FAXCORE_T4_H

#include <stddef.h>
#include <stdint.h>

enum { T4_MH, T4_MR, T4_MMR };
enum {
    T4_MAX_WIDTH = 16384,
    T4_MARGIN = 64,                             /* changes that a kernel may write behind those of a line */
    T4_LINE = T4_MAX_WIDTH + 2 * T4_MARGIN,     /* room for the changes of one line and a margin on both sides */
    T4_WORK = 2 * T4_LINE,
    T4_AS_ENCODED = 2,                          /* t4_decode has seen the octets that t4_encode gives for these rows */
    T4_PADDING = 32,                            /* zero octets that must follow coded octets */
};

/* octets that t4_encode may write: no line code takes more than 7 bits a pel, in MH 4.5 */
static inline int64_t t4_bound(int64_t height, int32_t width, int32_t min_line_bits)
{
    return height * ((7 * (int64_t)width + min_line_bits) / 8 + 16) + 32;
}

#define T4_KERNELS(X) \
    X(int64_t, t4_encode, (const uint8_t *rows, int64_t height, int32_t width, int32_t coding, int32_t k, \
                           int32_t min_line_bits, uint8_t *out, uint16_t *work)) \
    X(int64_t, t4_decode, (const uint8_t *octets, int64_t n_octets, int32_t coding, int32_t width, int64_t capacity, \
                           uint8_t *rows, uint8_t *bad, uint16_t *work, int32_t *complete)) \
    X(void, t4_reverse, (uint8_t *octets, int64_t n_octets))

#endif
