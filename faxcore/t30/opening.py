"""How a call begins and how phase B is entered again: figure 5-2a of T.30, for whoever calls and whoever answers.

    T   calling()     CNG until DIS comes                                     the calling terminal
        again()       DIS once more, after a document                         the transmitting terminal
    R   answering()   CED, then DIS again and again until a command comes     the called terminal
"""

from __future__ import annotations

from faxcore.result import ResultCode
from faxcore.t30.frames import FCF
from faxcore.t30.orders import AnswerTone, CallingTone, Frames, Listen, Report, Silence, TimedOut
from faxcore.t30.session import GAP, Failure, Heard, Session, Steps

OFF_HOOK = Silence(0.2)  # before CED [T.30 4.1]


def calling(session: Session) -> Steps[Heard]:
    """State T: CNG until any V.21 signal within T0, then DIS or DTC within T1."""
    session.step = "waiting for DIS"
    report = yield from session.transmit(CallingTone(), listen=Listen(session.options.t0))
    if isinstance(report, TimedOut) and not report.carrier_heard:
        raise Failure(ResultCode.T0_EXPIRED, "no fax answered")
    return (yield from _dis(session, report, session.now + session.options.t1))


def again(session: Session) -> Steps[Heard]:
    """State T after EOM: nothing is sent; the far end is silent for T2 first [T.30 figure 5-2a]."""
    session.step = "waiting for DIS after a document"
    deadline = session.now + session.options.t1
    return (yield from _dis(session, (yield from session.listen(session.options.t1)), deadline))


def _dis(session: Session, report: Report, deadline: float) -> Steps[Heard]:
    while True:
        heard = session.response(report)
        if heard:
            return _expect_dis(heard)
        if session.now >= deadline:
            raise Failure(ResultCode.T1_EXPIRED, "signals, but no DIS", disconnect=False)
        report = yield from session.listen(deadline - session.now)


def _expect_dis(heard: Heard) -> Heard:
    match heard.fcf:
        case FCF.DIS | FCF.DTC:
            return heard
        case FCF.DCN:
            raise Failure(ResultCode.TX_GOTDCN, "DCN where DIS was due", disconnect=False)
        case other:
            raise Failure(ResultCode.TX_NODIS, f"{other.name} where DIS was due")


def answering(session: Session, dis: Frames, *, first: bool = True) -> Steps[Heard]:
    """State R: (CSI) DIS again and again until a command comes or T1 ends; at the `first` time after CED."""
    yield from session.transmit(*((OFF_HOOK, AnswerTone(), GAP) if first else (GAP,)), dis)
    deadline = session.now + session.options.t1
    while True:
        session.step = "waiting for a command"
        command = yield from session.wait(session.options.t4)
        if isinstance(command, Heard) and command.fcf is not FCF.CRP:
            return command
        if session.now >= deadline:
            raise Failure(ResultCode.T1_EXPIRED, "no answer to DIS")
        yield from session.transmit(GAP, dis)
