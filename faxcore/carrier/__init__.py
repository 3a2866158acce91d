"""Carriers: they carry out T.30's Orders, as audio (packets come later)."""

from faxcore.carrier.audio import AudioCarrier

__all__ = ["AudioCarrier"]
