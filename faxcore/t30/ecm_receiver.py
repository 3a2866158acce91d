"""The receiving side of error correction mode: pages in blocks, each asked for until it is whole [T.30 A.5]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from faxcore.events import PageReceived, PageStarted
from faxcore.result import ResultCode
from faxcore.signals import Modulation
from faxcore.t30.capabilities import Capabilities, own_capabilities, parse_continue
from faxcore.t30.ecm import FRAMES_IN_BLOCK, Block, numbered, parse_block, request
from faxcore.t30.frames import FCF
from faxcore.t30.orders import BurstHeard
from faxcore.t30.session import GAP, LONGEST_PAGE, Failure, Heard, Session, Steps


class Terminal(Protocol):
    """What the pages need of the receiving terminal."""

    session: Session
    answered: FCF | None
    after_eom: bool
    exchanges: int
    room: Callable[[], bool]

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
        self.counted = 0  # frames of the block, as far as PPS has told
        self.lacking = FRAMES_IN_BLOCK + 1
        self.octets = bytearray()
        self.confirmed: Block | None = None
        self.asked: Heard | None = None  # PPS or EOR, for whose answer there was no room yet
        self.burst_heard = self.page_begun = False
        self.busy_since: float | None = None

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
                case FCF.EOR if response is FCF.ERR and not self.burst_heard:
                    pass  # our ERR was lost
                case FCF.PPS | FCF.EOR:
                    self.asked = command
                    response, field = self._judge(command)
                case FCF.RR if response is FCF.RNR and self.asked:
                    response, field = self._judge(self.asked)
                case FCF.CTC:
                    response, field = self._continue_to_correct(command), b""
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
        """Keep the numbered frames."""
        self.burst_heard = True
        self.modulation = self.session.parameters.page_modulation
        if not self.page_begun:
            self.page_begun = True
            self.session.emit(PageStarted(self.session.now, self.session.pages + 1))
        self.frames.update(numbered(burst.frames))

    def _judge(self, command: Heard) -> tuple[FCF, bytes]:
        """The response to PPS or EOR, with its field."""
        given_up = command.fcf is FCF.EOR
        block = self._given_up(command) if given_up else self._named(command)
        if self.confirmed and block[:3] == self.confirmed[:3]:
            self._next_block()
            return FCF.MCF, b""  # it was lost
        missing = self._missing(block)
        if missing and not given_up:
            return FCF.PPR, request(missing | set(range(self.counted, FRAMES_IN_BLOCK)))
        if not self._room():
            return FCF.RNR, b""
        if given_up:
            self.session.given_up(self.page, self.block)
        self._complete(block)
        return FCF.ERR if given_up else FCF.MCF, b""

    def _named(self, pps: Heard) -> Block:
        """The block that PPS names: this one, or the last one again."""
        block = parse_block(pps.fif)
        if block is None:
            raise Failure(ResultCode.RX_ECMPHD, "a PPS that says nothing")
        if self.terminal.after_eom and (block.page, block.block) == (0, 0):
            self.page = 0  # some senders count each document from 0
        due = self.page % 256, self.block % 256
        if (block.page, block.block) != due and not (self.confirmed and block[:3] == self.confirmed[:3]):
            raise Failure(ResultCode.RX_ECMPHD, f"PPS for block {block.block} of page {block.page}")
        return block

    def _given_up(self, eor: Heard) -> Block:
        """EOR: this block stays as it is; the page loses lines, and one in T.6 all that follow [T.30 A.1.3]."""
        block = parse_block(eor.fif + bytes(3))
        if block is None:
            raise Failure(ResultCode.RX_ECMPHD, "an EOR that says nothing")
        if self.session.parameters.coding == "mmr":
            raise Failure(ResultCode.RETRYDCN, "the far end gave a block up, and T.6 bears no gap")
        return Block(block.command, self.page % 256, self.block % 256, FRAMES_IN_BLOCK)

    def _room(self) -> bool:
        """Whether the owner takes the block; RNR makes the far end wait, no longer than it bears [T.30 A.5.4]."""
        if self.terminal.room():
            self.busy_since = None
            return True
        self.busy_since = self.session.now if self.busy_since is None else self.busy_since
        if self.session.now - self.busy_since > self.session.options.t1:
            raise Failure(ResultCode.NOMEM, "no room for a page in time")
        return False

    def _missing(self, block: Block) -> set[int]:
        """What did not come. Some senders count the frames of the last burst, not of the block: the most counts.

        A frame that is shorter than others ends its block, or has lost its end. Fewer than before is progress,
        without which the call ends one day.
        """
        self.counted = max(self.counted, block.frames)
        there = {number: octets for number, octets in self.frames.items() if number < self.counted}
        size = max(map(len, there.values()), default=0)
        last = self.counted - 1
        self.frames = {number: octets for number, octets in there.items() if len(octets) == size or number == last}
        missing = set(range(self.counted)) - self.frames.keys()
        if len(missing) < self.lacking:
            self.lacking, self.terminal.exchanges = len(missing), 0
        return missing

    def _complete(self, block: Block) -> None:
        self.octets += b"".join(self.frames[number] for number in sorted(self.frames))
        if len(self.octets) > LONGEST_PAGE:
            raise Failure(ResultCode.RX_NOEOL, "a page without end")
        self._next_block()
        self.confirmed, self.terminal.after_eom = block, False
        self.terminal.answered = block.command
        if block.command is None:
            self.block += 1
            return
        self.terminal._take_page(bytes(self.octets))
        self.octets.clear()
        self.page, self.block, self.page_begun = self.page + 1, 0, False

    def _next_block(self) -> None:
        self.frames.clear()
        self.counted, self.lacking = 0, FRAMES_IN_BLOCK + 1

    def _continue_to_correct(self, ctc: Heard) -> FCF:
        """The rate that CTC sets, and a long training before what comes [T.30 5 note 5]."""
        modulation = parse_continue(ctc.fif)
        if modulation not in Capabilities.parse(own_capabilities(self.session.options)).modulations:
            raise Failure(ResultCode.INCOMPATIBLE, f"CTC sets modulation {modulation}")
        self.session.retrain("frames asked for again and again")
        self.session.slowed(modulation)
        self.modulation = modulation
        return FCF.CTR

    def _silence(self, response: FCF) -> Steps[Heard | None]:
        """T2 ran out: the end after EOP, DIS again after EOM, else a failure."""
        if self.session.complete:
            return None
        if response is FCF.RNR:
            raise Failure(ResultCode.RX_T2EXPRR, "no RR after RNR")
        if response is FCF.MCF and self.terminal.answered is FCF.EOM:
            return (yield from self.terminal._wait_for_command())
        if self.burst_heard:
            raise Failure(ResultCode.RX_T2EXPMPS, "no PPS after a block")
        raise Failure(ResultCode.RX_T2EXPFAX, f"no block after {response.name}")
