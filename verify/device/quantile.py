"""The inverse of the normal distribution function by Wichura's rational approximations."""

from __future__ import annotations

from asymptopia.verify.device.elementary import INF, NAN, log
from asymptopia.verify.device.primitives import sqrt

# |u - 1/2| <= 0.425
QA0 = 3.3871328727963666080e0
QA1 = 1.3314166789178437745e2
QA2 = 1.9715909503065514427e3
QA3 = 1.3731693765509461125e4
QA4 = 4.5921953931549871457e4
QA5 = 6.7265770927008700853e4
QA6 = 3.3430575583588128105e4
QA7 = 2.5090809287301226727e3
QB1 = 4.2313330701600911252e1
QB2 = 6.8718700749205790830e2
QB3 = 5.3941960214247511077e3
QB4 = 2.1213794301586595867e4
QB5 = 3.9307895800092710610e4
QB6 = 2.8729085735721942674e4
QB7 = 5.2264952788528545610e3
# r = sqrt(-log(tail)) <= 5
QC0 = 1.42343711074968357734e0
QC1 = 4.63033784615654529590e0
QC2 = 5.76949722146069140550e0
QC3 = 3.64784832476320460504e0
QC4 = 1.27045825245236838258e0
QC5 = 2.41780725177450611770e-1
QC6 = 2.27238449892691845833e-2
QC7 = 7.74545014278341407640e-4
QD1 = 2.05319162663775882187e0
QD2 = 1.67638483018380384940e0
QD3 = 6.89767334985100004550e-1
QD4 = 1.48103976427480074590e-1
QD5 = 1.51986665636164571966e-2
QD6 = 5.47593808499534494600e-4
QD7 = 1.05075007164441684324e-9
# r > 5
QE0 = 6.65790464350110377720e0
QE1 = 5.46378491116411436990e0
QE2 = 1.78482653991729133580e0
QE3 = 2.96560571828504891230e-1
QE4 = 2.65321895265761230930e-2
QE5 = 1.24266094738807843860e-3
QE6 = 2.71155556874348757815e-5
QE7 = 2.01033439929228813265e-7
QF1 = 5.99832206555887937690e-1
QF2 = 1.36929880922735805310e-1
QF3 = 1.48753612908506148525e-2
QF4 = 7.86869131145613259100e-4
QF5 = 1.84631831751005468180e-5
QF6 = 1.42151175831644588870e-7
QF7 = 2.04426310338993978564e-15


def normal_quantile(u: float) -> float:
    """Return z with P(Z <= z) = u for a standard normal Z, within 4 ulp: -inf at 0, inf at 1, nan outside.

    References
    ----------
    M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988).
    """
    q = u - 0.5
    central = abs(q) <= 0.425
    r = 0.180625 - q * q
    a = ((((((QA7 * r + QA6) * r + QA5) * r + QA4) * r + QA3) * r + QA2) * r + QA1) * r + QA0
    b = ((((((QB7 * r + QB6) * r + QB5) * r + QB4) * r + QB3) * r + QB2) * r + QB1) * r + 1.0
    tail = u if q < 0.0 else 1.0 - u
    root = sqrt(-log(tail))
    near = root <= 5.0
    r = root - 1.6 if near else root - 5.0
    c = QC7 if near else QE7
    c = c * r + (QC6 if near else QE6)
    c = c * r + (QC5 if near else QE5)
    c = c * r + (QC4 if near else QE4)
    c = c * r + (QC3 if near else QE3)
    c = c * r + (QC2 if near else QE2)
    c = c * r + (QC1 if near else QE1)
    c = c * r + (QC0 if near else QE0)
    d = QD7 if near else QF7
    d = d * r + (QD6 if near else QF6)
    d = d * r + (QD5 if near else QF5)
    d = d * r + (QD4 if near else QF4)
    d = d * r + (QD3 if near else QF3)
    d = d * r + (QD2 if near else QF2)
    d = d * r + (QD1 if near else QF1)
    d = d * r + 1.0
    sign = -1.0 if q < 0.0 else 1.0
    # one division for both branches
    z = (a if central else c) / (b if central else d)
    z = z * (q if central else sign)
    edge = sign * INF if tail == 0.0 else NAN
    return z if tail > 0.0 else edge
