"""German credit, from the file to numbers that were computed elsewhere; skipped where the file is not at hand."""

from __future__ import annotations

import pandas as pd
import pytest
from german_credit import HINT, german_csv

from asymptopia.theory.scorecard import iv_screen_frame, psi_screen_frame


@pytest.fixture(scope="module")
def german() -> pd.DataFrame:
    path = german_csv()
    if path is None:
        pytest.skip(f"no German credit data; {HINT}")
    return pd.read_csv(path)


def test_checking_account_from_rows_to_interval(german: pd.DataFrame) -> None:
    # risk is 1 for a good account; the values are 50-digit ones for these counts
    result = iv_screen_frame(german, "risk", event="== 0")["checking_account"]
    assert (result.n, result.m, result.bins) == (700, 300, 4)
    assert result.estimate == pytest.approx(0.666011503351333513, rel=1e-13)
    assert result.se == pytest.approx(0.114461008811322029, rel=1e-13)
    assert result.ci == pytest.approx((0.44934019471703021, 0.894600462473773704), rel=1e-10)


def test_a_screen_of_all_columns_names_what_is_sparse(german: pd.DataFrame) -> None:
    screen = iv_screen_frame(german, "risk", event="== 0")
    assert len(screen.features) == 9
    assert screen.features[screen.order()[0]] == "checking_account"
    assert all(result.status.message for result in screen.results)


def test_sexes_differ_in_age_and_not_in_job(german: pd.DataFrame) -> None:
    women, men = german[german["sex"] == "female"], german[german["sex"] != "female"]
    screen = psi_screen_frame(women.drop(columns="sex"), men.drop(columns="sex"))
    assert screen["age"].pvalue < 1e-6
    assert screen["age"].n == len(women)
    assert screen["job"].pvalue > 0.01
