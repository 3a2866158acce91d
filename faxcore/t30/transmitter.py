"""The transmitting terminal, which calls or, when it is polled, is called: figure 5-2 of T.30, read from the top.

    T   call() -> calling()           CNG until DIS comes; polled: CED, DIS until DTC comes     phase A
    D   _train()                      DCS and TCF until CFR comes, slower after each FTT        phase B
    I   _page()                       training and the coded page                               phase C
    II  _post_message()               MPS or EOP until the page is confirmed                    phase D
        Session.run()                 DCN                                                       phase E
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from faxcore import coding
from faxcore.errors import DocumentError
from faxcore.events import PageSent, PageStarted
from faxcore.page import RESOLUTIONS, Page, Paper, Resolution
from faxcore.result import ResultCode
from faxcore.signals import Modulation
from faxcore.t30.capabilities import (
    ANYTHING,
    INTERNET,
    Capabilities,
    Form,
    Parameters,
    choose_coding,
    choose_form,
    choose_parameters,
    polled_capabilities,
    rate_ladder,
    too_large,
)
from faxcore.t30.ecm import Block, blocks_of
from faxcore.t30.ecm_sender import CorrectedBlock
from faxcore.t30.frames import FCF
from faxcore.t30.idents import refused_field
from faxcore.t30.opening import again, answering, calling
from faxcore.t30.orders import Await, Image, Procedure, TrainingCheck, Transmission
from faxcore.t30.session import GAP, Failure, Heard, Session, Steps

TRIES = 3  # of a command without an answer [T.30 5.4.2]
SENDINGS = 3  # of a page that is refused; some receivers refuse for ever
DIS_AFTER_DCS = 3  # the third DIS in answer to DCS ends the call
ECHOES = 3


class PageRequest(Protocol):
    """A page that is being drawn. `page()` waits for it and gives the same page each time, or raises DocumentError."""

    def ready(self) -> bool: ...

    def page(self) -> Page: ...


class PageSupply(Protocol):
    """The documents to send: `request` begins to draw a page, counted from 0, and returns at once.

    `paper` says which size it is, in which it will be drawn if the far end takes it, `ends_document` if another
    document begins after it.
    """

    def __len__(self) -> int: ...

    def paper(self, index: int) -> Paper: ...

    def ends_document(self, index: int) -> bool: ...

    def request(
        self, index: int, resolution: Resolution, *, line_mm: int, longest_mm: float | None
    ) -> PageRequest: ...


def transmitting_terminal(session: Session, pages: PageSupply, *, calls: bool = True) -> Procedure:
    """Sends `pages` as the calling terminal, or as the called one when it is polled.

    `session.result` tells the end.
    """
    return session.run(_Transmitter(session, pages, calls).call())


class _Transmitter:
    def __init__(self, session: Session, pages: PageSupply, calls: bool) -> None:
        self.session, self.pages, self.options, self.calls = session, pages, session.options, calls
        self.session.echoes = ("sender",) if calls else ("called",)
        self.far = ANYTHING
        self.ladder: tuple[Modulation, ...] = ()
        self.sheets: dict[int, tuple[Form, PageRequest]] = {}  # at most the page on the line and the next one
        self.rung, self.failures = 0, 0  # trainings at this rung that failed

    def call(self) -> Steps[None]:
        if len(self.pages) == 0:
            raise Failure(ResultCode.NOPAGE, "the document has no page")
        self._draw(0)
        self._take_capabilities((yield from (calling(self.session) if self.calls else self._wait_for_dtc())))
        yield from self._train(0)
        yield from self._send_pages()
        yield from self.session.disconnect()

    # Phase A, and the beginning of phase B

    def _wait_for_dtc(self) -> Steps[Heard]:
        """State R of a terminal to be polled: (CSI) DIS until DTC comes."""
        dis = (*self.session.idents((FCF.CSI, self.session.identity)), (FCF.DIS, polled_capabilities(self.options)))
        heard = yield from answering(self.session, self.session.signal(*dis))
        self.session.echoes = ("sender", "called")
        match heard.fcf:
            case FCF.DTC:
                return heard
            case FCF.DCN:
                raise Failure(ResultCode.RX_DCNWHY, "DCN where DTC was due", disconnect=False)
            case FCF.DCS:
                raise Failure(ResultCode.RX_GOTDCS, "DCS where DTC was due")
            case other:
                raise Failure(ResultCode.UNEXPECTED, f"{other.name} where DTC was due")

    def _take_capabilities(self, heard: Heard) -> None:
        """What the far end can do decides coding and the ladder of rates [T.30 table 2].

        In the midst of a call the rate stays what it is, where the far end still has it.
        """
        self.session.received_dis = self.calls
        self.session.meet(heard)
        self.far = Capabilities.parse(heard.fif)
        self.session.at_once = self.session.internet and INTERNET in self.far.bits
        if not self.far.can_receive:
            raise Failure(ResultCode.RX_INCAPABLE, "DIS says it cannot receive")
        before = self.ladder[self.rung].bit_rate if self.ladder else self.options.max_rate
        self.ladder = rate_ladder(self.far, self.options)
        coding = choose_coding(self.far, self.options)
        if not self.ladder or coding is None:
            raise Failure(ResultCode.INCOMPATIBLE, f"no common {'coding' if self.ladder else 'modulation'}")
        self.coding = coding
        self.rung = next((rung for rung, m in enumerate(self.ladder) if m.bit_rate <= before), len(self.ladder) - 1)

    def _form(self, index: int) -> Form:
        """How a page goes to this far end: as it is, or if it may, smaller or coarser [T.30 table 2]."""
        wanted, paper = RESOLUTIONS[self.options.resolution], self.pages.paper(index)
        form = choose_form(self.far, wanted, paper, self.options)
        if form.resolution != wanted and not self.options.adapt:
            raise Failure(ResultCode.NORESSUPPORT, f"page {index + 1} is {wanted.name}")
        if too_large(form, paper, adapt=self.options.adapt):
            raise Failure(ResultCode.NOSIZESUPPORT, f"page {index + 1} is {paper.width_mm} x {paper.length_mm:.0f} mm")
        return form

    # Phase B

    def _train(self, index: int) -> Steps[None]:
        """State D: DCS, for the page that follows, and TCF until CFR, one rate down after each FTT."""
        dis_again, form = 0, self._form(index)
        self._draw(index)
        while True:
            parameters = choose_parameters(self.far, self.ladder[self.rung], form, self.coding, self.options)
            parameters = replace(parameters, internet=self.session.at_once)
            self.session.negotiated(parameters)
            answer = yield from self._command(*self._set_up(parameters), awaited="CFR")
            match answer.fcf if answer else None:
                case None:
                    raise Failure(ResultCode.TX_PHBDEAD, "no answer to DCS and TCF")
                case FCF.CFR:
                    self.failures = 0
                    return
                case FCF.FTT:
                    self._fall_back("training failed")
                case FCF.DIS | FCF.DTC:
                    # It missed DCS, or it says in this way that it could not train.
                    dis_again += 1
                    if dis_again == DIS_AFTER_DCS:
                        raise Failure(ResultCode.RETRYDCN, "DIS in answer to DCS again and again")
                    if dis_again > 1:
                        self._fall_back("DIS in answer to DCS")
                case FCF.DCN:
                    raise Failure(ResultCode.TX_BADDCS, "DCN in answer to DCS", disconnect=False)
                case FCF.FNV if answer:
                    raise Failure(refused_field(answer.fif), "the far end refuses what came with DCS (FNV)")
                case other:
                    raise Failure(ResultCode.UNEXPECTED, f"{other.name} in answer to DCS")

    def _set_up(self, parameters: Parameters) -> tuple[Transmission, ...]:
        idents = self.session.idents(
            (FCF.TSI, self.session.identity),
            (FCF.SUB, self.options.sub_address if parameters.sub else None),
            (FCF.SID, self.options.sender_id if parameters.sid else None),
        )
        signal = self.session.signal(*idents, (FCF.DCS, parameters.build()))
        return (signal,) if parameters.internet else (signal, TrainingCheck(parameters.modulation))

    def _fall_back(self, cause: str) -> None:
        """One rate down, perhaps after more tries at this one [T.30 5.3.6.1.4: the choice is the sender's]."""
        self.session.retrain(cause)
        self.failures += 1
        if self.failures < self.options.tries_per_rate:
            return
        self.failures = 0
        if self.rung + 1 == len(self.ladder):
            raise Failure(ResultCode.CANNOT_TRAIN, f"{cause} at the last rate")
        self.rung += 1

    # Phases C and D

    def _send_pages(self) -> Steps[None]:
        for index in range(len(self.pages)):
            command = self._command_after(index)
            answer = yield from self._send_page(index, command)
            if command is FCF.EOM:
                self._take_capabilities((yield from again(self.session)))
            if command is FCF.EOM or (command is FCF.MPS and answer is FCF.RTP):
                yield from self._train(index + 1)

    def _command_after(self, index: int) -> FCF:
        """EOP at the end, EOM after a document and where DCS has to say something else of the next page, else MPS."""
        if index + 1 == len(self.pages):
            return FCF.EOP
        same = self._form(index) == self._form(index + 1) and not self.pages.ends_document(index)
        return FCF.MPS if same else FCF.EOM

    def _send_page(self, index: int, command: FCF) -> Steps[FCF]:
        """States I and II for one page, until it is confirmed: MCF, PIP or RTP, or ERR where it is not whole."""
        for sending in range(SENDINGS):
            sheet = self._sheet(index)
            if self.session.parameters.ecm:
                answer = yield from self._corrected_page(index, sheet, command)
            else:
                yield from self._page(index, sheet)
                answer = yield from self._post_message(command)
            if answer in (FCF.MCF, FCF.PIP, FCF.RTP):
                self._confirmed(index, sheet)
                if answer is FCF.RTP:
                    self.session.retrain("training asked for (RTP)")
                return answer
            if answer is FCF.ERR:
                del self.sheets[index]
                return answer
            if sending + 1 < SENDINGS:
                yield from self._refused(index, command, answer)
        code = {FCF.RTN: ResultCode.RETRYDCN, FCF.PIN: ResultCode.T3_EXPIRED}.get(answer, ResultCode.TX_INVALRSP)
        raise Failure(code, f"page {index + 1} was answered with {answer.name} {SENDINGS} times")

    def _begin_page(self, index: int) -> None:
        self.session.step = f"sending page {index + 1}"
        self.session.emit(PageStarted(self.session.now, index + 1))
        if index + 1 < len(self.pages):
            self._draw(index + 1)

    def _page(self, index: int, sheet: _Sheet) -> Steps[None]:
        self._begin_page(index)
        yield from self.session.transmit(GAP, Image(self.session.parameters.page_modulation, sheet))

    def _post_message(self, command: FCF) -> Steps[FCF]:
        """State II: the command, until an answer that tells what became of the page."""
        heard = yield from self._command(self.session.signal(command), awaited=f"an answer to {command.name}")
        answer = heard.fcf if heard else None
        match answer:
            case None:
                raise Failure(ResultCode.TX_PHDDEAD, f"no answer to {command.name}")
            case FCF.DCN:
                code = ResultCode.TX_BADPG if command is FCF.EOP else ResultCode.RX_DCNPHD
                raise Failure(code, f"DCN in answer to {command.name}", disconnect=False)
            case FCF.MCF | FCF.PIP | FCF.RTP | FCF.RTN | FCF.PIN | FCF.CFR | FCF.FTT | FCF.DIS | FCF.DTC:
                return answer
            case other:
                raise Failure(ResultCode.TX_INVALRSP, f"{other.name} in answer to {command.name}")

    def _corrected_page(self, index: int, sheet: _Sheet, command: FCF) -> Steps[FCF]:
        """States IV: the page in blocks, each until it is whole; MCF, ERR where not all are, or what ended it."""
        whole = True
        self._begin_page(index)
        yield from self.session.transmit(Await(sheet))
        blocks = list(blocks_of(sheet.octets(), self.session.parameters.ecm_frame, self.coding))
        for number, frames in enumerate(blocks):
            last = number + 1 == len(blocks)
            block = Block(command if last else None, index, number, len(frames))
            answer = yield from CorrectedBlock(self, frames, block, len(blocks)).send()
            whole = whole and answer is FCF.MCF
            if answer not in (FCF.MCF, FCF.ERR):
                return answer
        return FCF.MCF if whole else FCF.ERR

    def _refused(self, index: int, command: FCF, answer: FCF) -> Steps[None]:
        """The page goes out again: after CFR at once, after DIS at the same rate, else at a lower one if there is.

        EOM has ended the far end's phase D: it says DIS first, also after RTN [T.30 figure 5-2c].
        """
        if answer is FCF.CFR:
            return
        self.session.retrain(f"page {index + 1} refused ({answer.name})")
        if answer not in (FCF.DIS, FCF.DTC):
            self.rung = min(self.rung + 1, len(self.ladder) - 1)
            if command is FCF.EOM:
                self._take_capabilities((yield from again(self.session)))
        yield from self._train(index)

    def _confirmed(self, index: int, sheet: _Sheet) -> None:
        del self.sheets[index]
        self.session.pages += 1
        self.session.emit(PageSent(self.session.now, index + 1, len(sheet.octets()), sheet.rows))
        self.session.complete = index + 1 == len(self.pages)

    def _draw(self, index: int) -> PageRequest:
        """Begins to draw a page in the form that the far end takes, if it is not at that."""
        form = self._form(index)
        if index not in self.sheets or self.sheets[index][0] != form:
            request = self.pages.request(index, form.resolution, line_mm=form.width_mm, longest_mm=form.length_mm)
            self.sheets[index] = form, request
        return self.sheets[index][1]

    def _sheet(self, index: int) -> _Sheet:
        return _Sheet(self._draw(index), self.session.parameters, self.session.document, index + 1)

    # Commands and responses

    def _command(self, *items: Transmission, awaited: str) -> Steps[Heard | None]:
        """Sends a command until an answer other than CRP comes, three times at most [T.30 5.4.2]."""
        for _ in range(TRIES):
            self.session.step = f"waiting for {awaited}"
            for item in items:  # one Order each: what was sent is told when it was
                yield from self.session.transmit(GAP, item)
            heard = yield from self._answer()
            if heard and heard.fcf is not FCF.CRP:
                return (yield from self._interrupt(heard)) if heard.fcf in (FCF.PIN, FCF.PIP) else heard
        return None

    def _interrupt(self, wanted: Heard) -> Steps[Heard]:
        """PIN or PIP: an operator is wanted. Nobody is here; what comes within T3 counts, else the call goes on."""
        deadline = self.session.now + self.options.t3
        self.session.step = "waiting for an operator (T3)"
        while self.session.now < deadline:
            heard = self.session.response((yield from self.session.listen(deadline - self.session.now)))
            if heard and heard.fcf in (FCF.PIN, FCF.PIP):
                wanted = heard
            elif heard and heard.fcf.sent_by not in self.session.echoes:
                return heard
        return wanted

    def _answer(self) -> Steps[Heard | None]:
        """What comes within T4; our own commands, which a bad line sends back, start T4 anew."""
        for _ in range(ECHOES):
            heard = self.session.response((yield from self.session.listen(self.options.t4)))
            if heard is None or heard.fcf.sent_by not in self.session.echoes:
                return heard
        return None


class _Sheet:
    """A page on its way to the line: drawn by its request, coded when first asked for."""

    def __init__(self, request: PageRequest, parameters: Parameters, document: str, number: int) -> None:
        self._request, self._parameters = request, parameters
        self._document, self._number = document, number
        self._octets = b""
        self.rows = 0

    def ready(self) -> bool:
        return self._request.ready()

    def octets(self) -> bytes:
        if not self._octets:
            page = self._checked(self._request.page())
            self.rows = page.height
            self._octets = _coded(page, self._parameters.coding, self._parameters.min_line_bits)
        return self._octets

    def _checked(self, page: Page) -> Page:
        width, wanted = self._parameters.line_pels, self._parameters.resolution
        if (page.width, page.resolution) != (width, wanted):
            cause = f"drawn {page.width} pels wide at {page.resolution.name} where {width} at {wanted.name} was due"
            raise DocumentError(self._document, cause, page=self._number, code=ResultCode.BADTAG)
        return page


@lru_cache(maxsize=4)
def _coded(page: Page, name: str, min_line_bits: int) -> bytes:
    """A page that goes to many far ends is coded once."""
    return coding.encode(page, name, bit_order="lsb", min_line_bits=min_line_bits)
