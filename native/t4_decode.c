/* Code bits to packed rows. Included by t4.c.
 *
 * Coded octets are followed by T4_PADDING zero octets, and no code word is all zeros: whatever the octets say, a
 * line stops at most one code word behind the last of them. */

struct KERNEL(reader) {
    const uint8_t *at;
    uint64_t bits;  /* the next `n` bits, from the top */
    int n;
};
#define READER struct KERNEL(reader)

struct KERNEL(decoder) {
    const uint8_t *octets;
    int64_t end;        /* bits */
    int32_t width;
    uint16_t *line, *reference;     /* changes */
    int n_line, n_reference;
};
#define DECODER struct KERNEL(decoder)

enum { NO_EOL = -1, NO_MORE_BITS = -2 };

/* at least 56 bits are there afterwards */
static inline void KERNEL(fill)(READER *reader)
{
    reader->bits |= KERNEL(load_big)(reader->at) >> reader->n;
    reader->at += (63 - reader->n) >> 3;
    reader->n |= 56;
}

static inline void KERNEL(take)(READER *reader, int n)
{
    reader->bits <<= n;
    reader->n -= n;
}

static inline READER KERNEL(read_at)(const DECODER *decoder, int64_t position)
{
    READER reader = {decoder->octets + (position >> 3), 0, 0};
    KERNEL(fill)(&reader);
    KERNEL(take)(&reader, (int)(position & 7));
    return reader;
}

static inline int64_t KERNEL(position_of)(const DECODER *decoder, const READER *reader)
{
    return (reader->at - decoder->octets) * 8 - reader->n;
}

/* The position behind the next one bit, or NO_MORE_BITS. */
static inline int64_t KERNEL(behind_one)(const DECODER *decoder, int64_t position)
{
    for (; position < decoder->end; position += 56) {
        uint64_t bits = KERNEL(load_big)(decoder->octets + (position >> 3)) << (position & 7);
        if (bits >> 8)
            return position + __builtin_clzll(bits) + 1;
    }
    return NO_MORE_BITS;
}

/* Where an EOL that begins at `position`, after any fill, ends; else NO_EOL, or NO_MORE_BITS. */
static inline int64_t KERNEL(eol_here)(const DECODER *decoder, int64_t position)
{
    int64_t behind = KERNEL(behind_one)(decoder, position);
    return behind < 0 || behind - position > 11 ? behind : NO_EOL;
}

/* Where the next EOL at or behind `position` ends, or NO_MORE_BITS. */
static int64_t KERNEL(find_eol)(const DECODER *decoder, int64_t position)
{
    for (;;) {
        int64_t behind = KERNEL(behind_one)(decoder, position);
        if (behind < 0 || behind - position > 11)
            return behind;
        position = behind;
    }
}

/* One run with its make-up codes, given up where it passes `limit`; -1 where no code begins. */
static inline int KERNEL(take_run)(READER *reader, int colour, int limit)
{
    int run = 0;
    for (;;) {
        KERNEL(fill)(reader);
        int entry = T4_ONE[colour][reader->bits >> 51];
        if (!entry)
            return -1;
        KERNEL(take)(reader, entry & 15);
        run += entry >> 4;
        if (entry >> 4 < 64 || run > limit)
            return run;
    }
}

/* The change at the end of a run. A run of no pels in mid-line joins its neighbours: the change before it was none. */
static inline int KERNEL(end_run)(uint16_t *changes, int n, int run, int position)
{
    if (!run && n)
        return n - 1;
    changes[n] = (uint16_t)position;
    return n + 1;
}

/* A 1-D line; returns the pels that its codes say: `limit`, or more, or less where no code word begins. */
static int KERNEL(take_line_1d)(READER *reader_out, int limit, uint16_t *changes, int *n_changes)
{
    READER reader = *reader_out;
    int n = 0, position = 0;
    while (position < limit) {
        KERNEL(fill)(&reader);
        int pair = T4_PAIR[0][reader.bits >> 52];
        if (pair) {
            KERNEL(take)(&reader, pair & 15);
            changes[n] = (uint16_t)(position + (pair >> 4 & 63));
            position = changes[n] + (pair >> 10);
            changes[n + 1] = (uint16_t)position;
            n += 2;
            continue;
        }
        for (int colour = 0; colour < 2 && position < limit; colour++) {
            int run = KERNEL(take_run)(&reader, colour, limit);
            if (run < 0)
                goto no_code;
            position += run;
            n = KERNEL(end_run)(changes, n, run, position);
        }
    }
no_code:
    *reader_out = reader;
    *n_changes = n;
    return position;
}

/* A 2-D line [T.4 4.2.1.3]; 1, or 0 where it is not one. `b` is the index of b1 on the reference line. */
static int KERNEL(take_line_2d)(READER *reader_out, DECODER *decoder)
{
    READER reader = *reader_out;
    const uint16_t *reference = decoder->reference;
    uint16_t *changes = decoder->line;
    const int width = decoder->width, last = decoder->n_reference;
    int a0 = -1, b = 0, n = 0;
    for (;;) {
        KERNEL(fill)(&reader);
        int same = __builtin_clzll(~reader.bits | 1u << 15);  /* so many V0 */
        if (same) {
            int left = b > last ? 1 : last + 1 - b;
            if (same > left)
                same = left;
            for (int i = 0; i < same; i += 8)
                memcpy(changes + n + i, reference + b + i, 16);
            KERNEL(take)(&reader, same);
            n += same;
            b += same;
            a0 = reference[b - 1];
            if (a0 == width)
                break;
        }
        int mode = T4_MODE[reader.bits >> 57];
        if (!mode)
            return 0;
        KERNEL(take)(&reader, mode & 15);
        mode >>= 4;
        if (mode < T4_PASS) {
            int a1 = reference[b] + mode - 3;
            if (a1 <= a0 || a1 > width)
                return 0;
            a0 = a1;
            changes[n++] = (uint16_t)a1;
            if (a0 == width)
                break;
            b += reference[b - 1] > a0 ? -1 : 1;
        } else if (mode == T4_PASS) {
            a0 = reference[b + 1];
            if (a0 == width)
                return 0;
            b += 2;
        } else {
            int from = a0 < 0 ? 0 : a0, colour = n & 1;
            KERNEL(fill)(&reader);
            int pair = T4_PAIR[colour][reader.bits >> 52];
            if (pair) {
                KERNEL(take)(&reader, pair & 15);
                changes[n] = (uint16_t)(from + (pair >> 4 & 63));
                a0 = changes[n] + (pair >> 10);
                changes[n + 1] = (uint16_t)a0;
                n += 2;
            } else {
                int first = KERNEL(take_run)(&reader, colour, width);
                int second = first < 0 ? -1 : KERNEL(take_run)(&reader, !colour, width);
                if (second < 0)
                    return 0;
                n = KERNEL(end_run)(changes, n, first, from + first);
                a0 = from + first + second;
                if (a0 <= width)
                    n = KERNEL(end_run)(changes, n, second, a0);
            }
            if (a0 > width)
                return 0;
            if (a0 == width)
                break;
        }
        while (reference[b] <= a0)
            b += 2;
    }
    *reader_out = reader;
    decoder->n_line = n;
    return 1;
}

/* Paint the changes of a line: mark them, then let every mark turn the colour of all that follows. */
static void KERNEL(paint)(const uint16_t *changes, int n, int width, uint8_t *row)
{
    uint64_t words[T4_MAX_WIDTH / 64 + 1];
    int n_words = (width + 63) / 64;
    memset(words, 0, sizeof *words * (size_t)n_words);
    for (int i = 0; i < n; i++)
        words[changes[i] >> 6] ^= 1ull << (~changes[i] & 63);
    uint64_t colour = 0;
    for (int i = 0; i < n_words; i++) {
        uint64_t word = words[i];
        for (int shift = 1; shift < 64; shift *= 2)
            word ^= word >> shift;
        word ^= -colour;
        colour = word & 1;
        words[i] = __builtin_bswap64(word);
    }
    if (width & 63)
        words[n_words - 1] &= __builtin_bswap64(~0ull << (64 - (width & 63)));
    memcpy(row, words, (size_t)(width + 7) / 8);
}

/* Close the line just taken, paint it, and make it the reference of the next. */
static void KERNEL(keep_line)(DECODER *decoder, uint8_t *row)
{
    int n = decoder->n_line;
    while (n && decoder->line[n - 1] >= decoder->width)
        n--;
    KERNEL(close_line)(decoder->line, n, decoder->width);
    KERNEL(paint)(decoder->line, n, decoder->width, row);
    uint16_t *swap = decoder->reference;
    decoder->reference = decoder->line;
    decoder->line = swap;
    decoder->n_reference = n;
}

/* The line above, white above the first. */
static void KERNEL(copy_above)(uint8_t *rows, int64_t y, size_t stride)
{
    if (y)
        memcpy(rows + (size_t)y * stride, rows + (size_t)(y - 1) * stride, stride);
    else
        memset(rows, 0, stride);
}

enum line_state { LINE_GOOD, LINE_OTHER_WIDTH, LINE_DAMAGED };

/* Take the line at `start`; for all but damaged ones *next is where the EOL behind it ends, or NO_MORE_BITS. A 1-D
 * line of another standard width comes from a sender that ignores what it announced: it is cut or filled. */
static enum line_state KERNEL(take_line)(DECODER *decoder, int64_t start, int one_d, int64_t *next)
{
    READER reader = KERNEL(read_at)(decoder, start);
    int taken;
    if (one_d)
        taken = KERNEL(take_line_1d)(&reader, decoder->width, decoder->line, &decoder->n_line) == decoder->width;
    else
        taken = KERNEL(take_line_2d)(&reader, decoder);
    if (taken) {
        *next = KERNEL(eol_here)(decoder, KERNEL(position_of)(decoder, &reader));
        if (*next != NO_EOL)
            return LINE_GOOD;
    }
    if (!one_d)
        return LINE_DAMAGED;
    reader = KERNEL(read_at)(decoder, start);
    int total = KERNEL(take_line_1d)(&reader, T4_MAX_WIDTH, decoder->line, &decoder->n_line);
    if (total == decoder->width || total % 32 || total / 32 >= (int)sizeof T4_STANDARD_WIDTH
        || !T4_STANDARD_WIDTH[total / 32])
        return LINE_DAMAGED;
    decoder->n_line &= ~1;  /* what a last white run ends at is no change */
    *next = KERNEL(eol_here)(decoder, KERNEL(position_of)(decoder, &reader));
    return *next == NO_EOL ? LINE_DAMAGED : LINE_OTHER_WIDTH;
}

/* From behind one EOL to the start of a line behind all EOLs that follow it and, in MR, behind the tag bit. */
static int64_t KERNEL(skip_eols)(const DECODER *decoder, int64_t position, int two_d, int *eols, int *one_d)
{
    for (*eols = 1;; ++*eols) {
        int tag = decoder->octets[position >> 3] >> (7 - (position & 7)) & 1;
        int64_t start = position + two_d;
        int64_t next = KERNEL(eol_here)(decoder, start);
        if (next < 0) {
            *one_d = !two_d || tag;
            return next == NO_MORE_BITS ? next : start;
        }
        position = next;
    }
}

/* Between what is left of an RTC, so few bits are a damaged EOL of it and no line. */
static int KERNEL(is_damaged_rtc)(int64_t bits, int eols_before, int eols_behind)
{
    return bits <= 3 * 13 && eols_before + eols_behind >= 4 && eols_behind < 6;
}

static int64_t KERNEL(decode_t4)(DECODER *decoder, int two_d, int64_t capacity, uint8_t *rows, uint8_t *bad,
                                 int32_t *complete)
{
    const size_t stride = (size_t)(decoder->width + 7) / 8;
    int eols = 0, one_d = 1, usable = 0;
    int64_t n = 0, start = 0, next = KERNEL(eol_here)(decoder, 0);
    int headless = next == NO_EOL;  /* a first line without EOL, or a burst of noise */
    if (!headless)
        start = next < 0 ? next : KERNEL(skip_eols)(decoder, next, two_d, &eols, &one_d);
    while (start >= 0 && !(eols >= 6 && n) && n < capacity) {
        enum line_state state = LINE_DAMAGED;
        if (one_d || usable)
            state = KERNEL(take_line)(decoder, start, one_d, &next);
        if (state == LINE_DAMAGED)
            next = KERNEL(find_eol)(decoder, start);
        if (state == LINE_DAMAGED && next < 0)
            break;  /* the carrier dropped in mid-line */
        int64_t from = start;
        int eols_before = eols;
        eols = 0;
        start = next < 0 ? next : KERNEL(skip_eols)(decoder, next, two_d, &eols, &one_d);
        if (state == LINE_DAMAGED) {
            if (headless) {
                headless = 0;
                continue;
            }
            if (n && KERNEL(is_damaged_rtc)(next - from, eols_before, eols)) {
                eols = 6;
                break;
            }
            KERNEL(copy_above)(rows, n, stride);
        } else {
            KERNEL(keep_line)(decoder, rows + (size_t)n * stride);
        }
        headless = 0;
        usable = state != LINE_DAMAGED;
        bad[n++] = state != LINE_GOOD;
    }
    *complete = eols >= (n == capacity && start >= 0 ? 6 : 2);
    return n;
}

static int64_t KERNEL(decode_t6)(DECODER *decoder, int64_t capacity, uint8_t *rows, uint8_t *bad, int32_t *complete)
{
    const size_t stride = (size_t)(decoder->width + 7) / 8;
    READER reader = KERNEL(read_at)(decoder, 0);
    for (int64_t n = 0;; n++) {
        KERNEL(fill)(&reader);
        if (reader.bits >> 53 == 0) {
            int64_t next = KERNEL(eol_here)(decoder, KERNEL(position_of)(decoder, &reader));
            *complete = next >= 0;
            if (next != NO_EOL)
                return n;
        }
        if (n == capacity)
            return n;
        if (!KERNEL(take_line_2d)(&reader, decoder)) {
            KERNEL(copy_above)(rows, n, stride);
            bad[n] = 1;
            return n + 1;
        }
        KERNEL(keep_line)(decoder, rows + (size_t)n * stride);
        bad[n] = 0;
    }
}

int64_t KERNEL(t4_decode)(const uint8_t *octets, int64_t n_octets, int32_t coding, int32_t width, int64_t capacity,
                          uint8_t *rows, uint8_t *bad, uint16_t *work, int32_t *complete)
{
    DECODER decoder = {octets, n_octets * 8, width, work + T4_MARGIN, work + T4_MARGIN + T4_LINE, 0, 0};
    KERNEL(close_line)(decoder.reference, 0, width);
    *complete = 0;
    if (coding == T4_MMR)
        return KERNEL(decode_t6)(&decoder, capacity, rows, bad, complete);
    return KERNEL(decode_t4)(&decoder, coding == T4_MR, capacity, rows, bad, complete);
}
#undef READER
#undef DECODER
