"""What a receiver makes of TCF and of a page: neither is standardised, so the figures are those in common use."""

from __future__ import annotations

import numpy as np

from faxcore.t30.frames import FCF

ZERO_RUN_S = 1.0
ZERO_SHARE = 0.95
EOL_ZEROS = 11
SEARCH_RUN = 32  # zero bits that end the garbage in front of TCF


def training_is_good(octets: bytes, bit_rate: int) -> bool:
    """TCF as it was received: zeros for 1 s without a break, or 95 % zero octets behind the garbage in front."""
    bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little")
    edges = np.flatnonzero(np.diff(np.concatenate(([1], bits, [1]))))
    begins, ends = edges[0::2], edges[1::2]  # of the runs of zeros
    runs = ends - begins
    if runs.size and runs.max() >= ZERO_RUN_S * bit_rate:
        return True
    long_runs = np.flatnonzero(runs >= SEARCH_RUN)
    if not long_runs.size:
        return False
    check = bits[begins[long_runs[0]] :]
    groups = check[: check.size // 8 * 8].reshape(-1, 8)
    return bool(check.size >= ZERO_RUN_S * bit_rate and np.mean(~groups.any(axis=1)) >= ZERO_SHARE)


def page_response(rows: int, bad_rows: int, *, cut: bool, rtp: float = 0.05, rtn: float = 0.15) -> FCF | None:
    """MCF, or RTP or RTN from these shares of bad rows on; RTN for a page cut short; None for a page without a row."""
    if rows == 0:
        return None
    bad = bad_rows / rows
    if cut or (bad and bad >= rtn):
        return FCF.RTN
    return FCF.RTP if bad and bad >= rtp else FCF.MCF


def has_line_end(octets: bytes) -> bool:
    """Whether an EOL is among octets of a page: eleven zeros or more, and a one [T.4 4.1.2]."""
    bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little")
    return bool((np.diff(np.flatnonzero(bits), prepend=-1) > EOL_ZEROS).any())
