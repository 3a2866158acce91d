#include "t38.h"

#include <string.h>

/* FCS and a flag follow each frame on the line. */
enum { T38_FRAME_OVERHEAD = 24 };

static inline uint8_t KERNEL(t38_turned)(uint8_t octet)
{
    octet = (uint8_t)((octet & 0xf0) >> 4 | (octet & 0x0f) << 4);
    octet = (uint8_t)((octet & 0xcc) >> 2 | (octet & 0x33) << 2);
    return (uint8_t)((octet & 0xaa) >> 1 | (octet & 0x55) << 1);
}

static inline void KERNEL(t38_turn)(const uint8_t *octets, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = KERNEL(t38_turned)(octets[i]);
}

/* By the ones so far and the next four bits: zeros that are inserted (above), ones then (below). */
static const uint8_t KERNEL(t38_stuffing)[5][16] = {
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x01, 0x01, 0x02, 0x02, 0x03, 0x04},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x01, 0x01, 0x02, 0x02, 0x03, 0x10},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x01, 0x01, 0x01, 0x01, 0x02, 0x02, 0x03, 0x11},
    {0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x10, 0x01, 0x01, 0x01, 0x11, 0x02, 0x02, 0x03, 0x12},
    {0x00, 0x10, 0x00, 0x10, 0x00, 0x10, 0x00, 0x10, 0x01, 0x11, 0x01, 0x11, 0x02, 0x12, 0x03, 0x13},
};

/* Bits that a frame takes on the line: a zero after each five ones, FCS and a flag. */
static int64_t KERNEL(t38_frame_bits)(const uint8_t *octets, size_t n)
{
    int64_t bits = 8 * (int64_t)n + T38_FRAME_OVERHEAD;
    unsigned ones = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned low = KERNEL(t38_stuffing)[ones][octets[i] & 15];
        unsigned high = KERNEL(t38_stuffing)[low & 15][octets[i] >> 4];
        ones = high & 15;
        bits += (low >> 4) + (high >> 4);
    }
    return bits;
}

/* Packets into `out`, their sizes, and when each is due, in bits of the line. The last frame's end is left out. */
static int64_t KERNEL(t38_pack)(const uint8_t *octets, const int32_t *lengths, size_t frames, size_t chunk, int head,
                                int form, int raw, uint8_t *out, int32_t *sizes, int64_t *bits)
{
    int64_t made = 0, at = 0;
    for (size_t f = 0; f < frames; f++) {
        size_t length = (size_t)lengths[f];
        int64_t whole = raw ? 8 * (int64_t)length : KERNEL(t38_frame_bits)(octets, length);
        for (size_t begin = 0; begin < length; begin += chunk) {
            size_t n = length - begin < chunk ? length - begin : chunk;
            int ends = !raw && begin + n == length && f + 1 < frames;
            uint8_t *p = out;
            *p++ = (uint8_t)head;
            *p++ = (uint8_t)(1 + ends);
            *p++ = raw ? (form ? 0xb0 : 0xe0) : 0x80;
            *p++ = (uint8_t)((n - 1) >> 8);
            *p++ = (uint8_t)(n - 1);
            KERNEL(t38_turn)(octets + begin, p, n);
            p += n;
            if (ends)
                *p++ = form ? 0x10 : 0x20;
            sizes[made] = (int32_t)(p - out);
            bits[made++] = at + whole * (int64_t)begin / (int64_t)length;
            out = p;
        }
        octets += length;
        at += whole;
    }
    bits[made] = at;
    return made;
}

static inline uint8_t *KERNEL(t38_put_sized)(uint8_t *p, const uint8_t *octets, size_t n)
{
    if (n >= 0x80)
        *p++ = (uint8_t)(0x80 | n >> 8);
    *p++ = (uint8_t)n;
    memcpy(p, octets, n);
    return p + n;
}

static inline int64_t KERNEL(t38_sized)(int64_t n) { return n + (n < 0x80 ? 1 : 2); }

/* Datagrams of the packets behind the first `sent` ones, which only are repeated. */
static int64_t KERNEL(t38_wrap)(const uint8_t *packets, const int32_t *sizes, size_t n, size_t sent, int depth,
                                int64_t limit, int sequence, uint8_t *out, int32_t *out_sizes)
{
    const uint8_t *packet = packets, *begin = out;
    for (size_t i = 0; i < sent; i++)
        packet += sizes[i];
    for (size_t i = sent; i < n; i++, sequence++) {
        uint8_t *p = out;
        int64_t room = limit - 4 - KERNEL(t38_sized)(sizes[i]);
        int earlier = 0;
        while (earlier < depth && (size_t)earlier < i
               && room >= KERNEL(t38_sized)(sizes[i - 1 - (size_t)earlier]))
            room -= KERNEL(t38_sized)(sizes[i - 1 - (size_t)earlier++]);
        *p++ = (uint8_t)(sequence >> 8);
        *p++ = (uint8_t)sequence;
        p = KERNEL(t38_put_sized)(p, packet, (size_t)sizes[i]);
        *p++ = 0;
        *p++ = (uint8_t)earlier;
        const uint8_t *before = packet;
        for (int back = 1; back <= earlier; back++) {
            before -= sizes[i - (size_t)back];
            p = KERNEL(t38_put_sized)(p, before, (size_t)sizes[i - (size_t)back]);
        }
        packet += sizes[i];
        out_sizes[i - sent] = (int32_t)(p - out);
        out = p;
    }
    return out - begin;
}

/* A length at p; p behind it, or NULL where it is none. */
static inline const uint8_t *KERNEL(t38_get_length)(const uint8_t *p, const uint8_t *end, size_t *n)
{
    if (p >= end)
        return NULL;
    *n = *p++;
    if (*n < 0x80)
        return p;
    if (*n & 0x40 || p >= end)
        return NULL;
    *n = (*n & 0x3f) << 8 | *p++;
    return p;
}

/* Whether what follows the primary packet is earlier packets, to the last octet. */
static int KERNEL(t38_only_earlier)(const uint8_t *p, const uint8_t *end)
{
    size_t count, n;
    if (p >= end || *p++ || !(p = KERNEL(t38_get_length)(p, end, &count)))
        return 0;
    for (; count; count--) {
        if (!(p = KERNEL(t38_get_length)(p, end, &n)) || n > (size_t)(end - p))
            return 0;
        p += n;
    }
    return p == end;
}

/* The octets of datagrams from `sequence` on, as long as each is the next one, with one field of data of this kind and
 * perhaps the end of a good frame. Where frames end, in octets, goes to `ends`, in which datagram to `within`. */
static void KERNEL(t38_unwrap)(const uint8_t *datagrams, const int32_t *sizes, size_t n, int sequence, int head,
                               int form, int raw, uint8_t *out, int32_t *ends, int32_t *within,
                               struct t38_counts *counts)
{
    const uint8_t *p = datagrams;
    *counts = (struct t38_counts){0, 0, 0};
    for (size_t i = 0; i < n; i++, sequence++) {
        const uint8_t *end = p + sizes[i], *q = p + 2;
        size_t length;
        if (sizes[i] < 10 || p[0] != (uint8_t)(sequence >> 8) || p[1] != (uint8_t)sequence
            || !(q = KERNEL(t38_get_length)(q, end, &length)) || length < 6 || length > (size_t)(end - q))
            return;
        size_t data = ((size_t)q[3] << 8 | q[4]) + 1;
        int closed = q[1] == 2;
        if (q[0] != head || (q[1] != 1 && (raw || !closed)) || q[2] != (raw ? (form ? 0xb0 : 0xe0) : 0x80)
            || length != 5 + data + (size_t)closed || (closed && q[5 + data] != (form ? 0x10 : 0x20))
            || !KERNEL(t38_only_earlier)(q + length, end))
            return;
        KERNEL(t38_turn)(q + 5, out + counts->octets, data);
        counts->octets += (int64_t)data;
        if (closed) {
            ends[counts->frames] = (int32_t)counts->octets;
            within[counts->frames++] = (int32_t)i;
        }
        counts->datagrams++;
        p = end;
    }
}
