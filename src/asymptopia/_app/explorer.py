"""The explorer as a marimo notebook: ``asymptopia explore`` runs it, ``marimo edit`` changes it."""
# mypy: ignore-errors

import marimo

__generated_with = "0.23.0"
app = marimo.App(width="full", app_title="asymptopia explorer")


@app.cell
def _():
    from html import escape

    import marimo as mo

    from asymptopia._app.drawings import TABS, draw, style, svg

    return TABS, draw, escape, mo, style, svg


@app.cell
def _(TABS, mo, style):
    tabs = mo.ui.tabs({title: mo.md(f"#### {tab.question}") for title, tab in TABS.items()})
    mo.vstack(
        [
            mo.Html(f"<style>{style()}</style>"),
            mo.md("## How far is far enough?"),
            tabs,
        ]
    )
    return (tabs,)


@app.cell
def _(TABS, mo):
    def _made(control):
        if control.choice:
            return mo.ui.dropdown(list(control.values), value=control.start, label=control.label, full_width=True)
        return mo.ui.slider(
            steps=list(control.values), value=control.start, label=control.label, show_value=True, full_width=True
        )

    controls = mo.ui.dictionary(
        {title: mo.ui.dictionary({c.name: _made(c) for c in tab.controls}) for title, tab in TABS.items()}
    )
    return (controls,)


@app.cell
def _(controls, draw, escape, mo, svg, tabs):
    _drawn = draw(tabs.value, **controls.value[tabs.value])
    _said = mo.callout(mo.Html(escape(_drawn.sentence)), kind="info")
    mo.hstack(
        [
            mo.vstack([*controls[tabs.value].elements.values(), _said], gap=1),
            mo.Html(svg(_drawn)),
        ],
        widths=[1, 3],
        align="start",
        gap=2,
    )
    return


if __name__ == "__main__":
    app.run()
