"""The plots of a sweep: success and call time along a line's settings, with their 95 % bounds, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from faxcore.sweep.cases import Row
from faxcore.sweep.cells import Cell, cells, numeric, varied

SURFACE = "RdYlGn"
MOST_CURVES, MOST_PANELS = 8, 8


def plots(rows: Sequence[Row]) -> dict[str, str]:
    """Plots by file name, as SVG text: curves along each numeric setting, surfaces over the first two of them."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "faxcore", "font.size": 9, "axes.spines.top": False,
                         "axes.spines.right": False, "figure.constrained_layout.use": True})  # fmt: skip
    found: dict[str, str] = {}
    for packets, way in ((False, "line"), (True, "network")):
        mine = [row for row in rows if row["packets"] is packets]
        settings = varied(mine)
        names = [name for name in settings if numeric(mine, name)]
        for name in names:
            found[f"{way}-{_short(name)}.svg"] = _curves(mine, name, [n for n in settings if n != name])
        if len(names) > 1:
            found[f"{way}-surface.svg"] = _surfaces(mine, *names[:2])
    return found


def _short(name: str) -> str:
    return name.removeprefix("line_")


def _curves(rows: Sequence[Row], name: str, others: Sequence[str]) -> str:
    """Success, and the time of the calls that succeeded, along one setting.

    A curve for each offer and each value of the line's other settings; where that is too many, for each offer.
    """
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4))
    for label, group in _groups(rows, others):
        points = [(value, _cell(group, name, value)) for value in numeric(group, name)]
        where = [value for value, _ in points]
        rates = [100 * cell.success for _, cell in points]
        spread = [[100 * max(0.0, c.success - c.low) for _, c in points],
                  [100 * max(0.0, c.high - c.success) for _, c in points]]  # fmt: skip
        left.errorbar(where, rates, yerr=spread, marker="o", markersize=3, capsize=2, linewidth=1.2, label=label)
        timed = [(value, cell.seconds) for value, cell in points if cell.seconds is not None]
        right.plot([value for value, _ in timed], [seconds for _, seconds in timed], marker="o", markersize=3)
    left.set(xlabel=_short(name), ylabel="calls that succeed, %", ylim=(-4, 104))
    right.set(xlabel=_short(name), ylabel="median call, seconds", ylim=(0, None))
    figure.legend(loc="outside upper left", frameon=False, ncols=2, fontsize=8)
    return _svg(figure)


def _groups(rows: Sequence[Row], others: Sequence[str]) -> list[tuple[str, list[Row]]]:
    for names in (others, ()):
        groups: dict[str, list[Row]] = {}
        for row in rows:
            said = [f"{row.get(n)}" if n == "line_profile" else f"{_short(n)}={row.get(n)}" for n in names]
            groups.setdefault(" ".join([*said, row["offer"]]), []).append(row)
        if len(groups) <= MOST_CURVES:
            break
    return list(groups.items())[:MOST_CURVES]


def _cell(rows: Sequence[Row], name: str, value: Any) -> Cell:
    return cells([{**row, "line": "", "offer": ""} for row in rows if row.get(name) == value])[0]


def _surfaces(rows: Sequence[Row], across: str, up: str) -> str:
    """Success over two settings: a panel for each offer."""
    from matplotlib import pyplot

    offers = list(dict.fromkeys(row["offer"] for row in rows))[:MOST_PANELS]
    figure, panels = pyplot.subplots(
        -(-len(offers) // 2), min(2, len(offers)), figsize=(9, 3.2 * -(-len(offers) // 2)), squeeze=False
    )
    for offer, panel in zip(offers, panels.flat, strict=False):
        grid = [[_share(rows, offer, {across: x, up: y}) for x in numeric(rows, across)] for y in numeric(rows, up)]
        shown = panel.imshow(grid, origin="lower", cmap=SURFACE, vmin=0, vmax=100, aspect="auto")
        panel.set_xticks(range(len(numeric(rows, across))), numeric(rows, across))
        panel.set_yticks(range(len(numeric(rows, up))), numeric(rows, up))
        panel.set(xlabel=_short(across), ylabel=_short(up), title=offer)
        figure.colorbar(shown, ax=panel, label="success, %")
    for panel in panels.flat[len(offers) :]:
        panel.remove()
    return _svg(figure)


def _share(rows: Sequence[Row], offer: str, where: dict[str, Any]) -> float:
    mine = [r for r in rows if r["offer"] == offer and all(r.get(name) == value for name, value in where.items())]
    return 100 * sum(row["success"] for row in mine) / len(mine) if mine else float("nan")


def _svg(figure: Any) -> str:
    from matplotlib import pyplot

    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]
