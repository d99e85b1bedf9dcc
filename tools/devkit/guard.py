"""Runs a command that must not outlive the process which started it, however that one ended (kill -9 too).

    python guard.py PARENT_PID COMMAND …

On Linux the kernel is asked to kill us with our parent, and we become the command. Elsewhere we stay, watch our
standard input, a pipe which only the parent holds open, and kill the command when the pipe closes.
"""

import os
import signal
import subprocess
import sys
import threading


def become(parent, command):
    import ctypes

    PR_SET_PDEATHSIG = 1
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        return watch(command)
    if os.getppid() != parent:  # it was gone before the kernel had been asked
        return 1
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    return os.execv(command[0], command)


def watch(command):
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def wait_for_the_end_of_the_pipe():
        while os.read(0, 1024):
            pass
        child.kill()

    threading.Thread(target=wait_for_the_end_of_the_pipe, daemon=True).start()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code


def main(arguments):
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux" and not os.environ.get("XIANGSUI_GUARD_WATCHES"):
        return become(parent, command)
    return watch(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
