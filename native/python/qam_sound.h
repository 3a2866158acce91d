/* What the doors to qam.h and bank.h both check: that receivers and their tables are sound. */
#ifndef FAXCORE_QAM_SOUND_H
#define FAXCORE_QAM_SOUND_H

#include <string.h>

#include "binding.h"

/* States come as octets: NumPy writes out the whole format of a structured array each time it is asked for one. */
static inline int is_record(const Py_buffer *view, size_t size)
{
    return view->len == (Py_ssize_t)size && (uintptr_t)view->buf % sizeof(int64_t) == 0;
}

static inline int within(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

static inline int scrambler_is_sound(const struct qam_scrambler *s, int32_t bits)
{
    return within(bits, 1, 8) && within(s->tap_near, bits, 31) && within(s->tap_far, s->tap_near, 32 - bits)
           && within(s->guard, 0, 1 << 20) && within(s->guard_run, 0, 1 << 20) && within(s->guard_taps[0], 1, 31)
           && within(s->guard_taps[1], 1, 31) && within(s->guard_taps[2], 1, 31);
}

/* What the kernel indexes by, and what its clock is made of; other floating-point fields may hold anything. */
static inline int receiver_is_sound(const struct qam_receiver *r)
{
    return scrambler_is_sound(&r->scrambler, r->bits)
           && within(r->states, 1, 256) && (r->states & (r->states - 1)) == 0 && within(r->state_shift, 0, 7)
           && r->state < (uint32_t)r->states && within(r->column, 0, QAM_DEPTH - 1)
           && within(r->points, 16, r->trellis ? 16 * QAM_STATES : QAM_POINTS) && r->points % 16 == 0
           && within(r->kept, QAM_BLOCK, 1024) && within(r->collected, QAM_BLOCK, QAM_HISTORY - 1024 - QAM_BLOCK)
           && within(r->symbols_a_block, 1, 4096) && r->low_blocks >= 1
           && within(r->block_symbols, 0, r->symbols_a_block - 1)
           && r->adrift_blocks >= 1 && within(r->adrift_run, -65536, 65536)
           && within(r->half_step, 1ll << 32, 8ll << 32) && r->drift_limit >= 0 && r->drift_limit <= 0.01
           && r->drift <= r->drift_limit && r->drift >= -r->drift_limit && r->timing_gain >= 0 && r->timing_gain <= 0.05
           && r->timing_pull >= 0 && r->timing_pull <= 0.05 && r->carrier_step >= 0 && r->carrier_step <= 4
           && r->mean_power > 0 && r->mean_power < 1e9
           && within(r->filled, 0, QAM_HISTORY) && within(r->stage, QAM_HUNTING, QAM_DATA)
           && (r->stage != QAM_HUNTING || within(r->scan, 0, QAM_HISTORY))
           && (r->stage != QAM_COLLECTING || within(r->trigger, 0, QAM_HISTORY))
           && (r->stage != QAM_DATA || within(r->clock, 0, (int64_t)QAM_HISTORY << 32))
           && within(r->delay_head, QAM_TAPS, QAM_DELAY) && within(r->pending_bits, 0, 7);
}

/* Whether octets, a multiple of eight, are numbers of points. Eight at once: a call that brings 20 ms waits for it. The
 * count of points is a power of two, so no octet is above it where all of them or-ed are not. */
static inline int are_points(const struct qam_receiver *r, const uint8_t *octets, size_t n)
{
    uint64_t any = 0, eight;
    for (size_t i = 0; i < n; i += sizeof eight) {
        memcpy(&eight, octets + i, sizeof eight);
        any |= eight;
    }
    for (int i = 0; i < 8; i++)
        if ((int32_t)(any >> 8 * i & 255) >= r->points)
            return 0;
    return 1;
}

/* Survivors are looked up among the points. */
static inline int survivors_are_points(const struct qam_receiver *r)
{
    return are_points(r, r->survivors[0][0], sizeof r->survivors);
}

static inline int branches_are_sound(const Py_buffer *branches)
{
    const int32_t *state = branches->buf;
    for (int i = 0; i < QAM_BRANCHES * 2 * QAM_STATES; i++)
        if (branches->len != QAM_BRANCHES * 2 * QAM_STATES * 4 || !within(state[i], 0, QAM_STATES - 1))
            return 0;
    return 1;
}

/* One cell is enough for what has no trellis. */
static inline int cells_are_points(const struct qam_receiver *r, const Py_buffer *cells)
{
    return cells->shape[0] == (r->trellis ? QAM_CELLS * QAM_CELLS : 1) && cells->shape[1] == QAM_STATES
           && are_points(r, cells->buf, (size_t)cells->len);
}

/* The tables as they stand in a call: bank, points, lines, groups, training, branches, cells; 0 with ValueError. */
static inline int tables_are_sound(const struct qam_receiver *r, const Py_buffer *t)
{
    if (t[0].shape[0] != QAM_PHASES || t[0].shape[1] != 2 || t[0].shape[2] != QAM_FRONT)
        PyErr_Format(PyExc_ValueError, "bank: shape (%d, 2, %d) is needed", QAM_PHASES, QAM_FRONT);
    else if (t[1].shape[0] != 2 || t[1].shape[1] != r->points)
        PyErr_SetString(PyExc_ValueError, "points: shape (2, points) is needed");
    else if (t[2].shape[0] != 2 * QAM_LINES + QAM_SLOW || t[2].shape[1] != QAM_BLOCK)
        PyErr_Format(PyExc_ValueError, "lines: shape (%d, %d) is needed", 2 * QAM_LINES + QAM_SLOW, QAM_BLOCK);
    else if (t[3].shape[0] != r->states || t[3].shape[1] != r->points)
        PyErr_SetString(PyExc_ValueError, "groups: one row a state and one column a point is needed");
    else if (t[4].shape[1] != 2)
        PyErr_SetString(PyExc_ValueError, "training: real and imaginary parts are needed");
    else if (!branches_are_sound(&t[5]))
        PyErr_SetString(PyExc_ValueError, "branches: shape (4, 2, 8), states and subsets, are needed");
    else if (!cells_are_points(r, &t[6]))
        PyErr_Format(PyExc_ValueError, "cells: %d rows of points, or one without a trellis, are needed", QAM_CELLS * QAM_CELLS);
    else
        return 1;
    return 0;
}

static inline struct qam_tables tables_of(const Py_buffer *t)
{
    return (struct qam_tables){t[0].buf, t[1].buf, t[2].buf, t[3].buf, t[4].buf, t[4].shape[0], t[5].buf, t[6].buf};
}

#endif
