"""``asymptopia pn``: whether n is large enough for the p parameters of a model of a table, and which n would be."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from asymptopia._cli import UserError
from asymptopia._cli.console import check_files, console, finite, number, show_table, table, write_json

if TYPE_CHECKING:
    from asymptopia.theory.projection.criterion_result import PNCriterion
    from asymptopia.theory.projection.data import PNReport

FAMILIES = (
    "mvn", "mvn-cov", "normal", "gamma", "exponential", "inverse-gaussian", "poisson", "negative-binomial", "bernoulli",
    "multinomial", "beta", "dirichlet", "loglinear", "ising",
)  # fmt: skip
"""As in theory.projection.kinds, which would load numpy to show a help text."""
DATASETS = {
    "star98": {"family": "mvn"},
    "anes96": {"family": "loglinear", "columns": "vote,PID"},
    "randhie": {"family": "poisson", "columns": "mdvis"},
    "iris": {"family": "mvn", "by": "species"},
}
"""What is asked of each bundled data set where the options say nothing."""
BOUNDS = ("sharp", "pinsker", "local")
MOST_PANELS = 5
"""Criteria that are drawn against n, beside the figure of all."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "data", nargs="?", metavar="CSV", help="table with a header, one row an observation; commas, semicolons or tabs"
    )
    parser.add_argument(
        "--dataset",
        choices=sorted(DATASETS),
        help="use a bundled data set instead of a file (iris: with scikit-learn; the others with statsmodels)",
    )
    parser.add_argument(
        "--family",
        metavar="NAME,...",
        help=f"model of the columns, or several to compare (mvn): {', '.join(FAMILIES)}",
    )
    parser.add_argument("--columns", metavar="A,B,...", help="columns of the model (all)")
    parser.add_argument("--by", metavar="COLUMN", help="judge each group of rows with the same value of this column")
    parser.add_argument("--log", action="store_true", help="take logarithms of the columns")
    parser.add_argument("--drop-missing", action="store_true", help="leave out rows with a missing or infinite value")
    parser.add_argument(
        "--alpha", type=float, default=0.05, help="how far below 1/2 the Bayes error rate may lie, in (0, 1/2) (0.05)"
    )
    parser.add_argument("--bound", choices=BOUNDS, default="sharp", help="how alpha bounds the divergence (sharp)")
    parser.add_argument("--order", type=int, choices=(1, 2), default=2, help="terms of the series of the risk (2)")
    parser.add_argument(
        "--no-bias-correction", action="store_true", help="leave the bias of the first term in, as the paper does"
    )
    parser.add_argument("--size", type=float, metavar="R", help="known size of negative-binomial")
    parser.add_argument("--known-shape", type=float, metavar="A", help="shape of gamma, if it is known")
    parser.add_argument(
        "--interactions", type=int, metavar="K", help="order of the interactions of loglinear: 1 independence (2)"
    )
    parser.add_argument(
        "--bootstrap", type=int, default=0, metavar="B", help="resamples for standard errors and intervals (0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples (0)")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON (- for standard output)")
    parser.add_argument(
        "--plot", metavar="FILE", help="draw the risk against n with the threshold to an image file (png, pdf, svg)"
    )


def run(options: argparse.Namespace) -> int:
    """Compute, print and write what was asked for."""
    from asymptopia.theory.projection.data import load_dataset, pn_report

    if (options.data is None) == (options.dataset is None):
        message = "give either a CSV file or --dataset NAME"
        raise UserError(message)
    if options.seed < 0:
        message = f"--seed is {options.seed}; expected a whole number of at least 0"
        raise UserError(message)
    check_files(options, ("json", "plot"))
    asked = _asked(options)
    structure = {
        name: value for name in ("size", "known_shape", "interactions") if (value := getattr(options, name)) is not None
    }
    try:
        report = pn_report(
            options.data if options.dataset is None else load_dataset(options.dataset),
            _words(asked["family"]) or ["mvn"],
            columns=_words(asked["columns"]),
            by=asked["by"],
            log=options.log,
            missing="drop" if options.drop_missing else "raise",
            alpha=options.alpha,
            order=options.order,
            bias_correct=not options.no_bias_correction,
            bound=options.bound,
            bootstrap=options.bootstrap,
            rng=options.seed,
            **structure,
        )
    except (ValueError, TypeError, ModuleNotFoundError) as error:
        raise UserError(_one_line(error)) from error
    except OSError as error:
        message = f"cannot read {options.data}: {error.strerror or error}"
        raise UserError(message) from error
    if options.json:
        write_json(options.json, plain(report))
    if options.json != "-":
        _show(report)
    if options.plot:
        _draw(report, options.plot)
    return 0


def _asked(options: argparse.Namespace) -> dict[str, str | None]:
    """Return family, columns and group; those of the data set where none of the three is given."""
    given = {name: getattr(options, name) for name in ("family", "columns", "by")}
    if options.dataset is None or any(value is not None for value in given.values()):
        return given
    return given | DATASETS[options.dataset]


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _one_line(error: Exception) -> str:
    """Return the message of an error of the library in the words of the command."""
    text = " ".join(str(error).split())
    for call, option in (
        ("columns=...", "--columns"),
        ("by=...", "--by"),
        ("missing='drop'", "--drop-missing"),
        ("bootstrap=0", "--bootstrap 0"),
        ("size is missing", "--size is missing"),
    ):
        text = text.replace(call, option)
    return text


def _show(report: PNReport) -> None:
    out = console()
    one = report.criteria[0]
    what = "logarithms of " if report.log else ""
    out.print(
        f"{report.n} rows; {what}{', '.join(report.columns)}; risks are mean divergences in nats",
        markup=False,
    )
    for name, count in report.dropped:
        out.print(f"{count} rows left out for {name!r}", markup=False)
    out.print(
        f"threshold {one.threshold:.6g}: below it the Bayes error rate of telling the projection from its estimate is "
        f"within {one.alpha:g} of 1/2 ({one.bound})",
        markup=False,
    )
    grouped, second, errors = report.by is not None, one.order > 1, one.bootstrap is not None
    heads = [
        *([report.by] if report.by is not None else []),
        "family", "n", "p", "p/(2n)", "t0/(2n)", "t0/p",
        *(["second term"] if second else []),
        *(["its error"] if second and errors else []),
        "risk",
        *(["its error"] if errors else []),
        "required n", "verdict",
    ]  # fmt: skip
    rows = [
        [*([group] if grouped else []), family, *_cells(found, second=second)]
        for group, family, found in zip(report.groups, report.families, report.criteria, strict=True)
    ]
    for failure in report.failures:
        blank = ["-"] * (len(heads) - grouped - 2)
        rows.append([*([failure.group] if grouped else []), failure.family, *blank, "no estimate"])
    right = [name for name in heads if name not in (report.by, "family", "verdict")]
    show_table(out, table(heads, rows, right=right))
    for group, family, found in zip(report.groups, report.families, report.criteria, strict=True):
        name = _name(report, group, family)
        out.print(f"{name}{found.verdict}", markup=False)
        for note in found.notes:
            out.print(f"  {note}", markup=False)
    for failure in report.failures:
        out.print(f"{_name(report, failure.group, failure.family)}no estimate: {failure.reason}", markup=False)
    if len(set(report.families)) > 1:
        out.print(
            "Whether a family fits is another question; the smallest Takeuchi criterion: "
            + ", ".join(
                family if group == "all" else f"{group} {family}"
                for group, family in zip(dict.fromkeys(report.groups), report.best, strict=True)
            ),
            markup=False,
        )
    if not errors:
        out.print("The error of these estimates: --bootstrap 200.", markup=False)


def _name(report: PNReport, group: str, family: str) -> str:
    parts = [*([group] if report.by is not None else []), *([family] if len(set(report.families)) > 1 else [])]
    return f"{', '.join(parts)}: " if parts else ""


def _cells(one: PNCriterion, *, second: bool) -> list[str]:
    errors = one.bootstrap is not None
    return [
        str(one.n),
        str(one.p),
        number(one.naive),
        number(one.first),
        number(one.ratio, 3),
        *([number(one.second, 3)] if second else []),
        *([number(one.second_error / one.n**2, 2)] if second and one.second_error is not None else []),
        number(one.risk),
        *([number(one.bootstrap.risk_se, 2)] if errors and one.bootstrap is not None else []),
        "-" if one.required_n is None else str(one.required_n),
        "none" if not one.decided else "enough" if one.passed else "not enough",
    ]


def plain(report: PNReport) -> dict[str, Any]:
    """Return the report as the plain data that `--json` writes."""
    return {
        "schema": 1,
        "status": report.status.name,
        "rows": report.n,
        "columns": list(report.columns),
        "dropped": dict(report.dropped),
        "log": report.log,
        "by": report.by,
        "passed": report.passed,
        "criteria": [
            {"group": group, "family": family, **_plain(one), "tic": None if penalty.value is None else penalty.value}
            for group, family, one, penalty in zip(
                report.groups, report.families, report.criteria, report.penalties, strict=True
            )
        ],
        "failures": [failure._asdict() for failure in report.failures],
        "best": dict(zip(dict.fromkeys(report.groups), report.best, strict=True)),
    }


def _plain(one: PNCriterion) -> dict[str, Any]:
    names = (
        "n", "p", "passed", "risk", "first", "second", "naive", "t0", "ratio", "threshold", "required_n", "c1", "c2",
        "alpha", "bound", "order", "bias_correct", "mc_error", "second_error", "largest_share", "largest_row",
    )  # fmt: skip
    found: dict[str, Any] = {name: _held(getattr(one, name)) for name in names}
    return found | {
        "verdict": one.verdict,
        "status": one.status.name,
        "notes": list(one.notes),
        "theta_star": one.theta_star.tolist(),
        "contractions": None if one.contractions is None else one.contractions._asdict(),
        "bootstrap": None
        if one.bootstrap is None
        else {
            "repeats": one.bootstrap.repeats,
            "lost": one.bootstrap.lost,
            "level": one.bootstrap.level,
            "risk_se": one.bootstrap.risk_se,
            "risk_interval": list(one.bootstrap.risk_interval),
            "second_interval": [bound / one.n**2 for bound in one.bootstrap.second_interval],
        },
    }


def _held(value: Any) -> Any:
    return finite(value) if isinstance(value, float) else value


def _draw(report: PNReport, path: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from asymptopia.theory.projection.plots import plot_bayes_error, plot_criterion

    shown = [one for one in report.criteria if one.p][:MOST_PANELS]
    alone = len(report.criteria) == 1 and not report.failures
    parts = 2 if alone else 1 + len(shown)
    columns = min(parts, 3)
    figure = Figure(figsize=(6.2 * columns, 5.2 * -(-parts // columns)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = [*figure.subplots(-(-parts // columns), columns, squeeze=False).flat]
    report.plot(axes[0])
    if alone:
        plot_bayes_error(report.criteria[0], axes[1])
    for ax, one in zip(axes[1:], [] if alone else shown, strict=False):
        plot_criterion(one, ax)
        group, family = next(
            (g, f) for g, f, own in zip(report.groups, report.families, report.criteria, strict=True) if own is one
        )
        ax.set_title(f"{_name(report, group, family)}{'enough' if one.passed else 'not enough'}", fontsize="medium")
    for ax in axes[parts:]:
        ax.set_visible(False)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        message = f"cannot write {path}: {error}"
        raise UserError(message) from error
