"""What the kernel knows of a TCP connection: `tcp_info`, the option TCP_INFO of tcp(7) with names.

The layout is that of struct tcp_info in linux/tcp.h, which grows at its end: an older kernel gives less, and what it
did not give is None.
"""

from __future__ import annotations

import dataclasses
import enum
from struct import Struct
from typing import TYPE_CHECKING

from . import _socket

if TYPE_CHECKING:
    from typing import Any, Protocol

    class HasOptions(Protocol):
        """A socket, as far as it is needed here."""

        def getsockopt(self, level: int, option: int, buflen: int, /) -> bytes: ...


__all__ = ["TcpInfo", "TcpState", "tcp_info"]

_CONSTANTS = _socket.core.CONSTANTS
_MOST = 1024
_NOT_MEASURED = 0xFFFF_FFFF


class TcpState(enum.IntEnum):
    """The states of RFC 9293 3.3.2, with Linux's numbers."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12


@dataclasses.dataclass(frozen=True, slots=True)
class TcpInfo:
    """The names are the kernel's, behind ``tcpi_``, with the unit.

    ``_us`` are microseconds, ``_ms`` milliseconds, ``_bytes`` bytes, ``_per_second`` bytes in a second; windows and
    thresholds of the sender (``snd_cwnd``, ``snd_ssthresh``, ``unacked``, ...) and all other counts are packets. None
    is what this kernel does not tell. Without a limit the pacing rates are 2**64 - 1 and ``snd_ssthresh`` 2**31 - 1.
    """

    state: TcpState | int | None = None
    #: Open, Disorder, CWR, Recovery, Loss: 0 to 4.
    ca_state: int | None = None
    #: Retransmissions of the packet that is waited for, window probes that have no answer, and doublings of the timer.
    retransmits: int | None = None
    probes: int | None = None
    backoff: int | None = None
    #: ``TCPI_OPT_*`` bits: timestamps, SACK, window scaling, ECN, ECN seen, SYN data.
    options: int | None = None
    #: Window scales as powers of two.
    snd_wscale: int | None = None
    rcv_wscale: int | None = None
    #: Whether the delivery rate was limited by the program and not by the network.
    delivery_rate_app_limited: bool | None = None
    #: Why TCP Fast Open failed at the client: TFO_STATUS_UNSPEC, TFO_COOKIE_UNAVAILABLE, TFO_DATA_NOT_ACKED, ...
    fastopen_client_fail: int | None = None
    #: The retransmission timer, and the delay of acknowledgements.
    rto_us: int | None = None
    ato_us: int | None = None
    snd_mss_bytes: int | None = None
    rcv_mss_bytes: int | None = None
    #: Packets sent that are not acknowledged, that are acknowledged out of order, taken for lost, and sent again.
    unacked: int | None = None
    sacked: int | None = None
    lost: int | None = None
    retrans: int | None = None
    fackets: int | None = None
    #: How long ago.
    last_data_sent_ms: int | None = None
    last_ack_sent_ms: int | None = None
    last_data_recv_ms: int | None = None
    last_ack_recv_ms: int | None = None
    pmtu_bytes: int | None = None
    rcv_ssthresh_bytes: int | None = None
    #: The smoothed round-trip time and its variation.
    rtt_us: int | None = None
    rttvar_us: int | None = None
    snd_ssthresh: int | None = None
    snd_cwnd: int | None = None
    advmss_bytes: int | None = None
    reordering: int | None = None
    #: The round-trip time as the receiver estimates it, and the buffer space that it tunes for.
    rcv_rtt_us: int | None = None
    rcv_space_bytes: int | None = None
    #: Packets sent again since the connection began.
    total_retrans: int | None = None
    pacing_rate_per_second: int | None = None
    max_pacing_rate_per_second: int | None = None
    acked_bytes: int | None = None
    received_bytes: int | None = None
    segs_out: int | None = None
    segs_in: int | None = None
    #: In the send queue and not sent yet.
    notsent_bytes: int | None = None
    #: The shortest round-trip time; None before there was one.
    min_rtt_us: int | None = None
    data_segs_in: int | None = None
    data_segs_out: int | None = None
    delivery_rate_per_second: int | None = None
    #: How long it has had data to send, and been held up by the peer's window and by the own buffer.
    busy_time_us: int | None = None
    rwnd_limited_us: int | None = None
    sndbuf_limited_us: int | None = None
    delivered: int | None = None
    delivered_ce: int | None = None
    sent_bytes: int | None = None
    retrans_bytes: int | None = None
    dsack_dups: int | None = None
    reord_seen: int | None = None
    rcv_ooopack: int | None = None
    #: The peer's window, and the own one.
    snd_wnd_bytes: int | None = None
    rcv_wnd_bytes: int | None = None
    #: How often another path was chosen.
    rehash: int | None = None
    #: Times that the timer ran out, recoveries from that, and the time that these took.
    total_rto: int | None = None
    total_rto_recoveries: int | None = None
    total_rto_time_ms: int | None = None
    #: Accurate ECN.
    received_ce: int | None = None
    delivered_e1_bytes: int | None = None
    delivered_e0_bytes: int | None = None
    delivered_ce_bytes: int | None = None
    received_e1_bytes: int | None = None
    received_e0_bytes: int | None = None
    received_ce_bytes: int | None = None


#: The members behind the bit fields, in the struct's order, and how wide they are: B, H, I and Q as in `struct`.
_BIT_FIELDS = ("snd_wscale", "rcv_wscale", "delivery_rate_app_limited", "fastopen_client_fail")
_WIDE = {
    *("pacing_rate_per_second", "max_pacing_rate_per_second", "acked_bytes", "received_bytes"),
    *("delivery_rate_per_second", "busy_time_us", "rwnd_limited_us", "sndbuf_limited_us", "sent_bytes"),
    "retrans_bytes",
}
_SHORT = {"total_rto", "total_rto_recoveries"}


def _layout() -> list[tuple[str, int, Struct]]:
    """Name, offset and format of each member. No member needs padding but for those that are listed in order."""
    members: list[tuple[str, int, Struct]] = []
    offset = 0
    for position, field in enumerate(dataclasses.fields(TcpInfo)):
        if field.name in _BIT_FIELDS:
            offset = 8
            continue
        code = "B" if position < 6 else "Q" if field.name in _WIDE else "H" if field.name in _SHORT else "I"
        form = Struct(f"={code}")
        offset += -offset % form.size
        members.append((field.name, offset, form))
        offset += form.size
    return members


_LAYOUT = _layout()


def _bits(data: bytes) -> dict[str, Any]:
    # In the order of the machine's bits.
    scales, marks = data[6], data[7]
    if _LITTLE_ENDIAN:
        return {
            "snd_wscale": scales & 15,
            "rcv_wscale": scales >> 4,
            "delivery_rate_app_limited": bool(marks & 1),
            "fastopen_client_fail": marks >> 1 & 3,
        }
    return {
        "snd_wscale": scales >> 4,
        "rcv_wscale": scales & 15,
        "delivery_rate_app_limited": bool(marks & 0x80),
        "fastopen_client_fail": marks >> 5 & 3,
    }


_LITTLE_ENDIAN = Struct("=H").pack(1)[0] == 1


def tcp_info(sock: HasOptions) -> TcpInfo:
    """What the kernel tells of the TCP connection of *sock*, of a listening or a closed one, too.

    OSError as of getsockopt(2), for a socket of another protocol EOPNOTSUPP or ENOPROTOOPT; ENOPROTOOPT where the
    platform has no TCP_INFO of Linux's form.
    """
    option = _CONSTANTS.get("TCP_INFO") if "TCP_KEEPIDLE" in _CONSTANTS and "SO_PEERCRED" in _CONSTANTS else None
    if option is None:
        import errno
        import os

        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    return _parsed(sock.getsockopt(_CONSTANTS["IPPROTO_TCP"], option, _MOST))


def _parsed(data: bytes) -> TcpInfo:
    values: dict[str, Any] = _bits(data) if len(data) >= 8 else {}
    for name, offset, form in _LAYOUT:
        if offset + form.size <= len(data):
            (values[name],) = form.unpack_from(data, offset)
    state = values.get("state", 0)
    if state in TcpState._value2member_map_:
        values["state"] = TcpState(state)
    if values.get("min_rtt_us") == _NOT_MEASURED:
        values["min_rtt_us"] = None
    return TcpInfo(**values)
