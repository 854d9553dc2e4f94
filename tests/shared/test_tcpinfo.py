"""What the kernel knows of a connection: `socketpkg.tcpinfo`."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .target import LINUX, extension, socket

pytestmark = [pytest.mark.socketpkg_only, pytest.mark.skipif(not LINUX, reason="struct tcp_info of Linux")]
tcpinfo: Any = extension("tcpinfo")


def test_a_connection(tcp: tuple[Any, Any]) -> None:
    client, server = tcp
    client.sendall(b"x" * 5000)
    assert server.recv_exactly(5000) == b"x" * 5000
    server.sendall(b"yes")
    client.recv(3)
    info = tcpinfo.tcp_info(client)
    assert info.state is tcpinfo.TcpState.ESTABLISHED
    assert (info.sent_bytes, info.received_bytes, info.retrans_bytes) == (5000, 3, 0)
    assert (info.total_retrans, info.lost, info.notsent_bytes) == (0, 0, 0)
    assert info.acked_bytes in (5000, 5001)  # the SYN counts
    assert info.data_segs_in == 1 and info.data_segs_out >= 1
    assert info.segs_out >= info.data_segs_out + 1
    # On the loopback: microseconds, not milliseconds or seconds.
    assert 0 < info.min_rtt_us <= info.rtt_us * 8 < 10**7
    assert 200_000 <= info.rto_us <= 3_000_000
    assert 0 <= info.last_data_sent_ms < 20_000
    assert 500 <= info.snd_mss_bytes <= 65535
    assert info.pmtu_bytes >= info.snd_mss_bytes
    assert info.snd_cwnd >= 1 and info.reordering >= 1
    assert info.delivery_rate_app_limited in (True, False)
    assert tcpinfo.tcp_info(server).received_bytes == 5000


def test_the_window_scales_are_those_of_each_side(tcp: tuple[Any, Any]) -> None:
    one, two = (tcpinfo.tcp_info(sock) for sock in tcp)
    assert (one.snd_wscale, one.rcv_wscale) == (two.rcv_wscale, two.snd_wscale)
    with socket.socket() as listener, socket.socket() as client:
        # A small buffer needs no scale, so that the two differ.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            one, two = tcpinfo.tcp_info(client), tcpinfo.tcp_info(server)
            assert (one.snd_wscale, one.rcv_wscale) == (two.rcv_wscale, two.snd_wscale)
            assert two.rcv_wscale != one.rcv_wscale


def test_states(sock: Any, listener: Any) -> None:
    assert tcpinfo.tcp_info(sock).state is tcpinfo.TcpState.CLOSE
    assert tcpinfo.tcp_info(sock).min_rtt_us is None
    assert tcpinfo.tcp_info(listener).state is tcpinfo.TcpState.LISTEN
    sock.connect(listener.getsockname())
    server, _ = listener.accept()
    with server:
        server.shutdown(socket.SHUT_WR)
        sock.recv(1)
        assert tcpinfo.tcp_info(sock).state is tcpinfo.TcpState.CLOSE_WAIT


@pytest.mark.parametrize("size", [0, 7, 8, 104, 105, 192, 232])
def test_an_older_kernel_gives_less(tcp: tuple[Any, Any], size: int) -> None:
    whole = tcp[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1024)
    less = tcpinfo._parsed(whole[:size])
    more = tcpinfo._parsed(whole)
    given = {name: value for name, value in dataclasses.asdict(less).items() if value is not None}
    assert given.items() <= dataclasses.asdict(more).items()
    assert (less.total_retrans is None) is (size < 104)
    assert (less.pacing_rate_per_second is None) is (size < 112)
    assert (less.snd_wnd_bytes is None) is (size < 232)
    assert (less.state is None) is (size == 0)


def test_everything_that_the_running_kernel_gives(tcp: tuple[Any, Any]) -> None:
    size = len(tcp[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1024))
    info = tcpinfo.tcp_info(tcp[0])
    for name, offset, form in tcpinfo._LAYOUT:
        if name != "min_rtt_us":
            assert (getattr(info, name) is None) is (offset + form.size > size), name


def test_the_layout_is_that_of_the_header(tmp_path: Path) -> None:
    """The offsets, as a C compiler has them."""
    source = tmp_path / "layout.c"
    names = re.findall(r"tcpi_(\w+)(?:\s*;)", Path("/usr/include/linux/tcp.h").read_text()) if has_headers() else []
    wanted = [(kernels(name), offset) for name, offset, _ in tcpinfo._LAYOUT if kernels(name) in names]
    compiler = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if not wanted or not compiler:
        pytest.skip("no compiler, or no headers of the kernel")
    checks = "".join(
        f'_Static_assert(offsetof(struct tcp_info, tcpi_{name}) == {at}, "{name}");\n' for name, at in wanted
    )
    source.write_text(f"#include <stddef.h>\n#include <linux/tcp.h>\n{checks}")
    subprocess.run([compiler, "-c", str(source), "-o", os.devnull], check=True, timeout=60)
    assert len(wanted) > 25


def has_headers() -> bool:
    return os.path.exists("/usr/include/linux/tcp.h")


def kernels(name: str) -> str:
    """The kernel's name of a member."""
    renamed = {
        "acked_bytes": "bytes_acked",
        "received_bytes": "bytes_received",
        "sent_bytes": "bytes_sent",
        "retrans_bytes": "bytes_retrans",
        "notsent_bytes": "notsent_bytes",
    }
    if re.match(r"(delivered|received)_(e0|e1|ce)_bytes", name):
        return name
    return renamed.get(name) or re.sub(r"_(us|ms|bytes|per_second)$", "", name)


def test_other_sockets(pair: tuple[Any, Any], dgram: Any, sock: Any) -> None:
    for wrong in (pair[0], dgram):
        with pytest.raises(OSError) as caught:
            tcpinfo.tcp_info(wrong)
        assert caught.value.errno
    sock.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        tcpinfo.tcp_info(sock)
