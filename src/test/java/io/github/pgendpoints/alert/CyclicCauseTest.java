package io.github.pgendpoints.alert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** In Java, two exceptions can be each other's cause. Code that describes one must still end. */
class CyclicCauseTest {
  static List<Named<Function<Throwable, String>>> descriptions() {
    return List.of(
        Named.of("FailureText", FailureText::of),
        Named.of("DeliveryError", DeliveryError::describe),
        Named.of("SinkFileError", fault -> SinkFileError.describe(fault, List.of())),
        Named.of("RouteError", fault -> RouteError.describe(fault, null)));
  }

  @ParameterizedTest
  @MethodSource("descriptions")
  void describesOneOfCyclicCauses(Function<Throwable, String> description) {
    Exception inner = new Exception("refused");
    Exception outer = new Exception("refused", inner);
    inner.initCause(outer);

    String described =
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> description.apply(outer));

    assertEquals("refused", described.replaceAll("(java\\.lang\\.Exception: | \\(.*\\))", ""));
  }
}
