/* HDLC frames from bits and back [T.30 5.3, ISO/IEC 13239]. */
#include "fsk.h"

#include "hdlc_tables.h"

#include <string.h>

enum { HDLC_SHORTEST_BITS = 32, HDLC_FLAG_BITS = 6, HDLC_GOOD_FCS = 0xF0B8 };
enum { HDLC_WORD = 32, HDLC_AHEAD = 64, HDLC_NO_RUN = HDLC_WORD + 1 };

static inline int KERNEL(event_room_ends)(const struct event_buffer *out)
{
    return out->count + 4 > out->room || out->octet_count + HDLC_LONGEST > out->octet_room;
}

static void KERNEL(event_emit)(struct event_buffer *out, int64_t at, int32_t kind, const uint8_t *octets,
                               int32_t length)
{
    out->events[out->count++] = (struct line_event){at, kind, length};
    if (length)
        memcpy(out->octets + out->octet_count, octets, (size_t)length);
    out->octet_count += (size_t)length;
}

/* The frame check sequence goes on over `n` octets, four at a time. */
static uint32_t KERNEL(hdlc_fcs)(uint32_t fcs, const uint8_t *octets, int32_t n)
{
    int32_t i = 0;
    for (; i + 4 <= n; i += 4)
        fcs = hdlc_fcs_table[3][(fcs ^ octets[i]) & 255] ^ hdlc_fcs_table[2][(fcs >> 8 ^ octets[i + 1]) & 255]
              ^ hdlc_fcs_table[1][octets[i + 2]] ^ hdlc_fcs_table[0][octets[i + 3]];
    for (; i < n; i++)
        fcs = fcs >> 8 ^ hdlc_fcs_table[0][(fcs ^ octets[i]) & 255];
    return fcs;
}

/* A frame, or what is left of one, is over; under 32 bits it never was one [ISO/IEC 13239 4.2.4]. */
static void KERNEL(hdlc_end_frame)(struct hdlc_deframer *hdlc, int32_t bits, int whole, int64_t at,
                                   struct event_buffer *out)
{
    if (bits < HDLC_SHORTEST_BITS)
        return;
    int32_t n = bits / 8;
    int good = whole && bits % 8 == 0 && KERNEL(hdlc_fcs)(0xFFFF, hdlc->frame, n) == HDLC_GOOD_FCS;
    KERNEL(event_emit)(out, at, good ? EVENT_GOOD_FRAME : EVENT_BAD_FRAME, hdlc->frame, n - 2);
}

static void KERNEL(hdlc_flag)(struct hdlc_deframer *hdlc, int64_t at, struct event_buffer *out)
{
    /* Between flags in a row lie the six bits of the flag itself, or five where they share a zero. */
    int follows = hdlc->bits == HDLC_FLAG_BITS || hdlc->bits == HDLC_FLAG_BITS - 1;
    KERNEL(hdlc_end_frame)(hdlc, hdlc->bits - HDLC_FLAG_BITS, 1, at, out);
    hdlc->flags = follows ? hdlc->flags + (hdlc->flags < INT32_MAX) : 1;
    hdlc->flags_seen++;
    hdlc->bits = 0;
}

static void KERNEL(hdlc_give_up)(struct hdlc_deframer *hdlc, int32_t bits, int64_t at, struct event_buffer *out)
{
    KERNEL(hdlc_end_frame)(hdlc, bits, 0, at, out);
    hdlc->bits = -1;
    hdlc->flags = 0;
}

static inline void KERNEL(hdlc_append)(struct hdlc_deframer *hdlc, uint32_t bit, int64_t at, struct event_buffer *out)
{
    if (hdlc->bits < 0)
        return;
    hdlc->octet = hdlc->octet >> 1 | bit << 7;
    hdlc->bits++;
    if (hdlc->bits % 8)
        return;
    if (hdlc->bits > 8 * HDLC_LONGEST)
        KERNEL(hdlc_give_up)(hdlc, 8 * HDLC_LONGEST, at, out);
    else
        hdlc->frame[hdlc->bits / 8 - 1] = (uint8_t)hdlc->octet;
}

static inline void KERNEL(hdlc_bit)(struct hdlc_deframer *hdlc, int bit, int64_t at, struct event_buffer *out)
{
    if (bit) {
        hdlc->ones += hdlc->ones < 7;
        if (hdlc->ones <= 5)
            KERNEL(hdlc_append)(hdlc, 1, at, out);
        else if (hdlc->ones == 7 && hdlc->bits >= 0)
            KERNEL(hdlc_give_up)(hdlc, hdlc->bits - HDLC_FLAG_BITS, at, out);
        return;
    }
    if (hdlc->ones == 6)
        KERNEL(hdlc_flag)(hdlc, at, out);
    else if (hdlc->ones < 5)
        KERNEL(hdlc_append)(hdlc, 0, at, out);
    hdlc->ones = 0;
}

/* Which of 32 bits, first bit least significant, come after five ones in a row; the five `before` them are the lowest. */
static inline uint64_t KERNEL(hdlc_after_five)(uint64_t before_and_word)
{
    uint64_t w = before_and_word;
    return w & w >> 1 & w >> 2 & w >> 3 & w >> 4;
}

/* Five bits that end with so many ones, at most five. */
static inline uint32_t KERNEL(hdlc_five)(int32_t ones)
{
    return 0x1f & ~(0x1fu >> ones);
}

/* Ones in a row that a word ends with; it has a zero. */
static inline int32_t KERNEL(hdlc_last_ones)(uint32_t word)
{
    return __builtin_clz(~word);
}

/* A word without the bits that are to drop. */
static inline uint32_t KERNEL(hdlc_without)(uint32_t word, uint32_t drop)
{
#if defined(__BMI2__)
    return _pext_u32(word, ~drop);
#else
    for (; drop; drop = (drop & (drop - 1)) >> 1) {
        uint32_t below = (drop & -drop) - 1;
        word = (word & below) | (word >> 1 & ~below);
    }
    return word;
#endif
}

/* `n` bits of a frame, at most 32. */
static inline void KERNEL(hdlc_append_bits)(struct hdlc_deframer *hdlc, uint64_t bits, int32_t n)
{
    int32_t over = hdlc->bits % 8;
    uint64_t fresh = hdlc->octet >> (8 - over) | bits << over;
    uint8_t *to = hdlc->frame + hdlc->bits / 8;
    for (int32_t left = over + n; left >= 8; left -= 8, fresh >>= 8)
        *to++ = (uint8_t)fresh;
    hdlc->octet = (uint32_t)((hdlc->octet | bits << 8) >> n & 255);
    hdlc->bits += n;
}

/* 32 bits of packed ones from number `i` on; at least HDLC_AHEAD are there. */
static inline uint32_t KERNEL(hdlc_word)(const uint8_t *octets, size_t i)
{
    uint64_t word;
    memcpy(&word, octets + i / 8, sizeof word);
    return (uint32_t)(word >> i % 8);
}

/* Data at once, of packed bits from number `start` on: as far as no six ones come, within words that end before `n`. How
 * many bits were taken; 0 where the next one wants a closer look. */
static inline size_t KERNEL(hdlc_take_words)(struct hdlc_deframer *hdlc, const uint8_t *octets, size_t start, size_t n)
{
    if (hdlc->bits < 0 || hdlc->ones > 5)
        return 0;
    size_t i = start;
    uint32_t before = KERNEL(hdlc_five)(hdlc->ones), six = 0;
    while (!six && n - i >= HDLC_AHEAD && hdlc->bits <= 8 * HDLC_LONGEST - HDLC_WORD) {
        uint32_t word = KERNEL(hdlc_word)(octets, i);
        uint64_t joined = (uint64_t)word << 5 | before;
        uint32_t after_five = (uint32_t)KERNEL(hdlc_after_five)(joined);
        six = after_five & word;
        int32_t k = six ? __builtin_ctz(six) - 5 : HDLC_WORD;
        if (k <= 0)
            break;
        uint32_t taken = (uint32_t)((1ull << k) - 1), stuffed = after_five & taken;
        KERNEL(hdlc_append_bits)(hdlc, KERNEL(hdlc_without)(word & taken, stuffed), k - __builtin_popcount(stuffed));
        before = (uint32_t)(joined >> k) & 0x1f;
        i += (size_t)k;
    }
    hdlc->ones = KERNEL(hdlc_last_ones)(before << (HDLC_WORD - 5));
    hdlc->position += (int64_t)(i - start);
    return i - start;
}

static size_t KERNEL(hdlc_deframe)(struct hdlc_deframer *hdlc, const uint8_t *bits, int packed, size_t start, size_t n,
                                   struct event_buffer *out)
{
    size_t i = start;
    while (i < n && !KERNEL(event_room_ends)(out)) {
        size_t taken = packed && n - i >= HDLC_AHEAD ? KERNEL(hdlc_take_words)(hdlc, bits, i, n) : 0;
        if (!taken) {
            int bit = packed ? bits[i / 8] >> i % 8 & 1 : bits[i] & 1;
            KERNEL(hdlc_bit)(hdlc, bit, ++hdlc->position, out);
            taken = 1;
        }
        i += taken;
    }
    return i - start;
}

/* ---- and back ---- */

struct KERNEL(hdlc_line) {
    uint8_t *out;
    uint64_t bits; /* those that do not fill an octet yet */
    int32_t count;
    int32_t ones; /* in a row */
};

/* Where five ones in a row end among 32 bits, after `ones` others (at most four): bits up to and with the last of them. */
static inline int32_t KERNEL(hdlc_run)(uint32_t word, int32_t ones)
{
    uint64_t runs = KERNEL(hdlc_after_five)((uint64_t)word << 5 | KERNEL(hdlc_five)(ones));
    return runs ? __builtin_ctzll(runs) : HDLC_NO_RUN;
}

/* At most 40 bits, first bit least significant; the memory behind them is written to as well. */
static inline void KERNEL(hdlc_put)(struct KERNEL(hdlc_line) *line, uint64_t bits, int32_t n)
{
    line->bits |= bits << line->count;
    line->count += n;
    memcpy(line->out, &line->bits, sizeof line->bits);
    line->out += line->count / 8;
    line->bits >>= line->count / 8 * 8;
    line->count %= 8;
}

static void KERNEL(hdlc_put_flags)(struct KERNEL(hdlc_line) *line, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        KERNEL(hdlc_put)(line, 0x7e, 8);
    line->ones = 0;
}

/* Up to 32 bits of data, a zero after each five ones. */
static void KERNEL(hdlc_put_data)(struct KERNEL(hdlc_line) *line, uint64_t word, int32_t n)
{
    for (int32_t k; (k = KERNEL(hdlc_run)((uint32_t)word, line->ones)) != HDLC_NO_RUN; line->ones = 0) {
        KERNEL(hdlc_put)(line, word & ((1ull << k) - 1), k + 1);
        word >>= k;
        n -= k;
    }
    if (n == 0)
        return;
    KERNEL(hdlc_put)(line, word, n);
    int32_t last = KERNEL(hdlc_last_ones)((uint32_t)word << (HDLC_WORD - n));
    line->ones = last == n ? line->ones + n : last;
}

static void KERNEL(hdlc_put_frame)(struct KERNEL(hdlc_line) *line, const uint8_t *octets, int32_t n)
{
    uint32_t fcs = ~KERNEL(hdlc_fcs)(0xFFFF, octets, n) & 0xFFFF;
    int32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        uint32_t word;
        memcpy(&word, octets + i, sizeof word);
        KERNEL(hdlc_put_data)(line, word, HDLC_WORD);
    }
    for (; i < n; i++)
        KERNEL(hdlc_put_data)(line, octets[i], 8);
    KERNEL(hdlc_put_data)(line, fcs, 16);
}

static int64_t KERNEL(hdlc_frame)(const uint8_t *octets, const int32_t *lengths, int64_t frames, int64_t before,
                                  int64_t between, int64_t after, uint8_t *out)
{
    struct KERNEL(hdlc_line) line = {out, 0, 0, 0};
    for (int64_t i = 0; i < frames; i++) {
        KERNEL(hdlc_put_flags)(&line, i ? between : before);
        KERNEL(hdlc_put_frame)(&line, octets, lengths[i]);
        octets += lengths[i];
    }
    KERNEL(hdlc_put_flags)(&line, after);
    return (line.out - out) * 8 + line.count;
}
