"""What the site is made with, beside its pages in ``docs/``; see README.md.

``python -m documentation`` builds the site and checks it.
"""
