package io.github.mobilebert_rt;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A model file, as `mbrt convert` writes it.
 *
 * <pre>{@code
 * try (Model model = Model.open(new File("minilm.safetensors"))) {
 *   float[] vector = new TextEmbedder(model).embed("A cat sleeps.");
 * }
 * }</pre>
 */
public final class Model implements AutoCloseable {
  private static final String DEFAULT = "model/model.int8.safetensors";

  private final long handle;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Model(long handle) {
    this.handle = handle;
  }

  /**
   * Opens the model of the jar mobilebert-rt-model, for English sentence vectors.
   *
   * @throws FileNotFoundException the jar is not on the class path
   */
  public static Model openDefault() throws IOException {
    try (InputStream file = Model.class.getResourceAsStream(DEFAULT)) {
      if (file == null) {
        throw new FileNotFoundException(
            "the default model is not on the class path. Add mobilebert-rt-model, or open a model file.");
      }
      return open(Streams.read(file));
    }
  }

  /**
   * Maps a model file and checks every byte. While the model is open the file may be deleted or replaced by a rename,
   * but not written to.
   *
   * @throws FileNotFoundException there is no such file, or it cannot be read
   * @throws ModelFormatException it is damaged, or of another format
   * @throws UnsupportedModelException it needs what this release does not have
   */
  public static Model open(File file) throws IOException {
    return openFile(file, null);
  }

  /**
   * The same with a kernel set of {@link MobileBertRt#availableIsas()}.
   *
   * @throws IllegalArgumentException the kernel set is not available
   */
  public static Model open(File file, String isa) throws IOException {
    return openFile(file, Utf8.name("isa", isa));
  }

  private static Model openFile(File file, byte[] isa) throws IOException {
    Objects.requireNonNull(file, "file");
    byte[] path = Utf8.name("file", file.getPath());
    try {
      return new Model(Native.openFile(path, isa));
    } catch (IllegalArgumentException e) {
      if (file.isFile() && file.canRead()) throw e;
      throw (IOException) new FileNotFoundException(e.getMessage()).initCause(e);
    }
  }

  /** Opens a copy of the bytes of a model file. */
  public static Model open(byte[] file) throws IOException {
    return new Model(Native.openArray(Objects.requireNonNull(file, "file"), null));
  }

  /**
   * Opens the bytes of a model file between position and limit of a buffer, as of a mapped asset of an Android app.
   * Memory outside the heap that is aligned to 64 bytes is used in place, and must not change or become invalid until
   * the model is closed and its last call has ended; other memory is copied.
   */
  public static Model open(ByteBuffer file) throws IOException {
    Objects.requireNonNull(file, "file");
    if (file.isDirect()) return new Model(Native.openBuffer(file, file.position(), file.remaining(), null));
    byte[] copy = new byte[file.remaining()];
    file.duplicate().get(copy);
    return open(copy);
  }

  /** What the model is. */
  public ModelInfo info() {
    long[] values = Native.modelInfo(handle);
    return ModelInfo.of(values, Utf8.decode(Native.modelIsa(handle)), labels((int) values[ModelInfo.LABELS]));
  }

  private List<String> labels(int count) {
    List<String> labels = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) labels.add(Utf8.decode(Native.modelLabel(handle, i)));
    return Collections.unmodifiableList(labels);
  }

  /**
   * A value of the file's metadata, as of "prompts".
   *
   * @throws IllegalArgumentException the file has no such key
   */
  public String metadata(String key) {
    return Utf8.decode(Native.modelMetadata(handle, Utf8.name("key", key)));
  }

  /** The tokens of a text, special tokens included, without truncation. */
  public List<Token> tokenize(String text) {
    byte[] bytes = Utf8.encode("text", text);
    return tokens(Native.tokenize(handle, bytes, null), bytes, bytes);
  }

  /** The tokens of a pair of texts. */
  public List<Token> tokenize(String first, String second) {
    byte[] a = Utf8.encode("first", first);
    byte[] b = Utf8.encode("second", second);
    return tokens(Native.tokenize(handle, a, b), a, b);
  }

  private List<Token> tokens(TokenBytes[] found, byte[] first, byte[] second) {
    int[][] units = {Utf8.units(first), Utf8.units(second)};
    List<Token> tokens = new ArrayList<>(found.length);
    for (TokenBytes token : found) {
      int[] part = units[token.part() == 1 ? 1 : 0];
      String piece = Utf8.decode(Native.piece(handle, token.id()));
      int start = part[(int) token.begin()];
      int end = part[(int) token.end()];
      tokens.add(new Token(token.id(), piece, token.type(), token.part(), token.word(), start, end));
    }
    return Collections.unmodifiableList(tokens);
  }

  /** Frees the memory of idle workspaces, also while calls run. Returns their bytes. */
  public long trim() {
    return Native.modelTrim(handle);
  }

  /** Closes the model. Calls that run finish; later ones throw IllegalStateException. Closing it again does nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) Native.closeModel(handle);
  }

  long handle() {
    return handle;
  }
}
