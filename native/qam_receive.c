/* Reception: hunt for the lines of a training's alternations, collect what the owner acquires on, decode the data. */
#include "qam.h"
#include "qam_lanes.h"

/* Energy of one line in a block: 2 / QAM_BLOCK times the squared correlation. */
static float KERNEL(line_energy)(const float *block, const float *line)
{
    float re = KERNEL(dot)(block, line, QAM_BLOCK), im = KERNEL(dot)(block, line + QAM_BLOCK, QAM_BLOCK);
    return (re * re + im * im) * (2.0f / QAM_BLOCK);
}

/* A block's energy without direct current and hum: gateways and mains add more than a signal at -43 dBm0 has. */
static float KERNEL(energy_of)(const float *block, const float *slow, float floor)
{
    float energy = KERNEL(dot)(block, block, QAM_BLOCK), rest = energy;
    for (int i = 0; energy > floor && i < QAM_SLOW; i++) {
        float part = KERNEL(dot)(block, slow + i * QAM_BLOCK, QAM_BLOCK);
        rest -= part * part;
    }
    return rest;
}

/* The alternations of a training put all power into three lines, two of them at the band's edges. That holds at any
 * level and above any noise floor; speech, tones and V.21 never look so. */
static int KERNEL(looks_like_alternations)(const struct qam_receiver *r, const float *lines, const float *block, float energy)
{
    if (energy <= r->energy_floor)
        return 0;
    float carrier = KERNEL(line_energy)(block, lines);
    float edges = KERNEL(line_energy)(block, lines + 2 * QAM_BLOCK) + KERNEL(line_energy)(block, lines + 4 * QAM_BLOCK);
    return edges > r->edge_share * energy && carrier + edges > r->line_share * energy;
}

static int KERNEL(lost_burst_ended)(struct qam_receiver *r, float energy)
{
    if (r->lost_energy == 0.0f)
        return 0;
    r->quiet_blocks = energy < r->loss_ratio * r->lost_energy ? r->quiet_blocks + 1 : 0;
    if (r->quiet_blocks < 3)
        return 0;
    r->lost_energy = 0.0f;
    r->quiet_blocks = 0;
    return 1;
}

static int KERNEL(hunt)(struct qam_receiver *r, const float *lines)
{
    while (r->scan + QAM_BLOCK <= r->filled) {
        float block[QAM_BLOCK];
        for (int i = 0; i < QAM_BLOCK; i++)
            block[i] = r->history[r->scan + i];
        float energy = KERNEL(energy_of)(block, lines + 2 * QAM_LINES * QAM_BLOCK, r->energy_floor);
        int hit = KERNEL(looks_like_alternations)(r, lines, block, energy);
        r->hits = hit ? r->hits + 1 : 0;
        r->scan += QAM_BLOCK;
        if (r->hits == 2) {
            r->trigger = r->scan - 2 * QAM_BLOCK;
            r->hits = 0;
            r->stage = QAM_COLLECTING;
            return QAM_NOTHING;
        }
        if (KERNEL(lost_burst_ended)(r, energy))
            return QAM_LOST;
    }
    return QAM_NOTHING;
}

/* A matched-filter output that begins at `clock` (2^-32 samples from `samples`), straight from the passband. */
static void KERNEL(matched)(const int16_t *samples, const int16_t *bank, int64_t clock, float *re, float *im)
{
    int64_t place = clock + (1ll << (31 - QAM_PHASE_BITS));
    const int16_t *window = samples + (place >> 32);
    const int16_t *row = bank + (place >> (32 - QAM_PHASE_BITS) & (QAM_PHASES - 1)) * (2 * QAM_FRONT);
    struct filter_sums sums = KERNEL(multiply_filter)(window, row);
    *re = (float)(int32_t)((sums.re[0] + sums.re[2]) + (sums.re[1] + sums.re[3]));
    *im = (float)(int32_t)((sums.im[0] + sums.im[2]) + (sums.im[1] + sums.im[3]));
}

static void KERNEL(take_half)(struct qam_receiver *r, const int16_t *bank)
{
    KERNEL(matched)(r->history, bank, r->clock, r->delay_re + r->delay_head, r->delay_im + r->delay_head);
    r->delay_head++;
    r->clock += r->half_step;
}

static void KERNEL(make_room)(struct qam_receiver *r)
{
    if (r->delay_head + 2 <= QAM_DELAY)
        return;
    memmove(r->delay_re, r->delay_re + r->delay_head - QAM_TAPS, QAM_TAPS * sizeof(float));
    memmove(r->delay_im, r->delay_im + r->delay_head - QAM_TAPS, QAM_TAPS * sizeof(float));
    r->delay_head = QAM_TAPS;
}

/* Lane by lane a * x + sign * b * y, then the sum. */
static float KERNEL(dot_pair)(const float *a, const float *x, const float *b, const float *y, float sign)
{
    lanes sum;
    for (int i = 0; i < QAM_TAPS; i += 16) {
        for (int p = 0; p < LANE_PARTS; p++) {
            int at = i + p * LANE_WIDTH;
            lane_part both = KERNEL(load_part)(a + at) * KERNEL(load_part)(x + at)
                             + sign * (KERNEL(load_part)(b + at) * KERNEL(load_part)(y + at));
            sum.part[p] = i ? sum.part[p] + both : both;
        }
    }
    return KERNEL(sum_lanes)(&sum);
}

static void KERNEL(adapt)(struct qam_receiver *r, const float *y_re, const float *y_im, float re, float im)
{
    for (int i = 0; i < QAM_TAPS; i += LANE_WIDTH) {
        lane_part a = KERNEL(load_part)(y_re + i), b = KERNEL(load_part)(y_im + i);
        lane_part taps_re = KERNEL(load_part)(r->taps_re + i) + (re * a + im * b);
        lane_part taps_im = KERNEL(load_part)(r->taps_im + i) + (im * a - re * b);
        memcpy(r->taps_re + i, &taps_re, sizeof taps_re);
        memcpy(r->taps_im + i, &taps_im, sizeof taps_im);
    }
}

/* The nearest point: distances as integers with the point's number in the low eight bits, so one minimum finds it. */
static uint32_t KERNEL(nearest)(const float *points, int n, float re, float im)
{
    int32_t best = INT32_MAX;
    KERNEL(lane_ints) least = (KERNEL(lane_ints)){0} + INT32_MAX, number;
    for (int p = 0; p < LANE_WIDTH; p++)
        number[p] = p;
    for (int i = 0; i < n; i += LANE_WIDTH, number += LANE_WIDTH) {
        lane_part dx = KERNEL(load_part)(points + i) - re, dy = KERNEL(load_part)(points + n + i) - im;
        lane_part distance = dx * dx + dy * dy;
        least = KERNEL(lesser)(((KERNEL(lane_ints))distance & ~255) | number, least);
    }
    for (int p = 0; p < LANE_WIDTH; p++)
        best = least[p] < best ? least[p] : best;
    return (uint32_t)best & 255;
}

/* Decode a point, descramble its group and add it to the octets; 1 where an octet became full. */
static int KERNEL(deliver)(struct qam_receiver *r, const uint8_t *groups, uint32_t point, uint8_t *octet)
{
    uint32_t group = groups[r->state * (uint32_t)r->points + point];
    uint32_t plain = KERNEL(descramble)(&r->scrambler, group, r->bits);
    r->state = point >> r->state_shift & (uint32_t)(r->states - 1);
    if (r->skip > 0) {
        r->skip -= r->bits;
        return 0;
    }
    r->pending = r->pending << r->bits | plain;
    r->pending_bits += r->bits;
    if (r->pending_bits < 8)
        return 0;
    r->pending_bits -= 8;
    *octet = KERNEL(reversed)(r->pending >> r->pending_bits & 255);
    return 1;
}

/* Multiply (re, im) by (1 + j angle) times (by_re, by_im), and pull the length back to one. */
static void KERNEL(turn)(float *re, float *im, float by_re, float by_im, float angle)
{
    float a = by_re - angle * by_im, b = by_im + angle * by_re;
    float x = *re * a - *im * b, y = *re * b + *im * a;
    float length = 1.5f - 0.5f * (x * x + y * y);
    *re = x * length;
    *im = y * length;
}

/* Also what is not a number is inside the limits: the clock is made of it. */
static float KERNEL(clamped)(float value, float limit)
{
    return value > -limit ? (value < limit ? value : limit) : -limit;
}

/* Carrier loop and timing loop (Mueller and Muller: blind to its own data, so quiet on a clean line). */
static void KERNEL(steer)(struct qam_receiver *r, float re, float im, float point_re, float point_im, int steady)
{
    float angle = 0.0f, move = 0.0f, inverse_power = 1.0f / r->mean_power;
    if (steady) {
        angle = (im * point_re - re * point_im) * inverse_power;
        float early = re * r->last_point_re + im * r->last_point_im - r->last_re * point_re - r->last_im * point_im;
        early = KERNEL(clamped)(early * inverse_power, 4.0f);
        r->drift = KERNEL(clamped)(r->drift + r->timing_pull * early, r->drift_limit);
        move = r->timing_gain * early;
    }
    r->clock += (int32_t)((move + r->drift) * 4294967296.0f);
    KERNEL(turn)(&r->turn_re, &r->turn_im, 1.0f, 0.0f, r->carrier_pull * angle);
    KERNEL(turn)(&r->phase_re, &r->phase_im, r->turn_re, r->turn_im, r->carrier_gain * angle + r->carrier_step * move);
    r->last_re = re;
    r->last_im = im;
    r->last_point_re = point_re;
    r->last_point_im = point_im;
}

/* Judge the level by blocks. Errors count one block late, so that the end of a burst does not spoil its quality.
 * 1 where the burst has ended, or where its decisions have not fitted for some blocks: samples were inserted or dropped,
 * or the noise is too much. */
static int KERNEL(judge_level)(struct qam_receiver *r, float power, float error)
{
    r->block_power += power;
    r->block_error += error;
    if (++r->block_symbols < r->symbols_a_block)
        return 0;
    int low = r->block_power < r->loss_ratio * r->mean_power * (float)r->symbols_a_block;
    if (!low) {
        r->error += r->held_error;
        r->errors_counted += r->held_error > 0 ? r->symbols_a_block : 0;
        r->held_error = r->block_error;
    }
    r->low_run = low ? r->low_run + 1 : 0;
    int adrift = !low && r->block_error > r->adrift_error;
    r->adrift_run += adrift || r->adrift_run < 0 ? 1 : r->adrift_run > 0 ? -1 : 0;
    r->block_power = r->block_error = 0;
    r->block_symbols = 0;
    return r->low_run == r->low_blocks || r->adrift_run == r->adrift_blocks;
}

/* In a pause, and while noise far above the signal is in the equaliser (one step on it would be its end), the loops
 * hold still. */
static int KERNEL(is_steady)(struct qam_receiver *r, float power)
{
    float re = r->delay_re[r->delay_head - 1], im = r->delay_im[r->delay_head - 1];
    if (re * re + im * im > r->loud)
        r->hold = QAM_TAPS / 2 + 1;
    else if (r->hold > 0)
        r->hold--;
    return r->hold == 0 && r->power > 0.3f * r->mean_power && power < 8.0f * r->mean_power;
}

/* What was sent, for the loops, and what it brings: known in training, else the nearest point or the trellis's word. */
static int KERNEL(decide)(struct qam_receiver *r, const struct qam_tables *t, float re, float im, float *point_re,
                          float *point_im, uint8_t *octet)
{
    if (r->training_left > 0) {
        const float *known = t->training + 2 * (t->training_points - r->training_left--);
        *point_re = known[0];
        *point_im = known[1];
        return 0;
    }
    uint32_t sent, now = r->trellis ? KERNEL(viterbi)(r, t, re, im, &sent) : KERNEL(nearest)(t->points, r->points, re, im);
    *point_re = t->points[now];
    *point_im = t->points[r->points + now];
    return KERNEL(deliver)(r, t->groups, r->trellis ? sent : now, octet);
}

static int KERNEL(take_symbol)(struct qam_receiver *r, const struct qam_tables *t, uint8_t *octet, int *full)
{
    KERNEL(make_room)(r);
    const float *y_re = r->delay_re + r->delay_head - QAM_TAPS, *y_im = r->delay_im + r->delay_head - QAM_TAPS;
    float z_re = KERNEL(dot_pair)(r->taps_re, y_re, r->taps_im, y_im, -1.0f);
    float z_im = KERNEL(dot_pair)(r->taps_re, y_im, r->taps_im, y_re, 1.0f);
    /* The next symbol's samples already: so they need not wait for what this one says about timing. */
    KERNEL(take_half)(r, t->bank);
    KERNEL(take_half)(r, t->bank);
    float re = z_re * r->phase_re + z_im * r->phase_im, im = z_im * r->phase_re - z_re * r->phase_im;
    float point_re, point_im;
    *full = KERNEL(decide)(r, t, re, im, &point_re, &point_im, octet);
    float error_re = point_re - re, error_im = point_im - im, power = re * re + im * im;
    r->power += 0.125f * (power - r->power);
    int steady = KERNEL(is_steady)(r, power);
    if (steady) {
        float step = r->step_size;
        KERNEL(adapt)(r, y_re, y_im, step * (error_re * r->phase_re - error_im * r->phase_im),
                      step * (error_re * r->phase_im + error_im * r->phase_re));
    }
    KERNEL(steer)(r, re, im, point_re, point_im, steady);
    int64_t recent = r->symbols++ & (QAM_RECENT - 1);
    r->recent_re[recent] = re;
    r->recent_im[recent] = im;
    return KERNEL(judge_level)(r, power, error_re * error_re + error_im * error_im);
}

/* Hunt on from where the data ended. */
static void KERNEL(end_burst)(struct qam_receiver *r)
{
    r->stage = QAM_HUNTING;
    r->scan = r->clock >> 32;
    r->hits = 0;
}

/* Samples that a symbol needs behind the clock: two half symbols, the matched filter, and room for the timing loop. */
enum { QAM_REACH = QAM_FRONT + 24 };

static int KERNEL(decode)(struct qam_receiver *r, const struct qam_tables *t, uint8_t *octets, int64_t capacity, int64_t *made)
{
    while ((r->clock >> 32) + QAM_REACH <= r->filled && *made < capacity) {
        int full;
        int64_t known_at = r->origin + (r->clock >> 32) + QAM_REACH;
        int ended = KERNEL(take_symbol)(r, t, octets + *made, &full);
        *made += full;
        if (ended) {
            KERNEL(end_burst)(r);
            r->ended_at = known_at;
            return QAM_ENDED;
        }
    }
    return QAM_NOTHING;
}

/* The oldest sample still needed: an acquisition looks back `kept` samples, also one that follows on the data at once. */
static int64_t KERNEL(oldest)(const struct qam_receiver *r)
{
    switch (r->stage) {
    case QAM_DATA: return (r->clock >> 32) - r->kept;
    case QAM_HUNTING: return r->scan - QAM_BLOCK - r->kept;
    default: return r->trigger - r->kept;
    }
}

/* Drop what is no longer needed; what counts from history[0] in this stage moves with it. */
static void KERNEL(forget)(struct qam_receiver *r)
{
    int64_t oldest = KERNEL(oldest)(r);
    if (oldest <= 0)
        return;
    r->filled -= oldest;
    memmove(r->history, r->history + oldest, (size_t)r->filled * sizeof *r->history);
    r->origin += oldest;
    if (r->stage == QAM_DATA)
        r->clock -= oldest << 32;
    else if (r->stage == QAM_HUNTING)
        r->scan -= oldest;
    else
        r->trigger -= oldest;
}

static int64_t KERNEL(append)(struct qam_receiver *r, const int16_t *restrict samples, int64_t n)
{
    if (n > 0 && r->filled == QAM_HISTORY)
        KERNEL(forget)(r);
    int64_t room = QAM_HISTORY - r->filled;
    n = n < room ? n : room;
    int16_t *restrict to = r->history + r->filled;
    for (int64_t i = 0; i < n; i++) {
        int16_t cut = samples[i] >= QAM_SCALE_END ? QAM_CUT / 2 : samples[i] <= -QAM_SCALE_END ? -QAM_CUT / 2 : 0;
        to[i] = (int16_t)((samples[i] >> 1) + cut);
    }
    r->filled += n;
    return n;
}

static int KERNEL(advance)(struct qam_receiver *r, const struct qam_tables *t, uint8_t *octets, int64_t capacity, int64_t *made)
{
    if (r->stage == QAM_HUNTING) {
        int event = KERNEL(hunt)(r, t->lines);
        if (event != QAM_NOTHING)
            return event;
    }
    if (r->stage == QAM_COLLECTING && r->trigger + r->collected <= r->filled)
        r->stage = QAM_ACQUIRING;
    if (r->stage == QAM_ACQUIRING)
        return QAM_ACQUIRE;
    return r->stage == QAM_DATA ? KERNEL(decode)(r, t, octets, capacity, made) : QAM_NOTHING;
}

struct qam_progress KERNEL(qam_receive)(struct qam_receiver *r, const struct qam_tables *t, const int16_t *samples,
                                        int64_t n, uint8_t *octets, int64_t capacity)
{
    struct qam_progress done = {0, 0, QAM_NOTHING};
    for (;;) {
        done.event = KERNEL(advance)(r, t, octets, capacity, &done.octets);
        if (done.event != QAM_NOTHING || done.octets == capacity || done.samples == n)
            return done;
        done.samples += KERNEL(append)(r, samples + done.samples, n - done.samples);
    }
}
