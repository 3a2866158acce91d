/* Sixteen lanes that have data, side by side: front, equaliser. Each operation and each sum comes in the order of the
 * lone lane (qam_receive.c), so that no bit of it differs. */
#include "bank_block.h"

/* Four numbers of four rows become four of four columns. */
LANE_INLINE void KERNEL(turn_four)(const float *const *from, float *const *to)
{
    lane_quad a[4], b[4];
    for (int i = 0; i < 4; i++)
        memcpy(&a[i], from[i], sizeof a[i]);
    for (int i = 0; i < 2; i++) {
        b[2 * i] = __builtin_shufflevector(a[i], a[i + 2], 0, 4, 1, 5);
        b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 2], 2, 6, 3, 7);
    }
    for (int i = 0; i < 2; i++) {
        a[2 * i] = __builtin_shufflevector(b[i], b[i + 2], 0, 4, 1, 5);
        a[2 * i + 1] = __builtin_shufflevector(b[i], b[i + 2], 2, 6, 3, 7);
    }
    for (int i = 0; i < 4; i++)
        memcpy(to[i], &a[i], sizeof a[i]);
}

/* So many numbers (a multiple of four) of each lane as rows of all lanes. */
static void KERNEL(gather_rows)(float *const *lanes, int n, KERNEL(lane_floats) *rows)
{
    for (int i = 0; i < n; i += 4) {
        for (int l = 0; l < BANK_LANES; l += 4) {
            const float *from[4] = {lanes[l] + i, lanes[l + 1] + i, lanes[l + 2] + i, lanes[l + 3] + i};
            float *to[4] = {rows[i] + l, rows[i + 1] + l, rows[i + 2] + l, rows[i + 3] + l};
            KERNEL(turn_four)(from, to);
        }
    }
}

/* The same back. */
static void KERNEL(scatter_rows)(const KERNEL(lane_floats) *rows, int n, float *const *lanes)
{
    for (int i = 0; i < n; i += 4) {
        for (int l = 0; l < BANK_LANES; l += 4) {
            const float *from[4] = {rows[i] + l, rows[i + 1] + l, rows[i + 2] + l, rows[i + 3] + l};
            float *to[4] = {lanes[l] + i, lanes[l + 1] + i, lanes[l + 2] + i, lanes[l + 3] + i};
            KERNEL(turn_four)(from, to);
        }
    }
}

/* The equalisers of all lanes, which have entered otherwise. */
static void KERNEL(enter_equalisers)(struct KERNEL(block) *b)
{
    float *taps_re[BANK_LANES], *taps_im[BANK_LANES], *delay_re[BANK_LANES], *delay_im[BANK_LANES];
    for (int l = 0; l < BANK_LANES; l++) {
        struct qam_receiver *r = b->r[l];
        taps_re[l] = r->taps_re, taps_im[l] = r->taps_im;
        delay_re[l] = r->delay_re + r->delay_head - QAM_TAPS;
        delay_im[l] = r->delay_im + r->delay_head - QAM_TAPS;
    }
    KERNEL(gather_rows)(taps_re, QAM_TAPS, b->taps_re);
    KERNEL(gather_rows)(taps_im, QAM_TAPS, b->taps_im);
    KERNEL(gather_rows)(delay_re, QAM_TAPS, b->delay_re + b->head - QAM_TAPS);
    KERNEL(gather_rows)(delay_im, QAM_TAPS, b->delay_im + b->head - QAM_TAPS);
}

static void KERNEL(leave_equalisers)(struct KERNEL(block) *b)
{
    float *taps_re[BANK_LANES], *taps_im[BANK_LANES], *delay_re[BANK_LANES], *delay_im[BANK_LANES], nobody[QAM_TAPS];
    for (int l = 0; l < BANK_LANES; l++) {
        struct qam_receiver *r = b->r[l];
        taps_re[l] = l < b->count ? r->taps_re : nobody, taps_im[l] = l < b->count ? r->taps_im : nobody;
        delay_re[l] = l < b->count ? r->delay_re : nobody, delay_im[l] = l < b->count ? r->delay_im : nobody;
        r->delay_head = QAM_TAPS;
    }
    KERNEL(scatter_rows)(b->taps_re, QAM_TAPS, taps_re);
    KERNEL(scatter_rows)(b->taps_im, QAM_TAPS, taps_im);
    KERNEL(scatter_rows)(b->delay_re + b->head - QAM_TAPS, QAM_TAPS, delay_re);
    KERNEL(scatter_rows)(b->delay_im + b->head - QAM_TAPS, QAM_TAPS, delay_im);
}

static void KERNEL(enter_lane)(struct KERNEL(block) *b, int l, struct qam_receiver *r)
{
    b->r[l] = r;
    b->history[l] = r->history;
    b->clock[l] = r->clock;
    b->drift[l] = r->drift;
    b->phase_re[l] = r->phase_re, b->phase_im[l] = r->phase_im;
    b->turn_re[l] = r->turn_re, b->turn_im[l] = r->turn_im;
    b->last_re[l] = r->last_re, b->last_im[l] = r->last_im;
    b->last_point_re[l] = r->last_point_re, b->last_point_im[l] = r->last_point_im;
    b->power[l] = r->power, b->block_power[l] = r->block_power, b->block_error[l] = r->block_error;
    b->step_size[l] = r->step_size, b->loud[l] = r->loud;
    b->hold[l] = r->hold, b->left[l] = r->symbols_a_block - r->block_symbols;
    b->skip[l] = r->skip, b->pending_bits[l] = r->pending_bits;
    b->line[l] = r->scrambler.line, b->state[l] = r->state, b->pending[l] = r->pending;
    for (int s = 0; s < QAM_STATES; s++)
        b->metric[s][l] = r->metric[s];
    if (r->trellis)
        KERNEL(enter_survivors)(b, l, r);
}

static void KERNEL(leave_lane)(const struct KERNEL(block) *b, int l)
{
    struct qam_receiver *r = b->r[l];
    r->clock = b->clock[l];
    r->drift = b->drift[l];
    r->phase_re = b->phase_re[l], r->phase_im = b->phase_im[l];
    r->turn_re = b->turn_re[l], r->turn_im = b->turn_im[l];
    r->last_re = b->last_re[l], r->last_im = b->last_im[l];
    r->last_point_re = b->last_point_re[l], r->last_point_im = b->last_point_im[l];
    r->power = b->power[l], r->block_power = b->block_power[l], r->block_error = b->block_error[l];
    r->hold = b->hold[l];
    r->block_symbols = r->symbols_a_block - b->left[l] + b->judged;
    r->skip = b->skip[l], r->pending_bits = b->pending_bits[l];
    r->scrambler.line = b->line[l], r->state = b->state[l], r->pending = b->pending[l];
    for (int s = 0; s < QAM_STATES; s++)
        r->metric[s] = b->metric[s][l];
    if (r->trellis)
        KERNEL(leave_survivors)(b, l, r);
}

/* Where the equaliser of a part of the lanes finds its taps and its half symbols. */
struct KERNEL(equaliser) {
    float *taps_re, *taps_im;
    const float *delay_re, *delay_im; /* of the next symbol; tap i was two rows above when the last one was decided */
    lane_part step_re, step_im;
};

typedef struct { lane_part re, im; } KERNEL(lane_complex);

/* Half symbols that the next symbol meets at tap i. They are used four times, and loads are what the equaliser waits for. */
LANE_INLINE KERNEL(lane_complex) KERNEL(load_delay)(const struct KERNEL(equaliser) *e, int i)
{
    KERNEL(lane_complex) value = {KERNEL(load_part)(e->delay_re + i * BANK_LANES), KERNEL(load_part)(e->delay_im + i * BANK_LANES)};
    KEEP_LANES(value.re);
    KEEP_LANES(value.im);
    return value;
}

/* One tap, moved by what the last symbol said, and what it adds to the next. */
LANE_INLINE KERNEL(lane_complex) KERNEL(apply_tap)(const struct KERNEL(equaliser) *e, int i, int adapt, KERNEL(lane_complex) *delay)
{
    float *taps_re = e->taps_re + i * BANK_LANES, *taps_im = e->taps_im + i * BANK_LANES;
    lane_part a = KERNEL(load_part)(taps_re), c = KERNEL(load_part)(taps_im);
    if (adapt) {
        a += e->step_re * delay->re + e->step_im * delay->im;
        c += e->step_im * delay->re - e->step_re * delay->im;
        KERNEL(store_lanes)(taps_re, a);
        KERNEL(store_lanes)(taps_im, c);
    }
    *delay = KERNEL(load_delay)(e, i);
    return (KERNEL(lane_complex)){a * delay->re - c * delay->im, a * delay->im + c * delay->re};
}

LANE_INLINE KERNEL(lane_complex) KERNEL(add_complex)(KERNEL(lane_complex) a, KERNEL(lane_complex) b)
{
    return (KERNEL(lane_complex)){a.re + b.re, a.im + b.im};
}

/* Half of the sum: every other strand of two taps, i and i + 16, each a half symbol on from the one before. */
LANE_INLINE KERNEL(lane_complex) KERNEL(apply_half)(const struct KERNEL(equaliser) *e, int first, int adapt)
{
    KERNEL(lane_complex) strand[8], low = KERNEL(load_delay)(e, first - 2), high = KERNEL(load_delay)(e, first + 14);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        strand[i] = KERNEL(apply_tap)(e, first + 2 * i, adapt, &low);
        strand[i] = KERNEL(add_complex)(strand[i], KERNEL(apply_tap)(e, first + 2 * i + 16, adapt, &high));
        if (i >= 4)
            strand[i - 4] = KERNEL(add_complex)(strand[i - 4], strand[i]);
        KEEP_LANES(strand[i & 3].re);
        KEEP_LANES(strand[i & 3].im);
    }
    return KERNEL(add_complex)(KERNEL(add_complex)(strand[0], strand[2]), KERNEL(add_complex)(strand[1], strand[3]));
}

/* The equaliser's output for the next symbol, and on the way to it KERNEL(adapt) by the last one. */
LANE_INLINE void KERNEL(equalise_lanes)(struct KERNEL(block) *b, int adapt)
{
    int next = b->head - QAM_TAPS;
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        struct KERNEL(equaliser) e = {b->taps_re[0] + at, b->taps_im[0] + at, b->delay_re[next] + at, b->delay_im[next] + at,
                                      KERNEL(load_part)(b->step_re + at), KERNEL(load_part)(b->step_im + at)};
        KERNEL(lane_complex) even = KERNEL(apply_half)(&e, 0, adapt), odd = KERNEL(apply_half)(&e, 1, adapt);
        lane_part z_re = even.re + odd.re, z_im = even.im + odd.im;
        lane_part cosine = KERNEL(load_part)(b->phase_re + at), sine = KERNEL(load_part)(b->phase_im + at);
        KERNEL(store_lanes)(b->re + at, z_re * cosine + z_im * sine);
        KERNEL(store_lanes)(b->im + at, z_im * cosine - z_re * sine);
    }
}

/* What the matched filters of all lanes multiply now: samples, and rows of weights. */
struct KERNEL(filters) {
    const int16_t *window[BANK_LANES], *row[BANK_LANES];
};

/* The filters of this half symbol; the clocks go on to the next one. A call of its own: where compilers see both sides,
 * they take the addresses out of vectors one by one. */
static __attribute__((noinline)) void KERNEL(place_filters)(struct KERNEL(block) *b, struct KERNEL(filters) *f)
{
    const uint64_t half_step = (uint64_t)b->r[0]->half_step, nearest = 1ull << (31 - QAM_PHASE_BITS);
    const int16_t *bank = b->t->bank;
    for (int l = 0; l < BANK_LANES; l++) {
        uint64_t place = (uint64_t)b->clock[l] + nearest;
        f->window[l] = b->history[l] + (place >> 32);
        f->row[l] = bank + (place >> (32 - QAM_PHASE_BITS) & (QAM_PHASES - 1)) * (2 * QAM_FRONT);
        b->clock[l] += (int64_t)half_step;
    }
}

#if LANE_WIDTH == 16
/* Sums of numbers 2 or 1 apart: of `a` in the lower half of every four lanes, of `b` in the upper one. */
LANE_INLINE __m512i KERNEL(fold_two)(__m512i a, __m512i b)
{
    return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

LANE_INLINE __m512i KERNEL(fold_one)(__m512i a, __m512i b)
{
    __m512 x = _mm512_castsi512_ps(a), y = _mm512_castsi512_ps(b);
    return _mm512_add_epi32(_mm512_castps_si512(_mm512_shuffle_ps(x, y, 0x88)), _mm512_castps_si512(_mm512_shuffle_ps(x, y, 0xdd)));
}

/* The same 4 apart, in every eight lanes; those of `b` are turned first. */
LANE_INLINE __m512i KERNEL(fold_four)(__m512i a, __m512i b)
{
    __m512i inner = _mm512_mask_blend_epi32(0xf0f0, b, a), outer = _mm512_mask_blend_epi32(0xf0f0, a, b);
    return _mm512_add_epi32(outer, _mm512_permutex_epi64(inner, 0x4e));
}

/* Four lanes from `first` on: each four lanes hold a part of their sums, real parts below imaginary ones. */
LANE_INLINE __m512i KERNEL(filter_four)(const struct KERNEL(filters) *f, int first)
{
    __m512i v[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        v[i] = (__m512i)KERNEL(filter_lanes)(f->window[first + i], f->row[first + i]);
    return KERNEL(fold_one)(KERNEL(fold_two)(v[0], v[1]), KERNEL(fold_two)(v[2], v[3]));
}

static void KERNEL(take_half_lanes)(struct KERNEL(block) *b)
{
    struct KERNEL(filters) f;
    KERNEL(place_filters)(b, &f);
    __m512i low = KERNEL(fold_four)(KERNEL(filter_four)(&f, 0), KERNEL(filter_four)(&f, 4));
    __m512i high = KERNEL(fold_four)(KERNEL(filter_four)(&f, 8), KERNEL(filter_four)(&f, 12));
    KERNEL(store_lanes)(b->delay_re[b->head], (lane_part)_mm512_cvtepi32_ps(_mm512_shuffle_i64x2(low, high, 0x44)));
    KERNEL(store_lanes)(b->delay_im[b->head++], (lane_part)_mm512_cvtepi32_ps(_mm512_shuffle_i64x2(low, high, 0xee)));
}
#else
/* The last folds of four sums. */
LANE_INLINE void KERNEL(store_quads)(float *to, lane_bits_quad a, lane_bits_quad b, lane_bits_quad c, lane_bits_quad d)
{
    lane_bits_quad ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
    lane_bits_quad cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
    ab = __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
    for (int i = 0; i < 4; i++)
        to[i] = (float)(int32_t)ab[i];
}

static void KERNEL(take_half_lanes)(struct KERNEL(block) *b)
{
    struct KERNEL(filters) f;
    KERNEL(place_filters)(b, &f);
    for (int first = 0; first < BANK_LANES; first += 4) {
        struct filter_sums s[4];
        for (int i = 0; i < 4; i++)
            s[i] = KERNEL(multiply_filter)(f.window[first + i], f.row[first + i]);
        KERNEL(store_quads)(b->delay_re[b->head] + first, s[0].re, s[1].re, s[2].re, s[3].re);
        KERNEL(store_quads)(b->delay_im[b->head] + first, s[0].im, s[1].im, s[2].im, s[3].im);
    }
    b->head++;
}
#endif

static void KERNEL(make_room_lanes)(struct KERNEL(block) *b)
{
    if (b->head + 2 <= BANK_DELAY)
        return;
    memmove(b->delay_re, b->delay_re + b->head - QAM_TAPS, QAM_TAPS * sizeof *b->delay_re);
    memmove(b->delay_im, b->delay_im + b->head - QAM_TAPS, QAM_TAPS * sizeof *b->delay_im);
    b->head = QAM_TAPS;
}
