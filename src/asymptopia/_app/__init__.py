"""The explorer: an optional marimo app that redraws the theory while its sliders move (extra ``app``)."""
