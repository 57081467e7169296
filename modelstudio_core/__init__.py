"""What both frameworks' classes are made of: Model Studio without a framework.

It knows neither LangChain nor LlamaIndex. See ``README.md`` for what is built on it.
"""

import sys
import warnings

from modelstudio_core._version import __version__
from modelstudio_core.errors import ModelDeprecationWarning

__all__ = ["__version__"]

# Python hides deprecation warnings outside of __main__; a model that is gone concerns
# the user of an application too. The user's own -W and PYTHONWARNINGS come first.
if not sys.warnoptions:
    warnings.filterwarnings("default", category=ModelDeprecationWarning)
