/* Transmission: octets to points, points to samples. */
#include "qam.h"
#include "qam_lanes.h"

/* Whether the guard inverts the bit that comes now. */
static uint32_t KERNEL(guard_inverts)(struct qam_scrambler *s)
{
    if (s->guard_run < s->guard)
        return 0;
    s->guard_run = 0;
    return 1;
}

/* Count the newest bit of the line for the guard. */
static void KERNEL(guard_counts)(struct qam_scrambler *s)
{
    uint32_t newest = s->line & 1;
    for (int i = 0; i < 3; i++) {
        if ((s->line >> s->guard_taps[i] & 1) == newest) {
            s->guard_run++;
            return;
        }
    }
    s->guard_run = 0;
}

/* The next `bits` of the line from those of the data, or back: the newest least significant. */
static uint32_t KERNEL(scramble)(struct qam_scrambler *s, uint32_t group, int32_t bits)
{
    if (!s->guard) {
        /* The taps reach further back than a group is long, so a whole group is scrambled at once. */
        uint32_t sent = group ^ s->line >> (s->tap_near - bits) ^ s->line >> (s->tap_far - bits);
        s->line = s->line << bits | (sent & ((1u << bits) - 1));
        return s->line & ((1u << bits) - 1);
    }
    for (int i = bits - 1; i >= 0; i--) {
        uint32_t inverted = KERNEL(guard_inverts)(s);
        uint32_t sent = (group >> i ^ s->line >> (s->tap_near - 1) ^ s->line >> (s->tap_far - 1) ^ inverted) & 1;
        s->line = s->line << 1 | sent;
        if (!inverted)
            KERNEL(guard_counts)(s);
    }
    return s->line & ((1u << bits) - 1);
}

static uint32_t KERNEL(descramble)(struct qam_scrambler *s, uint32_t group, int32_t bits)
{
    if (!s->guard) {
        s->line = s->line << bits | group;
        return (s->line ^ s->line >> s->tap_near ^ s->line >> s->tap_far) & ((1u << bits) - 1);
    }
    uint32_t plain = 0;
    for (int i = bits - 1; i >= 0; i--) {
        uint32_t inverted = KERNEL(guard_inverts)(s);
        s->line = s->line << 1 | (group >> i & 1);
        plain = plain << 1 | ((s->line ^ s->line >> s->tap_near ^ s->line >> s->tap_far ^ inverted) & 1);
        if (!inverted)
            KERNEL(guard_counts)(s);
    }
    return plain;
}

static uint8_t KERNEL(reversed)(uint32_t octet)
{
    octet = (octet & 0xf0) >> 4 | (octet & 0x0f) << 4;
    octet = (octet & 0xcc) >> 2 | (octet & 0x33) << 2;
    return (uint8_t)((octet & 0xaa) >> 1 | (octet & 0x55) << 1);
}

int64_t KERNEL(qam_encode)(struct qam_coder *coder, const uint8_t *table, const uint8_t *next, const uint8_t *octets,
                           int64_t n, uint8_t *symbols)
{
    struct qam_coder c = *coder;
    uint32_t groups = (1u << c.bits) - 1;
    int64_t made = 0;
    for (int64_t i = 0; i < n; i++) {
        c.pending = c.pending << 8 | KERNEL(reversed)(octets[i]);
        for (c.pending_bits += 8; c.pending_bits >= c.bits;) {
            c.pending_bits -= c.bits;
            uint32_t group = c.pending >> c.pending_bits & groups;
            uint32_t at = (c.state << c.bits) + KERNEL(scramble)(&c.scrambler, group, c.bits);
            symbols[made++] = table[at];
            c.state = next[at];
        }
    }
    c.pending &= (1u << c.pending_bits) - 1;
    *coder = c;
    return made;
}

static int16_t KERNEL(to_sample)(float value)
{
    long rounded = lrintf(value);
    return (int16_t)(rounded > 32767 ? 32767 : rounded < -32768 ? -32768 : rounded);
}

enum { QAM_SHAPE_SYMBOLS = 256 };

/* Points of symbols [first, first + n) as floats in turn; nothing is sent before and after those that are given. */
static void KERNEL(lay_points)(const float *points, const uint8_t *symbols, int64_t n_symbols, int64_t first, int n, float *laid)
{
    for (int i = 0; i < n; i++) {
        int64_t at = first + i;
        const float *point = at >= 0 && at < n_symbols ? points + 2 * symbols[at] : NULL;
        laid[2 * i] = point ? point[0] : 0.0f;
        laid[2 * i + 1] = point ? point[1] : 0.0f;
    }
}

void KERNEL(qam_shape)(const struct qam_pulse *pulse, const float *taps, const float *points, const uint8_t *symbols,
                       int64_t n_symbols, int64_t first_symbol, int64_t first_sample, int16_t *out, int64_t n)
{
    float laid[2 * (QAM_SPAN_MAX + QAM_SHAPE_SYMBOLS)];
    int width = 2 * pulse->span;
    int64_t row = first_sample % pulse->rows;
    int64_t newest = first_sample * pulse->up / pulse->down;
    int64_t rest = first_sample * pulse->up % pulse->down;
    for (int64_t i = 0; i < n;) {
        int64_t oldest = newest - pulse->span + 1;
        int64_t wanted = (n - i) * pulse->up / pulse->down + 1;
        int fresh = wanted < QAM_SHAPE_SYMBOLS ? (int)wanted : QAM_SHAPE_SYMBOLS;
        KERNEL(lay_points)(points, symbols, n_symbols, oldest - first_symbol, pulse->span + fresh, laid);
        for (; i < n && newest - pulse->span + 1 - oldest <= QAM_SHAPE_SYMBOLS; i++) {
            const float *window = laid + 2 * (newest - pulse->span + 1 - oldest);
            out[i] = KERNEL(to_sample)(KERNEL(dot)(window, taps + row * width, width));
            row = row + 1 == pulse->rows ? 0 : row + 1;
            for (rest += pulse->up; rest >= pulse->down; rest -= pulse->down)
                newest++;
        }
    }
}
