package io.github.pgendpoints.golden;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;
import io.github.pgendpoints.support.kubernetes.ApiRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assertions;

/**
 * Records one scenario, step by step, and compares it with two files: {@code
 * golden/requests/NAME.txt} and {@code golden/log/NAME.txt}. There are two files, so that another
 * wording leaves the file of the requests as it is.
 *
 * <p>Bodies are indented for readers, and the fields of each object are sorted: their order means
 * nothing, and some bodies come from maps whose order differs in each process. Arrays keep theirs.
 */
final class Recording {
  private static final Path FILES = Path.of("src/test/resources/golden");
  private static final Path ACTUAL = Path.of("target/golden");

  /** The valid values of {@code -Dgolden.write}. */
  private static final List<String> WRITES = List.of("", "true", "log");

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  private final String name;
  private final Replacements replacements;
  private final StringBuilder requests = new StringBuilder();
  private final StringBuilder log = new StringBuilder();

  Recording(String name, Replacements replacements) {
    this.name = name;
    this.replacements = replacements;
  }

  /**
   * Adds one run of the program.
   *
   * @param title what happened before, and how the program was started
   * @param out the standard output
   */
  void add(String title, int exitCode, List<ApiRequest> sent, List<String> lines, String out) {
    requests.append("== ").append(title).append("\nexit code ").append(exitCode).append("\n\n");
    sent.forEach(request -> requests.append(text(request)).append('\n'));
    log.append("== ").append(title).append('\n');
    lines.forEach(line -> log.append(replacements.in(line)).append('\n'));
    if (!out.isEmpty()) {
      log.append("-- standard output\n").append(replacements.in(out));
    }
    log.append('\n');
  }

  private String text(ApiRequest request) {
    if (request.body().isEmpty()) {
      return replacements.in(request + "\n");
    }
    return replacements.in(
        "%s%nContent-Type: %s%n%s%n"
            .formatted(request, request.contentType(), indented(request.body())));
  }

  private static String indented(String body) {
    try {
      Object content = JSON.readValue(body, Object.class);
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(content);
    } catch (JsonProcessingException e) {
      return body;
    }
  }

  /** Compares both files with the recording, or writes them as {@code -Dgolden.write} requests. */
  void check() {
    String write = System.getProperty("golden.write");
    if (write != null && !WRITES.contains(write)) {
      throw new IllegalArgumentException("golden.write is true or log, not " + write);
    }
    Assertions.assertAll(
        () -> check("requests", requests.toString(), write != null && !write.equals("log")),
        () -> check("log", log.toString(), write != null));
  }

  private void check(String kind, String actual, boolean write) {
    Path file = Path.of(kind, name + ".txt");
    try {
      if (write) {
        put(FILES.resolve(file), actual);
        return;
      }
      Path golden = FILES.resolve(file);
      String expected = Files.exists(golden) ? Files.readString(golden) : "";
      if (!expected.equals(actual)) {
        put(ACTUAL.resolve(file), actual);
        Assertions.fail(difference(golden, expected, ACTUAL.resolve(file), actual));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void put(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static String difference(Path golden, String expected, Path actual, String text) {
    List<String> before = expected.lines().toList();
    return "the run differs from the golden file\n"
        + String.join(
            "\n",
            UnifiedDiffUtils.generateUnifiedDiff(
                golden.toString(),
                actual.toString(),
                before,
                DiffUtils.diff(before, text.lines().toList()),
                8));
  }
}
