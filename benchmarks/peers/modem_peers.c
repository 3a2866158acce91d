/* CPU time of SpanDSP's V.29 in a C loop: prints ns a sample for tx, rx data, rx silence, each the least of all repeats.
 * Arguments: bit rate, repeats. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <spandsp.h>

enum { SECONDS = 20, SAMPLES = 8000 * SECONDS, HEAD = 3000, BLOCK = 160 };

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

static double transmit(int rate)
{
    v29_tx_state_t *tx = v29_tx_init(NULL, rate, 0, get_bit, NULL);
    double start = now();
    for (int i = 0; i < SAMPLES; i += BLOCK)
        v29_tx(tx, line + i, BLOCK);
    double taken = (now() - start) / SAMPLES;
    v29_tx_free(tx);
    return taken;
}

static double receive(int rate, const int16_t *samples, int head)
{
    v29_rx_state_t *rx = v29_rx_init(NULL, rate, put_bit, NULL);
    v29_rx(rx, samples, head);
    double start = now();
    for (int i = head; i < SAMPLES; i += BLOCK)
        v29_rx(rx, samples + i, SAMPLES - i < BLOCK ? SAMPLES - i : BLOCK);
    double taken = (now() - start) / (SAMPLES - head);
    v29_rx_free(rx);
    return taken;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    int rate = argc > 1 ? atoi(argv[1]) : 9600, repeats = argc > 2 ? atoi(argv[2]) : 5;
    static const int16_t silence[SAMPLES];
    double tx = 1e9, data = 1e9, idle = 1e9;
    for (int i = 0; i < repeats; i++) {
        tx = least(tx, transmit(rate));
        heard = 0;
        data = least(data, receive(rate, line, HEAD));
        if (heard < (long)rate * (SECONDS - 1))
            return fprintf(stderr, "SpanDSP did not train\n"), 1;
        idle = least(idle, receive(rate, silence, 0));
    }
    printf("%.2f %.2f %.2f\n", tx, data, idle);
    return 0;
}
