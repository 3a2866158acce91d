/* Acquisition: the steps of faxcore/modem/acquisition.py that touch every sample or symbol of a training. */
#ifndef FAXCORE_QAM_ACQUIRE_H
#define FAXCORE_QAM_ACQUIRE_H

#include "qam.h"

/* What an equaliser leaves over of known symbols: the mean squared error and the likeness, both relative; the turn that
 * suits the symbols best, and after it the phase (radians) and the moment (half symbols) still to add, each also by
 * symbol; symbols count from the middle. */
struct qam_refined {
    double error, likeness;
    double turn_re, turn_im;
    double phase, move, phase_drift, move_drift;
};

#define QAM_ACQUIRE_KERNELS(X) \
    X(void, qam_front, (const int16_t *samples, int64_t n_samples, const int16_t *bank, int64_t clock, int64_t step, \
                        double turn, int64_t n, float *out)) \
    X(double, qam_energy, (const int16_t *samples, int64_t blocks, const float *lines)) \
    X(void, qam_correlate, (const float *halves, const float *known, int64_t chunks, int64_t length, int64_t places, \
                            float *scores)) \
    X(void, qam_fit, (const float *halves, const float *targets, int64_t n, int centre, double ridge, double *taps)) \
    X(struct qam_refined, qam_refine, (const float *halves, const float *targets, int64_t n, const double *taps, int unknowns))

#endif
