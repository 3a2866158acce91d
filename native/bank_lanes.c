/* Sixteen lanes that have data, side by side: front, equaliser, decisions. Each operation and each sum comes in the
 * order of the lone lane (qam_receive.c, qam_trellis.c), so that no bit of it differs. */
#include "bank.h"
#include "qam_lanes.h"

typedef float KERNEL(lane_floats)[BANK_LANES];

/* The data loops of one block: fields as in struct qam_receiver, which keeps what is not copied here. Arrays over lanes
 * come first, so that each begins with a line of the cache. */
struct KERNEL(block) {
    KERNEL(lane_floats) taps_re[QAM_TAPS] __attribute__((aligned(64))), taps_im[QAM_TAPS];
    KERNEL(lane_floats) delay_re[BANK_DELAY], delay_im[BANK_DELAY];
    KERNEL(lane_floats) metric[QAM_STATES], step_size, loud;
    double drift[BANK_LANES], phase_re[BANK_LANES], phase_im[BANK_LANES], turn_re[BANK_LANES], turn_im[BANK_LANES];
    double last_re[BANK_LANES], last_im[BANK_LANES], last_point_re[BANK_LANES], last_point_im[BANK_LANES];
    double power[BANK_LANES], block_power[BANK_LANES], block_error[BANK_LANES];
    double re[BANK_LANES], im[BANK_LANES], point_re[BANK_LANES], point_im[BANK_LANES]; /* of the symbol in hand */
    int64_t clock[BANK_LANES], limit[BANK_LANES]; /* a symbol can be taken while the clock is below the limit */
    int32_t hold[BANK_LANES], block_symbols[BANK_LANES], now[BANK_LANES], sent[BANK_LANES], training[BANK_LANES];
    struct qam_receiver *r[BANK_LANES];
    int count;           /* of the lanes; those above run along with the first one's samples, and nobody listens */
    int in_training, head;
    const struct qam_tables *t;
    const struct bank_places *places;
};

static void KERNEL(enter_lane)(struct KERNEL(block) *b, int l, struct qam_receiver *r)
{
    b->r[l] = r;
    b->clock[l] = r->clock;
    b->drift[l] = r->drift;
    b->phase_re[l] = r->phase_re, b->phase_im[l] = r->phase_im;
    b->turn_re[l] = r->turn_re, b->turn_im[l] = r->turn_im;
    b->last_re[l] = r->last_re, b->last_im[l] = r->last_im;
    b->last_point_re[l] = r->last_point_re, b->last_point_im[l] = r->last_point_im;
    b->power[l] = r->power, b->block_power[l] = r->block_power, b->block_error[l] = r->block_error;
    b->step_size[l] = r->step_size, b->loud[l] = r->loud;
    b->hold[l] = r->hold, b->block_symbols[l] = r->block_symbols;
    for (int i = 0; i < QAM_TAPS; i++) {
        b->taps_re[i][l] = r->taps_re[i], b->taps_im[i][l] = r->taps_im[i];
        b->delay_re[i][l] = r->delay_re[r->delay_head - QAM_TAPS + i];
        b->delay_im[i][l] = r->delay_im[r->delay_head - QAM_TAPS + i];
    }
    for (int s = 0; s < QAM_STATES; s++)
        b->metric[s][l] = r->metric[s];
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
    r->hold = b->hold[l], r->block_symbols = b->block_symbols[l];
    for (int i = 0; i < QAM_TAPS; i++) {
        r->taps_re[i] = b->taps_re[i][l], r->taps_im[i] = b->taps_im[i][l];
        r->delay_re[i] = b->delay_re[b->head - QAM_TAPS + i][l];
        r->delay_im[i] = b->delay_im[b->head - QAM_TAPS + i][l];
    }
    r->delay_head = QAM_TAPS;
    for (int s = 0; s < QAM_STATES; s++)
        r->metric[s] = b->metric[s][l];
}

LANE_INLINE void KERNEL(store_lanes)(float *to, lane_part value)
{
    memcpy(to, &value, sizeof value);
}

/* What the equaliser's taps k and k + 16 add. */
LANE_INLINE void KERNEL(tap_strand)(const float *taps_re, const float *taps_im, const float *y_re, const float *y_im, int k,
                                    lane_part *re, lane_part *im)
{
    for (int i = k; i < QAM_TAPS; i += 16) {
        lane_part a = KERNEL(load_part)(taps_re + i * BANK_LANES), b = KERNEL(load_part)(taps_im + i * BANK_LANES);
        lane_part x = KERNEL(load_part)(y_re + i * BANK_LANES), y = KERNEL(load_part)(y_im + i * BANK_LANES);
        lane_part this_re = a * x - b * y, this_im = a * y + b * x;
        *re = i == k ? this_re : *re + this_re;
        *im = i == k ? this_im : *im + this_im;
    }
}

/* One fourth of the sum: strands q, q + 8, q + 4, q + 12. */
LANE_INLINE void KERNEL(tap_quarter)(const float *taps_re, const float *taps_im, const float *y_re, const float *y_im, int q,
                                     lane_part *re, lane_part *im)
{
    lane_part s_re[4], s_im[4];
    for (int i = 0; i < 4; i++)
        KERNEL(tap_strand)(taps_re, taps_im, y_re, y_im, q + 4 * i, &s_re[i], &s_im[i]);
    *re = (s_re[0] + s_re[2]) + (s_re[1] + s_re[3]);
    *im = (s_im[0] + s_im[2]) + (s_im[1] + s_im[3]);
}

static void KERNEL(equalise_lanes)(const struct KERNEL(block) *b, float *z_re, float *z_im)
{
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        lane_part re[4], im[4];
        const float *y_re = b->delay_re[b->head - QAM_TAPS] + at, *y_im = b->delay_im[b->head - QAM_TAPS] + at;
        for (int q = 0; q < 4; q++)
            KERNEL(tap_quarter)(b->taps_re[0] + at, b->taps_im[0] + at, y_re, y_im, q, &re[q], &im[q]);
        KERNEL(store_lanes)(z_re + at, (re[0] + re[2]) + (re[1] + re[3]));
        KERNEL(store_lanes)(z_im + at, (im[0] + im[2]) + (im[1] + im[3]));
    }
}

static void KERNEL(adapt_lanes)(struct KERNEL(block) *b, int window, const float *step_re, const float *step_im)
{
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        lane_part re = KERNEL(load_part)(step_re + at), im = KERNEL(load_part)(step_im + at);
        for (int i = 0; i < QAM_TAPS; i++) {
            lane_part x = KERNEL(load_part)(b->delay_re[window + i] + at), y = KERNEL(load_part)(b->delay_im[window + i] + at);
            KERNEL(store_lanes)(b->taps_re[i] + at, KERNEL(load_part)(b->taps_re[i] + at) + (re * x + im * y));
            KERNEL(store_lanes)(b->taps_im[i] + at, KERNEL(load_part)(b->taps_im[i] + at) + (im * x - re * y));
        }
    }
}

/* The products of one matched filter, summed by every sixteenth. */
LANE_INLINE lanes KERNEL(matched_strands)(const float *window, const float *row)
{
    lanes sum;
    for (int p = 0; p < LANE_PARTS; p++) {
        sum.part[p] = KERNEL(load_part)(window + p * LANE_WIDTH) * KERNEL(load_part)(row + p * LANE_WIDTH);
        for (int i = p * LANE_WIDTH + 16; i < QAM_FRONT; i += 16)
            sum.part[p] += KERNEL(load_part)(window + i) * KERNEL(load_part)(row + i);
    }
    return sum;
}

/* KERNEL(sum_lanes) of four times four lanes. */
static void KERNEL(sum_many)(const lanes *v, float *sums)
{
#if LANE_WIDTH == 16
    lane_part four[4], two[2];
    for (int i = 0; i < 4; i++) {
        const lane_part a = v[i].part[0], b = v[i + 4].part[0], c = v[i + 8].part[0], d = v[i + 12].part[0];
        lane_part ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
                       + __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        lane_part cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
                       + __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        four[i] = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
                  + __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
    for (int i = 0; i < 2; i++)
        two[i] = __builtin_shufflevector(four[2 * i], four[2 * i + 1], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
                 + __builtin_shufflevector(four[2 * i], four[2 * i + 1], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    KERNEL(store_lanes)(sums, __builtin_shufflevector(two[0], two[1], 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30)
                              + __builtin_shufflevector(two[0], two[1], 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31));
#else
    for (int i = 0; i < 16; i += 4) {
        lane_quad a = KERNEL(fold_lanes)(v + i), b = KERNEL(fold_lanes)(v + i + 1);
        lane_quad c = KERNEL(fold_lanes)(v + i + 2), d = KERNEL(fold_lanes)(v + i + 3);
        lane_quad ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
        lane_quad cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
        lane_quad all = __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
        memcpy(sums + i, &all, sizeof all);
    }
#endif
}

static void KERNEL(take_half_lanes)(struct KERNEL(block) *b)
{
    lanes re[BANK_LANES], im[BANK_LANES];
    for (int l = 0; l < BANK_LANES; l++) {
        int lane = l < b->count ? l : 0;
        int64_t place = b->clock[lane] + (1ll << (31 - QAM_PHASE_BITS));
        const float *window = b->r[lane]->history + (place >> 32);
        const float *row = b->t->bank + (place >> (32 - QAM_PHASE_BITS) & (QAM_PHASES - 1)) * (2 * QAM_FRONT);
        re[l] = KERNEL(matched_strands)(window, row);
        im[l] = KERNEL(matched_strands)(window, row + QAM_FRONT);
    }
    for (int l = 0; l < BANK_LANES; l++)
        b->clock[l] += b->r[0]->half_step;
    KERNEL(sum_many)(re, b->delay_re[b->head]);
    KERNEL(sum_many)(im, b->delay_im[b->head]);
    b->head++;
}

static void KERNEL(make_room_lanes)(struct KERNEL(block) *b)
{
    if (b->head + 2 <= BANK_DELAY)
        return;
    memmove(b->delay_re, b->delay_re + b->head - QAM_TAPS, QAM_TAPS * sizeof *b->delay_re);
    memmove(b->delay_im, b->delay_im + b->head - QAM_TAPS, QAM_TAPS * sizeof *b->delay_im);
    b->head = QAM_TAPS;
}

LANE_INLINE KERNEL(lane_ints) KERNEL(choose)(KERNEL(lane_ints) yes, KERNEL(lane_ints) a, KERNEL(lane_ints) b)
{
    return (a & yes) | (b & ~yes);
}

/* Squared distances to the places on one axis. */
static void KERNEL(square_places)(const float *places, int n, const double *from, KERNEL(lane_floats) *squares)
{
    KERNEL(lane_floats) own;
    for (int l = 0; l < BANK_LANES; l++)
        own[l] = (float)from[l];
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        lane_part x = KERNEL(load_part)(own + at);
        for (int i = 0; i < n; i++) {
            lane_part away = places[i] - x;
            KERNEL(store_lanes)(squares[i] + at, away * away);
        }
    }
}

/* The least of keys as in KERNEL(nearest): of every `apart`-th point from `first` on. */
static void KERNEL(least_keys)(const struct KERNEL(block) *b, const KERNEL(lane_floats) *squares, int first, int apart,
                               int32_t *keys)
{
    int points = b->r[0]->points;
    const uint8_t *at_re = b->places->at, *at_im = b->places->at + points;
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(lane_ints) least = (KERNEL(lane_ints)){0} + INT32_MAX;
        for (int i = first; i < points; i += apart) {
            lane_part distance = KERNEL(load_part)(squares[at_re[i]] + at)
                                 + KERNEL(load_part)(squares[BANK_PLACES + at_im[i]] + at);
            KERNEL(lane_ints) key = ((KERNEL(lane_ints))distance & ~255) | i;
            least = KERNEL(choose)(key < least, key, least);
        }
        memcpy(keys + at, &least, sizeof least);
    }
}

/* The survivor of every state, over four branches that lead to it; `from` and `point` tell which. */
static void KERNEL(select_branches)(const struct KERNEL(block) *b, const int32_t (*nearest)[BANK_LANES],
                                    KERNEL(lane_floats) *best, int32_t (*from)[BANK_LANES], int32_t (*point)[BANK_LANES])
{
    for (int s = 0; s < QAM_STATES; s++) {
        for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
            KERNEL(lane_ints) least = (KERNEL(lane_ints))((lane_part){0} + 3e38f), came = {0}, by = {0};
            memcpy(&by, nearest[0] + at, sizeof by);
            for (int branch = 0; branch < QAM_BRANCHES; branch++) {
                int32_t before = b->t->branches[2 * branch * QAM_STATES + s];
                KERNEL(lane_ints) key;
                memcpy(&key, nearest[b->t->branches[(2 * branch + 1) * QAM_STATES + s]] + at, sizeof key);
                lane_part sum = KERNEL(load_part)(b->metric[before] + at) + (lane_part)(key & ~255);
                KERNEL(lane_ints) less = sum < (lane_part)least;
                least = KERNEL(choose)(less, (KERNEL(lane_ints))sum, least);
                came = KERNEL(choose)(less, (KERNEL(lane_ints)){0} + before, came);
                by = KERNEL(choose)(less, key, by);
            }
            memcpy(best[s] + at, &least, sizeof least);
            memcpy(from[s] + at, &came, sizeof came);
            memcpy(point[s] + at, &by, sizeof by);
        }
    }
}

/* The state with the least metric, and the metrics above it. */
static void KERNEL(lift_metrics)(KERNEL(lane_floats) *best, int32_t *ahead)
{
    for (int l = 0; l < BANK_LANES; l++) {
        int32_t least = INT32_MAX;
        float level = best[0][l];
        for (int s = 0; s < QAM_STATES; s++) {
            int32_t key;
            memcpy(&key, &best[s][l], sizeof key);
            key = (key & ~7) | s;
            level = key < least ? best[s][l] : level;
            least = key < least ? key : least;
        }
        ahead[l] = least & 7;
        for (int s = 0; s < QAM_STATES; s++)
            best[s][l] -= level;
    }
}

static void KERNEL(extend_survivors)(struct qam_receiver *r, const int32_t (*from)[BANK_LANES],
                                     const int32_t (*point)[BANK_LANES], int l)
{
    uint8_t(*old)[QAM_DEPTH] = r->survivors[r->side & 1], (*paths)[QAM_DEPTH] = r->survivors[~r->side & 1];
    for (int s = 0; s < QAM_STATES; s++) {
        memcpy(paths[s], old[from[s][l]], QAM_DEPTH);
        paths[s][r->column] = (uint8_t)point[s][l];
    }
    r->side ^= 1;
    r->column = (r->column + 1) & (QAM_DEPTH - 1);
}

/* KERNEL(viterbi) for all lanes that have left the training. */
static void KERNEL(viterbi_lanes)(struct KERNEL(block) *b, const KERNEL(lane_floats) *squares)
{
    int32_t nearest[QAM_STATES][BANK_LANES], from[QAM_STATES][BANK_LANES], point[QAM_STATES][BANK_LANES], ahead[BANK_LANES];
    KERNEL(lane_floats) best[QAM_STATES];
    for (int subset = 0; subset < QAM_STATES; subset++)
        KERNEL(least_keys)(b, squares, subset, QAM_STATES, nearest[subset]);
    KERNEL(select_branches)(b, nearest, best, from, point);
    KERNEL(lift_metrics)(best, ahead);
    for (int s = 0; s < QAM_STATES; s++)
        for (int l = 0; l < BANK_LANES; l++)
            b->metric[s][l] = b->training[l] ? b->metric[s][l] : best[s][l];
    for (int l = 0; l < b->count; l++) {
        if (b->training[l])
            continue;
        struct qam_receiver *r = b->r[l];
        KERNEL(extend_survivors)(r, from, point, l);
        b->now[l] = point[ahead[l]][l] & 255;
        b->sent[l] = r->survivors[r->side & 1][ahead[l]][r->column];
    }
}

/* Known points take the place of decided ones. */
static void KERNEL(know_points)(struct KERNEL(block) *b)
{
    for (int l = 0; l < b->count; l++) {
        if (!b->training[l])
            continue;
        const float *known = b->t->training + 2 * (b->t->training_points - b->r[l]->training_left--);
        b->point_re[l] = known[0];
        b->point_im[l] = known[1];
    }
}

/* KERNEL(decide) for all lanes. */
static void KERNEL(decide_lanes)(struct KERNEL(block) *b)
{
    KERNEL(lane_floats) squares[2 * BANK_PLACES] __attribute__((aligned(64)));
    int points = b->r[0]->points;
    b->in_training = 0;
    for (int l = 0; l < BANK_LANES; l++)
        b->in_training += b->training[l] = b->r[l]->training_left > 0;
    if (b->in_training < BANK_LANES) {
        KERNEL(square_places)(b->places->places, b->places->count, b->re, squares);
        KERNEL(square_places)(b->places->places + BANK_PLACES, b->places->count, b->im, squares + BANK_PLACES);
        if (b->r[0]->trellis)
            KERNEL(viterbi_lanes)(b, squares);
        else
            KERNEL(least_keys)(b, squares, 0, 1, b->now);
    }
    for (int l = 0; l < BANK_LANES; l++) {
        int at = b->training[l] ? 0 : b->now[l] & 255;
        b->point_re[l] = b->t->points[at];
        b->point_im[l] = b->t->points[points + at];
    }
    if (b->in_training)
        KERNEL(know_points)(b);
}
