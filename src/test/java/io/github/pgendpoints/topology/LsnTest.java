package io.github.pgendpoints.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LsnTest {
  @ParameterizedTest
  @CsvSource({"0/0,0", "0/3000060,50331744", "16/B374D848,97500059720", "1/0,4294967296"})
  void readsAndWritesPostgresqlsSpelling(String text, long bytes) {
    assertEquals(bytes, Lsn.of(text).bytes());
    assertEquals(text, Lsn.of(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "0/", "/0", "x/1", "0/123456789", "0/1 "})
  void refusesWhatIsNone(String text) {
    assertThrows(IllegalArgumentException.class, () -> Lsn.of(text));
  }

  @Test
  void ordersByPosition() {
    assertTrue(Lsn.of("0/FFFFFFFF").compareTo(Lsn.of("1/0")) < 0);
    assertTrue(Lsn.of("80000000/0").compareTo(Lsn.of("1/0")) > 0);
    assertNull(Lsn.of(null));
  }
}
