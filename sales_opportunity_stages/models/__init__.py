# Mixins first: a model has to exist before another one inherits it.
from . import mixins
from . import setup
from . import stage
from . import opportunity
from . import quotation
from . import approval
from . import credit
