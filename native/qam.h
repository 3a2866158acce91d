/* Carriers with amplitude and phase: what V.29, V.17 and V.27ter share. No number of any recommendation is here. */
#ifndef FAXCORE_QAM_H
#define FAXCORE_QAM_H

#include <stddef.h>
#include <stdint.h>

/* Scrambler 1 + x^-tap_near + x^-tap_far. With a guard (0: none) a bit is inverted after that many in a row of which
 * each was equal to one of those sent guard_taps before it. */
struct qam_scrambler {
    uint32_t line;       /* bits on the line, the newest least significant */
    int32_t tap_near, tap_far;
    int32_t guard, guard_run;
    int32_t guard_taps[3];
};

/* A scrambler, then a coder: table[state][group] gives the point sent, next[state][group] the state that follows. A
 * group is `bits` scrambled bits, the first in time most significant. */
struct qam_coder {
    struct qam_scrambler scrambler;
    uint32_t state;
    uint32_t pending;    /* bits fed that do not fill a group yet, the oldest most significant */
    int32_t pending_bits;
    int32_t bits;
    int32_t states;
};

/* The coder's tables. Only the first `kept` bits of a group lead to other states: leaps[those of two groups][state] is the
 * state after both, so that a step need not wait for the one before it. */
struct qam_code {
    const uint8_t *table, *next, *leaps;
    int32_t kept;
};

/* Pulses: row n % rows of `taps` holds, for output sample n, the weights of the last `span` symbols (real and
 * imaginary part in turn, the oldest first), carrier included. Sample n hears symbols up to n * up / down. Weights and
 * points are whole numbers, so that their products add up in any order; `gain` makes samples of the sum. */
struct qam_pulse {
    int32_t rows, span;
    int32_t up, down;
};

#define QAM_SPAN_MAX 64

/* Decision-directed reception of one carrier; the owner (Python) acquires, this loop hunts and decodes. */
enum { QAM_TAPS = 32, QAM_FRONT = 32, QAM_BLOCK = 80, QAM_LINES = 3, QAM_SLOW = 4, QAM_HISTORY = 4096, QAM_DELAY = 512,
       QAM_RECENT = 1024, QAM_POINTS = 256, QAM_PHASE_BITS = 6, QAM_PHASES = 1 << QAM_PHASE_BITS,
       QAM_STATES = 8, QAM_BRANCHES = 4, QAM_DEPTH = 32, QAM_CELLS = 24 };
/* A sample at the end of the scale, that of mu-law included, was cut. A burst at 0 dBm0 has 4 % of its samples cut, by
 * this much in the mean; without it V.17 loses bits that no noise took. To have room for it the history keeps halves. */
enum { QAM_SCALE_END = 32124, QAM_CUT = 5500 };
enum qam_stage { QAM_HUNTING, QAM_COLLECTING, QAM_ACQUIRING, QAM_DATA };
enum qam_event { QAM_NOTHING, QAM_ACQUIRE, QAM_ENDED, QAM_LOST };

struct qam_receiver {
    /* The modulation and the loops: set once. */
    int32_t bits;
    int32_t states, state_shift; /* the state of the coder: part of the number of the last point */
    int32_t points;              /* in lanes: a multiple of 16, spare ones far away */
    int32_t trellis;             /* points belong to 8 subsets by their low bits, and only some follow each other */
    int32_t kept, collected;     /* samples kept before a trigger, samples wanted after it */
    int32_t symbols_a_block, low_blocks; /* the level is judged by blocks; so many low ones end the burst */
    int64_t half_step;           /* half a symbol in 2^-32 samples */
    float mean_power;
    float carrier_gain, carrier_pull, timing_gain, timing_pull, drift_limit;
    float carrier_step;          /* radians a sample: what a move of the clock turns the carrier */
    float energy_floor, line_share, edge_share, loss_ratio;

    /* Where we are: indices count from history[0], whose line time is origin. */
    int64_t origin, filled, scan, trigger;
    int32_t stage, hits;
    int32_t quiet_blocks, delay_head;
    float lost_energy;           /* energy of a block of a burst that could not be trained; 0: none is on */

    /* The data loop: set by the acquisition. */
    float step_size;
    float loud;                  /* power of a half-symbol sample that cannot be signal */
    int32_t hold;                /* symbols until such a sample has left the equaliser */
    int64_t clock;               /* the next half symbol, in 2^-32 samples from history[0] */
    float drift;                 /* samples a symbol */
    float phase_re, phase_im, turn_re, turn_im;
    float last_re, last_im, last_point_re, last_point_im;
    float power;                 /* short average of the equaliser's output */
    float block_power, block_error, held_error;
    double error;
    int64_t errors_counted, symbols, ended_at;
    int32_t training_left;       /* known points at the end of the training that are still to come */
    int32_t skip;                /* bits still to drop: the check */
    int32_t block_symbols, low_run;
    int32_t adrift_run, adrift_blocks; /* blocks whose decisions do not fit, less those that do; so many stop the loop */
    float adrift_error;          /* a block's error from which they do not */
    struct qam_scrambler scrambler;
    uint32_t state, pending;
    int32_t pending_bits;
    int32_t column, side;        /* of the survivors: a ring, and which of two they are on */
    float metric[QAM_STATES];
    uint8_t survivors[2][QAM_STATES][QAM_DEPTH]; /* the points that lead to each state */
    float taps_re[QAM_TAPS], taps_im[QAM_TAPS];
    float delay_re[QAM_DELAY], delay_im[QAM_DELAY];
    float recent_re[QAM_RECENT], recent_im[QAM_RECENT];
    int16_t history[QAM_HISTORY]; /* halves of the samples */
};

/* bank: [place between two samples][half of the window][re, im][QAM_FRONT / 2]; points: [re, im][points]; groups: [state][point];
 * lines: [carrier re, im, lower re, im, upper re, im, then QAM_SLOW shapes of what is slow][QAM_BLOCK]; training: [point]
 * [re, im], its last ones are what training_left counts; branches: [which][state before, subset][state after]; cells:
 * [row][column][subset], the point of a subset that is nearest to the middle of a cell. Cells have sides of one and lie
 * around the origin. */
struct qam_tables {
    const int16_t *bank;
    const float *points, *lines;
    const uint8_t *groups;
    const float *training;
    int64_t training_points;
    const int32_t *branches;
    const uint8_t *cells;
};

struct qam_progress {
    int64_t samples, octets;
    int32_t event;
};

#define QAM_KERNELS(X) \
    X(int64_t, qam_encode, (struct qam_coder *coder, const struct qam_code *code, const uint8_t *octets, int64_t n, uint8_t *symbols)) \
    X(void, qam_shape, (const struct qam_pulse *pulse, const int16_t *taps, const int16_t *points, float gain, \
                        const uint8_t *symbols, int64_t n_symbols, int64_t first_symbol, int64_t first_sample, \
                        int16_t *out, int64_t n)) \
    X(struct qam_progress, qam_receive, (struct qam_receiver *r, const struct qam_tables *t, const int16_t *samples, \
                                         int64_t n, uint8_t *octets, int64_t capacity))

#endif
