"""An emulated x86 machine with AVX-512 and VNNI, for computers whose processor has none.

Bochs emulates a PC instruction by instruction (QEMU's emulation and valgrind stop at AVX2). It boots Debian's kernel
with an initial file system: this Python, the packages that the tests import, and the tests. The first serial port is
the console. About 30 million instructions per second: four minutes to boot, fast enough for kernels, not for models.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import mobilebert_rt
from scripts import common
from scripts.common import UnavailableError, run

BUILD = common.BUILD / "avx512"
ROOT = BUILD / "root"
CONSOLE = BUILD / "console.txt"

# Ice Lake, the first with VNNI. clearcpuid: features that this model reports and Bochs lacks (protection keys, XSAVEC).
CPU = "corei7_icelake_u"
COMMAND_LINE = "console=ttyS0 quiet nokaslr mitigations=off lpj=1000000 clearcpuid=515,321,323"
KERNEL = re.compile(r"^(linux-image-6\.12[\w.+-]*-cloud-amd64-unsigned) ", re.MULTILINE)  # 6.1 dies in Bochs 2.7
TOOLS = ("bochs", "genisoimage", "busybox", "cpio", "zstd", "apt-get", "dpkg-deb", "unshare")
BOOT_FILES = (Path("/usr/lib/ISOLINUX/isolinux.bin"), Path("/usr/lib/syslinux/modules/bios/ldlinux.c32"))
DEBIAN_PACKAGES = "bochs bochsbios vgabios genisoimage isolinux syslinux-common busybox-static cpio zstd"
# What tests/kernels imports, by the names in site-packages.
PACKAGES = ["numpy", "numpy.libs", "pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments"]
PACKAGES += ["py.py", "hypothesis", "_hypothesis*", "sortedcontainers", "*.dist-info"]
LEFT_OUT = ("site-packages", "test", "tests", "idlelib", "ensurepip", "tkinter", "lib2to3", "config-3*")

# Bochs needs a display: a VNC server, here in a network of its own, so that nobody can connect to it.
NO_NETWORK = ("unshare", "--map-root-user", "--net")

BOCHS = """\
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model={cpu}, count=1, ips=100000000, reset_on_triple_fault=0
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={image}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={console}
log: {log}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
display_library: rfb, options="timeout=0"
plugin_ctrl: speaker=0, unmapped=1, biosdev=1, extfpuirq=0, gameport=0, iodebug=0
sound: waveoutdrv=dummy
clock: sync=none
"""
INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
exec </dev/null >/dev/ttyS0 2>&1
cd /suite
echo BOOTED
/bin/busybox env {command}
echo "ENDED $?"
/bin/busybox sleep 1
/bin/busybox poweroff -f
"""
ENDED = re.compile(rb"^ENDED (\d+)", re.MULTILINE)


def check_tools() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    missing += [str(file) for file in BOOT_FILES if not file.is_file()]
    if missing:
        raise UnavailableError(f"{', '.join(missing)}: not installed. On Debian: apt-get install {DEBIAN_PACKAGES}")
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode != 0:
        raise UnavailableError(
            f"{' '.join(NO_NETWORK)}: this system does not allow user namespaces. Run it outside a container."
        )


def kernel(cache: Path) -> Path:
    """A Linux kernel from Debian's archive, unpacked and not installed."""
    found = cache / "vmlinuz"
    if found.is_file():
        return found
    names = KERNEL.findall(run(("apt-cache", "search", "--names-only", "^linux-image-6.12")))
    if not names:
        raise UnavailableError("apt knows no linux-image-6.12-...-cloud-amd64-unsigned; is `apt-get update` due?")
    folder = cache / "kernel"
    shutil.rmtree(folder, ignore_errors=True)  # of an interrupted call
    folder.mkdir(parents=True)
    newest = max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    run(("apt-get", "download", newest), cwd=folder)
    run(("dpkg-deb", "-x", next(folder.glob("*.deb")), folder))
    shutil.move(next(folder.glob("boot/vmlinuz-*")), found)
    shutil.rmtree(folder)
    return found


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    else:
        shutil.copy2(source, to)


def _libraries(files: Iterable[Path]) -> set[Path]:
    """The shared libraries that the files are linked with."""
    listed = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout
    return {Path(found) for found in re.findall(r"(?:=> |^\t)(/\S+) \(0x", listed, re.MULTILINE)}


def lay_out(tests: Sequence[str]) -> None:
    """The machine's files: the same paths as here, packages in /site, tests in /suite."""
    shutil.rmtree(ROOT, ignore_errors=True)
    for name in ("proc", "sys", "dev", "tmp", "bin"):
        (ROOT / name).mkdir(parents=True)
    shutil.copy2(str(shutil.which("busybox")), ROOT / "bin/busybox")
    python = Path(sys.executable).resolve()
    _copy(python, _inside(python))
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    _copy(standard, _inside(standard))
    site = Path(sysconfig.get_path("purelib"))
    for pattern in PACKAGES:
        for source in site.glob(pattern):
            _copy(source, ROOT / "site" / source.name)
    for folder in mobilebert_rt.__path__:  # an editable install has two folders
        _copy(Path(folder), ROOT / "site/mobilebert_rt")
    for name in ("pyproject.toml", *tests):
        _copy(common.REPOSITORY / name, ROOT / "suite" / name)
    for file in (common.REPOSITORY / "tests").glob("*.py"):
        _copy(file, ROOT / "suite/tests" / file.name)
    compiled = [python, *(path for path in ROOT.rglob("*.so*") if path.is_file())]
    for library in _libraries(compiled):
        _copy(library.resolve(), _inside(library))


def _inside(path: Path) -> Path:
    return ROOT / path.relative_to("/")


def write_image(arguments: Sequence[str], vmlinuz: Path) -> Path:
    """A CD that boots and runs this Python with the arguments."""
    python = Path(sys.executable).resolve()
    environment = {"PYTHONPATH": "/site", "HOME": "/tmp", "MBRT_EMULATED": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment["LD_LIBRARY_PATH"] = str(python.parent.parent / "lib")
    words = shlex.join([*(f"{name}={value}" for name, value in environment.items()), str(python), "-u", *arguments])
    init = ROOT / "init"
    init.write_text(INIT.format(command=words), encoding="utf-8")
    init.chmod(0o755)
    disc = BUILD / "disc"
    (disc / "isolinux").mkdir(parents=True, exist_ok=True)
    names = "\0".join(str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*")))
    with (BUILD / "initrd").open("wb") as packed:
        subprocess.run(["cpio", "--quiet", "-0oH", "newc"], cwd=ROOT, input=names.encode(), stdout=packed, check=True)
    run(("zstd", "-q", "-f", "-3", BUILD / "initrd", "-o", disc / "initrd"))
    shutil.copy2(vmlinuz, disc / "vmlinuz")
    for file in BOOT_FILES:
        shutil.copy2(file, disc / "isolinux" / file.name)
    boot = f"default linux\nlabel linux\n kernel /vmlinuz\n append initrd=/initrd {COMMAND_LINE}\n"
    (disc / "isolinux/isolinux.cfg").write_text(boot, encoding="utf-8")
    image = BUILD / "boot.iso"
    options = "-q -R -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table"
    run(("genisoimage", *options.split(), "-o", image, disc))
    return image


def start(image: Path) -> subprocess.Popen[bytes]:
    """Starts Bochs."""
    CONSOLE.unlink(missing_ok=True)
    settings, go = BUILD / "bochsrc", BUILD / "go"
    settings.write_text(BOCHS.format(cpu=CPU, image=image, console=CONSOLE, log=BUILD / "bochs.log"), encoding="utf-8")
    go.write_text("continue\n", encoding="utf-8")
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [*NO_NETWORK, "bochs", "-q", "-f", settings, "-rc", go], stdin=quiet, stdout=quiet, stderr=quiet
    )


def execute(image: Path, seconds: float) -> int | None:
    """Runs the machine and prints its console; returns the command's exit code, or None at the time limit."""
    said, end, runs = b"", time.monotonic() + seconds, True
    with start(image) as machine:
        try:
            while runs and time.monotonic() < end:
                time.sleep(1)
                runs = machine.poll() is None  # before reading, so that nothing is lost
                new = CONSOLE.read_bytes()[len(said) :] if CONSOLE.exists() else b""
                sys.stdout.write(new.decode(errors="replace").replace("\r", ""))
                sys.stdout.flush()
                said += new
                if ended := ENDED.search(said):
                    return int(ended[1])
        finally:
            machine.kill()
    return None
