"""Makes this folder a package, so that Python takes it before the real setuptools."""
