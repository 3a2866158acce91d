"""The pages of the coding benchmark: text, a line drawing, a dithered photo and a blank one, 1728 pels wide, fine."""

from __future__ import annotations

import random
import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from faxcore.page import A4_WIDTH, FINE, Page

HEIGHT = 2292
FONTS = "/usr/share/fonts/truetype/dejavu"
WORDS = """
the facsimile apparatus shall transmit at a speed of lines per minute where a receiving terminal confirms each page
before next and no other signal may follow within six seconds unless operator has been called Invoice Number Total
1,204.50 Delivery Reference Quantity Account (Tel. +1 555 0100) agreement hereby
"""


def text(seed: int = 1) -> Page:
    """About 75 lines of 11 point text."""
    rng = random.Random(seed)
    image = Image.new("L", (A4_WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(f"{FONTS}/DejaVuSans.ttf", 24)
    choices = WORDS.split()
    words = " ".join(rng.choice(choices) for _ in range(1400))
    for n, line in enumerate(textwrap.wrap(words, 122)[:74]):
        draw.text((90, 80 + 29 * n), line, 0, font)
    return _thresholded(image)


def drawing(seed: int = 2) -> Page:
    """Hairlines, boxes, circles and slanted lines, with a few labels."""
    rng = random.Random(seed)
    image = Image.new("L", (A4_WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(f"{FONTS}/DejaVuSans.ttf", 20)
    for _ in range(40):
        x, y, size = rng.randrange(A4_WIDTH - 300), rng.randrange(HEIGHT - 300), rng.randrange(40, 300)
        draw.rectangle((x, y, x + size, y + size // 2), outline=0, width=rng.randrange(1, 4))
        draw.ellipse((x, y, x + size, y + size), outline=0, width=2)
        draw.line((x, y, rng.randrange(A4_WIDTH), rng.randrange(HEIGHT)), fill=0, width=2)
        draw.text((x, y), f"R{rng.randrange(1, 99)} {rng.randrange(1, 999)} k", 0, font)
    return _thresholded(image)


def photo(seed: int = 3) -> Page:
    """A smooth picture over two thirds of the page, Floyd-Steinberg dithered."""
    noise = np.random.default_rng(seed).integers(0, 256, (24, 18), np.uint8)
    picture = Image.fromarray(noise).resize((1400, 1500), Image.Resampling.BICUBIC)
    image = Image.new("L", (A4_WIDTH, HEIGHT), 255)
    image.paste(picture, (160, 300))
    return Page.from_pels(~np.asarray(image.convert("1")), FINE)


def blank() -> Page:
    return Page(np.zeros((HEIGHT, A4_WIDTH // 8), np.uint8), A4_WIDTH, FINE)


def pages() -> dict[str, Page]:
    """The four pages by name."""
    return {"text": text(), "drawing": drawing(), "photo": photo(), "blank": blank()}


def _thresholded(image: Image.Image) -> Page:
    return Page.from_pels(np.asarray(image) < 170, FINE)
