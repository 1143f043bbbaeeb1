import io.github.mobilebert_rt.*;
import java.io.File;
import java.io.FileNotFoundException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Every misuse is a Java exception: java Misuse MODELS. */
final class Misuse {
  private static Path models;

  private Misuse() {}

  public static void main(String[] arguments) throws Exception {
    models = Path.of(arguments[0]);
    opening();
    memory();
    arguments();
    closed();
    Checks.report();
  }

  private static Path path(String name) {
    return models.resolve(name + "-int8.safetensors");
  }

  private static Model open(String name) throws Exception {
    return Model.open(path(name).toFile());
  }

  private static void opening() throws Exception {
    File file = path("embed").toFile();
    byte[] bytes = Files.readAllBytes(path("embed"));
    Checks.raises(NullPointerException.class, "file", () -> Model.open((File) null));
    Checks.raises(NullPointerException.class, "file", () -> Model.open((byte[]) null));
    Checks.raises(NullPointerException.class, "file", () -> Model.open((ByteBuffer) null));
    Checks.raises(NullPointerException.class, "isa", () -> Model.open(file, null));
    Checks.raises(FileNotFoundException.class, "nowhere", () -> Model.open(new File("nowhere/x.safetensors")));
    Checks.raises(FileNotFoundException.class, models.toString(), () -> Model.open(models.toFile()));
    Checks.raises(IllegalArgumentException.class, "zero character", () -> Model.open(new File("a\0b")));
    Checks.raises(IllegalArgumentException.class, "mmx", () -> Model.open(file, "mmx"));
    Checks.raises(ModelFormatException.class, "", () -> Model.open(new byte[0]));
    Checks.raises(ModelFormatException.class, "", () -> Model.open(new byte[7]));
    Checks.raises(ModelFormatException.class, "", () -> Model.open(ByteBuffer.allocateDirect(0)));
    Checks.raises(ModelFormatException.class, "", () -> Model.open(Arrays.copyOf(bytes, bytes.length - 1)));
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 64);
    Checks.raises(ModelFormatException.class, "", () -> Model.open(ByteBuffer.wrap(longer)));
    try (Model scalar = Model.open(file, "scalar")) {
      Checks.that(scalar.info().isa().equals("scalar"), "the kernel set is the one that was asked for");
    }
  }

  /** The same vector from every kind of memory. */
  private static void memory() throws Exception {
    byte[] bytes = Files.readAllBytes(path("embed"));
    ByteBuffer aligned = ByteBuffer.allocateDirect(bytes.length + 128).alignedSlice(64);
    aligned.position(64);
    aligned.put(bytes).flip().position(64);
    ByteBuffer odd = ByteBuffer.allocateDirect(bytes.length + 1);
    odd.position(1);
    odd.put(bytes).flip().position(1);
    ByteBuffer heap = ByteBuffer.allocate(bytes.length + 9);
    heap.position(9);
    heap.put(bytes).flip().position(9);
    float[] expected;
    try (Model model = open("embed")) {
      expected = new TextEmbedder(model).embed("The cat was in Paris.");
      float[] replaced = new TextEmbedder(model).embed("cat \uFFFD");
      Checks.that(Arrays.equals(new TextEmbedder(model).embed("cat \uD800"), replaced), "lone surrogate");
    }
    try (FileChannel channel = FileChannel.open(path("embed"))) {
      ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      for (ByteBuffer buffer : List.of(aligned, odd, heap, heap.asReadOnlyBuffer(), mapped)) {
        int position = buffer.position();
        try (Model model = Model.open(buffer)) {
          System.gc(); // the engine's use keeps a buffer's memory
          Checks.that(Arrays.equals(new TextEmbedder(model).embed("The cat was in Paris."), expected), "" + buffer);
        }
        Checks.that(buffer.position() == position, "the position of a buffer stays");
      }
    }
    try (Model model = Model.open(bytes)) {
      Arrays.fill(bytes, (byte) 0);
      Checks.that(Arrays.equals(new TextEmbedder(model).embed("The cat was in Paris."), expected), "bytes are copied");
    }
  }

  private static void arguments() throws Exception {
    String tooLong = "cat ".repeat(1000);
    try (Model embed = open("embed");
        Model ids = open("ids");
        Model classify = open("classify");
        Model zeroShot = open("zero-shot");
        Model fill = open("fill")) {
      TextEmbedder embedder = new TextEmbedder(embed);
      Checks.raises(NullPointerException.class, "model", () -> new TextEmbedder(null));
      Checks.raises(NullPointerException.class, "text", () -> embedder.embed((String) null));
      Checks.raises(NullPointerException.class, "texts[1]", () -> embedder.embed(Arrays.asList("a", null)));
      Checks.raises(NullPointerException.class, "", () -> embedder.embed((List<String>) null));
      Checks.raises(NullPointerException.class, "overflow", () -> embedder.withOverflow(null));
      Checks.raises(NullPointerException.class, "cancellation", () -> embedder.withCancellation(null));
      Checks.raises(NullPointerException.class, "prompt", () -> embedder.withPrompt(null));
      Checks.raises(IllegalArgumentException.class, "prompt", () -> embedder.withPrompt("a\0b"));
      Checks.raises(IllegalArgumentException.class, "found 0", () -> embedder.withThreads(0));
      Checks.raises(IllegalArgumentException.class, "threads", () -> embedder.withThreads(257).embed("a"));
      Checks.raises(IllegalArgumentException.class, "found -1", () -> embedder.withTruncateDim(-1));
      Checks.raises(IllegalArgumentException.class, "found -2", () -> embedder.withMaxTokens(Integer.MIN_VALUE));
      Checks.raises(IllegalArgumentException.class, "", () -> embedder.withMaxTokens(Integer.MAX_VALUE).embed("a"));
      Checks.raises(IllegalArgumentException.class, "", () -> embedder.withTimeout(-1, TimeUnit.SECONDS).embed("a"));
      Checks.raises(CallTimeoutException.class, "", () -> embedder.withTimeout(0, TimeUnit.SECONDS).embed("a"));
      Checks.raises(IllegalArgumentException.class, "nobody", () -> embedder.withPromptName("nobody").embed("a"));
      Checks.raises(IllegalArgumentException.class, "", () -> embedder.withOverflow(Overflow.ERROR).embed(tooLong));
      Checks.raises(UnsupportedModelException.class, "", () -> new TextClassifier(embed).classify("a"));
      Checks.raises(UnsupportedModelException.class, "", () -> new TextEmbedder(ids).embed("a"));
      Checks.raises(UnsupportedModelException.class, "", () -> ids.tokenize("a"));
      Checks.raises(IllegalArgumentException.class, "nothing", () -> embed.metadata("nothing"));
      Checks.raises(NullPointerException.class, "key", () -> embed.metadata(null));
      Checks.raises(NullPointerException.class, "second", () -> embed.tokenize("a", null));
      Checks.that(embed.metadata("vocab.txt").startsWith("[PAD]"), "metadata");
      Checks.that(embedder.embed(List.of()).length == 0, "no texts, no vectors");
      Checks.that(embedder.embed(Collections.nCopies(20_000, "a")).length == 20_000, "many texts");
      Checks.that(embed.tokenize(tooLong).size() == 1002, "many tokens");
      Checks.that(embed.trim() > 0, "idle workspaces are freed");

      TextClassifier classifier = new TextClassifier(classify);
      int all = classifier.classify("a").size();
      Checks.that(classify.info().labels().size() == all, "labels");
      Checks.that(classifier.withTopK(Integer.MAX_VALUE).classify("a").size() == all, "topK is a maximum");
      Checks.raises(NullPointerException.class, "first", () -> classifier.classify(null, "a"));
      ZeroShotClassifier chooses = new ZeroShotClassifier(zeroShot);
      Checks.raises(IllegalArgumentException.class, "", () -> chooses.classify("a", List.of()));
      Checks.raises(NullPointerException.class, "labels[0]", () -> chooses.classify("a", Arrays.asList((String) null)));
      Checks.raises(
          IllegalArgumentException.class,
          "{}",
          () -> chooses.withHypothesisTemplate("none").classify("a", List.of("b")));
      FillMask filler = new FillMask(fill);
      Checks.raises(IllegalArgumentException.class, "", () -> filler.fill("no mask"));
      Checks.raises(IllegalArgumentException.class, "zzz", () -> filler.withTargets(List.of("zzz")).fill("a [MASK]"));
      int most = filler.withTopK(Integer.MAX_VALUE).fill("a [MASK]").get(0).size();
      Checks.that(most == fill.info().vocabularySize(), most + " proposals");
    }
  }

  private static void closed() throws Exception {
    Model model = open("embed");
    TextEmbedder embedder = new TextEmbedder(model);
    Thread closer = new Thread(model::close);
    closer.start();
    closer.join();
    model.close();
    Checks.raises(IllegalStateException.class, "handle", () -> embedder.embed("a"));
    Checks.raises(IllegalStateException.class, "handle", () -> embedder.embed(List.of()));
    Checks.raises(IllegalStateException.class, "handle", model::info);
    Checks.raises(IllegalStateException.class, "handle", () -> model.metadata("vocab.txt"));
    Checks.raises(IllegalStateException.class, "handle", () -> model.tokenize("a"));
    Checks.raises(IllegalStateException.class, "handle", model::trim);
  }
}
