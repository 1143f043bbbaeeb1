#!/usr/bin/env bash
# Builds the Java package with an installed C library:
#
#   scripts/java.sh PREFIX FOLDER
#
# PREFIX: where `cmake --install` put mobilebert_rt. Writes into FOLDER mobilebert-rt-VERSION.jar (classes and the native
# library of this machine) and mobilebert-rt-model-VERSION.jar (the default model). Needs a JDK 17 or later.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=${1:?usage: scripts/java.sh PREFIX FOLDER}
folder=${2:?usage: scripts/java.sh PREFIX FOLDER}
version=$(python3 -m scripts.version)
package=io/github/mobilebert_rt

rm -f "$folder/native/CMakeCache.txt"  # it would remember the last PREFIX
cmake -G Ninja -S bindings/java -B "$folder/native" -DMBRT_LIBRARY=mobilebert_rt::static \
  -DCMAKE_PREFIX_PATH="$prefix" > "$folder/native.log"
cmake --build "$folder/native" >> "$folder/native.log"

rm -rf "$folder/classes" "$folder/model"
mkdir -p "$folder/classes" "$folder/model/$package/model"
javac --release 17 -Xlint:all -Xdoclint:all,-missing -Werror -d "$folder/classes" bindings/java/src/main/java/$package/*.java
case $(uname -s) in
  Darwin) system=macos ;;
  *) system=linux ;;
esac
case $(uname -m) in
  arm64) machine=aarch64 ;;
  *) machine=$(uname -m) ;;
esac
natives="$folder/classes/$package/native/$system-$machine"
mkdir -p "$natives"
cp "$folder/native/"libmobilebert_rt_jni.* "$natives"
cp mobilebert_rt/default_model/model.int8.safetensors "$folder/model/$package/model"
mkdir -p "$folder/model/META-INF"
cp mobilebert_rt/default_model/SOURCES.md "$folder/model/META-INF"
for part in classes model; do
  mkdir -p "$folder/$part/META-INF"
  cp LICENSE "$folder/$part/META-INF"
done
jar --create --file "$folder/mobilebert-rt-$version.jar" -C "$folder/classes" .
jar --create --file "$folder/mobilebert-rt-model-$version.jar" -C "$folder/model" .
