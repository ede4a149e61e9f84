#!/usr/bin/env bash
# The toolchains of MultiPL-E: packages of Debian where we are root, and folders in which compilers start warm.
#   suite-multipl_e.sh FOLDER
# makes FOLDER/multipl_e_{cpp,java,ts}. Only TypeScript needs its folder; what lies in the others (a header compiled
# ahead, an archive of javac's classes) makes the same commands three times as fast. A tool that is missing leaves its
# language out, and readiness says so: rs, go and others are import-only.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "${1:?suite-multipl_e.sh FOLDER}" && cd "$1" && pwd)
typescript=typescript@5.6.3
packages=(g++ default-jdk-headless libjavatuples-java php-cli mono-mcs mono-runtime libmono-system-core4.0-cil
    libmono-system-numerics4.0-cil nodejs npm bc gawk)

has() { command -v "$1" >/dev/null; }

if [ "$(id -u)" = 0 ] && has apt-get; then
    missing=()
    for package in "${packages[@]}"; do # Node from elsewhere brings its own npm, and conflicts with Debian's
        case $package in nodejs | npm) has "${package/nodejs/node}" && continue ;; esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
            echo "not installed: ${missing[*]}" >&2
    fi
fi

wrapper() { # file, words: a command that starts another one with more words; HERE is where the folder is seen
    mkdir -p "$(dirname "$1")"
    # shellcheck disable=SC2016 # the wrapper expands it
    printf '#!/bin/sh\nhere=${0%%/*}/..\nexec %s "$@"\n' "${2//HERE/\"\$here\"}" >"$1"
    chmod 755 "$1"
}

if has g++; then # every prompt begins with these two: parsed once instead of 0.8 s for each program
    place=$folder/multipl_e_cpp
    mkdir -p "$place"
    printf '#include <assert.h>\n#include <bits/stdc++.h>\n' >"$place/prelude.h"
    "$(command -v g++)" -std=c++17 -x c++-header "$place/prelude.h" -o "$place/prelude.h.gch"
    wrapper "$place/bin/g++" "$(command -v g++) -include HERE/prelude.h"
fi

if has javac; then
    place=$folder/multipl_e_java
    work=$(mktemp -d)
    mkdir -p "$place"
    printf 'import java.util.*;\nimport java.util.stream.*;\nclass Problem {\n  static int f(List<Integer> a) {\n    return a.stream().map(x -> x + 1).collect(Collectors.toList()).size();\n  }\n}\n' >"$work/Problem.java"
    rm -f "$place/javac.jsa"
    "$(command -v javac)" -J-XX:ArchiveClassesAtExit="$place/javac.jsa" -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC \
        -proc:none -encoding UTF8 -d "$work" "$work/Problem.java" 2>/dev/null
    wrapper "$place/bin/javac" "$(command -v javac) -J-XX:SharedArchiveFile=HERE/javac.jsa"
    rm -rf "$work"
fi

if has npm; then
    place=$folder/multipl_e_ts
    mkdir -p "$place"
    npm install --silent --no-audit --no-fund --prefix "$place" "$typescript"
    library=$place/node_modules/typescript/lib
    entry=$(mktemp --suffix .js)
    if node "$here/suite-multipl_e.js" "$library/typescript.js" "$library" "$entry" &&
        node --snapshot-blob "$place/typescript.blob" --build-snapshot "$entry" 2>/dev/null; then
        wrapper "$place/bin/tsc" "$(command -v node) --snapshot-blob HERE/typescript.blob tsc"
    else # an older Node: node_modules/.bin/tsc is found instead
        rm -f "$place/typescript.blob" "$place/bin/tsc"
    fi
    rm -f "$entry"
fi
