"""The audit of public boards: every recorded set in one lake, graded again where its texts are, one document of it.

    python -m benchforge.runners.ask.boards --from DIR [--work DIR] [--output FILE]

``recorded_sets``  which files of DIR are which runs, declared
``filling``        stage, import, grade again: each step resumes where it stopped
``causes``         why a published verdict and ours differ, sample by sample
``totals``         boards of which only totals are public
``neighbours``     boards of which means by problem are public
``figures``        everything the document says, as rows
``pictures``       two plots as SVG
``document``       rows to Markdown
"""
