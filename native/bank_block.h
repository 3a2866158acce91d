/* What the blocks of a bank of receivers are made of: sixteen lanes in data, side by side. One level includes it once. */
#ifndef FAXCORE_BANK_BLOCK_H
#define FAXCORE_BANK_BLOCK_H

#include "bank.h"
#include "qam_lanes.h"

typedef float KERNEL(lane_floats)[BANK_LANES];
typedef uint32_t KERNEL(lane_words)[BANK_LANES];
typedef uint8_t KERNEL(lane_octets)[BANK_LANES * QAM_STATES]; /* one octet a state or a subset */

/* The data loops of one block: fields as in struct qam_receiver, which keeps what is not copied here. Arrays over lanes
 * come first, so that each begins with a line of the cache. */
struct KERNEL(block) {
    KERNEL(lane_floats) taps_re[QAM_TAPS] __attribute__((aligned(64))), taps_im[QAM_TAPS];
    KERNEL(lane_floats) delay_re[BANK_DELAY], delay_im[BANK_DELAY];
    KERNEL(lane_octets) came[QAM_DEPTH], point[QAM_DEPTH], back, near; /* of the trellis: bank_trellis.c */
    KERNEL(lane_floats) metric[QAM_STATES], distance[QAM_STATES];
    KERNEL(lane_floats) subset_re[QAM_STATES], subset_im[QAM_STATES]; /* the points of each, by their number >> 3 */
    KERNEL(lane_words) from[2], through[2]; /* the state before and the subset: [state >> 2], octets [state & 3][branch] */
    KERNEL(lane_floats) re, im, point_re, point_im, step_re, step_im; /* of the symbol in hand */
    KERNEL(lane_floats) drift, phase_re, phase_im, turn_re, turn_im, last_re, last_im, last_point_re, last_point_im;
    KERNEL(lane_floats) power, block_power, block_error, step_size, loud;
    KERNEL(lane_floats) recent_re[BANK_RECENT], recent_im[BANK_RECENT];
    KERNEL(lane_numbers) left; /* symbols until the level is judged, as it was at the last judgement */
    KERNEL(lane_numbers) hold, training, sent, newest, skip, pending_bits, moved;
    KERNEL(lane_words) line, state, pending;
    int64_t clock[BANK_LANES], clock_before[BANK_LANES], limit[BANK_LANES], made[BANK_LANES], capacity;
    uint8_t *octets[BANK_LANES];
    const int16_t *history[BANK_LANES];
    struct qam_receiver *r[BANK_LANES];
    int count;           /* of the lanes; those above do all that the first one does, and nobody listens */
    int in_training, head, column, fresh, recent, judged, to_judge, unpacked;
    float inverse_power; /* one by the mean power */
    const struct qam_tables *t;
};

#endif
