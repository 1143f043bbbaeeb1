package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The library as a whole: version, kernel sets, threads. */
public final class MobileBertRt {
  private MobileBertRt() {}

  /** The release of the native library, as "0.1.0". */
  public static String version() {
    return Utf8.decode(Native.version());
  }

  /** The kernel sets that this processor supports, slowest first. "scalar" is always there. */
  public static List<String> availableIsas() {
    List<String> names = new ArrayList<>();
    for (byte[] name : Native.availableIsas()) names.add(Utf8.decode(name));
    return Collections.unmodifiableList(names);
  }

  /**
   * The default kernel set: that of the environment variable MBRT_ISA, else the fastest.
   *
   * @throws IllegalArgumentException MBRT_ISA is not available
   */
  public static String defaultIsa() {
    return Utf8.decode(Native.defaultIsa());
  }

  /**
   * The default number of threads of a call: MBRT_NUM_THREADS, else min(affinity mask, cgroup quota, physical cores).
   *
   * @throws IllegalArgumentException MBRT_NUM_THREADS is not a number from 1 to 256
   */
  public static int defaultThreads() {
    return Native.defaultThreads();
  }
}
