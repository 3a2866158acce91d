"""The report of a sweep: its table, its plots and one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import faxcore
from faxcore.sweep.cases import Row
from faxcore.sweep.cells import Cell, cells, wilson
from faxcore.sweep.journal import Journal
from faxcore.sweep.plan import Plan, SweepError
from faxcore.sweep.table import write_csv, write_parquet

STYLE = """
 body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1c1c1e;background:#fff}
 h1{font-size:1.6rem;margin:0} h2{font-size:1.15rem;margin:2rem 0 .6rem}
 .facts{display:flex;gap:2.2rem;flex-wrap:wrap;margin:1.4rem 0} .facts b{display:block;font-size:1.7rem}
 .facts span{color:#666} .lead{color:#666;margin:.2rem 0}
 table{border-collapse:collapse;width:100%;font-size:.88rem} th{text-align:left;font-weight:600;color:#555}
 td,th{padding:.3rem .6rem;border-bottom:1px solid #e6e6e8;vertical-align:top}
 td.n{text-align:right;white-space:nowrap} td.k{white-space:nowrap}
 .bar{display:inline-block;width:5rem;height:.62rem;background:#f1c7c3;border-radius:3px;overflow:hidden}
 .bar i{display:block;height:100%;background:#1a7f5a}
 .bad{color:#b3261e;font-weight:600} svg{max-width:100%;height:auto}
 code{background:#f4f4f6;padding:.1rem .3rem;border-radius:3px}
 @media(prefers-color-scheme:dark){body{color:#e6e6e8;background:#17171a} td,th{border-color:#333}
  th,.facts span,.lead{color:#aaa} code{background:#2a2a2e} svg{background:#fff;border-radius:6px}}
"""


def tell(plan: Plan, journal: Journal) -> list[Path]:
    """Write table.csv, table.parquet, the plots and report.html into the journal's folder; gives their paths.

    SweepError where the extra `bench` is not installed.
    """
    rows = [journal.rows[index] for index in sorted(journal.rows)]
    folder = journal.folder
    try:
        from faxcore.sweep.plots import plots

        drawings = plots(rows)
        write_parquet(rows, folder / "table.parquet")
    except ImportError as fault:
        raise SweepError(f"the report needs {fault.name}: pip install 'faxcore[bench]'") from fault
    write_csv(rows, folder / "table.csv")
    for name, drawing in drawings.items():
        (folder / name).write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + drawing)
    (folder / "report.html").write_text(page(plan, rows, drawings))
    return [folder / name for name in ("report.html", "table.csv", "table.parquet", *drawings)]


def page(plan: Plan, rows: Sequence[Row], drawings: dict[str, str]) -> str:
    """The HTML page."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Fax sweep</title><style>{STYLE}</style>",
        f"<h1>Fax sweep</h1><p class=lead>{_lead(plan, rows)}</p>",
        f"<div class=facts>{''.join(f'<div><b>{value}</b><span>{name}</span></div>' for name, value in _facts(rows))}"
        "</div>",
        *(f"<h2>{escape(_title(name))}</h2>{drawing}" for name, drawing in drawings.items()),
        "<h2>Every line with every offer</h2>" + _table(cells(rows)),
        "<h2>Why calls failed</h2>" + _reasons(rows),
    ]
    return "\n".join(parts) + "\n"


def _lead(plan: Plan, rows: Sequence[Row]) -> str:
    level = rows[0]["cpu_level"] if rows else "?"
    done = "" if len(rows) == len(plan) else f", {len(rows)} of them done"
    documents = ", ".join(Path(name).name for name in plan.documents)
    return escape(
        f"{len(plan)} calls{done}: {documents}; {len(plan.combinations)} combinations, {len(plan.seeds)} seeds each. "
        f"faxcore {faxcore.__version__}, {level} kernels."
    )


def _facts(rows: Sequence[Row]) -> list[tuple[str, str]]:
    good = sum(row["success"] for row in rows)
    low, high = wilson(good, len(rows)) if rows else (0.0, 1.0)
    wrong = sum(row["damaged"] and row["ecm"] for row in rows)
    hours = sum(row["line_time"] for row in rows) / 3600
    return [
        ("calls", str(len(rows))),
        (f"succeeded (95 %: {100 * low:.1f} to {100 * high:.1f})", f"{100 * good / max(1, len(rows)):.1f} %"),
        ("pages confirmed", str(sum(row["pages"] for row in rows))),
        ("hours of line", f"{hours:.1f}"),
        ("damaged with error correction", f"<span class=bad>{wrong}</span>" if wrong else "0"),
    ]


def _title(name: str) -> str:
    way, _, what = name.removesuffix(".svg").partition("-")
    where = "the line" if way == "line" else "the network"
    return f"Success over two settings of {where}" if what == "surface" else f"{where}: {what}".capitalize()


def _table(found: Sequence[Cell]) -> str:
    heads = ("line", "offer", "success", "95 %", "median call", "pages a minute", "rates", "failures", "look at one")
    body = "".join(_tr(cell) for cell in found)
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{body}</table>"


def _tr(cell: Cell) -> str:
    bar = f"<span class=bar><i style='width:{100 * cell.success:.0f}%'></i></span> {100 * cell.success:.0f} %"
    example = f"<code>--case {cell.example}</code>" if cell.example is not None else ""
    damaged = f"<br>{cell.damaged} with damaged lines" if cell.damaged else ""
    values = (
        (escape(cell.line), ""), (escape(cell.offer), ""), (bar + damaged, ""),
        (f"{100 * cell.low:.0f} to {100 * cell.high:.0f}", "n"),
        (f"{cell.seconds:.1f} s" if cell.seconds else "", "n"),
        (f"{cell.pages_a_minute:.2f}" if cell.pages_a_minute else "", "n"),
        (escape(cell.rates), "k"), (escape(cell.reasons), ""), (example, "k"),
    )  # fmt: skip
    return "<tr>" + "".join(f"<td class={kind or 't'}>{value}</td>" for value, kind in values) + "</tr>"


def _reasons(rows: Sequence[Row]) -> str:
    counted: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        if not row["success"]:
            counted.setdefault((row["code"], row["text"]), []).append(row["case"])
    if not counted:
        return "<p>None did.</p>"
    body = "".join(
        f"<tr><td class=n>{code}</td><td>{escape(text)}</td><td class=n>{len(numbers)}</td>"
        f"<td><code>faxcore sweep PLAN --case {numbers[0]}</code></td></tr>"
        for (code, text), numbers in sorted(counted.items(), key=lambda item: -len(item[1]))
    )
    return f"<table><tr><th>code</th><th>meaning</th><th>calls</th><th>the first of them</th></tr>{body}</table>"
