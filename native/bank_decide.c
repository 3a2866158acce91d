/* Decisions of sixteen lanes side by side: the nearest point, or the trellis's word; what they bring as octets. */
#include "bank_block.h"

/* KERNEL(nearest) for all lanes. */
LANE_INLINE void KERNEL(nearest_of)(struct KERNEL(block) *b, int points)
{
    const float *re = b->t->points, *im = re + points;
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        lane_part x = KERNEL(load_part)(b->re + at), y = KERNEL(load_part)(b->im + at);
        KERNEL(lane_ints) least = (KERNEL(lane_ints)){0} + INT32_MAX;
#pragma GCC unroll 16
        for (int i = 0; i < points; i++) {
            lane_part dx = re[i] - x, dy = im[i] - y, distance = dx * dx + dy * dy;
            least = KERNEL(lesser)(((KERNEL(lane_ints))distance & ~255) | i, least);
        }
        KERNEL(store_ints)(b->sent + at, least & 255);
    }
}

static void KERNEL(nearest_lanes)(struct KERNEL(block) *b)
{
    if (b->r[0]->points == 16)
        KERNEL(nearest_of)(b, 16);
    else
        KERNEL(nearest_of)(b, b->r[0]->points);
}

/* Known points take the place of decided ones. */
static void KERNEL(know_points)(struct KERNEL(block) *b)
{
    for (int l = 0; l < b->count; l++) {
        if (!b->training[l])
            continue;
        const float *known = b->t->training + 2 * (b->t->training_points - b->r[l]->training_left--);
        b->point_re[l] = known[0];
        b->point_im[l] = known[1];
    }
    for (int l = b->count; l < BANK_LANES; l++) {
        b->point_re[l] = b->point_re[0];
        b->point_im[l] = b->point_im[0];
    }
}

static void KERNEL(note_training)(struct KERNEL(block) *b)
{
    if (!b->in_training)
        return;
    b->in_training = 0;
    for (int l = 0; l < BANK_LANES; l++)
        b->in_training += b->training[l] = b->r[l]->training_left > 0;
}

#if LANE_WIDTH == 16
/* Each lane's own item of so many, 16 or a multiple of 32. */
LANE_INLINE __m512i KERNEL(look_far_up)(const float *table, int items, __m512i index)
{
    if (items == 16)
        return (__m512i)KERNEL(look_up)(table, (KERNEL(lane_ints))index);
    __m512i found = _mm512_setzero_si512(), part = _mm512_srli_epi32(index, 5);
    for (int i = 0; i < items; i += 32) {
        __mmask16 own = _mm512_cmpeq_epi32_mask(part, _mm512_set1_epi32(i / 32));
        __m512i low = _mm512_loadu_si512(table + i), high = _mm512_loadu_si512(table + i + 16);
        found = _mm512_or_si512(found, _mm512_maskz_permutex2var_epi32(own, low, index, high));
    }
    return found;
}

/* Where points are. */
static void KERNEL(place_points)(struct KERNEL(block) *b, const int32_t *number)
{
    int points = b->r[0]->points;
    __m512i index = _mm512_loadu_si512(number);
    _mm512_storeu_si512(b->point_re, KERNEL(look_far_up)(b->t->points, points, index));
    _mm512_storeu_si512(b->point_im, KERNEL(look_far_up)(b->t->points + points, points, index));
}
#else
static void KERNEL(place_points)(struct KERNEL(block) *b, const int32_t *number)
{
    int points = b->r[0]->points;
    for (int l = 0; l < BANK_LANES; l++) {
        b->point_re[l] = b->t->points[number[l]];
        b->point_im[l] = b->t->points[points + number[l]];
    }
}
#endif

/* KERNEL(decide) for all lanes. */
static void KERNEL(decide_lanes)(struct KERNEL(block) *b)
{
    KERNEL(note_training)(b);
    if (b->in_training < BANK_LANES && b->r[0]->trellis) {
        KERNEL(viterbi_lanes)(b);
        KERNEL(place_points)(b, b->newest);
    } else if (b->in_training < BANK_LANES) {
        KERNEL(nearest_lanes)(b);
        KERNEL(place_points)(b, b->sent);
    }
    if (b->in_training)
        KERNEL(know_points)(b);
}

/* The data's bits of all lanes, without a guard, and the state of the far coder. */
static void KERNEL(descramble_lanes)(struct KERNEL(block) *b, uint32_t *plain)
{
    const struct qam_receiver *r = b->r[0];
    int bits = r->bits, tap_near = r->scrambler.tap_near, tap_far = r->scrambler.tap_far, shift = r->state_shift;
    uint32_t group[BANK_LANES], mask = (1u << bits) - 1, states = (uint32_t)r->states - 1;
    for (int l = 0; l < BANK_LANES; l++)
        group[l] = b->t->groups[(b->state[l] & states) * (uint32_t)r->points + (uint32_t)b->sent[l]];
    for (int l = 0; l < BANK_LANES; l++) {
        uint32_t line = b->line[l] << bits | group[l], state = (uint32_t)b->sent[l] >> shift & states;
        plain[l] = (line ^ line >> tap_near ^ line >> tap_far) & mask;
        b->line[l] = b->training[l] ? b->line[l] : line;
        b->state[l] = b->training[l] ? b->state[l] : state;
    }
}

/* Whole octets out of what is pending; rows have room for all of the word. */
static void KERNEL(unpack_octets)(struct KERNEL(block) *b)
{
    uint32_t whole[BANK_LANES];
    int64_t made[BANK_LANES];
    for (int l = 0; l < BANK_LANES; l++) { /* the oldest bit, most significant, becomes the least significant one */
        uint32_t w = b->pending[l] << (-b->pending_bits[l] & 31);
        w = (w & 0xffff0000) >> 16 | (w & 0x0000ffff) << 16;
        w = (w & 0xff00ff00) >> 8 | (w & 0x00ff00ff) << 8;
        w = (w & 0xf0f0f0f0) >> 4 | (w & 0x0f0f0f0f) << 4;
        w = (w & 0xcccccccc) >> 2 | (w & 0x33333333) << 2;
        whole[l] = (w & 0xaaaaaaaa) >> 1 | (w & 0x55555555) << 1;
        made[l] = b->made[l];
        b->made[l] += b->pending_bits[l] >> 3;
        b->pending_bits[l] &= 7;
    }
    for (int l = 0; l < b->count; l++) {
        uint8_t *to = b->octets[l] + made[l];
        to[0] = (uint8_t)whole[l], to[1] = (uint8_t)(whole[l] >> 8);
        to[2] = (uint8_t)(whole[l] >> 16), to[3] = (uint8_t)(whole[l] >> 24);
    }
    b->unpacked = 0;
}

/* KERNEL(deliver) for all lanes, without a guard. The bits wait until no more of them have room in a word. */
static void KERNEL(deliver_lanes)(struct KERNEL(block) *b)
{
    uint32_t plain[BANK_LANES];
    int32_t bits = b->r[0]->bits;
    KERNEL(descramble_lanes)(b, plain);
    for (int l = 0; l < BANK_LANES; l++) {
        int32_t data = !b->training[l], taken = data & (b->skip[l] <= 0);
        b->skip[l] -= data & (b->skip[l] > 0) ? bits : 0;
        b->pending[l] = taken ? b->pending[l] << bits | plain[l] : b->pending[l];
        b->pending_bits[l] += taken ? bits : 0;
    }
    b->unpacked += bits;
    if (b->unpacked + bits + 7 > 31)
        KERNEL(unpack_octets)(b);
}

/* The same one by one, for scramblers with a guard. */
static void KERNEL(deliver_guarded)(struct KERNEL(block) *b)
{
    for (int l = 0; l < b->count; l++) {
        struct qam_receiver *r = b->r[l];
        if (b->training[l])
            continue;
        r->scrambler.line = b->line[l], r->state = b->state[l], r->pending = b->pending[l];
        r->skip = b->skip[l], r->pending_bits = b->pending_bits[l];
        b->made[l] += KERNEL(deliver)(r, b->t->groups, (uint32_t)b->sent[l], b->octets[l] + b->made[l]);
        b->line[l] = r->scrambler.line, b->state[l] = r->state, b->pending[l] = r->pending;
        b->skip[l] = r->skip, b->pending_bits[l] = r->pending_bits;
    }
}

/* So many floats into a ring from `at` on. */
LANE_INLINE void KERNEL(into_ring)(float *ring, int64_t at, const float *from, int n)
{
    if (n == BANK_RECENT && at <= QAM_RECENT - BANK_RECENT) {
        memcpy(ring + at, from, BANK_RECENT * sizeof *ring);
        return;
    }
    for (int i = 0; i < n; i++)
        ring[(at + i) & (QAM_RECENT - 1)] = from[i];
}

/* Hand over the points that the owner may look at. */
static void KERNEL(hand_points_over)(struct KERNEL(block) *b)
{
    float re[BANK_LANES][BANK_RECENT], im[BANK_LANES][BANK_RECENT];
    float *of_re[BANK_LANES], *of_im[BANK_LANES];
    for (int l = 0; l < BANK_LANES; l++)
        of_re[l] = re[l], of_im[l] = im[l];
    KERNEL(scatter_rows)((const KERNEL(lane_floats) *)b->recent_re, BANK_RECENT, of_re);
    KERNEL(scatter_rows)((const KERNEL(lane_floats) *)b->recent_im, BANK_RECENT, of_im);
    for (int l = 0; l < b->count; l++) {
        struct qam_receiver *r = b->r[l];
        KERNEL(into_ring)(r->recent_re, r->symbols & (QAM_RECENT - 1), re[l], b->recent);
        KERNEL(into_ring)(r->recent_im, r->symbols & (QAM_RECENT - 1), im[l], b->recent);
        r->symbols += b->recent;
    }
    b->recent = 0;
}

static void KERNEL(keep_points)(struct KERNEL(block) *b)
{
    memcpy(b->recent_re[b->recent], b->re, sizeof b->re);
    memcpy(b->recent_im[b->recent], b->im, sizeof b->im);
    if (++b->recent == BANK_RECENT)
        KERNEL(hand_points_over)(b);
}
