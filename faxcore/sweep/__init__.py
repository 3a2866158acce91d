"""Sweeps: many calls over documents, lines, offers and seeds, and the table, plots and report that they give.

A sweep is a plan (`plan`), run in batches by the machine's cores or a Dask cluster (`run`), kept line by line in a
journal so that a killed sweep goes on where it was, and told at its end as CSV, Parquet and one HTML page (`tell`).
"""

from faxcore.sweep.cases import replay
from faxcore.sweep.documents import drawn
from faxcore.sweep.journal import Journal
from faxcore.sweep.plan import EXAMPLE, Plan, SweepError, read_plan
from faxcore.sweep.report import tell
from faxcore.sweep.running import run

__all__ = ["EXAMPLE", "Journal", "Plan", "SweepError", "drawn", "read_plan", "replay", "run", "tell"]
