/* The Viterbi decoder of an eight-state trellis code: the likeliest path through the points that may follow each other. */
#include "qam.h"

typedef float KERNEL(eight) __attribute__((vector_size(32)));
typedef int32_t KERNEL(eight_ints) __attribute__((vector_size(32)));

/* The cell of a point; outside of all cells it is the one next to it, and for what is not a number the first. */
static int KERNEL(cell_of)(float re, float im)
{
    const float half = QAM_CELLS / 2, last = QAM_CELLS - 0.5f;
    float x = re + half, y = im + half;
    x = x > 0.0f ? (x < last ? x : last) : 0.0f;
    y = y > 0.0f ? (y < last ? y : last) : 0.0f;
    return (int)y * QAM_CELLS + (int)x;
}

/* The nearest point of each subset (point & 7) and its squared distance. */
static void KERNEL(nearest_of_subsets)(const struct qam_tables *t, int points, float re, float im, KERNEL(eight_ints) *number,
                                       KERNEL(eight) *distance)
{
    const uint8_t *near = t->cells + KERNEL(cell_of)(re, im) * QAM_STATES;
    KERNEL(eight) x, y;
    for (int s = 0; s < QAM_STATES; s++) {
        (*number)[s] = near[s];
        x[s] = t->points[near[s]];
        y[s] = t->points[points + near[s]];
    }
    x -= re;
    y -= im;
    *distance = x * x + y * y;
}

/* The least metric of all without its low three bits, which are the state that has it. Metrics are positive, so they
 * compare as integers. */
static int32_t KERNEL(least_metric)(const KERNEL(eight_ints) *metric)
{
    KERNEL(eight_ints) state = {0, 1, 2, 3, 4, 5, 6, 7}, key = (*metric & ~7) | state;
    for (int half = 4; half; half /= 2) {
        KERNEL(eight_ints) other = __builtin_shuffle(key, state ^ half), less = other < key;
        key = (other & less) | (key & ~less);
    }
    return key[0];
}

/* One symbol on; the low two bits of a metric tell the branch. The point that the best path ends with, and `sent`, the one it had
 * QAM_DEPTH - 1 symbols ago. */
static uint32_t KERNEL(viterbi)(struct qam_receiver *r, const struct qam_tables *t, float re, float im, uint32_t *sent)
{
    KERNEL(eight) distance, metric;
    KERNEL(eight_ints) nearest, from = {0}, subset = {0}, best = (KERNEL(eight_ints)){0} + INT32_MAX;
    KERNEL(nearest_of_subsets)(t, r->points, re, im, &nearest, &distance);
    memcpy(&metric, r->metric, sizeof metric);
    for (int branch = 0; branch < QAM_BRANCHES; branch++) {
        KERNEL(eight_ints) before, by;
        memcpy(&before, t->branches + (2 * branch) * QAM_STATES, sizeof before);
        memcpy(&by, t->branches + (2 * branch + 1) * QAM_STATES, sizeof by);
        KERNEL(eight) sum = __builtin_shuffle(metric, before) + __builtin_shuffle(distance, by);
        KERNEL(eight_ints) key = ((KERNEL(eight_ints))sum & ~3) | branch, less = key < best;
        best = (key & less) | (best & ~less);
        from = (before & less) | (from & ~less);
        subset = (by & less) | (subset & ~less);
    }
    int32_t least = KERNEL(least_metric)(&best), ahead = least & 7;
    metric = (KERNEL(eight))best - (KERNEL(eight))((KERNEL(eight_ints)){0} + (least & ~7));
    memcpy(r->metric, &metric, sizeof metric);
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
