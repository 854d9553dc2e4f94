"""``python -m socketpkg vendor``: a copy of socketpkg with one backend, in the tree of the program that uses it.

What happens, and where:

* `command` reads the arguments, says what was done, and gives the exit status;
* `place` knows the folder that the copy goes into, the name that it has there, and how it gets there in one piece;
* `sources` says of which files a copy consists, by following their imports;
* `rewrite` makes those imports lead to the copy;
* `generate` writes the C code of a compiled backend, under the names that its modules have in the copy;
* `build` compiles it for the running interpreter, and tries the copy;
* `manifest` is the list of what was written, VENDORED.txt;
* `advice` has the lines that the program's own build needs.

None of this is a part of a copy.
"""
