"""`dev run`: from a bare Python to a site that serves, its worker, and a demonstration that builds meanwhile."""

import errno
import http.client
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from . import environment, place, site
from .say import Problem, line, status, width
from .supervise import GUARD, Child, Supervisor, turn_page

SPACE_TO_RUN = 150  # MB in XIANGSUI_HOME: database, index, logs
STANDS_WITHIN = 120  # seconds for the server's first page


def run(options):
    started = time.monotonic()
    if options.database_url:
        os.environ["XIANGSUI_DATABASE_URL"] = options.database_url
    require_free_port(options.host, options.port)
    place.require_writable(place.home())
    place.require_space(place.home(), SPACE_TO_RUN)
    if options.fresh:
        start_over(options.yes)
    environment.ready("requirements.lock")
    site.compile_messages()
    env = place.surroundings(XIANGSUI_HOSTS=hosts(options.host))
    status.show("更新数据库 Migrating the database")
    site.manage("migrate", "--noinput", "-v", "0", env=env)
    status.clear()
    supervisor = Supervisor()
    try:
        serve(supervisor, options, env)
        address = f"http://{_shown(options.host)}:{options.port}/"
        line(f"✓ 相髓已启动 Xiangsui is running ({time.monotonic() - started:.0f} s): {address}")
        if not options.no_demo:
            demonstrate(supervisor, options.donors, env)
        line(f"  日志 Logs: {place.home() / 'logs'}   停止 Stop: Ctrl-C")
        while True:
            supervisor.look()
            time.sleep(0.3)
    except KeyboardInterrupt:
        status.clear()
        line("\n正在停止… Stopping…")
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor.stop()


def require_free_port(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if not place.WINDOWS:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Problem(
                    f"端口 {port} 已被占用，请换一个，例如 --port {port + 1}。",
                    f"Port {port} is taken: choose another with --port.",
                ) from error
            if error.errno == errno.EACCES:
                raise Problem(
                    f"没有权限使用端口 {port}，请用 1024 以上的端口。", "This port needs more rights."
                ) from error
            raise Problem(f"地址 {host} 不是这台机器的地址。", "This host is not an address here.") from error
        except OverflowError as error:
            raise Problem("端口必须在 1 到 65535 之间。", "A port is 1 to 65535.") from error


def hosts(host):
    """Names under which the site answers: its own, or also this machine's when it listens to others."""
    if os.environ.get("XIANGSUI_HOSTS"):
        return os.environ["XIANGSUI_HOSTS"]
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host not in {"127.0.0.1", "localhost", "::1"}:
        names += [f"[{host}]" if ":" in host else host, socket.gethostname()]
        try:
            found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
            names += [address[4][0] for address in found]
        except OSError:
            pass
    return ",".join(dict.fromkeys(names))


def start_over(agreed):
    """Removes the embedded database and what is made from it. Keys and logs stay; PostgreSQL is never touched."""
    if os.environ.get("XIANGSUI_DATABASE_URL"):
        raise Problem(
            "--fresh 只清除内嵌数据库；设置了数据库地址时不执行。",
            "--fresh removes only the embedded database and refuses when a database address is set.",
        )
    home = place.home()
    doomed = [*home.glob("xiangsui.sqlite3*"), *(home / name for name in ("index", "files", "static"))]
    doomed = [path for path in doomed if path.exists()]
    if not doomed:
        return
    if not agreed:
        if not sys.stdin.isatty():
            raise Problem("--fresh 会删除数据，非交互运行时请加 --yes。", "--fresh deletes data: add --yes.")
        line(f"将删除 {home} 中的：{'、'.join(path.name for path in doomed)}")
        if input("确定吗？Delete these? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise Problem("没有删除任何东西。", "Nothing was deleted.")
    for path in doomed:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def serve(supervisor, options, env):
    logs = place.home() / "logs"
    for name in ("server", "worker"):
        turn_page(logs / f"{name}.log")
    status.show("启动服务 Starting the server")
    address = ("--host", options.host, "--port", str(options.port))
    server = supervisor.add(Child("服务 server", site.command("serve", *address), logs / "server.log", env))
    supervisor.add(Child("后台作业 worker", site.command("worker"), logs / "worker.log", env))
    deadline = time.monotonic() + STANDS_WITHIN
    while (answer := _page(_reached(options.host), options.port)) is None:
        supervisor.look()
        if time.monotonic() > deadline:
            raise Problem(f"服务未在 {STANDS_WITHIN} 秒内应答。", f"The server does not answer: {server.log}")
        time.sleep(0.2)
    status.clear()
    if answer >= 500:
        line(f"  ! 首页出错 The first page answers {answer}: {server.log}")


def _reached(host):
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _shown(host):
    host = _reached(host)
    return f"[{host}]" if ":" in host else host


def _page(host, port):
    """The status of the first page, redirects followed; None while nobody answers."""
    path = "/"
    try:
        for _ in range(4):
            connection = http.client.HTTPConnection(host, port, timeout=30)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                path = answer.getheader("Location") or ""
            finally:
                connection.close()
            if not path.startswith("/"):
                break
        return answer.status
    except (OSError, http.client.HTTPException):
        return None


def demonstrate(supervisor, donors, env):
    """Builds the demonstration (again: only what is missing) while the site already serves."""
    arguments = ["demo", "--progress-lines", *(["--donors", str(donors)] if donors else [])]
    builder = subprocess.Popen(
        [sys.executable, "-S", "-E", str(GUARD), str(os.getpid()), *site.command(*arguments)],
        cwd=place.ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    lines = queue.SimpleQueue()
    threading.Thread(target=_read, args=(builder.stdout, lines), daemon=True).start()
    said, shown = [], False
    try:
        while (text := _next(lines, supervisor)) is not None:
            word = text.split(maxsplit=3)
            if word[:1] == ["progress"] and not shown:
                show_sign_ins(env)  # the accounts are made first
                shown = True
            if word[:1] == ["progress"] and len(word) >= 3 and word[1].isdigit() and word[2].isdigit():
                status.progress(int(word[1]), int(word[2]), word[3].strip() if word[3:] else "")
            else:
                said.append(text)
        status.clear()
        if builder.wait():
            problem = site.why("demo", "".join(said))
            line(f"  ! 演示数据没有建完，网站照常运行 The demonstration is incomplete: {problem}")
        else:
            line("✓ 演示数据就绪 The demonstration is ready")
    finally:
        if builder.poll() is None:
            builder.terminate()
            try:
                builder.wait(10)
            except subprocess.TimeoutExpired:
                builder.kill()
        builder.stdin.close()


def _read(stream, lines):
    for text in stream:
        lines.put(text)
    lines.put(None)


def _next(lines, supervisor):
    """The next line, and meanwhile the children are looked after."""
    while True:
        try:
            return lines.get(timeout=0.3)
        except queue.Empty:
            supervisor.look()


def show_sign_ins(env):
    try:
        found = site.sign_ins(env)
    except (Problem, ValueError) as error:
        line(f"  ! 读不到演示账号 No demonstration sign-ins: {error}")
        return
    if found:
        line("  演示账号 Demonstration sign-ins:")
    columns = max((width(row["username"]) for row in found), default=0)
    secrets = max((width(row["password"]) for row in found), default=0)
    for row in found:
        name = row["username"] + " " * (columns - width(row["username"]))
        secret = row["password"] + " " * (secrets - width(row["password"]))
        line(f"    {name}  {secret}  {row.get('role', '')}")
