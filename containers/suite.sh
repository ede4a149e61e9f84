#!/bin/sh
# Environment of an opt-in suite, apart from ours: sh containers/suite.sh NAME PLACE
# Every version is in suite-NAME.txt; example data that its libraries would fetch is in suite-NAME.data.csv. SUITE_PYTHON
# names another interpreter, SUITE_DATA a folder that holds the data already.
set -eu
name=$1
place=$2
here=$(dirname "$0")

# a list of pins may say which interpreter has wheels for them
wanted=$(sed -n 's/^# python: //p' "$here/suite-$name.txt")
found=
for python in ${SUITE_PYTHON:-${wanted:-python3.10 python3.11}}; do
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        found=$python
        break
    fi
done
if [ -z "$found" ]; then
    echo "suite-$name needs ${wanted:-Python 3.10 or 3.11} with venv: apt-get install ${wanted:-python3.11}-venv where the" \
        "system has it, or set SUITE_PYTHON (pyenv, uv python install)" >&2
    exit 1
fi

"$found" -m venv "$place"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/suite-$name.txt"
"$place/bin/python" -m pip check >/dev/null || echo "suite-$name: pip check finds versions that do not fit" >&2
if [ -f "$here/suite-$name.data.csv" ]; then
    "$place/bin/python" "$here/suite_data.py" "$here/suite-$name.data.csv" "$place" "${SUITE_DATA:-}"
fi
