package io.github.pgendpoints.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForeignTextTest {
  @Test
  void isOneLineWithoutControlCharacters() {
    assertEquals(
        "a b [31mred c d",
        ForeignText.clean("\u0000a\r\nb\t\u001b[31mred\u202e c \ufffd\ud800d\n"));
  }

  @Test
  void isCut() {
    assertEquals("x".repeat(300), ForeignText.clean("x".repeat(300)));
    assertEquals("x".repeat(299) + "…", ForeignText.clean("x".repeat(8_000_000)));
  }

  @ParameterizedTest
  @CsvSource({
    "Authorization: Bearer abcdef.ghi-jkl/mno+p=, Authorization: Bearer ***",
    "got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln here, got *** here",
    "cut off eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOi, cut off ***",
    "the bearer of news, the bearer of news"
  })
  void hidesWhatLooksLikeAToken(String text, String clean) {
    assertEquals(clean, ForeignText.clean(text));
  }

  @Test
  void hidesATokenAcrossTheCut() {
    String clean = ForeignText.clean("x".repeat(280) + " Bearer s3cr3t-s3cr3t-s3cr3t");
    assertFalse(clean.contains("s3cr3t"), clean);
  }
}
