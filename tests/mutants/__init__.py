"""Mutation testing: small changes to the core that at least one test should notice.

``python -m tests.mutants`` lets cosmic-ray list the mutants of the core and draws a
sample of them. It runs the tests that may notice them without a change first. Then it
runs the tests of the changed module for each mutant, then those of its surroundings,
then all that may notice it, and prints at once what noticed it, or how it survived. A
survivor is a test that is missing, or a change that changes nothing.
"""
