import io.github.mobilebert_rt.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Prints class and message of the exception of each file of a folder: java Hostile FOLDER. */
final class Hostile {
  private Hostile() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, Object> all = Json.object();
    try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
      for (Path file : files.toList()) {
        try {
          Model.open(Files.readAllBytes(file)).close();
          all.put(file.getFileName().toString(), "opened");
        } catch (java.io.IOException | RuntimeException e) {
          String name = e.getClass().getSimpleName();
          all.put(file.getFileName().toString(), Json.object("name", name, "message", e.getMessage()));
        }
      }
    }
    System.out.println(Json.write(all));
  }
}
