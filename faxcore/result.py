"""How a call ended: the 62 codes that telephony knows, in our words, and the variables of SWML."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from faxcore.signals import CarrierQuality
from faxcore.stations import FarStation


class ResultCode(IntEnum):
    """Why a call ended; numbers as SignalWire, FreeSWITCH and Asterisk use them."""

    OK = 0
    CEDTONE = 1
    T0_EXPIRED = 2
    T1_EXPIRED = 3
    T3_EXPIRED = 4
    HDLC_CARRIER = 5
    CANNOT_TRAIN = 6
    OPER_INT_FAIL = 7
    INCOMPATIBLE = 8
    RX_INCAPABLE = 9
    TX_INCAPABLE = 10
    NORESSUPPORT = 11
    NOSIZESUPPORT = 12
    UNEXPECTED = 13
    TX_BADDCS = 14
    TX_BADPG = 15
    TX_ECMPHD = 16
    TX_GOTDCN = 17
    TX_INVALRSP = 18
    TX_NODIS = 19
    TX_PHBDEAD = 20
    TX_PHDDEAD = 21
    TX_T5EXP = 22
    RX_ECMPHD = 23
    RX_GOTDCS = 24
    RX_INVALCMD = 25
    RX_NOCARRIER = 26
    RX_NOEOL = 27
    RX_NOFAX = 28
    RX_T2EXPDCN = 29
    RX_T2EXPD = 30
    RX_T2EXPFAX = 31
    RX_T2EXPMPS = 32
    RX_T2EXPRR = 33
    RX_T2EXP = 34
    RX_DCNWHY = 35
    RX_DCNDATA = 36
    RX_DCNFAX = 37
    RX_DCNPHD = 38
    RX_DCNRRD = 39
    RX_DCNNORTN = 40
    FILEERROR = 41
    NOPAGE = 42
    BADTIFF = 43
    BADPAGE = 44
    BADTAG = 45
    BADTIFFHDR = 46
    NOMEM = 47
    RETRYDCN = 48
    CALLDROPPED = 49
    NOPOLL = 50
    IDENT_UNACCEPTABLE = 51
    SUB_UNACCEPTABLE = 52
    SEP_UNACCEPTABLE = 53
    PSA_UNACCEPTABLE = 54
    SID_UNACCEPTABLE = 55
    PWD_UNACCEPTABLE = 56
    TSA_UNACCEPTABLE = 57
    IRA_UNACCEPTABLE = 58
    CIA_UNACCEPTABLE = 59
    ISP_UNACCEPTABLE = 60
    CSA_UNACCEPTABLE = 61


TEXTS: dict[ResultCode, str] = {
    ResultCode.OK: "Every page was confirmed",
    ResultCode.CEDTONE: "The answer tone lasted longer than 5 s",
    ResultCode.T0_EXPIRED: "The call was answered, but no fax was heard (T0)",
    ResultCode.T1_EXPIRED: "A fax tone was heard, but no valid first signal in time (T1)",
    ResultCode.T3_EXPIRED: "No operator took the line in time (T3)",
    ResultCode.HDLC_CARRIER: "The control carrier of the far end would not drop",
    ResultCode.CANNOT_TRAIN: "Training failed at every common rate",
    ResultCode.OPER_INT_FAIL: "The operator interrupt failed",
    ResultCode.INCOMPATIBLE: "The two terminals have no common capabilities",
    ResultCode.RX_INCAPABLE: "The far end cannot receive",
    ResultCode.TX_INCAPABLE: "The far end has nothing to send",
    ResultCode.NORESSUPPORT: "The far end does not take this resolution",
    ResultCode.NOSIZESUPPORT: "The far end does not take this page size",
    ResultCode.UNEXPECTED: "The far end sent a frame that fits no allowed step",
    ResultCode.TX_BADDCS: "The far end disconnected on DCS or training",
    ResultCode.TX_BADPG: "The far end disconnected after a page",
    ResultCode.TX_ECMPHD: "The far end gave no legal answer in the ECM exchange after a page",
    ResultCode.TX_GOTDCN: "The far end disconnected before it sent DIS",
    ResultCode.TX_INVALRSP: "The far end gave no legal answer after a page",
    ResultCode.TX_NODIS: "Another signal came where DIS was due",
    ResultCode.TX_PHBDEAD: "No answer to DCS and training",
    ResultCode.TX_PHDDEAD: "No answer after a page",
    ResultCode.TX_T5EXP: "The far end stayed not ready (T5)",
    ResultCode.RX_ECMPHD: "The far end broke the ECM exchange after a page",
    ResultCode.RX_GOTDCS: "DCS came where DTC was due",
    ResultCode.RX_INVALCMD: "An illegal command came after a page",
    ResultCode.RX_NOCARRIER: "The image carrier was lost",
    ResultCode.RX_NOEOL: "No end of line came for too long",
    ResultCode.RX_NOFAX: "The image carrier brought no first line",
    ResultCode.RX_T2EXPDCN: "No DCN came in time (T2)",
    ResultCode.RX_T2EXPD: "No command came after the page (T2)",
    ResultCode.RX_T2EXPFAX: "No page came in time (T2)",
    ResultCode.RX_T2EXPMPS: "Nothing came after the page in time (T2)",
    ResultCode.RX_T2EXPRR: "No RR came in time (T2)",
    ResultCode.RX_T2EXP: "No command came in time (T2)",
    ResultCode.RX_DCNWHY: "The far end disconnected during set-up",
    ResultCode.RX_DCNDATA: "The far end disconnected where a page was due",
    ResultCode.RX_DCNFAX: "The far end disconnected where a post-message command was due",
    ResultCode.RX_DCNPHD: "The far end disconnected between pages",
    ResultCode.RX_DCNRRD: "The far end disconnected while it was not ready",
    ResultCode.RX_DCNNORTN: "The far end disconnected when a page was asked for again",
    ResultCode.FILEERROR: "The document cannot be opened",
    ResultCode.NOPAGE: "The page is not in the document",
    ResultCode.BADTIFF: "The document is of a kind that cannot be used",
    ResultCode.BADPAGE: "The document's page number is missing",
    ResultCode.BADTAG: "The document has impossible values",
    ResultCode.BADTIFFHDR: "The document is broken",
    ResultCode.NOMEM: "There is not enough memory for the pages",
    ResultCode.RETRYDCN: "Gave up after the allowed repeats",
    ResultCode.CALLDROPPED: "The call ended before the fax did",
    ResultCode.NOPOLL: "Polling was refused",
    ResultCode.IDENT_UNACCEPTABLE: "The far end's identity was refused",
    ResultCode.SUB_UNACCEPTABLE: "The sub-address was refused",
    ResultCode.SEP_UNACCEPTABLE: "The selective polling address was refused",
    ResultCode.PSA_UNACCEPTABLE: "The polled sub-address was refused",
    ResultCode.SID_UNACCEPTABLE: "The sender identification was refused",
    ResultCode.PWD_UNACCEPTABLE: "The password was refused",
    ResultCode.TSA_UNACCEPTABLE: "The sender's internet address was refused",
    ResultCode.IRA_UNACCEPTABLE: "The internet routing address was refused",
    ResultCode.CIA_UNACCEPTABLE: "The caller's internet address was refused",
    ResultCode.ISP_UNACCEPTABLE: "The internet selective polling address was refused",
    ResultCode.CSA_UNACCEPTABLE: "The called internet address was refused",
}

DETAIL_NOT_FETCHED = 100
DETAIL_TOO_BIG = 101
DETAIL_UNREADABLE = 102
DETAIL_STOPPED_BY_OWNER = 103
DETAIL_INTERNAL = 199


@dataclass(frozen=True, slots=True, kw_only=True)
class FaxResult:
    """How a call ended. `pages` counts the pages that were confirmed.

    `detail` carries a finer number where `code` (0-61) has none; `note` says in words what was awaited.
    `bit_rate` is in bit/s and 0 before training; `duration` is line time in seconds; `quality` is what the fast
    receiver saw of its last trained burst, None where there was none; `bursts` is that of each burst in turn, trained
    or not (of a long call, the last 64).
    `far` is all that the far end said of itself.
    """

    code: ResultCode
    pages: int = 0
    identity: str = ""
    remote_identity: str = ""
    document: str = ""
    detail: int | None = None
    note: str = ""
    bit_rate: int = 0
    modulation: str = ""
    coding: str = ""
    resolution: str = ""
    ecm: bool = False
    bad_rows: int = 0
    duration: float = 0.0
    attempts: tuple[str, ...] = field(default=())
    quality: CarrierQuality | None = None
    bursts: tuple[CarrierQuality, ...] = field(default=(), repr=False)
    far: FarStation = field(default_factory=FarStation)

    @property
    def success(self) -> bool:
        """True if every page was confirmed."""
        return self.code is ResultCode.OK

    @property
    def text(self) -> str:
        """The words for `code`."""
        return TEXTS[self.code]

    def variables(self, method: str) -> dict[str, str | int]:
        """SWML's output variables of "send_fax" or "receive_fax"."""
        if method not in ("send_fax", "receive_fax"):
            raise ValueError(f"method must be 'send_fax' or 'receive_fax', not {method!r}")
        return {
            f"{method}_document": self.document,
            f"{method}_identity": self.identity,
            f"{method}_remote_identity": self.remote_identity,
            f"{method}_pages": self.pages,
            f"{method}_result_code": int(self.code),
            f"{method}_result_text": self.text,
            f"{method}_result": "success" if self.success else "failed",
        }

    @classmethod
    def not_answered(cls, cause: str | int, *, identity: str = "", document: str = "") -> FaxResult:
        """The result of a call that never reached us.

        `cause` is a hang-up cause: a Q.850 number or a name such as "busy", "no_answer", "NO_ANSWER". No answer
        is code 2, everything else (busy, rejected, unreachable) is code 49.
        """
        word = str(cause).strip().lower().replace("-", "_").replace(" ", "_")
        unanswered = word in {"18", "19", "102", "no_answer", "noanswer", "no_user_response", "timeout",
                              "recovery_on_timer_expire"}
        code = ResultCode.T0_EXPIRED if unanswered else ResultCode.CALLDROPPED
        return cls(code=code, identity=identity, document=document, note=f"not answered: {cause}")
