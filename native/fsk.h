/* V.21 channel 2, HDLC and the tones of T.30: from samples to events. All whole numbers, so every CPU level and
 * every chunking of the samples gives the same bits. */
#ifndef FAXCORE_FSK_H
#define FAXCORE_FSK_H

#include <stddef.h>
#include <stdint.h>

/* Longest frame, FCS included: an ECM frame has 262 octets, a V.21 frame of 3.45 s has 129 [T.30 5.3.7]. */
#define HDLC_LONGEST 514

struct hdlc_deframer {
    int64_t position;   /* bits taken */
    int64_t flags_seen;
    int32_t ones;       /* ones in a row, at most 7 */
    int32_t bits;       /* bits since the last flag without stuffing, -1 while hunting for a flag */
    int32_t flags;      /* flags in a row */
    uint32_t octet;     /* the newest 8 bits, the oldest least significant */
    uint8_t frame[HDLC_LONGEST + 2];
    uint8_t pad[4];
};

enum { EVENT_GOOD_FRAME = 1, EVENT_BAD_FRAME, EVENT_BEGINS, EVENT_ENDS, EVENT_CNG, EVENT_CED };

struct line_event {
    int64_t at;
    int32_t kind;
    int32_t length; /* octets of the frame in the octet buffer, FCS taken off */
};

/* Where events and the octets of their frames go; a kernel stops early when a further one might not fit. */
struct event_buffer {
    struct line_event *events;
    uint8_t *octets;
    size_t room, octet_room;
    size_t count, octet_count;
};

#define FSK_WINDOW 27 /* samples: one bit is 26 2/3 */
#define LINE_GAP 2 /* samples: a sample less the one so many before it has no direct current and hardly any hum */
#define FSK_CYCLE 160 /* samples after which 1650 Hz and 1850 Hz both are where they were */

struct fsk_receiver {
    int64_t position; /* line time of the next sample */
    int32_t sums[4];  /* correlation of the window with 1650 Hz and 1850 Hz: cosine, sine, cosine, sine */
    int32_t energy;   /* sum of squares of the window, in sixteenths */
    int32_t clock;    /* phase of the bit clock */
    int32_t mark;     /* the decision of the last sample */
    int32_t presence; /* rises with each sample in band, falls with each other */
    int32_t open;     /* bits are taken */
    int32_t begun;    /* flags were recognised: frames are reported */
    int16_t window[FSK_WINDOW]; /* the last samples without direct current, oldest first */
    int16_t before[LINE_GAP];   /* the last samples of the line */
    int16_t pad[3];
    struct hdlc_deframer hdlc;
};

#define TONE_BLOCK 40 /* samples: 5.5 turns of 1100 Hz, 10.5 of 2100 Hz, so that each block sees the same table */

struct tone_detector {
    int64_t position;
    int64_t energy;
    int32_t sums[4]; /* correlation with 1100 Hz and 2100 Hz */
    int32_t filled;  /* samples of the block taken */
    int32_t score[2];
    int32_t heard[2];
    int16_t before[LINE_GAP];
};

/* Octets of room that hdlc_frame needs beyond its line bits: it writes eight at a time. */
#define HDLC_SLACK 8

#define FSK_KERNELS(X)                                                                                             \
    /* Take bits `start` to `n` (one an octet, or packed with the first least significant); returns bits taken. */ \
    X(size_t, hdlc_deframe, (struct hdlc_deframer *, const uint8_t *bits, int packed, size_t start, size_t n,      \
                             struct event_buffer *))                                                               \
    /* Frames without FCS, one after the other in `octets`, to packed line bits; returns how many bits. */          \
    X(int64_t, hdlc_frame, (const uint8_t *octets, const int32_t *lengths, int64_t frames, int64_t before,         \
                            int64_t between, int64_t after, uint8_t *out))                                         \
    /* Take samples; returns how many. */                                                                          \
    X(size_t, fsk_receive, (struct fsk_receiver *, const int16_t *samples, size_t start, size_t n,                 \
                            struct event_buffer *))                                                                \
    X(size_t, tone_detect, (struct tone_detector *, const int16_t *samples, size_t start, size_t n,                \
                            struct event_buffer *))

#endif
