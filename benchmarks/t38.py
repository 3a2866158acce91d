"""CPU a page of T.38 calls, both ends, beside SpanDSP's terminals in the same run.

    python -m benchmarks.t38 [--repeats 5] [--redundancy 3]

Ten pages (text, form, photo, blank and again) in MMR with error correction over V.17 14400, in chunks of 30 ms. Ours
go through UDPTL with its redundancy; SpanDSP has none, so its IFP packets go straight from one end to the other.
"""

from __future__ import annotations

import argparse
from statistics import median

from benchmarks.pages import pages
from faxcore.bench.peer import PeerMissing, peer
from faxcore.bench.work import Work
from faxcore.document import CodedPage, ReceivedDocument

PAGES = 10


def measured(repeats: int, redundancy: int) -> tuple[list[float], list[float]]:
    """Milliseconds of CPU a page in each repeat: ours and SpanDSP's, in turns."""
    drawn = list(pages().values())
    chosen = [drawn[number % len(drawn)] for number in range(PAGES)]
    work = Work(packets=True, redundancy=redundancy)
    coded = [CodedPage.of(page) for page in chosen]
    ours, theirs = [], []
    with peer(ReceivedDocument("bench", coded)) as spandsp:
        for _ in range(repeats):
            ours.append(1e3 * work.measure(coded, 1).cpu / PAGES)
            theirs.append(1e3 * spandsp.run(work, 1).cpu / PAGES)
    return ours, theirs


def main() -> None:
    """Print a row for each and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--redundancy", type=int, default=3)
    words = parser.parse_args()
    try:
        ours, theirs = measured(words.repeats, words.redundancy)
    except PeerMissing as missing:
        parser.exit(1, f"{missing}\n")
    for name, figures in (("faxcore", ours), ("SpanDSP", theirs)):
        print(f"{name:8} {median(figures):6.2f} ms a page ({min(figures):.2f} to {max(figures):.2f})")
    print(f"{'ratio':8} {median(ours) / median(theirs):6.2f}")


if __name__ == "__main__":
    main()
