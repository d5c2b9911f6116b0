"""The demo company: a small wholesaler to look around in."""

from core.demo.loading import SignIn, load_demo_company
from core.demo.stage import PASSWORD, Demo

__all__ = ["PASSWORD", "Demo", "SignIn", "load_demo_company"]
