# SPDX-License-Identifier: MIT
"""Threads, processes, signals, and the interpreter's end."""
import importlib.util
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Iterable, Iterator, List

import libspf
import pytest
from resolvers import IS_SANITIZED, LateResolver, SilentResolver, offline
from dns_server import DnsServer, Zone

THREADS = 16
DOMAINS = 200
STEP_S = 60


@pytest.fixture
def server() -> Iterator[DnsServer]:
    one = DnsServer(Zone({"d%d.example" % number: {"TXT": ["v=spf1 ip4:192.0.2.%d -all" % (number % 250)]}
                          for number in range(DOMAINS)}))
    yield one
    one.stop()


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failures: List[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # shown by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def ask_many(context: Any, numbers: Iterable[int]) -> None:
    for number in numbers:
        ask(context, number)


def ask(context: Any, number: int) -> None:
    """Two questions whose answers are different."""
    domain = number % DOMAINS
    result = context.check("192.0.2.%d" % (domain % 250), "ann@d%d.example" % domain)
    assert (result.result, result.checked_domain) == ("pass", "d%d.example" % domain)
    assert context.check("192.0.2.251", "ann@d%d.example" % domain).result == "fail"


def test_threads_on_one_context(server: DnsServer) -> None:
    with libspf.Context(resolver=server.resolver) as context:
        in_threads(THREADS, lambda thread: ask_many(context, range(thread * 31, thread * 31 + 100)))


def test_threads_on_the_shared_context(server: DnsServer, tmp_path: pathlib.Path) -> None:
    config = tmp_path / "libspf.conf"
    config.write_text("resolver: %s\n" % server.resolver)
    with libspf.shared_context(config):
        in_threads(THREADS, lambda thread: ask_many(libspf, range(thread * 31, thread * 31 + 100)))


def test_threads_that_iterate(server: DnsServer) -> None:
    with libspf.Context(resolver=server.resolver) as context:

        def work(thread: int) -> None:
            questions = [("192.0.2.251", "ann@d%d.example" % ((thread * 31 + number) % DOMAINS)) for number in range(150)]
            found = list(context.check_many(questions, concurrency=20, ordered=thread % 2 == 0))
            assert {str(result.result) for _, result in found} == {"fail"} and len(found) == 150
            assert all(question[1] == result.sender for question, result in found)

        in_threads(8, work)


def test_threads_and_a_resolver_in_python() -> None:
    with LateResolver(0.001) as resolver, libspf.Context(resolver=resolver, record_cache=0) as context:

        def work(thread: int) -> None:
            for number in range(30):
                result = context.check("192.0.2.1", "ann@d%d.example" % (thread * 100 + number))
                assert (result.result, result.checked_domain) == ("pass", "d%d.example" % (thread * 100 + number))

        in_threads(8, work)


def test_other_threads_go_on_while_one_waits() -> None:
    resolver = SilentResolver()
    with libspf.Context(resolver=resolver) as context:
        waiting = threading.Thread(target=context.check, args=("192.0.2.1", "ann@example.com"), kwargs={"timeout": 0.5})
        waiting.start()
        turns = 0
        while waiting.is_alive():
            turns += 1
            time.sleep(0.001)
        assert turns > 10


def test_a_thread_waits_while_others_process(server: DnsServer) -> None:
    """What one waits for may be done by another, who has to tell it."""
    server.mode, server.delay_s = "slow", 0.01
    with libspf.Context(resolver=server.resolver, record_cache=0) as context:
        is_over = threading.Event()

        def iterate() -> None:
            while not is_over.is_set():
                questions = [("192.0.2.251", "ann@d%d.example" % number) for number in range(DOMAINS)]
                for _, result in context.check_many(questions, concurrency=5):
                    assert result.result == "fail"
                    if is_over.is_set():
                        return

        iterating = threading.Thread(target=iterate)
        iterating.start()
        started = time.monotonic()
        in_threads(1, lambda _: ask_many(context, range(50)))
        is_over.set()
        iterating.join()
        assert time.monotonic() - started < 50  # a deadline would end each of them after 20 s


def test_ctrl_c_ends_a_check() -> None:
    """In the main thread, which is where Python sees to signals."""
    resolvers: List[Any] = [SilentResolver(), "127.0.0.1@9"]
    for resolver in resolvers:
        with libspf.Context(resolver=resolver) as context:
            timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt) as caught:
                context.check("192.0.2.1", "ann@example.com", timeout=STEP_S)
            timer.join()
            assert context.pending == 0 and caught.tb is not None  # which keeps the check alive


def test_closing_the_context_ends_what_threads_wait_for() -> None:
    resolvers: List[Any] = [SilentResolver(), "127.0.0.1@9"]
    for resolver in resolvers:
        errors: List[libspf.Error] = []
        context = libspf.Context(resolver=resolver, timeout=10 * STEP_S)

        def wait(number: int) -> None:
            try:
                context.check("192.0.2.1", "ann@d%d.example" % number)
            except libspf.Error as error:
                errors.append(error)

        threads = [threading.Thread(target=wait, args=(number,), daemon=True) for number in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)  # so that they wait; if they do not yet, the test just says less
        context.close()
        for thread in threads:
            thread.join(STEP_S / 2)
            assert not thread.is_alive()
        assert {error.code for error in errors} <= {libspf.ErrorCode.ECANCELED, libspf.ErrorCode.ESTATE}
        assert len(errors) == len(threads)


# ---------------------------------------------------------------------------------------------------------- processes


def child(work: Callable[[], None]) -> int:
    """Runs it in a child of a fork: its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    deadline = time.monotonic() + STEP_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the child hangs")


def test_fork_between_checks(server: DnsServer) -> None:
    with libspf.Context(resolver=server.resolver) as context:
        ask(context, 1)
        assert child(lambda: ask(context, 2)) == 0
        ask(context, 3)


FORK_IN_MID_CHECK = """
import asyncio, gc, os, sys, threading, time
import libspf
from resolvers import LateResolver
from test_threads import child

def in_child(context):
    # The parent's checks are the parent's; one's own work, in a thread and in a loop.
    assert context.pending == 0
    assert context.check("192.0.2.1", "ann@child.example").result == "pass"
    async def main():
        results = await asyncio.gather(*[context.check_async("192.0.2.1", "ann@c%d.example" % i) for i in range(20)])
        assert {str(result.result) for result in results} == {"pass"}
    asyncio.run(main())
    context.close()

async def main(context, resolver):
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # which would complain in the child
    tasks = [asyncio.ensure_future(context.check_async("192.0.2.1", "ann@d%d.example" % i)) for i in range(50)]
    await asyncio.sleep(0.02)
    assert context.pending == 50
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            tasks.clear()
            gc.collect()  # what goes here must not take anything from the parent's loop
            resolver.start()
            worker = threading.Thread(target=in_child, args=(context,))
            failed = []
            threading.excepthook = lambda args: (failed.append(1), sys.__excepthook__(*args[:3]))
            worker.start(); worker.join()
            status = len(failed)
        finally:
            os._exit(status)
    results = await asyncio.gather(*tasks)
    assert {str(result.result) for result in results} == {"pass"}
    assert (await asyncio.get_running_loop().run_in_executor(None, os.waitpid, pid, 0)) == (pid, 0)

class Forkable(LateResolver):
    def start(self):
        self._changed = threading.Condition()
        self._due = []
        threading.Thread(target=self._run, daemon=True).start()

resolver = Forkable(0.3)
context = libspf.Context(resolver=resolver)
asyncio.run(main(context, resolver))
assert context.pending == 0
context.close()
resolver.close()
print("done")
"""


# asyncio warns of what is slow, as all is on a busy machine.
PRELUDE = "import logging; logging.getLogger('asyncio').setLevel(logging.ERROR)\n"


def program(text: str, *arguments: str, expected: int = 0) -> str:
    """Runs Python text as a program of its own: what it prints."""
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", *arguments, "-c", PRELUDE + text],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=STEP_S, universal_newlines=True,
                          cwd=str(pathlib.Path(__file__).parent), check=False, env=environment())
    assert done.returncode == expected, done.stdout
    return done.stdout


def environment() -> Any:
    here = pathlib.Path(__file__).parent
    path = [str(here), str(here.parent / "daemons"), os.environ.get("PYTHONPATH", "")]
    return dict(os.environ, PYTHONPATH=os.pathsep.join(path), PYTHONDONTWRITEBYTECODE="1")


def test_fork_in_mid_check() -> None:
    assert program(FORK_IN_MID_CHECK) == "done\n"


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's allocator does not bear it")
def test_fork_while_threads_check(server: DnsServer) -> None:
    """At whatever point the others are."""
    with libspf.Context(resolver=server.resolver, record_cache=0) as context:
        is_over = threading.Event()

        def work(thread: int) -> None:
            number = thread
            while not is_over.is_set():
                ask(context, number)
                number += 7

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(20):
                assert child(lambda: ask(context, number)) == 0
        finally:
            is_over.set()
            for thread in threads:
                thread.join()


def check_in_worker(number: int) -> libspf.Result:
    with offline() as context:
        return context.check("192.0.2.%d" % number, "ann@example.com", trace=True)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str) -> None:
    """Results come back from the workers."""
    with offline() as context:
        context.check("192.0.2.1", "ann@example.com")
        with multiprocessing.get_context(method).Pool(2) as pool:
            results = pool.map(check_in_worker, range(1, 6))
            pool.close()
            pool.join()
        assert [result.ip for result in results] == ["192.0.2.%d" % number for number in range(1, 6)]
        assert {str(result.result) for result in results} == {"pass"} and len(results[0].trace) == 2
        context.check("192.0.2.1", "ann@example.com")


# -------------------------------------------------------------------------------------------------------------- ends

SUBINTERPRETER = """
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import libspf
assert libspf.Context(resolver="none").check("192.0.2.1", "a@example.com").result == "none"
for _ in range(2):
    try:
        one = interpreters.create()
    except TypeError:
        one = interpreters.create("legacy")
    try:
        failed = interpreters.run_string(one, '''
import sys
sys.path[:] = %r
try:
    import libspf
except ImportError as error:
    text = str(error)
    assert "subinterpreter" in text, text
else:
    raise SystemExit("it was imported")
''' % __import__("sys").path)
        assert failed is None, failed
    finally:
        interpreters.destroy(one)
assert libspf.Context(resolver="none").check("192.0.2.1", "a@example.com").result == "none"
print("done")
"""


def test_subinterpreters_are_refused() -> None:
    if not any(importlib.util.find_spec(name) for name in ("_xxsubinterpreters", "_interpreters")):
        pytest.skip("this Python has no subinterpreters")
    assert program(SUBINTERPRETER) == "done\n"


ENDS = {
    "a thread that waits": """
import threading, time, libspf
from resolvers import SilentResolver
context = libspf.Context(resolver=%s)
for _ in range(3):
    threading.Thread(target=context.check, args=("192.0.2.1", "a@example.com"), daemon=True).start()
time.sleep(0.2)
print("done")
""",
    "a loop that was left": """
import asyncio, libspf, warnings
from resolvers import SilentResolver
context = libspf.Context(resolver=%s)
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda *_: None)
warnings.simplefilter("ignore")
tasks = [loop.create_task(context.check_async("192.0.2.1", "a@d%%d.example" %% i)) for i in range(20)]
loop.run_until_complete(asyncio.sleep(0.1))
print("done")
""",
    "an iteration that was left": """
import libspf
from resolvers import SilentResolver
context = libspf.Context(resolver=%s)
questions = [("192.0.2.1", "a@example.com", None), *[("192.0.2.1", "a@d%%d.example" %% i) for i in range(20)]]
pairs = iter(context.check_many([("192.0.2.1", "")] + questions))
next(pairs)
print("done")
""",
    "exit in a thread's check": """
import os, sys, threading, time, libspf
from resolvers import SilentResolver
context = libspf.Context(resolver=%s)
threading.Thread(target=context.check, args=("192.0.2.1", "a@example.com"), daemon=True).start()
time.sleep(0.1)
print("done")
sys.stdout.flush()
sys.exit(0)
""",
}


@pytest.mark.parametrize("resolver", ["SilentResolver()", "'127.0.0.1@9'"])
@pytest.mark.parametrize("name", ENDS)
def test_the_end_of_the_interpreter(name: str, resolver: str) -> None:
    """With checks in flight: neither a crash nor waiting."""
    started = time.monotonic()
    assert program(ENDS[name] % resolver).startswith("done\n")  # Python may complain of what was left
    assert time.monotonic() - started < STEP_S / 2
