"""The frames of T.30: facsimile control fields by their ITU names, and octets to frames and back [T.30 5.3]."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from faxcore.errors import FrameError

ADDRESS = 0xFF
CONTROL, FINAL = 0x03, 0x10  # first bit on the line least significant; printed C0 and C8 in T.30
X = 0x80


class FCF(IntEnum):
    """Facsimile control fields as T.30 prints them: first bit sent = most significant, X = 0 [T.30 5.3.6.1].

    `sent_by` is "called", "poller", "sender", "receiver" or "both"; `has_x` says if the first bit is X, the mark
    of the terminal that received DIS.
    """

    sent_by: str
    has_x: bool
    meaning: str

    def __new__(cls, octet: int, sent_by: str, has_x: bool, meaning: str) -> FCF:
        member = int.__new__(cls, octet)
        member._value_ = octet
        member.sent_by, member.has_x, member.meaning = sent_by, has_x, meaning
        return member

    UNKNOWN = 0x00, "both", False, "not in the table"
    DIS = 0x01, "called", False, "capabilities"
    CSI = 0x02, "called", False, "called subscriber identification"
    NSF = 0x04, "called", False, "private capabilities"
    DES = 0x05, "called", False, "digital extended signal"
    DTC = 0x81, "poller", False, "poll command"
    CIG = 0x82, "poller", False, "calling subscriber identification"
    PWD = 0x83, "poller", False, "password for polling"
    NSC = 0x84, "poller", False, "private command to send"
    SEP = 0x85, "poller", False, "selective polling address"
    PSA = 0x86, "poller", False, "polled subaddress"
    CIA = 0x87, "poller", False, "calling internet address"
    ISP = 0x88, "poller", False, "internet selective polling address"
    DEC = 0xC9, "both", False, "digital extended command"
    DER = 0xCA, "both", False, "digital extended request"
    DCS = 0x41, "sender", True, "chosen parameters"
    TSI = 0x42, "sender", True, "transmitting subscriber identification"
    SUB = 0x43, "sender", True, "subaddress"
    NSS = 0x44, "sender", True, "private set-up"
    SID = 0x45, "sender", True, "sender identification"
    TSA = 0x46, "sender", True, "sender's internet address"
    IRA = 0x47, "sender", True, "internet routing address"
    CTC = 0x48, "sender", True, "continue to correct"
    CFR = 0x21, "receiver", True, "confirmation to receive"
    FTT = 0x22, "receiver", True, "failure to train"
    CTR = 0x23, "receiver", True, "answer to CTC"
    CSA = 0x24, "called", True, "called internet address"
    EOM = 0x71, "sender", True, "end of message: page end, back to phase B"
    MPS = 0x72, "sender", True, "multipage signal: page end, same settings for the next"
    EOR = 0x73, "sender", True, "end of retransmission"
    EOP = 0x74, "sender", True, "end of procedures: last page"
    RR = 0x76, "sender", True, "are you ready?"
    EOS = 0x78, "sender", True, "end of selection"
    PRI_EOM = 0x79, "sender", True, "like EOM, operator wanted"
    PRI_MPS = 0x7A, "sender", True, "like MPS, operator wanted"
    PRI_EOP = 0x7C, "sender", True, "like EOP, operator wanted"
    PPS = 0x7D, "sender", True, "partial page signal"
    MCF = 0x31, "receiver", True, "message confirmation"
    RTN = 0x32, "receiver", True, "retrain negative: page bad"
    RTP = 0x33, "receiver", True, "retrain positive: page good enough"
    PIN = 0x34, "receiver", True, "operator wanted, page bad"
    PIP = 0x35, "receiver", True, "operator wanted, page good"
    PID = 0x36, "receiver", True, "procedure interrupt disconnect"
    RNR = 0x37, "receiver", True, "receiver not ready"
    ERR = 0x38, "receiver", True, "answer to EOR"
    PPR = 0x3D, "receiver", True, "partial page request: frames to resend"
    FDM = 0x3F, "receiver", True, "file diagnostics"
    DCN = 0x5F, "both", True, "disconnect"
    CRP = 0x58, "both", True, "command repeat"
    FNV = 0x53, "both", True, "field not valid"
    TR = 0x56, "sender", True, "transmitter ready"
    TNR = 0x57, "sender", True, "transmitter not ready"
    DNK = 0x59, "both", True, "digital not acknowledge"
    TK = 0xD2, "both", False, "transmitter keys"
    RK = 0x52, "both", False, "receiver keys"
    FCD = 0x60, "sender", False, "facsimile coded data"
    RCP = 0x61, "sender", False, "return to control for partial page"


REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
"""Octets with their bits in the other order: T.30's printed values and the values of octets sent LSB first."""

_BY_OCTET = {REVERSED[fcf | x]: (fcf, bool(x)) for fcf in FCF for x in ((0, X) if fcf.has_x else (0,)) if fcf}


class Frame(NamedTuple):
    """A frame: control field, information field (first bit sent least significant), final or not, the X bit."""

    fcf: FCF
    fif: bytes = b""
    final: bool = True
    x: bool = False

    def octets(self) -> bytes:
        """Address to information field, without FCS, first bit sent least significant [T.30 5.3]."""
        control = CONTROL | FINAL if self.final else CONTROL
        return bytes((ADDRESS, control, REVERSED[self.fcf | X if self.x and self.fcf.has_x else self.fcf])) + self.fif


def parse_frame(octets: bytes) -> Frame:
    """The frame in `octets` (without FCS, first bit sent least significant).

    A control field that is not in the table gives FCF.UNKNOWN; too short, or no T.30 address and control:
    FrameError.
    """
    if len(octets) < 3 or octets[0] != ADDRESS or octets[1] | FINAL != CONTROL | FINAL:
        raise FrameError(f"not a T.30 frame: {octets[:3].hex()}")
    fcf, x = _BY_OCTET.get(octets[2], (FCF.UNKNOWN, False))
    return Frame(fcf, bytes(octets[3:]), bool(octets[1] & FINAL), x)


def build_signal(*fields: tuple[FCF, bytes], x: bool) -> tuple[bytes, ...]:
    """The octets of the frames of one signal; the last is final."""
    return tuple(Frame(fcf, fif, index == len(fields), x).octets() for index, (fcf, fif) in enumerate(fields, 1))


def parse_frames(frames: tuple[bytes, ...]) -> tuple[Frame, ...]:
    """Those of the frames that are frames of T.30."""
    parsed = []
    for octets in frames:
        try:
            parsed.append(parse_frame(octets))
        except FrameError:
            continue
    return tuple(parsed)


def parse_signal(frames: tuple[bytes, ...]) -> tuple[Frame, ...]:
    """The frames of one signal; empty unless the last is a final frame, since only that is a command or response."""
    parsed = parse_frames(frames)
    return parsed if parsed and parsed[-1].final else ()
