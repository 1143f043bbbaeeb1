"""The disassembly check finds instructions beyond the baseline, and definitions that the linker might use outside their
object. The real objects are checked where they are built by `make test-native` and `make test-arm`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.common import ScriptError, missing_tool
from scripts.packages import baseline
from scripts.packages.machines import MACHINES, Machine

# For each machine: lines of the baseline, and lines that its oldest processors do not execute.
WITHIN = {
    "x86_64": "movaps %xmm0,%xmm1; cvttsd2si %xmm0,%rax; pause; lock cmpxchg %rax,(%rdi); cmovne %rax,%rbx",
    "aarch64": "fmla v0.4s, v1.4s, v2.4s; ldaxr w0, [x1]; smlal v0.4s, v1.4h, v2.4h; cbz x0, 1f; 1: nop",
    "armhf": "vfma.f32 q0, q1, q2; ite eq; moveq r0, #1; movne r0, #2; vmov.f32 s0, #1.5; dmb ish",
}
BEYOND = {
    "x86_64": (
        *("pshufb %xmm0,%xmm1", "popcnt %eax,%eax", "vaddps %ymm0,%ymm1,%ymm2", "vpdpbusd %zmm0,%zmm1,%zmm2"),
        *("bextr %eax,%ebx,%ecx", "lzcnt %eax,%eax", "cmpxchg16b (%rdi)", "xgetbv", "{vex} vpdpbusd %ymm0,%ymm1,%ymm2"),
    ),
    "aarch64": (
        *("sdot v0.4s, v1.16b, v2.16b", "smmla v0.4s, v1.16b, v2.16b", "ldadd w0, w1, [x2]", "ldapr w0, [x1]"),
        *("fadd v0.8h, v1.8h, v2.8h", "sqrdmlah v0.4s, v1.4s, v2.4s", "ptrue p0.b"),
    ),
    "armhf": ("sdiv r0, r1, r2", "vsdot.s8 q0, q1, q2", "vrintm.f32 q0, q1", "ldaex r0, [r1]"),
}
EVERYTHING = {
    "x86_64": (),
    "aarch64": ("-march=armv8.6-a+sve",),
    "armhf": ("-march=armv8.2-a+dotprod", "-mfpu=neon-fp-armv8"),
}


def machine_with_tools(name: str) -> Machine:
    machine = MACHINES[name]
    if missing := missing_tool(machine.prefix + "g++"):
        pytest.skip(missing)
    return machine


def assemble(machine: Machine, text: str, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    header = ".syntax unified\n.thumb\n" if machine.name == "armhf" else ""
    source = header + text.replace("; ", "\n") + "\n"
    command = (machine.prefix + "as", *EVERYTHING[machine.name], "-o", file, "-")
    subprocess.run(command, input=source, text=True, check=True)
    return file


def compile_source(text: str, file: Path, *options: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    command = ("g++", "-O1", "-c", *options, "-x", "c++", "-o", file, "-")
    subprocess.run(command, input=text, text=True, check=True)
    return file


@pytest.mark.parametrize("name", MACHINES)
def test_baseline_instructions_pass(name: str, tmp_path: Path) -> None:
    machine = machine_with_tools(name)
    assert baseline.beyond_baseline(machine, [assemble(machine, WITHIN[name], tmp_path / "a.o")]) == []


@pytest.mark.parametrize(("name", "line"), [(name, line) for name in MACHINES for line in BEYOND[name]])
def test_instruction_beyond_baseline_is_found_with_its_object(name: str, line: str, tmp_path: Path) -> None:
    machine = machine_with_tools(name)
    guilty = assemble(machine, f"nop; {line}; nop", tmp_path / "guilty.o")
    innocent = assemble(machine, WITHIN[name], tmp_path / "innocent.o")
    found = baseline.beyond_baseline(machine, [innocent, guilty])
    assert len(found) == 1, found
    assert str(guilty) in found[0]


def test_xgetbv_passes_in_cpu_features_alone(tmp_path: Path) -> None:
    machine = machine_with_tools("x86_64")
    assert baseline.beyond_baseline(machine, [assemble(machine, "xgetbv", tmp_path / "cpu_features_x86.cc.o")]) == []
    assert baseline.beyond_baseline(machine, [assemble(machine, "xgetbv", tmp_path / "dispatch.cc.o")])


INLINE = "inline int twice(int x) { return 2 * x; } int (*use())(int) { return twice; }"


def test_weak_definition_fails_in_a_guarded_object_only(tmp_path: Path) -> None:
    machine_with_tools("x86_64")
    file = compile_source(INLINE, tmp_path / "mbrt_kernels_avx2.dir/a.o")
    assert any("twice" in found for found in baseline.linker_traps(file, guarded=True))
    assert baseline.linker_traps(file, guarded=False) == []


def test_indirect_function_fails_everywhere(tmp_path: Path) -> None:
    machine_with_tools("x86_64")
    text = 'extern "C" { static void f() {} static void (*choose())() { return f; } } '
    text += 'extern "C" void chosen() __attribute__((ifunc("choose")));'
    file = compile_source(text, tmp_path / "a.o")
    assert any("chosen" in found for found in baseline.linker_traps(file, guarded=False))


def build_folder(root: Path, misplaced: str) -> Path:
    """As CMake leaves one: an object for each kernel target, one of the engine, and AVX2 code in `misplaced`."""
    targets = ["scalar", *baseline.GUARDED["x86_64"]]
    for target in targets:
        compile_source(f"int f_{target}() {{ return 1; }}", root / f"csrc/kernels/mbrt_kernels_{target}.dir/f.cc.o")
    compile_source("float g(float* x) { return x[0] + x[1]; }", root / misplaced, "-mavx2")
    return root


def test_guarded_object_may_exceed_the_baseline(tmp_path: Path) -> None:
    machine_with_tools("x86_64")
    folder = build_folder(tmp_path, "csrc/kernels/mbrt_kernels_avx2.dir/g.cc.o")
    assert "5 are guarded" in baseline.check(MACHINES["x86_64"], [folder])  # one of each target, and g


@pytest.mark.parametrize("place", ["mbrt_engine.dir", "mbrt_kernels_scalar.dir", "mbrt_kernels_avx10.dir"])
def test_same_code_in_another_object_fails(place: str, tmp_path: Path) -> None:
    machine_with_tools("x86_64")
    folder = build_folder(tmp_path, f"csrc/{place}/g.cc.o")
    with pytest.raises(ScriptError, match=rf"{place}/g\.cc\.o.*not supported"):
        baseline.check(MACHINES["x86_64"], [folder])


def test_folder_without_kernels_is_an_error(tmp_path: Path) -> None:
    machine_with_tools("x86_64")
    compile_source("int f() { return 1; }", tmp_path / "csrc/mbrt_kernels_scalar.dir/f.cc.o")
    with pytest.raises(ScriptError, match="no objects of the kernels avx2"):
        baseline.check(MACHINES["x86_64"], [tmp_path])
