/* Many lanes of one modulation at once: the machinery of qam.h over sixteen lanes a block, with its very results. */
#ifndef FAXCORE_BANK_H
#define FAXCORE_BANK_H

#include "qam.h"

enum { BANK_LANES = 16, BANK_ROWS = 128, BANK_STRETCH = 320, BANK_WINDOW = 256, BANK_DELAY = 64, BANK_RECENT = 16, BANK_SPARE = 8 };

/* One lane of a transmitter bank. */
struct bank_sender {
    int64_t first, count;    /* the symbols at hand: the number of the first, and how many */
    int64_t end;             /* samples that all symbols up to the last one make */
    int64_t sent, made;      /* samples given out and samples made; those between lie in `spare` */
    float gain;
    int32_t unused;
    int16_t spare[BANK_ROWS]; /* the period that sample made - 1 is in */
};

/* One lane of a reception: a receiver and what it hears. */
struct bank_lane {
    struct qam_receiver *receiver;
    const int16_t *samples;
    int64_t n;
};

#define BANK_KERNELS(X) \
    X(void, bank_shape, (const struct qam_pulse *pulse, const int16_t *taps, const int16_t *points, const uint8_t *symbols, int64_t capacity, \
                         struct bank_sender *senders, int64_t lanes, int16_t *out, int64_t n)) \
    X(void, bank_receive, (const struct bank_lane *lanes, int64_t count, const struct qam_tables *tables, \
                           uint8_t *octets, int64_t capacity, struct qam_progress *progress))

#endif
