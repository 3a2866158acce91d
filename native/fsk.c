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

/* Running sums over the window, for each of `m` samples: `change` becomes what the sum is after it. Whole numbers may be
 * summed in any order: some at once, each lane taking over those before it. */
static inline int32_t KERNEL(fsk_run)(int32_t *change, size_t m, int32_t sum)
{
    size_t i = 0;
    for (; i + LANE_WIDTH <= m; i += LANE_WIDTH) {
        const KERNEL(lane_ints) none = {0};
        KERNEL(lane_ints) run = KERNEL(load_ints)(change + i);
#if LANE_WIDTH == 16
        run += __builtin_shufflevector(none, run, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
        run += __builtin_shufflevector(none, run, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
        run += __builtin_shufflevector(none, run, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
        run += __builtin_shufflevector(none, run, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23);
#elif LANE_WIDTH == 8
        run += __builtin_shufflevector(none, run, 0, 8, 9, 10, 11, 12, 13, 14);
        run += __builtin_shufflevector(none, run, 0, 0, 8, 9, 10, 11, 12, 13);
        run += __builtin_shufflevector(none, run, 0, 0, 0, 0, 8, 9, 10, 11);
#else
        run += __builtin_shufflevector(none, run, 0, 4, 5, 6);
        run += __builtin_shufflevector(none, run, 0, 0, 4, 5);
#endif
        run += sum;
        KERNEL(store_ints)(change + i, run);
        sum = change[i + LANE_WIDTH - 1];
    }
    for (; i < m; i++)
        change[i] = sum += change[i];
    return sum;
}

/* What each of `m` samples changes of the window's correlations and energy; `line` starts with the window before them.
 * Returns what the entering ones have of energy. */
static int64_t KERNEL(fsk_changes)(const struct fsk_receiver *fsk, const int16_t *line, size_t m,
                                   int32_t sums[4][FSK_BLOCK], int32_t energy[FSK_BLOCK])
{
    const int16_t *entering = line + FSK_WINDOW;
    int64_t comes = 0;
    for (int j = 0; j < 4; j++) {
        const int16_t *leaves = fsk_table[j] + fsk->position % FSK_CYCLE, *enters = leaves + FSK_WINDOW;
        for (size_t i = 0; i < m; i++)
            sums[j][i] = entering[i] * enters[i] - line[i] * leaves[i];
    }
    for (size_t i = 0; i < m; i++) {
        int32_t enters = entering[i] * entering[i] >> 4;
        energy[i] = enters - (line[i] * line[i] >> 4);
        comes += enters;
    }
    return comes;
}

static int32_t KERNEL(fsk_total)(const int32_t *change, size_t m, int32_t sum)
{
    for (size_t i = 0; i < m; i++)
        sum += change[i];
    return sum;
}

/* Squares of 23-bit numbers in single precision: each operation rounds alike at every level. Returns all verdicts
 * or-ed together. */
static int KERNEL(fsk_verdicts)(int32_t sums[4][FSK_BLOCK], const int32_t energy[FSK_BLOCK], size_t m,
                                uint8_t verdicts[FSK_BLOCK])
{
    int any = 0;
    for (size_t i = 0; i < m; i++) {
        float part[4];
        for (int j = 0; j < 4; j++)
            part[j] = (float)(sums[j][i] >> 8);
        float mark = part[0] * part[0] + part[1] * part[1], space = part[2] * part[2] + part[3] * part[3];
        int in_band = mark + space > (float)FSK_IN_BAND * (float)energy[i];
        int verdict = (mark > space ? FSK_MARK : 0) | (in_band & (energy[i] > FSK_FLOOR_ON) ? FSK_IN_BAND_ON : 0)
                      | (in_band & (energy[i] > FSK_FLOOR_OFF) ? FSK_IN_BAND_OFF : 0);
        verdicts[i] = (uint8_t)verdict;
        any |= verdict;
    }
    return any;
}

/* Let the presence of a receiver that is not open rise and fall over `m` samples, if it stays below what opens it. A
 * fall ends at nothing: what a lower one would have taken away is given back. */
static int KERNEL(fsk_waits_on)(struct fsk_receiver *fsk, const uint8_t *verdicts, size_t m)
{
    int32_t steps[FSK_BLOCK], least = 0, most = 0;
    for (size_t i = 0; i < m; i++)
        steps[i] = verdicts[i] & FSK_IN_BAND_ON ? 1 : -1;
    int32_t last = KERNEL(fsk_run)(steps, m, fsk->presence);
    for (size_t i = 0; i < m; i++) {
        least = steps[i] < least ? steps[i] : least;
        most = steps[i] > most ? steps[i] : most;
    }
    if (most - least >= FSK_OPEN_AT)
        return 0;
    fsk->presence = last - least;
    fsk->position += (int64_t)m;
    return 1;
}

static void KERNEL(fsk_block)(struct fsk_receiver *fsk, const int16_t *line, size_t m, struct event_buffer *out)
{
    int32_t sums[4][FSK_BLOCK], energy[FSK_BLOCK];
    uint8_t verdicts[FSK_BLOCK];
    int64_t comes = KERNEL(fsk_changes)(fsk, line, m, sums, energy);
    int waits = !fsk->open && fsk->presence == 0;
    if (waits && fsk->energy + comes <= FSK_FLOOR_ON) { /* no window of these can be loud enough */
        for (int j = 0; j < 4; j++)
            fsk->sums[j] = KERNEL(fsk_total)(sums[j], m, fsk->sums[j]);
        fsk->energy = KERNEL(fsk_total)(energy, m, fsk->energy);
        fsk->position += (int64_t)m;
        return;
    }
    for (int j = 0; j < 4; j++)
        fsk->sums[j] = KERNEL(fsk_run)(sums[j], m, fsk->sums[j]);
    fsk->energy = KERNEL(fsk_run)(energy, m, fsk->energy);
    int any = KERNEL(fsk_verdicts)(sums, energy, m, verdicts);
    if (waits && !(any & FSK_IN_BAND_ON)) {
        fsk->position += (int64_t)m;
        return;
    }
    if (!fsk->open && KERNEL(fsk_waits_on)(fsk, verdicts, m))
        return;
    for (size_t i = 0; i < m; i++) {
        fsk->position++;
        KERNEL(fsk_judge)(fsk, verdicts[i], out);
    }
}

static size_t KERNEL(fsk_receive)(struct fsk_receiver *fsk, const int16_t *samples, size_t start, size_t n,
                                  struct event_buffer *out)
{
    int16_t line[FSK_WINDOW + FSK_BLOCK], raw[LINE_GAP + FSK_BLOCK];
    const size_t window = FSK_WINDOW * sizeof *line;
    size_t i = start;
    memcpy(line, fsk->window, window);
    memcpy(raw, fsk->before, sizeof fsk->before);
    while (i < n && !KERNEL(event_room_ends)(out)) {
        size_t m = n - i < FSK_BLOCK ? n - i : FSK_BLOCK;
        memcpy(raw + LINE_GAP, samples + i, m * sizeof *samples);
        KERNEL(line_without_dc)(raw, m, line + FSK_WINDOW);
        KERNEL(fsk_block)(fsk, line, m, out);
        memmove(line, line + m, window);
        memmove(raw, raw + m, sizeof fsk->before);
        i += m;
    }
    memcpy(fsk->window, line, window);
    memcpy(fsk->before, raw, sizeof fsk->before);
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
