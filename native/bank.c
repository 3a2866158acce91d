/* Transmission in a bank: every lane makes whole periods of the pulse pattern, so that all stand at the same row of it,
 * wherever their bursts began. */
#include "bank.h"
#include "qam_lanes.h"

/* Points of symbols [from, from + n) into one column of `laid`; nothing is sent before and after those at hand. */
static void KERNEL(lay_lane)(const struct bank_sender *s, const uint8_t *symbols, int64_t from, int n,
                             float (*laid)[2][BANK_LANES], int lane)
{
    for (int i = 0; i < n; i++) {
        int64_t at = from + i - s->first;
        int inside = at >= 0 && at < s->count;
        const float *point = s->points[inside ? symbols[at] : 0];
        laid[i][0][lane] = inside ? point[0] : 0.0f;
        laid[i][1][lane] = inside ? point[1] : 0.0f;
    }
}

/* Products of every sixteenth weight, as lane k of KERNEL(dot) sums them. */
LANE_INLINE lane_part KERNEL(shape_strand)(const float (*window)[BANK_LANES], const float *taps, int width, int k)
{
    lane_part sum = KERNEL(load_part)(window[k]) * taps[k];
    for (int i = k + 16; i < width; i += 16)
        sum += KERNEL(load_part)(window[i]) * taps[i];
    return sum;
}

/* The dot product of every lane's window, folded as KERNEL(sum_lanes) does. */
LANE_INLINE lane_part KERNEL(shape_part)(const float (*window)[BANK_LANES], const float *taps, int width)
{
    lane_part quad[4];
    for (int q = 0; q < 4; q++)
        quad[q] = (KERNEL(shape_strand)(window, taps, width, q) + KERNEL(shape_strand)(window, taps, width, q + 8))
                  + (KERNEL(shape_strand)(window, taps, width, q + 4) + KERNEL(shape_strand)(window, taps, width, q + 12));
    return (quad[0] + quad[2]) + (quad[1] + quad[3]);
}

typedef int16_t KERNEL(lane_samples) __attribute__((vector_size(2 * LANE_WIDTH)));

/* Round as lrintf does and clip: what is added leaves no room for a fraction. */
LANE_INLINE void KERNEL(store_samples)(int16_t *to, lane_part value)
{
    lane_part lowest = (lane_part){0} - 32768.0f, highest = (lane_part){0} + 32767.0f;
    value = (lane_part)KERNEL(choose)(value > lowest, (KERNEL(lane_ints))value, (KERNEL(lane_ints))lowest);
    value = (lane_part)KERNEL(choose)(value < highest, (KERNEL(lane_ints))value, (KERNEL(lane_ints))highest);
    KERNEL(lane_ints) whole = (KERNEL(lane_ints))(value + 12582912.0f) - 0x4b400000;
    KERNEL(lane_samples) samples = __builtin_convertvector(whole, KERNEL(lane_samples));
    memcpy(to, &samples, sizeof samples);
}

static void KERNEL(shape_periods)(const struct qam_pulse *pulse, const float *taps, float (*laid)[2][BANK_LANES], int n,
                                  int16_t (*made)[BANK_LANES])
{
    int width = 2 * pulse->span, row = 0, rest = 0, newest = 0;
    for (int i = 0; i < n; i++) {
        for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
            const float(*window)[BANK_LANES] = (const void *)(laid[newest][0] + at);
            KERNEL(store_samples)(made[i] + at, width == 48 ? KERNEL(shape_part)(window, taps + row * 48, 48)
                                                            : KERNEL(shape_part)(window, taps + row * width, width));
        }
        row = row + 1 == pulse->rows ? 0 : row + 1;
        for (rest += pulse->up; rest >= pulse->down; rest -= pulse->down)
            newest++;
    }
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

/* Of samples made from `base` on: some are given out now, the rest of the last period is kept. */
static int64_t KERNEL(give_made)(struct bank_sender *s, int rows, int64_t base, int64_t stop, int lane,
                                 int16_t (*made)[BANK_LANES], int16_t *out, int64_t n)
{
    int64_t given = stop - s->made < n ? stop - s->made : n, from = s->made - base;
    for (int64_t i = 0; i < given; i++)
        out[i] = made[from + i][lane];
    s->sent = s->made + given;
    s->made = stop;
    for (int64_t i = s->sent; i < stop; i++)
        s->spare[i % rows] = made[i - base][lane];
    return given;
}

/* A stretch of whole periods for all lanes of a block that want one; 0 when none does. */
static int KERNEL(shape_stretch)(const struct qam_pulse *pulse, const float *taps, const uint8_t *symbols, int64_t capacity,
                                 struct bank_sender *s, int lanes, int16_t *out, int64_t n, int64_t *done)
{
    float laid[BANK_WINDOW][2][BANK_LANES] __attribute__((aligned(64)));
    int16_t made[BANK_STRETCH][BANK_LANES];
    int64_t base[BANK_LANES], stop[BANK_LANES], most = 0;
    int longest = BANK_STRETCH / pulse->rows * pulse->rows;
    for (int lane = 0; lane < lanes; lane++) {
        base[lane] = s[lane].made / pulse->rows * pulse->rows;
        stop[lane] = done[lane] < n ? KERNEL(wanted_end)(s + lane, pulse->rows, n - done[lane]) : s[lane].made;
        stop[lane] = stop[lane] < base[lane] + longest ? stop[lane] : base[lane] + longest;
        if (stop[lane] > s[lane].made)
            most = stop[lane] - base[lane] > most ? stop[lane] - base[lane] : most;
    }
    if (!most)
        return 0;
    int heard = pulse->span + (int)(most * pulse->up / pulse->down);
    memset(laid, 0, (size_t)heard * sizeof *laid);
    for (int lane = 0; lane < lanes; lane++)
        if (stop[lane] > s[lane].made)
            KERNEL(lay_lane)(s + lane, symbols + lane * capacity, base[lane] * pulse->up / pulse->down - pulse->span + 1,
                             heard, laid, lane);
    KERNEL(shape_periods)(pulse, taps, laid, (int)most, made);
    for (int lane = 0; lane < lanes; lane++)
        if (stop[lane] > s[lane].made)
            done[lane] += KERNEL(give_made)(s + lane, pulse->rows, base[lane], stop[lane], lane, made,
                                            out + lane * n + done[lane], n - done[lane]);
    return 1;
}

void KERNEL(bank_shape)(const struct qam_pulse *pulse, const float *taps, const uint8_t *symbols, int64_t capacity,
                        struct bank_sender *senders, int64_t lanes, int16_t *out, int64_t n)
{
    for (int64_t first = 0; first < lanes; first += BANK_LANES) {
        int64_t done[BANK_LANES];
        int here = lanes - first < BANK_LANES ? (int)(lanes - first) : BANK_LANES;
        int16_t *rows = out + first * n;
        for (int lane = 0; lane < here; lane++)
            done[lane] = KERNEL(give_spare)(senders + first + lane, pulse->rows, rows + lane * n, n);
        while (KERNEL(shape_stretch)(pulse, taps, symbols + first * capacity, capacity, senders + first, here, rows, n, done))
            continue;
        for (int lane = 0; lane < here; lane++)
            memset(rows + lane * n + done[lane], 0, (size_t)(n - done[lane]) * sizeof *out);
    }
}
