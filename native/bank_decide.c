/* Decisions of sixteen lanes side by side: the nearest point, or the trellis's word; what they bring as octets. */
#include "bank.h"
#include "qam_lanes.h"

/* Squared distances to the places on one axis. */
static void KERNEL(square_places)(const float *places, int n, const double *from, KERNEL(lane_floats) *squares)
{
    KERNEL(lane_floats) own;
    for (int l = 0; l < BANK_LANES; l++)
        own[l] = (float)from[l];
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        lane_part x = KERNEL(load_part)(own + at);
        for (int i = 0; i < n; i++) {
            lane_part away = places[i] - x;
            KERNEL(store_lanes)(squares[i] + at, away * away);
        }
    }
}

/* The least of keys as in KERNEL(nearest): of every `apart`-th point from `first` on. */
LANE_INLINE void KERNEL(least_keys)(const struct KERNEL(block) *b, const KERNEL(lane_floats) *squares, int first, int apart,
                                    int32_t *keys)
{
    int points = b->r[0]->points;
    const uint16_t *at_re = b->places->at, *at_im = b->places->at + points;
    const float *re = squares[0], *im = squares[BANK_PLACES];
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(lane_ints) least = (KERNEL(lane_ints)){0} + INT32_MAX, number = (KERNEL(lane_ints)){0} + first;
        for (int i = first; i < points; i += apart, number += apart) {
            lane_part distance = KERNEL(load_part)(re + at_re[i] + at) + KERNEL(load_part)(im + at_im[i] + at);
            least = KERNEL(lesser)(least, ((KERNEL(lane_ints))distance & ~255) | number);
        }
        KERNEL(store_ints)(keys + at, least);
    }
}

/* One branch: its metric, the state it comes from, the point it brings. */
typedef struct { KERNEL(lane_ints) sum, before, point; } KERNEL(branch);

LANE_INLINE KERNEL(branch) KERNEL(take_branch)(const struct KERNEL(block) *b, const KERNEL(lane_floats) *distance,
                                               const KERNEL(lane_words) *point, int which, int state, int at)
{
    int32_t before = b->t->branches[2 * which * QAM_STATES + state];
    int32_t by = b->t->branches[(2 * which + 1) * QAM_STATES + state];
    lane_part sum = KERNEL(load_part)(b->metric[before] + at) + KERNEL(load_part)(distance[by] + at);
    return (KERNEL(branch)){(KERNEL(lane_ints))sum, (KERNEL(lane_ints)){0} + before, KERNEL(load_ints)(point[by] + at)};
}

/* The better branch; of equal ones the first. */
LANE_INLINE KERNEL(branch) KERNEL(better)(KERNEL(branch) a, KERNEL(branch) b)
{
    KERNEL(lane_ints) less = (lane_part)b.sum < (lane_part)a.sum;
    return (KERNEL(branch)){KERNEL(choose)(less, b.sum, a.sum), KERNEL(choose)(less, b.before, a.before),
                            KERNEL(choose)(less, b.point, a.point)};
}

/* The survivor of every state into `best`, and how it was reached into the newest column. */
LANE_INLINE void KERNEL(select_branches)(struct KERNEL(block) *b, const KERNEL(lane_floats) *distance,
                                         const KERNEL(lane_words) *point, KERNEL(lane_floats) *best)
{
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(lane_ints) came = {0}, gave[2] = {{0}, {0}}, idle = KERNEL(load_ints)(b->training + at) != 0;
        for (int s = 0; s < QAM_STATES; s++) {
            KERNEL(branch) way[4];
            for (int i = 0; i < QAM_BRANCHES; i++)
                way[i] = KERNEL(take_branch)(b, distance, point, i, s, at);
            KERNEL(branch) last = KERNEL(better)(KERNEL(better)(way[0], way[1]), KERNEL(better)(way[2], way[3]));
            KERNEL(store_ints)(best[s] + at, last.sum);
            came |= last.before << 4 * s;
            gave[s >> 2] |= last.point << 8 * (s & 3);
        }
        KERNEL(store_ints)(b->came[b->column] + at, came & ~idle);
        KERNEL(store_ints)(b->gave[0][b->column] + at, gave[0] & ~idle);
        KERNEL(store_ints)(b->gave[1][b->column] + at, gave[1] & ~idle);
    }
}

/* The point of a state of one column. */
LANE_INLINE KERNEL(lane_ints) KERNEL(point_of)(const struct KERNEL(block) *b, int column, KERNEL(lane_ints) state, int at)
{
    KERNEL(lane_ints) low = KERNEL(load_ints)(b->gave[0][column] + at);
    KERNEL(lane_ints) high = KERNEL(load_ints)(b->gave[1][column] + at);
    return KERNEL(choose)(state > 3, high, low) >> 8 * (state & 3) & 255;
}

/* Lift the metrics by the least one; the points now and the oldest ones of the best paths. */
LANE_INLINE void KERNEL(look_back_lanes)(struct KERNEL(block) *b, const KERNEL(lane_floats) *best)
{
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
        KERNEL(lane_ints) least = (KERNEL(lane_ints)){0} + INT32_MAX, level = {0};
        for (int s = 0; s < QAM_STATES; s++)
            least = KERNEL(lesser)(least, (KERNEL(load_ints)(best[s] + at) & ~7) | s);
        KERNEL(lane_ints) state = least & 7, idle = KERNEL(load_ints)(b->training + at) != 0;
        for (int s = 0; s < QAM_STATES; s++)
            level |= KERNEL(load_ints)(best[s] + at) & (state == s);
        for (int s = 0; s < QAM_STATES; s++) {
            KERNEL(lane_ints) lifted = (KERNEL(lane_ints))(KERNEL(load_part)(best[s] + at) - (lane_part)level);
            KERNEL(store_ints)(b->metric[s] + at, KERNEL(choose)(idle, KERNEL(load_ints)(b->metric[s] + at), lifted));
        }
        KERNEL(store_ints)(b->now + at, KERNEL(point_of)(b, b->column, state, at));
        for (int i = 0; i < QAM_DEPTH - 1; i++)
            state = KERNEL(load_ints)(b->came[(b->column - i) & (QAM_DEPTH - 1)] + at) >> 4 * state & 7;
        KERNEL(store_ints)(b->sent + at, KERNEL(point_of)(b, (b->column + 1) & (QAM_DEPTH - 1), state, at));
    }
}

/* KERNEL(viterbi) for all lanes that have left the training. */
static void KERNEL(viterbi_lanes)(struct KERNEL(block) *b, const KERNEL(lane_floats) *squares)
{
    int32_t nearest[BANK_LANES];
    KERNEL(lane_floats) distance[QAM_STATES], best[QAM_STATES];
    KERNEL(lane_words) point[QAM_STATES];
    for (int subset = 0; subset < QAM_STATES; subset++) {
        KERNEL(least_keys)(b, squares, subset, QAM_STATES, nearest);
        for (int at = 0; at < BANK_LANES; at += LANE_WIDTH) {
            KERNEL(store_ints)(distance[subset] + at, KERNEL(load_ints)(nearest + at) & ~255);
            KERNEL(store_ints)(point[subset] + at, KERNEL(load_ints)(nearest + at) & 255);
        }
    }
    KERNEL(select_branches)(b, distance, point, best);
    KERNEL(look_back_lanes)(b, best);
    b->column = (b->column + 1) & (QAM_DEPTH - 1);
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
}

static void KERNEL(note_training)(struct KERNEL(block) *b)
{
    if (!b->in_training)
        return;
    b->in_training = 0;
    for (int l = 0; l < BANK_LANES; l++)
        b->in_training += b->training[l] = b->r[l]->training_left > 0;
}

/* KERNEL(decide) for all lanes. */
static void KERNEL(decide_lanes)(struct KERNEL(block) *b)
{
    KERNEL(lane_floats) squares[2 * BANK_PLACES] __attribute__((aligned(64)));
    int points = b->r[0]->points;
    KERNEL(note_training)(b);
    if (b->in_training < BANK_LANES) {
        KERNEL(square_places)(b->places->places, b->places->count, b->re, squares);
        KERNEL(square_places)(b->places->places + BANK_PLACES, b->places->count, b->im, squares + BANK_PLACES);
        if (b->r[0]->trellis)
            KERNEL(viterbi_lanes)(b, squares);
        else
            KERNEL(least_keys)(b, squares, 0, 1, b->now);
    }
    for (int l = 0; l < BANK_LANES; l++) {
        int at = b->training[l] ? 0 : b->now[l] & 255;
        b->point_re[l] = b->t->points[at];
        b->point_im[l] = b->t->points[points + at];
    }
    if (b->in_training)
        KERNEL(know_points)(b);
}

/* The data's bits of all lanes, without a guard, and the state of the far coder. */
static void KERNEL(descramble_lanes)(struct KERNEL(block) *b, const int32_t *sent, uint32_t *plain)
{
    const struct qam_receiver *r = b->r[0];
    int bits = r->bits, tap_near = r->scrambler.tap_near, tap_far = r->scrambler.tap_far, shift = r->state_shift;
    uint32_t group[BANK_LANES], mask = (1u << bits) - 1, states = (uint32_t)r->states - 1;
    for (int l = 0; l < BANK_LANES; l++)
        group[l] = b->t->groups[(b->state[l] & states) * (uint32_t)r->points + ((uint32_t)sent[l] & 255)];
    for (int l = 0; l < BANK_LANES; l++) {
        uint32_t line = b->line[l] << bits | group[l], state = (uint32_t)sent[l] >> shift & states;
        plain[l] = (line ^ line >> tap_near ^ line >> tap_far) & mask;
        b->line[l] = b->training[l] ? b->line[l] : line;
        b->state[l] = b->training[l] ? b->state[l] : state;
    }
}

/* KERNEL(deliver) for all lanes, without a guard. */
static void KERNEL(deliver_lanes)(struct KERNEL(block) *b, const int32_t *sent)
{
    uint32_t plain[BANK_LANES], octet[BANK_LANES];
    int32_t full[BANK_LANES], bits = b->r[0]->bits;
    KERNEL(descramble_lanes)(b, sent, plain);
    for (int l = 0; l < BANK_LANES; l++) {
        int32_t skipped = (b->skip[l] > 0) & !b->training[l], taken = (b->skip[l] <= 0) & !b->training[l];
        b->skip[l] -= skipped ? bits : 0;
        uint32_t pending = b->pending[l] << bits | plain[l];
        b->pending[l] = taken ? pending : b->pending[l];
        int32_t held = b->pending_bits[l] + (taken ? bits : 0);
        full[l] = held >= 8;
        held -= full[l] ? 8 : 0;
        b->pending_bits[l] = held;
        uint32_t o = b->pending[l] >> held & 255;
        o = (o & 0xf0) >> 4 | (o & 0x0f) << 4;
        o = (o & 0xcc) >> 2 | (o & 0x33) << 2;
        octet[l] = (o & 0xaa) >> 1 | (o & 0x55) << 1;
    }
    for (int l = 0; l < b->count; l++) {
        *b->octets[l] = (uint8_t)octet[l];
        b->octets[l] += full[l];
    }
}

/* The same one by one, for scramblers with a guard. */
static void KERNEL(deliver_guarded)(struct KERNEL(block) *b, const int32_t *sent)
{
    for (int l = 0; l < b->count; l++) {
        struct qam_receiver *r = b->r[l];
        if (b->training[l])
            continue;
        r->scrambler.line = b->line[l], r->state = b->state[l], r->pending = b->pending[l];
        r->skip = b->skip[l], r->pending_bits = b->pending_bits[l];
        b->octets[l] += KERNEL(deliver)(r, b->t->groups, (uint32_t)sent[l] & 255, b->octets[l]);
        b->line[l] = r->scrambler.line, b->state[l] = r->state, b->pending[l] = r->pending;
        b->skip[l] = r->skip, b->pending_bits[l] = r->pending_bits;
    }
}

/* The points for the owner to look at. */
static void KERNEL(keep_points)(const struct KERNEL(block) *b)
{
    KERNEL(lane_floats) re, im;
    for (int l = 0; l < BANK_LANES; l++) {
        re[l] = (float)b->re[l];
        im[l] = (float)b->im[l];
    }
    for (int l = 0; l < b->count; l++) {
        struct qam_receiver *r = b->r[l];
        int64_t recent = r->symbols++ & (QAM_RECENT - 1);
        r->recent_re[recent] = re[l];
        r->recent_im[recent] = im[l];
    }
}
