/* Sixteen float lanes at every CPU level, and their sum in one fixed order: lane i with i + 8, i + 4, i + 2, i + 1.
 * A level only chooses how many registers carry the lanes, so that all levels give the same float to the bit. */
#ifndef FAXCORE_QAM_LANES_H
#define FAXCORE_QAM_LANES_H

#include <string.h>

#include "qam.h"

#if defined(__AVX512F__)
#define LANE_WIDTH 16
#elif defined(__AVX2__)
#define LANE_WIDTH 8
#else
#define LANE_WIDTH 4
#endif
#define LANE_PARTS (16 / LANE_WIDTH)

typedef float lane_part __attribute__((vector_size(4 * LANE_WIDTH)));
typedef float lane_quad __attribute__((vector_size(16)));
typedef struct { lane_part part[LANE_PARTS]; } lanes;

/* Here the lanes are known, and in a register. Else compilers put off what they can, and load and store all it needs. */
#if defined(__x86_64__)
#define KEEP_LANES(value) __asm__ volatile("" : "+v"(value))
#else
#define KEEP_LANES(value) (void)0
#endif

#define LANE_INLINE static inline __attribute__((always_inline, unused))

LANE_INLINE lane_part KERNEL(load_part)(const float *from)
{
    lane_part value;
    memcpy(&value, from, sizeof value);
    return value;
}

LANE_INLINE void KERNEL(store_lanes)(float *to, lane_part value)
{
    memcpy(to, &value, sizeof value);
}

typedef int32_t KERNEL(lane_ints) __attribute__((vector_size(4 * LANE_WIDTH)));

LANE_INLINE KERNEL(lane_ints) KERNEL(load_ints)(const void *from)
{
    KERNEL(lane_ints) value;
    memcpy(&value, from, sizeof value);
    return value;
}

LANE_INLINE void KERNEL(store_ints)(void *to, KERNEL(lane_ints) value)
{
    memcpy(to, &value, sizeof value);
}

LANE_INLINE KERNEL(lane_ints) KERNEL(choose)(KERNEL(lane_ints) yes, KERNEL(lane_ints) a, KERNEL(lane_ints) b)
{
    return (a & yes) | (b & ~yes);
}

typedef uint32_t KERNEL(lane_bits) __attribute__((vector_size(4 * LANE_WIDTH)));

/* Which lanes, as the level holds it best; a choice by it. */
#if LANE_WIDTH == 16
typedef __mmask16 KERNEL(lane_mask);
#else
typedef KERNEL(lane_ints) KERNEL(lane_mask);
#endif

LANE_INLINE KERNEL(lane_mask) KERNEL(less)(lane_part a, lane_part b)
{
#if LANE_WIDTH == 16
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
#else
    return a < b;
#endif
}

LANE_INLINE KERNEL(lane_mask) KERNEL(same)(KERNEL(lane_ints) a, KERNEL(lane_ints) b)
{
#if LANE_WIDTH == 16
    return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
#else
    return a == b;
#endif
}

LANE_INLINE KERNEL(lane_ints) KERNEL(pick)(KERNEL(lane_mask) yes, KERNEL(lane_ints) a, KERNEL(lane_ints) b)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_mask_blend_epi32(yes, (__m512i)b, (__m512i)a);
#else
    return KERNEL(choose)(yes, a, b);
#endif
}

LANE_INLINE lane_part KERNEL(pick_floats)(KERNEL(lane_mask) yes, lane_part a, lane_part b)
{
    return (lane_part)KERNEL(pick)(yes, (KERNEL(lane_ints))a, (KERNEL(lane_ints))b);
}

/* Within the limits as KERNEL(clamped): what is not a number is the lower one. */
LANE_INLINE lane_part KERNEL(clamp_lanes)(lane_part value, lane_part low, lane_part high)
{
#if LANE_WIDTH == 16
    return (lane_part)_mm512_max_ps(_mm512_min_ps((__m512)value, (__m512)high), (__m512)low);
#elif LANE_WIDTH == 8
    return (lane_part)_mm256_max_ps(_mm256_min_ps((__m256)value, (__m256)high), (__m256)low);
#else
    lane_part lower = KERNEL(pick_floats)(KERNEL(less)(value, high), value, high);
    return KERNEL(pick_floats)(KERNEL(less)(low, value), lower, low);
#endif
}

/* Each lane's own item of sixteen; the index counts modulo sixteen. */
LANE_INLINE KERNEL(lane_ints) KERNEL(look_up)(const void *table, KERNEL(lane_ints) index)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_permutexvar_epi32((__m512i)index, _mm512_loadu_si512(table));
#elif LANE_WIDTH == 8
    __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index);
    __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps((const float *)table + 8), (__m256i)index);
    return (KERNEL(lane_ints))_mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32((__m256i)index, 28)));
#else
    KERNEL(lane_ints) items;
    for (int p = 0; p < LANE_WIDTH; p++)
        items[p] = ((const int32_t *)table)[index[p] & 15];
    return items;
#endif
}

/* (from & mask) | other: three operations where the level has no single one for it. */
LANE_INLINE KERNEL(lane_ints) KERNEL(merge)(KERNEL(lane_ints) from, int32_t mask, KERNEL(lane_ints) other)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_ternarylogic_epi32((__m512i)from, _mm512_set1_epi32(mask), (__m512i)other, 0xea);
#else
    return (from & mask) | other;
#endif
}

/* Compilers do not see a minimum in a choice between vectors, and the choice takes three times as long. */
LANE_INLINE KERNEL(lane_ints) KERNEL(lesser)(KERNEL(lane_ints) a, KERNEL(lane_ints) b)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_min_epi32((__m512i)a, (__m512i)b);
#elif LANE_WIDTH == 8
    return (KERNEL(lane_ints))_mm256_min_epi32((__m256i)a, (__m256i)b);
#else
    return KERNEL(choose)(a < b, a, b);
#endif
}

typedef uint32_t lane_bits_quad __attribute__((vector_size(16)));

/* Products of eight integers, neighbours added. */
LANE_INLINE lane_bits_quad KERNEL(multiply_eight)(const int16_t *a, const int16_t *b)
{
#if defined(__SSE2__)
    return (lane_bits_quad)_mm_madd_epi16(_mm_loadu_si128((const void *)a), _mm_loadu_si128((const void *)b));
#else
    lane_bits_quad sums;
    for (int p = 0; p < 4; p++)
        sums[p] = (uint32_t)(a[2 * p] * b[2 * p]) + (uint32_t)(a[2 * p + 1] * b[2 * p + 1]);
    return sums;
#endif
}

/* Products of 2 * LANE_WIDTH integers, neighbours added. */
LANE_INLINE KERNEL(lane_bits) KERNEL(multiply_pairs)(const int16_t *a, const int16_t *b)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_bits))_mm512_madd_epi16(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
#elif LANE_WIDTH == 8
    return (KERNEL(lane_bits))_mm256_madd_epi16(_mm256_loadu_si256((const void *)a), _mm256_loadu_si256((const void *)b));
#else
    return KERNEL(multiply_eight)(a, b);
#endif
}

/* The same of two vectors, 2 * LANE_WIDTH integers each. */
LANE_INLINE KERNEL(lane_bits) KERNEL(multiply_lanes)(KERNEL(lane_ints) a, KERNEL(lane_ints) b)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_bits))_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif LANE_WIDTH == 8
    return (KERNEL(lane_bits))_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    return KERNEL(multiply_eight)((const int16_t *)&a, (const int16_t *)&b);
#endif
}

/* A matched filter's sums by fours of lanes. */
struct filter_sums { lane_bits_quad re, im; };

typedef uint32_t lane_bits_octet __attribute__((vector_size(32)));

LANE_INLINE lane_bits_quad KERNEL(fold_octet)(lane_bits_octet v)
{
    return (lane_bits_quad)__builtin_shufflevector(v, v, 0, 1, 2, 3) + (lane_bits_quad)__builtin_shufflevector(v, v, 4, 5, 6, 7);
}

#if LANE_WIDTH == 16
/* The real part in the lower eight lanes, the imaginary one in the upper. */
LANE_INLINE KERNEL(lane_bits) KERNEL(filter_lanes)(const int16_t *window, const int16_t *row)
{
    __m512i low = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)window));
    __m512i high = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)(window + QAM_FRONT / 2)));
    return (KERNEL(lane_bits))_mm512_madd_epi16(low, _mm512_loadu_si512(row))
           + (KERNEL(lane_bits))_mm512_madd_epi16(high, _mm512_loadu_si512(row + QAM_FRONT));
}
#endif

/* Products of a window with a row of the matched filters: real and imaginary weights of its first half, then of the
 * other. Integers add up in any order. */
LANE_INLINE struct filter_sums KERNEL(multiply_filter)(const int16_t *window, const int16_t *row)
{
#if LANE_WIDTH == 16
    KERNEL(lane_bits) sum = KERNEL(filter_lanes)(window, row);
    lane_bits_octet re = (lane_bits_octet)__builtin_shufflevector(sum, sum, 0, 1, 2, 3, 4, 5, 6, 7);
    lane_bits_octet im = (lane_bits_octet)__builtin_shufflevector(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15);
    return (struct filter_sums){KERNEL(fold_octet)(re), KERNEL(fold_octet)(im)};
#else
    const int16_t *other = window + QAM_FRONT / 2;
    KERNEL(lane_bits) re = KERNEL(multiply_pairs)(window, row), im = KERNEL(multiply_pairs)(window, row + QAM_FRONT / 2);
    re += KERNEL(multiply_pairs)(other, row + QAM_FRONT);
    im += KERNEL(multiply_pairs)(other, row + QAM_FRONT * 3 / 2);
#if LANE_WIDTH == 8
    return (struct filter_sums){KERNEL(fold_octet)(re), KERNEL(fold_octet)(im)};
#else
    re += KERNEL(multiply_pairs)(window + 8, row + 8);
    im += KERNEL(multiply_pairs)(window + 8, row + QAM_FRONT / 2 + 8);
    re += KERNEL(multiply_pairs)(other + 8, row + QAM_FRONT + 8);
    im += KERNEL(multiply_pairs)(other + 8, row + QAM_FRONT * 3 / 2 + 8);
    return (struct filter_sums){re, im};
#endif
#endif
}

/* The four sums of every fourth lane. */
LANE_INLINE lane_quad KERNEL(fold_lanes)(const lanes *v)
{
#if LANE_WIDTH == 4
    return (v->part[0] + v->part[2]) + (v->part[1] + v->part[3]);
#else
    typedef float octet __attribute__((vector_size(32)));
#if LANE_WIDTH == 16
    octet half = (octet)__builtin_shufflevector(v->part[0], v->part[0], 0, 1, 2, 3, 4, 5, 6, 7)
                 + (octet)__builtin_shufflevector(v->part[0], v->part[0], 8, 9, 10, 11, 12, 13, 14, 15);
#else
    octet half = v->part[0] + v->part[1];
#endif
    return (lane_quad)__builtin_shufflevector(half, half, 0, 1, 2, 3)
           + (lane_quad)__builtin_shufflevector(half, half, 4, 5, 6, 7);
#endif
}

LANE_INLINE float KERNEL(sum_lanes)(const lanes *v)
{
    lane_quad quad = KERNEL(fold_lanes)(v);
    return (quad[0] + quad[2]) + (quad[1] + quad[3]);
}

/* Dot product of n floats, n a positive multiple of 16. */
LANE_INLINE float KERNEL(dot)(const float *a, const float *b, int n)
{
    lanes sum;
    for (int p = 0; p < LANE_PARTS; p++)
        sum.part[p] = KERNEL(load_part)(a + p * LANE_WIDTH) * KERNEL(load_part)(b + p * LANE_WIDTH);
    for (int i = 16; i < n; i += 16) {
        for (int p = 0; p < LANE_PARTS; p++) {
            int at = i + p * LANE_WIDTH;
            sum.part[p] += KERNEL(load_part)(a + at) * KERNEL(load_part)(b + at);
        }
    }
    return KERNEL(sum_lanes)(&sum);
}

#endif
