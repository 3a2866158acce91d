/* T.38 in bulk: the packets of a burst of data, datagrams around packets, and the data of datagrams that come in order
 * and without surprises. What is unusual is left to others. */
#ifndef FAXCORE_T38_H
#define FAXCORE_T38_H

#include <stddef.h>
#include <stdint.h>

struct t38_counts { int64_t datagrams, octets, frames; };

/* Octets of frames (`raw` 0) or page data (`raw` 1) are first bit least significant, as everywhere but on the wire.
 * `head` is the first octet of a packet, `form` 0 the one of 1998 and 1 that of 2002. */
#define T38_KERNELS(X)                                                                                             \
    X(int64_t, t38_pack, (const uint8_t *octets, const int32_t *lengths, size_t frames, size_t chunk, int head,     \
                          int form, int raw, uint8_t *out, int32_t *sizes, int64_t *bits))                          \
    X(int64_t, t38_wrap, (const uint8_t *packets, const int32_t *sizes, size_t n, size_t sent, int depth,           \
                          int64_t limit, int sequence, uint8_t *out, int32_t *out_sizes))                           \
    X(void, t38_unwrap, (const uint8_t *datagrams, const int32_t *sizes, size_t n, int sequence, int head, int form,\
                         int raw, uint8_t *out, int32_t *ends, int32_t *within, struct t38_counts *counts))

#endif
