"""The door to the kernels: whatever Python hands in is refused with TypeError or ValueError, or does no harm.

Each example is a good call in which some arguments are replaced and some octets of the structures are changed.
That no memory is touched is what the sanitizers see when they run this.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faxcore import modem
from faxcore.kernels import native
from faxcore.kernels.twins import bank as bank_layout
from faxcore.kernels.twins import fsk
from faxcore.kernels.twins import qam as qam_layout
from faxcore.modem import v29
from faxcore.modem.scheme import Encoder
from faxcore.signals import V29_9600

SAMPLES = np.random.default_rng(1).integers(-9000, 9000, 400).astype(np.int16)


def zeros(shape: Any, dtype: Any = np.uint8) -> Any:
    return np.zeros(shape, dtype)


def good_calls() -> dict[str, list[Any]]:
    """Arguments with which each kernel does its work; new arrays every time."""
    rows, work = np.random.default_rng(2).integers(0, 256, (3, 8)).astype(np.uint8), zeros(33024, np.uint16)
    events, octets = zeros(8, fsk.EVENT), zeros(1028)
    scheme, receiver = v29.scheme(V29_9600), modem.receiver(V29_9600)
    bank = modem.ReceiverBank("v29", 9600, 4)
    bank._states["stage"], bank._states["power"] = qam_layout.DATA, scheme.mean_power
    return {
        "t4_encode": [rows, 64, 1, 4, 0, zeros(3 * 72 + 32), work],
        "t4_decode": [np.append(rows.ravel(), zeros(32)), 2, 64, zeros((5, 8)), zeros(5), work],
        "t4_reverse": [rows[0].copy()],
        "hdlc_deframe": [fsk.hdlc_state(), rows[0].copy(), 1, 0, events, octets],
        "hdlc_frame": [rows[0].copy(), np.array([3, len(rows[0]) - 3], np.int32), 2, 1, 2, zeros(90)],
        "fsk_receive": [fsk.fsk_state(0), SAMPLES.copy(), 0, events, octets],
        "tone_detect": [fsk.tone_state(0), SAMPLES.copy(), 0, events],
        "page_bilevel": [rows.copy(), 176, 48, 208, 4, 2, zeros(8), zeros((2, 2), np.int32), zeros((3, 1))],
        "line_carry": [SAMPLES.copy(), zeros(400, np.int16), 0, zeros(3, np.uint32), 1.0, 3.0, 1],
        "t38_pack": [rows[0].copy(), np.array([5, 3], np.int32), 2, 0xC2, 1, 0, zeros(60), zeros(9, np.int32),
                     zeros(9, np.int64)],
        "t38_wrap": [rows[0].copy(), np.array([3, 2, 3], np.int32), 1, 2, 400, 0xFFFF, zeros(60), zeros(2, np.int32)],
        "t38_unwrap": [np.frombuffer(bytes.fromhex("00070880c201800000ff20".replace("80c2", "c2") + "0000"), np.uint8),
                       np.array([12], np.int32), 7, 0xC2, 0, 0, zeros(40), zeros(12, np.int32), zeros(12, np.int32)],
        "qam_encode": [Encoder(scheme)._octets, scheme.table, scheme.next, scheme.leaps, rows[0].copy(), zeros(40)],
        "qam_shape": [scheme.pulses, zeros((256, 2), np.int16), zeros(200), zeros(300, np.int16), 3, 10, 0, 0, 1e-5],
        "qam_front": [zeros(300, np.int16), scheme.bank, 7 << 30, 3 << 31, 0.5, zeros(40, np.complex64)],
        "qam_energy": [SAMPLES.copy(), scheme.lines],
        "qam_correlate": [np.ones(99, np.complex64), np.ones((2, 16), np.complex64), zeros((37, 2), np.complex64)],
        "qam_fit": [np.ones(94, np.complex64), np.ones(32, np.complex64), zeros(32, np.complex128), 15, 0.01],
        "qam_refine": [np.ones(96, np.complex64), np.ones(32, np.complex64), np.ones(32, np.complex128), 4],
        "qam_receive": [receiver._record, *receiver._tables, SAMPLES.copy(), zeros(400)],
        "bank_shape": [zeros(3, bank_layout.SENDER).view(np.uint8), scheme.pulses, scheme.pulse_points, zeros((3, 50)),
                       zeros((3, 300), np.int16), 3, 10],
        "bank_receive": [bank._records, np.tile(SAMPLES, (4, 1)), *bank._tables, zeros((4, 90)),
                         zeros(4, bank_layout.PROGRESS).view(np.uint8)],
        "bank_receive_each": [np.split(bank._records, 4), [SAMPLES[n:] for n in range(4)], *bank._tables,
                              zeros((4, 90)), zeros(4, bank_layout.PROGRESS).view(np.uint8)],
    }


KERNELS = sorted(good_calls())

STRUCTURES = {name: call[0].dtype for name, call in good_calls().items()
              if isinstance(call[0], np.ndarray) and call[0].dtype.names}
STRUCTURES |= {"qam_encode": qam_layout.CODER, "qam_receive": qam_layout.RECEIVER,
               "bank_shape": bank_layout.SENDER, "bank_receive": qam_layout.RECEIVER}  # handed in as octets

NUMBERS = st.one_of(
    st.integers(-2, 70), st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**40, 2**63 - 1, -(2**63), 2**64, 10**30]),
    st.floats(), st.booleans(), st.none(), st.text(max_size=3),
)
ARRAYS = st.builds(
    lambda dtype, shape, view: view(np.zeros(shape, dtype)),
    st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64, np.complex64, object,
                     fsk.HDLC, fsk.EVENT, "V8", "S3"]),
    st.one_of(st.integers(0, 600), st.tuples(st.integers(0, 5), st.integers(0, 300)), st.just(())),
    st.sampled_from([lambda a: a, lambda a: a[::2] if a.ndim else a, lambda a: a.T,
                     lambda a: np.broadcast_to(a, (2, *a.shape)), lambda a: a.tobytes(),
                     lambda a: bytearray(a.tobytes())]),
)
GARBAGE = st.one_of(NUMBERS, ARRAYS, st.binary(max_size=40), st.just([]), st.just({}))


def test_every_kernel_is_here() -> None:
    built = {name for name in dir(native) if callable(getattr(native, name)) and not name.startswith("_")}
    assert built - {"levels", "level", "select_level"} == set(KERNELS)


@pytest.mark.parametrize("name", KERNELS)
def test_good_calls_are_good(name: str) -> None:
    getattr(native, name)(*good_calls()[name])


def call(name: str, arguments: list[Any]) -> None:
    """Refused by a typed error, or carried out."""
    with contextlib.suppress(TypeError, ValueError):
        getattr(native, name)(*arguments)


@pytest.mark.parametrize("name", KERNELS)
@given(data=st.data())
@settings(max_examples=150)
def test_arguments(name: str, data: st.DataObject) -> None:
    arguments = good_calls()[name]
    for place in data.draw(st.sets(st.integers(0, len(arguments) - 1), min_size=1, max_size=2)):
        arguments[place] = data.draw(GARBAGE)
    call(name, arguments)


@pytest.mark.parametrize("name", KERNELS)
@given(arguments=st.lists(GARBAGE, max_size=9))
@settings(max_examples=50)
def test_any_arguments(name: str, arguments: list[Any]) -> None:
    call(name, arguments)


def integers(dtype: np.dtype[Any]) -> st.SearchStrategy[int]:
    """Small ones, any, and large ones: not so large that a counter or a sum of samples runs over, which wraps."""
    info = np.iinfo(dtype)
    low, high = max(info.min, -(1 << (5 * info.bits // 8))), min(info.max, 1 << (5 * info.bits // 8))
    return st.one_of(st.integers(max(low, -3), 600), st.integers(low, high), st.sampled_from([low, high]))


@pytest.mark.parametrize("name", sorted(STRUCTURES))
@given(data=st.data())
@settings(max_examples=300)
def test_structures(name: str, data: st.DataObject) -> None:
    """Fields hold what they never hold."""
    arguments = good_calls()[name]
    state = arguments[0].view(STRUCTURES[name])
    fields = [field for field in state.dtype.names if state.dtype[field].kind in "iuf"]
    for field in data.draw(st.sets(st.sampled_from(fields), min_size=1, max_size=3)):
        dtype = state.dtype[field]
        state[field] = data.draw(st.floats(width=32) if dtype.kind == "f" else integers(dtype))
    call(name, arguments)
    call(name, arguments)
