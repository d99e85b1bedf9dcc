"""The sub-commands of `dev` and their options."""

import argparse
import errno
import os
import signal
import subprocess
import sys

from . import environment, place, say
from .say import Problem

DESCRIPTION = """相髓 Xiangsui · 开发与运行入口

  python3 dev run          安装、建库、建演示数据并启动 set up, build the demonstration, serve
  python3 dev test         全部测试 the whole suite;  dev test donors 只测一间 one room
  python3 dev lint         检查代码 ruff, import contracts, mypy, templates, migrations
  python3 dev format       统一排版 code and templates in their one style
  python3 dev bench        引擎测速 measure the engine
  python3 dev hla …        引擎命令行 the engine's command line
  python3 dev manage …     Django 管理命令 Django's management commands
  python3 dev lock         重新锁定依赖 lock the requirements again
  python3 dev messages     提取译文 collect the strings to translate
  python3 dev frontend     构建前端 build the front end
"""


def parser():
    top = argparse.ArgumentParser(
        prog="dev", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="启动 set up and serve")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=8000)
    run.add_argument("--donors", type=int, metavar="N", help="演示志愿者人数 donors of the demonstration")
    run.add_argument("--fresh", action="store_true", help="清除内嵌数据库后重建 start over (embedded database)")
    run.add_argument("--yes", action="store_true", help="不再询问 do not ask")
    run.add_argument("--database-url", metavar="URL", help="postgres://user:password@host/name")
    run.add_argument("--no-demo", action="store_true", help="不建演示数据 no demonstration")

    test = commands.add_parser("test", help="测试 run tests; pytest's own options after --")
    test.add_argument("rooms", nargs="*", metavar="ROOM", help="只测这些（SQLite，无浏览器） only these, quickly")
    test.add_argument("--all", action="store_true", help="所选部分也用浏览器和 PostgreSQL everything, also of ROOM")
    test.add_argument("--browser", action=argparse.BooleanOptionalAction, default=None)
    test.add_argument("--postgres", action=argparse.BooleanOptionalAction, default=None)

    commands.add_parser("lint", help="检查 check the code")
    commands.add_parser("format", help="排版 write code and templates in their one style")
    commands.add_parser("lock", help="锁定依赖 lock the requirements")
    commands.add_parser("messages", help="提取译文 collect strings to translate")
    commands.add_parser("frontend", help="构建前端 build the front end")
    for name in ("bench", "hla", "manage"):
        commands.add_parser(name, add_help=False)
    return top


def main(arguments):
    say.prepare()
    # All end as Ctrl-C does: children and a test's PostgreSQL go too. SIGINT by name, because a shell that starts a
    # command in the background has it ignored, and Python then leaves it so.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupted)
    try:
        return dispatch(arguments)
    except Problem as problem:
        say.error(problem)
        return problem.code
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            say.error(place.disk_full(place.ROOT))
        elif error.errno == errno.EROFS or isinstance(error, PermissionError):
            say.error(Problem(f"不能写入 {error.filename}。", f"Cannot write there: {error.strerror}."))
        else:
            raise
        return 1
    except KeyboardInterrupt:
        say.status.clear()
        say.line("\n已中断 Interrupted")
        return 130


def _interrupted(*_):
    raise KeyboardInterrupt


def dispatch(arguments):
    passed = []
    if arguments[:1] and arguments[0] in {"bench", "hla", "manage"}:
        return handed_on(arguments[0], arguments[1:])
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, passed = arguments[:cut], arguments[cut + 1 :]
    options = parser().parse_args(arguments)
    if options.command == "run":
        from .run import run

        return run(options)
    if options.command == "test":
        from .testing import test

        return test(options, passed)
    from . import chores

    return getattr(chores, options.command)()


def handed_on(name, arguments):
    """Commands whose options are another program's."""
    environment.ready("requirements.lock")
    if name == "bench":
        from .chores import bench

        return bench(arguments)
    if name == "manage":
        from .site import compile_messages

        compile_messages()
    module = {"hla": "hlaengine", "manage": "xiangsui"}[name]
    command = environment.python("-m", module, *arguments)
    env = place.surroundings()
    say.status.clear()
    if not place.WINDOWS:
        sys.stdout.flush()
        os.execve(command[0], command, env)
    return subprocess.run(command, env=env).returncode
