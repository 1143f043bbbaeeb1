package io.github.mobilebert_rt;

import java.nio.ByteBuffer;

/** The functions of the C API. Strings are UTF-8. Counts have been checked: they are at least 0. */
final class Native {
  static {
    NativeLibrary.load();
  }

  private Native() {}

  static native byte[] version();

  static native byte[][] availableIsas();

  static native byte[] defaultIsa();

  static native int defaultThreads();

  // isa: null for the default.
  static native long openFile(byte[] path, byte[] isa);

  static native long openArray(byte[] file, byte[] isa);

  static native long openBuffer(ByteBuffer direct, long position, long size, byte[] isa);

  static native void closeModel(long model);

  static native long[] modelInfo(long model);

  static native byte[] modelIsa(long model);

  static native byte[] modelLabel(long model, long index);

  static native byte[] modelMetadata(long model, byte[] key);

  static native long modelTrim(long model);

  // second: null for a single text.
  static native TokenBytes[] tokenize(long model, byte[] first, byte[] second);

  static native byte[] piece(long model, int id);

  static native long newCall(long model);

  static native void freeCall(long call);

  static native void addText(long call, byte[] text);

  static native void addPair(long call, byte[] first, byte[] second);

  static native void setThreads(long call, long threads);

  static native void setTimeout(long call, double seconds);

  static native void setLimits(long call, long maxTokens, int overflow, long stride);

  // prompt, promptName: null for those of the file.
  static native void setEmbedding(long call, byte[] prompt, byte[] promptName, long truncateDim, int normalize);

  // 0 and null are default values.
  static native void setTask(
      long call,
      int task,
      long topK,
      long maxAnswerTokens,
      int activation,
      int aggregation,
      boolean allowNoAnswer,
      boolean allowPartWords,
      float nullThreshold,
      boolean multiLabel,
      byte[] hypothesisTemplate,
      byte[][] labels,
      byte[][] targets);

  static native void run(long call);

  static native void cancel(long call);

  static native float[] embedding(long call, long item);

  static native Result[] results(long call, long item);
}
