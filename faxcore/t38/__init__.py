"""T.38: fax as packets. IFP packets and what carries them (UDPTL, TPKT, RTP), the SDP that offers them, captures."""
