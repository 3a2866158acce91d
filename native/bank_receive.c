/* Reception in a bank: a lane that hunts or trains runs alone (qam_receive.c); lanes that have data run their symbols in
 * blocks of sixteen (bank_lanes.c). */
#include "bank_block.h"

/* KERNEL(turn) for a part of the lanes. */
LANE_INLINE void KERNEL(turn_part)(float *to_re, float *to_im, lane_part by_re, lane_part by_im, lane_part angle)
{
    lane_part re = KERNEL(load_part)(to_re), im = KERNEL(load_part)(to_im);
    lane_part a = by_re - angle * by_im, c = by_im + angle * by_re;
    lane_part x = re * a - im * c, y = re * c + im * a;
    lane_part length = 1.5f - 0.5f * (x * x + y * y);
    KERNEL(store_lanes)(to_re, x * length);
    KERNEL(store_lanes)(to_im, y * length);
}

/* KERNEL(is_steady) for a part of the lanes. */
LANE_INLINE KERNEL(lane_mask) KERNEL(find_steady)(struct KERNEL(block) *b, lane_part power, int at)
{
    const KERNEL(lane_ints) none = {0};
    lane_part re = KERNEL(load_part)(b->delay_re[b->head - 1] + at), im = KERNEL(load_part)(b->delay_im[b->head - 1] + at);
    lane_part mean = KERNEL(load_part)(b->power + at), mean_power = (lane_part){0} + b->r[0]->mean_power;
    mean += 0.125f * (power - mean);
    KERNEL(store_lanes)(b->power + at, mean);
    KERNEL(lane_ints) hold = KERNEL(load_ints)(b->hold + at);
    hold += hold > none;
    hold = KERNEL(pick)(KERNEL(less)(KERNEL(load_part)(b->loud + at), re * re + im * im), none + (QAM_TAPS / 2 + 1), hold);
    KERNEL(store_ints)(b->hold + at, hold);
    return KERNEL(same)(hold, none) & KERNEL(less)(0.3f * mean_power, mean) & KERNEL(less)(power, 8.0f * mean_power);
}

/* KERNEL(steer) for a part of the lanes, but for the clock. */
LANE_INLINE void KERNEL(steer_part)(struct KERNEL(block) *b, KERNEL(lane_mask) steady, int at)
{
    const struct qam_receiver *r = b->r[0];
    const lane_part none = {0}, most = none + 4.0f, limit = none + r->drift_limit;
    lane_part re = KERNEL(load_part)(b->re + at), im = KERNEL(load_part)(b->im + at);
    lane_part point_re = KERNEL(load_part)(b->point_re + at), point_im = KERNEL(load_part)(b->point_im + at);
    lane_part angle = KERNEL(pick_floats)(steady, (im * point_re - re * point_im) * b->inverse_power, none);
    lane_part early = re * KERNEL(load_part)(b->last_point_re + at) + im * KERNEL(load_part)(b->last_point_im + at)
                      - KERNEL(load_part)(b->last_re + at) * point_re - KERNEL(load_part)(b->last_im + at) * point_im;
    early = KERNEL(clamp_lanes)(early * b->inverse_power, -most, most);
    lane_part drift = KERNEL(load_part)(b->drift + at), pulled = drift + r->timing_pull * early;
    drift = KERNEL(pick_floats)(steady, KERNEL(clamp_lanes)(pulled, -limit, limit), drift);
    lane_part move = KERNEL(pick_floats)(steady, r->timing_gain * early, none);
    KERNEL(store_lanes)(b->drift + at, drift);
    KERNEL(store_ints)(b->moved + at, __builtin_convertvector((move + drift) * 4294967296.0f, KERNEL(lane_ints)));
    KERNEL(turn_part)(b->turn_re + at, b->turn_im + at, none + 1.0f, none, r->carrier_pull * angle);
    KERNEL(turn_part)(b->phase_re + at, b->phase_im + at, KERNEL(load_part)(b->turn_re + at),
                      KERNEL(load_part)(b->turn_im + at), r->carrier_gain * angle + r->carrier_step * move);
    KERNEL(store_lanes)(b->last_re + at, re);
    KERNEL(store_lanes)(b->last_im + at, im);
    KERNEL(store_lanes)(b->last_point_re + at, point_re);
    KERNEL(store_lanes)(b->last_point_im + at, point_im);
}

/* What the decided points say to the equaliser, to the loops and about the level. */
LANE_INLINE void KERNEL(follow_part)(struct KERNEL(block) *b, int at)
{
    const lane_part none = {0};
    lane_part re = KERNEL(load_part)(b->re + at), im = KERNEL(load_part)(b->im + at), power = re * re + im * im;
    lane_part error_re = KERNEL(load_part)(b->point_re + at) - re, error_im = KERNEL(load_part)(b->point_im + at) - im;
    lane_part cosine = KERNEL(load_part)(b->phase_re + at), sine = KERNEL(load_part)(b->phase_im + at);
    KERNEL(lane_mask) steady = KERNEL(find_steady)(b, power, at);
    lane_part step = KERNEL(load_part)(b->step_size + at);
    KERNEL(store_lanes)(b->step_re + at, KERNEL(pick_floats)(steady, step * (error_re * cosine - error_im * sine), none));
    KERNEL(store_lanes)(b->step_im + at, KERNEL(pick_floats)(steady, step * (error_re * sine + error_im * cosine), none));
    KERNEL(steer_part)(b, steady, at);
    KERNEL(store_lanes)(b->block_power + at, KERNEL(load_part)(b->block_power + at) + power);
    lane_part error = error_re * error_re + error_im * error_im;
    KERNEL(store_lanes)(b->block_error + at, KERNEL(load_part)(b->block_error + at) + error);
}

/* When the first lane's level is judged. */
static void KERNEL(plan_judgement)(struct KERNEL(block) *b)
{
    b->judged = 0;
    b->to_judge = INT32_MAX;
    for (int l = 0; l < BANK_LANES; l++)
        b->to_judge = b->left[l] < b->to_judge ? b->left[l] : b->to_judge;
}

/* KERNEL(judge_level) of the lanes whose blocks are full; one bit for each that has ended. Others are not looked at: what
 * is theirs alone lies far apart. */
static uint32_t KERNEL(judge_lanes)(struct KERNEL(block) *b)
{
    uint32_t ended = 0;
    for (int l = 0; l < BANK_LANES; l++)
        b->left[l] -= b->judged;
    for (int l = 0; l < b->count; l++) {
        if (b->left[l] > 0)
            continue;
        struct qam_receiver *r = b->r[l];
        r->block_symbols = r->symbols_a_block - 1;
        r->block_power = b->block_power[l];
        r->block_error = b->block_error[l];
        if (KERNEL(judge_level)(r, 0.0f, 0.0f)) {
            ended |= 1u << l;
            r->ended_at = r->origin + (b->clock_before[l] >> 32) + QAM_REACH;
        }
        b->block_power[l] = r->block_power;
        b->block_error[l] = r->block_error;
        b->left[l] = r->symbols_a_block;
    }
    for (int l = b->count; l < BANK_LANES; l++)
        b->left[l] = b->left[0];
    KERNEL(plan_judgement)(b);
    return ended;
}

/* KERNEL(take_symbol) for all lanes; one bit for each whose burst has ended. */
static uint32_t KERNEL(take_symbols)(struct KERNEL(block) *b)
{
    KERNEL(make_room_lanes)(b);
    if (++b->judged == b->to_judge)
        memcpy(b->clock_before, b->clock, sizeof b->clock);
    KERNEL(take_half_lanes)(b);
    KERNEL(take_half_lanes)(b);
    KERNEL(decide_lanes)(b);
    for (int at = 0; at < BANK_LANES; at += LANE_WIDTH)
        KERNEL(follow_part)(b, at);
    for (int l = 0; l < BANK_LANES; l++)
        b->clock[l] += b->moved[l];
    KERNEL(keep_points)(b);
    KERNEL(equalise_lanes)(b, 1);
    if (b->r[0]->scrambler.guard)
        KERNEL(deliver_guarded)(b);
    else
        KERNEL(deliver_lanes)(b);
    return b->judged == b->to_judge ? KERNEL(judge_lanes)(b) : 0;
}

/* The lanes of a call, and what has become of them. */
struct KERNEL(feed) {
    const struct bank_lane *lanes;
    uint8_t *octets;
    int64_t capacity;
    struct qam_progress *progress;
};

/* Symbols that every lane has samples and room for; those of a last octet are left to the lone receiver. */
static int64_t KERNEL(symbols_at_hand)(const struct KERNEL(block) *b)
{
    int64_t span = INT64_MAX, room = INT64_MAX, longest = 2 * b->r[0]->half_step + (1ll << 30);
    for (int l = 0; l < b->count; l++) {
        int64_t own = (b->r[l]->filled - QAM_REACH + 1) * (1ll << 32) - b->clock[l], free = b->capacity - b->made[l];
        span = own < span ? own : span;
        room = free < room ? free : room;
    }
    int64_t symbols = span > 0 ? (span - 1) / longest + 1 : 0;
    return symbols < room - BANK_SPARE ? symbols : room - BANK_SPARE;
}

/* Take symbols while all lanes can; one bit for each lane that has ended. */
static uint32_t KERNEL(run_block)(struct KERNEL(block) *b)
{
    uint32_t ended = 0;
    for (int64_t symbols; !ended && (symbols = KERNEL(symbols_at_hand)(b)) > 0;)
        while (!ended && symbols-- > 0)
            ended = KERNEL(take_symbols)(b);
    return ended;
}

/* The same number of samples for every lane of the block, at most `n`; how many there was room for. */
static int64_t KERNEL(feed_block)(struct KERNEL(block) *b, const struct KERNEL(feed) *feed, const int *lane, int64_t n)
{
    for (int l = 0; l < b->count; l++) {
        struct qam_receiver *r = b->r[l];
        r->clock = b->clock[l];
        if (r->filled + n > QAM_HISTORY)
            KERNEL(forget)(r);
        b->clock[l] = r->clock;
        n = QAM_HISTORY - r->filled < n ? QAM_HISTORY - r->filled : n;
    }
    for (int l = b->count; l < BANK_LANES; l++)
        b->clock[l] = b->clock[0]; /* a clone hears what the first lane does, from where that is now */
    for (int l = 0; l < b->count; l++) {
        int64_t *used = &feed->progress[lane[l]].samples;
        const int16_t *samples = feed->lanes[lane[l]].samples + *used;
        for (int64_t i = 0; i < n; i += 32)
            __builtin_prefetch(samples + n + i); /* those that come next */
        *used += KERNEL(append)(b->r[l], samples, n);
    }
    return n;
}

/* Samples go in by so many, so that the lanes of a block stay side by side. */
enum { BANK_STRIDE = 160 };

static void KERNEL(enter_block)(struct KERNEL(block) *b, const struct KERNEL(feed) *feed, const int *lane, int count)
{
    b->count = count;
    b->head = QAM_TAPS + 2; /* the equaliser looks at the two rows above as well */
    b->column = b->recent = b->unpacked = 0;
    memset(b->sent, 0, sizeof b->sent); /* while all are in training, nothing is decided */
    b->in_training = 1; /* to look at it once */
    b->inverse_power = 1.0f / feed->lanes[lane[0]].receiver->mean_power;
    b->capacity = feed->capacity;
    for (int l = 0; l < BANK_LANES; l++) {
        int own = lane[l < count ? l : 0];
        KERNEL(enter_lane)(b, l, feed->lanes[own].receiver);
        b->octets[l] = feed->octets + own * feed->capacity;
        b->made[l] = feed->progress[own].octets;
    }
    KERNEL(enter_equalisers)(b);
    if (b->r[0]->trellis)
        KERNEL(enter_trellis)(b);
    KERNEL(plan_judgement)(b);
    KERNEL(equalise_lanes)(b, 0);
}

static void KERNEL(leave_block)(struct KERNEL(block) *b, const struct KERNEL(feed) *feed, const int *lane, uint32_t ended)
{
    KERNEL(unpack_octets)(b);
    KERNEL(hand_points_over)(b);
    KERNEL(leave_equalisers)(b);
    if (b->r[0]->trellis)
        KERNEL(copy_paths)(b);
    for (int l = 0; l < b->count; l++) {
        KERNEL(leave_lane)(b, l);
        feed->progress[lane[l]].octets = b->made[l];
        if (ended >> l & 1) {
            KERNEL(end_burst)(b->r[l]);
            feed->progress[lane[l]].event = QAM_ENDED;
        }
    }
}

static int64_t KERNEL(samples_left)(const struct KERNEL(feed) *feed, int64_t lane)
{
    return feed->lanes[lane].n - feed->progress[lane].samples;
}

/* Run up to sixteen lanes until one of them has ended, is full, or has taken all its samples. */
static void KERNEL(receive_block)(const struct qam_tables *t, const struct KERNEL(feed) *feed, const int *lane, int count)
{
    struct KERNEL(block) b;
    int64_t left = INT64_MAX, part = 1;
    uint32_t ended = 0;
    b.t = t;
    KERNEL(enter_block)(&b, feed, lane, count);
    for (int l = 0; l < count; l++) {
        int64_t still = KERNEL(samples_left)(feed, lane[l]);
        left = still < left ? still : left;
    }
    for (; !ended && left > 0 && part > 0; left -= part) {
        part = KERNEL(feed_block)(&b, feed, lane, left < BANK_STRIDE ? left : BANK_STRIDE);
        ended = KERNEL(run_block)(&b);
    }
    KERNEL(leave_block)(&b, feed, lane, ended);
}

/* A block pays from so many lanes and so many samples on. */
enum { BANK_WORTH_LANES = 8, BANK_WORTH_SAMPLES = 40 };

/* Whether a lane has data, and enough samples to come. */
static int KERNEL(is_worth)(const struct KERNEL(feed) *feed, int64_t lane)
{
    const struct qam_progress *done = feed->progress + lane;
    return done->event == QAM_NOTHING && done->octets + BANK_SPARE < feed->capacity
           && KERNEL(samples_left)(feed, lane) >= BANK_WORTH_SAMPLES && feed->lanes[lane].receiver->stage == QAM_DATA;
}

/* Up to sixteen lanes that are worth it, of those from `first` on. */
static int KERNEL(gather_lanes)(const struct KERNEL(feed) *feed, int64_t lanes, int64_t first, int *lane)
{
    int count = 0;
    for (int64_t i = first; i < lanes && count < BANK_LANES; i++)
        if (KERNEL(is_worth)(feed, i))
            lane[count++] = (int)i;
    return count;
}

/* One lane alone, through all that is left. */
static void KERNEL(receive_lane)(const struct qam_tables *t, const struct KERNEL(feed) *feed, int64_t lane)
{
    struct qam_progress *done = feed->progress + lane;
    if (done->event != QAM_NOTHING)
        return;
    struct qam_progress more = KERNEL(qam_receive)(
        feed->lanes[lane].receiver, t, feed->lanes[lane].samples + done->samples, KERNEL(samples_left)(feed, lane),
        feed->octets + lane * feed->capacity + done->octets, feed->capacity - done->octets);
    done->samples += more.samples;
    done->octets += more.octets;
    done->event = more.event;
}

void KERNEL(bank_receive)(const struct bank_lane *lanes, int64_t count, const struct qam_tables *tables,
                          uint8_t *octets, int64_t capacity,
                          struct qam_progress *progress)
{
    struct KERNEL(feed) feed = {lanes, octets, capacity, progress};
    int lane[BANK_LANES], gathered;
    int64_t first = 0;
    /* Where a lane has ended or has no more, the others of its block go on with those that follow. */
    while (gathered = KERNEL(gather_lanes)(&feed, count, first, lane), gathered >= BANK_WORTH_LANES) {
        first = lane[0];
        KERNEL(receive_block)(tables, &feed, lane, gathered);
    }
    for (int64_t i = 0; i < count; i++)
        KERNEL(receive_lane)(tables, &feed, i);
}
