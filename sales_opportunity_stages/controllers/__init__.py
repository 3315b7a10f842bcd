from . import funnel, portal
