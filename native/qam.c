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

/* Eight octets as bits in the order of time, the first most significant. */
static uint64_t KERNEL(load_bits)(const uint8_t *octets)
{
    uint64_t w = 0;
    for (int i = 0; i < 8; i++)
        w = w << 8 | octets[i];
    w = (w & 0xf0f0f0f0f0f0f0f0) >> 4 | (w & 0x0f0f0f0f0f0f0f0f) << 4;
    w = (w & 0xcccccccccccccccc) >> 2 | (w & 0x3333333333333333) << 2;
    return (w & 0xaaaaaaaaaaaaaaaa) >> 1 | (w & 0x5555555555555555) << 1;
}

/* Four groups of so many bits, one an octet. */
static void KERNEL(store_groups)(uint8_t *to, uint32_t groups, int32_t bits)
{
#if LANE_WIDTH == 16
    uint32_t octets = __builtin_bswap32(_pdep_u32(groups, ((1u << bits) - 1) * 0x01010101));
    memcpy(to, &octets, sizeof octets);
#else
    const uint32_t pair = (1u << 2 * bits) - 1, one = ((1u << bits) - 1) * 0x10001;
    groups = (groups & pair) | ((uint64_t)groups >> 2 * bits & pair) << 16;
    groups = (groups & one) << 8 | (groups >> bits & one);
    to[0] = (uint8_t)(groups >> 16), to[1] = (uint8_t)(groups >> 24);
    to[2] = (uint8_t)groups, to[3] = (uint8_t)(groups >> 8);
#endif
}

/* Eight octets at once, for a scrambler without a guard whose taps reach sixteen bits back. Bits that do not fill a group
 * are scrambled ahead of their time, and taken back at the end. */
static int64_t KERNEL(scramble_eights)(struct qam_coder *c, const uint8_t *octets, int64_t eights, uint8_t *groups)
{
    const struct qam_scrambler *s = &c->scrambler;
    const int32_t near = s->tap_near - 16, far = s->tap_far - 16, group = c->bits, ahead = c->pending_bits;
    uint64_t line = s->line, late = c->pending;
    int32_t bits = 0;
    uint8_t *end = groups;
    for (int64_t i = 0; i < eights; i++) {
        uint64_t fresh = KERNEL(load_bits)(octets + 8 * i), plain = ahead ? late << (64 - ahead) | fresh >> ahead : fresh;
        late = fresh;
        for (int j = 48; j >= 0; j -= 16) {
            line = line << 16 | ((plain >> j ^ line >> near ^ line >> far) & 0xffff);
            for (bits += 16; bits >= 4 * group; bits -= 4 * group, end += 4)
                KERNEL(store_groups)(end, (uint32_t)(line >> (bits - 4 * group)), group);
        }
    }
    for (; bits >= group; bits -= group)
        *end++ = (uint8_t)(line >> (bits - group) & ((1u << group) - 1));
    c->scrambler.line = (uint32_t)(line >> bits);
    c->pending_bits += bits;
    c->pending = (uint32_t)late & ((1u << c->pending_bits) - 1);
    return end - groups;
}

/* Whole groups of what is pending. */
static int64_t KERNEL(scramble_pending)(struct qam_coder *c, uint8_t *groups)
{
    int64_t made = 0;
    while (c->pending_bits >= c->bits) {
        c->pending_bits -= c->bits;
        uint32_t group = c->pending >> c->pending_bits & ((1u << c->bits) - 1);
        groups[made++] = (uint8_t)KERNEL(scramble)(&c->scrambler, group, c->bits);
    }
    c->pending &= (1u << c->pending_bits) - 1;
    return made;
}

/* Points in the place of scrambled groups, two at a time. */
static uint32_t KERNEL(code_groups)(const struct qam_code *code, uint32_t state, const struct qam_coder *c, uint8_t *symbols, int64_t n)
{
    const uint8_t *table = code->table, *next = code->next;
    const int32_t bits = c->bits, kept = code->kept, spare = bits - kept;
    for (int64_t i = 0; i + 1 < n; i += 2) {
        uint32_t first = symbols[i], second = symbols[i + 1], at = (state << bits) + first;
        const uint8_t *leap = code->leaps + ((first >> spare << kept) + (second >> spare)) * (uint32_t)c->states;
        state = leap[state];
        symbols[i] = table[at];
        symbols[i + 1] = table[((uint32_t)next[at] << bits) + second];
    }
    if (n & 1) {
        uint32_t at = (state << bits) + symbols[n - 1];
        symbols[n - 1] = table[at];
        state = next[at];
    }
    return state;
}

int64_t KERNEL(qam_encode)(struct qam_coder *coder, const struct qam_code *code, const uint8_t *octets, int64_t n, uint8_t *symbols)
{
    struct qam_coder c = *coder;
    int64_t made = 0, i = 0;
    if (!c.scrambler.guard && c.scrambler.tap_near >= 16) {
        made = KERNEL(scramble_eights)(&c, octets, n / 8, symbols);
        made += KERNEL(scramble_pending)(&c, symbols + made);
        i = n / 8 * 8;
    }
    for (; i < n; i++) {
        c.pending = c.pending << 8 | KERNEL(reversed)(octets[i]);
        c.pending_bits += 8;
        made += KERNEL(scramble_pending)(&c, symbols + made);
    }
    c.state = KERNEL(code_groups)(code, c.state, &c, symbols, made);
    *coder = c;
    return made;
}

static int16_t KERNEL(to_sample)(float value)
{
    long rounded = lrintf(value);
    return (int16_t)(rounded > 32767 ? 32767 : rounded < -32768 ? -32768 : rounded);
}

enum { QAM_SHAPE_SYMBOLS = 256 };

/* Points of symbols [first, first + n) in turn; nothing is sent before and after those that are given. */
static void KERNEL(lay_points)(const int16_t *points, const uint8_t *symbols, int64_t n_symbols, int64_t first, int n,
                               int16_t *laid)
{
    for (int i = 0; i < n; i++) {
        int64_t at = first + i;
        const int16_t *point = at >= 0 && at < n_symbols ? points + 2 * symbols[at] : NULL;
        laid[2 * i] = point ? point[0] : 0;
        laid[2 * i + 1] = point ? point[1] : 0;
    }
}

static float KERNEL(shape_sample)(const int16_t *window, const int16_t *taps, int width)
{
    lane_bits_quad sum = KERNEL(multiply_eight)(window, taps);
    for (int i = 8; i < width; i += 8)
        sum += KERNEL(multiply_eight)(window + i, taps + i);
    return (float)(int32_t)((sum[0] + sum[2]) + (sum[1] + sum[3]));
}

void KERNEL(qam_shape)(const struct qam_pulse *pulse, const int16_t *taps, const int16_t *points, float gain,
                       const uint8_t *symbols, int64_t n_symbols, int64_t first_symbol, int64_t first_sample, int16_t *out,
                       int64_t n)
{
    int16_t laid[2 * (QAM_SPAN_MAX + QAM_SHAPE_SYMBOLS)];
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
            const int16_t *window = laid + 2 * (newest - pulse->span + 1 - oldest);
            out[i] = KERNEL(to_sample)(KERNEL(shape_sample)(window, taps + row * width, width) * gain);
            row = row + 1 == pulse->rows ? 0 : row + 1;
            for (rest += pulse->up; rest >= pulse->down; rest -= pulse->down)
                newest++;
        }
    }
}
