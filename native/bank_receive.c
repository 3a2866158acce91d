/* Reception in a bank: a lane that hunts or trains runs alone (qam_receive.c); lanes that have data run their symbols in
 * blocks of sixteen (bank_lanes.c). */
#include "bank.h"

/* KERNEL(turn) for all lanes. */
LANE_INLINE void KERNEL(turn_lanes)(double *re, double *im, const double *by_re, const double *by_im, const double *angle)
{
    for (int l = 0; l < BANK_LANES; l++) {
        double a = by_re[l] - angle[l] * by_im[l], c = by_im[l] + angle[l] * by_re[l];
        double x = re[l] * a - im[l] * c, y = re[l] * c + im[l] * a;
        double length = 1.5 - 0.5 * (x * x + y * y);
        re[l] = x * length;
        im[l] = y * length;
    }
}

/* KERNEL(is_steady) for all lanes; how many are. */
static int KERNEL(find_steady)(struct KERNEL(block) *b, const double *power, int32_t *steady)
{
    double mean_power = b->r[0]->mean_power;
    const float *last_re = b->delay_re[b->head - 1], *last_im = b->delay_im[b->head - 1];
    int count = 0;
    for (int l = 0; l < BANK_LANES; l++) {
        int32_t loud = last_re[l] * last_re[l] + last_im[l] * last_im[l] > b->loud[l];
        int32_t hold = b->hold[l] - (b->hold[l] > 0);
        b->hold[l] = loud ? QAM_TAPS / 2 + 1 : hold > 0 ? hold : 0;
    }
    for (int l = 0; l < BANK_LANES; l++) {
        steady[l] = (b->hold[l] == 0) & (b->power[l] > 0.3 * mean_power) & (power[l] < 8.0 * mean_power);
        count += steady[l];
    }
    return count;
}

/* KERNEL(steer) for all lanes. */
static void KERNEL(steer_lanes)(struct KERNEL(block) *b, const int32_t *steady)
{
    const struct qam_receiver *r = b->r[0];
    double angle[BANK_LANES], move[BANK_LANES], one[BANK_LANES], none[BANK_LANES], pull[BANK_LANES], gain[BANK_LANES];
    for (int l = 0; l < BANK_LANES; l++) {
        double turned = (b->im[l] * b->point_re[l] - b->re[l] * b->point_im[l]) * b->inverse_power;
        double early = b->re[l] * b->last_point_re[l] + b->im[l] * b->last_point_im[l] - b->last_re[l] * b->point_re[l]
                       - b->last_im[l] * b->point_im[l];
        early *= b->inverse_power;
        early = early > -4.0 ? (early < 4.0 ? early : 4.0) : -4.0;
        double drift = b->drift[l] + r->timing_pull * early, limit = r->drift_limit;
        drift = drift > -limit ? (drift < limit ? drift : limit) : -limit;
        b->drift[l] = steady[l] ? drift : b->drift[l];
        angle[l] = steady[l] ? turned : 0.0;
        move[l] = steady[l] ? r->timing_gain * early : 0.0;
        b->clock[l] += (int64_t)((move[l] + b->drift[l]) * 4294967296.0);
        one[l] = 1.0;
        none[l] = 0.0;
        pull[l] = r->carrier_pull * angle[l];
        gain[l] = r->carrier_gain * angle[l] + r->carrier_step * move[l];
    }
    KERNEL(turn_lanes)(b->turn_re, b->turn_im, one, none, pull);
    KERNEL(turn_lanes)(b->phase_re, b->phase_im, b->turn_re, b->turn_im, gain);
    memcpy(b->last_re, b->re, sizeof b->re);
    memcpy(b->last_im, b->im, sizeof b->im);
    memcpy(b->last_point_re, b->point_re, sizeof b->point_re);
    memcpy(b->last_point_im, b->point_im, sizeof b->point_im);
}

/* KERNEL(judge_level) of one lane whose block is full; 1 where the burst has ended. */
static int KERNEL(judge_lane)(struct KERNEL(block) *b, int l)
{
    struct qam_receiver *r = b->r[l];
    r->block_power = b->block_power[l];
    r->block_error = b->block_error[l];
    r->block_symbols = b->block_symbols[l] - 1;
    int ended = KERNEL(judge_level)(r, 0.0, 0.0);
    b->block_power[l] = r->block_power;
    b->block_error[l] = r->block_error;
    b->block_symbols[l] = r->block_symbols;
    return ended;
}

/* The levels of all lanes; one bit for each that has ended. */
static uint32_t KERNEL(judge_lanes)(struct KERNEL(block) *b, const double *power, const double *error)
{
    int32_t full[BANK_LANES], any = 0;
    uint32_t ended = 0;
    for (int l = 0; l < BANK_LANES; l++) {
        b->block_power[l] += power[l];
        b->block_error[l] += error[l];
        b->block_symbols[l]++;
        full[l] = b->block_symbols[l] >= b->r[0]->symbols_a_block;
        any |= full[l];
    }
    for (int l = 0; any && l < b->count; l++)
        if (full[l] && KERNEL(judge_lane)(b, l))
            ended |= 1u << l;
    return ended;
}

/* KERNEL(take_symbol) for all lanes; one bit for each whose burst has ended. */
static uint32_t KERNEL(take_symbols)(struct KERNEL(block) *b)
{
    float z_re[BANK_LANES], z_im[BANK_LANES], step_re[BANK_LANES], step_im[BANK_LANES];
    double power[BANK_LANES], error[BANK_LANES];
    int32_t steady[BANK_LANES];
    KERNEL(make_room_lanes)(b);
    int window = b->head - QAM_TAPS;
    KERNEL(equalise_lanes)(b, z_re, z_im);
    KERNEL(take_half_lanes)(b);
    KERNEL(take_half_lanes)(b);
    for (int l = 0; l < BANK_LANES; l++) {
        b->re[l] = z_re[l] * b->phase_re[l] + z_im[l] * b->phase_im[l];
        b->im[l] = z_im[l] * b->phase_re[l] - z_re[l] * b->phase_im[l];
    }
    KERNEL(decide_lanes)(b);
    for (int l = 0; l < BANK_LANES; l++) {
        power[l] = b->re[l] * b->re[l] + b->im[l] * b->im[l];
        b->power[l] += 0.125 * (power[l] - b->power[l]);
    }
    int count = KERNEL(find_steady)(b, power, steady);
    for (int l = 0; l < BANK_LANES; l++) {
        double error_re = b->point_re[l] - b->re[l], error_im = b->point_im[l] - b->im[l];
        double step = steady[l] ? b->step_size[l] : 0.0f;
        error[l] = error_re * error_re + error_im * error_im;
        step_re[l] = (float)(step * (error_re * b->phase_re[l] - error_im * b->phase_im[l]));
        step_im[l] = (float)(step * (error_re * b->phase_im[l] + error_im * b->phase_re[l]));
    }
    /* What takes long to come out first: the rest fills the gaps. */
    KERNEL(steer_lanes)(b, steady);
    if (count)
        KERNEL(adapt_lanes)(b, window, step_re, step_im);
    const int32_t *sent = b->r[0]->trellis ? b->sent : b->now;
    if (b->r[0]->scrambler.guard)
        KERNEL(deliver_guarded)(b, sent);
    else
        KERNEL(deliver_lanes)(b, sent);
    KERNEL(keep_points)(b);
    return KERNEL(judge_lanes)(b, power, error);
}

/* The lanes of a call, and what has become of them. */
struct KERNEL(feed) {
    const struct bank_lane *lanes;
    uint8_t *octets;
    int64_t capacity;
    struct qam_progress *progress;
};

/* Whether every lane has the samples of a symbol and room for its octet. */
static int KERNEL(all_ready)(const struct KERNEL(block) *b)
{
    int ready = 1;
    for (int l = 0; l < b->count; l++)
        ready &= (b->clock[l] < b->limit[l]) & (b->octets[l] < b->octets_end[l]);
    return ready;
}

/* Take symbols while all lanes can; one bit for each lane that has ended. */
static uint32_t KERNEL(run_block)(struct KERNEL(block) *b)
{
    uint32_t ended = 0;
    for (int l = 0; l < b->count; l++)
        b->limit[l] = (b->r[l]->filled - QAM_REACH + 1) * (1ll << 32);
    while (!ended && KERNEL(all_ready)(b)) {
        int64_t clock[BANK_LANES];
        memcpy(clock, b->clock, sizeof clock);
        ended = KERNEL(take_symbols)(b);
        for (int l = 0; ended >> l; l++)
            if (ended >> l & 1)
                b->r[l]->ended_at = b->r[l]->origin + (clock[l] >> 32) + QAM_REACH;
    }
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
    for (int l = 0; l < b->count; l++) {
        int64_t *used = &feed->progress[lane[l]].samples;
        *used += KERNEL(append)(b->r[l], feed->lanes[lane[l]].samples + *used, n);
    }
    return n;
}

/* Samples go in by so many, so that the lanes of a block stay side by side. */
enum { BANK_STRIDE = 160 };

static void KERNEL(enter_block)(struct KERNEL(block) *b, const struct KERNEL(feed) *feed, const int *lane, int count)
{
    b->count = count;
    b->head = QAM_TAPS;
    b->column = 0;
    memset(b->now, 0, sizeof b->now); /* while all are in training, nothing is decided */
    memset(b->sent, 0, sizeof b->sent);
    b->in_training = 1; /* to look at it once */
    b->inverse_power = 1.0 / feed->lanes[lane[0]].receiver->mean_power;
    for (int l = 0; l < BANK_LANES; l++)
        KERNEL(enter_lane)(b, l, feed->lanes[lane[l < count ? l : 0]].receiver);
    for (int l = 0; l < count; l++) {
        uint8_t *row = feed->octets + lane[l] * feed->capacity;
        b->octets[l] = row + feed->progress[lane[l]].octets;
        b->octets_end[l] = row + feed->capacity;
    }
}

static int64_t KERNEL(samples_left)(const struct KERNEL(feed) *feed, int64_t lane)
{
    return feed->lanes[lane].n - feed->progress[lane].samples;
}

/* Run up to sixteen lanes until one of them has ended, is full, or has taken all its samples. */
static void KERNEL(receive_block)(const struct qam_tables *t, const struct bank_places *places,
                                   const struct KERNEL(feed) *feed, const int *lane, int count)
{
    struct KERNEL(block) b;
    int64_t left = INT64_MAX, part = 1;
    b.t = t;
    b.places = places;
    KERNEL(enter_block)(&b, feed, lane, count);
    for (int l = 0; l < count; l++) {
        int64_t still = KERNEL(samples_left)(feed, lane[l]);
        left = still < left ? still : left;
    }
    uint32_t ended = 0;
    for (; !ended && left > 0 && part > 0; left -= part) {
        part = KERNEL(feed_block)(&b, feed, lane, left < BANK_STRIDE ? left : BANK_STRIDE);
        ended = KERNEL(run_block)(&b);
    }
    for (int l = 0; l < count; l++) {
        KERNEL(leave_lane)(&b, l);
        feed->progress[lane[l]].octets = feed->capacity - (b.octets_end[l] - b.octets[l]);
        if (ended >> l & 1) {
            KERNEL(end_burst)(b.r[l]);
            feed->progress[lane[l]].event = QAM_ENDED;
        }
    }
}

/* A block pays from so many lanes and so many samples on. */
enum { BANK_WORTH_LANES = 8, BANK_WORTH_SAMPLES = 40 };

/* Whether a lane has data, and enough samples to come. */
static int KERNEL(is_worth)(const struct KERNEL(feed) *feed, int64_t lane)
{
    const struct qam_progress *done = feed->progress + lane;
    return done->event == QAM_NOTHING && done->octets < feed->capacity
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
                          const struct bank_places *places, uint8_t *octets, int64_t capacity,
                          struct qam_progress *progress)
{
    struct KERNEL(feed) feed = {lanes, octets, capacity, progress};
    int lane[BANK_LANES], gathered;
    int64_t first = 0;
    /* Where a lane has ended or has no more, the others of its block go on with those that follow. */
    while (gathered = KERNEL(gather_lanes)(&feed, count, first, lane), gathered >= BANK_WORTH_LANES) {
        first = lane[0];
        KERNEL(receive_block)(tables, places, &feed, lane, gathered);
    }
    for (int64_t i = 0; i < count; i++)
        KERNEL(receive_lane)(tables, &feed, i);
}
