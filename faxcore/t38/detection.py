"""Which of the two forms a partner writes, whatever was negotiated [T.38 Annex A].

Gateways of version 0 answer offers of version 3, and sources disagree about version 1. Many packets can be read
in both forms, so a reading must also make sense.
"""

from __future__ import annotations

from faxcore.errors import FrameError
from faxcore.t38 import ifp
from faxcore.t38.ifp import Data, DataKind, FieldType, Form, Packet

_UNREADABLE, _STRANGE, _SETTLED = 4, 1, 4
_MUST_HAVE_DATA = {FieldType.HDLC_DATA, FieldType.T4_NON_ECM_DATA}
# Some makers put data into HDLC_FCS_OK, and the text allows it in T4_NON_ECM_SIG_END.
_NEVER_HAS_DATA = {FieldType.HDLC_SIG_END, FieldType.HDLC_FCS_BAD, FieldType.HDLC_FCS_BAD_SIG_END}
_FAST = range(DataKind.V27_2400, DataKind.V17_14400 + 1)


def _is_the_same_in_both(octets: bytes) -> bool:
    """An indicator, or one field of HDLC data: most packets of a call."""
    return octets[:1] < b"\x40" or (octets[1:3] == b"\x01\x80" and octets[:1] < b"\xe0")


class FormDetector:
    """Reads packets in the form that their sender uses; `form` is the best guess so far.

    `expected` is the negotiated form: it decides while both readings make sense. `settled` becomes true when one
    form has worked and the other has not.
    """

    def __init__(self, expected: Form = Form.V1998) -> None:
        self.form = expected
        self.settled = False
        self._faults = {Form.V1998: 0, Form.V2002: 0}
        self._open = {Form.V1998: False, Form.V2002: False}

    def decode(self, octets: bytes) -> Packet:
        """The packet of these octets; FrameError if neither form can read them."""
        if self.settled or _is_the_same_in_both(octets):
            try:
                packet = ifp.decode(octets, self.form)
                for form in () if self.settled else Form:
                    self._open[form] = isinstance(packet, Data)
                return packet
            except FrameError:
                self.settled = False
        readings: dict[Form, Packet] = {}
        worst = {}
        for form in Form:
            try:
                readings[form] = packet = ifp.decode(octets, form)
                worst[form] = self._strangeness(packet, form)
            except FrameError:
                worst[form] = _UNREADABLE
        if not readings:
            self.settled = self._far_apart()
            raise FrameError("no packet in either form")
        self._weigh(worst)
        return readings[self.form] if self.form in readings else next(iter(readings.values()))

    def _strangeness(self, packet: Packet, form: Form) -> int:
        if not isinstance(packet, Data):
            self._open[form] = False
            return 0
        return max((self._strange_field(packet.kind, field, form) for field in packet.fields), default=0)

    def _strange_field(self, kind: DataKind, field: ifp.Field, form: Form) -> int:
        type_ = field.type
        broken = (
            type_ in (_NEVER_HAS_DATA if field.octets else _MUST_HAVE_DATA)
            or (kind is DataKind.V21 and type_ >= FieldType.T4_NON_ECM_DATA)
            or (kind in _FAST and type_ >= FieldType.CM_MESSAGE)
        )
        # A signal that ends within a frame is odd, but one lost packet is enough for it.
        odd = type_ is FieldType.HDLC_SIG_END and self._open[form]
        self._open[form] = type_ is FieldType.HDLC_DATA
        return _UNREADABLE if broken else _STRANGE if odd else 0

    def _weigh(self, worst: dict[Form, int]) -> None:
        common = min(worst.values())
        for form in Form:
            self._faults[form] = min(self._faults[form] + worst[form] - common, 4 * _SETTLED)
        least = min(self._faults.values())
        for form in Form:
            self._faults[form] -= least
            if self._faults[form] >= _SETTLED:
                self.form = Form.V2002 if form is Form.V1998 else Form.V1998
        self.settled = self._far_apart()

    def _far_apart(self) -> bool:
        return max(self._faults.values()) >= _SETTLED
