"""What pip takes for setuptools when it installs a source distribution that we want files of, not code from.

It packs the folder as it is into a wheel, so that pip unpacks it; the distribution's setup.py never runs, and neither
setuptools nor wheel is needed (PEP 517 has the names of the functions, PEP 427 what a wheel holds).
"""

import os
import re
import sys
import zipfile


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open("PKG-INFO", encoding="utf-8") as file:
        metadata = file.read()
    name = re.search(r"^Name: (.+)$", metadata, re.M)[1].replace("-", "_")
    version = re.search(r"^Version: (.+)$", metadata, re.M)[1]
    wheel = f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as archive:
        for folder, _, files in os.walk("."):
            for file in files:
                archive.write(os.path.join(folder, file))
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


# pip asks for `setuptools.build_meta:__legacy__` where a distribution has no pyproject.toml.
__legacy__ = sys.modules[__name__]
