/* V.21 channel 2 and the tones of phase A; the HDLC below V.21 is in hdlc.c. */
#include "fsk.h"

#include "fsk_tables.h"
#include "qam_lanes.h"

#include <string.h>

/* ---- the line without direct current ---- */

/* Half of each sample less the one LINE_GAP before it: nothing of 0 Hz and 4 kHz is left, a 25th of 50 Hz, all of
 * 2 kHz. Some gateways add 200 counts, more than a signal at -43 dBm0 has. `line` begins with the samples before. */
static inline void KERNEL(line_without_dc)(const int16_t *line, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)((line[i + LINE_GAP] - line[i]) >> 1);
}

/* ---- V.21 channel 2 ---- */

enum {
    FSK_BIT = 5120,        /* the bit clock: 300 / 8000 of it is a sample */
    FSK_STEP = 192,
    FSK_NUDGE = 2,         /* a quarter of the timing error is taken out at each transition */
    FSK_PRESENT = 160,     /* full presence: 20 ms, and about what a lost carrier takes to be noticed */
    FSK_OPEN_AT = 80,
    FSK_FLAGS = 3,         /* random bits make three flags in a row once in 2^24 */
    FSK_FLOOR_ON = 12312,  /* a sixteenth of the window's energy at -45.5 dBm0 */
    FSK_FLOOR_OFF = 6940,  /* and at -48 dBm0 [V.21] */
    FSK_IN_BAND = 7604,    /* 0.55 of what a pure tone has, 27 / 2 * 8 * 8 times its energy; energy is in sixteenths */
    FSK_BLOCK = 64,        /* samples taken at once: at most three bits, so at most four events and one frame */
    FSK_STRETCH = 8 * FSK_BLOCK,
    FSK_ROWS = 4, FSK_COLUMNS = FSK_BLOCK / FSK_ROWS,
    FSK_MARK = 1, FSK_IN_BAND_ON = 2, FSK_IN_BAND_OFF = 4,
};

static void KERNEL(fsk_open)(struct fsk_receiver *fsk)
{
    fsk->open = 1;
    fsk->clock = 0;
    fsk->hdlc.ones = 7; /* nothing before the first zero can be part of a flag */
    fsk->hdlc.bits = -1;
    fsk->hdlc.flags = 0;
}

static void KERNEL(fsk_close)(struct fsk_receiver *fsk, struct event_buffer *out)
{
    fsk->open = 0;
    if (!fsk->begun)
        return;
    fsk->begun = 0;
    KERNEL(hdlc_give_up)(&fsk->hdlc, fsk->hdlc.bits, fsk->position, out);
    KERNEL(event_emit)(out, fsk->position, EVENT_ENDS, NULL, 0);
}

static void KERNEL(fsk_bit)(struct fsk_receiver *fsk, int bit, struct event_buffer *out)
{
    size_t events = out->count, octets = out->octet_count;
    KERNEL(hdlc_bit)(&fsk->hdlc, bit, fsk->position, out);
    if (fsk->begun)
        return;
    out->count = events;
    out->octet_count = octets;
    if (fsk->hdlc.flags >= FSK_FLAGS) {
        fsk->begun = 1;
        KERNEL(event_emit)(out, fsk->position, EVENT_BEGINS, NULL, 0);
    }
}

/* The window is half in the new bit when the decision changes, so the clock should stand at one half there. */
static inline void KERNEL(fsk_clock)(struct fsk_receiver *fsk, int mark, struct event_buffer *out)
{
    if (mark != fsk->mark)
        fsk->clock -= (fsk->clock - FSK_BIT / 2) >> FSK_NUDGE;
    fsk->mark = mark;
    fsk->clock += FSK_STEP;
    if (fsk->clock >= FSK_BIT) {
        fsk->clock -= FSK_BIT;
        KERNEL(fsk_bit)(fsk, mark, out);
    }
}

/* One sample's verdict, after fsk->position has passed it. */
static inline void KERNEL(fsk_judge)(struct fsk_receiver *fsk, int verdict, struct event_buffer *out)
{
    int in_band = (verdict & (fsk->open ? FSK_IN_BAND_OFF : FSK_IN_BAND_ON)) != 0;
    fsk->presence += in_band ? fsk->presence < FSK_PRESENT : -(fsk->presence > 0);
    if (!fsk->open) {
        if (fsk->presence >= FSK_OPEN_AT)
            KERNEL(fsk_open)(fsk);
    } else if (fsk->presence == 0)
        KERNEL(fsk_close)(fsk, out);
    else
        KERNEL(fsk_clock)(fsk, verdict & FSK_MARK, out);
}

/* A block lies by columns: sample 4 c + r is in row r, column c, so that neighbours stand in the same lane of different
 * rows, and a row is one vector. */
typedef int32_t KERNEL(fsk_rows)[FSK_ROWS][FSK_COLUMNS] __attribute__((aligned(64)));

/* For each lane, the sum of those before it. */
LANE_INLINE KERNEL(lane_ints) KERNEL(sum_before)(KERNEL(lane_ints) of)
{
    const KERNEL(lane_ints) none = {0};
#if LANE_WIDTH == 16
    KERNEL(lane_ints) run = __builtin_shufflevector(none, of, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    run += __builtin_shufflevector(none, run, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    run += __builtin_shufflevector(none, run, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    run += __builtin_shufflevector(none, run, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
    run += __builtin_shufflevector(none, run, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23);
#elif LANE_WIDTH == 8
    KERNEL(lane_ints) run = __builtin_shufflevector(none, of, 0, 8, 9, 10, 11, 12, 13, 14);
    run += __builtin_shufflevector(none, run, 0, 8, 9, 10, 11, 12, 13, 14);
    run += __builtin_shufflevector(none, run, 0, 0, 8, 9, 10, 11, 12, 13);
    run += __builtin_shufflevector(none, run, 0, 0, 0, 0, 8, 9, 10, 11);
#else
    KERNEL(lane_ints) run = __builtin_shufflevector(none, of, 0, 4, 5, 6);
    run += __builtin_shufflevector(none, run, 0, 4, 5, 6);
    run += __builtin_shufflevector(none, run, 0, 0, 4, 5);
#endif
    return run;
}

/* Running sums in the order of the samples: what each one changes becomes what the sum, `sum` before all, is after it.
 * Returns the last. */
LANE_INLINE int32_t KERNEL(fsk_run)(KERNEL(fsk_rows) change, int32_t sum)
{
    for (int at = 0; at < FSK_COLUMNS; at += LANE_WIDTH) {
        KERNEL(lane_ints) run[FSK_ROWS];
        run[0] = KERNEL(load_ints)(change[0] + at);
        for (int r = 1; r < FSK_ROWS; r++)
            run[r] = run[r - 1] + KERNEL(load_ints)(change[r] + at);
        KERNEL(lane_ints) before = KERNEL(sum_before)(run[FSK_ROWS - 1]) + sum;
        for (int r = 0; r < FSK_ROWS; r++)
            KERNEL(store_ints)(change[r] + at, run[r] + before);
        sum = change[FSK_ROWS - 1][at + LANE_WIDTH - 1];
    }
    return sum;
}

LANE_INLINE int64_t KERNEL(add_lanes)(KERNEL(lane_ints) of)
{
    int64_t sum = 0;
    int32_t each[LANE_WIDTH];
    KERNEL(store_ints)(each, of);
    for (int i = 0; i < LANE_WIDTH; i++)
        sum += each[i];
    return sum;
}

LANE_INLINE int32_t KERNEL(fsk_total)(KERNEL(fsk_rows) change, int32_t sum)
{
    KERNEL(lane_ints) run = {0};
    for (int r = 0; r < FSK_ROWS; r++)
        for (int at = 0; at < FSK_COLUMNS; at += LANE_WIDTH)
            run += KERNEL(load_ints)(change[r] + at);
    return (int32_t)KERNEL(add_lanes)(run) + sum;
}

/* Every second word of two vectors, from the first or the second on. */
#if LANE_WIDTH == 16
#define FSK_EVERY_SECOND(a, b, i) __builtin_shufflevector(a, b, i, i + 2, i + 4, i + 6, i + 8, i + 10, i + 12, i + 14, \
                                                          i + 16, i + 18, i + 20, i + 22, i + 24, i + 26, i + 28, i + 30)
#elif LANE_WIDTH == 8
#define FSK_EVERY_SECOND(a, b, i) __builtin_shufflevector(a, b, i, i + 2, i + 4, i + 6, i + 8, i + 10, i + 12, i + 14)
#else
#define FSK_EVERY_SECOND(a, b, i) __builtin_shufflevector(a, b, i, i + 2, i + 4, i + 6)
#endif

/* Columns from 4 * LANE_WIDTH samples of each kind on: in the low half the one that enters, in the high half the one that
 * leaves. */
LANE_INLINE void KERNEL(fsk_pairs)(const int16_t *enters, const int16_t *leaves, KERNEL(lane_ints) pairs[FSK_ROWS])
{
    const KERNEL(lane_ints) low = (KERNEL(lane_ints)){0} + 0xffff;
    KERNEL(lane_ints) in = KERNEL(load_ints)(enters), in_next = KERNEL(load_ints)(enters + 2 * LANE_WIDTH);
    KERNEL(lane_ints) off = KERNEL(load_ints)(leaves), off_next = KERNEL(load_ints)(leaves + 2 * LANE_WIDTH);
    KERNEL(lane_ints) in_two[2] = {FSK_EVERY_SECOND(in, in_next, 0), FSK_EVERY_SECOND(in, in_next, 1)};
    KERNEL(lane_ints) off_two[2] = {FSK_EVERY_SECOND(off, off_next, 0), FSK_EVERY_SECOND(off, off_next, 1)};
    for (int i = 0; i < 2; i++) {
        pairs[2 * i] = (in_two[i] & low) | off_two[i] << 16;
        pairs[2 * i + 1] = (in_two[i] >> 16 & low) | (off_two[i] & ~low);
    }
}

/* What each sample of a block changes of the window's correlations and energy: it enters, another leaves. Returns what
 * the entering ones have of energy. */
LANE_INLINE int64_t KERNEL(fsk_changes)(int64_t position, const int16_t *enters, const int16_t *leaves,
                                        KERNEL(fsk_rows) sums[4], KERNEL(fsk_rows) energy)
{
    KERNEL(lane_ints) comes = {0}, pairs[FSK_ROWS];
    for (int at = 0; at < FSK_COLUMNS; at += LANE_WIDTH) {
        KERNEL(fsk_pairs)(enters + FSK_ROWS * at, leaves + FSK_ROWS * at, pairs);
        for (int r = 0; r < FSK_ROWS; r++) {
            KERNEL(lane_ints) in = pairs[r] << 16 >> 16, off = pairs[r] >> 16;
            in = in * in >> 4;
            comes += in;
            KERNEL(store_ints)(energy[r] + at, in - (off * off >> 4));
            int64_t turn = position % FSK_CYCLE + r;
            for (int j = 0; j < 4; j++) {
                KERNEL(lane_ints) turns = KERNEL(load_ints)(fsk_table[j][turn % FSK_ROWS][turn / FSK_ROWS + at]);
                KERNEL(store_ints)(sums[j][r] + at, (KERNEL(lane_ints))KERNEL(multiply_lanes)(pairs[r], turns));
            }
        }
    }
    return KERNEL(add_lanes)(comes);
}

/* Squares of 23-bit numbers in single precision: each operation rounds alike at every level. */
LANE_INLINE void KERNEL(fsk_verdicts)(KERNEL(fsk_rows) sums[4], KERNEL(fsk_rows) energy, KERNEL(fsk_rows) verdicts)
{
    const KERNEL(lane_ints) none = {0};
    for (int r = 0; r < FSK_ROWS; r++) {
        for (int at = 0; at < FSK_COLUMNS; at += LANE_WIDTH) {
            lane_part part[4];
            for (int j = 0; j < 4; j++)
                part[j] = __builtin_convertvector(KERNEL(load_ints)(sums[j][r] + at) >> 8, lane_part);
            lane_part mark = part[0] * part[0] + part[1] * part[1], space = part[2] * part[2] + part[3] * part[3];
            KERNEL(lane_ints) loud = KERNEL(load_ints)(energy[r] + at);
            lane_part wanted = (float)FSK_IN_BAND * __builtin_convertvector(loud, lane_part);
            KERNEL(lane_ints) in_band = KERNEL(pick)(KERNEL(less)(wanted, mark + space), ~none, none);
            KERNEL(lane_ints) verdict = KERNEL(pick)(KERNEL(less)(space, mark), none + FSK_MARK, none);
            verdict |= in_band & (loud > FSK_FLOOR_ON) & FSK_IN_BAND_ON;
            verdict |= in_band & (loud > FSK_FLOOR_OFF) & FSK_IN_BAND_OFF;
            KERNEL(store_ints)(verdicts[r] + at, verdict);
        }
    }
}

/* Let the presence of a receiver that is not open rise and fall over a block, if that surely does not open it. A fall
 * ends at nothing: what a lower one would have taken away is given back. */
LANE_INLINE int KERNEL(fsk_waits_on)(struct fsk_receiver *fsk, KERNEL(fsk_rows) verdicts)
{
    KERNEL(fsk_rows) steps;
    KERNEL(lane_ints) lowest = {0};
    int32_t least = 0, each[LANE_WIDTH];
    for (int r = 0; r < FSK_ROWS; r++)
        for (int at = 0; at < FSK_COLUMNS; at += LANE_WIDTH)
            KERNEL(store_ints)(steps[r] + at, (KERNEL(load_ints)(verdicts[r] + at) & FSK_IN_BAND_ON) - FSK_IN_BAND_ON / 2);
    int32_t last = KERNEL(fsk_run)(steps, fsk->presence), rises = (last - fsk->presence + FSK_BLOCK) / 2;
    if (fsk->presence + rises >= FSK_OPEN_AT)
        return 0;
    for (int r = 0; r < FSK_ROWS; r++)
        for (int at = 0; at < FSK_COLUMNS; at += LANE_WIDTH)
            lowest = KERNEL(lesser)(KERNEL(load_ints)(steps[r] + at), lowest);
    KERNEL(store_ints)(each, lowest);
    for (int i = 0; i < LANE_WIDTH; i++)
        least = each[i] < least ? each[i] : least;
    fsk->presence = last - least;
    return 1;
}

/* `m` samples, FSK_BLOCK at most; `line` is the window before them, and they. */
static void KERNEL(fsk_block)(struct fsk_receiver *fsk, const int16_t *line, size_t m, struct event_buffer *out)
{
    KERNEL(fsk_rows) sums[4], energy, verdicts;
    int16_t few[2][FSK_BLOCK];
    const int16_t *enters = line + FSK_WINDOW, *leaves = line;
    if (m < FSK_BLOCK) { /* what is not there changes nothing */
        memset(few, 0, sizeof few);
        enters = memcpy(few[0], enters, m * sizeof *enters);
        leaves = memcpy(few[1], leaves, m * sizeof *leaves);
    }
    int64_t comes = KERNEL(fsk_changes)(fsk->position, enters, leaves, sums, energy);
    if (!fsk->open && fsk->presence == 0 && fsk->energy + comes <= FSK_FLOOR_ON) { /* no window can be loud enough */
        for (int j = 0; j < 4; j++)
            fsk->sums[j] = KERNEL(fsk_total)(sums[j], fsk->sums[j]);
        fsk->energy = KERNEL(fsk_total)(energy, fsk->energy);
        fsk->position += (int64_t)m;
        return;
    }
    for (int j = 0; j < 4; j++)
        fsk->sums[j] = KERNEL(fsk_run)(sums[j], fsk->sums[j]);
    fsk->energy = KERNEL(fsk_run)(energy, fsk->energy);
    KERNEL(fsk_verdicts)(sums, energy, verdicts);
    if (!fsk->open && m == FSK_BLOCK && KERNEL(fsk_waits_on)(fsk, verdicts)) {
        fsk->position += (int64_t)m;
        return;
    }
    for (size_t i = 0; i < m; i++) {
        fsk->position++;
        KERNEL(fsk_judge)(fsk, verdicts[i % FSK_ROWS][i / FSK_ROWS], out);
    }
}

/* The blocks of at most FSK_STRETCH samples; how many of these were taken before room for events ran out. */
static size_t KERNEL(fsk_stretch)(struct fsk_receiver *fsk, const int16_t *samples, size_t n, struct event_buffer *out)
{
    int16_t line[FSK_WINDOW + FSK_STRETCH], raw[LINE_GAP + FSK_STRETCH];
    size_t i = 0;
    memcpy(line, fsk->window, sizeof fsk->window);
    memcpy(raw, fsk->before, sizeof fsk->before);
    memcpy(raw + LINE_GAP, samples, n * sizeof *samples);
    KERNEL(line_without_dc)(raw, n, line + FSK_WINDOW);
    while (i < n && !KERNEL(event_room_ends)(out)) {
        size_t m = n - i < FSK_BLOCK ? n - i : FSK_BLOCK;
        KERNEL(fsk_block)(fsk, line + i, m, out);
        i += m;
    }
    memcpy(fsk->window, line + i, sizeof fsk->window);
    memcpy(fsk->before, raw + i, sizeof fsk->before);
    return i;
}

static size_t KERNEL(fsk_receive)(struct fsk_receiver *fsk, const int16_t *samples, size_t start, size_t n,
                                  struct event_buffer *out)
{
    size_t i = start, taken;
    do {
        taken = KERNEL(fsk_stretch)(fsk, samples + i, n - i < FSK_STRETCH ? n - i : FSK_STRETCH, out);
        i += taken;
    } while (taken == FSK_STRETCH);
    return i - start;
}

/* ---- CNG and CED ---- */

enum {
    TONE_FLOOR = 260000,          /* block energy at -46 dBm0 */
    TONE_SHARE = 60,              /* percent of the block's energy that is the tone */
    TONE_MISS = 4,                     /* what a block without the tone takes from the score */
    TONE_SURE_CNG = 64, TONE_SURE_CED = 80, /* blocks of 5 ms: 0.32 s, 0.4 s */
};

static void KERNEL(tone_judge)(struct tone_detector *tone, struct event_buffer *out)
{
    static const int32_t sure[2] = {TONE_SURE_CNG, TONE_SURE_CED};
    for (int k = 0; k < 2; k++) {
        int64_t re = tone->sums[2 * k] >> 4, im = tone->sums[2 * k + 1] >> 4;
        /* a pure tone has (amplitude * 40 / 2 * 1024 / 16)^2 = energy * 40 / 2 * 64^2 */
        int hit = tone->energy > TONE_FLOOR && (re * re + im * im) * 100 > tone->energy * (TONE_SHARE * 20 * 4096);
        int32_t score = tone->score[k] + (hit ? 1 : -TONE_MISS);
        score = score < 0 ? 0 : score > sure[k] ? sure[k] : score;
        if (score == sure[k] && !tone->heard[k])
            KERNEL(event_emit)(out, tone->position, EVENT_CNG + k, NULL, 0);
        tone->heard[k] = score == sure[k] || (tone->heard[k] && score > 0);
        tone->score[k] = score;
    }
    memset(tone->sums, 0, sizeof tone->sums);
    tone->energy = 0;
    tone->filled = 0;
}

static void KERNEL(tone_take)(struct tone_detector *tone, const int16_t *samples, int32_t n)
{
    int32_t sums[4] = {0};
    int64_t energy = 0;
    int16_t raw[LINE_GAP + TONE_BLOCK], line[TONE_BLOCK];
    memcpy(raw, tone->before, sizeof tone->before);
    memcpy(raw + LINE_GAP, samples, (size_t)n * sizeof *samples);
    KERNEL(line_without_dc)(raw, (size_t)n, line);
    memcpy(tone->before, raw + n, sizeof tone->before);
    for (int32_t i = 0; i < n; i++) {
        for (int j = 0; j < 4; j++)
            sums[j] += line[i] * tone_table[j][tone->filled + i];
        energy += line[i] * line[i];
    }
    for (int j = 0; j < 4; j++)
        tone->sums[j] += sums[j];
    tone->energy += energy;
    tone->filled += n;
    tone->position += n;
}

static size_t KERNEL(tone_detect)(struct tone_detector *tone, const int16_t *samples, size_t start, size_t n,
                                  struct event_buffer *out)
{
    size_t i = start;
    while (i < n && out->count + 2 <= out->room) {
        size_t some = (size_t)(TONE_BLOCK - tone->filled);
        some = some < n - i ? some : n - i;
        KERNEL(tone_take)(tone, samples + i, (int32_t)some);
        i += some;
        if (tone->filled == TONE_BLOCK)
            KERNEL(tone_judge)(tone, out);
    }
    return i - start;
}
