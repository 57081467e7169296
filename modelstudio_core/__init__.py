"""Alibaba Cloud Model Studio without a framework: what both adapters are built on.

The public modules are:

- ``modelstudio_core.errors``: the exceptions.
- ``modelstudio_core.endpoints``: regions, deployment modes, workspaces and base URLs.
- ``modelstudio_core.catalog``: what is known of each model.
- ``modelstudio_core.emulator``: a local Model Studio for tests (extra ``emulator``).

Everything else may change in any release.
"""

import sys
import warnings

from modelstudio_core._version import __version__
from modelstudio_core.errors import ModelDeprecationWarning

__all__ = ["__version__"]

# Python hides deprecation warnings outside of __main__, but a delisted model concerns
# the users of an application too. The user's own -W and PYTHONWARNINGS come first.
if not sys.warnoptions:
    warnings.filterwarnings("default", category=ModelDeprecationWarning)
