"""A real use of each address family and of protocols that have a way of their own.

Each function takes a module, the standard library's or ours, and gives what came of it: the same for both. It raises
`Missing` where the kernel lacks the family. Numbers that the modules have no names for are of the kernel's headers.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

#: Longer than anything here takes, also on an emulated machine.
PATIENCE = 10

_MISSING = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.ENODEV, errno.ENOPROTOOPT)
_serial = itertools.count(os.getpid() % 20000 + 20000)


class Missing(Exception):
    """The kernel does not have it."""


class Opened(contextlib.ExitStack):
    """Sockets of a module, closed together; each has a timeout."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def socket(self, family: int, kind: int, proto: int = 0) -> Any:
        try:
            sock = self.module.socket(family, kind, proto)
        except OSError as error:
            if error.errno in _MISSING:
                raise Missing(f"{family}, {kind}, {proto}: {error}") from None
            raise
        return self.add(sock)

    def add(self, sock: Any) -> Any:
        self.callback(sock.close)
        sock.settimeout(PATIENCE)
        return sock

    def accepted(self, listener: Any) -> tuple[Any, Any]:
        sock, address = listener.accept()
        return self.add(sock), address


USES: dict[str, Callable[[Any], Any]] = {}


def use(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    USES[function.__name__] = function
    return function


def use_each(*words: str) -> Callable[[Callable[[Any, str], Any]], None]:
    """Registers a use for each of the words."""

    def register(function: Callable[[Any, str], Any]) -> None:
        for word in words:
            USES[f"{function.__name__}_{word}"] = lambda S, word=word: function(S, word)

    return register


RECEIVES = ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into")


def receive(sock: Any, how: str, size: int, ancillary: int = 256) -> tuple[bytes, list[Any], Any]:
    """(data, ancillary items, address) by one of `RECEIVES`; the address is "none" where the call has none."""
    buffer = bytearray(size)
    if how == "recv":
        return sock.recv(size), [], "none"
    if how == "recv_into":
        return bytes(buffer[: sock.recv_into(buffer)]), [], "none"
    if how == "recvfrom":
        data, address = sock.recvfrom(size)
        return data, [], address
    if how == "recvfrom_into":
        count, address = sock.recvfrom_into(buffer)
        return bytes(buffer[:count]), [], address
    if how == "recvmsg":
        data, items, _, address = sock.recvmsg(size, ancillary)
        return data, items, address
    half = memoryview(buffer)[: size // 2], memoryview(buffer)[size // 2 :]
    count, items, _, address = sock.recvmsg_into(half, ancillary)
    return bytes(buffer[:count]), items, address


def mmsg(sock: Any, size: int) -> list[Any]:
    """The messages that are there, by recvmmsg() where the module has it."""
    if hasattr(sock, "recvmmsg"):
        return [message[:2] for message in sock.recvmmsg(4, size)]
    return [sock.recvfrom(size)]


# -- AF_PACKET: packet(7) ----------------------------------------------------------------------------------------------

SOL_PACKET, PACKET_AUXDATA = 263, 8
SO_RCVBUFFORCE = 33
ETH_P_ALL = 3


def _frames(S: Any, opened: Opened, kind: int, marker: bytes) -> Any:
    """A socket that hears all of the loopback, on which a UDP datagram with *marker* went out."""
    packets = opened.socket(S.AF_PACKET, kind, S.htons(ETH_P_ALL))
    # Others use the loopback too.
    with contextlib.suppress(OSError):
        packets.setsockopt(S.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    packets.bind(("lo", ETH_P_ALL))
    packets.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sends = opened.socket(S.AF_INET, S.SOCK_DGRAM)
    for _ in range(5):
        sends.sendto(marker, ("127.0.0.1", 9))
    return packets


def _packet(S: Any, kind: int, how: str) -> Any:
    marker = b"<marker %d>" % next(_serial)
    with Opened(S) as opened:
        packets = _frames(S, opened, kind, marker)
        while True:
            data, items, address = receive(packets, how, 2048)
            # Each frame is heard as it goes and as it comes.
            if data.endswith(marker) and (address == "none" or address[2] == S.PACKET_HOST):
                break
        # struct tpacket_auxdata is in the ancillary data.
        return len(data) - len(marker), address, [(level, kind, len(content)) for level, kind, content in items]


@use_each(*RECEIVES)
def packet_raw(S: Any, how: str) -> Any:
    return _packet(S, S.SOCK_RAW, how)


@use_each(*RECEIVES)
def packet_dgram(S: Any, how: str) -> Any:
    return _packet(S, S.SOCK_DGRAM, how)


@use
def packet_many(S: Any) -> Any:
    marker = b"<marker %d>" % next(_serial)
    with Opened(S) as opened:
        packets = _frames(S, opened, S.SOCK_DGRAM, marker)
        while True:
            for data, address in mmsg(packets, 2048):
                if data.endswith(marker) and address[2] == S.PACKET_HOST:
                    return len(data) - len(marker), address


@use
def packet_sending(S: Any) -> Any:
    """A frame of an experimental protocol (IEEE 802, 0x88B5) by sendto, sendmsg and send."""
    with Opened(S) as opened:
        hears = opened.socket(S.AF_PACKET, S.SOCK_DGRAM, S.htons(0x88B5))
        hears.bind(("lo", 0x88B5))
        sends = opened.socket(S.AF_PACKET, S.SOCK_DGRAM, 0)
        to = ("lo", 0x88B5, 0, 1, b"\1\2\3\4\5\6")
        marker = b"%d" % next(_serial)
        counts = [sends.sendto(marker + b"one", to), sends.sendmsg([marker, b"two"], [], 0, to)]
        sends.bind(("lo", 0x88B5))
        found: dict[bytes, Any] = {}
        while len(found) < 2:
            data, address = hears.recvfrom(100)
            if data.startswith(marker):
                found[data[len(marker) :]] = address[:2], address[3:]
        return counts, sorted(found.items()), sends.getsockname()[:2]


CLONE_NEWNET, SIOCSIFNAME = 0x40000000, 0x8923


def in_another_namespace(make: Callable[[], Any]) -> Any:
    """What *make* gives in a network namespace of its own, whose one interface, the first, has the name "inside"."""
    import ctypes
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)

    def there() -> Any:
        # The namespace is that of this thread alone, and ends with its sockets.
        if libc.unshare(CLONE_NEWNET):
            number = ctypes.get_errno()
            if number in (errno.ENOSYS, errno.EINVAL):
                raise Missing("network namespaces")
            raise OSError(number, os.strerror(number))
        made = make()
        fcntl.ioctl(made.fileno(), SIOCSIFNAME, struct.pack("16s24s", b"lo", b"inside"))
        return made

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(there).result()


@use
def packet_in_another_namespace(S: Any) -> Any:
    """A socket keeps the network namespace that it was made in, and with it the names of the interfaces there."""
    with Opened(S) as opened:
        sock = in_another_namespace(lambda: opened.socket(S.AF_PACKET, S.SOCK_RAW, 0))
        sock.bind(("inside", ETH_P_ALL))
        name = sock.getsockname()[0]
        sock.bind(("inside", 0))
        try:
            sock.bind(("lo", 0))
        except OSError as error:
            return name, sock.getsockname()[:2], error.args
        return None


# -- AF_NETLINK: netlink(7) --------------------------------------------------------------------------------------------

RTM_GETLINK, NLM_F_REQUEST, NLM_F_DUMP, NLMSG_DONE = 18, 1, 0x300, 3


@use_each(*RECEIVES)
def netlink(S: Any, how: str) -> Any:
    """The names of the interfaces, asked for by RTM_GETLINK."""
    with Opened(S) as opened:
        sock = opened.socket(S.AF_NETLINK, S.SOCK_RAW, 0)
        sock.bind((0, 0))
        own, groups = sock.getsockname()
        request = struct.pack("=IHHIIB3x", 20, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, own, S.AF_UNSPEC)
        assert sock.sendto(request, (0, 0)) == len(request)
        names: list[bytes] = []
        senders = set()
        while True:
            data, _, address = receive(sock, how, 65536)
            senders.add(address)
            while data:
                size, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return own > 0, groups, sorted(names), senders
                attributes = data[32:size]
                while attributes:
                    length, what = struct.unpack_from("=HH", attributes)
                    if what == 3:  # IFLA_IFNAME
                        names.append(attributes[4:length].rstrip(b"\0"))
                    attributes = attributes[(length + 3) & ~3 :]
                data = data[(size + 3) & ~3 :]


# -- AF_INET and AF_INET6: protocols of their own ----------------------------------------------------------------------


def _datagrams(S: Any, opened: Opened, proto: int, option: tuple[int, int, int]) -> Any:
    one, two = opened.socket(S.AF_INET, S.SOCK_DGRAM, proto), opened.socket(S.AF_INET, S.SOCK_DGRAM, proto)
    one.bind(("127.0.0.1", 0))
    two.bind(("127.0.0.1", 0))
    one.setsockopt(*option)
    assert one.sendto(b"covered in part", two.getsockname()) == 15
    data, address = two.recvfrom(100)
    return data, address == one.getsockname(), one.getsockopt(*option[:2])


@use
def udplite(S: Any) -> Any:
    """udplite(7): a checksum over the first 8 bytes."""
    with Opened(S) as opened:
        return _datagrams(S, opened, 136, (136, 10, 8))


def _conversation(S: Any, opened: Opened, listener: Any, client: Any, size: int = 100_000) -> Any:
    """Both ways over a connection of streams, the long way in parts."""
    listener.listen()
    client.connect(listener.getsockname())
    server, address = opened.accepted(listener)
    same = address == client.getsockname() == server.getpeername()
    client.sendall(b"question")
    asked = server.recv(100)
    sent = bytes(range(256)) * (size // 256)
    received = bytearray()
    rest = memoryview(sent)
    server.settimeout(0)
    while len(received) < len(sent):
        with contextlib.suppress(BlockingIOError):
            rest = rest[server.send(rest) :]
        received += client.recv(65536)
    return same, asked, bytes(received) == sent


@use
def mptcp(S: Any) -> Any:
    """IPPROTO_MPTCP (RFC 8684); MPTCP_INFO begins with the number of subflows."""
    with Opened(S) as opened:
        listener = opened.socket(S.AF_INET, S.SOCK_STREAM, 262)
        client = opened.socket(S.AF_INET, S.SOCK_STREAM, 262)
        listener.bind(("127.0.0.1", 0))
        return _conversation(S, opened, listener, client), client.getsockopt(S.SOL_SOCKET, 38)


@use
def sctp_stream(S: Any) -> Any:
    with Opened(S) as opened:
        listener = opened.socket(S.AF_INET, S.SOCK_STREAM, S.IPPROTO_SCTP)
        client = opened.socket(S.AF_INET, S.SOCK_STREAM, S.IPPROTO_SCTP)
        listener.bind(("127.0.0.1", 0))
        return _conversation(S, opened, listener, client, 20_000)


@use_each("recvmsg", "recvmsg_into")
def sctp_messages(S: Any, how: str) -> Any:
    """RFC 6458: one socket for many associations; the stream's number goes and comes as ancillary data."""
    sctp_events, sndrcv = 11, 1
    with Opened(S) as opened:
        one = opened.socket(S.AF_INET, S.SOCK_SEQPACKET, S.IPPROTO_SCTP)
        two = opened.socket(S.AF_INET, S.SOCK_SEQPACKET, S.IPPROTO_SCTP)
        two.bind(("127.0.0.1", 0))
        two.listen()
        two.setsockopt(S.IPPROTO_SCTP, sctp_events, b"\1" + bytes(9))
        info = struct.pack("=HHHxxIIIIII", 3, 0, 0, S.htonl(77), 0, 0, 0, 0, 0)
        assert one.sendmsg([b"on stream ", b"three"], [(S.IPPROTO_SCTP, sndrcv, info)], 0, two.getsockname()) == 15
        data, items, address = receive(two, how, 100)
        return (
            data,
            address[0],
            [(level, kind, content[:2], content[8:12]) for level, kind, content in items],
        )


@use
def icmp(S: Any) -> Any:
    """raw(7): an echo request that the kernel answers."""
    with Opened(S) as opened:
        raw = opened.socket(S.AF_INET, S.SOCK_RAW, S.IPPROTO_ICMP)
        number = next(_serial) & 0xFFFF
        body = struct.pack("!BBHHH", 8, 0, 0, number, 1)
        total = sum(struct.unpack("!4H", body))
        checksum = ~(total + (total >> 16)) & 0xFFFF
        raw.sendto(body[:2] + struct.pack("!H", checksum) + body[4:], ("127.0.0.1", 0))
        while True:
            data, _, flags, address = raw.recvmsg(100)
            if data[20] == 0 and data[24:26] == struct.pack("!H", number):
                return data[20:22], data[26:], flags, address


@use
def icmp6(S: Any) -> Any:
    with Opened(S) as opened:
        raw = opened.socket(S.AF_INET6, S.SOCK_RAW, S.IPPROTO_ICMPV6)
        number = next(_serial) & 0xFFFF
        try:
            raw.sendto(struct.pack("!BBHHH", 128, 0, 0, number, 1), ("::1", 0))
        except OSError as error:
            raise Missing(f"no IPv6 loopback: {error}") from None
        while True:
            data, _, flags, address = raw.recvmsg(100)
            if data[0] == 129 and data[4:6] == struct.pack("!H", number):
                return data[:2], data[4:] == struct.pack("!HH", number, 1), flags, address


# -- AF_VSOCK: vsock(7), over its loopback -----------------------------------------------------------------------------

VMADDR_CID_LOCAL = 1


def _vsock(S: Any, kind: int) -> Any:
    with Opened(S) as opened:
        listener = opened.socket(S.AF_VSOCK, kind)
        client = opened.socket(S.AF_VSOCK, kind)
        port = next(_serial)
        try:
            listener.bind((VMADDR_CID_LOCAL, port))
        except OSError as error:
            raise Missing(f"no loopback of AF_VSOCK: {error}") from None
        listener.listen()
        client.setsockopt(S.AF_VSOCK, S.SO_VM_SOCKETS_BUFFER_SIZE, 65536)
        client.connect((VMADDR_CID_LOCAL, port))
        server, address = opened.accepted(listener)
        client.sendall(b"there")
        server.sendmsg([b"and ", b"back"])
        return (
            server.recvmsg(100),
            client.recvfrom(100),
            address == client.getsockname(),
            client.getpeername() == (VMADDR_CID_LOCAL, port),
            client.getsockopt(S.AF_VSOCK, S.SO_VM_SOCKETS_BUFFER_SIZE),
        )


@use
def vsock_stream(S: Any) -> Any:
    return _vsock(S, S.SOCK_STREAM)


@use
def vsock_seqpacket(S: Any) -> Any:
    return _vsock(S, S.SOCK_SEQPACKET)


# -- AF_CAN: Documentation/networking/can.rst, over vcan0 --------------------------------------------------------------

CAN_FRAME = struct.Struct("=IB3x8s")


def _can(S: Any, opened: Opened, kind: int, proto: int) -> Any:
    sock = opened.socket(S.AF_CAN, kind, proto)
    if not os.path.exists("/sys/class/net/vcan0"):
        raise Missing("no interface vcan0")
    return sock


@use_each(*RECEIVES)
def can_raw(S: Any, how: str) -> Any:
    with Opened(S) as opened:
        sends = _can(S, opened, S.SOCK_RAW, S.CAN_RAW)
        hears = _can(S, opened, S.SOCK_RAW, S.CAN_RAW)
        hears.bind(("vcan0",))
        hears.setsockopt(S.SOL_CAN_RAW, S.CAN_RAW_FILTER, struct.pack("=II", 0x123, 0x7FF))
        sends.bind(("",))
        other, wanted = CAN_FRAME.pack(0x321, 2, b"no"), CAN_FRAME.pack(0x123, 3, b"yes")
        counts = [sends.sendto(other, ("vcan0",)), sends.sendto(wanted, ("vcan0",))]
        data, _, address = receive(hears, how, 100)
        return counts, data == wanted, address, hears.getsockname(), sends.getsockname()


@use
def can_bcm(S: Any) -> Any:
    """The broadcast manager sends one frame three times, and tells another socket of its content once."""
    head = struct.Struct("@IIIqqqqII")  # struct bcm_msg_head
    with Opened(S) as opened:
        manager = _can(S, opened, S.SOCK_DGRAM, S.CAN_BCM)
        watcher = _can(S, opened, S.SOCK_DGRAM, S.CAN_BCM)
        raw = _can(S, opened, S.SOCK_RAW, S.CAN_RAW)
        raw.bind(("vcan0",))
        frame = CAN_FRAME.pack(0x222, 4, b"tick")
        watcher.connect(("vcan0",))
        flags = S.CAN_BCM_RX_FILTER_ID
        watcher.send(head.pack(S.CAN_BCM_RX_SETUP, flags, 0, 0, 0, 0, 0, 0x222, 0))
        manager.connect(("vcan0",))
        flags = S.CAN_BCM_SETTIMER | S.CAN_BCM_STARTTIMER
        # three times, one each millisecond, and never after
        manager.send(head.pack(S.CAN_BCM_TX_SETUP, flags, 3, 0, 1000, 0, 0, 0x222, 1) + frame)
        data, address = watcher.recvfrom(200)
        opcode, *_, identifier, frames = head.unpack_from(data)
        return (
            [raw.recv(16) == frame for _ in range(3)],
            opcode,
            identifier,
            frames,
            data[head.size :] == frame,
            address,
        )


# -- AF_ALG: Documentation/crypto/userspace-if.rst ---------------------------------------------------------------------


def _algorithm(S: Any, opened: Opened, kind: str, name: str, key: bytes = b"", authsize: int | None = None) -> Any:
    sock = opened.socket(S.AF_ALG, S.SOCK_SEQPACKET, 0)
    try:
        sock.bind((kind, name))
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise Missing(f"no {name}") from None
        raise
    if key:
        sock.setsockopt(S.SOL_ALG, S.ALG_SET_KEY, key)
    if authsize is not None:
        sock.setsockopt(S.SOL_ALG, S.ALG_SET_AEAD_AUTHSIZE, None, authsize)
    return _operation(opened, sock)


def _operation(opened: Opened, sock: Any) -> tuple[Any, Any]:
    """accept(), which has no name to give. Most of these sockets cannot be polled, so that the standard library waits
    for nothing when they have a timeout."""
    sock.settimeout(None)
    operation, address = opened.accepted(sock)
    operation.settimeout(None)
    return operation, address


@use_each("sha1", "sha256", "hmac(sha256)")
def alg_hash(S: Any, name: str) -> Any:
    with Opened(S) as opened:
        operation, address = _algorithm(S, opened, "hash", name, b"key" if name.startswith("hmac") else b"")
        operation.sendall(b"a", S.MSG_MORE)
        operation.sendall(b"bc")
        return operation.recv(64).hex(), address


@use_each("cbc(aes)", "ctr(aes)")
def alg_skcipher(S: Any, name: str) -> Any:
    text = b"Single block msg" * 4
    with Opened(S) as opened:
        operation, _ = _algorithm(S, opened, "skcipher", name, b"k" * 16)
        operation.sendmsg_afalg([text], op=S.ALG_OP_ENCRYPT, iv=b"i" * 16)
        secret = operation.recv(len(text))
        operation.sendmsg_afalg(op=S.ALG_OP_DECRYPT, iv=b"i" * 16, flags=S.MSG_MORE)
        operation.sendall(secret)
        return secret.hex(), operation.recv(len(text)) == text


@use
def alg_aead(S: Any) -> Any:
    """gcm(aes), case 4 of NIST's: additional data, plain text, and a tag of 16 bytes."""
    key = bytes.fromhex("c939cc13397c1d37de6ae0e1cb7c423c")
    iv = bytes.fromhex("b3d8cc017cbb89b39e0f67e2")
    plain = bytes.fromhex("c3b3c41f113a31b73d9a5cd432103069")
    extra = bytes.fromhex("24825602bd12a984e0092d3e448eda5f")
    with Opened(S) as opened:
        operation, _ = _algorithm(S, opened, "aead", "gcm(aes)", key, 16)
        operation.sendmsg_afalg([extra, plain], op=S.ALG_OP_ENCRYPT, iv=iv, assoclen=len(extra))
        answer = operation.recvmsg(len(extra) + len(plain) + 16)[0]
        secret = answer[len(extra) :]
        operation.sendmsg_afalg([extra, secret], op=S.ALG_OP_DECRYPT, iv=iv, assoclen=len(extra))
        back = operation.recv(len(extra) + len(plain))
        return secret.hex(), back[len(extra) :] == plain


@use
def alg_rng(S: Any) -> Any:
    with Opened(S) as opened:
        sock = opened.socket(S.AF_ALG, S.SOCK_SEQPACKET, 0)
        sock.bind(("rng", "jitterentropy_rng"))
        operation, _ = _operation(opened, sock)
        return len(operation.recv(32)), operation.recv(32) != operation.recv(32)


# -- AF_TIPC: tipc.io, on one node -------------------------------------------------------------------------------------


@use_each(*RECEIVES)
def tipc_messages(S: Any, how: str) -> Any:
    service = next(_serial)
    with Opened(S) as opened:
        hears = opened.socket(S.AF_TIPC, S.SOCK_RDM)
        sends = opened.socket(S.AF_TIPC, S.SOCK_RDM)
        hears.bind((S.TIPC_ADDR_NAMESEQ, service, 10, 20, S.TIPC_NODE_SCOPE))
        count = sends.sendto(b"to a name", (S.TIPC_ADDR_NAME, service, 15, 0))
        data, _, address = receive(hears, how, 100)
        back = b""
        if address != "none":
            hears.sendto(b"to a socket", address)
            back, sender = sends.recvfrom(100)
            assert sender == hears.getsockname(), sender
            address = address == sends.getsockname(), address[0]
        return count, data, address, back, hears.getsockname()[0]


@use
def tipc_stream(S: Any) -> Any:
    service = next(_serial)
    with Opened(S) as opened:
        listener = opened.socket(S.AF_TIPC, S.SOCK_STREAM)
        listener.bind((S.TIPC_ADDR_NAMESEQ, service, 0, 0, S.TIPC_NODE_SCOPE))
        listener.listen()
        client = opened.socket(S.AF_TIPC, S.SOCK_STREAM)
        taken: list[Any] = []
        # connect() comes back when the other side has accepted.
        accepting = threading.Thread(target=lambda: taken.append(opened.accepted(listener)))
        accepting.start()
        client.connect((S.TIPC_ADDR_NAME, service, 0, 0))
        accepting.join()
        ((server, address),) = taken
        client.sendall(b"there")
        asked = server.recv(100)
        server.sendall(b"back")
        return asked, client.recv(100), address == client.getsockname(), client.getpeername() == server.getsockname()


# -- AF_RDS: rds(7) ----------------------------------------------------------------------------------------------------


@use_each("recvfrom", "recvmsg")
def rds(S: Any, how: str) -> Any:
    with Opened(S) as opened:
        one = opened.socket(S.AF_RDS, S.SOCK_SEQPACKET)
        two = opened.socket(S.AF_RDS, S.SOCK_SEQPACKET)
        one.bind(("127.0.0.1", next(_serial)))
        two.bind(("127.0.0.1", next(_serial)))
        count = one.sendto(b"reliable", two.getsockname())
        data, _, address = receive(two, how, 100)
        return count, data, address == one.getsockname()


# -- AF_UNIX: unix(7) --------------------------------------------------------------------------------------------------


@use_each(*RECEIVES)
def unix_descriptors(S: Any, how: str) -> Any:
    """SCM_CREDENTIALS to a named socket, and an answer to the name that the kernel has chosen."""
    with Opened(S) as opened:
        hears = opened.socket(S.AF_UNIX, S.SOCK_DGRAM)
        sends = opened.socket(S.AF_UNIX, S.SOCK_DGRAM)
        name = b"\0families %d" % next(_serial)
        hears.bind(name)
        hears.setsockopt(S.SOL_SOCKET, S.SO_PASSCRED, 1)
        sends.bind("")
        sends.sendto(b"hello", name)
        data, items, address = receive(hears, how, 100)
        own = struct.pack("=iII", os.getpid(), os.getuid(), os.getgid())
        answered = b""
        if address != "none":
            hears.sendto(b"back", address)
            answered = sends.recv(100)
            address = address == sends.getsockname()
        return data, [(level, kind, content == own) for level, kind, content in items], address, answered
