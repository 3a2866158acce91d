/* The trellis of sixteen lanes side by side. Paths are not copied at every symbol: for the columns since they last were,
 * a ring tells from which state each state was reached and by which point, and `back` the state that a path had before
 * them. Octets of a lane lie together, two lanes in sixteen octets, and so the sixteen are shuffled by each other. */
#include "bank_block.h"

/* Octets of as many lanes as a part has: of the first two of every four, then of the others. */
typedef struct { KERNEL(lane_ints) first, second; } KERNEL(octet_part);

/* Where the octets of a lane begin. */
LANE_INLINE int KERNEL(octets_of)(int lane)
{
    int in = lane % LANE_WIDTH;
    return (lane - in) * QAM_STATES + (in >> 1 & 1) * 4 * LANE_WIDTH + (in >> 2) * 16 + (in & 1) * QAM_STATES;
}

LANE_INLINE KERNEL(octet_part) KERNEL(load_octets)(const uint8_t *from, int at)
{
    from += at * QAM_STATES;
    return (KERNEL(octet_part)){KERNEL(load_ints)(from), KERNEL(load_ints)(from + 4 * LANE_WIDTH)};
}

LANE_INLINE void KERNEL(store_octets)(uint8_t *to, int at, KERNEL(octet_part) value)
{
    to += at * QAM_STATES;
    KERNEL(store_ints)(to, value.first);
    KERNEL(store_ints)(to + 4 * LANE_WIDTH, value.second);
}

/* Of every sixteen octets those that the index, 0 to 15, tells. */
LANE_INLINE KERNEL(lane_ints) KERNEL(shuffle)(KERNEL(lane_ints) table, KERNEL(lane_ints) index)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_shuffle_epi8((__m512i)table, (__m512i)index);
#elif LANE_WIDTH == 8
    return (KERNEL(lane_ints))_mm256_shuffle_epi8((__m256i)table, (__m256i)index);
#else
    uint8_t items[16], at[16], found[16];
    memcpy(items, &table, sizeof items);
    memcpy(at, &index, sizeof at);
    for (int i = 0; i < 16; i++)
        found[i] = items[at[i] & 15];
    return KERNEL(load_ints)(found);
#endif
}

LANE_INLINE KERNEL(octet_part) KERNEL(shuffle_octets)(KERNEL(octet_part) table, KERNEL(octet_part) index)
{
    return (KERNEL(octet_part)){KERNEL(shuffle)(table.first, index.first), KERNEL(shuffle)(table.second, index.second)};
}

/* Octets from a word of the lower four and one of the upper four. */
LANE_INLINE KERNEL(octet_part) KERNEL(join_words)(KERNEL(lane_ints) low, KERNEL(lane_ints) high)
{
#if LANE_WIDTH == 16
    return (KERNEL(octet_part)){(KERNEL(lane_ints))_mm512_unpacklo_epi32((__m512i)low, (__m512i)high),
                                (KERNEL(lane_ints))_mm512_unpackhi_epi32((__m512i)low, (__m512i)high)};
#elif LANE_WIDTH == 8
    return (KERNEL(octet_part)){(KERNEL(lane_ints))_mm256_unpacklo_epi32((__m256i)low, (__m256i)high),
                                (KERNEL(lane_ints))_mm256_unpackhi_epi32((__m256i)low, (__m256i)high)};
#else
    return (KERNEL(octet_part)){__builtin_shufflevector(low, high, 0, 4, 1, 5), __builtin_shufflevector(low, high, 2, 6, 3, 7)};
#endif
}

/* The word of the lower four octets of each lane. */
LANE_INLINE KERNEL(lane_ints) KERNEL(low_words)(KERNEL(octet_part) v)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_shuffle_ps((__m512)v.first, (__m512)v.second, 0x88);
#elif LANE_WIDTH == 8
    return (KERNEL(lane_ints))_mm256_shuffle_ps((__m256)v.first, (__m256)v.second, 0x88);
#else
    return __builtin_shufflevector(v.first, v.second, 0, 2, 4, 6);
#endif
}

LANE_INLINE KERNEL(lane_ints) KERNEL(high_words)(KERNEL(octet_part) v)
{
#if LANE_WIDTH == 16
    return (KERNEL(lane_ints))_mm512_shuffle_ps((__m512)v.first, (__m512)v.second, 0xdd);
#elif LANE_WIDTH == 8
    return (KERNEL(lane_ints))_mm256_shuffle_ps((__m256)v.first, (__m256)v.second, 0xdd);
#else
    return __builtin_shufflevector(v.first, v.second, 1, 3, 5, 7);
#endif
}

/* An index into the lane's own octets, of the sixteen. */
LANE_INLINE KERNEL(octet_part) KERNEL(own_octets)(KERNEL(octet_part) index)
{
    KERNEL(lane_ints) second = {0};
    for (int i = 0; i < LANE_WIDTH; i++)
        second[i] = i & 2 ? 0x08080808 : 0;
    return (KERNEL(octet_part)){index.first | second, index.second | second};
}

static void KERNEL(forget_columns)(struct KERNEL(block) *b)
{
    for (int i = 0; i < BANK_LANES * QAM_STATES; i++)
        b->back[i] = i & 15;
    b->fresh = 0;
}

/* Whole paths for all columns. */
static void KERNEL(copy_paths)(struct KERNEL(block) *b)
{
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(lane_ints) own = {0};
        for (int i = 0; i < LANE_WIDTH; i++)
            own[i] = i & 1 ? 0x07060504 : 0x03020100;
        KERNEL(octet_part) state = KERNEL(own_octets)((KERNEL(octet_part)){own, own});
        for (int i = 1; i <= QAM_DEPTH; i++) {
            int column = (b->column - i) & (QAM_DEPTH - 1);
            KERNEL(octet_part) point = KERNEL(load_octets)(b->point[column], at);
            KERNEL(store_octets)(b->point[column], at, KERNEL(shuffle_octets)(point, state));
            if (i <= b->fresh)
                state = KERNEL(shuffle_octets)(KERNEL(load_octets)(b->came[column], at), state);
        }
    }
    KERNEL(forget_columns)(b);
}

typedef uint8_t octets_sixteen __attribute__((vector_size(16)));

/* Eight rows of eight octets become columns: three times the first half of all is interleaved with the other. */
static void KERNEL(turn_octets)(uint64_t *rows)
{
    octets_sixteen a[4], b[4];
    memcpy(a, rows, sizeof a);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 2; k++) {
            b[2 * k] = __builtin_shufflevector(a[k], a[k + 2], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            b[2 * k + 1] = __builtin_shufflevector(a[k], a[k + 2], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(a, b, sizeof a);
    }
    memcpy(rows, a, sizeof a);
}

static void KERNEL(enter_survivors)(struct KERNEL(block) *b, int l, const struct qam_receiver *r)
{
    const uint8_t(*paths)[QAM_DEPTH] = r->survivors[r->side & 1];
    for (int at = 0; at < QAM_DEPTH; at += 8) {
        uint64_t octets[8];
        for (int s = 0; s < QAM_STATES; s++)
            memcpy(&octets[s], paths[s] + at, sizeof octets[s]);
        KERNEL(turn_octets)(octets);
        for (int i = 0; i < 8; i++)
            memcpy(b->point[(at + i - r->column) & (QAM_DEPTH - 1)] + KERNEL(octets_of)(l), &octets[i], sizeof octets[i]);
    }
}

static void KERNEL(leave_survivors)(const struct KERNEL(block) *b, int l, struct qam_receiver *r)
{
    uint8_t(*paths)[QAM_DEPTH] = r->survivors[r->side & 1];
    for (int at = 0; at < QAM_DEPTH; at += 8) {
        uint64_t octets[8];
        for (int i = 0; i < 8; i++)
            memcpy(&octets[i], b->point[(b->column + at + i - r->column) & (QAM_DEPTH - 1)] + KERNEL(octets_of)(l), sizeof octets[i]);
        KERNEL(turn_octets)(octets);
        for (int s = 0; s < QAM_STATES; s++)
            memcpy(paths[s] + at, &octets[s], sizeof octets[s]);
    }
}

/* The trellis in the form that the lanes look it up in. */
static void KERNEL(enter_trellis)(struct KERNEL(block) *b)
{
    KERNEL(forget_columns)(b);
    for (int s = 0; s < QAM_STATES; s++) {
        for (int i = 0; i < BANK_LANES; i++) {
            const int32_t *branch = b->t->branches + 2 * (i % QAM_BRANCHES) * QAM_STATES + s;
            uint8_t *from = (uint8_t *)b->from[s >> 2], *through = (uint8_t *)b->through[s >> 2];
            int at = i / QAM_BRANCHES * 16 + (s & 3) * QAM_BRANCHES + i % QAM_BRANCHES;
            from[at] = (uint8_t)branch[0];
            through[at] = (uint8_t)branch[QAM_STATES];
            int point = i * QAM_STATES + s < b->r[0]->points ? i * QAM_STATES + s : s;
            b->subset_re[s][i] = b->t->points[point];
            b->subset_im[s][i] = b->t->points[b->r[0]->points + point];
        }
    }
}

/* KERNEL(cell_of) for all lanes, and what the cells say: the points near each lane. */
static void KERNEL(look_into_cells)(struct KERNEL(block) *b)
{
    int32_t cell[BANK_LANES];
    lane_part none = {0}, half = none + (float)(QAM_CELLS / 2), last = none + (QAM_CELLS - 0.5f);
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        lane_part x = KERNEL(clamp_lanes)(KERNEL(load_part)(b->re + at) + half, none, last);
        lane_part y = KERNEL(clamp_lanes)(KERNEL(load_part)(b->im + at) + half, none, last);
        KERNEL(store_ints)(cell + at, __builtin_convertvector(y, KERNEL(lane_ints)) * QAM_CELLS
                                      + __builtin_convertvector(x, KERNEL(lane_ints)));
    }
    for (int l = 0; l < BANK_LANES; l++)
        memcpy(b->near + KERNEL(octets_of)(l), b->t->cells + cell[l] * QAM_STATES, QAM_STATES);
}

/* How far off the near points are. */
LANE_INLINE void KERNEL(measure_points)(struct KERNEL(block) *b, int at)
{
    lane_part re = KERNEL(load_part)(b->re + at), im = KERNEL(load_part)(b->im + at);
    KERNEL(octet_part) near = KERNEL(load_octets)(b->near, at);
    KERNEL(lane_ints) words[2] = {KERNEL(low_words)(near), KERNEL(high_words)(near)};
    for (int s = 0; s < QAM_STATES; s++) {
        KERNEL(lane_ints) number = words[s >> 2] >> (8 * (s & 3) + 3);
        lane_part dx = (lane_part)KERNEL(look_up)(b->subset_re[s], number) - re;
        lane_part dy = (lane_part)KERNEL(look_up)(b->subset_im[s], number) - im;
        KERNEL(store_lanes)(b->distance[s] + at, dx * dx + dy * dy);
    }
}

/* The metric of the best branch to a state, and which one it is in the low two bits. */
LANE_INLINE KERNEL(lane_ints) KERNEL(best_branch)(const struct KERNEL(block) *b, int state, int at)
{
    const KERNEL(lane_ints) none = {0};
    KERNEL(lane_ints) best = none + INT32_MAX;
    for (int i = 0; i < QAM_BRANCHES; i++) {
        int32_t before = b->t->branches[2 * i * QAM_STATES + state], by = b->t->branches[(2 * i + 1) * QAM_STATES + state];
        lane_part sum = KERNEL(load_part)(b->metric[before] + at) + KERNEL(load_part)(b->distance[by] + at);
        best = KERNEL(lesser)(KERNEL(merge)((KERNEL(lane_ints))sum, ~3, none + i), best);
    }
    return best;
}

/* The survivor of every state: how it was reached into the newest column. The state with the least metric. */
LANE_INLINE void KERNEL(select_branches)(struct KERNEL(block) *b, int at, int32_t *ahead)
{
    const KERNEL(lane_ints) none = {0};
    KERNEL(lane_ints) least = none + INT32_MAX, key[QAM_STATES], came[2], by[2];
    for (int s = 0; s < QAM_STATES; s++) {
        key[s] = KERNEL(best_branch)(b, s, at);
        least = KERNEL(lesser)(KERNEL(merge)(key[s], ~7, none + s), least);
    }
    for (int i = 0; i < 2; i++) {
        KERNEL(lane_ints) which = none + 0x0c080400;
        for (int s = 0; s < 4; s++)
            which = KERNEL(merge)(key[4 * i + s] << 8 * s, 3 << 8 * s, which);
        came[i] = KERNEL(shuffle)(KERNEL(load_ints)(b->from[i]), which);
        by[i] = KERNEL(shuffle)(KERNEL(load_ints)(b->through[i]), which);
    }
    lane_part level = (lane_part)(least & ~7);
    for (int s = 0; s < QAM_STATES; s++)
        KERNEL(store_lanes)(b->metric[s] + at, (lane_part)key[s] - level);
    KERNEL(octet_part) subset = KERNEL(own_octets)(KERNEL(join_words)(by[0], by[1]));
    KERNEL(store_octets)(b->came[b->column], at, KERNEL(own_octets)(KERNEL(join_words)(came[0], came[1])));
    KERNEL(store_octets)(b->point[b->column], at, KERNEL(shuffle_octets)(KERNEL(load_octets)(b->near, at), subset));
    KERNEL(store_ints)(ahead + at, least & 7);
}

/* The newest and the oldest points of the best paths. */
LANE_INLINE void KERNEL(look_back)(struct KERNEL(block) *b, int at, const int32_t *ahead)
{
    const uint8_t *oldest = b->point[(b->column + 1) & (QAM_DEPTH - 1)];
    KERNEL(octet_part) back = KERNEL(shuffle_octets)(KERNEL(load_octets)(b->back, at), KERNEL(load_octets)(b->came[b->column], at));
    KERNEL(octet_part) best = KERNEL(own_octets)(KERNEL(join_words)(KERNEL(load_ints)(ahead + at), (KERNEL(lane_ints)){0}));
    KERNEL(octet_part) newest = KERNEL(shuffle_octets)(KERNEL(load_octets)(b->point[b->column], at), best);
    KERNEL(octet_part) sent = KERNEL(shuffle_octets)(KERNEL(load_octets)(oldest, at), KERNEL(shuffle_octets)(back, best));
    KERNEL(store_octets)(b->back, at, back);
    KERNEL(store_ints)(b->newest + at, KERNEL(low_words)(newest) & 255);
    KERNEL(store_ints)(b->sent + at, KERNEL(low_words)(sent) & 255);
}

/* The trellis stands still for lanes in training. */
static void KERNEL(hold_trellis)(struct KERNEL(block) *b, const KERNEL(lane_floats) *metric)
{
    for (int l = 0; l < BANK_LANES; l++) {
        if (!b->training[l])
            continue;
        int octets = KERNEL(octets_of)(l);
        for (int s = 0; s < QAM_STATES; s++) {
            b->metric[s][l] = metric[s][l];
            b->came[b->column][octets + s] = octets & 8;
            b->point[b->column][octets + s] = 0;
        }
    }
}

/* KERNEL(viterbi) for all lanes that have left the training. */
static void KERNEL(viterbi_lanes)(struct KERNEL(block) *b)
{
    KERNEL(lane_floats) metric[QAM_STATES];
    KERNEL(lane_numbers) ahead;
    if (b->in_training)
        memcpy(metric, b->metric, sizeof metric);
    KERNEL(look_into_cells)(b);
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(measure_points)(b, at);
        KERNEL(select_branches)(b, at, ahead);
    }
    if (b->in_training)
        KERNEL(hold_trellis)(b, (const KERNEL(lane_floats) *)metric);
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH)
        KERNEL(look_back)(b, at, ahead);
    b->column = (b->column + 1) & (QAM_DEPTH - 1);
    if (++b->fresh == QAM_DEPTH - 1)
        KERNEL(copy_paths)(b);
}
