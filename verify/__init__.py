"""Monte Carlo checks that could refute the results of `asymptopia.theory`."""
