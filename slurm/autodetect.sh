#!/usr/bin/env bash
# What this cluster has, on any login node, before anything is installed: prints lines for ~/.benchforge.env.
# What has several answers is left a placeholder with all of them above it; `benchforge probe` does the rest.
set -euo pipefail

say() { printf '%s\n' "$*"; }
one_of() { # name, answers: the only one, or a placeholder with the list
    local name=$1 answers=$2 count
    count=$(printf '%s\n' "$answers" | grep -c . || true)
    if [ "$count" = 1 ]; then
        say "# unverified: the only one" && say "BENCHFORGE_$name=$answers"
    else
        say "# unverified: one of: $(printf '%s' "$answers" | tr '\n' ' ')" && say "BENCHFORGE_$name=PLACEHOLDER_$name"
    fi
}

command -v sinfo >/dev/null || { say "there is no sinfo on this machine: run this on a login node" >&2; exit 1; }

say "# $(sinfo --version), $(scontrol show config | awk -F= '/^ClusterName/ {gsub(/ /, "", $2); print $2}')"
say "# preemption: $(scontrol show config | awk -F= '/^Preempt(Type|Mode)/ {gsub(/ /, "", $2); printf "%s ", $2}')"
rows=$(sinfo -h -o '%R|%G|%f')
one_of GPU_PARTITION "$(say "$rows" | awk -F'|' '$2 ~ /gpu/ {print $1}' | sort -u)"
one_of CPU_PARTITION "$(say "$rows" | awk -F'|' '$2 !~ /gpu/ {print $1}' | sort -u)"
one_of GRES "$(say "$rows" | grep -o 'gpu:[A-Za-z][A-Za-z0-9_-]*' | sort -u || true)"
say "# node features: $(say "$rows" | awk -F'|' '{print $3}' | tr ',' '\n' | sort -u | tr '\n' ' ')"
if qos=$(sacctmgr -n -P show qos format=Name 2>/dev/null); then
    if say "$qos" | grep -qx long; then say "BENCHFORGE_GPU_QOS=long"; else one_of GPU_QOS "$qos"; fi
    one_of ACCOUNT "$(sacctmgr -n -P show assoc user="$(id -un)" format=Account 2>/dev/null | sort -u)"
else
    say "# accounting is off: there is no QOS and no account" && say "BENCHFORGE_GPU_QOS="
fi
say "# apptainer: $(apptainer --version 2>/dev/null || say none)"
if unshare --user true 2>/dev/null; then say "# user namespaces: open"; else say "# user namespaces: closed"; fi
