/* The equaliser's least-squares problem, in one fixed order on every machine. */
#include "qam_acquire.h"
#include "qam_lanes.h"

enum { QAM_DOUBLES = LANE_WIDTH / 2, QAM_FIT_PARTS = 4, QAM_FIT_WIDTH = QAM_TAPS + 8 };

typedef double KERNEL(doubles) __attribute__((vector_size(4 * LANE_WIDTH)));
typedef float KERNEL(singles) __attribute__((vector_size(2 * LANE_WIDTH)));

/* The upper triangle of the normal equations; their right side is column QAM_TAPS. */
typedef struct { double re[QAM_TAPS][QAM_FIT_WIDTH], im[QAM_TAPS][QAM_FIT_WIDTH]; } KERNEL(equations);

LANE_INLINE KERNEL(doubles) KERNEL(widened)(const float *from)
{
    KERNEL(singles) value;
    memcpy(&value, from, sizeof value);
    return __builtin_convertvector(value, KERNEL(doubles));
}

/* Sums over k of y[2k + i] times the real part (by[0]) and the imaginary part (by[1]) of with[stride k]. */
static void KERNEL(correlate_windows)(const float *y, const float *with, int64_t stride, int64_t n,
                                      double by[2][2 * QAM_TAPS])
{
    for (int at = 0; at < 2 * QAM_TAPS; at += QAM_FIT_PARTS * QAM_DOUBLES) {
        KERNEL(doubles) by_re[QAM_FIT_PARTS] = {{0}}, by_im[QAM_FIT_PARTS] = {{0}};
        for (int64_t k = 0; k < n; k++) {
            double re = with[2 * stride * k], im = with[2 * stride * k + 1];
            for (int p = 0; p < QAM_FIT_PARTS; p++) {
                KERNEL(doubles) x = KERNEL(widened)(y + 4 * k + at + p * QAM_DOUBLES);
                by_re[p] += re * x;
                by_im[p] += im * x;
            }
        }
        memcpy(by[0] + at, by_re, sizeof by_re);
        memcpy(by[1] + at, by_im, sizeof by_im);
    }
}

LANE_INLINE double KERNEL(sum_eight)(const double *x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

/* row j += conj(c) x from column j on. */
LANE_INLINE void KERNEL(add_to_row)(KERNEL(equations) *a, int j, double re, double im, const double *x_re, const double *x_im)
{
    double *row_re = a->re[j], *row_im = a->im[j];
    for (int i = j & ~7; i < QAM_FIT_WIDTH; i++) {
        row_re[i] += re * x_re[i] + im * x_im[i];
        row_im[i] += re * x_im[i] - im * x_re[i];
    }
}

/* Row j: sums over k of conj(y[2k + j]) y[2k + i]. Two rows further down the same products come again but for the first
 * and the last. */
static void KERNEL(set_up)(KERNEL(equations) *a, const float *y, const float *targets, int64_t n)
{
    double by[2][2 * QAM_TAPS], edge_re[2][QAM_FIT_WIDTH] = {{0}}, edge_im[2][QAM_FIT_WIDTH] = {{0}};
    for (int j = 0; j < 2; j++) {
        KERNEL(correlate_windows)(y, y + 2 * j, 2, n, by);
        for (int i = 0; i < QAM_TAPS; i++) {
            a->re[j][i] = by[0][2 * i] + by[1][2 * i + 1];
            a->im[j][i] = by[0][2 * i + 1] - by[1][2 * i];
        }
    }
    for (int at = 0; at < 2; at++) {
        for (int i = 0; i < QAM_TAPS - 2; i++) {
            edge_re[at][i + 2] = y[4 * n * at + 2 * i];
            edge_im[at][i + 2] = y[4 * n * at + 2 * i + 1];
        }
    }
    for (int j = 2; j < QAM_TAPS; j++) {
        memcpy(a->re[j] + 2, a->re[j - 2], QAM_TAPS * sizeof(double));
        memcpy(a->im[j] + 2, a->im[j - 2], QAM_TAPS * sizeof(double));
        KERNEL(add_to_row)(a, j, -edge_re[0][j], -edge_im[0][j], edge_re[0], edge_im[0]);
        KERNEL(add_to_row)(a, j, edge_re[1][j], edge_im[1][j], edge_re[1], edge_im[1]);
    }
    KERNEL(correlate_windows)(y, targets, 1, n, by);
    for (int i = 0; i < QAM_TAPS; i++) {
        a->re[i][QAM_TAPS] = by[0][2 * i] + by[1][2 * i + 1];
        a->im[i][QAM_TAPS] = by[1][2 * i] - by[0][2 * i + 1];
    }
}

/* Cholesky's factor in place of the upper triangle; the right side goes along. */
static void KERNEL(factorise)(KERNEL(equations) *a)
{
    for (int j = 0; j < QAM_TAPS; j++) {
        for (int k = 0; k < j; k++)
            KERNEL(add_to_row)(a, j, -a->re[k][j], -a->im[k][j], a->re[k], a->im[k]);
        double scale = 1 / sqrt(a->re[j][j]);
        for (int i = j & ~7; i < QAM_FIT_WIDTH; i++) {
            a->re[j][i] *= scale;
            a->im[j][i] *= scale;
        }
    }
}

static void KERNEL(substitute)(const KERNEL(equations) *a, double *taps)
{
    double x_re[QAM_TAPS] = {0}, x_im[QAM_TAPS] = {0};
    for (int j = QAM_TAPS - 1; j >= 0; j--) {
        double re[8] = {0}, im[8] = {0};
        for (int i = j & ~7; i < QAM_TAPS; i += 8) {
            for (int p = 0; p < 8; p++) {
                re[p] += a->re[j][i + p] * x_re[i + p] - a->im[j][i + p] * x_im[i + p];
                im[p] += a->re[j][i + p] * x_im[i + p] + a->im[j][i + p] * x_re[i + p];
            }
        }
        taps[2 * j] = x_re[j] = (a->re[j][QAM_TAPS] - KERNEL(sum_eight)(re)) / a->re[j][j];
        taps[2 * j + 1] = x_im[j] = (a->im[j][QAM_TAPS] - KERNEL(sum_eight)(im)) / a->re[j][j];
    }
}

void KERNEL(qam_fit)(const float *halves, const float *targets, int64_t n, int centre, double ridge, double *taps)
{
    KERNEL(equations) a = {{{0}}, {{0}}};
    double load = 0;
    KERNEL(set_up)(&a, halves, targets, n);
    for (int i = 0; i < QAM_TAPS; i++)
        load += ridge / QAM_TAPS * a.re[i][i];
    double prior = 1 + load / a.re[centre][centre];
    a.re[centre][QAM_TAPS] *= prior;
    a.im[centre][QAM_TAPS] *= prior;
    for (int i = 0; i < QAM_TAPS; i++)
        a.re[i][i] += load;
    KERNEL(factorise)(&a);
    KERNEL(substitute)(&a, taps);
}
