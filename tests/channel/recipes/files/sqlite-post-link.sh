#!/bin/sh
# Runs after linking; what it appends to .messages.txt, the installer shows.
echo "sqlite: the shell is $PREFIX/bin/sqlite3" >> "$PREFIX/.messages.txt"
