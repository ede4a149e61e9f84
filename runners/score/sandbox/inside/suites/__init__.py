"""Runs programs of suites, in the environment's own interpreter (3.10 or newer): the standard library alone.

``server``      warm process: forks one keeper per sample
``namespaces``  what a keeper enters and mounts, and what a sample gives up
``keeper``      first process of a sample's namespace: starts, watches, ends everything in it, tells what it saw
``steps``       commands one after the other
``warm``        program and test in one forked process
``unittests``   style of TestCase classes
``named_calls`` style of expressions over the test's functions
``evidence``    what running code shows of patched comparers
``tamper``      what source and bytecode show
"""
