"""Makes `faxcore/cli/sample.pdf`, the four pages that the command, the tests and the benchmarks send.

    python benchmarks/make_sample.py astronaut.png [faxcore/cli/sample.pdf]

Needs reportlab and the DejaVu fonts (free licence, Debian fonts-dejavu). The photograph is NASA's portrait of
Eileen Collins (public domain), the `astronaut.png` that the wheel of scikit-image carries under
`skimage/data`. The same input gives the same octets.
"""

from __future__ import annotations

import io
import math
import sys
import textwrap
from pathlib import Path

from PIL import Image
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Frame, Paragraph

FONTS = Path("/usr/share/fonts/truetype/dejavu")
SERIF, SERIF_BOLD = "DejaVuSerifCondensed", "DejaVuSerifCondensed-Bold"
SANS, SANS_BOLD = "DejaVuSans", "DejaVuSans-Bold"

HISTORY = """
    A picture by wire is older than a voice by wire. Alexander Bain, a clockmaker from Caithness, asked for a patent
    on an electric copying telegraph in 1843, more than thirty years before a telephone spoke. His idea is still the
    whole idea: two pendulums swing in step at two ends of a line; at one end a metal point feels its way over raised
    type, at the other a point marks a damp and treated paper wherever the current runs. What the two ends must share
    is not the picture but the clock. Bain never got his pendulums to agree for long, and anyone who has stared at a
    slanted page from two badly matched machines knows exactly what he saw.

    Frederick Bakewell put the page on a cylinder and showed the machine in London in 1851. The first who made a
    business of it was a priest: Giovanni Caselli's pantelegraph, two metres of cast iron, carried signatures and
    stock orders between Paris and Lyon from 1865. A sheet of twenty-five words cost as much as a good dinner and
    took under two minutes. Banks liked it for the same reason that courts and pharmacies liked its grandchildren:
    a signature arrives as a signature, and not as somebody's word that there was one.

    Then came the photograph. Arthur Korn in Munich let a selenium cell look at a turning film, and in 1907 sent
    portraits from Munich to Berlin; Edouard Belin in Paris built the apparatus that newspapers called by his name.
    In the twenties the large telephone company in America hired out lines by the minute for press pictures, and
    weather bureaus filled the short waves with maps that ships at sea printed on wet paper. All these machines were
    analogue. The tone on the line was the grey of the paper, and six minutes for a letter was quick.

    Offices came later than ships. A desk-top copier for the ordinary telephone appeared in 1966; it weighed twenty
    kilograms, listened through an acoustic coupler and needed six minutes for each sheet. The committee in Geneva
    wrote the first common rule, Group 1, in 1968, and few followed it. Group 2 of 1976 halved the time. What changed
    everything was Group 3 in 1980: the page becomes black and white points, the points become runs, the runs become
    codes, and the codes travel through a modem. A minute a page was suddenly slow. Between 1980 and the end of the
    century some hundred million machines learned to speak it, and not one of them had to ask which make the other was.

    Consider how much is done before the first line moves. The caller sends a short tone, half a second in every
    three and a half, that says nothing but: here is a machine. The called machine answers with a longer one, which
    also puts the echo suppressors of the network to sleep. Then, at three hundred bits a second, slow enough for
    nearly any line, it tells what it can do: this modem and that one, this width, that resolution, so many
    milliseconds for my printer to move the paper. The caller chooses, says what it has chosen, and proves it with a
    second and a half of zeros at full speed. If the zeros arrive, the page goes; if they do not, both step down.

    The code for the runs was made by counting. Eight test pages, a letter, a circuit diagram, a French invoice, a
    dense page of type, a handwritten memorandum in Japanese among them, were scanned and every run of white and of
    black was measured. Frequent runs were given short words: two black points in a row cost two bits, a whole blank
    line of seventeen hundred and twenty-eight points costs nine. The second idea, from Tokyo, was to compare a line
    with the one above. Type is made of strokes, strokes run downwards, and most edges have hardly moved: a single
    bit says that one is just where its neighbour was. What is left of a page of this kind is a tenth of its points.

    Lines are noisy, and a code without redundancy forgives nothing. One false bit ruins a row; with the second
    method it ruins all rows until a fresh start, so a machine begins afresh every second or every fourth row. Later
    the pages were cut into small numbered frames with a check sum each, and the receiver asks again for those that
    came in torn. With that in place the fresh starts could go, and the same page shrank by a third once more.

    The modem under all this is a small wonder too. Twenty-four hundred times in a second it sets the phase and the
    size of a tone, and each setting says three or four bits. The line bends the phases, the far clock runs a little
    fast or slow, and the carrier drifts; the receiver undoes all three while it listens, with an equaliser that it
    trained on a known pattern during the first quarter of a second. A ten-thousandth part of difference between two
    clocks is three points in the middle of the page. Bain would have understood the problem at once, and the remedy,
    which is to let the far end's own signal swing our pendulum, would have pleased him.

    People have buried the fax so often that the notices themselves could fill a file. It stays where a document has
    to be there now, on paper or as if on paper, with a time, a sender and a page count at its upper edge: clinics,
    chemists, courts, notaries, ship's agents, insurers, and the small firms that deal with them. Its lines have
    become packets, and a jitter buffer that drops twenty thousandths of a second, unheard by anyone who talks, cuts
    a page in two. A fax over such a network is therefore carried as what it is: the bits of the frames and of the
    image, wrapped singly and sent twice or thrice, and made into tones again only at the last step.

    The page itself has a shape that nobody chose. Two hundred and fifteen millimetres are scanned with eight points
    in each, so that there are one thousand seven hundred and twenty-eight of them; downwards the drums of the
    seventies made 3.85 lines to the millimetre, and twice that where the print was fine. The points are therefore
    no squares, and a program that takes them for squares sends letters that are short and stout, or tall and thin.
    Length was never fixed: rolls of paper have none. A will with its codicils, a till receipt, a banner for a
    birthday, all of these have gone through as one page, and a machine that trims them to the size of a letter
    has thrown away something that its owner paid to send.

    Whoever repairs such calls learns to read them by ear. The two tones at the beginning; the gargle of the slow
    frames, a second of it for the flags and less for the words; the hiss of the test that ends in a click; then the
    long rough noise of the page in which, if it is a form, the ruled lines can be heard as a beat. A page that ends
    and is followed by a gargle and a pause, then by a gargle and the test again, was not liked. Three of those, and
    the callers of the world have reached for the same words: it is ringing, it is answering, it does not go through.

    It is worth asking what the sheet was worth to those who waited for it. A cardiogram from a village to the
    hospital in town; the weather chart on the wall of a trawler's bridge; the page of a score that an orchestra on
    tour had left at home; a vote, from a station in the Antarctic; the drawing of a broken part, with sizes pencilled
    in, which let a lathe begin that same night. None of it was beautiful and some of it was crooked, with a
    black bar where the glass was dirty. All of it arrived while it still mattered.

    There is a pleasure in protocols that are small enough to know by heart. Two machines that have never met, made
    forty years apart on two continents, greet each other, compare what they can do, agree on the best of what both
    have, test the line, pass the sheet across, and confirm that it is safe before they let go. Much that came later
    is faster. Little of it is as polite.
"""

PHOTO_TEXT = """
    This page puts a photograph among words. A facsimile knows black and white and no third thing, so the greys of
    the picture have to be made of points, many where it is dark and few where it is light, and spread so that the
    eye does not see a pattern. Letters are the opposite case: they are sharp already, and points sprinkled along
    their edges only make them hairy and the code long.

    A machine that treats the whole sheet in one way must therefore do one half of it badly. The remedy is to find
    out where the picture is, to spread points there and nowhere else, and to leave every letter on this sheet just
    as crisp as it would be if the picture were not on it. Look at these lines under a lens: no stray point may stand
    beside them, not even in the column that runs along the frame of the photograph.
"""


def paragraphs(text: str, size: float) -> list[Paragraph]:
    shape = {"fontSize": size, "leading": size * 1.2, "spaceAfter": size * 0.5}
    style = ParagraphStyle("body", fontName=SERIF, alignment=4, **shape)
    blocks = [" ".join(block.split()) for block in textwrap.dedent(text).strip().split("\n\n")]
    return [Paragraph(block, style) for block in blocks]


def fill(canvas: Canvas, text: str, size: float, *boxes: tuple[float, float, float, float]) -> None:
    """Pours text into boxes (x, y, width, height in mm), one after the other; all of it must fit."""
    rest = paragraphs(text, size)
    for x, y, width, height in boxes:
        frame = Frame(x * mm, y * mm, width * mm, height * mm, 0, 0, 0, 0)
        while rest:
            if frame.add(rest[0], canvas):
                rest.pop(0)
                continue
            halves = frame.split(rest[0], canvas)
            if len(halves) < 2:
                break
            frame.add(halves[0], canvas)
            rest[0:1] = halves[1:]
            break
    assert not rest, f"{len(rest)} paragraphs do not fit"


def title(canvas: Canvas, text: str, x: float, y: float, size: float = 15) -> None:
    canvas.setFont(SERIF_BOLD, size)
    canvas.drawString(x * mm, y * mm, text)


def text_page(canvas: Canvas) -> None:
    title(canvas, "A picture by wire", 18, 276)
    canvas.setFont(SANS, 7.5)
    canvas.drawRightString(192 * mm, 276 * mm, "a short history of the facsimile, page of dense type")
    canvas.setLineWidth(0.5)
    canvas.line(18 * mm, 273.5 * mm, 192 * mm, 273.5 * mm)
    fill(canvas, HISTORY, 8.6, (18, 12, 84, 259), (108, 12, 84, 259))


FIELDS = (
    ("Consignor (name, address)", "Hartmann & Söhne, Lindenstraße 14, 35037 Marburg"),
    ("Consignee (name, address)", "Åkeröds Urverk AB, Kungsgatan 8, 411 19 Göteborg"),
    ("Place and date of taking over", "Marburg, 24 November"),
    ("Documents attached", "Invoice 30-7719, packing list"),
    ("Marks and numbers", "HS 1 to 6"),
    ("Instructions", "Keep dry. Do not stack. Call before delivery."),
)
SMALL_PRINT = (
    "The carrier is liable for loss of and damage to the goods between taking over and delivery. Claims for visible "
    "damage are to be made in writing on delivery, others within seven days, Sundays and holidays not counted. This "
    "sheet is a sample and binds nobody; its small print is set in five points to judge a resolution by."
)


def form_page(canvas: Canvas) -> None:
    title(canvas, "Consignment note", 18, 272, 18)
    canvas.setFont(SANS, 8)
    canvas.drawRightString(192 * mm, 272 * mm, "No. 0049-7731-5")
    for index, (label, value) in enumerate(FIELDS):
        x, y = (18 + 88 * (index % 2)) * mm, (243 - 24 * (index // 2)) * mm
        canvas.setLineWidth((0, 0.1, 0.25, 0.5, 0, 0.1)[index])
        canvas.rect(x, y, 86 * mm, 22 * mm)
        canvas.setFont(SANS, 5)
        canvas.drawString(x + 1.5 * mm, y + 19 * mm, label)
        canvas.setFont(SERIF, 8.5)
        canvas.drawString(x + 3 * mm, y + 8 * mm, value)
    table(canvas)
    rulers(canvas)
    boxes(canvas)
    style = ParagraphStyle("small", fontName=SANS, fontSize=5, leading=6)
    paragraph = Paragraph(SMALL_PRINT, style)
    paragraph.wrap(174 * mm, 40 * mm)
    paragraph.drawOn(canvas, 18 * mm, 18 * mm)


def table(canvas: Canvas) -> None:
    """Ten rows with hairlines of no width at all: the thinnest that the drawing can give."""
    top, widths = 184, (14, 70, 25, 25, 40)
    canvas.setLineWidth(0)
    for row in range(11):
        canvas.line(18 * mm, (top - 7 * row) * mm, 192 * mm, (top - 7 * row) * mm)
    for column in range(len(widths) + 1):
        x = (18 + sum(widths[:column])) * mm
        canvas.line(x, (top - 70) * mm, x, top * mm)
    for row in range(10):
        kind = f"Escapement, type {row * 37 % 100:02d}-{'ABC'[row % 3]}"
        cells = (str(row), kind, str(row * 12), f"{row * 1.7:.1f}", f"{row * 148.5:.2f}")
        if row == 0:
            cells = ("Pos.", "Description", "Pieces", "Mass, kg", "Value, EUR")
        for column, cell in enumerate(cells):
            canvas.setFont(SANS_BOLD if row == 0 else SANS, 8)
            canvas.drawString((19.5 + sum(widths[:column])) * mm, (top - 5 - 7 * row) * mm, cell)


def rulers(canvas: Canvas) -> None:
    """Lines of 0, 0.1, 0.25 and 0.5 pt in steps that meet every sub-pixel offset."""
    for index, width in enumerate((0, 0.1, 0.25, 0.5)):
        canvas.setLineWidth(width)
        for step in range(20):
            x, y = 18 + 42 * index, 76
            canvas.line((x + 1.513 * step) * mm, y * mm, (x + 1.513 * step) * mm, (y + 12) * mm)
            canvas.line(x * mm, (y + 15 + 0.8131 * step) * mm, (x + 30) * mm, (y + 15 + 0.8131 * step) * mm)
        canvas.setFont(SANS, 6)
        canvas.drawString(x * mm, (y - 3) * mm, f"{width} pt")


def boxes(canvas: Canvas) -> None:
    canvas.setLineWidth(0.25)
    canvas.setFont(SANS, 7)
    for index, label in enumerate(("Carriage paid", "Carriage forward", "Insured", "Dangerous goods")):
        x = (18 + 44 * index) * mm
        canvas.rect(x, 56 * mm, 4 * mm, 4 * mm)
        canvas.drawString(x + 6 * mm, 57 * mm, label)
        if index % 2 == 0:
            canvas.line(x, 56 * mm, x + 4 * mm, 60 * mm)
            canvas.line(x, 60 * mm, x + 4 * mm, 56 * mm)
    for index, label in enumerate(("Signature of consignor", "Signature of carrier", "Signature of consignee")):
        x = (18 + 60 * index) * mm
        canvas.line(x, 34 * mm, x + 54 * mm, 34 * mm)
        canvas.setFont(SANS, 5)
        canvas.drawString(x, 31 * mm, label)
    path = canvas.beginPath()
    path.moveTo(20 * mm, 37 * mm)
    for step in range(1, 60):
        path.lineTo((20 + step * 0.7) * mm, (40 + 4 * math.sin(step * 0.9) * math.cos(step * 0.13)) * mm)
    canvas.setLineWidth(0.7)
    canvas.drawPath(path)


def photo_page(canvas: Canvas, photo: bytes) -> None:
    title(canvas, "Words and a photograph", 18, 274)
    canvas.drawImage(ImageReader(io.BytesIO(photo)), 82 * mm, 112 * mm, 110 * mm, 110 * mm)
    fill(canvas, PHOTO_TEXT, 10, (18, 226, 174, 44))
    fill(canvas, PHOTO_TEXT, 10, (18, 112, 60, 110))
    canvas.setFont(SANS, 6.5)
    canvas.drawString(82 * mm, 108 * mm, "Eileen Collins, astronaut. Photograph: NASA, public domain.")
    fill(canvas, PHOTO_TEXT, 11, (18, 40, 174, 60))


def chart_page(canvas: Canvas) -> None:
    canvas.setPageSize(landscape(A4))
    title(canvas, "What a line does to a constellation", 20, 188)
    axes(canvas, 25, 110, 120, 65)
    flow(canvas)
    canvas.setLineWidth(0.35)
    for ring in range(1, 9):
        canvas.circle(220 * mm, 142 * mm, ring * 4.5 * mm)
    for spoke in range(24):
        angle = math.tau * spoke / 24
        canvas.line(220 * mm, 142 * mm, (220 + 36 * math.cos(angle)) * mm, (142 + 36 * math.sin(angle)) * mm)
    for radius, offset in ((13, 0), (13, 1), (22, 0), (22, 1), (31, 0)):
        for point in range(4):
            angle = math.tau * (point / 4 + offset / 8)
            x, y = 220 + radius * math.cos(angle), 142 + radius * math.sin(angle)
            canvas.circle(x * mm, y * mm, 1.2 * mm, fill=1)


def axes(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    canvas.setLineWidth(0.1)
    for step in range(13):
        canvas.line((x + width * step / 12) * mm, y * mm, (x + width * step / 12) * mm, (y + height) * mm)
    for step in range(9):
        canvas.line(x * mm, (y + height * step / 8) * mm, (x + width) * mm, (y + height * step / 8) * mm)
    canvas.setFont(SANS, 7)
    for step in range(0, 13, 2):
        canvas.drawCentredString((x + width * step / 12) * mm, (y - 4) * mm, f"{step * 300}")
    for step in range(9):
        canvas.drawRightString((x - 1.5) * mm, (y + height * step / 8 - 1) * mm, f"{step * 5 - 40}")
    canvas.drawString((x + 42) * mm, (y - 9) * mm, "frequency, Hz")
    canvas.drawString(x * mm, (y + height + 3) * mm, "attenuation, dB")
    for index, (low, high, ripple) in enumerate(((300, 3400, 0.5), (200, 3000, 1.5), (400, 3600, 3))):
        canvas.setLineWidth((0.9, 0.5, 0.25)[index])
        path = canvas.beginPath()
        for step in range(241):
            hertz = step * 15.0
            level = -2 * index - 40 / (1 + (max(hertz, 1) / low) ** 4) - 40 / (1 + (high / max(hertz, 1)) ** 8)
            level = max(level + ripple * math.sin(hertz / 130), -40)
            move = path.lineTo if step else path.moveTo
            move((x + width * step / 240) * mm, (y + height * (level + 40) / 40) * mm)
        canvas.drawPath(path)


def flow(canvas: Canvas) -> None:
    steps = ("scan", "count runs", "code", "scramble", "map", "shape", "line", "equalise", "decide", "print")
    canvas.setFont(SANS, 8)
    canvas.setLineWidth(0.5)
    for index, step in enumerate(steps):
        x, y = (22 + 51 * (index % 5)) * mm, (62 - 36 * (index // 5)) * mm
        canvas.roundRect(x, y, 38 * mm, 18 * mm, 3 * mm)
        canvas.drawCentredString(x + 19 * mm, y + 8 * mm, step)
        if index % 5 < 4:
            canvas.line(x + 38 * mm, y + 9 * mm, x + 51 * mm, y + 9 * mm)
            canvas.line(x + 48 * mm, y + 10.5 * mm, x + 51 * mm, y + 9 * mm)
            canvas.line(x + 48 * mm, y + 7.5 * mm, x + 51 * mm, y + 9 * mm)


def jpeg(path: str) -> bytes:
    out = io.BytesIO()
    Image.open(path).convert("RGB").save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()


def main(photo: str, target: str = "faxcore/cli/sample.pdf") -> None:
    for name in (SERIF, SERIF_BOLD, SANS, SANS_BOLD):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True, pageCompression=1)
    canvas.setTitle("faxcore sample")
    canvas.setAuthor("faxcore")
    for draw in (text_page, form_page, lambda c: photo_page(c, jpeg(photo)), chart_page):
        draw(canvas)
        canvas.showPage()
    canvas.save()
    Path(target).write_bytes(out.getvalue())
    print(f"{target}: {len(out.getvalue())} octets")


if __name__ == "__main__":
    main(*sys.argv[1:])
