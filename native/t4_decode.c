/* The lines of a page to packed rows, whatever the telephone line did to them. Included by t4.c. */

/* Paint the changes of a line: mark them, then let every mark turn the colour of all that follows. Four places of
 * the line take turns, for a mark waits for the one before it in the same word. */
static void KERNEL(paint)(const uint16_t *changes, int n, int width, uint8_t *row)
{
    uint64_t words[(T4_MAX_WIDTH / 64 + 7) / 8 * 8];
    const int n_words = (width + 63) / 64, part = n / 4;
    memset(words, 0, sizeof *words * (size_t)((n_words + 7) & ~7));
    for (int i = 0; i < part; i++) {
        for (int j = i; j < 4 * part; j += part)
            words[changes[j] >> 6] ^= 1ull << (~changes[j] & 63);
    }
    for (int i = 4 * part; i < n; i++)
        words[changes[i] >> 6] ^= 1ull << (~changes[i] & 63);
    uint64_t colour = 0;
    for (int i = 0; i < n_words; i += 8) {
        for (int j = i; j < i + 8; j++) {
            for (int shift = 1; shift < 64; shift *= 2)
                words[j] ^= words[j] >> shift;
        }
        for (int j = i; j < i + 8; j++) {
            uint64_t word = words[j] ^ -colour;
            colour = word & 1;
            words[j] = __builtin_bswap64(word);
        }
    }
    if (width & 63)
        words[n_words - 1] &= __builtin_bswap64(~0ull << (64 - (width & 63)));
    memcpy(row, words, (size_t)(width + 7) / 8);
}

/* Add the line above, white above the first. */
static void KERNEL(add_copy)(DECODER *decoder, int bad)
{
    uint8_t *row = decoder->rows + (size_t)decoder->n_rows * decoder->stride;
    if (decoder->n_rows)
        memcpy(row, row - decoder->stride, decoder->stride);
    else
        memset(row, 0, decoder->stride);
    decoder->bad[decoder->n_rows++] = (uint8_t)bad;
}

/* Close the line just taken, add it, and make it the reference of the next. */
static void KERNEL(add_line)(DECODER *decoder, int bad)
{
    uint16_t *line = decoder->line;
    int n = decoder->n_line;
    while (n && line[n - 1] >= decoder->width)
        n--;
    if (n == decoder->n_reference && memcmp(line, decoder->reference, sizeof *line * (size_t)n) == 0) {
        KERNEL(add_copy)(decoder, bad);
        return;
    }
    KERNEL(close_line)(line, n, decoder->width);
    KERNEL(paint)(line, n, decoder->width, decoder->rows + (size_t)decoder->n_rows * decoder->stride);
    decoder->bad[decoder->n_rows++] = (uint8_t)bad;
    decoder->line = decoder->reference;
    decoder->reference = line;
    decoder->n_reference = n;
}

static void KERNEL(add_white)(DECODER *decoder, int64_t n)
{
    memset(decoder->rows + (size_t)decoder->n_rows * decoder->stride, 0, (size_t)n * decoder->stride);
    memset(decoder->bad + decoder->n_rows, 0, (size_t)n);
    decoder->n_rows += n;
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

/* The white lines from behind an EOL on, most of most pages, at one comparison each. Returns behind the last one's
 * EOL. */
static int64_t KERNEL(take_white_lines)(DECODER *decoder, int64_t position)
{
    const int two_d = decoder->two_d, length = decoder->blank_length;
    const int64_t room = decoder->capacity - decoder->n_rows;
    int below_white = decoder->usable && !decoder->n_reference;
    int64_t n = 0;
    for (; n < room; n++) {
        uint64_t bits = KERNEL(load_big)(decoder->octets + (position >> 3)) << (position & 7);
        int one_d = !two_d || bits >> 63;
        if (length && one_d && ((bits << two_d ^ decoder->blank) & ~(~0ull >> length)) == 0) {
            position += length + two_d;
            below_white = 1;
        } else if (!one_d && below_white && bits >> 50 == 0x1001) {  /* tag 0, V0, EOL */
            position += 14;
        } else {
            break;
        }
    }
    if (n) {
        KERNEL(add_white)(decoder, n);
        KERNEL(close_line)(decoder->reference, 0, decoder->width);
        decoder->n_reference = 0;
        decoder->usable = 1;
    }
    return position;
}

/* From behind one EOL to the start of a line behind all EOLs that follow it and, in MR, behind the tag bit. */
static int64_t KERNEL(skip_eols)(const DECODER *decoder, int64_t position, int *eols, int *one_d)
{
    for (*eols = 1;; ++*eols) {
        int tag = decoder->octets[position >> 3] >> (7 - (position & 7)) & 1;
        int64_t start = position + decoder->two_d;
        int64_t next = KERNEL(eol_here)(decoder, start);
        if (next < 0) {
            *one_d = !decoder->two_d || tag;
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

static int KERNEL(decode_t4)(DECODER *decoder)
{
    int eols = 0, one_d = 1;
    int64_t start = 0, next = KERNEL(eol_here)(decoder, 0);
    int headless = next == NO_EOL;  /* a first line without EOL, or a burst of noise */
    if (!headless && next >= 0)
        next = KERNEL(take_white_lines)(decoder, next);
    if (!headless)
        start = next < 0 ? next : KERNEL(skip_eols)(decoder, next, &eols, &one_d);
    while (start >= 0 && !(eols >= 6 && decoder->n_rows) && decoder->n_rows < decoder->capacity) {
        enum line_state state = LINE_DAMAGED;
        if (one_d || decoder->usable)
            state = KERNEL(take_line)(decoder, start, one_d, &next);
        if (state == LINE_DAMAGED)
            next = KERNEL(find_eol)(decoder, start);
        if (state == LINE_DAMAGED && next < 0)
            break;  /* the carrier dropped in mid-line */
        int64_t from = start;
        int eols_before = eols;
        eols = 0;
        start = next < 0 ? next : KERNEL(skip_eols)(decoder, next, &eols, &one_d);
        if (state != LINE_DAMAGED) {
            KERNEL(add_line)(decoder, state != LINE_GOOD);
        } else if (!headless) {
            if (decoder->n_rows && KERNEL(is_damaged_rtc)(next - from, eols_before, eols))
                return 1;
            KERNEL(add_copy)(decoder, 1);
        }
        decoder->usable = state != LINE_DAMAGED;
        headless = 0;
        int64_t behind_white = eols == 1 && start >= 0 ? KERNEL(take_white_lines)(decoder, next) : next;
        if (behind_white != next)
            start = KERNEL(skip_eols)(decoder, behind_white, &eols, &one_d);
    }
    return eols >= (decoder->n_rows == decoder->capacity && start >= 0 ? 6 : 2);
}

/* Whether EOFB begins at `position`, its first EOL ending at `next`, and nothing but zeros follows. */
static int KERNEL(ends_in_eofb)(const DECODER *decoder, int64_t position, int64_t next)
{
    return next == position + 12 && KERNEL(behind_one)(decoder, next) == next + 12
           && KERNEL(behind_one)(decoder, next + 12) == NO_MORE_BITS;
}

static int32_t KERNEL(decode_t6)(DECODER *decoder)
{
    READER reader = KERNEL(read_at)(decoder, 0);
    for (;;) {
        KERNEL(fill)(&reader);
        if (reader.bits >> 53 == 0) {
            int64_t position = KERNEL(position_of)(decoder, &reader), next = KERNEL(eol_here)(decoder, position);
            if (next >= 0 && !reader.odd && KERNEL(ends_in_eofb)(decoder, position, next))
                return T4_AS_ENCODED;
            if (next != NO_EOL)
                return next >= 0;
        }
        int64_t room = decoder->capacity - decoder->n_rows;
        if (room == 0)
            return 0;
        if (!decoder->n_reference && reader.bits >> 63) {
            int white = __builtin_clzll(~reader.bits | 1u << 15);  /* a V0 below a white line is one more */
            white = white < room ? white : (int)room;
            KERNEL(take)(&reader, white);
            KERNEL(add_white)(decoder, white);
            continue;
        }
        if (!KERNEL(take_line_2d)(&reader, decoder)) {
            KERNEL(add_copy)(decoder, 1);
            return 0;
        }
        KERNEL(add_line)(decoder, 0);
    }
}

/* The code of a white line and an EOL, if that is short enough to look for. */
static void KERNEL(find_blank)(DECODER *decoder)
{
    uint64_t bits = 0;
    int length = 0, rest = decoder->width;
    for (; rest >= 2560; rest -= 2560, length += 12)
        bits = bits << 12 | 31;
    uint32_t entry = T4_RUN[0][rest];
    length += (int)(entry & 31) + 12;
    if (length <= 56) {
        bits = (bits << (entry & 31) | entry >> 5) << 12 | 1;
        decoder->blank = bits << (64 - length);
        decoder->blank_length = length;
    }
}

int64_t KERNEL(t4_decode)(const uint8_t *octets, int64_t n_octets, int32_t coding, int32_t width, int64_t capacity,
                          uint8_t *rows, uint8_t *bad, uint16_t *work, int32_t *complete)
{
    DECODER decoder = {
        .octets = octets, .end = n_octets * 8, .width = width, .two_d = coding == T4_MR,
        .line = work + T4_MARGIN, .reference = work + T4_MARGIN + T4_LINE, .stride = (size_t)(width + 7) / 8,
        .rows = rows, .bad = bad, .capacity = capacity,
    };
    KERNEL(close_line)(decoder.reference, 0, width);
    KERNEL(find_blank)(&decoder);
    *complete = coding == T4_MMR ? KERNEL(decode_t6)(&decoder) : KERNEL(decode_t4)(&decoder);
    return decoder.n_rows;
}
#undef READER
#undef DECODER
