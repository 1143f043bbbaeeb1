import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/** Writes results for Python: floats so that they are read back with the same bits. */
final class Json {
  private Json() {}

  /** A map in the order of its names: {@code object("a", 1, "b", 2)}. */
  static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) map.put((String) namesAndValues[i], namesAndValues[i + 1]);
    return map;
  }

  static String write(Object value) {
    if (value instanceof Map<?, ?> map) {
      StringJoiner parts = new StringJoiner(",", "{", "}");
      map.forEach((name, one) -> parts.add(write(name) + ":" + write(one)));
      return parts.toString();
    }
    if (value instanceof Collection<?> values) {
      StringJoiner parts = new StringJoiner(",", "[", "]");
      values.forEach(one -> parts.add(write(one)));
      return parts.toString();
    }
    if (value instanceof float[] floats) {
      StringJoiner parts = new StringJoiner(",", "[", "]");
      for (float one : floats) parts.add(write(one));
      return parts.toString();
    }
    if (value instanceof float[][] rows) return write(java.util.Arrays.asList(rows));
    if (value instanceof String text) return quoted(text);
    return String.valueOf(value);
  }

  private static String quoted(String text) {
    StringBuilder to = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\' || c < 0x20 || c > 0x7E) to.append(String.format("\\u%04x", (int) c));
      else to.append(c);
    }
    return to.append('"').toString();
  }
}
