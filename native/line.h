/* One direction of a telephone line: gain, white noise, saturation, the round trip through G.711.
 *
 * Noise is a function of a key and the number of the sample alone, so it is the same for any chunking, batch or
 * worker; it repeats after 2^32 samples (six days). It is made in single precision, one operation at a time, which
 * every CPU level and NumPy round alike: they agree to the bit. */
#ifndef FAXCORE_LINE_H
#define FAXCORE_LINE_H

#include <stddef.h>
#include <stdint.h>

enum { LAW_NONE, LAW_MU, LAW_A };

/* |gain| <= 100 and sigma <= 100000 keep everything below 2^22, where single precision still has whole numbers. */
#define LINE_KERNELS(X)                                                                                           \
    X(void, line_carry, (const int16_t *samples, int16_t *out, size_t n, uint64_t position, const uint32_t key[3], \
                         float gain, float sigma, int law))

#endif
