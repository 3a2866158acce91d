"""Any octets give a document or a DocumentError, in bounded time, and the next document is drawn as ever."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import faxcore
from faxcore.document import Limits
from faxcore.document.wire import take
from faxcore.errors import DocumentError
from tests.document_support import bilevel_image, encoded, pdf, photograph, random_pels, text

LIMITS = Limits(seconds=1.5, max_pels=8_000_000, max_pages=20, max_octets=200_000, address_space=700_000_000)
SEEDS = {
    "PDF": pdf(text(8), text(2), image=photograph(1, 60)),
    "TIFF group4": encoded(bilevel_image(random_pels(1, 30)), "TIFF", compression="group4", dpi=(204, 196)),
    "TIFF group3": encoded(bilevel_image(random_pels(2, 30)), "TIFF", compression="group3", dpi=(204, 98)),
    "TIFF lzw": encoded(photograph(2, 90), "TIFF", compression="tiff_lzw"),
    "PNG": encoded(photograph(3, 90), "PNG", dpi=(204, 196)),
    "JPEG": encoded(photograph(4, 90).convert("RGB"), "JPEG"),
}


def attempt(octets: bytes) -> None:
    refusal = None
    try:
        for page in faxcore.open_document(octets, limits=LIMITS, resolution="standard").pages:
            assert page.width == 1728
    except DocumentError as error:
        refusal = error
    assert refusal is None or (41 <= refusal.code <= 47 and refusal.cause)


@st.composite
def mutations(draw: st.DrawFn, seed: bytes) -> bytes:
    octets = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["flip", "set", "cut", "repeat", "number"]))
        at = draw(st.integers(0, max(0, len(octets) - 1)))
        if kind == "flip" and octets:
            octets[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            octets[at : at + 4] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "cut":
            del octets[at : at + draw(st.integers(1, 200))]
        elif kind == "repeat":
            octets[at:at] = octets[at : at + draw(st.integers(1, 100))]
        else:
            octets[at : at + 4] = draw(st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])).to_bytes(4, "little")
    return bytes(octets)


@pytest.mark.parametrize("kind", SEEDS)
def test_mutated_files(kind: str) -> None:
    @settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(mutations(SEEDS[kind]))
    def check(octets: bytes) -> None:
        attempt(octets)

    check()
    assert faxcore.open_document(SEEDS[kind]).pages[0].rows.any()


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from([b"", b"%PDF-1.4\n", b"II*\0", b"MM\0*", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]),
    st.binary(max_size=300),
)
def test_noise_behind_a_good_beginning(magic: bytes, noise: bytes) -> None:
    attempt(magic + noise)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=64))
def test_whatever_a_drawing_process_writes_is_cut_or_refused(octets: bytes) -> None:
    buffer = bytearray(octets)
    try:
        while (message := take(buffer)) is not None:
            assert len(message) <= len(octets)
    except ValueError:
        return
    assert bytes(buffer) == octets[len(octets) - len(buffer) :]
