/* Whole calls of SpanDSP in a C loop, both ends, 160 samples a tick, no line between: prints the least and the median
 * CPU time of a call in ms, the seconds of line, and the octets of resident memory that an idle terminal takes.
 * Arguments: TIFF to send, TIFF to write, repeats. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spandsp.h>

enum { TICK = 160, LONGEST = 50 * 600, HELD = 1000 };

static int ended[2], failed[2];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void on_end(t30_state_t *t30, void *user, int code)
{
    (void)t30;
    int end = *(int *)user;
    ended[end] = 1;
    failed[end] = code != T30_ERR_OK;
}

static fax_state_t *terminal(int calling, const char *tx, const char *rx)
{
    static int ends[2] = {0, 1};
    fax_state_t *fax = fax_init(NULL, calling);
    fax_set_transmit_on_idle(fax, TRUE);
    t30_state_t *t30 = fax_get_t30_state(fax);
    t30_set_tx_ident(t30, calling ? "+15551230001" : "+15551230002");
    if (tx)
        t30_set_tx_file(t30, tx, -1, -1);
    if (rx)
        t30_set_rx_file(t30, rx, -1);
    t30_set_ecm_capability(t30, TRUE);
    t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
    t30_set_supported_modems(t30, T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17);
    t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION
                                            | T30_SUPPORT_T6_COMPRESSION);
    t30_set_supported_resolutions(t30, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_FINE_RESOLUTION
                                           | T30_SUPPORT_R8_RESOLUTION);
    t30_set_supported_image_sizes(t30, T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_US_LETTER_LENGTH
                                           | T30_SUPPORT_US_LEGAL_LENGTH | T30_SUPPORT_UNLIMITED_LENGTH);
    t30_set_phase_e_handler(t30, on_end, &ends[!calling]);
    return fax;
}

static void tick(fax_state_t *from, fax_state_t *to)
{
    int16_t samples[TICK] = {0};
    fax_tx(from, samples, TICK);
    fax_rx(to, samples, TICK);
}

/* Ticks of a whole call; the end of the program where it fails. */
static int call(const char *tx, const char *rx)
{
    fax_state_t *caller = terminal(1, tx, NULL), *answerer = terminal(0, NULL, rx);
    int ticks = 0;
    memset(ended, 0, sizeof ended);
    for (; !(ended[0] && ended[1]) && ticks < LONGEST; ticks++) {
        tick(caller, answerer);
        tick(answerer, caller);
    }
    t30_stats_t seen;
    t30_get_transfer_statistics(fax_get_t30_state(answerer), &seen);
    if (failed[0] || failed[1] || ticks == LONGEST || seen.bit_rate != 14400 || !seen.error_correcting_mode
        || seen.encoding != T4_COMPRESSION_ITU_T6 || seen.pages_rx != 1) {
        fprintf(stderr, "not the call that is to be measured\n");
        exit(1);
    }
    fax_release(caller), fax_free(caller);
    fax_release(answerer), fax_free(answerer);
    return ticks;
}

static double resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        exit(1);
    fclose(file);
    return (double)pages * sysconf(_SC_PAGESIZE);
}

static double idle_octets(void)
{
    fax_state_t *held[HELD];
    double before = resident();
    for (int i = 0; i < HELD; i++) {
        held[i] = terminal(i % 2, NULL, NULL);
        int16_t samples[TICK] = {0};
        fax_tx(held[i], samples, TICK);
        memset(samples, 0, sizeof samples);
        fax_rx(held[i], samples, TICK);
    }
    double taken = (resident() - before) / HELD;
    for (int i = 0; i < HELD; i++)
        fax_release(held[i]), fax_free(held[i]);
    return taken;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int repeats = argc == 4 ? atoi(argv[3]) : 0;
    if (repeats < 1 || repeats > 1000)
        return 2;
    double taken[1000], idle = idle_octets();
    int ticks = 0;
    for (int i = 0; i < repeats; i++) {
        double start = now();
        ticks = call(argv[1], argv[2]);
        taken[i] = now() - start;
    }
    qsort(taken, (size_t)repeats, sizeof *taken, by_size);
    printf("%f %f %f %f\n", taken[0], taken[repeats / 2], ticks * 0.02, idle);
    return 0;
}
