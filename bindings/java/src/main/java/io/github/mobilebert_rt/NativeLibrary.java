package io.github.mobilebert_rt;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Locale;

/** Finds and loads the native library. */
final class NativeLibrary {
  private static final String NAME = "mobilebert_rt_jni";

  private NativeLibrary() {}

  /**
   * Loads the file that the system property mobilebert_rt.library names; else the one in the jar for this system, from
   * a temporary file; else, as in an Android app, the one of java.library.path.
   */
  static void load() {
    String path = System.getProperty("mobilebert_rt.library");
    if (path != null) {
      System.load(new File(path).getAbsolutePath());
      return;
    }
    String name = System.mapLibraryName(NAME);
    try (InputStream resource = NativeLibrary.class.getResourceAsStream("native/" + platform() + "/" + name)) {
      if (resource == null) System.loadLibrary(NAME);
      else loadCopy(resource, name);
    } catch (IOException e) {
      Error error = new UnsatisfiedLinkError(name + ": it could not be copied from the jar to a temporary file; " + e);
      throw (Error) error.initCause(e);
    }
  }

  private static void loadCopy(InputStream resource, String name) throws IOException {
    File file = File.createTempFile("mobilebert_rt", name);
    try {
      try (OutputStream copy = new FileOutputStream(file)) {
        Streams.copy(resource, copy);
      }
      System.load(file.getAbsolutePath());
    } finally {
      if (!file.delete()) file.deleteOnExit(); // Windows keeps it while it is loaded
    }
  }

  /** The folder of this system's library in the jar, as "linux-x86_64". */
  private static String platform() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    if (system.startsWith("windows")) system = "windows";
    else if (system.startsWith("mac")) system = "macos";
    if (processor.equals("amd64")) processor = "x86_64";
    else if (processor.equals("arm64")) processor = "aarch64";
    return system + "-" + processor;
  }
}
