/* Python's way to the kernels of ../bank.h: every argument is checked here, nothing is checked there. */
#include "qam_sound.h"

#include <string.h>

/* Several records, as octets. */
static int are_records(const Py_buffer *view, size_t size)
{
    return view->len % (Py_ssize_t)size == 0 && view->len > 0 && (uintptr_t)view->buf % sizeof(int64_t) == 0;
}

/* Samples that lie in `spare` are of one period. */
static int sender_is_sound(const struct bank_sender *s, int64_t capacity, int64_t rows)
{
    return within(s->first, 0, 1ll << 40) && within(s->count, 0, capacity) && within(s->end, 0, 1ll << 40)
           && within(s->sent, 0, s->made) && within(s->made, 0, s->end)
           && (s->sent == s->made || s->sent / rows == (s->made - 1) / rows);
}

static int senders_are_sound(const struct bank_sender *s, int64_t lanes, int64_t capacity, int64_t rows)
{
    for (int64_t i = 0; i < lanes; i++)
        if (!sender_is_sound(s + i, capacity, rows))
            return 0;
    return 1;
}

static PyObject *shape(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {
        {"senders", 'B', 1, 1, 0}, {"taps", 'f', 2, 0, 0}, {"symbols", 'B', 2, 0, 0}, {"out", 'h', 2, 1, 0}};
    long long up, down;
    if (check_count("bank_shape", count, 6) < 0 || get_int(args[4], "up", 1, 1000, &up) < 0
        || get_int(args[5], "down", 1, 1000, &down) < 0)
        return NULL;
    Py_buffer views[4];
    if (get_arrays(args, specs, views, 4) < 0)
        return NULL;
    PyObject *result = NULL;
    struct bank_sender *senders = views[0].buf;
    Py_ssize_t lanes = views[0].len / (Py_ssize_t)sizeof *senders, rows = views[1].shape[0], width = views[1].shape[1];
    if (!are_records(&views[0], sizeof *senders))
        PyErr_SetString(PyExc_ValueError, "senders: a whole number of senders is needed");
    else if (rows < 1 || rows > BANK_ROWS || width < 16 || width > 2 * QAM_SPAN_MAX || width % 16)
        PyErr_Format(PyExc_ValueError, "taps: at most %d rows of 8 to 64 symbols, a multiple of 8, are needed", BANK_ROWS);
    else if (2 * up > down || rows * up % down)
        PyErr_SetString(PyExc_ValueError, "up: at most a symbol every other sample, and whole symbols in a period");
    else if (views[2].shape[0] != lanes || views[3].shape[0] != lanes)
        PyErr_SetString(PyExc_ValueError, "symbols and out: one row a sender is needed");
    else if (!senders_are_sound(senders, lanes, views[2].shape[1], rows))
        PyErr_SetString(PyExc_ValueError, "senders: fields in their ranges are needed");
    else {
        struct qam_pulse pulse = {(int32_t)rows, (int32_t)(width / 2), (int32_t)up, (int32_t)down};
        Py_BEGIN_ALLOW_THREADS
        chosen->bank_shape(&pulse, views[1].buf, views[2].buf, views[2].shape[1], senders, lanes, views[3].buf,
                           views[3].shape[1]);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release_arrays(views, 4);
    return result;
}

/* What a block takes from its first lane must be true of all. */
static int are_alike(const struct qam_receiver *a, const struct qam_receiver *b)
{
    return a->bits == b->bits && a->states == b->states && a->state_shift == b->state_shift && a->points == b->points
           && a->trellis == b->trellis && a->symbols_a_block == b->symbols_a_block && a->half_step == b->half_step
           && a->scrambler.tap_near == b->scrambler.tap_near && a->scrambler.tap_far == b->scrambler.tap_far
           && a->scrambler.guard == b->scrambler.guard && !memcmp(&a->mean_power, &b->mean_power,
                      offsetof(struct qam_receiver, energy_floor) - offsetof(struct qam_receiver, mean_power));
}

/* 0 with ValueError unless every receiver is sound and they are alike. */
static int receivers_are_sound(const struct qam_receiver *r, int64_t lanes, int64_t training_points)
{
    for (int64_t i = 0; i < lanes; i++) {
        if (!receiver_is_sound(r + i) || !are_alike(r, r + i) || !survivors_are_points(r + i)
            || r[i].training_left > training_points) {
            PyErr_SetString(PyExc_ValueError, "receivers: receivers of one kind with fields in their ranges are needed");
            return 0;
        }
    }
    return 1;
}

/* How many places the points are at; 0 with ValueError. */
static int count_places(const struct qam_receiver *r, const Py_buffer *places, const Py_buffer *at)
{
    const uint16_t *place = at->buf;
    int highest = 0;
    for (Py_ssize_t i = 0; i < at->len / (Py_ssize_t)sizeof *place; i++)
        highest = place[i] > highest ? place[i] : highest;
    int count = highest / BANK_LANES + 1;
    if (places->shape[0] == 2 && places->shape[1] == BANK_PLACES && at->shape[0] == 2 && at->shape[1] == r->points
        && highest <= (BANK_PLACES - 1) * BANK_LANES)
        return count;
    PyErr_Format(PyExc_ValueError, "places: shape (2, %d), and a place for every point, are needed", BANK_PLACES);
    return 0;
}

static int progress_is_sound(const Py_buffer *view, int64_t lanes, int64_t n, int64_t capacity)
{
    const struct qam_progress *done = view->buf;
    int sound = are_records(view, sizeof *done) && view->len == lanes * (Py_ssize_t)sizeof *done;
    for (int64_t i = 0; sound && i < lanes; i++)
        sound = within(done[i].samples, 0, n) && within(done[i].octets, 0, capacity);
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "progress: one record a receiver, inside samples and octets, is needed");
    return sound;
}

static PyObject *receive(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {
        {"receivers", 'B', 1, 1, 0}, {"bank", 'f', 3, 0, 0}, {"points", 'f', 2, 0, 0}, {"lines", 'f', 2, 0, 0},
        {"groups", 'B', 2, 0, 0}, {"training", 'f', 2, 0, 0}, {"branches", 'i', 3, 0, 0}, {"places", 'f', 2, 0, 0},
        {"at", 'H', 2, 0, 0}, {"samples", 'h', 2, 0, 0}, {"octets", 'B', 2, 1, 0}, {"progress", 'B', 1, 1, 0}};
    Py_buffer v[12];
    if (check_count("bank_receive", count, 12) < 0 || get_arrays(args, specs, v, 12) < 0)
        return NULL;
    PyObject *result = NULL;
    struct qam_receiver *r = v[0].buf;
    Py_ssize_t lanes = v[0].len / (Py_ssize_t)sizeof *r;
    int count_of_places;
    if (!are_records(&v[0], sizeof *r))
        PyErr_SetString(PyExc_ValueError, "receivers: a whole number of receivers is needed");
    else if (v[9].shape[0] != lanes || v[10].shape[0] != lanes)
        PyErr_SetString(PyExc_ValueError, "samples and octets: one row a receiver is needed");
    else if (receivers_are_sound(r, lanes, v[5].shape[0]) && tables_are_sound(r, v + 1) && (count_of_places = count_places(r, &v[7], &v[8]))
             && progress_is_sound(&v[11], lanes, v[9].shape[1], v[10].shape[1])) {
        struct qam_tables tables = tables_of(v + 1);
        struct bank_places places = {v[7].buf, v[8].buf, count_of_places};
        Py_BEGIN_ALLOW_THREADS
        chosen->bank_receive(r, &tables, &places, lanes, v[9].buf, v[9].shape[1], v[10].buf, v[10].shape[1], v[11].buf);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release_arrays(v, 12);
    return result;
}

PyMethodDef bank_methods[] = {
    {"bank_shape", VECTORCALL(shape), METH_FASTCALL, NULL},
    {"bank_receive", VECTORCALL(receive), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
