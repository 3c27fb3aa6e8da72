package io.github.pgendpoints.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.ContextInitializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.logging.LogManager;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.impl.engine.DefaultInflightRepository;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class LoggingTest {
  private static final Logger OURS = LoggerFactory.getLogger("io.github.pgendpoints.Test");
  private static final Exception THROWN =
      new IllegalStateException("outer", new IllegalArgumentException("inner"));

  private final PrintStream standardError = System.err;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @BeforeEach
  void catchStandardError() {
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() throws Exception {
    System.setErr(standardError);
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    new ContextInitializer(context).autoConfig();
    LogManager.getLogManager().readConfiguration();
  }

  @Test
  void logsTimeLevelAndMessageOnOneLine() {
    Logging.configure(Level.INFO, Logging.Format.TEXT);

    OURS.info("RW follows {}", "10.0.0.1");
    OURS.debug("not logged");

    String[] words = lines().get(0).split(" ", 3);
    OffsetDateTime.parse(words[0]);
    assertEquals("INFO", words[1]);
    assertEquals("RW follows 10.0.0.1", words[2]);
    assertEquals(1, lines().size());
  }

  @Test
  void foreignTextCannotBreakTheLineOrControlTheTerminal() {
    Logging.configure(Level.INFO, Logging.Format.TEXT);

    OURS.info("a\r\n  b\tc \u001b[31mred \u0000 \u0007 \u009b2J \u202e txt.exe \u2028 next é 🐘");

    assertEquals(1, lines().size());
    assertTrue(
        lines().get(0).endsWith("a b c ?[31mred ? ? ?2J ? txt.exe next é 🐘"), lines().get(0));
  }

  @Test
  void replacesHalfCharactersOfTruncatedTextInJson() throws Exception {
    Logging.configure(Level.INFO, Logging.Format.JSON);

    OURS.info("cut \ud83d");

    assertEquals("cut ?", json().get("formattedMessage").asText());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "say \"hi\" \\ C:\\temp",
        "two\nlines\r\nand\ttab",
        "\u0000\u0001\u001b[31m\u007f\u0085\u2028",
        "é 🐘 {} \\u0041 %s"
      })
  void logsAnyMessageAsOneJsonObjectWithoutLoss(String message) throws Exception {
    Logging.configure(Level.INFO, Logging.Format.JSON);

    OURS.error(message);

    JsonNode event = json();
    assertEquals(message, event.get("formattedMessage").asText());
    assertEquals("ERROR", event.get("level").asText());
    assertEquals("io.github.pgendpoints.Test", event.get("loggerName").asText());
    assertEquals(System.currentTimeMillis(), event.get("timestamp").asLong(), 60_000);
    assertEquals(4, event.size(), event::toString);
    assertTrue(lines().get(0).chars().noneMatch(Character::isISOControl), lines().get(0));
  }

  @ParameterizedTest
  @CsvSource({"TEXT", "JSON"})
  void logsNoStackTraceAtInfo(Logging.Format format) {
    Logging.configure(Level.INFO, format);

    OURS.error("failed", THROWN);
    LoggerFactory.getLogger("org.apache.camel.Test").error("failed", THROWN);

    assertEquals(2, lines().size());
    assertTrue(lines().stream().noneMatch(line -> line.contains("outer")), lines().toString());
  }

  @Test
  void logsTheStackTraceAtDebug() throws Exception {
    Logging.configure(Level.DEBUG, Logging.Format.JSON);
    OURS.error("failed", THROWN);
    JsonNode thrown = json().get("throwable");
    assertEquals("outer", thrown.get("message").asText());
    assertEquals("inner", thrown.get("cause").get("message").asText());

    Logging.configure(Level.DEBUG, Logging.Format.TEXT);
    OURS.error("failed", THROWN);
    assertTrue(
        lines().stream().anyMatch(line -> line.startsWith("  Caused by")), lines().toString());
  }

  @ParameterizedTest
  @CsvSource({"TEXT", "JSON"})
  void exceptionCannotForgeAnEventInItsStackTrace(Logging.Format format) {
    Logging.configure(Level.DEBUG, format);

    OURS.error(
        "failed", new IllegalStateException("a\n2026-01-01T00:00:00Z INFO \u001b[31m\u0085"));

    assertTrue(
        lines().stream().noneMatch(line -> line.startsWith("2026-01-01")), written::toString);
    assertTrue(
        lines().stream().allMatch(line -> line.chars().noneMatch(Character::isISOControl)),
        written::toString);
  }

  @Test
  void logsWhatDriversLogByJavaUtilLogging() {
    Logging.configure(Level.INFO, Logging.Format.TEXT);

    java.util.logging.Logger.getLogger("some.driver").severe("it broke");
    java.util.logging.Logger.getLogger("org.postgresql.Driver").severe("said as the node's state");

    assertEquals(1, lines().size(), lines().toString());
    assertTrue(lines().get(0).endsWith(" ERROR it broke"), lines().get(0));
  }

  @Test
  void doesNotLogThatCamelStopsDuringACycle() {
    Logging.configure(Level.INFO, Logging.Format.TEXT);

    DefaultInflightRepository exchanges = new DefaultInflightRepository();
    exchanges.add(new DefaultExchange(new DefaultCamelContext()));
    exchanges.stop();

    assertEquals(List.of(), lines());
  }

  @ParameterizedTest
  @CsvSource({
    // level, logger, the lowest level it logs
    "INFO,  io.github.pgendpoints.X, INFO",
    "INFO,  my-route,                INFO",
    "INFO,  org.apache.camel.X,      WARN",
    "INFO,  io.fabric8.X,            WARN",
    "INFO,  com.zaxxer.hikari.X,     OFF",
    "WARN,  my-route,                WARN",
    "ERROR, org.apache.camel.X,      ERROR",
    "DEBUG, io.github.pgendpoints.X, DEBUG",
    "TRACE, io.github.pgendpoints.X, TRACE",
    "TRACE, org.apache.camel.X,      INFO",
    "TRACE, okhttp3.X,               INFO",
    "TRACE, org.postgresql.X,        INFO",
    "TRACE, any.other.library.X,     INFO"
  })
  void librariesLogLess(String level, String logger, String least) {
    Logging.configure(Level.valueOf(level), Logging.Format.TEXT);

    assertEquals(
        Level.valueOf(least),
        ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger(logger)).getEffectiveLevel());
  }

  @ParameterizedTest
  @CsvSource({"info, INFO", "Warning, WARN", "CRITICAL, ERROR", "notset, TRACE"})
  void acceptsPythonsLevelNames(String name, String level) {
    assertEquals(Level.valueOf(level), Logging.level(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "verbose", "OFF", "5"})
  void rejectsOtherLevelNames(String name) {
    assertThrows(IllegalArgumentException.class, () -> Logging.level(name));
  }

  private List<String> lines() {
    return written.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private JsonNode json() throws Exception {
    assertEquals(1, lines().size(), lines().toString());
    return new ObjectMapper().readTree(lines().get(0));
  }
}
