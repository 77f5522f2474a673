# SPDX-License-Identifier: MIT
"""The published suite for RFC 7208, by every way of waiting, with a resolver written in Python."""
import asyncio
from typing import Any, Callable, List

import libspf
import pytest
import suite
from resolvers import AwaitingResolver, ZoneResolver, suite_cases

Asked = List[libspf.Result]


def by_check(context: libspf.Context, cases: List[Any]) -> Asked:
    return [context.check(ip, sender, helo) for _, ip, sender, helo, _ in cases]


def by_check_async(context: libspf.Context, cases: List[Any]) -> Asked:
    async def ask() -> Asked:
        return list(await asyncio.gather(*[context.check_async(ip, sender, helo) for _, ip, sender, helo, _ in cases]))

    return asyncio.run(ask())


def by_check_many(context: libspf.Context, cases: List[Any]) -> Asked:
    questions = [case[1:4] for case in cases]
    return [result for _, result in context.check_many(questions, concurrency=7)]


@pytest.mark.parametrize("make", [ZoneResolver, AwaitingResolver])
@pytest.mark.parametrize("ask", [by_check, by_check_async, by_check_many])
def test_all_cases(ask: Callable[[libspf.Context, List[Any]], Asked], make: Callable[[Any], Any]) -> None:
    right = 0
    for zone, cases in suite_cases():
        with libspf.Context(resolver=make(zone), timeout=30) as context:
            for case, result in zip(cases, ask(context, cases)):
                assert result.result in case[4], (case[0], result)
                right += 1
    assert right == suite.CASES
