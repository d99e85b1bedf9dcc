"""`dev run` with a stand-in for the platform: it serves, supervises and ends cleanly."""

import http.client
import os
import signal
import socket

import pytest

from .conftest import alive, one_sentence, until


def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False


def test_it_serves_shows_the_sign_ins_and_stops(installed):
    with installed.running("--donors", "3") as dev:
        until(lambda: "Ctrl-C" in dev.said())
        said = dev.said()
        assert f"http://127.0.0.1:{dev.port}/" in said
        assert "协调员" in said
        assert "演示数据就绪" in said
        assert answers(dev.port)
        children = installed.calls("serve") + installed.calls("worker")
        assert all(map(alive, children))
        dev.send_signal(signal.SIGINT)
        assert dev.wait(20) == 0
        assert "Traceback" not in dev.said()
    assert not any(map(alive, children))


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_dead_child_is_started_again(installed, command):
    with installed.running("--no-demo") as dev:
        until(lambda: "Ctrl-C" in dev.said())
        [first] = installed.calls(command)
        os.kill(first, signal.SIGKILL)
        second = until(lambda: installed.calls(command)[1:])
        until(lambda: answers(dev.port))
        assert alive(second[0])
        assert dev.poll() is None
        assert "started again" in dev.said()


@pytest.mark.parametrize("way", [{}, {"XIANGSUI_GUARD_WATCHES": "1"}], ids=["by the kernel", "by a pipe"])
def test_children_die_with_a_killed_parent(installed, way):
    with installed.running("--no-demo", **way) as dev:
        until(lambda: "Ctrl-C" in dev.said())
        children = installed.calls("serve") + installed.calls("worker")
        assert len(children) == 2
        dev.kill()
        dev.wait()
        until(lambda: not any(map(alive, children)), seconds=5)


def test_a_server_that_never_stands_ends_it(installed):
    done = installed.dev("run", "--port", "0", STUB_FAILS="serve")
    assert done.returncode == 1
    assert "it fell over" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(map(alive, installed.calls("worker")))


def test_a_failed_migration_is_one_sentence(installed):
    assert one_sentence(installed.dev("run", "--port", "0", STUB_FAILS="migrate"), "migrate", "it fell over")


def test_a_failed_demonstration_does_not_stop_the_site(installed):
    with installed.running(STUB_FAILS="demo") as dev:
        until(lambda: "Ctrl-C" in dev.said())
        assert "incomplete" in dev.said()
        assert answers(dev.port)


def test_a_taken_port(installed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert one_sentence(installed.dev("run", "--port", str(port)), f"端口 {port}", f"Port {port}")
    assert not installed.home.exists()


def test_an_impossible_port_or_host(installed):
    assert one_sentence(installed.dev("run", "--port", "70000"), "65535")
    assert one_sentence(installed.dev("run", "--host", "192.0.2.1"), "192.0.2.1")


def state(installed):
    (installed.home / "index").mkdir(parents=True)
    (installed.home / "keys").mkdir()
    (installed.home / "index" / "manifest").touch()
    (installed.home / "keys" / "secret-key").write_text("kept")
    (installed.home / "xiangsui.sqlite3").write_text("old")
    (installed.home / "xiangsui.sqlite3-wal").touch()


def test_fresh_asks_first(installed):
    state(installed)
    assert one_sentence(installed.dev("run", "--port", "0", "--fresh"), "--yes")
    assert (installed.home / "xiangsui.sqlite3").read_text() == "old"


def test_fresh_removes_what_is_embedded_and_keeps_the_keys(installed):
    state(installed)
    with installed.running("--fresh", "--yes", "--no-demo") as dev:
        until(lambda: "Ctrl-C" in dev.said())
    assert (installed.home / "xiangsui.sqlite3").read_text() == ""
    assert not (installed.home / "index").exists()
    assert (installed.home / "keys" / "secret-key").read_text() == "kept"


def test_fresh_never_touches_a_database_with_an_address(installed):
    state(installed)
    address = "postgres://somebody@localhost/registry"
    assert one_sentence(installed.dev("run", "--port", "0", "--fresh", "--yes", "--database-url", address), "--fresh")
    assert one_sentence(
        installed.dev("run", "--port", "0", "--fresh", "--yes", XIANGSUI_DATABASE_URL=address), "--fresh"
    )
    assert (installed.home / "xiangsui.sqlite3").read_text() == "old"
