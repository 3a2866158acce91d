/* Acquisition: the steps of faxcore/modem/acquisition.py that touch every sample or symbol of a training. */
#include "qam_acquire.h"
#include "qam_lanes.h"

enum { QAM_AHEAD = 16, QAM_PLANE = QAM_AHEAD + QAM_TAPS / 2, QAM_UNKNOWNS = 4 };

void KERNEL(qam_front)(const int16_t *samples, int64_t n_samples, const int16_t *bank, int64_t clock, int64_t step,
                       double turn, int64_t n, float *out)
{
    const int64_t last = (n_samples - QAM_FRONT - 1) * (1ll << 32);
    const double by_re = cos(turn), by_im = -sin(turn);
    double re = 1, im = 0;
    for (int64_t i = 0; i < n; i++, clock += step) {
        float x, y;
        KERNEL(matched)(samples, bank, clock < 0 ? 0 : clock > last ? last : clock, &x, &y);
        out[2 * i] = (float)(x * re - y * im);
        out[2 * i + 1] = (float)(x * im + y * re);
        double next = re * by_re - im * by_im;
        im = re * by_im + im * by_re;
        re = next;
    }
}

double KERNEL(qam_energy)(const int16_t *samples, int64_t blocks, const float *lines)
{
    double energy = 0;
    for (int64_t b = 0; b < blocks; b++) {
        float block[QAM_BLOCK];
        for (int i = 0; i < QAM_BLOCK; i++)
            block[i] = samples[b * QAM_BLOCK + i];
        energy += KERNEL(energy_of)(block, lines + 2 * QAM_LINES * QAM_BLOCK, 0.0f);
    }
    return energy;
}

/* One chunk at QAM_AHEAD places: both parts of each half symbol times the real and the imaginary part of a point. */
static void KERNEL(correlate_chunk)(const float *halves, const float *chunk, int64_t length, float *scores, int64_t stride)
{
    lanes by_re[2] = {{{{0}}}}, by_im[2] = {{{{0}}}};
    float re[2 * QAM_AHEAD], im[2 * QAM_AHEAD];
    for (int64_t k = 0; k < length; k++) {
        for (int p = 0; p < 2 * LANE_PARTS; p++) {
            lane_part x = KERNEL(load_part)(halves + 4 * k + p * LANE_WIDTH);
            by_re[p / LANE_PARTS].part[p % LANE_PARTS] += chunk[2 * k] * x;
            by_im[p / LANE_PARTS].part[p % LANE_PARTS] += chunk[2 * k + 1] * x;
        }
    }
    memcpy(re, by_re, sizeof re);
    memcpy(im, by_im, sizeof im);
    for (int i = 0; i < QAM_AHEAD; i++) {
        scores[2 * stride * i] = re[2 * i] + im[2 * i + 1];
        scores[2 * stride * i + 1] = re[2 * i + 1] - im[2 * i];
    }
}

void KERNEL(qam_correlate)(const float *halves, const float *known, int64_t chunks, int64_t length, int64_t places,
                           float *scores)
{
    for (int64_t p = 0; p < places; p += QAM_AHEAD) {
        int64_t at = p + QAM_AHEAD <= places ? p : places - QAM_AHEAD;
        for (int64_t c = 0; c < chunks; c++)
            KERNEL(correlate_chunk)(halves + 2 * at + 4 * c * length, known + 2 * c * length, length,
                                    scores + 2 * (at * chunks + c), chunks);
    }
}

/* Half-symbol samples by turns of even and odd place, so that neighbouring symbols lie side by side. */
typedef struct { float re[2][QAM_PLANE], im[2][QAM_PLANE]; } KERNEL(planes);

/* The samples around QAM_AHEAD symbols, and half of how they change by two half symbols; what is missing is 0. */
static void KERNEL(spread)(const float *halves, int64_t n, KERNEL(planes) *now, KERNEL(planes) *change)
{
    int there = n - 2 < 2 * QAM_PLANE ? (int)n - 2 : 2 * QAM_PLANE;
    memset(now, 0, sizeof *now);
    memset(change, 0, sizeof *change);
    for (int j = 0; j < there; j++) {
        const float *x = halves + 2 * j;
        now->re[j & 1][j >> 1] = x[2];
        now->im[j & 1][j >> 1] = x[3];
        change->re[j & 1][j >> 1] = 0.5f * (x[4] - x[0]);
        change->im[j & 1][j >> 1] = 0.5f * (x[5] - x[1]);
    }
}

/* The equaliser's output at QAM_AHEAD symbols. */
static void KERNEL(equalise_planes)(const KERNEL(planes) *y, const float *taps_re, const float *taps_im, float *re, float *im)
{
    for (int p = 0; p < 16; p += LANE_WIDTH) {
        lane_part rr = {0}, ii = {0}, ri = {0}, ir = {0};
        for (int i = 0; i < QAM_TAPS; i++) {
            lane_part y_re = KERNEL(load_part)(y->re[i & 1] + (i >> 1) + p);
            lane_part y_im = KERNEL(load_part)(y->im[i & 1] + (i >> 1) + p);
            rr += taps_re[i] * y_re;
            ii += taps_im[i] * y_im;
            ri += taps_re[i] * y_im;
            ir += taps_im[i] * y_re;
        }
        KERNEL(store_lanes)(re + p, rr - ii);
        KERNEL(store_lanes)(im + p, ri + ir);
    }
}

/* Of output v, its change s by half a symbol, and target d. */
enum { QAM_VV, QAM_SS, QAM_VS_RE, QAM_VS_IM, QAM_VD_RE, QAM_VD_IM, QAM_SD_RE, QAM_SD_IM, QAM_DD, QAM_PRODUCTS };

typedef double KERNEL(eight_doubles) __attribute__((vector_size(64)));

LANE_INLINE void KERNEL(widen_eight)(const float *from, KERNEL(eight_doubles) *to)
{
    KERNEL(eight) value;
    memcpy(&value, from, sizeof value);
    *to = __builtin_convertvector(value, KERNEL(eight_doubles));
}

/* Add v conj(v) and so on, times 1, k and k^2; every lane has a k of its own. */
LANE_INLINE void KERNEL(add_products)(KERNEL(eight_doubles) sums[3][QAM_PRODUCTS], const float *const x[6], int at, double k)
{
    KERNEL(eight_doubles) v_re, v_im, s_re, s_im, d_re, d_im, weight = {k, k + 1, k + 2, k + 3, k + 4, k + 5, k + 6, k + 7};
    KERNEL(widen_eight)(x[0] + at, &v_re);
    KERNEL(widen_eight)(x[1] + at, &v_im);
    KERNEL(widen_eight)(x[2] + at, &s_re);
    KERNEL(widen_eight)(x[3] + at, &s_im);
    KERNEL(widen_eight)(x[4] + at, &d_re);
    KERNEL(widen_eight)(x[5] + at, &d_im);
    KERNEL(eight_doubles) product[QAM_PRODUCTS] = {
        v_re * v_re + v_im * v_im, s_re * s_re + s_im * s_im,
        v_re * s_re + v_im * s_im, v_re * s_im - v_im * s_re, v_re * d_re + v_im * d_im, v_re * d_im - v_im * d_re,
        s_re * d_re + s_im * d_im, s_re * d_im - s_im * d_re, d_re * d_re + d_im * d_im};
    for (int w = 0; w < 3; w++) {
        for (int i = 0; i < QAM_PRODUCTS; i++) {
            sums[w][i] += product[i];
            product[i] *= weight;
        }
    }
}

/* The sums over all known symbols of the products, times 1, k and k^2; k counts from the middle. */
static void KERNEL(sum_products)(const float *halves, const float *targets, int64_t n, const double *taps,
                                 double sums[3][QAM_PRODUCTS])
{
    KERNEL(eight_doubles) eights[3][QAM_PRODUCTS] = {{{0}}};
    float taps_re[QAM_TAPS], taps_im[QAM_TAPS];
    for (int i = 0; i < QAM_TAPS; i++) {
        taps_re[i] = (float)taps[2 * i];
        taps_im[i] = (float)taps[2 * i + 1];
    }
    for (int64_t k = 0; k < n; k += QAM_AHEAD) {
        KERNEL(planes) now, change;
        float v[2][QAM_AHEAD], s[2][QAM_AHEAD], d[2][QAM_AHEAD];
        const float *const all[6] = {v[0], v[1], s[0], s[1], d[0], d[1]};
        int64_t left = n - k;
        KERNEL(spread)(halves + 4 * k, 2 * left + QAM_TAPS, &now, &change);
        KERNEL(equalise_planes)(&now, taps_re, taps_im, v[0], v[1]);
        KERNEL(equalise_planes)(&change, taps_re, taps_im, s[0], s[1]);
        for (int i = 0; i < QAM_AHEAD; i++) {
            d[0][i] = i < left ? targets[2 * (k + i)] : 0.0f;
            d[1][i] = i < left ? targets[2 * (k + i) + 1] : 0.0f;
            if (i >= left)
                v[0][i] = v[1][i] = s[0][i] = s[1][i] = 0.0f;
        }
        for (int at = 0; at < QAM_AHEAD; at += 8)
            KERNEL(add_products)(eights, all, at, (double)(k + at) - 0.5 * (double)(n - 1));
    }
    for (int w = 0; w < 3; w++) {
        for (int i = 0; i < QAM_PRODUCTS; i++)
            sums[w][i] = KERNEL(sum_eight)((const double *)&eights[w][i]);
    }
}

/* a x = b for a symmetric a, both overwritten; an unknown that hardly anything tells of is 0. */
static void KERNEL(solve_small)(double a[QAM_UNKNOWNS][QAM_UNKNOWNS], double *x)
{
    double least[QAM_UNKNOWNS];
    for (int j = 0; j < QAM_UNKNOWNS; j++)
        least[j] = 1e-12 * a[j][j];
    for (int j = 0; j < QAM_UNKNOWNS; j++) {
        int told = a[j][j] > least[j];
        for (int i = j + 1; i < QAM_UNKNOWNS; i++) {
            double factor = told ? a[i][j] / a[j][j] : 0.0;
            for (int k = j + 1; k < QAM_UNKNOWNS; k++)
                a[i][k] -= factor * a[j][k];
            x[i] -= factor * x[j];
        }
    }
    for (int j = QAM_UNKNOWNS - 1; j >= 0; j--) {
        for (int k = j + 1; k < QAM_UNKNOWNS; k++)
            x[j] -= a[j][k] * x[k];
        x[j] = a[j][j] > least[j] ? x[j] / a[j][j] : 0.0;
    }
}

struct qam_refined KERNEL(qam_refine)(const float *halves, const float *targets, int64_t n, const double *taps, int unknowns)
{
    double sums[3][QAM_PRODUCTS], a[QAM_UNKNOWNS][QAM_UNKNOWNS] = {{0}}, x[QAM_UNKNOWNS] = {0};
    KERNEL(sum_products)(halves, targets, n, taps, sums);
    const double *one = sums[0];
    double length = sqrt(one[QAM_VD_RE] * one[QAM_VD_RE] + one[QAM_VD_IM] * one[QAM_VD_IM]);
    double re = length > 0 ? one[QAM_VD_RE] / length : 1.0, im = length > 0 ? one[QAM_VD_IM] / length : 0.0;
    /* Unknown 2 w is the phase, 2 w + 1 the moment, each times k^w. */
    for (int i = 0; i < unknowns; i++) {
        const double *w = sums[i / 2];
        x[i] = i % 2 ? w[QAM_SD_RE] * re + w[QAM_SD_IM] * im - w[QAM_VS_RE] : w[QAM_VD_IM] * re - w[QAM_VD_RE] * im;
        for (int j = 0; j < unknowns; j++)
            a[i][j] = sums[i / 2 + j / 2][i % 2 != j % 2 ? QAM_VS_IM : i % 2 ? QAM_SS : QAM_VV];
    }
    KERNEL(solve_small)(a, x);
    return (struct qam_refined){
        .error = (one[QAM_DD] - 2 * one[QAM_VD_RE] + one[QAM_VV]) / one[QAM_DD],
        .likeness = length > 0 ? length * length / (one[QAM_VV] * one[QAM_DD]) : 0.0,
        .turn_re = re, .turn_im = im, .phase = x[0], .move = x[1], .phase_drift = x[2], .move_drift = x[3]};
}
