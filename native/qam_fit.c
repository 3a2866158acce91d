/* The equaliser's least-squares problem, in one fixed order on every machine. */
#include "qam.h"

typedef struct { double re, im; } KERNEL(complex);
typedef double KERNEL(parts) __attribute__((vector_size(16)));

/* sum + sign * conj(a) * b. Written for both parts at once: out of separate ones GCC makes fused multiplies for some
 * CPU levels, whatever -ffp-contract says, and the levels differ. */
static KERNEL(complex) KERNEL(add_conjugate)(KERNEL(complex) sum, KERNEL(complex) a, KERNEL(complex) b, double sign)
{
    KERNEL(parts) own = {sum.re, sum.im}, straight = {b.re, b.im}, crossed = {b.im, -b.re};
    own += sign * (a.re * straight + a.im * crossed);
    return (KERNEL(complex)){own[0], own[1]};
}

/* Lower triangle of sum over k of conj(y[2k + i]) y[2k + j]. Two rows further down the same products come again but
 * for the first and the last. */
static void KERNEL(correlate_windows)(const KERNEL(complex) *y, int64_t n, KERNEL(complex) normal[QAM_TAPS][QAM_TAPS])
{
    for (int i = 0; i < QAM_TAPS; i++) {
        for (int j = 0; j <= i; j++) {
            KERNEL(complex) sum = {0, 0};
            if (j >= 2) {
                sum = KERNEL(add_conjugate)(normal[i - 2][j - 2], y[i - 2], y[j - 2], -1.0);
                sum = KERNEL(add_conjugate)(sum, y[2 * n + i - 2], y[2 * n + j - 2], 1.0);
            } else {
                for (int64_t k = 0; k < n; k++)
                    sum = KERNEL(add_conjugate)(sum, y[2 * k + i], y[2 * k + j], 1.0);
            }
            normal[i][j] = sum;
        }
    }
}

/* x = normal^-1 x by Cholesky; only the lower triangle is read, and overwritten. */
static void KERNEL(solve_hermitian)(KERNEL(complex) a[QAM_TAPS][QAM_TAPS], KERNEL(complex) *x)
{
    for (int j = 0; j < QAM_TAPS; j++) {
        for (int i = j; i < QAM_TAPS; i++) {
            for (int k = 0; k < j; k++)
                a[i][j] = KERNEL(add_conjugate)(a[i][j], a[j][k], a[i][k], -1.0);
            double pivot = i == j ? sqrt(a[j][j].re) : a[j][j].re;
            a[i][j].re = i == j ? pivot : a[i][j].re / pivot;
            a[i][j].im = i == j ? 0.0 : a[i][j].im / pivot;
        }
        for (int k = 0; k < j; k++) {
            x[j].re -= a[j][k].re * x[k].re - a[j][k].im * x[k].im;
            x[j].im -= a[j][k].re * x[k].im + a[j][k].im * x[k].re;
        }
        x[j].re /= a[j][j].re;
        x[j].im /= a[j][j].re;
    }
    for (int j = QAM_TAPS - 1; j >= 0; j--) {
        for (int k = j + 1; k < QAM_TAPS; k++)
            x[j] = KERNEL(add_conjugate)(x[j], a[k][j], x[k], -1.0);
        x[j].re /= a[j][j].re;
        x[j].im /= a[j][j].re;
    }
}

void KERNEL(qam_fit)(const double *halves, const double *targets, int64_t n, int centre, double ridge, double *taps)
{
    KERNEL(complex) normal[QAM_TAPS][QAM_TAPS], x[QAM_TAPS] = {{0, 0}};
    const KERNEL(complex) *y = (const void *)halves, *d = (const void *)targets;
    double load = 0;
    KERNEL(correlate_windows)(y, n, normal);
    for (int i = 0; i < QAM_TAPS; i++) {
        for (int64_t k = 0; k < n; k++)
            x[i] = KERNEL(add_conjugate)(x[i], y[2 * k + i], d[k], 1.0);
        load += ridge / QAM_TAPS * normal[i][i].re;
    }
    x[centre].re += load * x[centre].re / normal[centre][centre].re;
    x[centre].im += load * x[centre].im / normal[centre][centre].re;
    for (int i = 0; i < QAM_TAPS; i++)
        normal[i][i].re += load;
    KERNEL(solve_hermitian)(normal, x);
    memcpy(taps, x, sizeof x);
}
