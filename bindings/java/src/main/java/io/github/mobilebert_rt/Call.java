package io.github.mobilebert_rt;

/** A call of the C API, used by one thread. */
final class Call implements AutoCloseable {
  private final long handle;

  Call(Model model) {
    handle = Native.newCall(model.handle());
  }

  long handle() {
    return handle;
  }

  void add(byte[] text) {
    Native.addText(handle, text);
  }

  void add(byte[] first, byte[] second) {
    Native.addPair(handle, first, second);
  }

  void run(Cancellation cancellation) {
    cancellation.add(handle);
    try {
      Native.run(handle);
    } finally {
      cancellation.remove(handle);
    }
  }

  float[] embedding(int item) {
    return Native.embedding(handle, item);
  }

  Result[] results(int item) {
    return Native.results(handle, item);
  }

  @Override
  public void close() {
    Native.freeCall(handle);
  }
}
