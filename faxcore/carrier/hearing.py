"""What a packet terminal makes of the signal stream for one Listen."""

from __future__ import annotations

from faxcore import units
from faxcore.carrier.collecting import Collector
from faxcore.carrier.stream import Heard
from faxcore.hdlc import Deframer
from faxcore.signals import Octets
from faxcore.t30 import orders


class PacketListener(Collector):
    """A collector that knows no fast carrier unless one is listened for, and finds frames in raw octets.

    The modulation is not compared: peers carry data under the name of another one.
    """

    def __init__(self, listen: orders.Listen, *, at: int) -> None:
        super().__init__(listen, at=at)
        self._deframer = Deframer() if listen.framed else None

    def take(self, heard: Heard) -> orders.Report | None:
        """Take an item; the Report that it leads to."""
        if heard.fast and self.listen.fast is None:
            return None
        if not (heard.raw and self._deframer and isinstance(heard.item, Octets)):
            return self.hear(heard.item, fast=heard.fast)
        # Some gateways send the bits of an error correction burst as page data.
        self.hear_frames(heard.item.at, self._deframer.push_octets(heard.item.data))
        return None

    def takes(self, *, raw: bool) -> bool:
        """Whether a fast signal is listened for that brings raw data, or frames."""
        return self.listen.fast is not None and (raw or self.listen.framed)

    def signal_is_near(self, at: int) -> None:
        """A modem trains at the far end: its data may take a while."""
        self.deadline = max(self.deadline, at + TRAINING_LIMIT)


TRAINING_LIMIT = units.samples(5.0)
