/* Packed rows to code bits. Included by t4.c. */

struct KERNEL(sink) {
    uint8_t *at;
    uint64_t bits;  /* the last `n` are not yet in a whole octet */
    int n;
};
#define SINK struct KERNEL(sink)

/* 1 to 57 bits; up to 8 octets are written at `at` each time, so that no branch asks whether it is full */
static inline void KERNEL(put)(SINK *sink, uint64_t bits, int length)
{
    sink->bits = sink->bits << length | bits;
    int n = sink->n + length;
    KERNEL(store_big)(sink->at, sink->bits << (64 - n));
    sink->at += n >> 3;
    sink->n = n & 7;
}

static void KERNEL(put_repeated)(SINK *sink, uint64_t bit, int64_t times)
{
    uint64_t bits = bit ? 0xffffffffu : 0;
    for (; times > 32; times -= 32)
        KERNEL(put)(sink, bits, 32);
    if (times > 0)
        KERNEL(put)(sink, bits >> (32 - times), (int)times);
}

static inline int64_t KERNEL(sink_bits)(const SINK *sink, const uint8_t *out)
{
    return (sink->at - out) * 8 + sink->n;
}

/* The changes of a packed row; how many. Up to 8 more are written behind them. */
static int KERNEL(find_changes)(const uint8_t *row, int width, uint16_t *changes)
{
    int n = 0;
    uint64_t carry = 0;
    for (int x = 0; x < width; x += 64) {
        uint64_t pels = 0;
        if (width - x >= 64) {
            memcpy(&pels, row + x / 8, 8);
        } else {
            memcpy(&pels, row + x / 8, (size_t)(width - x + 7) / 8);
        }
        pels = KERNEL(reverse_octets)(pels);
        uint64_t change = pels ^ (pels << 1 | carry);
        carry = pels >> 63;
        if (!change)
            continue;
        int count = __builtin_popcountll(change);
        uint16_t *to = changes + n;
        n += count;
        do {
            for (int i = 0; i < 8; i++) {
                to[i] = (uint16_t)(x + __builtin_ctzll(change | 1ull << 63));
                change &= change - 1;
            }
            to += 8;
            count -= 8;
        } while (count > 0);
    }
    while (n && changes[n - 1] >= width)
        n--;
    KERNEL(close_line)(changes, n, width);
    return n;
}

static inline void KERNEL(put_run)(SINK *sink, int run, int colour)
{
    for (; run >= 2560; run -= 2560)
        KERNEL(put)(sink, 31, 12);
    uint32_t entry = T4_RUN[colour][run];
    KERNEL(put)(sink, entry >> 5, entry & 31);
}

/* two runs of neighbouring colours behind a prefix of at most 3 bits */
static inline void KERNEL(put_pair)(SINK *sink, uint64_t prefix, int prefix_length, int first, int second, int colour)
{
    if (first >= 2560 || second >= 2560) {
        if (prefix_length)
            KERNEL(put)(sink, prefix, prefix_length);
        KERNEL(put_run)(sink, first, colour);
        KERNEL(put_run)(sink, second, !colour);
        return;
    }
    uint32_t a = T4_RUN[colour][first], b = T4_RUN[!colour][second];
    uint64_t bits = (prefix << (a & 31) | a >> 5) << (b & 31) | b >> 5;
    KERNEL(put)(sink, bits, prefix_length + (int)(a & 31) + (int)(b & 31));
}

static void KERNEL(put_line_1d)(SINK *sink_out, const uint16_t *changes, int width)
{
    SINK sink = *sink_out;
    int from = 0;
    for (; from < width; changes += 2) {
        int black = changes[0], white = changes[1];
        if (black == width) {
            KERNEL(put_run)(&sink, width - from, 0);
            break;
        }
        KERNEL(put_pair)(&sink, 0, 0, black - from, white - black, 0);
        from = white;
    }
    *sink_out = sink;
}

/* [T.4 4.2.1.3]. Vertical and pass mode go one way without a branch between them: which one comes is what a
 * branch predictor cannot know. `b` is the index of b1 on the reference line. */
static void KERNEL(put_line_2d)(SINK *sink_out, const uint16_t *changes, const uint16_t *reference, int width)
{
    SINK sink = *sink_out;
    int a0 = 0, b = 0, colour = 0;
    do {
        int a1 = changes[0], b1 = reference[b], b2 = reference[b + 1];
        int pass = b2 < a1;
        unsigned vertical = (unsigned)(a1 - b1 + 3);
        if (pass | (vertical < T4_PASS)) {
            unsigned mode = pass ? T4_PASS : vertical;
            KERNEL(put)(&sink, T4_MODE_BITS[mode], T4_MODE_LENGTH[mode]);
            a0 = pass ? b2 : a1;
            changes += !pass;
            colour ^= !pass;
            int opposite = 1 + 2 * (b2 <= a0) - 2 * (reference[b - 1] > a0);
            b += pass ? 2 : opposite;
        } else {
            int a2 = changes[1];
            KERNEL(put_pair)(&sink, 1, 3, a1 - a0, a2 - a1, colour);
            changes += 2;
            a0 = a2;
            while (reference[b] <= a0 && a0 < width)
                b += 2;
        }
    } while (a0 < width);
    *sink_out = sink;
}

int64_t KERNEL(t4_encode)(const uint8_t *rows, int64_t height, int32_t width, int32_t coding, int32_t k,
                          int32_t min_line_bits, uint8_t *out, uint16_t *work)
{
    SINK sink = {out, 0, 0};
    uint16_t *changes = work + T4_MARGIN, *reference = changes + T4_LINE;
    size_t stride = (size_t)(width + 7) / 8;
    const int eol_length = coding == T4_MR ? 13 : 12;
    int n_reference = 0;
    KERNEL(close_line)(reference, 0, width);
    for (int64_t y = 0; y < height; y++) {
        const uint8_t *row = rows + (size_t)y * stride;
        int one_d = coding == T4_MH || (coding == T4_MR && y % k == 0);
        if (coding == T4_MH)
            KERNEL(put)(&sink, 1, 12);
        else if (coding == T4_MR)
            KERNEL(put)(&sink, 2 | (unsigned)one_d, 13);
        int64_t start = KERNEL(sink_bits)(&sink, out);
        if (!one_d && y && memcmp(row, row - stride, stride) == 0) {
            KERNEL(put_repeated)(&sink, 1, n_reference + 1);
        } else {
            int n = KERNEL(find_changes)(row, width, changes);
            if (one_d)
                KERNEL(put_line_1d)(&sink, changes, width);
            else
                KERNEL(put_line_2d)(&sink, changes, reference, width);
            uint16_t *swap = reference;
            reference = changes;
            changes = swap;
            n_reference = n;
        }
        if (coding != T4_MMR)
            KERNEL(put_repeated)(&sink, 0, start + min_line_bits - eol_length - KERNEL(sink_bits)(&sink, out));
    }
    for (int i = 0; i < (coding == T4_MMR ? 2 : 6); i++)
        KERNEL(put)(&sink, coding == T4_MR ? 3 : 1, eol_length);
    return sink.at - out + (sink.n > 0);
}
#undef SINK
