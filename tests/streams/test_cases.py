"""Each case of the tables: what it holds and has working in the end, at both sides' books, and what it refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
import requests

from tests.streams.cases import CASES

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from tests.e2e.plant import Plant
    from tests.streams.case import Case
    from tests.streams.stage import Outcome

# Starting the product and playing all cases take longer than any test may.
pytestmark = pytest.mark.timeout(300)


EVERYDAY = 12
"""One case in so many is in every run of the tests, all of them in `make streams`."""


def marked(number: int, case: Case) -> ParameterSet:
    return pytest.param(case, id=case.name, marks=() if number % EVERYDAY == 0 else pytest.mark.streams)


@pytest.mark.parametrize("case", [marked(number, case) for number, case in enumerate(CASES)])
def test_case(case: Case, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.name]
    assert outcome.troubles == []
    assert outcome.net == case.ends.net
    assert case.ends.legs is None or outcome.legs == case.ends.legs
    assert outcome.codes == case.codes
    assert outcome.differences == [], "both books say the same, and nothing is left to do"
    assert case.pnl is None or outcome.pnl == case.pnl
    assert case.placed is None or outcome.placed == case.placed
    assert case.stored is None or outcome.stored == case.stored


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "%2e%2e", "\U0001f680"])
def test_probe_bad_token(plant: Plant, token: str) -> None:
    answer = requests.post(f"{plant.web_url}/webhook/{token}", data=b'{"action":"buy","ticker":"MNQ1!"}', timeout=5)
    assert answer.status_code == requests.codes.not_found


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    repeated = [name for name, count in Counter(case.name for case in CASES).items() if count > 1]
    assert repeated == []
    assert len(CASES) >= 600
