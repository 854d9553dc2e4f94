"""Random programs: a state machine of hypothesis whose rules write the lines of a program.

Each rule adds one line or some, which use what the lines before have made. The machine knows little of what the lines
do: which names hold sockets and files, and which sockets would wait for ever. Lines that fail are as good as others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

#: A number that chooses one of what there is, so that shrinking leads to the first.
choice = st.integers(0, 63)


def one_of(*texts: str) -> st.SearchStrategy[str]:
    """One of some texts; the simplest first."""
    return st.sampled_from(texts)


KINDS = one_of(
    "socket.AF_UNIX, socket.SOCK_STREAM",
    "socket.AF_UNIX, socket.SOCK_DGRAM",
    "socket.AF_UNIX, socket.SOCK_SEQPACKET",
    "",
    "socket.AF_UNIX",
    "socket.AF_INET, socket.SOCK_STREAM",
    "socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK",
    "socket.AF_UNIX, 77",
    "77",
    "socket.AF_INET, socket.SOCK_STREAM, 77",
    "None",
    "Index(1), Index(2)",
    "2**40",
)
INTERNET = one_of(
    "",
    "socket.AF_INET",
    "socket.AF_INET, socket.SOCK_DGRAM",
    "socket.AF_INET6, socket.SOCK_STREAM",
    "socket.AF_INET6, socket.SOCK_DGRAM",
    "socket.AF_UNIX, socket.SOCK_DGRAM",
    "socket.AF_UNIX",
    "socket.AF_NETLINK, socket.SOCK_RAW",
    "socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC",
    "socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP",
    "type=socket.SOCK_DGRAM",
    "proto=17",
    "-1, -1, -1",
    "fileno=None",
    "fileno=-1",
    "fileno=55",
    "fileno=2**31",
    "fileno=2**63",
    "fileno='x'",
    "fileno=1.0",
    "-2",
    "'x'",
)
TIMEOUTS = one_of("0.004", "0", "None", "0.02", "1e-9", "True", "Index(0)", "-1", "float('nan')", "1e300", "'x'")
SIZES = one_of("5", "1", "0", "100", "5000", "70000", "-1", "Index(3)", "True", "None", "2**63", "2.0")
FLAGS = one_of(
    "",
    "socket.MSG_DONTWAIT",
    "socket.MSG_PEEK",
    "socket.MSG_TRUNC",
    "socket.MSG_WAITALL | socket.MSG_DONTWAIT",
    "socket.MSG_OOB",
    "socket.MSG_ERRQUEUE",
    "socket.MSG_PEEK | socket.MSG_TRUNC",
    "socket.MSG_NOSIGNAL",
    "socket.MSG_CMSG_CLOEXEC",
    "0",
    "2**31",
    "None",
    "Index(0)",
)
SENDING = one_of(
    "",
    "socket.MSG_DONTWAIT",
    "socket.MSG_NOSIGNAL",
    "socket.MSG_OOB",
    "socket.MSG_EOR",
    "socket.MSG_MORE",
    "0",
    "-1",
    "2**31",
    "None",
)
DATA = one_of(
    "b'hello'",
    "b'x'",
    "b''",
    "b'0123456789' * 500",
    "bytearray(b'abc')",
    "memoryview(b'abcdef')",
    "memoryview(b'abcdef')[::2]",
    "bytes(150000)",
    "'text'",
    "5",
    "None",
    "bytes(0) or []",
    "struct.pack('5i', *range(5))",
    "io.BytesIO(b'qwertz').getbuffer()",
)
LEVELS = one_of(
    "socket.SOL_SOCKET, socket.SO_TYPE",
    "socket.SOL_SOCKET, socket.SO_ERROR",
    "socket.SOL_SOCKET, socket.SO_REUSEADDR",
    "socket.SOL_SOCKET, socket.SO_KEEPALIVE",
    "socket.SOL_SOCKET, socket.SO_SNDBUF",
    "socket.SOL_SOCKET, socket.SO_RCVBUF",
    "socket.SOL_SOCKET, socket.SO_LINGER",
    "socket.SOL_SOCKET, socket.SO_ACCEPTCONN",
    "socket.SOL_SOCKET, socket.SO_BROADCAST",
    "socket.SOL_SOCKET, socket.SO_PASSCRED",
    "socket.SOL_SOCKET, socket.SO_RCVLOWAT",
    "socket.SOL_SOCKET, socket.SO_RCVTIMEO",
    "socket.SOL_SOCKET, socket.SO_BINDTODEVICE",
    "socket.IPPROTO_TCP, socket.TCP_NODELAY",
    "socket.IPPROTO_TCP, socket.TCP_MAXSEG",
    "socket.IPPROTO_TCP, socket.TCP_CONGESTION",
    "socket.IPPROTO_IP, socket.IP_TTL",
    "socket.IPPROTO_IP, socket.IP_TOS",
    "socket.IPPROTO_IPV6, socket.IPV6_V6ONLY",
    "socket.SOL_SOCKET, 9999",
    "77, 77",
    "'x', 1",
    "1, None",
    "2**31, 1",
)
VALUES = one_of(
    "1",
    "0",
    "4096",
    "-1",
    "2**31",
    "True",
    "Index(1)",
    "b''",
    "b'\\1\\0\\0\\0'",
    "struct.pack('ii', 1, 0)",
    "struct.pack('ll', 0, 4000)",
    "bytearray(4)",
    "memoryview(bytes(8))[::2]",
    "None",
    "None, 4",
    "1, 4",
    "'x'",
    "1.5",
    "b'cubic'",
)
ADDRESSES = one_of(
    "('127.0.0.1', 0)",
    "('127.0.0.1', 1)",
    "path(1)",
    "path(2)",
    "abstract(1)",
    "path(1).encode()",
    "abstract(1).encode()",
    "('127.0.0.2', 0)",
    "('', 0)",
    "('<broadcast>', 0)",
    "('::1', 0)",
    "('::1', 0, 0, 0)",
    "('::1', 0, -1)",
    "('0.0.0.0', 0)",
    "''",
    "b''",
    "'x' * 200",
    "'a\\0b'",
    "('127.0.0.1', 65536)",
    "('127.0.0.1', -1)",
    "('127.0.0.1', '1')",
    "('127.0.0.1', 1.0)",
    "('127.0.0.1',)",
    "['127.0.0.1', 0]",
    "(None, 0)",
    "(b'127.0.0.1', 0)",
    "(bytearray(b'127.0.0.1'), 0)",
    "('127.0.0.1\\0', 0)",
    "('127.0.0.1', Index(1))",
    "('127.0.0.1', True)",
    "('127.0.0.1', 2**80)",
    "None",
    "5",
    "(0, 0)",
    "bytearray(abstract(2).encode())",
    "memoryview(b'sp-x')",
)
ANCILLARY = one_of(
    "[]",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('i', {s}.fileno()))]",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('2i', {s}.fileno(), {s}.fileno()))]",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, b'')]",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('i', 55))]",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, b'xyz')]",
    "[(socket.IPPROTO_IP, socket.IP_TTL, struct.pack('i', 64))]",
    "[(socket.SOL_SOCKET, 77, b'1234')]",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS)]",
    "[5]",
    "None",
    "[(1, 2, 'x')]",
    "[(1, 2, memoryview(bytes(8))[::2])]",
    "((socket.SOL_SOCKET, socket.SCM_RIGHTS, bytearray(struct.pack('i', {s}.fileno()))) for _ in range(1))",
    "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('i', {s}.fileno()))] * 2",
    "[(2**31, 1, b'')]",
    "[('x', 1, b'')]",
)
GATHERED = one_of(
    "[b'hello']",
    "[b'a', b'bc', b'def']",
    "[]",
    "[b'']",
    "(bytearray(b'xy'), memoryview(b'z'))",
    "(b'x' for _ in range(3))",
    "[b'q' * 3000, b'r' * 3000]",
    "[bytes(100000), bytes(100000)]",
    "b'abc'",
    "[5]",
    "['x']",
    "5",
    "[memoryview(b'abcdef')[::2]]",
    "[b'x'] * 1030",
)
WITHOUT_SECOND = ("recvmsg({n})", "recvmsg_into([b0])")
ROOMS = one_of("0", "64", "24", "20", "1000", "socket.CMSG_SPACE(8)", "socket.CMSG_LEN(4)", "-1", "2**31", "None")
FUNCTIONS = one_of(
    "socket.getdefaulttimeout()",
    "socket.gethostname()",
    "socket.htons(258)",
    "socket.htons(65536)",
    "socket.htons(-1)",
    "socket.htons('x')",
    "socket.ntohs(Index(3))",
    "socket.htonl(2**32)",
    "socket.htonl(1)",
    "socket.ntohl(-1)",
    "socket.ntohl(2**70)",
    "socket.inet_aton('127.1')",
    "socket.inet_aton('x')",
    "socket.inet_aton(b'1.2.3.4')",
    "socket.inet_aton('1.2.3.4\\0')",
    "socket.inet_ntoa(b'\\x7f\\0\\0\\1')",
    "socket.inet_ntoa(b'123')",
    "socket.inet_ntoa(bytearray(4))",
    "socket.inet_ntoa('1234')",
    "socket.inet_ntoa(memoryview(bytes(8))[::2])",
    "socket.inet_pton(socket.AF_INET, '1.2.3.4')",
    "socket.inet_pton(socket.AF_INET6, '::1')",
    "socket.inet_pton(socket.AF_INET6, 'fe80::1%lo')",
    "socket.inet_pton(77, '::1')",
    "socket.inet_pton(socket.AF_INET, 5)",
    "socket.inet_ntop(socket.AF_INET6, bytes(16))",
    "socket.inet_ntop(socket.AF_INET, bytes(5))",
    "socket.inet_ntop(77, bytes(4))",
    "socket.inet_ntop(socket.AF_INET, 'abcd')",
    "socket.getaddrinfo('127.0.0.1', 80)",
    "socket.getaddrinfo('127.0.0.1', '80', 0, socket.SOCK_STREAM)",
    "socket.getaddrinfo(None, 0, flags=socket.AI_PASSIVE)",
    "socket.getaddrinfo('::1', 80, socket.AF_INET6, socket.SOCK_DGRAM)",
    "socket.getaddrinfo('::1', 80, socket.AF_INET)",
    "socket.getaddrinfo('127.0.0.1', 'nosuchservice')",
    "socket.getaddrinfo('127.0.0.1', 99999)",
    "socket.getaddrinfo('127.0.0.1', -1)",
    "socket.getaddrinfo('127.0.0.1', 2**70)",
    "socket.getaddrinfo('127.0.0.1', True)",
    "socket.getaddrinfo('127.0.0.1', 1.5)",
    "socket.getaddrinfo(5, 80)",
    "socket.getaddrinfo(None, None)",
    "socket.getaddrinfo('127.0.0.1', 80, type=77)",
    "socket.getaddrinfo('127.0.0.1', 80, proto=socket.IPPROTO_TCP)",
    "socket.getaddrinfo(b'127.0.0.1', b'80')",
    "socket.getaddrinfo('1.2.3', 0, flags=socket.AI_NUMERICHOST)",
    "socket.getaddrinfo('localhost', 80, socket.AF_INET, socket.SOCK_STREAM)",
    "socket.getaddrinfo('x' * 70, 80)",
    "socket.getaddrinfo('a..b', 80)",
    "socket.getaddrinfo('127.0.0.1\\0x', 80)",
    "socket.getnameinfo(('127.0.0.1', 80), 3)",
    "socket.getnameinfo(('::1', 80, 0, 0), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)",
    "socket.getnameinfo(('::1', 80, 2**20, 0), 3)",
    "socket.getnameinfo(('127.0.0.1', 80, 0, 0), 3)",
    "socket.getnameinfo(('127.0.0.1',), 3)",
    "socket.getnameinfo(['127.0.0.1', 1], 3)",
    "socket.getnameinfo(('127.0.0.1', 70000), 3)",
    "socket.getnameinfo(('x y', 1), 3)",
    "socket.getnameinfo(('127.0.0.1', 'x'), 3)",
    "socket.gethostbyname('127.0.0.1')",
    "socket.gethostbyname('')",
    "socket.gethostbyname('<broadcast>')",
    "socket.gethostbyname(5)",
    "socket.gethostbyname(b'127.0.0.1')",
    "socket.gethostbyname('a\\0b')",
    "socket.gethostbyname('x' * 70)",
    "socket.getservbyname('http')",
    "socket.getservbyname('http', 'tcp')",
    "socket.getservbyname('nosuchservice')",
    "socket.getservbyname('http', 'nosuch')",
    "socket.getservbyname(5)",
    "socket.getservbyport(80)",
    "socket.getservbyport(80, 'udp')",
    "socket.getservbyport(65536)",
    "socket.getservbyport(-1)",
    "socket.getprotobyname('tcp')",
    "socket.getprotobyname('nosuch')",
    "socket.if_nametoindex('lo')",
    "socket.if_nametoindex(b'lo')",
    "socket.if_nametoindex('nosuch0')",
    "socket.if_nametoindex('x' * 20)",
    "socket.if_indextoname(1)",
    "socket.if_indextoname(7777)",
    "socket.if_indextoname(-1)",
    "socket.if_indextoname(2**40)",
    "socket.CMSG_LEN(0)",
    "socket.CMSG_SPACE(5)",
    "socket.CMSG_LEN(-1)",
    "socket.CMSG_SPACE(2**31)",
    "socket.CMSG_LEN(2**70)",
    "socket.has_dualstack_ipv6()",
    "socket.close(55)",
    "socket.close(-1)",
    "socket.close(2**31)",
    "socket.dup(55)",
    "socket.dup(2**31)",
    "socket.dup('x')",
    "socket.setdefaulttimeout(0.004)",
    "socket.setdefaulttimeout(None)",
    "socket.setdefaulttimeout(-1)",
    "socket.create_server(('127.0.0.1', 1.5))",
    "socket.create_server(('127.0.0.1', 0), family=socket.AF_UNIX)",
    "socket.create_connection(('127.0.0.1', 1))",
    "socket.create_connection(('127.0.0.1', 1), all_errors=True)",
    "socket.create_connection(('127.0.0.1',))",
    "socket.getfqdn('127.0.0.1')",
)
MODES = one_of(
    "'rb'",
    "'wb'",
    "'rwb'",
    "'r'",
    "'w'",
    "'rw'",
    "'rb', 0",
    "'wb', 0",
    "'rwb', 0",
    "'r', 1",
    "'r', 0",
    "'x'",
    "'rb', 3",
)
FILING = one_of(
    "read(3)",
    "readline()",
    "write(b'line\\n')",
    "write('line\\n')",
    "flush()",
    "close()",
    "read1(5)",
    "readinto(b0)",
    "fileno()",
    "readable()",
    "writable()",
    "seekable()",
    "closed",
    "mode",
    "name",
    "detach()",
    "read(0)",
    "peek(1)",
    "write(b'z' * 9000)",
    "writelines([b'a', b'b'])",
    "__enter__() and None",
    "raw",
    "isatty()",
    "seek(0)",
    "tell()",
    "truncate()",
    "readlines(1)",
    "__next__()",
)
#: What the handler of a signal does while a call waits.
ACTIONS = (
    "{o}.send(b'now')",
    "{s}.close()",
    "interrupt()",
    "{o}.close()",
    "{s}.settimeout(0)",
    "{s}.settimeout(0.004)",
    "nonblock({s}.fileno(), False)",
    "{s}.detach()",
    "{s}.shutdown(socket.SHUT_RDWR)",
    "{o}.shutdown(socket.SHUT_WR)",
    "{s}.setblocking(True)",
    "{s}.dup()",
    "b0.append(1)",
    "None",
)
WAITING = (
    "{s}.recv(5)",
    "{s}.recv_into(b0)",
    "{s}.recvfrom(5)",
    "{s}.recvfrom_into(b0)",
    "{s}.recvmsg(5)",
    "{s}.recvmsg(5, 64)",
    "{s}.recvmsg_into([b0])",
    "{s}.accept()",
    "{s}.sendall(bytes(400000))",
    "{s}.send(bytes(400000))",
    "{s}.sendmsg([bytes(300000), b'x'])",
    "socket.recv_fds({s}, 5, 2)",
    "{s}.recv(5, socket.MSG_WAITALL)",
    "{s}.makefile('rb').read(5)",
)


class Programs(RuleBasedStateMachine):
    """Writes a program, and gives it to `run` at its end."""

    #: What is done with each program.
    run: ClassVar[Callable[[list[str]], None]]

    def __init__(self) -> None:
        super().__init__()
        self.lines = ["b0 = bytearray(7)"]
        self.socks: list[str] = []
        self.files: list[str] = []
        # Sockets that would wait for ever.
        self.patient: set[str] = set()
        self.count = 1

    def teardown(self) -> None:
        type(self).run(self.lines)

    def new(self, letter: str = "r") -> str:
        """A name that nothing has yet."""
        self.count += 1
        return f"{letter}{self.count}"

    def sock(self, number: int) -> str:
        """One of the sockets."""
        return self.socks[number % len(self.socks)]

    def add(self, *names: str) -> None:
        """Sockets that were made."""
        self.socks += names
        self.patient.update(names)

    def write(self, line: str) -> None:
        """Adds a line."""
        self.lines.append(line)

    def call(self, expression: str) -> None:
        """Adds a line that keeps what a call gives."""
        self.lines.append(f"{self.new()} = {expression}")

    def may_wait(self, name: str, patience: int) -> None:
        """Lets most calls that could wait for ever wait for a moment."""
        if name in self.patient and patience:
            self.write(f"{name}.settimeout({'0' if patience & 1 else '0.004'})")
            self.patient.discard(name)

    patience = st.integers(0, 11)

    @initialize(kind=KINDS)
    def begin(self, kind: str) -> None:
        self.pair(kind)

    # -- sockets ---------------------------------------------------------------------------------------------------

    @rule(kind=KINDS)
    def pair(self, kind: str) -> None:
        one, two = self.new("s"), self.new("s")
        self.write(f"{one}, {two} = socket.socketpair({kind})")
        self.add(one, two)

    @rule(kind=INTERNET)
    def plain(self, kind: str) -> None:
        name = self.new("s")
        self.write(f"{name} = socket.socket({kind})")
        self.add(name)

    @rule(six=st.booleans(), timeout=one_of("", ", 0.05", ", 0"), later=st.booleans())
    def tcp(self, six: bool, timeout: str, later: bool) -> None:
        server, client, served, address = self.new("s"), self.new("s"), self.new("s"), self.new("a")
        where = "('::1', 0), family=socket.AF_INET6" if six else "('127.0.0.1', 0)"
        self.write(f"{server} = socket.create_server({where})")
        if later:
            self.write(f"{server}.settimeout(0.05)")
        self.write(f"{client} = socket.create_connection({server}.getsockname()[:2]{timeout})")
        self.write(f"{served}, {address} = {server}.accept()")
        self.add(client, served, server)

    @rule(kind=one_of("AF_UNIX", "AF_INET"), number=st.integers(1, 2))
    def datagrams(self, kind: str, number: int) -> None:
        one, two = self.new("s"), self.new("s")
        for name in (one, two):
            self.write(f"{name} = socket.socket(socket.{kind}, socket.SOCK_DGRAM)")
            address = f"path({self.new('')})" if kind == "AF_UNIX" else "('127.0.0.1', 0)"
            self.write(f"{name}.bind({address})")
        if number == 1:
            self.write(f"{one}.connect({two}.getsockname())")
        self.add(one, two)

    @rule(
        which=choice,
        other=choice,
        address=ADDRESSES,
        known=st.booleans(),
        call=one_of("bind", "connect", "connect_ex", "listen", "sendto"),
        patience=patience,
    )
    def addressed(self, which: int, other: int, address: str, known: bool, call: str, patience: int) -> None:
        name = self.sock(which)
        if known:
            address = f"{self.sock(other)}.getsockname()"
        if call.startswith("connect"):
            self.may_wait(name, patience)
        if call == "listen":
            self.call(f"{name}.listen({patience or ''})")
        elif call == "sendto":
            self.call(f"{name}.sendto(b'to', {address})")
        else:
            self.call(f"{name}.{call}({address})")

    @rule(which=choice, patience=patience)
    def accept(self, which: int, patience: int) -> None:
        name = self.sock(which)
        self.may_wait(name, patience)
        made, address = self.new("s"), self.new("a")
        self.write(f"{made}, {address} = {name}.accept()")
        self.add(made)

    @rule(which=choice, call=one_of(
        "dup()", "fileno()", "detach()", "close()", "getsockname()", "getpeername()", "__repr__()", "gettimeout()",
        "getblocking()", "family", "type", "proto", "timeout", "get_inheritable()", "set_inheritable(True)",
        "set_inheritable(False)", "shutdown(socket.SHUT_RDWR)", "shutdown(socket.SHUT_WR)", "shutdown(socket.SHUT_RD)",
        "shutdown(77)", "shutdown(None)", "listen(-1)", "listen('x')", "listen(2**31)", "__enter__()",
        "__exit__(None, None, None)", "__reduce__()", "__init__()", "_decref_socketios()", "__getstate__()",
    ))  # fmt: skip
    def state(self, which: int, call: str) -> None:
        name = self.sock(which)
        if call == "dup()":
            made = self.new("s")
            self.write(f"{made} = {name}.dup()")
            self.add(made)
        else:
            self.call(f"{name}.{call}")

    @rule(which=choice, call=one_of(
        "del {s}", "{r} = socket.close({s}.fileno())", "{n} = socket.socket(fileno={s}.detach())",
        "{n} = socket.fromfd({s}.fileno(), {s}.family, {s}.type)",
        "{n} = socket.socket(fileno=socket.dup({s}.fileno()))",
        "{n} = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno={s}.detach())", "{n} = {s}",
        "{r} = hash({s}) == hash({s})", "{r} = {s}.__del__()", "{r} = bool({s})", "{s} = None",
    ))  # fmt: skip
    def life(self, which: int, call: str) -> None:
        name = self.sock(which)
        made = self.new("s")
        self.write(call.format(s=name, n=made, r=self.new()))
        if "{n}" in call:
            self.add(made)

    @rule(which=choice, timeout=TIMEOUTS, how=one_of("settimeout", "setblocking", "nonblock", "default"))
    def timeout(self, which: int, timeout: str, how: str) -> None:
        name = self.sock(which)
        if how == "nonblock":
            self.call(f"nonblock({name}.fileno(), {timeout == '0'})")
        elif how == "default":
            self.call(f"socket.setdefaulttimeout({timeout})")
        else:
            self.call(f"{name}.{how}({timeout})")
            (self.patient.add if timeout == "None" else self.patient.discard)(name)

    # -- bytes -----------------------------------------------------------------------------------------------------

    @rule(which=choice, data=DATA, flags=SENDING, call=one_of("send", "sendall", "sendto"), other=choice)
    def send(self, which: int, data: str, flags: str, call: str, other: int) -> None:
        comma = ", " if flags else ""
        address = f", {self.sock(other)}.getsockname()" if call == "sendto" else ""
        self.call(f"{self.sock(which)}.{call}({data}{comma}{flags}{address})")

    @rule(which=choice, size=SIZES, flags=FLAGS, patience=patience, call=one_of(
        "recv({n})", "recvfrom({n})", "recv_into(b0)", "recv_into(b0, {n})", "recvfrom_into(b0)",
        "recvfrom_into(b0, {n})", "recv_into(bytearray(4000))", "recv_into(memoryview(b0)[2:])",
        "recv_into(b'const', {n})", "recv_into(memoryview(b0)[::2], {n})", "recvmsg({n})", "recvmsg({n}, 0)",
        "recvmsg_into([b0])",
    ))  # fmt: skip
    def receive(self, which: int, size: str, flags: str, patience: int, call: str) -> None:
        name = self.sock(which)
        self.may_wait(name, patience)
        if flags:
            # The argument before the flags may be left out.
            if call.endswith("(b0)") or "4000" in call or "2:" in call or call in WITHOUT_SECOND:
                flags = f"0, {flags}"
            flags = f", {flags})"
        self.call(f"{name}.{call.format(n=size)[: -1 if flags else None]}{flags}")

    @rule(which=choice, buffers=GATHERED, ancillary=ANCILLARY, flags=SENDING, other=choice, to=st.booleans())
    def sendmsg(self, which: int, buffers: str, ancillary: str, flags: str, other: int, to: bool) -> None:
        tail = f", {flags or 0}, {self.sock(other)}.getsockname()" if to else f", {flags}" if flags else ""
        self.call(f"{self.sock(which)}.sendmsg({buffers}, {ancillary.format(s=self.sock(other))}{tail})")

    @rule(which=choice, size=SIZES, room=ROOMS, flags=FLAGS, patience=patience, into=one_of(
        "", "[b0]", "[bytearray(2), b0]", "[]", "[b'x']", "b0", "[memoryview(bytearray(8))[::2]]", "5",
        "(bytearray(2) for _ in range(2))",
    ))  # fmt: skip
    def recvmsg(self, which: int, size: str, room: str, flags: str, patience: int, into: str) -> None:
        name = self.sock(which)
        self.may_wait(name, patience)
        call = f"recvmsg_into({into}" if into else f"recvmsg({size}"
        self.call(f"{name}.{call}, {room}{', ' if flags else ''}{flags})")

    @rule(which=choice, other=choice, patience=patience, call=one_of(
        "send_fds({s}, [b'fd'], [{o}.fileno()])", "recv_fds({s}, 10, 2)", "send_fds({s}, [], [])",
        "recv_fds({s}, 10, 0)", "send_fds({s}, [b'fd'], [55])", "recv_fds({s}, 10, 1, socket.MSG_DONTWAIT)",
    ))  # fmt: skip
    def descriptors(self, which: int, other: int, patience: int, call: str) -> None:
        name = self.sock(which)
        if call.startswith("recv"):
            self.may_wait(name, patience)
        self.call(f"socket.{call.format(s=name, o=self.sock(other))}")

    # -- options, files, functions ---------------------------------------------------------------------------------

    @rule(which=choice, option=LEVELS, value=VALUES)
    def setsockopt(self, which: int, option: str, value: str) -> None:
        self.call(f"{self.sock(which)}.setsockopt({option}, {value})")

    @rule(
        which=choice, option=LEVELS, length=one_of("", ", 4", ", 0", ", 1", ", 1024", ", 1025", ", -1", ", None", ", 2")
    )
    def getsockopt(self, which: int, option: str, length: str) -> None:
        self.call(f"{self.sock(which)}.getsockopt({option}{length})")

    @rule(which=choice, mode=MODES)
    def makefile(self, which: int, mode: str) -> None:
        name = self.new("f")
        encoding = "" if "b" in mode else ", encoding='utf-8'"
        self.write(f"{name} = {self.sock(which)}.makefile({mode}{encoding})")
        self.files.append(name)

    @precondition(lambda self: self.files)
    @rule(which=choice, call=FILING)
    def filing(self, which: int, call: str) -> None:
        self.call(f"{self.files[which % len(self.files)]}.{call}")

    @rule(which=choice, content=one_of("b'some content'", "b''", "b'c' * 20000"), arguments=one_of(
        "", ", 3", ", 0, 5", ", 3, 5", ", 0, 0", ", -1", ", 0, -1", ", 0, 1.5", ", 100", ", offset=2, count=None"),
        plain=st.booleans())  # fmt: skip
    def sendfile(self, which: int, content: str, arguments: str, plain: bool) -> None:
        name = self.new("f")
        self.write(f"{name} = {f'io.BytesIO({content})' if plain else f'file({content})'}")
        self.call(f"{self.sock(which)}.sendfile({name}{arguments})")
        self.call(f"{name}.tell()")

    @rule(call=FUNCTIONS)
    def function(self, call: str) -> None:
        self.call(call)

    # -- handlers of signals ---------------------------------------------------------------------------------------

    @rule(which=choice, call=st.sampled_from(WAITING), action=st.sampled_from(ACTIONS), timeout=one_of("0.04", "None"))
    def during(self, which: int, call: str, action: str, timeout: str) -> None:
        name = self.sock(which)
        # The other end, where it is a pair.
        position = self.socks.index(name)
        other = self.socks[(position ^ 1) % len(self.socks)]
        if timeout == "None" and action == "{s}.settimeout(0.004)":
            # The standard library's call, which began without a timeout, then tries again and again for ever.
            timeout = "0.04"
        self.write(f"{name}.settimeout({timeout})")
        (self.patient.add if timeout == "None" else self.patient.discard)(name)
        self.call(f"during(lambda: {call}, lambda: {action})".format(s=name, o=other))
