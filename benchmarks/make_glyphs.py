"""Makes `faxcore/document/glyphs.npz`, the letters of the header line, from DejaVu Sans (free licence).

    python benchmarks/make_glyphs.py [faxcore/document/glyphs.npz]

For each resolution one strip of letters, packed; `ends` are the pels where its letters end, those of the
resolutions of 200 pels per inch all the same.
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LETTERS = "".join(map(chr, [*range(32, 127), *range(160, 256)]))
SCALE = 16
X_PER_MM, HEIGHT_MM = 204 / 25.4, 3.0
LINES_PER_MM = {"standard": 98 / 25.4, "fine": 196 / 25.4, "superfine": 391 / 25.4}
FINER = {"300x300": (1.5, 300 / 25.4), "R16x15.4": (2, 391 / 25.4)}
"""Pels for each pel at 200 per inch, and lines per mm."""


def main(target: str = "faxcore/document/glyphs.npz") -> None:
    height = round(HEIGHT_MM * X_PER_MM * SCALE)
    font = ImageFont.truetype(FONT, height * 1000 // 1164)  # DejaVu's ascent and descent are 0.928 and 0.236 em
    ascent, descent = font.getmetrics()
    widths = [max(1, round(font.getlength(letter) / SCALE)) for letter in LETTERS]
    strips = {name: [] for name in LINES_PER_MM}
    for letter, width in zip(LETTERS, widths, strict=True):
        large = Image.new("L", (width * SCALE, ascent + descent), 255)
        ImageDraw.Draw(large).text((0, 0), letter, 0, font)
        for name, density in LINES_PER_MM.items():
            small = large.resize((width, round(HEIGHT_MM * density)), Image.Resampling.BOX)
            strips[name].append(np.asarray(small) < 140)
    ends = {"ends": np.cumsum(widths)}
    for name, (across, density) in FINER.items():
        wider = [max(1, round(font.getlength(letter) / SCALE * across)) for letter in LETTERS]
        strips[name], ends[f"ends {name}"] = [], np.cumsum(wider)
        for letter, width in zip(LETTERS, wider, strict=True):
            large = Image.new("L", (round(width * SCALE / across), ascent + descent), 255)
            ImageDraw.Draw(large).text((0, 0), letter, 0, font)
            small = large.resize((width, round(HEIGHT_MM * density)), Image.Resampling.BOX)
            strips[name].append(np.asarray(small) < 140)
    packed = {name: np.packbits(np.concatenate(strip, axis=1), axis=1) for name, strip in strips.items()}
    np.savez_compressed(target, letters=np.array(LETTERS), **ends, **packed)


if __name__ == "__main__":
    main(*sys.argv[1:])
