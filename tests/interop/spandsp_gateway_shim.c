/* SpanDSP's T.38 gateway behind a few plain functions: samples on one side, IFP packets on the other. */
#include "spandsp_shim.c"

typedef void (*packet_function)(const uint8_t *octets, int length, int copies);

struct gateway { t38_gateway_state_t *t38; packet_function packet; };

static int on_packet(t38_core_state_t *core, void *user, const uint8_t *octets, int length, int copies) {
    (void)core;
    ((struct gateway *)user)->packet(octets, length, copies);
    return 0;
}

struct gateway *peer_gateway_new(int ecm, const char *modem_names, int version, int local_tcf, int fill_removal,
                                 packet_function packet, void (*log)(int level, const char *text)) {
    struct gateway *s = calloc(1, sizeof *s);
    int modem_bits = 0;
    BITS_OF(modems, modem_names, modem_bits)
    s->packet = packet;
    s->t38 = t38_gateway_init(NULL, on_packet, s);
    t38_gateway_set_transmit_on_idle(s->t38, TRUE);
    t38_gateway_set_ecm_capability(s->t38, ecm);
    t38_gateway_set_supported_modems(s->t38, modem_bits);
    t38_gateway_set_fill_bit_removal(s->t38, fill_removal);
    t38_core_state_t *core = t38_gateway_get_t38_core_state(s->t38);
    t38_set_t38_version(core, version);
    t38_set_data_rate_management_method(core, local_tcf ? T38_DATA_RATE_MANAGEMENT_LOCAL_TCF
                                                        : T38_DATA_RATE_MANAGEMENT_TRANSFERRED_TCF);
    logging_state_t *logging = t38_gateway_get_logging_state(s->t38);
    span_log_set_message_handler(logging, log);
    span_log_set_level(logging, SPAN_LOG_SHOW_PROTOCOL | SPAN_LOG_FLOW);
    return s;
}

void peer_gateway_free(struct gateway *s) {
    t38_gateway_release(s->t38);
    t38_gateway_free(s->t38);
    free(s);
}

void peer_gateway_rx(struct gateway *s, int16_t *samples, int count) { t38_gateway_rx(s->t38, samples, count); }

void peer_gateway_tx(struct gateway *s, int16_t *out, int count) {
    memset(out, 0, (size_t)count * sizeof *out);
    t38_gateway_tx(s->t38, out, count);
}

int peer_gateway_hear(struct gateway *s, const uint8_t *octets, int length, int sequence) {
    return t38_core_rx_ifp_packet(t38_gateway_get_t38_core_state(s->t38), octets, length, (uint16_t)sequence);
}
