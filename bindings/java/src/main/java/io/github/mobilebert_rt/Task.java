package io.github.mobilebert_rt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;

/**
 * What all tasks have. A task is immutable: {@code with...} returns another one. The engine checks the settings when a
 * call runs.
 *
 * @param <T> the task's own class
 */
public abstract class Task<T extends Task<T>> implements Cloneable {
  private final Model model;
  private int threads;
  private double timeout = Double.POSITIVE_INFINITY;
  private int maxTokens;
  private Overflow overflow = Overflow.DEFAULT;
  private int stride;
  private Cancellation cancellation = new Cancellation(); // of nobody

  Task(Model model) {
    this.model = Objects.requireNonNull(model, "model");
  }

  /** With at most this many threads for a call, 1 to 256; the default is {@link MobileBertRt#defaultThreads()}. */
  public T withThreads(int threads) {
    T copy = copy();
    ((Task<?>) copy).threads = Errors.atLeast(1, "threads", threads);
    return copy;
  }

  /** With a limit of time for a call, at least 0; then {@link CallTimeoutException}, within the time of one layer. */
  public T withTimeout(long timeout, TimeUnit unit) {
    T copy = copy();
    ((Task<?>) copy).timeout = unit.toNanos(timeout) * 1e-9;
    return copy;
  }

  /** With at most this many tokens for a text, special tokens included; the default depends on task and model. */
  public T withMaxTokens(int maxTokens) {
    T copy = copy();
    ((Task<?>) copy).maxTokens = Errors.atLeast(1, "maxTokens", maxTokens);
    return copy;
  }

  /** With this treatment of longer texts. */
  public T withOverflow(Overflow overflow) {
    T copy = copy();
    ((Task<?>) copy).overflow = Objects.requireNonNull(overflow, "overflow");
    return copy;
  }

  /** With windows that share this many tokens, for {@link Overflow#STRIDE}. */
  public T withStride(int stride) {
    T copy = copy();
    ((Task<?>) copy).stride = Errors.atLeast(1, "stride", stride);
    return copy;
  }

  /** With calls that another thread can stop; they throw {@link CancellationException}. */
  public T withCancellation(Cancellation cancellation) {
    T copy = copy();
    ((Task<?>) copy).cancellation = Objects.requireNonNull(cancellation, "cancellation");
    return copy;
  }

  @SuppressWarnings("unchecked")
  final T copy() {
    try {
      return (T) clone();
    } catch (CloneNotSupportedException e) {
      throw new AssertionError(e);
    }
  }

  /** Sets what this task computes. */
  interface Setup {
    void apply(long call);
  }

  /** Reads the results of one item; text: what was given, or the second text of a pair. */
  interface Reader<R> {
    R read(Call call, int item, Input input);
  }

  /** A text, or a pair, with the bytes that the engine reads. */
  static final class Input {
    final String text; // of a pair, the second
    final byte[] bytes;
    private final byte[] first; // null for a single text

    Input(String text) {
      this("text", text);
    }

    Input(String name, String text) {
      this.text = text;
      bytes = Utf8.encode(name, text);
      first = null;
    }

    Input(String firstName, String first, String secondName, String second) {
      this.first = Utf8.encode(firstName, first);
      text = second;
      bytes = Utf8.encode(secondName, second);
    }

    private void addTo(Call call) {
      if (first == null) call.add(bytes);
      else call.add(first, bytes);
    }
  }

  static List<Input> inputs(List<String> texts) {
    List<Input> inputs = new ArrayList<>(texts.size());
    for (String text : texts) inputs.add(new Input("texts[" + inputs.size() + "]", text));
    return inputs;
  }

  final <R> R run(Setup setup, Input input, Reader<R> reader) {
    return run(setup, Collections.singletonList(input), reader).get(0);
  }

  /** One result for each input; none for none. */
  final <R> List<R> run(Setup setup, List<Input> inputs, Reader<R> reader) {
    List<R> found = new ArrayList<>(inputs.size());
    try (Call call = new Call(model)) {
      setup.apply(call.handle());
      if (threads != 0) Native.setThreads(call.handle(), threads);
      Native.setTimeout(call.handle(), timeout);
      Native.setLimits(call.handle(), maxTokens, overflow.ordinal(), stride);
      for (Input input : inputs) input.addTo(call);
      if (!inputs.isEmpty()) call.run(cancellation);
      for (int i = 0; i < inputs.size(); ++i) found.add(reader.read(call, i, inputs.get(i)));
    }
    return Collections.unmodifiableList(found);
  }
}
