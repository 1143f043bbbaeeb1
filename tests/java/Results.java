import io.github.mobilebert_rt.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints what js/test/expected.py writes for Python: java Results MODELS INPUTS PRECISION. INPUTS: a folder with the
 * lists of texts, one text in base64 in a line.
 */
final class Results {
  private static Path models;
  private static String precision;
  private static List<String> texts;
  private static List<String> labels;
  private static String question;
  private static List<String> fills;

  private Results() {}

  public static void main(String[] arguments) throws Exception {
    models = Path.of(arguments[0]);
    Path inputs = Path.of(arguments[1]);
    precision = arguments[2];
    texts = read(inputs.resolve("texts"));
    labels = read(inputs.resolve("labels"));
    question = read(inputs.resolve("question")).get(0);
    fills = read(inputs.resolve("fills"));
    Map<String, Object> all = Json.object("results", tasks());
    try (Model model = Model.openDefault()) {
      all.put("default", new TextEmbedder(model).embed(texts));
      all.put("info", model.info().toString());
    }
    try (Model model = open("embed")) {
      List<Object> encodings = new ArrayList<>();
      for (String text : texts) encodings.add(encoding(model.tokenize(text)));
      encodings.add(encoding(model.tokenize(texts.get(2), texts.get(4))));
      all.put("encodings", encodings);
    }
    all.put("version", MobileBertRt.version());
    all.put("isas", MobileBertRt.availableIsas());
    all.put("isa", MobileBertRt.defaultIsa());
    all.put("threads", MobileBertRt.defaultThreads());
    System.out.println(Json.write(all));
  }

  private static List<String> read(Path file) throws Exception {
    List<String> found = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      found.add(new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8));
    }
    return found;
  }

  private static Model open(String name) throws Exception {
    return Model.open(models.resolve(name + "-" + precision + ".safetensors").toFile());
  }

  private static Map<String, Object> tasks() throws Exception {
    Map<String, Object> found = Json.object();
    try (Model embed = open("embed");
        Model sentence = open("sentence");
        Model classify = open("classify");
        Model zeroShot = open("zero-shot")) {
      found.put("embed", embeddings(embed));
      found.put("sentence", embeddings(sentence));
      found.put("passage", new TextEmbedder(sentence).withPromptName("query").embed(texts));
      TextClassifier classifier = new TextClassifier(classify);
      found.put("classify", each(classifier.classify(texts)));
      TextClassifier raw = classifier.withTopK(2).withActivation(Activation.NONE);
      found.put("classifyPairs", labels(raw.classify(texts.get(0), texts.get(2))));
      ZeroShotClassifier chooses = new ZeroShotClassifier(zeroShot);
      found.put("zeroShot", chosen(chooses.classify(texts, labels)));
      ZeroShotClassifier each = chooses.withMultiLabel(true).withHypothesisTemplate("{}?");
      found.put("multiLabel", chosen(each.classify(texts, labels)));
    }
    try (Model tag = open("tag");
        Model answer = open("answer");
        Model fill = open("fill");
        Model rank = open("rank")) {
      found.put("tag", entities(new TokenClassifier(tag)));
      List<String> contexts = new ArrayList<>(texts);
      contexts.remove("");
      QuestionAnswerer answers = new QuestionAnswerer(answer);
      found.put("answer", answers(answers.withTopK(3), contexts));
      found.put("noAnswer", answers(answers.withNoAnswerAllowed(true), contexts));
      found.put("fill", filled(new FillMask(fill)));
      found.put("targets", filled(new FillMask(fill).withTargets(List.of("notes", "cat")).withTopK(2)));
      List<Object> ranked = new ArrayList<>();
      for (RankedDocument d : new Reranker(rank).withTopK(5).rank(question, texts)) {
        ranked.add(Json.object("corpusId", d.index(), "score", d.score(), "text", d.text()));
      }
      found.put("rank", ranked);
    }
    return found;
  }

  private static Map<String, Object> embeddings(Model model) {
    TextEmbedder embed = new TextEmbedder(model);
    TextEmbedder options = embed.withTruncateDim(5).withNormalize(true).withPrompt("who ");
    TextEmbedder stride = embed.withMaxTokens(9).withOverflow(Overflow.STRIDE).withStride(2).withThreads(2);
    return Json.object("plain", embed.embed(texts), "options", options.embed(texts), "stride", stride.embed(texts));
  }

  private static List<Object> labels(List<Classification> labels) {
    List<Object> found = new ArrayList<>();
    for (Classification label : labels) found.add(Json.object("label", label.label(), "score", label.score()));
    return found;
  }

  private static List<Object> each(List<List<Classification>> many) {
    List<Object> found = new ArrayList<>();
    for (List<Classification> one : many) found.add(labels(one));
    return found;
  }

  private static List<Object> chosen(List<List<Classification>> many) {
    List<Object> found = new ArrayList<>();
    for (List<Classification> one : many) {
      List<Object> names = new ArrayList<>();
      List<Object> scores = new ArrayList<>();
      for (Classification label : one) {
        names.add(label.label());
        scores.add(label.score());
      }
      found.add(Json.object("sequence", texts.get(found.size()), "labels", names, "scores", scores));
    }
    return found;
  }

  private static Map<String, Object> entities(TokenClassifier tag) {
    Map<String, Object> found = Json.object();
    for (Aggregation kind : Aggregation.values()) {
      if (kind == Aggregation.DEFAULT) continue;
      List<Object> all = new ArrayList<>();
      for (List<Entity> one : tag.withAggregation(kind).tag(texts)) {
        List<Object> entities = new ArrayList<>();
        for (Entity e : one) entities.add(span(e.text(), e.score(), e.start(), e.end(), "label", e.label()));
        all.add(entities);
      }
      found.put(kind.name().toLowerCase(Locale.ROOT), all);
    }
    return found;
  }

  private static List<Object> answers(QuestionAnswerer task, List<String> contexts) {
    List<Object> all = new ArrayList<>();
    for (String context : contexts) {
      List<Object> answers = new ArrayList<>();
      for (Answer a : task.answer(question, context)) answers.add(span(a.text(), a.score(), a.start(), a.end()));
      all.add(answers);
    }
    return all;
  }

  private static Map<String, Object> span(String text, float score, int start, int end, Object... more) {
    Map<String, Object> found = Json.object(more);
    found.putAll(Json.object("text", text, "score", score, "start", start, "end", end));
    return found;
  }

  private static List<Object> filled(FillMask fill) {
    List<Object> all = new ArrayList<>();
    for (String text : fills) {
      List<Object> masks = new ArrayList<>();
      for (List<Fill> mask : fill.fill(text)) {
        List<Object> proposals = new ArrayList<>();
        for (Fill f : mask) {
          proposals.add(
              Json.object("token", f.token(), "tokenId", f.tokenId(), "score", f.score(), "sequence", f.sequence()));
        }
        masks.add(proposals);
      }
      all.add(masks);
    }
    return all;
  }

  private static Map<String, Object> encoding(List<Token> tokens) {
    List<Object> ids = new ArrayList<>();
    List<Object> types = new ArrayList<>();
    List<Object> pieces = new ArrayList<>();
    List<Object> offsets = new ArrayList<>();
    List<Object> parts = new ArrayList<>();
    List<Object> words = new ArrayList<>();
    for (Token token : tokens) {
      ids.add(token.id());
      types.add(token.type());
      pieces.add(token.piece());
      offsets.add(List.of(token.start(), token.end()));
      parts.add(token.part());
      words.add(token.word());
    }
    return Json.object(
        "ids", ids, "typeIds", types, "tokens", pieces, "offsets", offsets, "sequenceIds", parts, "wordIds", words);
  }
}
