package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.nodes.CollectionNode;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Checks what no formatter does without making the files harder to read: the line length of
 * Markdown and YAML, and the indentation of YAML. Spotless checks trailing spaces and tabs.
 */
class TextFormatTest {
  private static final int LINE_LENGTH = 120;
  private static final int INDENT = 2;
  private static final Set<String> NO_SOURCES =
      Set.of(
          "target",
          ".git",
          ".idea",
          "node_modules",
          // Helm templates are not YAML.
          "charts/postgres-endpoint-manager/templates");

  /** Series of samples are columns. Descriptions and conditions of routes are one line each. */
  private static final Set<Path> WIDE =
      Set.of(Path.of("src/test/resources/monitoring"), Path.of("routes"));

  /** The words in README, and in all of docs. A token without a letter or digit is no word. */
  private static final Map<Path, Integer> MOST_WORDS =
      Map.of(Path.of("README.md"), 1300, Path.of("docs"), 15_000);

  private static final Pattern WORD = Pattern.compile("\\S*[\\p{L}\\p{N}]\\S*");

  static List<Path> markdown() throws IOException {
    return files(".md");
  }

  static List<Path> yaml() throws IOException {
    return files(".yaml", ".yml");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"markdown", "yaml"})
  void linesAreShort(Path file) throws IOException {
    if (WIDE.stream().anyMatch(file::startsWith)) {
      return;
    }
    assertEquals(List.of(), tooLong(Files.readAllLines(file)), file + " has longer lines");
  }

  @Test
  void readmeAndDocsAreShort() throws IOException {
    for (Map.Entry<Path, Integer> limit : MOST_WORDS.entrySet()) {
      long words = 0;
      for (Path file : markdown()) {
        if (file.startsWith(limit.getKey())) {
          words += WORD.matcher(Files.readString(file)).results().count();
        }
      }
      assertTrue(words > 0 && words <= limit.getValue(), limit.getKey() + " has " + words);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("yaml")
  void yamlIsIndentedByTwoAndHasNoKeyTwice(Path file) throws IOException {
    String text = Files.readString(file);
    assertEquals(List.of(), misplaced(text), file + " is not indented by " + INDENT);
    new Load(settings()).loadAllFromString(text).forEach(document -> {});
  }

  @Test
  void findsWhatItLooksFor() {
    assertEquals(List.of(), misplaced("a:\n  b: 1\n  c:\n    - d: 1\n      e: {f: 1}\n"));
    assertEquals(List.of(), misplaced("a: &anchor\n  b: 1\n"));
    assertEquals(List.of(2), misplaced("a:\n   b: 1\n"));
    assertEquals(List.of(3), misplaced("a:\n  - b:\n        c: 1\n"));
    assertEquals(List.of(4), misplaced("a:\n  - 1\nb:\n- 1\n"), "two styles of lists");
    assertEquals(
        List.of(1), tooLong(List.of("x".repeat(80) + " " + "x".repeat(80), "|" + " x".repeat(80))));
    assertEquals(List.of(), tooLong(List.of("```", "x " + "y ".repeat(80), "```")));
    assertFalse(tooLong(List.of("```", "```", "x " + "y ".repeat(80))).isEmpty());
  }

  /** Numbers of the lines that could be broken; tables, code blocks and long words cannot. */
  private static List<Integer> tooLong(List<String> lines) {
    List<Integer> found = new ArrayList<>();
    boolean code = false;
    for (int line = 0; line < lines.size(); line++) {
      String text = lines.get(line);
      code ^= text.strip().startsWith("```");
      int end = text.stripLeading().indexOf(' ');
      if (text.length() > LINE_LENGTH && !code && !text.startsWith("|") && end >= 0) {
        found.add(line + 1);
      }
    }
    return found;
  }

  /** Numbers of the lines on which a block starts in the wrong column. */
  private static List<Integer> misplaced(String yaml) {
    List<Integer> lines = new ArrayList<>();
    List<Integer> listOffsets = new ArrayList<>();
    new Compose(settings())
        .composeAllFromString(yaml)
        .forEach(document -> descend(document, lines, listOffsets));
    return lines;
  }

  private static void descend(Node node, List<Integer> lines, List<Integer> listOffsets) {
    if (node instanceof MappingNode mapping && isBlock(mapping)) {
      for (NodeTuple entry : mapping.getValue()) {
        Node value = entry.getValueNode();
        int offset = column(value) - column(mapping);
        if (value instanceof SequenceNode list && isBlock(list)) {
          // All lists of a file are indented, or none is.
          listOffsets.add(offset);
          if (offset != 0 && offset != INDENT || offset != listOffsets.get(0)) {
            lines.add(line(value));
          }
        } else if (value instanceof MappingNode inner && isBlock(inner) && offset != INDENT) {
          lines.add(line(value));
        }
        descend(value, lines, listOffsets);
      }
    } else if (node instanceof SequenceNode list && isBlock(list)) {
      for (Node item : list.getValue()) {
        if (item instanceof CollectionNode<?> inner
            && isBlock(inner)
            && column(item) - column(list) != INDENT) {
          lines.add(line(item));
        }
        descend(item, lines, listOffsets);
      }
    }
  }

  private static boolean isBlock(CollectionNode<?> node) {
    return node.getFlowStyle() == FlowStyle.BLOCK;
  }

  /** The column of the first key of a block: an anchor may stand on the line before. */
  private static int column(Node node) {
    if (node instanceof MappingNode mapping && isBlock(mapping)) {
      return column(mapping.getValue().get(0).getKeyNode());
    }
    return node.getStartMark().orElseThrow().getColumn();
  }

  private static int line(Node node) {
    return node.getStartMark().orElseThrow().getLine() + 1;
  }

  private static LoadSettings settings() {
    return LoadSettings.builder().setUseMarks(true).build();
  }

  private static List<Path> files(String... endings) throws IOException {
    try (Stream<Path> all = Files.walk(Path.of(""))) {
      return all.filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
          .filter(file -> NO_SOURCES.stream().noneMatch(file.toString()::startsWith))
          .sorted()
          .toList();
    }
  }
}
