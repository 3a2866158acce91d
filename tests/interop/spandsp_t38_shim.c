/* SpanDSP's T.38 terminal behind a few plain functions: IFP packets in and out, time in samples. */
#include "spandsp_shim.c"

typedef void (*packet_function)(const uint8_t *octets, int length, int copies);

struct t38_terminal { t38_terminal_state_t *t38; struct watcher watcher; packet_function packet; };

static int on_packet(t38_core_state_t *core, void *user, const uint8_t *octets, int length, int copies) {
    (void)core;
    ((struct t38_terminal *)user)->packet(octets, length, copies);
    return 0;
}

static void on_t38_frame(t30_state_t *t30, void *user, int incoming, const uint8_t *octets, int length) {
    (void)t30;
    ((struct t38_terminal *)user)->watcher.frame(incoming, octets, length);
}

static int on_t38_phase_b(t30_state_t *t30, void *user, int code) {
    (void)t30;
    ((struct t38_terminal *)user)->watcher.phase('B', code);
    return T30_ERR_OK;
}

static int on_t38_phase_d(t30_state_t *t30, void *user, int code) {
    (void)t30;
    ((struct t38_terminal *)user)->watcher.phase('D', code);
    return T30_ERR_OK;
}

static void on_t38_phase_e(t30_state_t *t30, void *user, int code) {
    (void)t30;
    ((struct t38_terminal *)user)->watcher.phase('E', code);
}

static t30_state_t *t30_of_t38(struct t38_terminal *s) { return t38_terminal_get_t30_state(s->t38); }

struct t38_terminal *peer_t38_new(int calling, const char *identity, const char *tx_tiff, const char *rx_tiff, int ecm,
                                  const char *modem_names, const char *compression_names, int minimum_scan_ms,
                                  int version, int local_tcf, int fill_removal, int no_pacing,
                                  packet_function packet, const struct watcher *watcher) {
    struct t38_terminal *s = calloc(1, sizeof *s);
    int modem_bits = 0, compression_bits = 0;
    BITS_OF(modems, modem_names, modem_bits)
    BITS_OF(compressions, compression_names, compression_bits)
    s->watcher = *watcher;
    s->packet = packet;
    s->t38 = t38_terminal_init(NULL, calling, on_packet, s);
    t38_core_state_t *core = t38_terminal_get_t38_core_state(s->t38);
    t38_set_t38_version(core, version);
    t38_set_data_rate_management_method(core, local_tcf ? T38_DATA_RATE_MANAGEMENT_LOCAL_TCF
                                                        : T38_DATA_RATE_MANAGEMENT_TRANSFERRED_TCF);
    t38_terminal_set_fill_bit_removal(s->t38, fill_removal);
    if (no_pacing)
        t38_terminal_set_config(s->t38, T38_TERMINAL_OPTION_NO_PACING);
    t30_state_t *t30 = t30_of_t38(s);
    t30_set_tx_ident(t30, identity);
    if (tx_tiff)
        t30_set_tx_file(t30, tx_tiff, -1, -1);
    if (rx_tiff)
        t30_set_rx_file(t30, rx_tiff, -1);
    t30_set_ecm_capability(t30, ecm);
    t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
    t30_set_minimum_scan_line_time(t30, minimum_scan_ms);
    t30_set_supported_modems(t30, modem_bits);
    t30_set_supported_compressions(t30, compression_bits);
    t30_set_supported_resolutions(t30, T30_SUPPORT_R8_RESOLUTION | T30_SUPPORT_STANDARD_RESOLUTION |
                                           T30_SUPPORT_FINE_RESOLUTION | T30_SUPPORT_SUPERFINE_RESOLUTION);
    t30_set_supported_image_sizes(t30, T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_US_LETTER_LENGTH |
                                           T30_SUPPORT_US_LEGAL_LENGTH | T30_SUPPORT_UNLIMITED_LENGTH);
    t30_set_real_time_frame_handler(t30, on_t38_frame, s);
    t30_set_phase_b_handler(t30, on_t38_phase_b, s);
    t30_set_phase_d_handler(t30, on_t38_phase_d, s);
    t30_set_phase_e_handler(t30, on_t38_phase_e, s);
    logging_state_t *log = t30_get_logging_state(t30);
    span_log_set_message_handler(log, s->watcher.log);
    span_log_set_level(log, SPAN_LOG_SHOW_PROTOCOL | SPAN_LOG_FLOW);
    return s;
}

void peer_t38_free(struct t38_terminal *s) {
    t38_terminal_release(s->t38);
    t38_terminal_free(s->t38);
    free(s);
}

int peer_t38_hear(struct t38_terminal *s, const uint8_t *octets, int length, int sequence) {
    return t38_core_rx_ifp_packet(t38_terminal_get_t38_core_state(s->t38), octets, length, (uint16_t)sequence);
}

/* Let time pass; true when the call is over. */
int peer_t38_pass(struct t38_terminal *s, int samples) { return t38_terminal_send_timeout(s->t38, samples); }

int peer_t38_active(struct t38_terminal *s) { return t30_call_active(t30_of_t38(s)); }

const char *peer_t38_remote(struct t38_terminal *s) { return t30_get_rx_ident(t30_of_t38(s)); }

void peer_t38_stats(struct t38_terminal *s, int out[10]) {
    t30_stats_t t;
    t30_get_transfer_statistics(t30_of_t38(s), &t);
    const int numbers[10] = {t.bit_rate, t.error_correcting_mode, t.pages_tx, t.pages_rx, t.width, t.length,
                             t.encoding, t.bad_rows, t.y_resolution, t.error_correcting_mode_retries};
    memcpy(out, numbers, sizeof numbers);
}
