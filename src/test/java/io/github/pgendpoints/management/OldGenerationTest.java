package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.management.MemoryUsage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OldGenerationTest {
  private final AtomicInteger collections = new AtomicInteger();

  @ParameterizedTest
  @CsvSource({
    // Used and committed, in KiB.
    "20000, 27648, 0",
    "26624, 27648, 0",
    "26625, 27648, 1",
    "27648, 27648, 1",
  })
  void collectsWhereItIsAboutToGrow(long used, long committed, int expected) {
    MemoryUsage usage = new MemoryUsage(0, used * 1024, committed * 1024, -1);
    new OldGeneration(() -> usage, collections::incrementAndGet).collectIfFull();

    assertEquals(expected, collections.get());
  }

  @Test
  void leavesAnotherCollectorAlone() {
    new OldGeneration(() -> null, collections::incrementAndGet).collectIfFull();

    assertEquals(0, collections.get());
  }

  @Test
  void doesWithWhateverCollectorThereIs() {
    assertDoesNotThrow(() -> new OldGeneration().collectIfFull());
  }
}
