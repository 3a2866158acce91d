/* See page.h. Eight pels at a time in one word; their order in it is that of the octets, low first. */
#include "page.h"

#include <string.h>

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

/* Packed rows, 1 = black: a pel is black if it is at most `threshold`; the bits after the last pel are 0. */
void KERNEL(page_threshold)(const uint8_t *grey, size_t width, size_t height, int threshold, uint8_t *rows)
{
    int high = threshold >= 128;
    uint64_t above = (uint64_t)(127 - (threshold & 127)) * 0x0101010101010101u;
    for (size_t y = 0; y < height; y++, grey += width) {
        size_t x = 0;
        for (; x + 8 <= width; x += 8)
            *rows++ = KERNEL(black_eight)(grey + x, above, high);
        if (x < width) {
            uint8_t last = 0;
            for (size_t bit = 0; x + bit < width; bit++)
                last |= (uint8_t)((grey[x + bit] <= threshold) << (7 - bit));
            *rows++ = last;
        }
    }
}

/* How many pels of each tile are at least `low` and below `high`; `columns` has room for a line. Tiles at the right
 * and at the bottom may be cut off. */
void KERNEL(page_mid_greys)(const uint8_t *grey, size_t width, size_t height, int low, int high, size_t tile_pels,
                            size_t tile_lines, uint8_t *columns, int32_t *counts)
{
    uint8_t from = (uint8_t)low, span = (uint8_t)(high - low);
    for (size_t top = 0; top < height; top += tile_lines) {
        size_t bottom = top + tile_lines < height ? top + tile_lines : height;
        memset(columns, 0, width);
        for (size_t y = top; y < bottom; y++)
            for (size_t x = 0; x < width; x++)
                columns[x] = (uint8_t)(columns[x] + ((uint8_t)(grey[y * width + x] - from) < span));
        for (size_t left = 0; left < width; left += tile_pels) {
            size_t right = left + tile_pels < width ? left + tile_pels : width;
            int32_t count = 0;
            for (size_t x = left; x < right; x++)
                count += columns[x];
            *counts++ = count;
        }
    }
}
