#include "line.h"

#include <math.h>
#include <string.h>

#define LINE_INLINE static inline __attribute__((always_inline))

/* A 32-bit permutation without visible structure (multiply and xor-shift, twice). */
LINE_INLINE uint32_t KERNEL(line_mix)(uint32_t h)
{
    h = (h ^ h >> 16) * 0x7feb352dU;
    h = (h ^ h >> 15) * 0x846ca68bU;
    return h ^ h >> 16;
}

LINE_INLINE float KERNEL(line_float_of_bits)(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

LINE_INLINE uint32_t KERNEL(line_bits_of_float)(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Natural logarithm of u in (0, 1), to 1e-5 of its value. */
LINE_INLINE float KERNEL(line_log_of)(float u)
{
    uint32_t bits = KERNEL(line_bits_of_float)(u);
    int32_t exponent = (int32_t)(bits - 0x3f3504f3U) >> 23; /* mantissa from the root of one half on */
    float f = KERNEL(line_float_of_bits)(bits - ((uint32_t)exponent << 23)) - 1.0f;
    float p = -0.14338313f;
    p = p * f + 0.22070299f;
    p = p * f + -0.25397831f;
    p = p * f + 0.33256778f;
    p = p * f + -0.49990362f;
    p = p * f + 1.0000046f;
    return (float)exponent * 0.6931472f + p * f;
}

/* Box and Muller: a Rayleigh radius times the sine of an angle in [-90, 90] degrees. Reaches 5.7 sigma. */
LINE_INLINE float KERNEL(line_gaussian)(uint32_t number, const uint32_t *key)
{
    uint32_t base = KERNEL(line_mix)(number ^ key[0]);
    uint32_t radius_bits = KERNEL(line_mix)(base + key[1]), angle_bits = KERNEL(line_mix)(base + key[2]);
    float u = ((float)(int32_t)(radius_bits >> 9) + 0.5f) * 0x1p-23f;
    float y = (float)(int32_t)angle_bits * 0x1p-31f;
    float square = y * y;
    float sine = -0.0043708002f;
    sine = sine * square + 0.079500325f;
    sine = sine * square + -0.64592582f;
    sine = (sine * square + 1.5707952f) * y;
    return sqrtf(-2.0f * KERNEL(line_log_of)(u)) * sine;
}

/* The quantiser of G.711 is a float with four bits of mantissa; the decoder adds half of the last one. */
LINE_INLINE int32_t KERNEL(line_quantised)(int32_t magnitude)
{
    uint32_t bits = KERNEL(line_bits_of_float)((float)magnitude);
    return (int32_t)KERNEL(line_float_of_bits)((bits & 0xfff80000U) | 0x00040000U);
}

LINE_INLINE int32_t KERNEL(line_through_law)(int32_t sample, int law)
{
    int32_t sign = sample >> 31;
    int32_t magnitude = (sample ^ sign) - sign;
    if (law == LAW_MU) {
        magnitude = magnitude < 32635 ? magnitude : 32635;
        magnitude = KERNEL(line_quantised)(magnitude + 132) - 132;
    } else {
        magnitude = magnitude < 32767 ? magnitude : 32767;
        int32_t linear = magnitude < 256 ? 256 : 0; /* the lowest two segments have one step */
        magnitude = KERNEL(line_quantised)(magnitude + linear) - linear;
    }
    return (magnitude ^ sign) - sign;
}

LINE_INLINE void KERNEL(line_run)(const int16_t *samples, int16_t *out, size_t n, uint32_t position,
                                  const uint32_t *key, float gain, float sigma, int law, int noisy)
{
    for (size_t i = 0; i < n; i++) {
        float y = (float)samples[i] * gain;
        if (noisy)
            y = y + KERNEL(line_gaussian)(position + (uint32_t)i, key) * sigma;
        int32_t sample = (int32_t)((y + 12582912.0f) - 12582912.0f); /* to the nearest whole number below 2^22 */
        sample = sample < -32768 ? -32768 : sample;
        sample = sample > 32767 ? 32767 : sample;
        out[i] = (int16_t)(law ? KERNEL(line_through_law)(sample, law) : sample);
    }
}

static void KERNEL(line_carry)(const int16_t *samples, int16_t *out, size_t n, uint64_t position,
                               const uint32_t key[3], float gain, float sigma, int law)
{
    uint32_t from = (uint32_t)position, k[3] = {key[0], key[1], key[2]};
    if (sigma == 0.0f && law == LAW_NONE)
        KERNEL(line_run)(samples, out, n, from, k, gain, sigma, LAW_NONE, 0);
    else if (sigma == 0.0f && law == LAW_MU)
        KERNEL(line_run)(samples, out, n, from, k, gain, sigma, LAW_MU, 0);
    else if (sigma == 0.0f)
        KERNEL(line_run)(samples, out, n, from, k, gain, sigma, LAW_A, 0);
    else if (law == LAW_NONE)
        KERNEL(line_run)(samples, out, n, from, k, gain, sigma, LAW_NONE, 1);
    else if (law == LAW_MU)
        KERNEL(line_run)(samples, out, n, from, k, gain, sigma, LAW_MU, 1);
    else
        KERNEL(line_run)(samples, out, n, from, k, gain, sigma, LAW_A, 1);
}

#undef LINE_INLINE
