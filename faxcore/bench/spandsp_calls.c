/* Whole fax calls between two of SpanDSP's terminals in one process: what the benchmark sets beside ours.
 *
 *     spandsp_calls audio|t38 CALLS TIFF FOLDER MODEMS ECM REDUNDANCY
 *
 * CALLS pairs of terminals, one starting every half second, each sending TIFF and storing it in FOLDER. MODEMS is a
 * sum of 1 (V.27ter), 2 (V.29) and 4 (V.17). Audio goes in 20 ms frames from one end to the other, packets as they
 * are made, REDUNDANCY times where a repeat is asked for. Prints one JSON object: seconds of CPU, and of line summed
 * over the pairs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spandsp.h>

enum { TICK = 160, STAGGER = 25, MOST_TICKS = 50 * 3600 };

struct end {
    fax_state_t *fax;
    t38_terminal_state_t *terminal;
    t38_core_state_t *core;
    struct end *far;
    int done, code, pages, sequence;
    char path[512];
};

struct pair { struct end sender, receiver; long ticks; };

static void ended(t30_state_t *t30, void *user, int code) {
    struct end *end = user;
    t30_stats_t facts;
    t30_get_transfer_statistics(t30, &facts);
    end->pages = facts.pages_tx > facts.pages_rx ? facts.pages_tx : facts.pages_rx;
    end->code = code;
    end->done = 1;
}

static int carry(t38_core_state_t *core, void *user, const uint8_t *octets, int count, int repeats) {
    struct end *end = user;
    (void)core;
    (void)repeats; /* redundancy is UDPTL's; a loss-free hand-over needs none, so the peer pays nothing for it */
    t38_core_rx_ifp_packet(end->far->core, octets, count, (uint16_t)end->sequence++);
    return 0;
}

static void set_up(t30_state_t *t30, struct end *end, const char *identity, int modems, int ecm) {
    t30_set_tx_ident(t30, identity);
    t30_set_supported_modems(t30, modems);
    t30_set_ecm_capability(t30, ecm);
    t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION |
                                            (ecm ? T30_SUPPORT_T6_COMPRESSION : 0));
    t30_set_supported_resolutions(t30, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_FINE_RESOLUTION |
                                           T30_SUPPORT_SUPERFINE_RESOLUTION | T30_SUPPORT_R8_RESOLUTION);
    t30_set_supported_image_sizes(t30, T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_A4_LENGTH |
                                           T30_SUPPORT_UNLIMITED_LENGTH);
    t30_set_phase_e_handler(t30, ended, end);
}

static t30_state_t *make_end(struct end *end, int packets, int calling) {
    if (!packets) {
        end->fax = fax_init(NULL, calling);
        fax_set_transmit_on_idle(end->fax, TRUE);
        return fax_get_t30_state(end->fax);
    }
    end->terminal = t38_terminal_init(NULL, calling, carry, end);
    end->core = t38_terminal_get_t38_core_state(end->terminal);
    t38_set_t38_version(end->core, 0);
    return t38_terminal_get_t30_state(end->terminal);
}

static void begin(struct pair *pair, int packets, const char *tiff, const char *folder, int number, int modems, int ecm) {
    pair->sender.far = &pair->receiver;
    pair->receiver.far = &pair->sender;
    snprintf(pair->receiver.path, sizeof pair->receiver.path, "%s/%d.tif", folder, number);
    t30_state_t *out = make_end(&pair->sender, packets, TRUE), *in = make_end(&pair->receiver, packets, FALSE);
    set_up(out, &pair->sender, "+15551230001", modems, ecm);
    set_up(in, &pair->receiver, "+15551230002", modems, ecm);
    t30_set_tx_file(out, tiff, -1, -1);
    t30_set_rx_file(in, pair->receiver.path, -1);
}

static void step(struct pair *pair, int packets) {
    if (packets) {
        t38_terminal_send_timeout(pair->sender.terminal, TICK);
        t38_terminal_send_timeout(pair->receiver.terminal, TICK);
    } else {
        int16_t forth[TICK], back[TICK];
        fax_tx(pair->sender.fax, forth, TICK);
        fax_tx(pair->receiver.fax, back, TICK);
        fax_rx(pair->receiver.fax, forth, TICK);
        fax_rx(pair->sender.fax, back, TICK);
    }
    pair->ticks++;
}

static void end_of(struct end *end) {
    if (end->fax)
        fax_free(end->fax);
    if (end->terminal)
        t38_terminal_free(end->terminal);
    if (end->path[0])
        unlink(end->path);
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 8)
        return 2;
    int packets = !strcmp(argv[1], "t38"), calls = atoi(argv[2]), modems = atoi(argv[5]), ecm = atoi(argv[6]);
    struct pair *pairs = calloc((size_t)calls, sizeof *pairs);
    double since = cpu(), line = 0;
    int running = calls, good = 0, pages = 0;
    for (long now = 0; running && now < MOST_TICKS; now++) {
        for (int k = 0; k < calls && k * STAGGER <= now; k++) {
            if (now == k * STAGGER)
                begin(&pairs[k], packets, argv[3], argv[4], k, modems, ecm);
            if (pairs[k].sender.done && pairs[k].receiver.done)
                continue;
            step(&pairs[k], packets);
            running -= pairs[k].sender.done && pairs[k].receiver.done;
        }
    }
    for (int k = 0; k < calls; k++) {
        line += (double)pairs[k].ticks * TICK / 8000;
        good += pairs[k].sender.done && pairs[k].sender.code == T30_ERR_OK;
        pages += pairs[k].sender.pages;
        end_of(&pairs[k].sender);
        end_of(&pairs[k].receiver);
    }
    printf("{\"calls\": %d, \"succeeded\": %d, \"pages\": %d, \"cpu\": %.6f, \"line\": %.3f}\n", calls, good, pages,
           cpu() - since, line);
    free(pairs);
    return 0;
}
