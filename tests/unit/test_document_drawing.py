"""What black and white make of print, hairlines and photographs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import faxcore
from faxcore.page import RESOLUTIONS
from tests.document_support import A4, MM, assemble, encoded, pdf, photograph, text

RESOLUTION_NAMES = list(RESOLUTIONS)


def drawn(octets: bytes, resolution: str = "fine", **options: str) -> np.ndarray:
    return faxcore.open_document(octets, resolution=resolution, **options).pages[0].pels()


@pytest.mark.parametrize("resolution", RESOLUTION_NAMES)
@pytest.mark.parametrize("width", [0, 0.05, 0.1, 0.24, 0.36, 0.5])
@pytest.mark.parametrize("kind", ["stroked", "filled"])
def test_hairlines_survive_at_every_sub_pixel_offset(kind: str, width: float, resolution: str) -> None:
    offsets = [20 + 13.0371 * step for step in range(40)]
    if kind == "stroked":
        content = b"%f w\n" % width + b"".join(
            b"%f 700 m %f 720 l S 20 %f m 40 %f l S\n" % (x, x, x, x) for x in offsets
        )
    else:
        thin = max(width, 0.01)
        content = b"".join(b"%f 700 %f 20 re f 20 %f 20 %f re f\n" % (x, thin, x, thin) for x in offsets)
    pels = drawn(pdf(content), resolution)
    vertical = pels[round((A4[1] - 710) / A4[1] * len(pels))]
    horizontal = pels[:, round(30 / A4[0] * pels.shape[1])]
    assert np.count_nonzero(np.diff(vertical.astype(int)) == 1) >= 40
    assert np.count_nonzero(np.diff(horizontal[: round((A4[1] - 19) / A4[1] * len(pels))].astype(int)) == 1) >= 40


PHOTO_BOX = (60, 300, 220, 220)  # points: left, bottom, width, height


def paste(left: float, bottom: float, width: float, height: float) -> bytes:
    return b"q %f 0 0 %f %f %f cm /I Do Q\n" % (width, height, left, bottom)


def outside(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> np.ndarray:
    """Pels at least two pels away from a box given in points."""
    mask, (height, width) = np.ones(shape, bool), shape
    left, right = (round(x * width / A4[0]) for x in (box[0], box[0] + box[2]))
    top, bottom = (round((A4[1] - y) * height / A4[1]) for y in (box[1] + box[3], box[1]))
    mask[top - 2 : bottom + 2, left - 2 : right + 2] = False
    return mask


@pytest.mark.parametrize("resolution", RESOLUTION_NAMES)
@pytest.mark.parametrize("size", [5, 9])
def test_text_beside_a_photograph_is_as_crisp_as_without(size: int, resolution: str) -> None:
    words = text(60, size=size, leading=size * 1.2, left=290)
    alone = drawn(pdf(words), resolution)
    together = drawn(pdf(words + paste(*PHOTO_BOX), image=photograph(1)), resolution)
    mask = outside(PHOTO_BOX, alone.shape)
    assert np.array_equal(alone & mask, together & mask)
    assert (alone & mask).any()


@pytest.mark.parametrize("resolution", RESOLUTION_NAMES)
@pytest.mark.parametrize("rasterizer", ["pdfium", pytest.param("poppler", marks=pytest.mark.peer("poppler"))])
def test_a_photograph_keeps_its_greys(rasterizer: str, resolution: str) -> None:
    photo = photograph(2)
    pels = drawn(pdf(text(30) + paste(*PHOTO_BOX), image=photo), resolution, rasterizer=rasterizer)
    inside = ~outside(PHOTO_BOX, pels.shape)
    rows, columns = np.nonzero(inside)
    part = pels[rows.min() + 2 : rows.max() - 1, columns.min() + 2 : columns.max() - 1]
    shape = part[: len(part) // 4 * 4, : part.shape[1] // 4 * 4].reshape(4, len(part) // 4, 4, -1).mean(axis=(1, 3))
    wanted = np.asarray(photo.resize((4, 4), Image.Resampling.BOX), float)
    assert np.abs((1 - shape) * 255 - wanted).max() < 12


@pytest.mark.parametrize("resolution", RESOLUTION_NAMES)
def test_a_turned_photograph_and_one_inside_a_form_are_found(resolution: str) -> None:
    whole = pdf(paste(*PHOTO_BOX), image=photograph(3))
    upright = drawn(whole, resolution)
    quarter = drawn(pdf(b"q 0 220 -220 0 280 300 cm /I Do Q\n", image=photograph(3).rotate(-90)), resolution)
    inside = ~outside(PHOTO_BOX, upright.shape)
    assert abs(upright[inside].mean() - quarter[inside].mean()) < 0.02
    assert not threshold_like(upright, inside)
    assert not threshold_like(quarter, inside)


def threshold_like(pels: np.ndarray, inside: np.ndarray) -> bool:
    """Whether an area has few changes along its lines, as print has."""
    changes = (pels[:, 1:] != pels[:, :-1]) & inside[:, 1:]
    return changes.sum() < 0.1 * inside.sum()


def scan(with_photo: bool) -> Image.Image:
    """A page of print as a scanner sees it at 300 dpi: grey edges, paper that is not quite white, some noise."""
    page = Image.new("L", (2480, 3508), 244)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(36)
    for line in range(60):
        draw.text((200, 200 + 52 * line), f"Line {line}: quick brown foxes, 0123456789 & company.", 20, font)
    if with_photo:
        page.paste(photograph(4, 800), (1400, 1400))
    noise = np.random.default_rng(5).integers(-6, 7, (3508, 2480))
    return Image.fromarray(np.clip(np.asarray(page).astype(int) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PDF"])
def test_print_on_a_scanned_page_is_not_diffused_but_a_photograph_is(kind: str) -> None:
    def made(image: Image.Image) -> bytes:
        if kind == "PDF":
            return pdf(b"q %f 0 0 %f 0 0 cm /I Do Q\n" % A4, image=image)
        return encoded(image, "JPEG", quality=90, dpi=(300, 300))

    plain, mixed = drawn(made(scan(False))), drawn(made(scan(True)))
    assert dots(plain) == 0
    photo = np.s_[
        round(1430 / 3508 * 2292) : round(2170 / 3508 * 2292), round(1430 / 2480 * 1728) : round(2170 / 2480 * 1728)
    ]
    assert not threshold_like(mixed[photo], np.ones_like(mixed[photo]))
    left = np.s_[:, : round(1300 / 2480 * 1728)]
    assert dots(mixed[left]) == 0
    assert np.count_nonzero(mixed[left] != plain[left]) < 50  # JPEG is not the same far away either


def dots(pels: np.ndarray) -> int:
    """Black pels with nothing black around them."""
    padded = np.pad(pels, 1).astype(np.uint8)
    around = sum(np.roll(padded, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1))
    return int(np.count_nonzero((around == 1) & (padded == 1)))


def test_a_light_tint_behind_print_disappears() -> None:
    tint, words = b"0.85 g 0 0 600 850 re f 0 g\n", text(40)
    assert not drawn(pdf(tint)).any()
    plain, tinted = np.pad(drawn(pdf(words)), 1), drawn(pdf(tint + words))
    near_print = np.logical_or.reduce([np.roll(plain, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    assert not (tinted & ~near_print[1:-1, 1:-1]).any()
    assert dots(tinted) == dots(plain)


def test_what_was_typed_into_a_form_and_annotations_are_drawn() -> None:
    appearance = b"0 0 %f %f re f" % (20 * MM, 10 * MM)
    stream = b"<< /Type /XObject /Subtype /Form /BBox [0 0 200 200] /Length %d >>\nstream\n%b\nendstream"
    widget = b"/Type /Annot /Rect [%f %f %f %f] /F 4 /AP << /N 5 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %f %f] /Annots [4 0 R 6 0 R] >>" % A4,
        b"<< /Subtype /Widget /FT /Tx /T (name) /V (x) %b >>" % (widget % (100, 700, 100 + 200, 700 + 200)),
        stream % (len(appearance), appearance),
        b"<< /Subtype /Stamp %b >>" % (widget % (100, 300, 100 + 200, 300 + 200)),
    ]
    pels = drawn(assemble(objects))
    scale = 1728 / A4[0]
    for bottom in (700, 300):
        row = round((A4[1] - bottom - 5 * MM) * 2292 / A4[1])
        assert pels[row, round(105 * scale) : round((100 + 19 * MM) * scale)].all()


@pytest.mark.peer("poppler")
@pytest.mark.parametrize("resolution", RESOLUTION_NAMES)
def test_poppler_and_pdfium_see_the_same_page(resolution: str) -> None:
    words = text(60) + b"2 w 100 100 300 200 re S\n"
    for size in (A4, (A4[1], A4[0]), (100 * MM, 200 * MM)):
        ours, theirs = (drawn(pdf(words, size=size), resolution, rasterizer=name) for name in ("pdfium", "poppler"))
        assert ours.shape == theirs.shape
        blurred = [blocks(pels) for pels in (ours, theirs)]
        assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.9


def blocks(pels: np.ndarray) -> np.ndarray:
    height = len(pels) // 8 * 8
    return pels[:height].reshape(height // 8, 8, -1, 8).mean(axis=(1, 3))
