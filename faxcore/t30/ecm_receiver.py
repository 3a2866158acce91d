"""The receiving side of error correction mode: pages in blocks, each asked for until it is whole [T.30 A.5]."""

from __future__ import annotations

from typing import Protocol

from faxcore.events import PageReceived, PageStarted
from faxcore.result import ResultCode
from faxcore.signals import Modulation
from faxcore.t30.capabilities import RESERVED_RATE, parse_continue
from faxcore.t30.ecm import FRAMES_IN_BLOCK, Block, parse_block, request
from faxcore.t30.frames import FCF, parse_frame
from faxcore.t30.orders import BurstHeard
from faxcore.t30.session import GAP, Failure, Heard, Session, Steps

MOST_PPRS = 16
"""Requests for one block: four at each of the rates that a sender may come down to."""


class Terminal(Protocol):
    """What the pages need of the receiving terminal."""

    session: Session
    answered: FCF | None

    def _signal(self, fast: Modulation) -> Steps[Heard | BurstHeard | None]: ...
    def _confirmed(self) -> None: ...
    def _count_exchange(self) -> None: ...
    def _wait_for_command(self) -> Steps[Heard]: ...
    def _take_page(self, octets: bytes) -> PageReceived: ...


class CorrectedPages:
    """States IV and V: the blocks that come after CFR, until the document ends or DCS comes."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal, self.session = terminal, terminal.session
        self.modulation = self.session.parameters.page_modulation
        self.page = self.session.pages  # counts over the whole call [T.30 A.4.3]
        self.block = 0
        self.frames: dict[int, bytes] = {}
        self.octets = bytearray()
        self.confirmed: Block | None = None
        self.burst_heard = self.page_begun = False
        self.requests = 0

    def receive(self) -> Steps[Heard | None]:
        """Pages from CFR on; DCS of the far end, or None at the end of the document."""
        response, field = FCF.CFR, b""
        while True:
            command = yield from self._exchange(response, field)
            if command is None:
                return (yield from self._silence(response))
            match command.fcf:
                case FCF.DCS:
                    return command
                case FCF.PPS:
                    response, field = self._judge(command)
                case FCF.CTC:
                    response, field = self._continue_to_correct(command), b""
                case FCF.EOR:
                    raise Failure(ResultCode.RETRYDCN, "the far end gave a block up")
                case FCF.RR | FCF.CRP:
                    pass  # our last response was lost
                case FCF.DCN if self.session.complete:
                    return None
                case FCF.DCN:
                    code = ResultCode.RX_DCNFAX if self.burst_heard else ResultCode.RX_DCNDATA
                    raise Failure(code, "DCN where a block or PPS was due", disconnect=False)
                case other:
                    raise Failure(ResultCode.RX_INVALCMD, f"{other.name} in error correction mode")

    def _exchange(self, response: FCF, field: bytes) -> Steps[Heard | None]:
        """Says a response, takes the burst that may follow, and gives the command after it; None: T2 ran out."""
        self.terminal._count_exchange()
        yield from self.session.transmit(GAP, self.session.signal((response, field)))
        self.terminal._confirmed()
        self.session.step = f"waiting for what follows {response.name}"
        self.burst_heard = False
        while True:
            signal = yield from self.terminal._signal(self.modulation)
            if not isinstance(signal, BurstHeard):
                return signal
            self._take(signal)
            self.terminal._count_exchange()

    def _take(self, burst: BurstHeard) -> None:
        """Keep the numbered frames; those of another length than they should have are asked for again."""
        self.burst_heard = True
        self.modulation = self.session.parameters.page_modulation
        if not self.page_begun:
            self.page_begun = True
            self.session.emit(PageStarted(self.session.now, self.session.pages + 1))
        longest = self.session.parameters.ecm_frame
        for octets in burst.frames:
            fcf, fif, *_ = parse_frame(octets)
            # Some senders mean 256 octets where DCS says 64: what counts is what comes.
            if fcf is FCF.FCD and 1 < len(fif) <= max(longest, 256) + 1:
                self.frames[fif[0]] = fif[1:]

    def _judge(self, pps: Heard) -> tuple[FCF, bytes]:
        block = parse_block(pps.fif)
        if block is None:
            raise Failure(ResultCode.RX_ECMPHD, "a PPS that says nothing")
        if self.confirmed and block[:3] == self.confirmed[:3]:
            self.frames.clear()
            return FCF.MCF, b""  # it was lost
        if (block.page, block.block) != (self.page % 256, self.block % 256):
            raise Failure(ResultCode.RX_ECMPHD, f"PPS for block {block.block} of page {block.page}")
        missing = set(range(block.frames)) - self.frames.keys()
        if missing:
            self.requests += 1
            if self.requests > MOST_PPRS:
                raise Failure(ResultCode.RETRYDCN, "a block that never becomes whole")
            return FCF.PPR, request(missing | set(range(block.frames, FRAMES_IN_BLOCK)))
        self._complete(block)
        return FCF.MCF, b""

    def _complete(self, block: Block) -> None:
        self.octets += b"".join(self.frames[number] for number in range(block.frames))
        self.frames.clear()
        self.confirmed, self.requests = block, 0
        self.terminal.answered = block.command
        if block.command is None:
            self.block += 1
            return
        self.terminal._take_page(bytes(self.octets))
        self.octets.clear()
        self.page, self.block, self.page_begun = self.page + 1, 0, False

    def _continue_to_correct(self, ctc: Heard) -> FCF:
        """The rate that CTC sets, and a long training before what comes [T.30 5 note 5]."""
        modulation = parse_continue(ctc.fif)
        if modulation == RESERVED_RATE:
            raise Failure(ResultCode.INCOMPATIBLE, "CTC sets a reserved rate")
        self.session.retrain("frames asked for again and again")
        self.session.slowed(modulation)
        self.modulation = modulation
        return FCF.CTR

    def _silence(self, response: FCF) -> Steps[Heard | None]:
        """T2 ran out: the end after EOP, DIS again after EOM, else a failure."""
        if self.session.complete:
            return None
        if response is FCF.MCF and self.terminal.answered is FCF.EOM:
            return (yield from self.terminal._wait_for_command())
        if self.burst_heard:
            raise Failure(ResultCode.RX_T2EXPMPS, "no PPS after a block")
        raise Failure(ResultCode.RX_T2EXPFAX, f"no block after {response.name}")
