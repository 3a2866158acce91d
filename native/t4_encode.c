/* Packed rows to code bits. Included by t4.c. */

struct KERNEL(sink) {
    uint8_t *at;
    uint64_t bits;  /* the last `n` are not yet in a whole octet */
    int n;
};
#define SINK struct KERNEL(sink)

/* 0 to 57 bits; up to 8 octets are written at `at` each time, so that no branch asks whether it is full */
static inline void KERNEL(put)(SINK *sink, uint64_t bits, int length)
{
    sink->bits = sink->bits << length | bits;
    int n = sink->n + length;
    KERNEL(store_big)(sink->at, sink->bits << (-n & 63));
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

typedef uint64_t KERNEL(words) __attribute__((vector_size(64)));
#define WORDS KERNEL(words)

/* mark_changes: the bits of eight words, least first, that differ from the bit before them, `before` being the words
 * before these; returns which words have any.
 * list_bits: the positions of the bits that are set, least first, from `x` on; returns how many. */
#if defined(__AVX512F__)
static inline unsigned KERNEL(mark_changes)(const WORDS *pels, const WORDS *before, uint64_t *words)
{
    __m512i left = _mm512_alignr_epi64((__m512i)*pels, (__m512i)*before, 7);
    WORDS changes = *pels ^ (*pels << 1 | (WORDS)left >> 63);
    _mm512_storeu_si512(words, (__m512i)changes);
    return _mm512_test_epi64_mask((__m512i)changes, (__m512i)changes);
}

static inline int KERNEL(list_bits)(uint64_t word, int x, uint16_t *to)
{
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    int n = 0;
    for (int i = 0; i < 64; i += 16) {
        __mmask16 set = (__mmask16)(word >> i);
        __m512i positions = _mm512_maskz_compress_epi32(set, _mm512_add_epi32(lanes, _mm512_set1_epi32(x + i)));
        _mm256_storeu_si256((__m256i *)(to + n), _mm512_cvtepi32_epi16(positions));
        n += __builtin_popcount(set);
    }
    return n;
}
#else
static inline unsigned KERNEL(mark_changes)(const WORDS *pels, const WORDS *before, uint64_t *words)
{
    uint64_t left = (*before)[7];
    unsigned changed = 0;
    memcpy(words, pels, sizeof *pels);
    for (int i = 0; i < 8; i++) {
        uint64_t word = words[i];
        words[i] = word ^ (word << 1 | left >> 63);
        changed |= (unsigned)(words[i] != 0) << i;
        left = word;
    }
    return changed;
}

static inline int KERNEL(list_bits)(uint64_t word, int x, uint16_t *to)
{
    int count = __builtin_popcountll(word);
    for (int n = 0; n < count; n += 8) {
        for (int i = 0; i < 8; i++) {
            to[n + i] = (uint16_t)(x + __builtin_ctzll(word | 1ull << 63));
            word &= word - 1;
        }
    }
    return count;
}
#endif

/* Up to 64 octets of a row, 0 behind them. It reads beyond them where `end`, the end of all rows, allows. */
static inline void KERNEL(load_words)(WORDS *words, const uint8_t *at, int n, const uint8_t *end)
{
    static const uint64_t masks[16] = {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull};
    if (n >= 64) {
        memcpy(words, at, 64);
        return;
    }
    WORDS mask;
    memcpy(&mask, (const uint8_t *)masks + 64 - n, 64);
    memset(words, 0, 64);
    if (end - at >= 64)
        memcpy(words, at, 64);
    else
        memcpy(words, at, (size_t)n);
    *words &= mask;
}

/* The changes of a packed row; how many. Up to 16 more are written behind them. */
static int KERNEL(find_changes)(const uint8_t *row, const uint8_t *end, int width, uint16_t *changes)
{
    int n = 0;
    WORDS before = {0};
    for (int x = 0; x < width; x += 512) {
        WORDS pels;
        KERNEL(load_words)(&pels, row + x / 8, (width - x + 7) / 8, end);
        pels = (pels >> 1 & 0x5555555555555555u) | (pels & 0x5555555555555555u) << 1;
        pels = (pels >> 2 & 0x3333333333333333u) | (pels & 0x3333333333333333u) << 2;
        pels = (pels >> 4 & 0x0f0f0f0f0f0f0f0fu) | (pels & 0x0f0f0f0f0f0f0f0fu) << 4;
        uint64_t words[8];
        for (unsigned changed = KERNEL(mark_changes)(&pels, &before, words); changed; changed &= changed - 1) {
            int i = __builtin_ctz(changed);
            n += KERNEL(list_bits)(words[i], x + 64 * i, changes + n);
        }
        before = pels;
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

/* Vertical modes of up to 8 changes at once; how many. Lane i is one if b1 of change i is `reference[i]`, at most 3
 * pels off, and that of the next change will be `reference[i + 1]`: the first change right of this one, which
 * `reference[i - 1]` is not. Their codes, at most 56 bits, are joined by multiplying with powers of two. */
#if defined(__AVX2__)
static inline int KERNEL(put_verticals)(SINK *sink, const uint16_t *changes, const uint16_t *reference)
{
    static const uint8_t beyond[16] = {0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7};
    const __m128i a1 = _mm_loadu_si128((const __m128i *)changes);
    const __m128i b1 = _mm_loadu_si128((const __m128i *)reference);
    const __m128i before = _mm_loadu_si128((const __m128i *)(reference - 1));
    const __m128i behind = _mm_loadu_si128((const __m128i *)(reference + 1));
    __m128i lane = _mm_add_epi16(_mm_sub_epi16(a1, b1), _mm_set1_epi16(3));
    __m128i near = _mm_cmpeq_epi16(_mm_min_epu16(lane, _mm_set1_epi16(6)), lane);
    __m128i fits = _mm_andnot_si128(_mm_cmpgt_epi16(before, a1), _mm_and_si128(near, _mm_cmpgt_epi16(behind, a1)));
    int n = __builtin_ctz(~(unsigned)_mm_movemask_epi8(fits)) / 2;
    lane = _mm_and_si128(_mm_packs_epi16(lane, lane), _mm_set1_epi8(7));
    lane = _mm_or_si128(lane, _mm_loadl_epi64((const __m128i *)(beyond + 8 - n)));

    __m128i bits = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)T4_LANE_BITS), lane);
    __m128i lengths = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)T4_LANE_LENGTH), lane);
    __m128i powers = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)T4_LANE_POWER), lane);
    __m128i odd = _mm_srli_epi16(powers, 8), even = _mm_and_si128(powers, _mm_set1_epi16(255));
    __m128i pairs = _mm_maddubs_epi16(_mm_or_si128(odd, _mm_set1_epi16(1 << 8)), bits);
    powers = _mm_srli_epi32(_mm_mullo_epi16(odd, even), 16);
    uint64_t fours = (uint64_t)_mm_cvtsi128_si64(_mm_madd_epi16(pairs, _mm_or_si128(powers, _mm_set1_epi32(1 << 16))));
    uint64_t sums = (uint64_t)_mm_cvtsi128_si64(lengths) * 0x0101010101010101u;
    int all = (int)(sums >> 56), first = (int)(sums >> 24 & 255);
    KERNEL(put)(sink, (fours & 0xffffffffu) << (all - first) | fours >> 32, all);
    return n;
}
#else
static inline int KERNEL(put_verticals)(SINK *sink, const uint16_t *changes, const uint16_t *reference)
{
    (void)sink, (void)changes, (void)reference;
    return 0;
}
#endif

/* [T.4 4.2.1.3]. `reference` is at b1. Vertical and pass mode go one way without a branch between them: which one
 * comes is what a branch predictor cannot know. A line as dense as a dithered picture is too irregular for eight at
 * once, but where it begins with V0. */
static void KERNEL(put_line_2d)(SINK *sink_out, const uint16_t *line, int n, const uint16_t *reference, int width)
{
    SINK sink = *sink_out;
    const uint16_t *changes = line;
    const int dense = n > width / 5;
    int a0 = 0;
    do {
        if (!dense || changes[0] == reference[0]) {
            int verticals = KERNEL(put_verticals)(&sink, changes, reference);
            changes += verticals;
            reference += verticals;
            a0 = a0 > changes[-1] ? a0 : changes[-1];
        }
        int a1 = changes[0], b1 = reference[0], b2 = reference[1];
        int pass = (b2 - a1) >> 31;  /* -1 or 0 */
        unsigned mode = ((unsigned)(2 * (a1 - b1) + 6) & (unsigned)~pass) | (13 & (unsigned)pass);
        if (mode < 14) {
            KERNEL(put)(&sink, T4_MODE_CODE[mode] >> 6, T4_MODE_CODE[mode] & 63);
            a0 = a1 + ((b2 - a1) & pass);
            changes += 1 + pass;
            reference += 1 + 2 * (b2 <= a1) + pass - 2 * (reference[-1] > a1);
        } else {
            int a2 = changes[1];
            KERNEL(put_pair)(&sink, 1, 3, a1 - a0, a2 - a1, (changes - line) & 1);
            changes += 2;
            a0 = a2;
            while (*reference <= a0 && a0 < width)
                reference += 2;
        }
    } while (a0 < width);
    *sink_out = sink;
}

int64_t KERNEL(t4_encode)(const uint8_t *rows, int64_t height, int32_t width, int32_t coding, int32_t k,
                          int32_t min_line_bits, uint8_t *out, uint16_t *work)
{
    SINK sink = {out, 0, 0};
    uint16_t *changes = work + T4_MARGIN, *reference = changes + T4_LINE;
    const size_t stride = (size_t)(width + 7) / 8;
    const uint8_t *end = rows + (size_t)height * stride;
    const int eol_length = coding == T4_MR ? 13 : 12;
    int n = 0;
    KERNEL(close_line)(changes, 0, width);
    for (int64_t y = 0; y < height; y++) {
        const uint8_t *row = rows + (size_t)y * stride;
        int one_d = coding == T4_MH || (coding == T4_MR && y % k == 0);
        if (coding == T4_MH)
            KERNEL(put)(&sink, 1, 12);
        else if (coding == T4_MR)
            KERNEL(put)(&sink, 2 | (unsigned)one_d, 13);
        int64_t start = KERNEL(sink_bits)(&sink, out);
        int same = y && memcmp(row, row - stride, stride) == 0;
        if (!same) {
            uint16_t *swap = reference;
            reference = changes;
            changes = swap;
            n = KERNEL(find_changes)(row, end, width, changes);
        }
        if (one_d)
            KERNEL(put_line_1d)(&sink, changes, width);
        else if (same)
            KERNEL(put_repeated)(&sink, 1, n + 1);
        else
            KERNEL(put_line_2d)(&sink, changes, n, reference, width);
        if (coding != T4_MMR)
            KERNEL(put_repeated)(&sink, 0, start + min_line_bits - eol_length - KERNEL(sink_bits)(&sink, out));
    }
    for (int i = 0; i < (coding == T4_MMR ? 2 : 6); i++)
        KERNEL(put)(&sink, coding == T4_MR ? 3 : 1, eol_length);
    return sink.at - out + (sink.n > 0);
}
#undef SINK
#undef WORDS
