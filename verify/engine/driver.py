"""The loop around a replicate: run a range of replicates and add their powers to integer accumulators."""

from __future__ import annotations

# replicates whose statistics lie in the first-level cache between sampling and accumulating
BLOCK = 128
RESERVED = frozenset({"_replicate", "_run", "_scratch", "_device", "_numba", "_numpy", "_ir", "math", "struct"})

_TEMPLATE = """
_replicate = {replicate}

def _run(k0, k1, rep0, count, params, scales, acc):
    x = _scratch({size})
    k0 = k0 & 0xFFFFFFFF
    k1 = k1 & 0xFFFFFFFF
    nonfinite = 0
    outside = 0
    first = 0
    while first < count:
        m = min(count - first, {block})
        for i in range(m):
            r = rep0 + first + i
            {targets} = _replicate((k0, k1, r & 0xFFFFFFFF, (r >> 32) & 0xFFFFFFFF, 0), params)
{stores}
        for i in range(m):
            finite = 1
            inside = 1
{checks}
            nonfinite += 1 - finite
            outside += finite & (1 - inside)
{selects}
        for s in range({statistics}):
            base = {block} * s
            up1 = scales[14 * s + 2]
            down1 = scales[14 * s + 3]
            fine1 = scales[14 * s + 4]
            up2 = scales[14 * s + 5]
            down2 = scales[14 * s + 6]
            fine2 = scales[14 * s + 7]
            up3 = scales[14 * s + 8]
            down3 = scales[14 * s + 9]
            fine3 = scales[14 * s + 10]
            up4 = scales[14 * s + 11]
            down4 = scales[14 * s + 12]
            fine4 = scales[14 * s + 13]
{zeros}
            for i in range(m):
                y1 = x[base + i]
                y2 = y1 * y1
                y3 = y2 * y1
                y4 = y2 * y2
{limbs}
{adds}
        first += m
    acc[{counts}] += nonfinite
    acc[{counts} + 1] += outside
"""

# t holds 1.5 * 2**52 plus the rounded integer; its bits hold the integer itself
_LIMB = """                t = y{k} * up{k} + 6755399441055744.0
                a{k} += float_bits(t) - 0x4338000000000000
                t = (y{k} - (t - 6755399441055744.0) * down{k}) * fine{k} + 6755399441055744.0
                b{k} += float_bits(t) - 0x4338000000000000"""


def driver_source(replicate: str, statistics: int) -> str:
    """Return the text of ``_run`` around the function named `replicate` with this many statistics."""
    count = range(statistics)
    powers = range(1, 5)
    return _TEMPLATE.format(
        replicate=replicate,
        block=BLOCK,
        size=BLOCK * statistics,
        statistics=statistics,
        counts=8 * statistics,
        targets=", ".join(f"v{s}" for s in count),
        stores=_lines(12, (f"x[{BLOCK * s} + i] = float(v{s})" for s in count)),
        checks=_lines(
            12,
            (
                f"v{s} = x[{BLOCK * s} + i]\n"
                f"d{s} = v{s} - scales[{14 * s}]\n"
                f"finite &= 1 if v{s} - v{s} == 0.0 else 0\n"
                f"inside &= 1 if abs(d{s}) <= scales[{14 * s + 1}] else 0"
                for s in count
            ),
        ),
        selects=_lines(12, (f"x[{BLOCK * s} + i] = d{s} if finite & inside == 1 else 0.0" for s in count)),
        zeros=_lines(12, (f"a{k} = 0\nb{k} = 0" for k in powers)),
        limbs="\n".join(_LIMB.format(k=k) for k in powers),
        adds=_lines(12, (f"acc[8 * s + {2 * k - 2}] += a{k}\nacc[8 * s + {2 * k - 1}] += b{k}" for k in powers)),
    )


def _lines(indent: int, blocks: object) -> str:
    assert not isinstance(blocks, str)
    return "\n".join(" " * indent + line for block in blocks for line in block.split("\n"))  # type: ignore[attr-defined]
