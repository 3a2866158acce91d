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

/* row j += sign * conj(c) * x from column j on. */
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
    double by[2][2 * QAM_TAPS];
    for (int j = 0; j < 2; j++) {
        KERNEL(correlate_windows)(y, y + 2 * j, 2, n, by);
        for (int i = 0; i < QAM_TAPS; i++) {
            a->re[j][i] = by[0][2 * i] + by[1][2 * i + 1];
            a->im[j][i] = by[0][2 * i + 1] - by[1][2 * i];
        }
    }
    for (int j = 2; j < QAM_TAPS; j++) {
        const float *left = y + 2 * (j - 2), *fresh = left + 4 * n;
        for (int i = j; i < QAM_TAPS; i++) {
            double x_re = y[2 * i - 4], x_im = y[2 * i - 3], z_re = y[4 * n + 2 * i - 4], z_im = y[4 * n + 2 * i - 3];
            a->re[j][i] = a->re[j - 2][i - 2] - (left[0] * x_re + left[1] * x_im) + (fresh[0] * z_re + fresh[1] * z_im);
            a->im[j][i] = a->im[j - 2][i - 2] - (left[0] * x_im - left[1] * x_re) + (fresh[0] * z_im - fresh[1] * z_re);
        }
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

static void KERNEL(substitute)(const KERNEL(equations) *a, double *x)
{
    for (int j = QAM_TAPS - 1; j >= 0; j--) {
        double re = a->re[j][QAM_TAPS], im = a->im[j][QAM_TAPS];
        for (int i = QAM_TAPS - 1; i > j; i--) {
            re -= a->re[j][i] * x[2 * i] - a->im[j][i] * x[2 * i + 1];
            im -= a->re[j][i] * x[2 * i + 1] + a->im[j][i] * x[2 * i];
        }
        x[2 * j] = re / a->re[j][j];
        x[2 * j + 1] = im / a->re[j][j];
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
