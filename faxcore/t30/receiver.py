"""The receiving terminal, which is called or, when it polls, calls: figure 5-2 of T.30, read from the top.

    R      call() -> _wait_for_command()   CED, DIS until a command comes; polling: CNG, DTC     phases A and B
    F-TCF  _train()                        DCS, TCF; FTT until one is good                      phase B
    F      _receive_pages(), _page()       CFR, then pages                                      phase C
    post   _judge(), _after_page()         MCF, RTP or RTN; what may follow each                phase D
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import NamedTuple

from faxcore import coding
from faxcore.events import PageReceived, PageStarted
from faxcore.page import LINES_MM, RESOLUTIONS, Page
from faxcore.result import ResultCode
from faxcore.signals import Modulation
from faxcore.t30.capabilities import (
    PSA,
    PWD_SID,
    SEP,
    Capabilities,
    Parameters,
    own_capabilities,
    own_poll,
    rate_ladder,
)
from faxcore.t30.ecm_receiver import CorrectedPages
from faxcore.t30.frames import FCF
from faxcore.t30.idents import refused_field
from faxcore.t30.opening import answering, calling
from faxcore.t30.orders import BurstHeard, DataHeard, Frames, Procedure, Silence
from faxcore.t30.quality import has_line_end, page_response, training_is_good
from faxcore.t30.session import GAP, LONGEST_PAGE, PAGE_HOLD, POST_MESSAGE, TCF_HOLD, Failure, Heard, Session, Steps

TCF_PASSES = Silence(3.2)  # the longest training and TCF, and no more than T4 after the shortest
POLLS = 3  # DTC without an answer [T.30 5.4.2]
LARGEST_PAGE = 64 << 20  # octets of its bitmap: 40 m of A4 at fine, 7 m of A3 at 400 lines per inch
FRUITLESS = 40  # exchanges without a page: more than all rates three times over
LONGEST_TCF_S = 10.0
NO_LINE_S = 13.0  # a page without an end of line [T.4 3.3: 5 s; some makers allow 13]
CUT_S = 0.8  # from the end of a page to its command: 75 ms, in the field up to 500, and the time to know both

Signal = Heard | DataHeard | None


class _Carrier(NamedTuple):
    """What a page's carrier brought. `cut`: it was lost before the sender stopped; `lost`: the share that fell out."""

    octets: bytes
    cut: bool
    lost: float


def receiving_terminal(
    session: Session,
    store: Callable[[Page], None],
    room: Callable[[], bool] = lambda: True,
    *,
    calls: bool = False,
) -> Procedure:
    """Receives a document as the answering terminal, or as the calling one that polls.

    `store` gets each page before it is confirmed and may raise DocumentError; in error correction mode the far end
    has to wait after a block while `room` is false, T1 at most. `session.result` tells the end.
    """
    return session.run(_Receiver(session, store, room, calls).call())


class _Receiver:
    def __init__(
        self, session: Session, store: Callable[[Page], None], room: Callable[[], bool], calls: bool
    ) -> None:
        self.session, self.store, self.room, self.options = session, store, room, session.options
        self.calls = calls
        session.echoes = ("receiver", "poller") if calls else ("receiver", "called")
        self.poll: Frames | None = None  # (CIG) DTC
        self.answered: FCF | None = None  # the post-message command that our last response answered
        self.after_eom = False
        self.exchanges = 0
        self.confirmation: PageReceived | None = None  # goes out with the next MCF or RTP

    def call(self) -> Steps[None]:
        command: Heard | None = yield from self._wait_for_command(first=True)
        while command:
            yield from self._train(command)
            if self.session.parameters.ecm:
                command = yield from CorrectedPages(self).receive()
            else:
                command = yield from self._receive_pages()
            self._count_exchange()

    # Phases A and B

    def _wait_for_command(self, *, first: bool = False) -> Steps[Heard]:
        """State R: (CSI) DIS until a command comes; where we call, DTC in answer to DIS."""
        if not self.calls:
            csi = self.session.idents((FCF.CSI, self.session.identity))
            dis = self.session.signal(*csi, (FCF.DIS, own_capabilities(self.options, internet=self.session.internet)))
            return (yield from answering(self.session, dis, first=first))
        if first:
            self.poll = self._poll((yield from calling(self.session)))
        return (yield from self._command_to_poll())

    def _poll(self, dis: Heard) -> Frames:
        """(CIG) (PWD) (SEP) (PSA) DTC, as far as the far end knows them [T.30 5.3.6.1.2]."""
        self.session.received_dis = True
        self.session.meet(dis)
        far = Capabilities.parse(dis.fif)
        if not far.has_document:
            raise Failure(ResultCode.TX_INCAPABLE, f"{dis.fcf.name} says there is no document to be polled")
        options = self.options
        wishes = {
            PWD_SID: (FCF.PWD, options.password),
            SEP: (FCF.SEP, options.polling_address),
            PSA: (FCF.PSA, options.polled_sub_address),
        }
        asked = frozenset(bit for bit, (_, text) in wishes.items() if text and bit in far.bits)
        idents = self.session.idents((FCF.CIG, self.session.identity), *(wishes[bit] for bit in wishes if bit in asked))
        return self.session.signal(*idents, (FCF.DTC, own_poll(options, asked)))

    def _command_to_poll(self) -> Steps[Heard]:
        """DTC until it is answered, by something else than DIS once more, three times at most [T.30 5.4.2]."""
        assert self.poll
        for _ in range(POLLS):
            self.session.step = "waiting for DCS after DTC"
            yield from self.session.transmit(GAP, self.poll)
            command = yield from self.session.wait(self.options.t4)
            if isinstance(command, Heard) and command.fcf not in (FCF.CRP, FCF.DIS):
                return command
        raise Failure(ResultCode.RETRYDCN, "no answer to DTC")

    def _train(self, command: Heard) -> Steps[None]:
        """State F-TCF: FTT until a TCF is good. DCS again means that our last response was lost."""
        while True:
            try:
                parameters = self._take_dcs(command)
            except Failure:
                if command.fcf is FCF.DCS:  # its sender hears no DCN before it has sent TCF
                    yield from self.session.transmit(TCF_PASSES)
                raise
            check = yield from self._training_check(parameters)
            if isinstance(check, Heard):
                command = check
            elif check and self._allowed(parameters.modulation):
                return
            else:
                command = yield from self._fail_to_train()
            self._count_exchange()

    def _take_dcs(self, command: Heard) -> Parameters:
        match command.fcf:
            case FCF.DCS:
                self.session.meet(command)
            case FCF.DCN:
                raise Failure(ResultCode.RX_DCNWHY, "DCN where DCS was due", disconnect=False)
            case FCF.DTC:
                raise Failure(ResultCode.NOPOLL, "there is no document to poll")
            case FCF.FNV:
                raise Failure(refused_field(command.fif), "the far end refuses what came with DTC (FNV)")
            case other:
                raise Failure(ResultCode.UNEXPECTED, f"{other.name} where DCS was due")
        self.after_eom = self.after_eom or self.answered is FCF.EOM
        self.answered, self.session.complete = None, False
        parameters = Parameters.parse(command.fif)
        self.session.at_once = parameters.internet and self.session.internet
        if self.session.at_once:
            parameters = replace(parameters, modulation=rate_ladder(self._own(), self.options)[0])
        parameters = self._usable(parameters)
        self.session.negotiated(parameters)
        return parameters

    def _own(self) -> Capabilities:
        return Capabilities.parse(own_capabilities(self.options))

    def _usable(self, parameters: Parameters) -> Parameters:
        """A sender that sets what our DIS did not offer would send pages that nobody can read."""
        modulation = parameters.modulation
        if modulation not in self._own().modulations:
            raise Failure(ResultCode.INCOMPATIBLE, f"DCS sets modulation {modulation}")
        if parameters.coding not in ("mh", *self.options.codings) or parameters.ecm > self.options.ecm:
            raise Failure(ResultCode.INCOMPATIBLE, f"DCS sets {'ECM' if parameters.ecm else parameters.coding}")
        if parameters.resolution not in RESOLUTIONS.values():
            raise Failure(ResultCode.NORESSUPPORT, f"DCS sets resolution {parameters.resolution.name}")
        if parameters.width_mm > LINES_MM[self.options.width]:
            raise Failure(ResultCode.NOSIZESUPPORT, f"DCS sets a width of {parameters.width_mm} mm")
        return parameters

    def _training_check(self, parameters: Parameters) -> Steps[Heard | bool]:
        """TCF is good or not; or the command that came in its place. Without modems there is none."""
        if self.session.at_once:
            return True
        self.session.step = "waiting for TCF"
        signal = yield from self.session.wait(self.options.t2, parameters.modulation, again=False, hold=TCF_HOLD)
        if not isinstance(signal, DataHeard):
            return signal or False
        most = int(LONGEST_TCF_S * parameters.modulation.bit_rate / 8)
        octets, _ = yield from self._collect(signal, parameters.modulation, most, TCF_HOLD)
        return signal.trained and training_is_good(octets, parameters.modulation.bit_rate)

    def _allowed(self, modulation: Modulation) -> bool:
        """DIS cannot say V.17 without V.29, nor which rates of a modulation we want: FTT does."""
        wanted = modulation.name in self.options.modulations
        return wanted and self.options.min_rate <= modulation.bit_rate <= self.options.max_rate

    def _fail_to_train(self) -> Steps[Heard]:
        self.session.retrain("training failed")
        command = yield from self._respond(FCF.FTT)
        if not isinstance(command, Heard):
            raise Failure(ResultCode.RX_T2EXP, "no DCS after FTT")
        return command

    # Phases C and D

    def _receive_pages(self) -> Steps[Heard | None]:
        """States F and post: pages until the far end is to train again; its command, or None at the end."""
        response = FCF.CFR
        while True:
            carrier, command = yield from self._page(response)
            if command.fcf is FCF.DCS:  # our CFR was lost, or the sender sets something else
                return command
            self.answered = POST_MESSAGE[command.fcf]
            response = self._judge(carrier)
            if response is not FCF.MCF or self.answered is not FCF.MPS:
                return (yield from self._after_page(response))

    def _page(self, response: FCF) -> Steps[tuple[_Carrier | None, Heard]]:
        """Says CFR or MCF; the page that follows, or None where its carrier was not decoded, and the command after."""
        modulation = self.session.parameters.page_modulation
        signal = yield from self._respond(response, modulation)
        untrained = False
        while isinstance(signal, DataHeard) and not signal.trained:
            untrained = True
            self._count_exchange()
            signal = yield from self.session.wait(self.options.t2, modulation)
        if signal is None:
            code = ResultCode.RX_NOCARRIER if untrained else ResultCode.RX_T2EXPFAX
            raise Failure(code, f"no page after {response.name}")
        if isinstance(signal, Heard):
            return None, self._expect_post_message(signal, ResultCode.RX_DCNDATA)
        self.session.emit(PageStarted(signal.begin, self.session.pages + 1))
        self.session.step = f"receiving page {self.session.pages + 1}"
        octets, lost = yield from self._collect(signal, modulation, LONGEST_PAGE, PAGE_HOLD)
        end = self.session.now
        command = yield from self._wait_for_post_message(modulation)
        return _Carrier(octets, command.begin - end > CUT_S, lost), command

    def _wait_for_post_message(self, modulation: Modulation) -> Steps[Heard]:
        """The command after a page. A lost carrier that runs on shows as one that comes and goes undecoded."""
        self.session.step = "waiting for the command after a page"
        signal = yield from self.session.wait(self.options.t2, modulation)
        while isinstance(signal, DataHeard):
            self._count_exchange()
            signal = yield from self.session.wait(self.options.t2, modulation)
        if signal is None:
            raise Failure(ResultCode.RX_T2EXPMPS, "no command after the page")
        return self._expect_post_message(signal, ResultCode.RX_DCNFAX)

    def _expect_post_message(self, command: Heard, on_dcn: ResultCode) -> Heard:
        if command.fcf is FCF.DCN:
            raise Failure(on_dcn, "DCN where a page or its command was due", disconnect=False)
        if command.fcf not in POST_MESSAGE and command.fcf is not FCF.DCS:
            raise Failure(ResultCode.RX_INVALCMD, f"{command.fcf.name} where a page or its command was due")
        return command

    def _judge(self, carrier: _Carrier | None) -> FCF:
        """MCF, RTP or RTN. A page that was not there at all is RTN; without one line no receipt may go out."""
        if carrier is None:
            return self._refuse_page()
        number, decoded = self.session.pages + 1, self._decoded(carrier.octets)
        rows, bad_rows = decoded.page.height, decoded.bad_rows
        bad_rows += ceil(rows * carrier.lost / (1 - carrier.lost))  # those that are not there at all
        shares = {"rtp": self.options.rtp_bad_rows, "rtn": self.options.rtn_bad_rows}
        response = page_response(rows, bad_rows, cut=carrier.cut and not decoded.complete, **shares)
        if response is None:
            # Some senders take RTN as a receipt: DCN is the one answer that none of them misreads.
            raise Failure(ResultCode.RX_NOFAX, "a page without one line")
        if response is FCF.RTN:
            return self._refuse_page()
        if response is FCF.RTP:
            self.session.retrain(f"page {number} damaged (RTP)")
        self.store(decoded.page)
        self.confirmation = PageReceived(0.0, number, len(carrier.octets), rows, bad_rows, decoded.longest_bad_run)
        return response

    def _decoded(self, octets: bytes) -> coding.Decoded:
        """The page, whatever its length, up to what memory bears: some octets of white lines are a page of miles."""
        parameters = self.session.parameters
        most = LARGEST_PAGE * 8 // parameters.line_pels
        decoded = coding.decode(
            octets, parameters.coding, parameters.line_pels, parameters.resolution, max_rows=most
        )
        if decoded.page.height == most and not decoded.complete:
            raise Failure(ResultCode.NOMEM, f"a page of more than {most} lines")
        return decoded

    def _take_page(self, octets: bytes) -> PageReceived:
        """Error correction has brought a whole page: it is stored, and confirmed with the next response."""
        number, decoded = self.session.pages + 1, self._decoded(octets)
        rows = decoded.page.height
        if not rows:
            raise Failure(ResultCode.RX_NOFAX, "a page without one line")
        self.store(decoded.page)
        self.confirmation = PageReceived(0.0, number, len(octets), rows, decoded.bad_rows, decoded.longest_bad_run)
        return self.confirmation

    def _refuse_page(self) -> FCF:
        self.session.retrain(f"page {self.session.pages + 1} refused (RTN)")
        return FCF.RTN

    def _after_page(self, response: FCF) -> Steps[Heard | None]:
        """The response to EOP or EOM, or RTP or RTN to MPS: then DCS, or the end; after EOM DIS when T2 is over."""
        self.session.step = f"waiting for what follows {response.name}"
        command = yield from self._respond(response)
        if isinstance(command, Heard) and command.fcf is FCF.DCS:
            return command
        if self.session.complete:  # DCN, or T2, or whatever: the document is here and the sender knows
            return None
        if command is None and self.answered is FCF.EOM:
            return (yield from self._wait_for_command())
        if not isinstance(command, Heard):
            raise Failure(ResultCode.RX_T2EXP, f"no DCS after {response.name}")
        if command.fcf is FCF.DCN:
            code = ResultCode.RX_DCNNORTN if response is FCF.RTN else ResultCode.RX_DCNWHY
            raise Failure(code, f"DCN after {response.name}", disconnect=False)
        raise Failure(ResultCode.RX_INVALCMD, f"{command.fcf.name} after {response.name}")

    # Commands and responses

    def _respond(self, response: FCF, fast: Modulation | None = None) -> Steps[Signal]:
        """Says a response and waits T2 for what follows; says it again after CRP or the same command again."""
        while True:
            yield from self.session.transmit(GAP, self.session.signal(response))
            self._confirmed()
            signal: Signal = yield from self.session.wait(self.options.t2, fast)
            if not isinstance(signal, Heard):
                return signal
            if signal.fcf is not FCF.CRP and POST_MESSAGE.get(signal.fcf, signal.fcf) is not self.answered:
                return signal
            self._count_exchange()

    def _confirmed(self) -> None:
        if self.confirmation:
            page = self.confirmation
            self.confirmation, self.exchanges = None, 0
            self.session.pages, self.session.bad_rows = page.number, self.session.bad_rows + page.bad_rows
            self.session.complete = self.answered is FCF.EOP
            command = self.answered.name if self.answered else ""
            self.session.emit(replace(page, at=self.session.now, command=command))

    def _signal(self, fast: Modulation) -> Steps[Heard | BurstHeard | None]:
        """The next V.21 signal or burst of frames within T2; a burst that was not decoded brought none."""
        signal: Heard | DataHeard | BurstHeard | None = yield from self.session.wait(self.options.t2, fast, framed=True)
        if isinstance(signal, DataHeard):
            return BurstHeard(signal.begin, signal.end, (), trained=False)
        return signal

    def _collect(self, block: DataHeard, fast: Modulation, most: int, hold: float) -> Steps[tuple[bytes, float]]:
        """The octets of a fast carrier until it ends, and the share of its time that fell out."""
        octets, since = bytearray(block.octets), 0
        while block.more:
            if len(octets) > most:
                raise Failure(ResultCode.RX_NOEOL, "a carrier without end")
            report = yield from self.session.listen(self.options.t2, fast, hold=hold)
            if not isinstance(report, DataHeard):
                break
            block = report
            octets += block.octets
            since = 0 if has_line_end(block.octets) else since + len(block.octets)
            if 8 * since > NO_LINE_S * fast.bit_rate:
                raise Failure(ResultCode.RX_NOEOL, "a carrier without any end of line")
        return bytes(octets), block.lost

    def _count_exchange(self) -> None:
        """No far end keeps us busy for ever without a page."""
        self.exchanges += 1
        if self.exchanges > FRUITLESS:
            raise Failure(ResultCode.RETRYDCN, "too many exchanges without a page")
