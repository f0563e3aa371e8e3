"""Configuration of the documentation site; builds without a network."""

from __future__ import annotations

import sys
from pathlib import Path

from asymptopia import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "asymptopia"
author = "The asymptopia developers"
copyright = author  # noqa: A001 - the name that Sphinx reads
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinxcontrib.bibtex",
    "sphinx-mathjax-offline",
    "generated_pages",
    "repository_links",
]
root_doc = "index"
exclude_patterns = ["_build", "_ext", "_inventories"]
nitpicky = True
default_role = "code"
suppress_warnings = ["mystnb.mime_priority"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_timeout = 60
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

bibtex_bibfiles = ["../theory/references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

# committed inventories: a build needs no network
intersphinx_mapping = {
    "python": ("https://docs.python.org/3/", "_inventories/python.inv"),
    "numpy": ("https://numpy.org/doc/stable/", "_inventories/numpy.inv"),
    "scipy": ("https://docs.scipy.org/doc/scipy/", "_inventories/scipy.inv"),
    "matplotlib": ("https://matplotlib.org/stable/", "_inventories/matplotlib.inv"),
}

html_theme = "pydata_sphinx_theme"
html_title = "asymptopia"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_nav_level": 2,
}
