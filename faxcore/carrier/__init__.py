"""Carriers: they carry out T.30's Orders, as audio or as T.38 packets."""

from faxcore.carrier.audio import AudioCarrier
from faxcore.carrier.packet import PacketCarrier

__all__ = ["AudioCarrier", "PacketCarrier"]
