/* A grey page to black and white by a threshold, and where its mid-greys are. */
#ifndef FAXCORE_PAGE_H
#define FAXCORE_PAGE_H

#include <stddef.h>
#include <stdint.h>

/* Tiles have at most 255 lines: the columns of one are counted in octets. */
enum { PAGE_TILE_MOST = 255 };

#define PAGE_KERNELS(X)                                                                                            \
    X(void, page_bilevel, (const uint8_t *grey, size_t width, size_t height, int threshold, int low, int high,     \
                           size_t tile_pels, size_t tile_lines, uint8_t *columns, int32_t *counts,                  \
                           uint8_t *rows))

#endif
