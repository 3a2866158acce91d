/* See page.h. Eight pels at a time in one word; their order in it is that of the octets, low first. */
#include "page.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* One bit for each of eight pels that is at most the threshold, the first pel in the most significant. */
static inline uint8_t KERNEL(black_eight)(const uint8_t *pels, uint64_t above, int high)
{
    const uint64_t tops = 0x8080808080808080u;
    uint64_t x;
    memcpy(&x, pels, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    uint64_t over = (x & ~tops) + above; /* the top bit of an octet: its lower seven are over the threshold's */
    uint64_t white = high ? x & over : x | over;
    return (uint8_t)(((~white & tops) >> 7) * 0x8040201008040201u >> 56);
}

#if defined(__x86_64__)
/* One bit for each of 64 pels that is at most the threshold, the first pel in the most significant of its octet. */
static inline uint64_t KERNEL(black_64)(const uint8_t *pels, int threshold)
{
#if defined(__AVX512BW__)
    const __m512i turned = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);
    __m512i x = _mm512_shuffle_epi8(_mm512_loadu_si512(pels), turned);
    return _mm512_cmple_epu8_mask(x, _mm512_set1_epi8((char)threshold));
#elif defined(__AVX2__)
    const __m256i most = _mm256_set1_epi8((char)threshold);
    const __m256i turned = _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f,
                                             0x0001020304050607);
    uint64_t x = 0;
    for (int i = 0; i < 64; i += 32) {
        __m256i some = _mm256_loadu_si256((const __m256i *)(pels + i));
        some = _mm256_shuffle_epi8(some, turned);
        __m256i black = _mm256_cmpeq_epi8(_mm256_min_epu8(some, most), some);
        x |= (uint64_t)(uint32_t)_mm256_movemask_epi8(black) << i;
    }
    return x;
#else
    const __m128i most = _mm_set1_epi8((char)threshold);
    uint64_t x = 0;
    for (int i = 0; i < 64; i += 16) {
        __m128i some = _mm_loadu_si128((const __m128i *)(pels + i));
        x |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(some, most), some)) << i;
    }
    x = (x >> 1 & 0x5555555555555555u) | (x & 0x5555555555555555u) << 1;
    x = (x >> 2 & 0x3333333333333333u) | (x & 0x3333333333333333u) << 2;
    return (x >> 4 & 0x0f0f0f0f0f0f0f0fu) | (x & 0x0f0f0f0f0f0f0f0fu) << 4;
#endif
}
#endif

/* A packed line; the end of what was written. */
static inline uint8_t *KERNEL(black_line)(const uint8_t *grey, size_t width, int threshold, uint8_t *row)
{
    int high = threshold >= 128;
    uint64_t above = (uint64_t)(127 - (threshold & 127)) * 0x0101010101010101u;
    size_t x = 0;
#if defined(__x86_64__)
    for (; x + 64 <= width; x += 64, row += 8) {
        uint64_t black = KERNEL(black_64)(grey + x, threshold);
        memcpy(row, &black, 8);
    }
#endif
    for (; x + 8 <= width; x += 8)
        *row++ = KERNEL(black_eight)(grey + x, above, high);
    if (x < width) {
        uint8_t last = 0;
        for (size_t bit = 0; x + bit < width; bit++)
            last |= (uint8_t)((grey[x + bit] <= threshold) << (7 - bit));
        *row++ = last;
    }
    return row;
}

/* The sum of eight octets, each at most PAGE_TILE_MOST. */
static inline int32_t KERNEL(eight_octets)(const uint8_t *octets)
{
    uint64_t x;
    memcpy(&x, octets, 8);
    x = (x & 0x00ff00ff00ff00ffu) + (x >> 8 & 0x00ff00ff00ff00ffu);
    return (int32_t)(x * 0x0001000100010001u >> 48);
}

/* The sums of the columns of each tile; the end of what was written. */
static inline int32_t *KERNEL(sum_tiles)(const uint8_t *columns, size_t width, size_t tile_pels, int32_t *counts)
{
    for (size_t left = 0; left < width; left += tile_pels) {
        size_t right = left + tile_pels < width ? left + tile_pels : width;
        int32_t count = 0;
        size_t x = left;
        for (; x + 8 <= right; x += 8)
            count += KERNEL(eight_octets)(columns + x);
        for (; x < right; x++)
            count += columns[x];
        *counts++ = count;
    }
    return counts;
}

/* Packed rows, 1 = black: a pel is black if it is at most `threshold`; the bits after the last pel are 0. And how many
 * pels of each tile are at least `low` and below `high`; `columns` has room for a line. Tiles at the right and at the
 * bottom may be cut off. In one pass: a page is larger than the caches. */
void KERNEL(page_bilevel)(const uint8_t *grey, size_t width, size_t height, int threshold, int low, int high,
                          size_t tile_pels, size_t tile_lines, uint8_t *restrict columns, int32_t *counts,
                          uint8_t *rows)
{
    uint8_t from = (uint8_t)low, span = (uint8_t)(high - low);
    for (size_t top = 0; top < height; top += tile_lines) {
        size_t bottom = top + tile_lines < height ? top + tile_lines : height;
        memset(columns, 0, width);
        for (size_t y = top; y < bottom; y++, grey += width) {
            rows = KERNEL(black_line)(grey, width, threshold, rows);
            for (size_t x = 0; x < width; x++)
                columns[x] = (uint8_t)(columns[x] + ((uint8_t)(grey[x] - from) < span));
        }
        counts = KERNEL(sum_tiles)(columns, width, tile_pels, counts);
    }
}
