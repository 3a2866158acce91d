"""How much fax a core carries: whole calls by modulation, coding and carrier, where their time goes, and beside whom.

*Capacity* is 1 / (CPU seconds per second of line time, both ends), over whole calls that start one after another:
the pairs of terminals that one core would hold if nothing else ran on it. The same formula serves every engine.
"""

from faxcore.bench.figures import Spread
from faxcore.bench.peer import PeerMissing
from faxcore.bench.report import Report
from faxcore.bench.running import benchmark

__all__ = ["PeerMissing", "Report", "Spread", "benchmark"]
