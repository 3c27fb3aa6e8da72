package io.github.pgendpoints.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class TextTest {
  private static final Set<Byte> INVISIBLE =
      Set.of(
          Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.UNASSIGNED);

  @Test
  void replacesEveryInvisibleCharacterAndNoOther() {
    for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
      String text = Character.toString(codePoint);
      String expected =
          INVISIBLE.contains((byte) Character.getType(codePoint))
              ? text.chars().mapToObj("\\u%04x"::formatted).collect(Collectors.joining())
              : text;
      assertEquals(
          "a" + expected + "\ud83d\ude00",
          Text.replaceInvisible("a" + text + "\ud83d\ude00", "\\u%04x"::formatted));
    }
  }

  @Test
  void replacesHalfCharacters() {
    assertEquals("?\ud83d\ude00?", Text.replaceInvisible("\ud83d\ud83d\ude00\ude00", unit -> "?"));
  }
}
