#!/bin/sh
# Measures a board or a phone with the static mbrt and prints a report as JSON, to be pasted into an issue of the kind
# "Board report". Copy this file, mbrt and a model file to the machine; run it while the machine does nothing else:
#
#   sh board_report.sh [--seconds S] MODEL [COMMAND ...]   COMMAND runs mbrt; default: ./mbrt. S: time for each line of
#                                                          the measurement, 2 by default; about 2 minutes in all
#   sh board_report.sh --hash MODEL [COMMAND ...]          prints the SHA-256 of the model's vectors only
#
# Exit code 1: mbrt failed, or the default model's vectors are not those of other machines. It needs a POSIX shell with
# sed, tr and sha256sum or shasum, as Linux, Android and macOS have them. The report names no user and no host.
set -u
LC_ALL=C
export LC_ALL

# The model that comes with mobilebert_rt, and the vectors of the texts below.
default_model=ef62c7802091b27cfa2364dffde80460a2bb771446e7ddb0c8578561f2a60b1f
default_vectors=9dc96857859763b00beefd7fc432130ffe19cfd300a989f30169bb800cce82aa

texts() {
  echo 'A cat sleeps.'
  echo 'How do plants make their food?'
  printf 'Gr\303\274\303\237e aus M\303\274nchen, caf\303\251 na\303\257ve, \346\235\261\344\272\254, 1,234.56 %% (v2.0)!\n'
  for i in 1 2 3 4 5 6 7 8; do
    printf 'The bridge was closed to lorries last week, because engineers had found cracks in three of its %s cables. ' $i
  done
  echo
}

fail() {
  echo "board_report.sh: $1" >&2
  exit 1
}

sha256() { # of standard input
  if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | sed 's/[^0-9a-f].*//'
}

# The SHA-256 of the vectors, written as JSON lines. $1: a kernel set, or nothing.
hash_of_vectors() {
  lines=$(texts | mbrt embed "$model" --file - --json --quiet ${1:+--isa "$1"}) || fail "mbrt embed failed."
  echo "$lines" | sha256
}

quoted() { # standard input as a JSON string
  printf '"%s"' "$(tr -d '\000-\037"\\\177' | sed 's/^ *//; s/ *$//')"
}

board_name() {
  for file in /proc/device-tree/model /sys/class/dmi/id/product_name; do
    [ -r $file ] && cat $file && return
  done
  if command -v getprop > /dev/null; then
    echo "$(getprop ro.product.manufacturer) $(getprop ro.product.model) $(getprop ro.soc.model)"
  elif command -v sysctl > /dev/null; then
    sysctl -n hw.model 2> /dev/null
  fi
}

# The largest number in the readable ones of the files, divided by $1; null when there is none.
largest() {
  divisor=$1 most=
  shift
  for file in "$@"; do
    value=$(cat "$file" 2> /dev/null) || continue
    case $value in '' | *[!0-9]*) continue ;; esac
    if [ -z "$most" ] || [ "$value" -gt "$most" ]; then most=$value; fi
  done
  if [ -n "$most" ]; then echo $((most / divisor)); else echo null; fi
}
temperature() { largest 1000 /sys/class/thermal/thermal_zone*/temp; }
clock() { largest 1000 /sys/devices/system/cpu/cpu*/cpufreq/$1; }

only_hash=false seconds=2
case ${1:-} in
  --hash) only_hash=true && shift ;;
  --seconds) seconds=${2:-} && shift 2 ;;
esac
[ $# -ge 1 ] || fail 'no model given. Usage: sh board_report.sh [--seconds S | --hash] MODEL [COMMAND ...]'
model=$1
shift
[ -r "$model" ] || fail "$model: no such file; expected a model file."
[ $# -ge 1 ] || set -- ./mbrt
# The words of the command become a function, which keeps their spaces.
run=
for word in "$@"; do run="$run '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"; done
eval "mbrt() { $run \"\$@\"; }"

model_hash=$(sha256 < "$model")
hash=$(hash_of_vectors) || exit 1
expected=null
if [ "$model_hash" = $default_model ]; then
  if [ "$hash" = $default_vectors ]; then expected=true; else expected=false; fi
fi
if $only_hash; then
  echo "$hash"
  [ $expected != false ] || fail "these are not the default model's vectors; expected $default_vectors."
  exit 0
fi

info=$(mbrt info --json) || fail "$1: mbrt info failed. Is it the archive for this machine?"
usable=$(echo "$info" | sed 's/.*"usable": *\([0-9]*\).*/\1/')
sets=$(echo "$info" | sed 's/.*"isas": *\[\([^]]*\)\].*/\1/' | tr ',' ' ' | tr -d '"')
threads=1
for count in 2 4 8; do [ $count -lt "$usable" ] && threads=$threads,$count; done
[ "$usable" -gt 1 ] && threads=$threads,$usable
hot_before=$(temperature)
bench=$(mbrt bench "$model" --lengths 8,32,64,128,256 --threads "$threads" --seconds "$seconds" --json --quiet) ||
  fail "mbrt bench failed."

hashes= comma=
for set in $sets; do
  of_set=$(hash_of_vectors "$set") || exit 1
  hashes="$hashes$comma\"$set\": \"$of_set\"" comma=', '
done
cat << JSON
{
  "report": 1,
  "board": $(board_name | quoted),
  "date": "$(date -u +%Y-%m-%d)",
  "info": $info,
  "model_sha256": "$model_hash",
  "vectors_sha256": {$hashes},
  "vectors_as_expected": $expected,
  "celsius": {"before": $hot_before, "after": $(temperature)},
  "mhz": {"now": $(clock scaling_cur_freq), "maximum": $(clock cpuinfo_max_freq)},
  "bench": $bench
}
JSON
[ $expected != false ]
