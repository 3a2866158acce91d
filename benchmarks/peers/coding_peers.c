/* CPU time of libtiff and SpanDSP on one page, C to C: `coding_peers PAGE WIDTH HEIGHT REPEATS`, PAGE being packed
 * rows and PAGE.tif the same page in MMR. Prints "peer operation coding microseconds" for each repeat.
 *
 * Both through their public interface: libtiff on memory with one strip a page, SpanDSP with rows from and to memory
 * (its sender takes the size of the page from the TIFF, its rows from the handler). Opening and closing is not timed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tiffio.h>

#include <spandsp.h>

static uint8_t *page, *decoded, *coded;
static size_t page_size, decoded_size, coded_size;
static uint32_t width, height;
static char tiff_name[4096], received_name[4096];

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void check_decoded(const char *peer)
{
    if (decoded_size != page_size || memcmp(decoded, page, page_size) != 0) {
        fprintf(stderr, "%s decoded another page: %zu octets for %zu\n", peer, decoded_size, page_size);
        exit(1);
    }
}

/* libtiff's memory file */
struct memory { uint8_t *at; size_t size, room, place; };

static tsize_t memory_read(thandle_t handle, void *to, tsize_t n)
{
    struct memory *m = handle;
    size_t left = m->place < m->size ? m->size - m->place : 0;
    if ((size_t)n > left)
        n = (tsize_t)left;
    memcpy(to, m->at + m->place, (size_t)n);
    m->place += (size_t)n;
    return n;
}

static tsize_t memory_write(thandle_t handle, void *from, tsize_t n)
{
    struct memory *m = handle;
    if (m->place + (size_t)n > m->room)
        return -1;
    memcpy(m->at + m->place, from, (size_t)n);
    m->place += (size_t)n;
    if (m->place > m->size)
        m->size = m->place;
    return n;
}

static toff_t memory_seek(thandle_t handle, toff_t to, int whence)
{
    struct memory *m = handle;
    m->place = (size_t)to + (whence == SEEK_CUR ? m->place : whence == SEEK_END ? m->size : 0);
    return m->place;
}

static int memory_close(thandle_t handle) { (void)handle; return 0; }
static toff_t memory_size(thandle_t handle) { return ((struct memory *)handle)->size; }

static TIFF *open_memory(struct memory *m, const char *mode)
{
    m->place = 0;
    return TIFFClientOpen("memory", mode, m, memory_read, memory_write, memory_seek, memory_close, memory_size, NULL,
                          NULL);
}

static void run_libtiff(const char *name, int compression, int options, int repeats)
{
    struct memory m = {malloc(4 * page_size + 65536), 0, 4 * page_size + 65536, 0};
    while (repeats--) {
        m.size = 0;
        TIFF *tiff = open_memory(&m, "wm");
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, height);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
        if (compression == COMPRESSION_CCITTFAX3)
            TIFFSetField(tiff, TIFFTAG_GROUP3OPTIONS, options);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 196.0);
        double start = now_us();
        TIFFWriteEncodedStrip(tiff, 0, page, (tmsize_t)page_size);
        double time = now_us() - start;
        printf("libtiff encode %s %.1f\n", name, time);
        TIFFClose(tiff);
        tiff = open_memory(&m, "rm");
        memset(decoded, 0xa5, page_size);
        start = now_us();
        decoded_size = (size_t)TIFFReadEncodedStrip(tiff, 0, decoded, (tmsize_t)page_size);
        time = now_us() - start;
        printf("libtiff decode %s %.1f\n", name, time);
        TIFFClose(tiff);
        check_decoded("libtiff");
    }
    free(m.at);
}

static int give_row(void *place, uint8_t row[], size_t length)
{
    size_t *at = place;
    if (*at + length > page_size)
        return 0;
    memcpy(row, page + *at, length);
    *at += length;
    return (int)length;
}

static int take_row(void *unused, const uint8_t row[], size_t length)
{
    (void)unused;
    if (length && decoded_size + length <= page_size)
        memcpy(decoded + decoded_size, row, length);
    decoded_size += length;
    return (int)length;
}

static void run_spandsp(const char *name, int encoding, int repeats)
{
    while (repeats--) {
        size_t place = 0;
        t4_tx_state_t *tx = t4_tx_init(NULL, tiff_name, -1, -1);
        t4_tx_set_tx_encoding(tx, encoding);
        t4_tx_set_row_read_handler(tx, give_row, &place);
        double start = now_us();
        if (t4_tx_start_page(tx) != 0)
            exit(2);
        int n;
        for (coded_size = 0; (n = t4_tx_get_chunk(tx, coded + coded_size, 65536)) > 0;)
            coded_size += (size_t)n;
        double time = now_us() - start;
        printf("spandsp encode %s %.1f\n", name, time);
        t4_tx_free(tx);

        t4_rx_state_t *rx = t4_rx_init(NULL, received_name, T4_COMPRESSION_ITU_T6);
        t4_rx_set_rx_encoding(rx, encoding);
        t4_rx_set_image_width(rx, (int)width);
        t4_rx_set_row_write_handler(rx, take_row, NULL);
        decoded_size = 0;
        start = now_us();
        t4_rx_start_page(rx);
        t4_rx_put_chunk(rx, coded, (int)coded_size);
        t4_rx_end_page(rx);
        time = now_us() - start;
        printf("spandsp decode %s %.1f\n", name, time);
        t4_rx_free(rx);
        check_decoded("spandsp");
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    width = (uint32_t)atoi(argv[2]);
    height = (uint32_t)atoi(argv[3]);
    int repeats = atoi(argv[4]);
    page_size = (size_t)(width + 7) / 8 * height;
    page = malloc(page_size);
    decoded = malloc(page_size);
    coded = malloc(4 * page_size + 131072);
    FILE *file = fopen(argv[1], "rb");
    if (!file || fread(page, 1, page_size, file) != page_size)
        return 2;
    fclose(file);
    snprintf(tiff_name, sizeof tiff_name, "%s.tif", argv[1]);
    /* a file of our own: SpanDSP removes what it received no page into, were it /dev/null */
    snprintf(received_name, sizeof received_name, "%s.received.tif", argv[1]);
    run_libtiff("mh", COMPRESSION_CCITTFAX3, 0, repeats);
    run_libtiff("mr", COMPRESSION_CCITTFAX3, GROUP3OPT_2DENCODING, repeats);
    run_libtiff("mmr", COMPRESSION_CCITTFAX4, 0, repeats);
    run_spandsp("mh", T4_COMPRESSION_ITU_T4_1D, repeats);
    run_spandsp("mr", T4_COMPRESSION_ITU_T4_2D, repeats);
    run_spandsp("mmr", T4_COMPRESSION_ITU_T6, repeats);
    return 0;
}
