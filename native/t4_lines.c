/* Code bits to the changes of a line, and the search for EOLs. Included by t4.c.
 *
 * Coded octets are followed by T4_PADDING zero octets, and no code word is all zeros: whatever the octets say, a
 * line stops at most one code word behind the last of them. */

struct KERNEL(reader) {
    const uint8_t *at;
    uint64_t bits;  /* the next `n` bits, from the top */
    int n;
    int odd;  /* a code word came that no encoder of the Recommendation writes there */
};
#define READER struct KERNEL(reader)

struct KERNEL(decoder) {
    const uint8_t *octets;
    int64_t end;                    /* bits */
    int32_t width, two_d;
    uint16_t *line, *reference;     /* changes */
    int n_line, n_reference, usable;    /* usable: the reference is that of the next line */
    uint64_t blank;                 /* the code of a white line and EOL, from the top */
    int blank_length;               /* 0: too long to look for */
    size_t stride;
    uint8_t *rows, *bad;
    int64_t n_rows, capacity;
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
    READER reader = {decoder->octets + (position >> 3), 0, 0, 0};
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
    int run = 0, before = 2560;
    for (;;) {
        KERNEL(fill)(reader);
        int entry = T4_ONE[colour][reader->bits >> 51];
        if (!entry)
            return -1;
        KERNEL(take)(reader, entry & 15);
        int part = entry >> 4;
        reader->odd |= part >= 64 && before < 2560;
        before = part;
        run += part;
        if (part < 64 || run > limit)
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
        int pairs = 0;
        for (; pairs < 4; pairs++) {  /* beyond the limit there is an EOL, or the line is damaged anyway */
            int pair = T4_PAIR[0][reader.bits >> 52];
            if (!pair)
                break;
            KERNEL(take)(&reader, pair & 15);
            changes[n] = (uint16_t)(position + (pair >> 4 & 63));
            position += (pair >> 4 & 63) + (pair >> 10);
            changes[n + 1] = (uint16_t)position;
            n += 2;
        }
        if (pairs == 4)
            continue;
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

/* Whether horizontal mode to a1 and a2 is no encoder's choice: pass or vertical mode was due, or a run has no pels. */
static inline int KERNEL(odd_horizontal)(const uint16_t *b1, int a0, int a1, int a2, int width)
{
    return b1[1] < a1 || (unsigned)(a1 - b1[0] + 3) <= 6 || a1 == a0 || (a2 == a1 && a1 != width);
}

/* The two runs of horizontal mode from a0 on; returns where they end, or -1 where no code words are. */
static int KERNEL(take_horizontal)(READER *reader, const uint16_t *b1, int a0, int width, int colour, uint16_t *changes,
                                   int *n)
{
    const int from = a0 < 0 ? 0 : a0;
    int first = KERNEL(take_run)(reader, colour, width);
    int second = first < 0 ? -1 : KERNEL(take_run)(reader, !colour, width);
    if (second < 0 || from + first + second > width)
        return -1;
    reader->odd |= KERNEL(odd_horizontal)(b1, a0, from + first, from + first + second, width);
    *n = KERNEL(end_run)(changes, *n, first, from + first);
    *n = KERNEL(end_run)(changes, *n, second, from + first + second);
    return from + first + second;
}

/* A 2-D line [T.4 4.2.1.3]; 1, or 0 where it is not one. No branch divides vertical from pass mode: see the encoder. */
static int KERNEL(take_line_2d)(READER *reader_out, DECODER *decoder)
{
    READER reader = *reader_out;
    const uint16_t *b1 = decoder->reference, *const last = b1 + decoder->n_reference;
    uint16_t *const changes = decoder->line, *to = changes;
    const int width = decoder->width;
    for (int a0 = -1; a0 < width;) {
        KERNEL(fill)(&reader);
        if (reader.bits >> 62 == 3) {  /* a row of V0 */
            int same = __builtin_clzll(~reader.bits | 1u << 15);
            int left = b1 > last ? 1 : (int)(last + 1 - b1);
            if (same > left)
                same = left;
            for (int i = 0; i < same; i += 8)
                memcpy(to + i, b1 + i, 16);
            KERNEL(take)(&reader, same);
            to += same;
            b1 += same;
            a0 = b1[-1];
            if (a0 == width)
                break;
        }
        unsigned mode = T4_MODE[reader.bits >> 57];
        KERNEL(take)(&reader, mode & 15);
        if (mode < T4_HORIZONTAL << 4) {
            size_t pass = mode >> 7;
            int a = b1[pass] + (int)(mode >> 4 & 7) - 4;
            if (!mode || a <= a0 || a > width - (int)pass)
                return 0;
            reader.odd |= b1[1] < a;
            *to = (uint16_t)a;
            to += 1 - pass;
            a0 = a;
            b1 += 1 - (ptrdiff_t)pass + 2 * (b1[1] <= a) - 2 * (b1[-1] > a);
        } else {
            int colour = (to - changes) & 1;
            KERNEL(fill)(&reader);
            unsigned pair = T4_PAIR[colour][reader.bits >> 52];
            if (pair) {
                KERNEL(take)(&reader, pair & 15);
                to[0] = (uint16_t)((a0 < 0 ? 0 : a0) + (int)(pair >> 4 & 63));
                a0 = to[0] + (int)(pair >> 10);
                reader.odd |= KERNEL(odd_horizontal)(b1, -1, to[0], a0, width);
                to[1] = (uint16_t)a0;
                to += 2;
            } else {
                int n = (int)(to - changes);
                a0 = KERNEL(take_horizontal)(&reader, b1, a0, width, colour, changes, &n);
                to = changes + n;
            }
            if (a0 < 0 || a0 > width)
                return 0;
        }
        while (*b1 <= a0 && a0 < width)
            b1 += 2;
    }
    *reader_out = reader;
    decoder->n_line = (int)(to - changes);
    return 1;
}
