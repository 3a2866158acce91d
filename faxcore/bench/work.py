"""The work that is measured: one document in many calls, by carrier, modulation, coding and ECM."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from faxcore.bench.figures import Measured
from faxcore.call import FaxCall
from faxcore.document import CodedPage, ReceivedDocument
from faxcore.line import Line, Network
from faxcore.options import T38, Audio, Options
from faxcore.simulation import simulate_many

CLEAN = Line(noise_dbm0=None, law=None)
"""Nothing but a wire: what the line costs is no figure of an engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Calls of one kind; rates in bit/s. `redundancy`: UDPTL's, of packets only."""

    modulation: str = "v17"
    bit_rate: int = 14400
    coding: str = "mmr"
    ecm: bool = True
    packets: bool = False
    redundancy: int = 3

    @property
    def name(self) -> str:
        """What a reader calls it."""
        parts = ("T.38" if self.packets else "audio", f"{self.modulation} {self.bit_rate}", self.coding.upper())
        return " ".join([*parts, "ECM" if self.ecm else "no ECM"])

    def options(self) -> Options:
        """The options of both ends: nothing else can be agreed on."""
        modulations, codings = (self.modulation,), (self.coding,)
        rate = self.bit_rate
        return Options(ecm=self.ecm, codings=codings, modulations=modulations, max_rate=rate, min_rate=rate)

    def ends(self, pages: Sequence[CodedPage]) -> tuple[FaxCall, FaxCall]:
        """Both ends of one call that sends these pages."""
        carrier = T38(redundancy=self.redundancy) if self.packets else Audio()
        options, document = self.options(), ReceivedDocument("bench", pages)
        sender = FaxCall.send(document, identity="+15551230001", options=options, carrier=carrier)
        return sender, FaxCall.receive(identity="+15551230002", options=options, carrier=carrier)

    def measure(self, pages: Sequence[CodedPage], calls: int) -> Measured:
        """So many calls side by side. Drawing was done before; the page is coded once for all of them, as for many far
        ends, and decoded by each."""
        ends = [self.ends(pages) for _ in range(calls)]
        way = Network() if self.packets else CLEAN
        since = time.process_time()
        outcomes = [outcome for _, outcome in simulate_many(((*both, way) for both in ends), together=calls)]
        cpu = time.process_time() - since
        if not all(o.sender.success for o in outcomes) or any(len(r.document.pages) != len(pages) for _, r in ends):
            raise AssertionError(f"{self.name}: a call on a clean line failed")
        return Measured(calls, sum(o.sender.pages for o in outcomes), cpu, sum(o.line_time for o in outcomes))


HEADLINES = (Work(), Work(packets=True))
"""The two whose capacity is compared: V.17 14400, ECM, MMR, as audio and as packets."""

OTHERS = (
    Work(coding="mr", ecm=False),
    Work(modulation="v29", bit_rate=9600),
    Work(modulation="v29", bit_rate=9600, coding="mh", ecm=False),
    Work(modulation="v27ter", bit_rate=4800),
    Work(coding="mr", ecm=False, packets=True),
)
