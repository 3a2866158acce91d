/* Python's way to the kernels of ../bank.h: every argument is checked here, nothing is checked there. */
#include "qam_sound.h"

#include <stdlib.h>
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
        {"senders", 'B', 1, 1, 0}, {"taps", 'h', 2, 0, 0}, {"points", 'h', 2, 0, 0}, {"symbols", 'B', 2, 0, 0}, {"out", 'h', 2, 1, 0}};
    long long up, down;
    if (check_count("bank_shape", count, 7) < 0 || get_int(args[5], "up", 1, 1000, &up) < 0
        || get_int(args[6], "down", 1, 1000, &down) < 0)
        return NULL;
    Py_buffer views[5];
    if (get_arrays(args, specs, views, 5) < 0)
        return NULL;
    PyObject *result = NULL;
    struct bank_sender *senders = views[0].buf;
    Py_ssize_t lanes = views[0].len / (Py_ssize_t)sizeof *senders, rows = views[1].shape[0], width = views[1].shape[1];
    if (!are_records(&views[0], sizeof *senders))
        PyErr_SetString(PyExc_ValueError, "senders: a whole number of senders is needed");
    else if (rows < 1 || rows > BANK_ROWS || width < 16 || width > 2 * QAM_SPAN_MAX || width % 16)
        PyErr_Format(PyExc_ValueError, "taps: at most %d rows of 8 to 64 symbols, a multiple of 8, are needed", BANK_ROWS);
    else if (views[2].shape[0] != 256 || views[2].shape[1] != 2)
        PyErr_SetString(PyExc_ValueError, "points: shape (256, 2) is needed");
    else if (2 * up > down || rows * up % down)
        PyErr_SetString(PyExc_ValueError, "up: at most a symbol every other sample, and whole symbols in a period");
    else if (views[3].shape[0] != lanes || views[4].shape[0] != lanes)
        PyErr_SetString(PyExc_ValueError, "symbols and out: one row a sender is needed");
    else if (!senders_are_sound(senders, lanes, views[3].shape[1], rows))
        PyErr_SetString(PyExc_ValueError, "senders: fields in their ranges are needed");
    else {
        struct qam_pulse pulse = {(int32_t)rows, (int32_t)(width / 2), (int32_t)up, (int32_t)down};
        Py_BEGIN_ALLOW_THREADS
        chosen->bank_shape(&pulse, views[1].buf, views[2].buf, views[3].buf, views[3].shape[1], senders, lanes, views[4].buf,
                           views[4].shape[1]);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    release_arrays(views, 5);
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
static int receivers_are_sound(const struct bank_lane *lanes, int64_t count, int64_t training_points)
{
    for (int64_t i = 0; i < count; i++) {
        const struct qam_receiver *r = lanes[i].receiver;
        if (!receiver_is_sound(r) || !are_alike(lanes[0].receiver, r) || !survivors_are_points(r)
            || r->training_left > training_points) {
            PyErr_SetString(PyExc_ValueError, "receivers: receivers of one kind with fields in their ranges are needed");
            return 0;
        }
    }
    return 1;
}

static int progress_is_sound(const Py_buffer *view, const struct bank_lane *lanes, int64_t count, int64_t capacity)
{
    const struct qam_progress *done = view->buf;
    int sound = are_records(view, sizeof *done) && view->len == count * (Py_ssize_t)sizeof *done;
    for (int64_t i = 0; sound && i < count; i++)
        sound = within(done[i].samples, 0, lanes[i].n) && within(done[i].octets, 0, capacity);
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "progress: one record a receiver, inside samples and octets, is needed");
    return sound;
}

/* What all receivers of a bank have in common: tables, then octets and progress. */
enum { OCTETS = 7, PROGRESS = 8, SHARED = 9 };
static const struct array_spec shared_specs[SHARED] = {
    {"bank", 'h', 3, 0, 0}, {"points", 'f', 2, 0, 0}, {"lines", 'f', 2, 0, 0}, {"groups", 'B', 2, 0, 0},
    {"training", 'f', 2, 0, 0}, {"branches", 'i', 3, 0, 0}, {"cells", 'B', 2, 0, 0},
    {"octets", 'B', 2, 1, 0}, {"progress", 'B', 1, 1, 0}};

/* Check the lanes against what they share, and run them. */
static PyObject *run_lanes(const struct bank_lane *lanes, Py_ssize_t count, const Py_buffer *shared)
{
    const Py_buffer *octets = shared + OCTETS;
    if (octets->shape[0] != count) {
        PyErr_SetString(PyExc_ValueError, "octets: one row a receiver is needed");
        return NULL;
    }
    if (!receivers_are_sound(lanes, count, shared[4].shape[0]) || !tables_are_sound(lanes[0].receiver, shared)
        || !progress_is_sound(shared + PROGRESS, lanes, count, octets->shape[1]))
        return NULL;
    struct qam_tables tables = tables_of(shared);
    Py_BEGIN_ALLOW_THREADS
    chosen->bank_receive(lanes, count, &tables, octets->buf, octets->shape[1], shared[PROGRESS].buf);
    Py_END_ALLOW_THREADS
    return Py_NewRef(Py_None);
}

static PyObject *receive(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static const struct array_spec specs[] = {{"receivers", 'B', 1, 1, 0}, {"samples", 'h', 2, 0, 0}};
    Py_buffer own[2], shared[SHARED];
    if (check_count("bank_receive", count, 11) < 0 || get_arrays(args, specs, own, 2) < 0)
        return NULL;
    if (get_arrays(args + 2, shared_specs, shared, SHARED) < 0) {
        release_arrays(own, 2);
        return NULL;
    }
    PyObject *result = NULL;
    struct qam_receiver *r = own[0].buf;
    Py_ssize_t lanes = own[0].len / (Py_ssize_t)sizeof *r;
    struct bank_lane *lane = PyMem_Calloc((size_t)lanes + 1, sizeof *lane);
    if (!lane)
        PyErr_NoMemory();
    else if (!are_records(&own[0], sizeof *r))
        PyErr_SetString(PyExc_ValueError, "receivers: a whole number of receivers is needed");
    else if (own[1].shape[0] != lanes)
        PyErr_SetString(PyExc_ValueError, "samples: one row a receiver is needed");
    else {
        for (Py_ssize_t i = 0; i < lanes; i++)
            lane[i] = (struct bank_lane){r + i, (const int16_t *)own[1].buf + i * own[1].shape[1], own[1].shape[1]};
        result = run_lanes(lane, lanes, shared);
    }
    PyMem_Free(lane);
    release_arrays(shared, SHARED);
    release_arrays(own, 2);
    return result;
}

static int by_address(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    return (x > y) - (x < y);
}

/* No two lanes may write to the same memory; 0 with an error. */
static int are_apart(const struct bank_lane *lane, Py_ssize_t count)
{
    const char **places = PyMem_Calloc((size_t)count, sizeof *places);
    if (!places) {
        PyErr_NoMemory();
        return 0;
    }
    int apart = 1;
    for (Py_ssize_t i = 0; i < count; i++)
        places[i] = (const char *)lane[i].receiver;
    qsort(places, (size_t)count, sizeof *places, by_address);
    for (Py_ssize_t i = 1; i < count; i++)
        apart &= places[i] >= places[i - 1] + sizeof *lane->receiver;
    PyMem_Free(places);
    if (!apart)
        PyErr_SetString(PyExc_ValueError, "receivers: no receiver may come twice");
    return apart;
}

/* The items of two tuples as lanes; 0 with an error, and `held` says how many views are held all the same. */
static int get_lanes(PyObject *receivers, PyObject *samples, Py_ssize_t count, struct bank_lane *lane, Py_buffer *views,
                     Py_ssize_t *held)
{
    static const struct array_spec specs[] = {{"receivers", 'B', 1, 1, 0}, {"samples", 'h', 1, 0, 0}};
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *const items[] = {PyTuple_GetItem(receivers, i), PyTuple_GetItem(samples, i)};
        Py_buffer *view = views + *held;
        if (get_arrays(items, specs, view, 2) < 0)
            return 0;
        *held += 2;
        if (!is_record(view, sizeof *lane->receiver)) {
            PyErr_SetString(PyExc_ValueError, "receivers: each item is one receiver");
            return 0;
        }
        lane[i] = (struct bank_lane){view[0].buf, view[1].buf, view[1].shape[0]};
    }
    return are_apart(lane, count);
}

/* The lanes of two tuples of the same length, and the rest of the arguments. */
static PyObject *receive_tuples(PyObject *receivers, PyObject *samples, PyObject *const *others)
{
    Py_ssize_t lanes = PyTuple_Size(receivers), held = 0;
    if (lanes < 1 || PyTuple_Size(samples) != lanes)
        return PyErr_Format(PyExc_ValueError, "receivers and samples: as many of each, and at least one, are needed");
    Py_buffer shared[SHARED], *views = PyMem_Calloc((size_t)lanes, 2 * sizeof *views);
    struct bank_lane *lane = PyMem_Calloc((size_t)lanes, sizeof *lane);
    PyObject *result = NULL;
    if (!views || !lane)
        PyErr_NoMemory();
    else if (get_lanes(receivers, samples, lanes, lane, views, &held)
             && get_arrays(others, shared_specs, shared, SHARED) == 0) {
        result = run_lanes(lane, lanes, shared);
        release_arrays(shared, SHARED);
    }
    for (Py_ssize_t i = 0; i < held; i++)
        PyBuffer_Release(views + i);
    PyMem_Free(views);
    PyMem_Free(lane);
    return result;
}

static PyObject *receive_each(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (check_count("bank_receive_each", count, 11) < 0)
        return NULL;
    /* Tuples of our own: what asks an item for its memory may change a list. */
    PyObject *receivers = PySequence_Tuple(args[0]), *samples = receivers ? PySequence_Tuple(args[1]) : NULL;
    PyObject *result = samples ? receive_tuples(receivers, samples, args + 2) : NULL;
    Py_XDECREF(receivers);
    Py_XDECREF(samples);
    return result;
}

PyMethodDef bank_methods[] = {
    {"bank_shape", VECTORCALL(shape), METH_FASTCALL, NULL},
    {"bank_receive", VECTORCALL(receive), METH_FASTCALL, NULL},
    {"bank_receive_each", VECTORCALL(receive_each), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
