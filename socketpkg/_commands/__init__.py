"""The commands of ``python -m socketpkg``; `socketpkg._config` lists them."""
