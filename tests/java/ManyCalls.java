import io.github.mobilebert_rt.*;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** 100,000 calls, failed ones among them, and 2,000 models, in the memory of the first: java ManyCalls MODEL. */
final class ManyCalls {
  private static final int CALLS = 100_000;
  private static final int MODELS = 2_000;
  private static final long MAX_GROWTH_KB = 16_000; // a leak of 200 bytes a call is 20,000

  private ManyCalls() {}

  public static void main(String[] arguments) throws Exception {
    File file = new File(arguments[0]);
    byte[] bytes = Files.readAllBytes(file.toPath());
    try (Model model = Model.open(file)) {
      TextEmbedder embedder = new TextEmbedder(model).withThreads(1);
      float[] expected = embedder.embed("a cat");
      call(embedder, expected, CALLS / 5); // heap, compiled code and workspaces
      open(file, bytes, MODELS / 5);
      long before = residentKb();
      call(embedder, expected, CALLS);
      grown("calls", before);
      before = residentKb();
      open(file, bytes, MODELS);
      grown("models", before);
    }
    Checks.report();
  }

  private static void grown(String what, long before) throws Exception {
    long after = residentKb();
    Checks.that(after - before < MAX_GROWTH_KB, what + ": " + before + " KB before, " + after + " KB after");
  }

  private static void call(TextEmbedder embedder, float[] expected, int count) {
    TextEmbedder wrong = embedder.withMaxTokens(1_000_000);
    int same = 0;
    int refused = 0;
    for (int i = 0; i < count; ++i) {
      if (i % 10 == 0) {
        try {
          wrong.embed("a cat");
        } catch (IllegalArgumentException e) {
          ++refused;
        }
      } else if (Arrays.equals(embedder.embed("a cat"), expected)) {
        ++same;
      }
    }
    Checks.that(same + refused == count && refused == count / 10, "every call has its result");
  }

  private static void open(File file, byte[] bytes, int count) throws Exception {
    for (int i = 0; i < count; ++i) {
      try (Model mapped = Model.open(file);
          Model copied = Model.open(bytes)) {
        Checks.that(mapped.info().equals(copied.info()), "info");
      }
      try {
        Model.open(Arrays.copyOf(bytes, bytes.length - 1));
        Checks.that(false, "a truncated file was opened");
      } catch (ModelFormatException e) {
        continue;
      }
    }
  }

  private static long residentKb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("\\D", ""));
    }
    throw new IllegalStateException("/proc/self/status has no VmRSS");
  }
}
