package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The lines of a libpq password file: {@code host:port:database:user:password}, where {@code *}
 * matches anything and a backslash escapes a colon or a backslash. This replaces pgjdbc's parser,
 * which fails on a line with too few fields.
 */
final class PassFile {
  private static final int HOST = 0;
  private static final int PASSWORD = 4;

  private PassFile() {}

  /**
   * Returns the password on the first line that matches; null if none matches.
   *
   * @param lines with one character for each byte; each field is decoded separately
   */
  static String password(List<String> lines, Node node, PostgresSettings settings) {
    List<String> wanted =
        List.of(node.host(), String.valueOf(node.port()), settings.database(), settings.user());
    return lines.stream()
        .filter(line -> !line.startsWith("#"))
        .map(PassFile::fields)
        .filter(fields -> fields.size() > PASSWORD && matches(fields, wanted))
        .map(fields -> unescaped(fields.get(PASSWORD)))
        .findFirst()
        .orElse(null);
  }

  private static boolean matches(List<String> fields, List<String> wanted) {
    for (int i = 0; i < wanted.size(); i++) {
      String field = fields.get(i);
      String text = unescaped(field);
      // Only the host ignores case, since the node list is converted to lower case.
      boolean same = i == HOST ? text.equalsIgnoreCase(wanted.get(i)) : text.equals(wanted.get(i));
      if (!field.equals("*") && !same) {
        return false;
      }
    }
    return true;
  }

  /** Splits at colons that no backslash precedes. */
  private static List<String> fields(String line) {
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == ':') {
        fields.add(field.toString());
        field.setLength(0);
        continue;
      }
      field.append(c);
      if (c == '\\' && i + 1 < line.length()) {
        field.append(line.charAt(++i));
      }
    }
    fields.add(field.toString());
    return fields;
  }

  private static String unescaped(String field) {
    String bytes = field.replaceAll("\\\\(.)", "$1");
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
