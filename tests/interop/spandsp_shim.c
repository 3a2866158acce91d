/* SpanDSP behind a few plain functions, so that Python needs none of its enumerations and no callback per bit.
 *
 * Only what its installed headers declare is used. A function that makes samples returns their number, or -1
 * where the buffer is too small or a name is unknown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#define TICK 160

/* --- bits in and out --- */

struct taken_bits { const uint8_t *bits; int count, next; };

static int next_bit(void *user) {
    struct taken_bits *s = user;
    return s->next < s->count ? s->bits[s->next++] : SIG_STATUS_END_OF_DATA;
}

struct heard { int8_t *out; int room, count; };

static void put_heard(void *user, int bit_or_status) {
    struct heard *s = user;
    if (s->count < s->room)
        s->out[s->count++] = (int8_t)bit_or_status;
}

/* --- modems for data --- */

#define DRAIN(call)                                      \
    do {                                                 \
        for (;;) {                                       \
            if (made + TICK > room) { made = -1; break; } \
            int n = (call);                              \
            made += n;                                   \
            if (n < TICK) break;                         \
        }                                                \
    } while (0)

int peer_modulate(const char *modem, int bit_rate, int tep, int short_train, float level, const uint8_t *bits,
                  int count, int16_t *out, int room) {
    struct taken_bits source = {bits, count, 0};
    int made = 0;
    if (!strcmp(modem, "v29")) {
        v29_tx_state_t *s = v29_tx_init(NULL, bit_rate, tep, next_bit, &source);
        if (!s) return -1;
        v29_tx_power(s, level);
        DRAIN(v29_tx(s, out + made, TICK));
        v29_tx_free(s);
    } else if (!strcmp(modem, "v27ter")) {
        v27ter_tx_state_t *s = v27ter_tx_init(NULL, bit_rate, tep, next_bit, &source);
        if (!s) return -1;
        v27ter_tx_power(s, level);
        DRAIN(v27ter_tx(s, out + made, TICK));
        v27ter_tx_free(s);
    } else if (!strcmp(modem, "v17")) {
        v17_tx_state_t *s = v17_tx_init(NULL, bit_rate, tep, next_bit, &source);
        if (!s) return -1;
        if (short_train)
            v17_tx_restart(s, bit_rate, tep, TRUE);
        v17_tx_power(s, level);
        DRAIN(v17_tx(s, out + made, TICK));
        v17_tx_free(s);
    } else {
        return -1;
    }
    return made;
}

/* What was heard in order: 0 and 1 are bits, negative numbers are SpanDSP's signal statuses. */
int peer_demodulate(const char *modem, int bit_rate, float cutoff, const int16_t *samples, int count, int8_t *out,
                    int room) {
    struct heard sink = {out, room, 0};
    if (!strcmp(modem, "v29")) {
        v29_rx_state_t *s = v29_rx_init(NULL, bit_rate, put_heard, &sink);
        if (!s) return -1;
        v29_rx_set_modem_status_handler(s, put_heard, &sink);
        v29_rx_signal_cutoff(s, cutoff);
        v29_rx(s, samples, count);
        v29_rx_free(s);
    } else if (!strcmp(modem, "v27ter")) {
        v27ter_rx_state_t *s = v27ter_rx_init(NULL, bit_rate, put_heard, &sink);
        if (!s) return -1;
        v27ter_rx_set_modem_status_handler(s, put_heard, &sink);
        v27ter_rx_signal_cutoff(s, cutoff);
        v27ter_rx(s, samples, count);
        v27ter_rx_free(s);
    } else if (!strcmp(modem, "v17")) {
        v17_rx_state_t *s = v17_rx_init(NULL, bit_rate, put_heard, &sink);
        if (!s) return -1;
        v17_rx_set_modem_status_handler(s, put_heard, &sink);
        v17_rx_signal_cutoff(s, cutoff);
        v17_rx(s, samples, count);
        v17_rx_free(s);
    } else {
        return -1;
    }
    return sink.count;
}

/* A V.17 burst of short training after one of long training; only what was heard of the second. */
int peer_v17_demodulate_short(int bit_rate, float cutoff, const int16_t *first, int first_count,
                              const int16_t *samples, int count, int8_t *out, int room) {
    struct heard sink = {out, room, 0};
    v17_rx_state_t *s = v17_rx_init(NULL, bit_rate, put_heard, &sink);
    if (!s) return -1;
    v17_rx_set_modem_status_handler(s, put_heard, &sink);
    v17_rx_signal_cutoff(s, cutoff);
    v17_rx(s, first, first_count);
    sink.count = 0;
    v17_rx_restart(s, bit_rate, TRUE);
    v17_rx(s, samples, count);
    v17_rx_free(s);
    return sink.count;
}

/* --- V.21 channel 2: bits, and HDLC frames --- */

int peer_fsk_modulate(float level, const uint8_t *bits, int count, int16_t *out, int room) {
    struct taken_bits source = {bits, count, 0};
    int made = 0;
    fsk_tx_state_t *s = fsk_tx_init(NULL, &preset_fsk_specs[FSK_V21CH2], next_bit, &source);
    fsk_tx_power(s, level);
    DRAIN(fsk_tx(s, out + made, TICK));
    fsk_tx_free(s);
    return made;
}

int peer_fsk_demodulate(float cutoff, const int16_t *samples, int count, int8_t *out, int room) {
    struct heard sink = {out, room, 0};
    fsk_rx_state_t *s = fsk_rx_init(NULL, &preset_fsk_specs[FSK_V21CH2], FSK_FRAME_MODE_SYNC, put_heard, &sink);
    fsk_rx_set_modem_status_handler(s, put_heard, &sink);
    fsk_rx_signal_cutoff(s, cutoff);
    fsk_rx(s, samples, count);
    fsk_rx_free(s);
    return sink.count;
}

struct frames { hdlc_tx_state_t *hdlc; const uint8_t *octets; const int *lengths; int count, next; };

static void next_frame(void *user) {
    struct frames *s = user;
    if (s->next < s->count) {
        hdlc_tx_frame(s->hdlc, s->octets, (size_t)s->lengths[s->next]);
        s->octets += s->lengths[s->next++];
    } else {
        hdlc_tx_frame(s->hdlc, NULL, 0); /* the end, after its last flags */
    }
}

static int hdlc_bit(void *user) { return hdlc_tx_get_bit(user); }

int peer_hdlc_modulate(int preamble_flags, float level, const uint8_t *octets, const int *lengths, int count,
                       int16_t *out, int room) {
    struct frames frames = {NULL, octets, lengths, count, 0};
    int made = 0;
    frames.hdlc = hdlc_tx_init(NULL, FALSE, 1, FALSE, next_frame, &frames);
    fsk_tx_state_t *s = fsk_tx_init(NULL, &preset_fsk_specs[FSK_V21CH2], hdlc_bit, frames.hdlc);
    fsk_tx_power(s, level);
    hdlc_tx_flags(frames.hdlc, preamble_flags);
    DRAIN(fsk_tx(s, out + made, TICK));
    fsk_tx_free(s);
    hdlc_tx_free(frames.hdlc);
    return made;
}

typedef void (*frame_function)(int ok, const uint8_t *octets, int length);

static void put_frame(void *user, const uint8_t *octets, int length, int ok) {
    if (length >= 0)
        (*(frame_function *)user)(ok, octets, length);
}

static void hdlc_put(void *user, int bit) { hdlc_rx_put_bit(user, bit); }

void peer_hdlc_demodulate(float cutoff, const int16_t *samples, int count, frame_function frame) {
    hdlc_rx_state_t *hdlc = hdlc_rx_init(NULL, FALSE, TRUE, 5, put_frame, &frame);
    fsk_rx_state_t *s = fsk_rx_init(NULL, &preset_fsk_specs[FSK_V21CH2], FSK_FRAME_MODE_SYNC, hdlc_put, hdlc);
    fsk_rx_signal_cutoff(s, cutoff);
    fsk_rx(s, samples, count);
    fsk_rx_free(s);
    hdlc_rx_free(hdlc);
}

/* --- tones --- */

static const struct { const char *name; int tone; } tones[] = {
    {"cng", MODEM_CONNECT_TONES_FAX_CNG},
    {"ced", MODEM_CONNECT_TONES_FAX_CED},
    {"ans_pr", MODEM_CONNECT_TONES_ANS_PR},
    {"ansam", MODEM_CONNECT_TONES_ANSAM},
    {"ansam_pr", MODEM_CONNECT_TONES_ANSAM_PR},
    {"preamble", MODEM_CONNECT_TONES_FAX_PREAMBLE},
    {"ced_or_preamble", MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE},
    {"calling_tone", MODEM_CONNECT_TONES_CALLING_TONE},
};

static int tone_by_name(const char *name) {
    for (size_t i = 0; i < sizeof tones / sizeof *tones; i++)
        if (!strcmp(tones[i].name, name))
            return tones[i].tone;
    return MODEM_CONNECT_TONES_NONE;
}

const char *peer_tone_name(int tone) {
    for (size_t i = 0; i < sizeof tones / sizeof *tones; i++)
        if (tones[i].tone == tone)
            return tones[i].name;
    return tone == MODEM_CONNECT_TONES_NONE ? "none" : "other";
}

/* Samples of a tone until it ends or the buffer is full (CNG goes on for ever). */
int peer_tone(const char *name, int16_t *out, int room) {
    modem_connect_tones_tx_state_t *s = modem_connect_tones_tx_init(NULL, tone_by_name(name));
    if (!s) return -1;
    int made = 0, n = 1;
    for (; made < room && n > 0; made += n)
        n = modem_connect_tones_tx(s, out + made, room - made < TICK ? room - made : TICK);
    modem_connect_tones_tx_free(s);
    return made;
}

typedef void (*tone_function)(int tone, int level, int delay);

static void put_tone(void *user, int tone, int level, int delay) { (*(tone_function *)user)(tone, level, delay); }

int peer_hear_tone(const char *name, const int16_t *samples, int count, tone_function tone) {
    modem_connect_tones_rx_state_t *s = modem_connect_tones_rx_init(NULL, tone_by_name(name), put_tone, &tone);
    if (!s) return -1;
    modem_connect_tones_rx(s, samples, count);
    modem_connect_tones_rx_free(s);
    return 0;
}

/* --- the whole terminal --- */

struct watcher {
    void (*frame)(int incoming, const uint8_t *octets, int length);
    void (*phase)(int phase, int code);
    void (*log)(int level, const char *text);
};

struct terminal { fax_state_t *fax; struct watcher watcher; int16_t scratch[TICK]; };

static t30_state_t *t30_of(struct terminal *s) { return fax_get_t30_state(s->fax); }

static void on_frame(t30_state_t *t30, void *user, int incoming, const uint8_t *octets, int length) {
    (void)t30;
    ((struct terminal *)user)->watcher.frame(incoming, octets, length);
}

static int on_phase_b(t30_state_t *t30, void *user, int code) {
    (void)t30;
    ((struct terminal *)user)->watcher.phase('B', code);
    return T30_ERR_OK;
}

static int on_phase_d(t30_state_t *t30, void *user, int code) {
    (void)t30;
    ((struct terminal *)user)->watcher.phase('D', code);
    return T30_ERR_OK;
}

static void on_phase_e(t30_state_t *t30, void *user, int code) {
    (void)t30;
    ((struct terminal *)user)->watcher.phase('E', code);
}

static const struct { const char *name; int bit; } modems[] = {
    {"v27ter", T30_SUPPORT_V27TER}, {"v29", T30_SUPPORT_V29}, {"v17", T30_SUPPORT_V17},
}, compressions[] = {
    {"mh", T30_SUPPORT_T4_1D_COMPRESSION}, {"mr", T30_SUPPORT_T4_2D_COMPRESSION}, {"mmr", T30_SUPPORT_T6_COMPRESSION},
}, resolutions[] = {
    {"standard", T30_SUPPORT_STANDARD_RESOLUTION}, {"fine", T30_SUPPORT_FINE_RESOLUTION},
    {"superfine", T30_SUPPORT_SUPERFINE_RESOLUTION}, {"r16", T30_SUPPORT_R16_RESOLUTION},
    {"300x300", T30_SUPPORT_300_300_RESOLUTION}, {"400x400", T30_SUPPORT_400_400_RESOLUTION},
}, sizes[] = {
    {"a4", T30_SUPPORT_215MM_WIDTH}, {"b4", T30_SUPPORT_255MM_WIDTH}, {"a3", T30_SUPPORT_303MM_WIDTH},
    {"letter", T30_SUPPORT_US_LETTER_LENGTH}, {"legal", T30_SUPPORT_US_LEGAL_LENGTH},
    {"unlimited", T30_SUPPORT_UNLIMITED_LENGTH},
};

static const struct { const char *name; int (*set)(t30_state_t *, const char *); const char *(*get)(t30_state_t *); }
addresses[] = {
    {"sub_address", t30_set_tx_sub_address, t30_get_rx_sub_address},
    {"sender_id", t30_set_tx_sender_ident, t30_get_rx_sender_ident},
    {"password", t30_set_tx_password, t30_get_rx_password},
    {"polling_address", t30_set_tx_selective_polling_address, t30_get_rx_selective_polling_address},
    {"polled_sub_address", t30_set_tx_polled_sub_address, t30_get_rx_polled_sub_address},
};

/* The bits of the names that stand in `list`, a string such as " v29 v27ter ". */
#define BITS_OF(table, list, bits)                                        \
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {           \
        char word[16] = " ";                                              \
        if (strstr(list, strcat(strcat(word, table[i].name), " ")))       \
            bits |= table[i].bit;                                         \
    }

struct terminal *peer_terminal_new(int calling, const char *identity, const char *tx_tiff, const char *rx_tiff, int ecm,
                                   const char *modem_names, const char *compression_names,
                                   const char *resolution_names, const char *size_names, int minimum_scan_ms,
                                   const char *header, int tep, const struct watcher *watcher) {
    struct terminal *s = calloc(1, sizeof *s);
    int modem_bits = 0, compression_bits = 0, resolution_bits = T30_SUPPORT_R8_RESOLUTION, size_bits = 0;
    BITS_OF(modems, modem_names, modem_bits)
    BITS_OF(compressions, compression_names, compression_bits)
    BITS_OF(resolutions, resolution_names, resolution_bits)
    BITS_OF(sizes, size_names, size_bits)
    s->watcher = *watcher;
    s->fax = fax_init(NULL, calling);
    fax_set_transmit_on_idle(s->fax, TRUE);
    fax_set_tep_mode(s->fax, tep);
    t30_state_t *t30 = t30_of(s);
    t30_set_tx_ident(t30, identity);
    if (header)
        t30_set_tx_page_header_info(t30, header);
    if (tx_tiff)
        t30_set_tx_file(t30, tx_tiff, -1, -1);
    if (rx_tiff)
        t30_set_rx_file(t30, rx_tiff, -1);
    t30_set_ecm_capability(t30, ecm);
    t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
    t30_set_minimum_scan_line_time(t30, minimum_scan_ms);
    t30_set_supported_modems(t30, modem_bits);
    t30_set_supported_compressions(t30, compression_bits);
    t30_set_supported_resolutions(t30, resolution_bits);
    t30_set_supported_image_sizes(t30, size_bits);
    t30_set_supported_t30_features(t30, T30_SUPPORT_IDENTIFICATION | T30_SUPPORT_SELECTIVE_POLLING |
                                            T30_SUPPORT_POLLED_SUB_ADDRESSING | T30_SUPPORT_SUB_ADDRESSING);
    t30_set_real_time_frame_handler(t30, on_frame, s);
    t30_set_phase_b_handler(t30, on_phase_b, s);
    t30_set_phase_d_handler(t30, on_phase_d, s);
    t30_set_phase_e_handler(t30, on_phase_e, s);
    logging_state_t *log = t30_get_logging_state(t30);
    span_log_set_message_handler(log, s->watcher.log);
    span_log_set_level(log, SPAN_LOG_SHOW_PROTOCOL | SPAN_LOG_FLOW);
    return s;
}

void peer_terminal_free(struct terminal *s) {
    fax_release(s->fax);
    fax_free(s->fax);
    free(s);
}

void peer_terminal_rx(struct terminal *s, const int16_t *samples, int count) {
    while (count > 0) {
        int n = count < TICK ? count : TICK;
        memcpy(s->scratch, samples, (size_t)n * sizeof *samples);
        fax_rx(s->fax, s->scratch, n);
        samples += n;
        count -= n;
    }
}

/* Exactly `count` samples; silence where the terminal has nothing to send. */
void peer_terminal_tx(struct terminal *s, int16_t *out, int count) {
    memset(out, 0, (size_t)count * sizeof *out);
    fax_tx(s->fax, out, count);
}

int peer_terminal_active(struct terminal *s) { return t30_call_active(t30_of(s)); }

void peer_terminal_hang_up(struct terminal *s) { t30_terminate(t30_of(s)); }

/* The address that this terminal sends, or where `value` is NULL, what the far end sent. */
const char *peer_terminal_address(struct terminal *s, const char *name, const char *value) {
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        if (!strcmp(name, addresses[i].name)) {
            if (!value)
                return addresses[i].get(t30_of(s));
            return addresses[i].set(t30_of(s), value) ? NULL : value;
        }
    return NULL;
}

const char *peer_terminal_remote(struct terminal *s) { return t30_get_rx_ident(t30_of(s)); }

void peer_terminal_stats(struct terminal *s, int out[10]) {
    t30_stats_t t;
    t30_get_transfer_statistics(t30_of(s), &t);
    const int numbers[10] = {t.bit_rate, t.error_correcting_mode, t.pages_tx, t.pages_rx, t.width, t.length,
                             t.encoding, t.bad_rows, t.y_resolution, t.error_correcting_mode_retries};
    memcpy(out, numbers, sizeof numbers);
}
