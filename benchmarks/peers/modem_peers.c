/* CPU time of one of SpanDSP's fast modems in a C loop: prints ns a sample for tx, rx data, rx silence, each the least of all repeats.
 * Arguments: modem, bit rate, repeats. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spandsp.h>

enum { SECONDS = 20, SAMPLES = 8000 * SECONDS, HEAD = 13000, BLOCK = 160 };

static int16_t line[SAMPLES];
static uint32_t bits_state = 1;
static long heard;

static int get_bit(void *user)
{
    (void)user;
    bits_state = bits_state * 1664525u + 1013904223u;
    return bits_state >> 31;
}

static void put_bit(void *user, int bit)
{
    (void)user;
    heard += bit >= 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

/* The three modems have the same functions under other names. */
#define MODEM(name)                                                                                      \
    static double name##_transmit(int rate)                                                              \
    {                                                                                                    \
        name##_tx_state_t *tx = name##_tx_init(NULL, rate, 0, get_bit, NULL);                            \
        double start = now();                                                                            \
        for (int i = 0; i < SAMPLES; i += BLOCK)                                                         \
            name##_tx(tx, line + i, BLOCK);                                                              \
        double taken = (now() - start) / SAMPLES;                                                        \
        name##_tx_free(tx);                                                                              \
        return taken;                                                                                    \
    }                                                                                                    \
    static double name##_receive(int rate, const int16_t *samples, int head)                             \
    {                                                                                                    \
        name##_rx_state_t *rx = name##_rx_init(NULL, rate, put_bit, NULL);                               \
        name##_rx(rx, samples, head);                                                                    \
        double start = now();                                                                            \
        for (int i = head; i < SAMPLES; i += BLOCK)                                                      \
            name##_rx(rx, samples + i, SAMPLES - i < BLOCK ? SAMPLES - i : BLOCK);                       \
        double taken = (now() - start) / (SAMPLES - head);                                               \
        name##_rx_free(rx);                                                                              \
        return taken;                                                                                    \
    }
MODEM(v17)
MODEM(v27ter)
MODEM(v29)

static const struct {
    const char *name;
    double (*transmit)(int rate);
    double (*receive)(int rate, const int16_t *samples, int head);
} modems[] = {
    {"v17", v17_transmit, v17_receive}, {"v27ter", v27ter_transmit, v27ter_receive}, {"v29", v29_transmit, v29_receive}};

static double least(double a, double b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: modem_peers MODEM RATE REPEATS\n"), 2;
    int rate = atoi(argv[2]), repeats = atoi(argv[3]), m = 0;
    static const int16_t silence[SAMPLES];
    double tx = 1e9, data = 1e9, idle = 1e9;
    while (m < 2 && strcmp(modems[m].name, argv[1]))
        m++;
    for (int i = 0; i < repeats; i++) {
        tx = least(tx, modems[m].transmit(rate));
        heard = 0;
        data = least(data, modems[m].receive(rate, line, HEAD));
        if (heard < (long)rate * (SECONDS - 4))
            return fprintf(stderr, "SpanDSP did not train\n"), 1;
        idle = least(idle, modems[m].receive(rate, silence, 0));
    }
    printf("%.2f %.2f %.2f\n", tx, data, idle);
    return 0;
}
