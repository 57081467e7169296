"""Alibaba Cloud Model Studio without a framework: the base of both adapters.

The public modules are:

- ``modelstudio_core.errors``: the exceptions.
- ``modelstudio_core.endpoints``: regions, deployment modes, workspaces and base URLs.
- ``modelstudio_core.policy``: what an organisation allows.
- ``modelstudio_core.limits``: limits of requests and tokens a minute.
- ``modelstudio_core.catalog``: the facts of each model.
- ``modelstudio_core.embeddings``: the vectors that the embedding classes return.
- ``modelstudio_core.tasks``: images, video and other asynchronous tasks.
- ``modelstudio_core.batches``: runs of batches, at half the price.
- ``modelstudio_core.emulator``: a local server for tests (extra ``emulator``).

Everything else may change in any release.
"""

import sys
import warnings

from modelstudio_core._version import __version__
from modelstudio_core.errors import ModelDeprecationWarning

__all__ = ["__version__"]

# Python hides deprecation warnings outside of __main__, but the users of an application
# must see that a model is delisted. -W and PYTHONWARNINGS have precedence.
if not sys.warnoptions:
    warnings.filterwarnings("default", category=ModelDeprecationWarning)
