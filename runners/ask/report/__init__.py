"""``benchforge report``: one folder of HTML that needs no server, no network and no installation to be read.

``writing``    what is written in which order, and the whole in one step into its place
``place``      which folder may be replaced, and how
``chunks``     rows as scripts that a page opened from a file may load
``questions``  SQL
``boards``     leaderboards, models, pairs, panels: what marts hold
``cells``      problems and samples behind a number: what the lake holds
``texts``      what a model wrote, cut where it is long, and its colours
``charts``     charts as data, for the plotting library that goes with the report
``page/``      the page itself: HTML, style, scripts

Theory of operation. A page opened from ``file://`` may not fetch, but it may load scripts: so each part of the data is
a script that hands one JSON value to the page. Texts of samples are hostile. They leave here as JSON of ASCII without
``<``, reach the page as strings, and are only ever put there as text; a content security policy forbids the page any
script but its own files. docs/design/report.md has the measurements.
"""
