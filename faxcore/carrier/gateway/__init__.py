"""The gateway: a fax machine on a telephone line becomes packets, and packets a fax machine [T.38 6.2].

Two signal streams are joined: what the `Ear` hears goes out as packets, what packets bring the `Player` plays. No
T.30 terminal is here, only `Conversation`, which reads the frames that pass in order to know what comes next.
"""

from faxcore.carrier.gateway.joint import GatewayCarrier

__all__ = ["GatewayCarrier"]
