# SPDX-License-Identifier: MIT
"""The package in a Python that has nothing else: no pytest. Prints "ok", or what went wrong."""
import asyncio
import logging
import multiprocessing
import pickle
import threading
from typing import Any, List

import libspf

ZONE = """
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
"""


def answer(query: libspf.Query) -> List[str]:
    return ["v=spf1 ip4:192.0.2.0/24 -all"]


async def answer_later(query: libspf.Query) -> List[str]:
    await asyncio.sleep(0.001)
    return answer(query)


def wait(context: libspf.Context) -> None:
    result = context.check("192.0.2.1", "ann@example.com", "mail.example.net", trace=True)
    assert result.result == "pass" and f"{result.result}" == "pass" and result.trace[-1].outcome == "match", result
    assert pickle.loads(pickle.dumps(result)).received_spf("lf") == result.received_spf("lf")
    assert context.check("198.51.100.1", b"ann@example.com").smtp_reply().code == 550
    survey = context.survey("example.com", nearby=False)
    assert survey.flatten().zone(300) == 'example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"', survey
    assert pickle.loads(pickle.dumps(survey.nodes)) == survey.nodes and survey.as_dict()["summary"]["records"] == 1
    assert [remark.code for remark in context.lint("v=spf1 include=a.example -all")] == ["mechanism-equals"]
    assert str(libspf.compose(["192.0.2.1", "mx"], "example.com")) == "v=spf1 ip4:192.0.2.1 mx ~all"
    then = libspf.read_evidence("Received-SPF: fail client-ip=192.0.2.1; envelope-from=ann@example.com").check
    assert then is not None and len(result.advice(then)) == 2


async def wait_in_loop(context: libspf.Context) -> None:
    results = await asyncio.gather(*[context.check_async("192.0.2.%d" % number, "ann@example.com")
                                     for number in range(200)])
    assert {str(result.result) for result in results} == {"pass"}
    task = asyncio.ensure_future(context.check_async("192.0.2.1", "ann@example.com"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found = [result async for _, result in context.check_many([("192.0.2.1", "ann@example.com")] * 20, concurrency=3)]
    assert len(found) == 20 and context.pending == 0


def in_threads(context: libspf.Context) -> None:
    threads = [threading.Thread(target=wait, args=(context,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_child(number: int) -> Any:
    with libspf.Context(zone_text=ZONE, resolver="none") as context:
        return context.check("192.0.2.%d" % number, "ann@example.com")


def main() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of what is slow, as all is on a busy machine
    for options in ({"zone_text": ZONE, "resolver": "none"}, {"resolver": answer}, {"resolver": answer_later}):
        with libspf.Context(**options) as context:  # type: ignore[arg-type]
            wait(context)
            in_threads(context)
            asyncio.run(wait_in_loop(context), debug=False)
            assert len(list(context.check_many([("192.0.2.1", "ann@example.com")] * 20))) == 20
    for wrong in ((5,), ("192.0.2.1\0",), ("192.0.2.1", 5)):
        try:
            libspf.Context(resolver="none").check(*wrong)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        raise AssertionError(wrong)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert [str(result.result) for result in pool.map(in_child, [1, 2])] == ["pass", "pass"]
    print("ok")


if __name__ == "__main__":
    main()
