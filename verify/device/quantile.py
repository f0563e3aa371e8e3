"""The inverse of the normal distribution function, from Wichura's rational approximations.

Wichura gives the quantile as q a(r) / b(r) in the centre and c(t) / d(t) in the tails. The same functions are evaluated
here as their limiting forms, sqrt(2 pi) q and sqrt(2) r, plus a rational correction: its rounding counts for a
fraction only. The numerators of the corrections are differences of Wichura's polynomials, computed with 40 digits.
"""

from __future__ import annotations

from asymptopia.verify.device.elementary import INF, NAN, log
from asymptopia.verify.device.primitives import sqrt

QUANTILE_SLOPE = 2.5066282746310007
QUANTILE_SLOPE_LO = 2.954216060145574e-18
SQRT2 = 1.4142135623730951
SQRT2_LO = -9.667293313452913e-17
# |u - 1/2| <= 0.425, in 0.180625 - (u - 1/2)**2
QA0 = 4.87476594139995
QA1 = 176.90044402900753
QA2 = 2358.3059454499726
QA3 = 14221.483431164575
QA4 = 38579.049157932095
QA5 = 40495.706885421416
QA6 = 10591.79991446788
QB1 = 42.31333070160091
QB2 = 687.1870074920579
QB3 = 5394.196021424751
QB4 = 21213.794301586597
QB5 = 39307.89580009271
QB6 = 28729.085735721943
QB7 = 5226.495278852854
# r = sqrt(-log(tail)) <= 5, in r - 1.6
QC0 = 0.8393045890472685
QC1 = 1.429718027483741
QC2 = 0.9273800832452284
QC3 = 0.2836831498678475
QC4 = 0.040141110933709874
QC5 = 0.0020605835424814824
QC6 = 9.378740026215541e-06
QC7 = -1.2804605076114153e-07
QC8 = 1.4859850019840355e-09
QD1 = 2.053191626637759
QD2 = 1.6763848301838038
QD3 = 0.6897673349851
QD4 = 0.14810397642748008
QD5 = 0.015198666563616457
QD6 = 0.0005475938084995345
QD7 = 1.0507500716444169e-09
# r > 5, in r - 5
QE0 = 0.41316316836437145
QE1 = 0.19188285950656297
QE2 = 0.03170477521755467
QE3 = 0.0022722112801644677
QE4 = 6.875314153886582e-05
QE5 = 6.944699448110874e-07
QE6 = 4.889672130320011e-10
QE7 = -1.3047057114776722e-12
QE8 = 2.8910246058729655e-15
QF1 = 0.599832206555888
QF2 = 0.1369298809227358
QF3 = 0.014875361290850615
QF4 = 0.0007868691311456133
QF5 = 1.8463183175100548e-05
QF6 = 1.421511758316446e-07
QF7 = 2.0442631033899397e-15


def normal_quantile(u: float) -> float:
    """Return z with P(Z <= z) = u for a standard normal Z, within 4 ulp: -inf at 0, inf at 1, nan outside.

    References
    ----------
    M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988).
    """
    q = u - 0.5
    # a branch, not two finished values: loops still vectorise, and one draw on its own takes half the time
    if abs(q) <= 0.425:
        square = q * q
        t = 0.180625 - square
        a = (((((QA6 * t + QA5) * t + QA4) * t + QA3) * t + QA2) * t + QA1) * t + QA0
        b = ((((((QB7 * t + QB6) * t + QB5) * t + QB4) * t + QB3) * t + QB2) * t + QB1) * t + 1.0
        return q * (QUANTILE_SLOPE + (QUANTILE_SLOPE_LO + square * a / b))
    tail = u if q < 0.0 else 1.0 - u
    r = sqrt(-log(tail))
    near = r <= 5.0
    t = r - 1.6 if near else r - 5.0
    c = QC8 if near else QE8
    c = c * t + (QC7 if near else QE7)
    c = c * t + (QC6 if near else QE6)
    c = c * t + (QC5 if near else QE5)
    c = c * t + (QC4 if near else QE4)
    c = c * t + (QC3 if near else QE3)
    c = c * t + (QC2 if near else QE2)
    c = c * t + (QC1 if near else QE1)
    c = c * t + (QC0 if near else QE0)
    d = QD7 if near else QF7
    d = d * t + (QD6 if near else QF6)
    d = d * t + (QD5 if near else QF5)
    d = d * t + (QD4 if near else QF4)
    d = d * t + (QD3 if near else QF3)
    d = d * t + (QD2 if near else QF2)
    d = d * t + (QD1 if near else QF1)
    d = d * t + 1.0
    z = SQRT2 * r - (c / d - SQRT2_LO * r)
    z = -z if q < 0.0 else z
    edge = (-INF if q < 0.0 else INF) if tail == 0.0 else NAN
    return z if tail > 0.0 else edge
