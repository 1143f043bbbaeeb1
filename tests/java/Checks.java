/** What a test program counts and reports. */
final class Checks {
  private static int done;
  private static int failed;

  private Checks() {}

  interface Body {
    void run() throws Exception;
  }

  static void that(boolean holds, String what) {
    ++done;
    if (holds) return;
    ++failed;
    System.err.println("failed: " + what);
  }

  /** The body throws this exception, with these words in its message. */
  static void raises(Class<? extends Throwable> expected, String words, Body body) {
    Throwable found = null;
    try {
      body.run();
    } catch (Throwable e) {
      found = e;
    }
    boolean holds = expected.isInstance(found) && found.getMessage() != null && found.getMessage().contains(words);
    that(holds, "expected " + expected.getSimpleName() + " with \"" + words + "\", found " + found);
  }

  /** Prints the number of checks, and ends the program when one failed. */
  static void report() {
    System.out.println(done + " checks, " + failed + " failed");
    if (failed > 0) System.exit(1);
  }
}
