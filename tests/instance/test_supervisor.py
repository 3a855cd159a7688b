"""The supervisor over small scripts."""

import errno
import io
import os
import signal
import sys
import threading
import time

import pytest

from app.instance import processes, supervisor
from app.instance.logs import Logs
from app.instance.supervisor import Child, StepError, StoppedError, Supervisor
from tests.instance.conftest import eventually, processes_of


@pytest.fixture
def log():
    return io.StringIO()


@pytest.fixture
def make_boss(tmp_path, log):
    """Make supervisors of one folder; what they leave running is ended."""
    made = []

    def make(terminal=log, **options):
        logs = Logs(tmp_path / "log", terminal)
        made.append((Supervisor(tmp_path / "run", logs, **options), logs))
        return made[-1][0]

    yield make
    for boss, logs in made:
        boss.stop()
        logs.close()


@pytest.fixture
def boss(make_boss, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0.05)
    return make_boss(grace_seconds=10)


def script(name, code, **environment):
    return Child(name, (sys.executable, "-u", "-c", code), {"PATH": os.defpath} | environment)


def turn_until(boss, condition):
    eventually(lambda: boss.turn() or condition())


def test_output_is_forwarded_line_by_line_with_its_name(boss, log):
    boss.start(script("web", "import sys; print('one'); print('two', file=sys.stderr); sys.stdin.read(); input()"))
    turn_until(boss, lambda: "web | two" in log.getvalue())
    assert log.getvalue().startswith("web | one\nweb | two\n")


def test_a_last_line_without_its_end_is_forwarded(boss, log):
    boss.start(script("web", "import sys; sys.stdout.write('half')"))
    turn_until(boss, lambda: "web | half\n" in log.getvalue())


def test_a_child_that_dies_is_started_again(boss, log):
    boss.start(script("web", "import os, time; print(os.getpid()); time.sleep(60)"))
    turn_until(boss, lambda: "web | " in log.getvalue())
    os.kill(int(log.getvalue().split()[-1]), signal.SIGKILL)
    turn_until(boss, lambda: log.getvalue().count("web | ") == 2)
    assert "web ended with exit code -9; it is started again in 0.05 s." in log.getvalue()


def test_a_child_that_keeps_dying_waits_longer_each_time(boss, log):
    boss.start(script("web", "raise SystemExit(1)"))
    turn_until(boss, lambda: log.getvalue().count("ended") == 3)
    assert [line.split()[-2] for line in log.getvalue().splitlines()] == ["0.05", "0.1", "0.2"]


def test_what_a_dead_child_left_behind_is_gone_before_it_starts_again(boss, log):
    code = "import os, time; os.fork() or (os.setpgid(0, 0), time.sleep(60)); print('x'); time.sleep(0.2)"
    boss.start(script("web", code))
    turn_until(boss, lambda: log.getvalue().count("web | x") == 2)
    assert "still holds" not in log.getvalue()


OBEYS = "import signal, sys, time; signal.signal(15, lambda *a: {}); print(1); time.sleep(60); print(2)"
IGNORES = "import signal; signal.signal(15, signal.SIG_IGN); print(1); signal.pause()"


def start_ready(boss, log, **codes):
    for name, code in codes.items():
        boss.start(script(name, code))
    turn_until(boss, lambda: log.getvalue().count("| 1\n") == len(codes))


def seconds_of(work):
    started_at = time.monotonic()
    work()
    return time.monotonic() - started_at


def test_children_are_asked_to_stop_all_at_once(boss, log):
    slow = OBEYS.format("(time.sleep(0.7), sys.exit())")
    start_ready(boss, log, web=slow, default=slow, dispatcher=slow)
    assert 0.7 <= seconds_of(boss.stop) < 1.4


def test_children_that_do_not_listen_share_one_grace(make_boss, log, tmp_path):
    boss = make_boss(grace_seconds=0.5)
    start_ready(boss, log, web=f"{IGNORES}  # {tmp_path}", default=f"{IGNORES}  # {tmp_path}")
    assert 0.5 <= seconds_of(boss.stop) < 1.0
    assert not processes_of(tmp_path)


def test_a_second_ctrl_c_ends_the_grace(boss, log, signals):
    boss.listen_to_signals(lambda: None)
    start_ready(boss, log, web=IGNORES)
    os.kill(os.getpid(), signal.SIGINT)
    second = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    second.start()
    assert 0.3 <= seconds_of(boss.stop) < 5
    second.join()


def test_stopping_is_announced_at_once_and_each_word_once(boss, log, signals):
    boss.listen_to_signals(lambda: None)
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGINT):
        os.kill(os.getpid(), number)
    assert log.getvalue().splitlines() == [
        "Stopping…",
        "Stopping at once; what is unfinished goes on at the next start.",
    ]


def test_a_step_answers_what_it_wrote_and_forwards_its_errors(boss, log):
    step = script("link", "import sys; print('a'); print('b'); print('trouble', file=sys.stderr)")
    assert boss.run_step(step) == "a\nb"
    assert log.getvalue() == "link | trouble\n"


def test_a_step_that_fails_is_named(boss):
    with pytest.raises(StepError, match="The step migrate ended with exit code 3"):
        boss.run_step(script("migrate", "raise SystemExit(3)"))


def test_a_program_that_is_not_there_is_named(boss, log):
    with pytest.raises(StepError, match="exit code 1"):
        boss.run_step(Child("migrate", ("/nowhere/program",), {}))
    assert log.getvalue() == "migrate | /nowhere/program cannot be started: No such file or directory.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_step_and_is_announced(boss, signals, number):
    announced = []
    boss.listen_to_signals(lambda: announced.append(True))
    with pytest.raises(StoppedError):
        boss.run_step(script("migrate", f"import os, time; os.kill(os.getppid(), {int(number)}); time.sleep(60)"))
    assert announced
    with pytest.raises(StoppedError):
        boss.run_step(script("demo", "print(1)"))


def test_under_nohup_the_end_of_the_terminal_is_survived(boss, signals):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    boss.listen_to_signals(lambda: None)
    os.kill(os.getpid(), signal.SIGHUP)
    assert not boss.stop_requested


def test_a_closed_terminal_does_not_stop_the_work(make_boss):
    class ClosedTerminal(io.StringIO):
        def write(self, text):
            raise OSError(errno.EIO, "Input/output error")

    boss = make_boss(ClosedTerminal())
    assert boss.run_step(script("step", "import sys; print('ok'); print('lost', file=sys.stderr)")) == "ok"


def test_children_of_a_killed_supervisor_are_ended_by_the_next(boss, make_boss, log):
    boss.start(script("web", "import time; print(1); time.sleep(60)"))
    turn_until(boss, lambda: "web | 1" in log.getvalue())
    make_boss().stop_leftovers()
    turn_until(boss, lambda: "exit code -9" in log.getvalue())


def test_processes_are_found_without_proc_too(boss, monkeypatch):
    monkeypatch.setattr(processes, "PROC", processes.PROC / "missing")
    assert os.getpid() in processes._all_pids()
