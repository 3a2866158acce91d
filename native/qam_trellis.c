/* The Viterbi decoder of an eight-state trellis code: the likeliest path through the points that may follow each other. */
#include "qam.h"

typedef float KERNEL(eight) __attribute__((vector_size(32)));
typedef int32_t KERNEL(eight_ints) __attribute__((vector_size(32)));

/* The nearest point of each subset (point & 7) and its squared distance, which loses its low eight bits. */
static void KERNEL(nearest_of_subsets)(const float *points, int n, float re, float im, KERNEL(eight_ints) *nearest)
{
    KERNEL(eight_ints) least = (KERNEL(eight_ints)){0} + INT32_MAX, number = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int i = 0; i < n; i += QAM_STATES, number += QAM_STATES) {
        KERNEL(eight) x, y;
        memcpy(&x, points + i, sizeof x);
        memcpy(&y, points + n + i, sizeof y);
        x -= re;
        y -= im;
        KERNEL(eight_ints) key = ((KERNEL(eight_ints))(x * x + y * y) & ~255) | number;
        KERNEL(eight_ints) less = key < least;
        least = (key & less) | (least & ~less);
    }
    *nearest = least;
}

/* The state with the least metric; metrics are positive, so they compare as integers, with the state in the low bits. */
static int KERNEL(least_metric)(const KERNEL(eight) *metric)
{
    KERNEL(eight_ints) state = {0, 1, 2, 3, 4, 5, 6, 7}, key = ((KERNEL(eight_ints))*metric & ~7) | state;
    for (int half = 4; half; half /= 2) {
        KERNEL(eight_ints) other = __builtin_shuffle(key, state ^ half), less = other < key;
        key = (other & less) | (key & ~less);
    }
    return key[0] & 7;
}

/* One symbol on: the point that the best path ends with, and `sent`, the one it had QAM_DEPTH - 1 symbols ago. */
static uint32_t KERNEL(viterbi)(struct qam_receiver *r, const struct qam_tables *t, float re, float im, uint32_t *sent)
{
    KERNEL(eight_ints) nearest, from = {0}, subset = {0};
    KERNEL(nearest_of_subsets)(t->points, r->points, re, im, &nearest);
    KERNEL(eight) distance = (KERNEL(eight))(nearest & ~255), metric, best = (KERNEL(eight)){0} + 3e38f;
    memcpy(&metric, r->metric, sizeof metric);
    for (int branch = 0; branch < QAM_BRANCHES; branch++) {
        KERNEL(eight_ints) before, by;
        memcpy(&before, t->branches + (2 * branch) * QAM_STATES, sizeof before);
        memcpy(&by, t->branches + (2 * branch + 1) * QAM_STATES, sizeof by);
        KERNEL(eight) sum = __builtin_shuffle(metric, before) + __builtin_shuffle(distance, by);
        KERNEL(eight_ints) less = sum < best;
        best = (KERNEL(eight))(((KERNEL(eight_ints))sum & less) | ((KERNEL(eight_ints))best & ~less));
        from = (before & less) | (from & ~less);
        subset = (by & less) | (subset & ~less);
    }
    int ahead = KERNEL(least_metric)(&best);
    best -= best[ahead];
    memcpy(r->metric, &best, sizeof best);
    int32_t came[QAM_STATES], point[QAM_STATES];
    KERNEL(eight_ints) points = __builtin_shuffle(nearest, subset);
    memcpy(came, &from, sizeof came);
    memcpy(point, &points, sizeof point);
    uint8_t(*old)[QAM_DEPTH] = r->survivors[r->side & 1], (*paths)[QAM_DEPTH] = r->survivors[~r->side & 1];
    for (int s = 0; s < QAM_STATES; s++) {
        memcpy(paths[s], old[came[s] & 7], QAM_DEPTH);
        paths[s][r->column] = (uint8_t)point[s];
    }
    r->side ^= 1;
    r->column = (r->column + 1) & (QAM_DEPTH - 1);
    *sent = paths[ahead][r->column];
    return (uint32_t)point[ahead] & 255;
}
