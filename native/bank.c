/* Transmission in a bank: every lane makes whole periods of the pulse pattern, so that all stand at the same row of it,
 * wherever their bursts began. */
#include "bank.h"
#include "qam_lanes.h"

typedef int32_t KERNEL(lane_numbers)[BANK_LANES];

/* Points of symbols [from, from + n) into one column of `laid`; nothing is sent before and after those at hand. */
static void KERNEL(lay_lane)(const struct bank_sender *s, const int16_t *points, const uint8_t *symbols, int64_t from, int n,
                             KERNEL(lane_numbers) *laid, int lane)
{
    int64_t ahead = s->first - from, end = ahead + s->count < n ? ahead + s->count : n;
    for (int64_t i = ahead > 0 ? ahead : 0; i < end; i++)
        memcpy(&laid[i][lane], points + 2 * symbols[i - ahead], sizeof laid[i][lane]);
    /* The next stretch's: lanes take turns faster than a processor sees that each goes on. */
    for (int64_t i = end; i < end + n; i += 64)
        __builtin_prefetch(symbols + i - ahead);
}

/* Products of every lane's window with `m` rows of weights; all the rows hear the same symbols. */
LANE_INLINE void KERNEL(shape_rows)(const struct qam_pulse *pulse, const int16_t *taps, int row, int m, int span,
                                    const KERNEL(lane_numbers) *window, int at, KERNEL(lane_bits) *sums)
{
    const int16_t *weights[4];
    for (int j = 0; j < m; j++) {
        weights[j] = taps + (row + j < pulse->rows ? row + j : row + j - pulse->rows) * 2 * span;
        sums[j] = (KERNEL(lane_bits)){0};
    }
    for (int k = 0; k < span; k++) {
        KERNEL(lane_ints) points = KERNEL(load_ints)(window[k] + at);
        for (int j = 0; j < m; j++) {
            int32_t pair;
            memcpy(&pair, weights[j] + 2 * k, sizeof pair);
            sums[j] += KERNEL(multiply_lanes)(points, (KERNEL(lane_ints)){0} + pair);
        }
    }
}

typedef int16_t KERNEL(lane_samples) __attribute__((vector_size(2 * LANE_WIDTH)));

/* Round as lrintf does and clip: what is added leaves no room for a fraction. */
LANE_INLINE void KERNEL(store_samples)(int16_t *to, KERNEL(lane_bits) sum, lane_part gain)
{
    lane_part value = __builtin_convertvector((KERNEL(lane_ints))sum, lane_part) * gain;
    value = KERNEL(clamp_lanes)(value, (lane_part){0} - 32768.0f, (lane_part){0} + 32767.0f);
    KERNEL(lane_ints) whole = (KERNEL(lane_ints))(value + 12582912.0f) - 0x4b400000;
    KERNEL(lane_samples) samples = __builtin_convertvector(whole, KERNEL(lane_samples));
    memcpy(to, &samples, sizeof samples);
}

/* The same for as many as hear the same symbols. */
LANE_INLINE void KERNEL(shape_some)(const struct qam_pulse *pulse, const int16_t *taps, int row, int m, int span,
                                    const KERNEL(lane_numbers) *window, const float *gain, int16_t (*made)[BANK_LANES])
{
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(lane_bits) sums[4];
        KERNEL(shape_rows)(pulse, taps, row, m, span, window, at, sums);
        for (int j = 0; j < m; j++)
            KERNEL(store_samples)(made[j] + at, sums[j], KERNEL(load_part)(gain + at));
    }
}

LANE_INLINE void KERNEL(shape_together)(const struct qam_pulse *pulse, const int16_t *taps, int row, int m, int span,
                                        const KERNEL(lane_numbers) *window, const float *gain, int16_t (*made)[BANK_LANES])
{
    switch (m) {
    case 1: KERNEL(shape_some)(pulse, taps, row, 1, span, window, gain, made); break;
    case 2: KERNEL(shape_some)(pulse, taps, row, 2, span, window, gain, made); break;
    case 3: KERNEL(shape_some)(pulse, taps, row, 3, span, window, gain, made); break;
    default: KERNEL(shape_some)(pulse, taps, row, 4, span, window, gain, made);
    }
}

static void KERNEL(shape_periods)(const struct qam_pulse *pulse, const int16_t *taps, const KERNEL(lane_numbers) *laid, int n,
                                  const float *gain, int16_t (*made)[BANK_LANES])
{
    int row = 0, rest = 0, newest = 0;
    for (int i = 0, m; i < n; i += m) {
        const KERNEL(lane_numbers) *window = laid + newest;
        for (m = 0; m < 4 && i + m < n && window == laid + newest; m++)
            for (rest += pulse->up; rest >= pulse->down; rest -= pulse->down)
                newest++;
        if (pulse->span == 24)
            KERNEL(shape_together)(pulse, taps, row, m, 24, window, gain, made + i);
        else
            KERNEL(shape_together)(pulse, taps, row, m, pulse->span, window, gain, made + i);
        row = row + m < pulse->rows ? row + m : row + m - pulse->rows;
    }
}

typedef int16_t samples_eight __attribute__((vector_size(16)));

/* Eight samples of eight lanes, turned from samples by lane to lanes by sample: sample `at` on. */
static void KERNEL(turn_eight)(int16_t (*from)[BANK_LANES], int lane, int16_t *const *to, int at)
{
    samples_eight a[8], b[8];
    for (int i = 0; i < 8; i++)
        memcpy(&a[i], from[at + i] + lane, sizeof a[i]);
    for (int i = 0; i < 4; i++) {
        b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
        b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int i = 0; i < 4; i++) {
        a[2 * i] = __builtin_shufflevector(b[i], b[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
        a[2 * i + 1] = __builtin_shufflevector(b[i], b[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int i = 0; i < 4; i++) {
        b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
        b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i++)
        memcpy(to[lane + i] + at, &b[i], sizeof b[i]);
}

/* Give out what lies in `spare`. */
static int64_t KERNEL(give_spare)(struct bank_sender *s, int rows, int16_t *out, int64_t n)
{
    int64_t given = s->made - s->sent < n ? s->made - s->sent : n;
    memcpy(out, s->spare + s->sent % rows, (size_t)given * sizeof *out);
    s->sent += given;
    return given;
}

/* The end of what a lane makes so that it can give `n` samples: of whole periods, but for the end of the symbols. */
static int64_t KERNEL(wanted_end)(const struct bank_sender *s, int rows, int64_t n)
{
    int64_t stop = (s->sent + n + rows - 1) / rows * rows;
    return stop < s->end ? stop : s->end;
}

/* Of samples made from `base` on: some are given out now, unless they lie there already, the rest of the last period is
 * kept. */
static int64_t KERNEL(give_made)(struct bank_sender *s, int rows, int64_t base, int64_t stop, const int16_t *made,
                                 int16_t *out, int64_t n)
{
    int64_t given = stop - s->made < n ? stop - s->made : n, from = s->made - base;
    if (made != out)
        memcpy(out, made + from, (size_t)given * sizeof *out);
    s->sent = s->made + given;
    s->made = stop;
    for (int64_t i = s->sent; i < stop; i++)
        s->spare[i % rows] = made[i - base];
    return given;
}

/* The lanes of a block in one call. */
struct KERNEL(stretch) {
    struct bank_sender *s;
    int lanes;
    int64_t n, done[BANK_LANES], base[BANK_LANES], stop[BANK_LANES]; /* samples wanted, and made from `base` to `stop` */
    int16_t *out;
};

/* Whole periods for all lanes that want one; the samples that they make at most. */
static int KERNEL(plan_stretch)(struct KERNEL(stretch) *t, int rows)
{
    int64_t most = 0, longest = BANK_STRETCH / rows * rows;
    for (int lane = 0; lane < t->lanes; lane++) {
        const struct bank_sender *s = t->s + lane;
        int64_t base = s->made / rows * rows;
        int64_t stop = t->done[lane] < t->n ? KERNEL(wanted_end)(s, rows, t->n - t->done[lane]) : s->made;
        stop = stop < base + longest ? stop : base + longest;
        t->base[lane] = base;
        t->stop[lane] = stop;
        if (stop > s->made)
            most = stop - base > most ? stop - base : most;
    }
    return (int)most;
}

/* Where the samples of a lane go: in place where all of them are wanted, and what the turning adds has room. */
static void KERNEL(place_samples)(const struct KERNEL(stretch) *t, int most, int16_t (*turned)[BANK_STRETCH], int16_t **to)
{
    for (int lane = 0; lane < BANK_LANES; lane++) {
        to[lane] = turned[lane];
        if (lane < t->lanes && t->stop[lane] > t->s[lane].made && t->s[lane].made == t->base[lane]
            && t->done[lane] + (most + 7) / 8 * 8 <= t->n)
            to[lane] = t->out + lane * t->n + t->done[lane];
    }
}

/* A stretch for all lanes of a block that want one; 0 when none does. */
static int KERNEL(shape_stretch)(const struct qam_pulse *pulse, const int16_t *taps, const int16_t *points,
                                 const uint8_t *symbols, int64_t capacity, struct KERNEL(stretch) *t)
{
    KERNEL(lane_numbers) laid[BANK_WINDOW] __attribute__((aligned(64)));
    int16_t made[BANK_STRETCH][BANK_LANES], turned[BANK_LANES][BANK_STRETCH], *to[BANK_LANES];
    float gain[BANK_LANES] = {0};
    int most = KERNEL(plan_stretch)(t, pulse->rows), heard = pulse->span + most * pulse->up / pulse->down;
    if (!most)
        return 0;
    memset(laid, 0, (size_t)heard * sizeof *laid);
    for (int lane = 0; lane < t->lanes; lane++) {
        gain[lane] = t->s[lane].gain;
        if (t->stop[lane] > t->s[lane].made)
            KERNEL(lay_lane)(t->s + lane, points, symbols + lane * capacity,
                             t->base[lane] * pulse->up / pulse->down - pulse->span + 1, heard, laid, lane);
    }
    KERNEL(shape_periods)(pulse, taps, (const KERNEL(lane_numbers) *)laid, most, gain, made);
    KERNEL(place_samples)(t, most, turned, to);
    for (int at = 0; at < most; at += 8)
        for (int lane = 0; lane < BANK_LANES; lane += 8)
            KERNEL(turn_eight)(made, lane, to, at);
    for (int lane = 0; lane < t->lanes; lane++)
        if (t->stop[lane] > t->s[lane].made)
            t->done[lane] += KERNEL(give_made)(t->s + lane, pulse->rows, t->base[lane], t->stop[lane], to[lane],
                                               t->out + lane * t->n + t->done[lane], t->n - t->done[lane]);
    return 1;
}

void KERNEL(bank_shape)(const struct qam_pulse *pulse, const int16_t *taps, const int16_t *points, const uint8_t *symbols,
                        int64_t capacity, struct bank_sender *senders, int64_t lanes, int16_t *out, int64_t n)
{
    for (int64_t first = 0; first < lanes; first += BANK_LANES) {
        struct KERNEL(stretch) t = {.s = senders + first, .n = n, .out = out + first * n};
        t.lanes = lanes - first < BANK_LANES ? (int)(lanes - first) : BANK_LANES;
        for (int lane = 0; lane < t.lanes; lane++)
            t.done[lane] = KERNEL(give_spare)(t.s + lane, pulse->rows, t.out + lane * n, n);
        while (KERNEL(shape_stretch)(pulse, taps, points, symbols + first * capacity, capacity, &t))
            continue;
        for (int lane = 0; lane < t.lanes; lane++)
            memset(t.out + lane * n + t.done[lane], 0, (size_t)(n - t.done[lane]) * sizeof *out);
    }
}
