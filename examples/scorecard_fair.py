"""From data to decision: which columns carry information, and would they carry over to another population?

The data are Fair's survey (1978), 6366 answers, shipped by statsmodels. Run it from anywhere:

    python examples/scorecard_fair.py [FOLDER FOR FIGURES]
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from statsmodels.datasets import fair

from asymptopia.theory import scorecard

MATERIAL = 0.02  # below this an information value is of no use to us
SHIFT = 0.10  # above this a population has shifted for our purpose


def main(folder: Path | None = None) -> None:
    data = fair.load_pandas().data

    # 1. Screen: intervals, not point estimates, and p-values for having looked at eight columns
    screen = scorecard.iv_screen_frame(data, "affairs", event="> 0")
    print(screen.summary(), end="\n\n")
    for feature, result, adjusted in zip(screen.features, screen.results, screen.adjusted, strict=True):
        useful = result.test(margin=MATERIAL).pvalue
        if adjusted > 0.05:
            decision = "drop: noise explains it"
        elif useful < 0.05:
            decision = f"keep: IV > {MATERIAL}"
        else:
            decision = f"undecided: real, but IV > {MATERIAL} is not established"
        print(f"{feature:16s} {decision}")

    # 2. The cells of the strongest column
    rating = screen["rate_marriage"]
    print(f"\nrate_marriage: {rating.status}")
    print(rating.to_frame().round(4).to_string(index=False))

    # 3. Would the columns carry over to women who rate their marriage 3 or lower?
    low = data["rate_marriage"] <= 3
    rest = data.drop(columns=["rate_marriage", "affairs"])
    drift = scorecard.psi_screen_frame(rest[low], rest[~low])
    print(f"\n{drift.summary()}\n")
    for feature, result in zip(drift.features, drift.results, strict=True):
        stable = result.test(margin=SHIFT, alternative="less").pvalue < 0.05
        shifted = result.test(margin=SHIFT, alternative="greater").pvalue < 0.05
        print(f"{feature:16s} {'stable' if stable else 'shifted' if shifted else 'cannot be told'} at {SHIFT}")

    # 4. How many answers would the next survey need to see a shift of 0.05?
    plan = scorecard.psi_sample_size(bins=10, alpha=0.05, power=0.9, psi=0.05)
    print(f"\nn m / (n + m) = {plan.n_eff:.0f} sees a PSI of 0.05 with 90 % power: {2 * plan.n_eff:.0f} answers a side")

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        # the same question at the survey's size and at 400 answers
        few = scorecard.iv_screen_frame(data.sample(400, random_state=1978), "affairs", event="> 0")
        figure, axes = plt.subplots(1, 2, figsize=(11, 4.0), layout="constrained")
        for ax, found, size in zip(axes, (screen, few), (len(data), 400), strict=True):
            found.plot(ax)
            ax.set_title(f"{size} answers", fontsize="medium")
        figure.savefig(folder / "fair_iv.png", dpi=130)
        plt.close(figure)
        figure, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
        drift.plot(ax)
        figure.savefig(folder / "fair_psi.png", dpi=130)
        plt.close(figure)
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        rating.plot(axes[0], labels=screen.labels[screen.features.index("rate_marriage")])
        drift["age"].plot(axes[1], labels=drift.labels[drift.features.index("age")])
        figure.savefig(folder / "fair_cells.png", dpi=150)
        plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
