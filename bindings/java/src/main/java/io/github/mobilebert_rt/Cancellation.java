package io.github.mobilebert_rt;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * Stops calls from another thread; see {@link Task#withCancellation}. Once it is cancelled it stays cancelled.
 *
 * <pre>{@code
 * Cancellation stop = new Cancellation();
 * executor.submit(() -> embedder.withCancellation(stop).embed(texts));
 * stop.cancel();
 * }</pre>
 */
public final class Cancellation {
  private final Set<Long> calls = new HashSet<>(); // handles of calls that are not closed
  private boolean cancelled;

  /** Stops calls that run, within the time of one layer, and later ones at their start. */
  public synchronized void cancel() {
    cancelled = true;
    for (long call : calls) Native.cancel(call);
  }

  /** Whether {@link #cancel()} was called. */
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  synchronized void add(long call) {
    if (cancelled) throw new CancellationException("the call was cancelled before it started.");
    calls.add(call);
  }

  synchronized void remove(long call) {
    calls.remove(call);
  }
}
