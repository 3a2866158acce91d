"""The sending side of error correction mode, one block at a time [T.30 A.5, figures A.7 to A.9]."""

from __future__ import annotations

from typing import Protocol

from faxcore.events import FramesAskedFor
from faxcore.result import ResultCode
from faxcore.signals import Modulation
from faxcore.t30.capabilities import build_continue
from faxcore.t30.ecm import Block, burst, requested
from faxcore.t30.frames import FCF
from faxcore.t30.orders import FastFrames, Transmission
from faxcore.t30.session import GAP, Failure, Heard, Session, Steps

PPRS_A_RATE = 4
"""After the fourth PPR of a block the sender has to decide what to do [T.30 A.1.3]."""

LAST_RATE_TURNS = 3
"""CTC at the lowest rate, before the block is given up."""

OUT_OF_STEP = 3
"""CFR or CTR in answer to PPS, for one block."""


class Terminal(Protocol):
    """What a block needs of the transmitting terminal."""

    session: Session
    ladder: tuple[Modulation, ...]
    rung: int

    def _command(self, *items: Transmission, awaited: str) -> Steps[Heard | None]: ...


class CorrectedBlock:
    """A block (partial page) until the far end has all of it."""

    def __init__(self, terminal: Terminal, frames: list[bytes], block: Block, blocks: int) -> None:
        self.terminal, self.session = terminal, terminal.session
        self.frames, self.block, self.blocks = frames, block, blocks
        self.turns = 0

    def send(self) -> Steps[FCF]:
        """The block's frames, then those asked for; the answer that ends it, ERR where it was given up."""
        missing, asked, out_of_step = list(range(len(self.frames))), 0, 0
        modulation = self.session.parameters.page_modulation
        while True:
            before, share = self.block.block / self.blocks, len(missing) / len(self.frames) / self.blocks
            fast = FastFrames(modulation, burst(self.frames, missing), before, share)
            yield from self.session.transmit(GAP, fast)
            heard = yield from self._ready((yield from self._partial_page_signal()))
            modulation = self.session.parameters.page_modulation
            if heard.fcf in (FCF.CFR, FCF.CTR) and out_of_step < OUT_OF_STEP:
                # It heard something else than PPS: CTR wants the frames asked for last, CFR all of them.
                out_of_step, asked = out_of_step + 1, 0
                missing = missing if heard.fcf is FCF.CTR else list(range(len(self.frames)))
                continue
            if heard.fcf is not FCF.PPR:
                return self._answer(heard)
            missing = self._missing(heard)
            if not missing:
                return FCF.MCF  # a map without a frame of ours is a confirmation in all but name
            self.session.emit(FramesAskedFor(self.session.now, self.block.block + 1, len(missing)))
            asked += 1
            if asked == PPRS_A_RATE:
                if not self._slower():
                    return (yield from self._give_up(missing))
                asked = 0
                modulation = yield from self._continue_to_correct()

    def _partial_page_signal(self) -> Steps[Heard]:
        pps = self.session.signal((FCF.PPS, self.block.field(self.session.received_dis)))
        heard = yield from self.terminal._command(pps, awaited="an answer to PPS")
        if heard is None:
            raise Failure(ResultCode.TX_PHDDEAD, "no answer to PPS")
        return heard

    def _ready(self, heard: Heard) -> Steps[Heard]:
        """RR as long as the far end is not ready, T5 in all from its first RNR [T.30 A.5.4]."""
        deadline = self.session.now + self.session.options.t5
        while heard.fcf is FCF.RNR:
            if self.session.now >= deadline:
                raise Failure(ResultCode.TX_T5EXP, "the far end stayed not ready")
            answer = yield from self.terminal._command(self.session.signal(FCF.RR), awaited="an answer to RR")
            if answer is None:
                raise Failure(ResultCode.RETRYDCN, "no answer to RR")
            if answer.fcf is FCF.DCN:
                raise Failure(ResultCode.RX_DCNRRD, "DCN in answer to RR", disconnect=False)
            heard = answer
        return heard

    def _missing(self, heard: Heard) -> list[int]:
        if len(heard.fif) != 32:
            raise Failure(ResultCode.TX_ECMPHD, f"a PPR of {len(heard.fif)} octets")
        return requested(heard.fif, len(self.frames))

    def _answer(self, heard: Heard) -> FCF:
        match heard.fcf:
            case FCF.MCF | FCF.PIP:
                return FCF.MCF
            case FCF.RTP | FCF.RTN | FCF.PIN | FCF.FTT | FCF.DIS | FCF.DTC:
                return heard.fcf
            case FCF.DCN:
                raise Failure(ResultCode.TX_BADPG, "DCN in answer to PPS", disconnect=False)
            case other:
                raise Failure(ResultCode.TX_ECMPHD, f"{other.name} in answer to PPS")

    def _slower(self) -> bool:
        """One rate down where there is one, else the same rate, a few times; false: that did not help."""
        self.session.retrain("frames asked for again and again")
        if self.terminal.rung + 1 < len(self.terminal.ladder):
            self.terminal.rung += 1
        else:
            self.turns += 1
        self.session.slowed(self.terminal.ladder[self.terminal.rung])
        return self.turns < LAST_RATE_TURNS

    def _continue_to_correct(self) -> Steps[Modulation]:
        """CTC: the frames go again, after a long training [T.30 A.4.1]."""
        ctc = self.session.signal((FCF.CTC, build_continue(self.session.parameters)))
        for _ in range(2):
            heard = yield from self.terminal._command(ctc, awaited="CTR")
            match heard.fcf if heard else None:
                case FCF.CTR:
                    return self.session.parameters.modulation
                case FCF.PPR:
                    continue  # it missed CTC, and hears it once more
                case FCF.DCN:
                    raise Failure(ResultCode.TX_BADPG, "DCN in answer to CTC", disconnect=False)
                case None:
                    raise Failure(ResultCode.RETRYDCN, "no answer to CTC")
                case _:
                    break
        raise Failure(ResultCode.TX_ECMPHD, "no CTR in answer to CTC")

    def _give_up(self, missing: list[int]) -> Steps[FCF]:
        """EOR: the far end keeps what it has of the block [T.30 A.1.3]; of T.6 nothing after a gap can be read."""
        if self.session.parameters.coding == "mmr" or len(missing) == len(self.frames):
            raise Failure(ResultCode.RETRYDCN, "the line is too bad for the lowest rate")
        eor = self.session.signal((FCF.EOR, self.block.field(self.session.received_dis)[:1]))
        heard = yield from self.terminal._command(eor, awaited="ERR")
        if heard is None:
            raise Failure(ResultCode.RETRYDCN, "no answer to EOR")
        heard = yield from self._ready(heard)
        match heard.fcf:
            case FCF.ERR | FCF.PIN:
                self.session.given_up(self.block.page, self.block.block)
                return FCF.ERR
            case FCF.DCN:
                raise Failure(ResultCode.TX_BADPG, "DCN in answer to EOR", disconnect=False)
            case other:
                raise Failure(ResultCode.TX_ECMPHD, f"{other.name} in answer to EOR")
