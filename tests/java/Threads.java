import io.github.mobilebert_rt.*;
import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Eight threads use one model, and lose it while they run: java Threads MODEL. */
final class Threads {
  private static final int THREADS = 8;

  private Threads() {}

  public static void main(String[] arguments) throws Exception {
    File file = new File(arguments[0]);
    List<String> texts = List.of("a cat", "Ada Lovelace wrote the notes.", "", "who was in paris ".repeat(3));
    float[][] expected;
    try (Model model = Model.open(file)) {
      expected = new TextEmbedder(model).embed(texts);
    }
    for (int round = 0; round < 20; ++round) {
      closedDuringUse(Model.open(file), texts, expected);
    }
    try (Model model = Model.open(file)) {
      cancelled(new TextEmbedder(model), texts, expected);
    }
    Checks.report();
  }

  /** Threads that share a cancellation stop; other calls do not. */
  private static void cancelled(TextEmbedder embedder, List<String> texts, float[][] expected) throws Exception {
    Cancellation stop = new Cancellation();
    CountDownLatch working = new CountDownLatch(THREADS);
    AtomicInteger stopped = new AtomicInteger();
    List<String> many = Collections.nCopies(200, "who was in paris");
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; ++t) {
      Thread thread = new Thread(() -> {
        try {
          for (; ; working.countDown()) embedder.withCancellation(stop).embed(many);
        } catch (CancellationException e) {
          stopped.incrementAndGet();
        }
      });
      thread.start();
      threads.add(thread);
    }
    working.await();
    stop.cancel();
    for (Thread thread : threads) thread.join();
    Checks.that(stopped.get() == THREADS && stop.isCancelled(), stopped + " threads were stopped");
    Checks.raises(CancellationException.class, "", () -> embedder.withCancellation(stop).embed("a cat"));
    Checks.that(Arrays.deepEquals(embedder.embed(texts), expected), "another call");
  }

  /** Each result has the same bits, or is the exception of a closed model; every thread sees both. */
  private static void closedDuringUse(Model model, List<String> texts, float[][] expected) throws Exception {
    AtomicInteger wrong = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    CountDownLatch working = new CountDownLatch(THREADS);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; ++t) {
      TextEmbedder embedder = new TextEmbedder(model).withThreads(1 + t % 2);
      Thread thread = new Thread(() -> {
        for (int i = 0; ; ++i) {
          try {
            if (model.info().labels().size() != 0) wrong.incrementAndGet();
            if (!Arrays.deepEquals(embedder.embed(texts), expected)) wrong.incrementAndGet();
            if (model.metadata("vocab.txt").isEmpty() || model.tokenize("a cat").size() < 3) wrong.incrementAndGet();
          } catch (IllegalStateException e) {
            refused.incrementAndGet();
            return;
          } catch (Throwable e) {
            e.printStackTrace();
            wrong.incrementAndGet();
            return;
          } finally {
            if (i == 0) working.countDown();
          }
        }
      });
      thread.start();
      threads.add(thread);
    }
    working.await();
    model.close();
    for (Thread thread : threads) thread.join();
    Checks.that(wrong.get() == 0, wrong + " wrong results");
    Checks.that(refused.get() == THREADS, refused + " threads saw the closed model");
  }
}
