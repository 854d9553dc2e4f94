"""``guard``: lets a program reach only what rules allow. A seat belt and no prison: code that wants out can get out.

A rule is a target with an optional port: a network or address (``127.0.0.0/8``, ``[::1]:80``), a host name in which
``*`` stands for anything (``*.example.com:443``), a family (``unix``, ``inet``, ``inet6``, ``netlink``), a UNIX path or
abstract name (``unix:/run/*.sock``, ``unix:@bus``), or ``*`` for all. The first rule that fits counts; what none fits
is refused.

A host name is allowed as the name that the program resolved: the layer remembers which addresses the program's own
look-ups gave for it. A name that is not allowed is not looked up.
"""

from __future__ import annotations

import fnmatch
import os
import re
from _socket import getservbyname
from errno import EACCES
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from . import _options
from ._base import Layer as _Layer
from ._base import LayerError
from ._names import Names, is_numeric, printable
from ._options import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Set
    from typing import Any, ClassVar

    from ..contract import Syscalls

#: How many addresses are remembered with their names; the oldest go first.
REMEMBERED = 65536
_MAPPED = bytes(10) + b"\xff\xff"
_FAMILIES = {"inet": "AF_INET", "ipv4": "AF_INET", "inet6": "AF_INET6", "ipv6": "AF_INET6"}
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class _Wrong(ValueError):
    """A rule that cannot be read; the text says why."""

    explains = True


class Refused(int):
    """The errno of a refused connect, with the reason: connect() adds it to its error as a note."""

    note: str


class Rule:
    """A rule: allow or deny, what, and at which ports."""

    __slots__ = ("allow", "family", "highest", "lowest", "name", "network", "path", "scoped", "text")

    def __init__(self, text: str, allow: bool) -> None:
        #: As it was written.
        self.text: str = text
        self.allow: bool = allow
        self.lowest: int = 0
        self.highest: int = 65535
        #: What it is about: one of these; all of them None is everything.
        self.network: Any = None
        self.scoped: IPv6Address | None = None
        self.name: re.Pattern[str] | None = None
        self.family: str | None = None
        self.path: re.Pattern[str] | None = None
        target = text.strip()
        lowered = target.lower()
        if not target:
            raise _Wrong("a rule is not empty")
        if lowered.startswith("unix:"):
            self.family = "AF_UNIX"
            self.path = re.compile(fnmatch.translate(os.path.expanduser(target[5:])), re.DOTALL)
            if not target[5:]:
                raise _Wrong("a path or an @name stands behind unix:")
            return
        host, port = _split(target)
        if port is not None:
            self.lowest, self.highest = _ports(port)
        lowered = host.lower()
        if lowered in ("*", "any", "all"):
            return
        if lowered in _FAMILIES:
            self.family = _FAMILIES[lowered]
            return
        if lowered in ("unix", "netlink", "packet", "vsock", "can", "bluetooth", "alg", "tipc", "qipcrtr"):
            if port is not None:
                raise _Wrong(f"{lowered} has no ports")
            self.family = f"AF_{lowered.upper()}"
            return
        if "/" in host or is_numeric(host.encode("ascii", "replace")):
            try:
                if "%" in host and "/" not in host:
                    self.scoped = IPv6Address(host)
                    return
                self.network = ip_network(host, strict=False)
            except ValueError as error:
                raise _Wrong(str(error)) from None
            return
        if not re.fullmatch(r"[\w.*\-]+", host) or re.fullmatch(r"[\d.]+", host):
            raise _Wrong(f"{host!r} is neither a network nor a host name, and no family")
        self.name = re.compile(fnmatch.translate(_ascii(host)))

    def __str__(self) -> str:
        return f"{'allow' if self.allow else 'deny'}={self.text}"

    def fits_port(self, port: int | None) -> bool:
        """Whether it is about this port; None is any."""
        return port is None or self.lowest <= port <= self.highest

    def fits_name(self, name: str) -> bool:
        """Whether it is about this host name (in ASCII, lower case, no dot at its end)."""
        if self.name is not None:
            return self.name.fullmatch(name) is not None
        return self.is_everything()

    def is_everything(self) -> bool:
        """Whether it is about any target, at its ports."""
        return self.network is None and self.scoped is None and self.family is None and self.path is None

    def fits_ip(
        self,
        address: IPv4Address | IPv6Address,
        names: frozenset[str],
        port: int | None,
        family: str,
        scope: Any = None,
    ) -> bool:
        """Whether it is about this address, which the program's look-ups gave for *names*; *scope* is the address with
        its scope id, where it has one."""
        if not self.fits_port(port):
            return False
        if self.scoped is not None:
            return scope is not None and scope == self.scoped
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        if self.name is not None:
            if any(self.name.fullmatch(name) for name in names):
                return True
            # RFC 6761 6.3: the name localhost means the loopback, whoever was asked.
            return self.name.fullmatch("localhost") is not None and (
                any(address in network for network in _LOOPBACK if network.version == address.version)
            )
        if self.path is not None:
            return False
        return self.family is None or self.family == family

    def fits_other(self, family: str, path: str) -> bool:
        """Whether it is about an address that is no IP address."""
        if self.path is not None:
            return family == "AF_UNIX" and self.path.fullmatch(path) is not None
        if self.network is not None or self.scoped is not None or self.name is not None:
            return False
        return self.family == family if self.family is not None else (self.lowest, self.highest) == (0, 65535)


def _split(text: str) -> tuple[str, str | None]:
    """Target and port of a rule."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise _Wrong(f"{text!r} is not of the form [address]:port")
        host, slash, prefix = host.partition("/")
        if not is_numeric(host.encode("ascii", "replace")):
            raise _Wrong(f"{host!r} is no IPv6 address")
        return host + slash + prefix, rest[1:] if rest else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        if not host:
            raise _Wrong("a host stands before the port; * is any")
        return host, port
    return text, None


def _ports(text: str) -> tuple[int, int]:
    if not text:
        raise _Wrong("a port stands behind the colon")
    if text == "*":
        return 0, 65535
    first, dash, last = text.partition("-")
    if first.isdecimal() and (not dash or last.isdecimal()):
        lowest, highest = int(first), int(last if dash else first)
        if not 0 <= lowest <= highest <= 65535:
            raise _Wrong(f"{text!r} are no ports from 0 to 65535")
        return lowest, highest
    try:
        number = getservbyname(text)
    except OSError:
        raise _Wrong(f"there is no service {text!r}") from None
    return number, number


def _ascii(host: str) -> str:
    """A host name as it is compared: IDNA, lower case, without a dot at its end."""
    host = host.rstrip(".")
    if not host.isascii():
        try:
            host = ".".join(
                label if label.isascii() else label.encode("idna").decode("ascii") for label in host.split(".")
            )
        except UnicodeError:
            raise _Wrong(f"{host!r} is no host name") from None
    return host.lower()


def _rule(allow: bool) -> Any:
    def read(text: str) -> Rule:
        return Rule(text, allow)

    return read


class Layer(_Layer):
    """Refuses what no rule allows."""

    NAME: ClassVar[str] = "guard"
    SUMMARY: ClassVar[str] = "refuses what rules do not allow"
    # They are remembered also while it is off, so that a rule holds for names that were resolved before.
    ALWAYS: ClassVar[Set[str]] = frozenset({"getaddrinfo", "gethostbyname"})
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "allow": Option(_rule(True), [], "a rule", "let the program reach this", many=True),
        "deny": Option(_rule(False), [], "a rule", "refuse this", many=True),
        "mode": _options.choice(("refuse", "report"), "refuse; or let pass, and tell at the end what would not have"),
        "bind": _options.Option(_options._read_flag, True, "yes or no", "let rules be about bind too"),
    }

    def __init__(self, below: Syscalls) -> None:
        #: In the order in which they were given.
        self.rules: tuple[Rule, ...] = ()
        #: What was refused, or would have been in the mode report: text and how often.
        self.refused: dict[str, int] = {}
        self._resolved: dict[bytes, frozenset[str]] = {}
        self._reporting = False
        super().__init__(below)
        self.names: Names = Names(below)

    # -- rules ---------------------------------------------------------------------------------------------------

    def _apply(self, given: list[tuple[str, Any]], where: str) -> None:
        # Allow and deny are two options, but one list: order means something.
        mixed = any(key in ("allow", "deny") for key, _ in given)
        before, options = self.rules, dict(self.options)
        if mixed:
            rules = [_options.read([(key, value)], self.OPTIONS, where)[key][0] for key, value in given if key in _BOTH]
            self.rules = tuple(rules)
            for key in _BOTH:
                self.options[key] = []
        try:
            super()._apply(given, where)
        except BaseException:
            self.rules = before
            self.options.update(options)
            raise

    def configured(self) -> None:
        if self.options["mode"] == "report" and not self._reporting:
            self._reporting = True
            import atexit

            atexit.register(self._report)

    def add(self, *rules: str, first: bool = False) -> None:
        """Adds rules (``allow=...``, ``deny=...``) behind the others, or before them. LayerError for a wrong one."""
        made = []
        for text in rules:
            for key, value in _options.pairs(text, "the layer 'guard'"):
                if key not in _BOTH:
                    raise LayerError(f"the layer 'guard': a rule is allow=... or deny=..., and not {text!r}")
                made.append(_options.read([(key, value)], self.OPTIONS, "the layer 'guard'")[key][0])
        self.rules = (*made, *self.rules) if first else (*self.rules, *made)

    def state(self) -> str:
        shown = ["on" if self._enabled else "off", *map(str, self.rules)]
        if self.options["mode"] != "refuse":
            shown.append(f"mode={self.options['mode']}")
        return " ".join(shown)

    # -- judging -------------------------------------------------------------------------------------------------

    def verdict(self, address: bytes, sock: Any = None) -> tuple[bool, Rule | None]:
        """Whether a raw sockaddr is allowed, and by which rule; None is that none fits. The interface that it may name
        is one of the network namespace of *sock*, or of this thread's where none is given."""
        names = self.names
        found = names.ip(address)
        if found is None:
            number = names.sockaddr_family(address)
            family = names.family(number)
            path = ""
            if number == names.AF_UNIX:
                raw = address[2:]
                if raw[:1] == b"\0":
                    path = "@" + os.fsdecode(raw[1:])
                else:
                    path = os.fsdecode(raw.partition(b"\0")[0])
            for rule in self.rules:
                if rule.fits_other(family, path):
                    return rule.allow, rule
            return False, None
        packed, port, scope = found
        family = "AF_INET" if len(packed) == 4 else "AF_INET6"
        resolved = self._resolved.get(packed, frozenset())
        if packed.startswith(_MAPPED) and len(packed) == 16:
            # ::ffff:10.0.0.5 is 10.0.0.5, to the kernel as to the rules.
            packed, family = packed[12:], "AF_INET"
            resolved |= self._resolved.get(packed, frozenset())
        ip: Any = ip_address(packed)
        scoped = self._scoped(ip, scope, sock) if scope and len(packed) == 16 else None
        for rule in self.rules:
            if rule.fits_ip(ip, resolved, port, family, scoped):
                return rule.allow, rule
        return False, None

    def _scoped(self, ip: IPv6Address, scope: int, sock: Any) -> IPv6Address:
        below = self.below
        try:
            raw = below.if_indextoname(scope) if sock is None else below.interface_name(sock, scope)
            name = os.fsdecode(raw)
        except OSError:
            name = str(scope)
        return IPv6Address(f"{ip}%{name}")

    def name_verdict(self, host: str) -> tuple[bool, Rule | None]:
        """Whether a host name may be looked up, and by which rule. A rule with a port lets the name be looked up."""
        name = _ascii(host)
        for rule in self.rules:
            if rule.fits_name(name) and (rule.allow or (rule.lowest, rule.highest) == (0, 65535)):
                return rule.allow, rule
        return False, None

    def _judge(self, what: str, call: str, verdict: tuple[bool, Rule | None]) -> str | None:
        """None when it may go on, else why not."""
        allowed, rule = verdict
        if allowed:
            return None
        self.refused[f"{call} {what}"] = self.refused.get(f"{call} {what}", 0) + 1
        if self.options["mode"] == "report":
            return None
        reason = f"by the rule {rule}" if rule is not None else "no rule fits"
        rules = " ".join(map(str, self.rules)) or "there are none"
        return f"socketpkg guard refused {call} {what}: {reason}; the rules are: {rules}"

    def _check(self, sock: Any, address: bytes, call: str) -> None:
        """PermissionError when the address is refused."""
        note = self._judge(self.names.address(address), call, self.verdict(address, sock))
        if note is not None:
            raise _error(note)

    def _report(self) -> None:
        if self.options["mode"] == "report" and self.refused:
            lines = [f"socketpkg guard would have refused in process {os.getpid()}:"]
            lines += [f"    {what} ({count} times)" for what, count in sorted(self.refused.items())]
            try:
                os.write(2, ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
            except OSError:
                pass

    # -- the calls that name an address --------------------------------------------------------------------------

    def connect(self, sock: Any, address: bytes, timeout: int) -> int:
        if self.names.sockaddr_family(address) == 0:  # AF_UNSPEC: dissolves the association of a datagram socket
            return self.below.connect(sock, address, timeout)
        note = self._judge(self.names.address(address), "connect to", self.verdict(address, sock))
        if note is not None:
            refusal = Refused(EACCES)
            refusal.note = note
            return refusal
        return self.below.connect(sock, address, timeout)

    def bind(self, sock: Any, address: bytes) -> None:
        if self.options["bind"] and not self._binds_nowhere(address):
            self._check(sock, address, "bind to")
        self.below.bind(sock, address)

    def _binds_nowhere(self, address: bytes) -> bool:
        """An unnamed UNIX address (autobind) reaches nobody and lets nobody in by a name that is known before."""
        return self.names.sockaddr_family(address) == self.names.AF_UNIX and len(address) <= 2

    def sendto(self, sock: Any, data: Any, flags: int, address: bytes, timeout: int) -> int:
        if address:
            self._check(sock, address, "send to")
        return self.below.sendto(sock, data, flags, address, timeout)

    def sendmsg(self, sock: Any, buffers: Any, ancillary: Any, flags: int, address: bytes, timeout: int) -> int:
        if address:
            self._check(sock, address, "send to")
        return self.below.sendmsg(sock, buffers, ancillary, flags, address, timeout)

    def sendmmsg(self, sock: Any, data: Any, ancillary: Any, addresses: Any, flags: int, timeout: int) -> int:
        for position, address in enumerate(addresses):
            if address:
                try:
                    self._check(sock, address, "send to")
                except PermissionError:
                    if not position:
                        raise
                    # What stands before it is sent, as when the kernel refuses one; the next call tells.
                    data, ancillary, addresses = data[:position], ancillary[:position], addresses[:position]
                    break
        return self.below.sendmmsg(sock, data, ancillary, addresses, flags, timeout)

    # -- look-ups ------------------------------------------------------------------------------------------------

    def getaddrinfo(
        self, host: bytes | None, service: bytes | None, family: int, type: int, proto: int, flags: int
    ) -> list[tuple[int, int, int, bytes, bytes]]:
        named = host is not None and host != b"" and not is_numeric(host) and not _is_old_numeric(host)
        if named and self._enabled:
            self._check_name(host)  # type: ignore[arg-type]
        found = self.below.getaddrinfo(host, service, family, type, proto, flags)
        if named:
            for entry in found:
                address = self.names.ip(entry[4])
                if address is not None:
                    self._remember(address[0], host)  # type: ignore[arg-type]
        return found

    def gethostbyname(self, name: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        named = not is_numeric(name) and not _is_old_numeric(name)
        if named and self._enabled:
            self._check_name(name)
        found = self.below.gethostbyname(name, family)
        if named:
            for packed in found[3]:
                self._remember(packed, name)
        return found

    def gethostbyaddr(self, packed: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        self._check_reverse(packed)
        return self.below.gethostbyaddr(packed, family)

    def getnameinfo(self, address: bytes, flags: int) -> tuple[bytes, bytes]:
        if not flags & 1:  # not NI_NUMERICHOST: a resolver is asked
            found = self.names.ip(address)
            if found is not None:
                self._check_reverse(found[0])
        return self.below.getnameinfo(address, flags)

    def _check_name(self, host: bytes) -> None:
        text = host.decode("utf-8", "backslashreplace")
        try:
            verdict = self.name_verdict(text)
        except ValueError:
            verdict = (False, None)
        note = self._judge(printable(host), "look up", verdict)
        if note is not None:
            raise _error(note)

    def _check_reverse(self, packed: bytes) -> None:
        """A look-up of an address asks for its name: allowed where the address is, at any port."""
        ip: Any = ip_address(packed)
        family = "AF_INET" if len(packed) == 4 else "AF_INET6"
        names = self._resolved.get(packed, frozenset())
        for rule in self.rules:
            if rule.fits_ip(ip, names, None, family) and (rule.allow or (rule.lowest, rule.highest) == (0, 65535)):
                verdict = (rule.allow, rule)
                break
        else:
            verdict = (False, None)  # type: ignore[assignment]
        note = self._judge(str(ip), "look up", verdict)
        if note is not None:
            raise _error(note)

    def _remember(self, packed: bytes, host: bytes) -> None:
        try:
            name = _ascii(host.decode("utf-8", "backslashreplace"))
        except ValueError:
            return
        known = self._resolved.get(packed, frozenset())
        if name not in known:
            if len(self._resolved) >= REMEMBERED and packed not in self._resolved:
                self._resolved.pop(next(iter(self._resolved)), None)
            self._resolved[packed] = known | {name}


_BOTH = ("allow", "deny")


def _error(note: str) -> PermissionError:
    error = PermissionError(EACCES, os.strerror(EACCES))
    error.add_note(note)
    return error


def _is_old_numeric(host: bytes) -> bool:
    """Whether the C library takes it for an IPv4 address of fewer parts (127.1), which no resolver is asked for."""
    from _socket import inet_aton

    try:
        inet_aton(host.decode("ascii"))
    except (OSError, UnicodeDecodeError):
        return False
    return re.fullmatch(rb"[0-9a-fA-FxX.]+", host) is not None
