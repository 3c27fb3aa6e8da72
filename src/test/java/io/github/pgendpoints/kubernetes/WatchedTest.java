package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is known counts only while nothing speaks against it. */
class WatchedTest {
  private long nanos = Long.MAX_VALUE - 5;
  private int term;
  private int woken;
  private final Watched<Endpoints> watched = new Watched<>(() -> nanos, () -> term, () -> woken++);

  @BeforeEach
  void isKnown() {
    watched.opened();
    read("1");
    assertTrue(watched.isKnown());
    woken = 0;
  }

  @Test
  void knowsNothingAtTheStart() {
    Watched<Endpoints> fresh = new Watched<>(() -> nanos, () -> term, () -> woken++);
    assertFalse(fresh.isKnown());
    assertEquals(List.of(), fresh.objects());
  }

  @Test
  void knowsWhatWasReadAndThatThereIsNothing() {
    assertEquals("1", watched.objects().get(0).getMetadata().getResourceVersion());
    read();
    assertTrue(watched.isKnown());
    assertEquals(List.of(), watched.objects());
  }

  @Test
  void knowsItForHalfAMinute() {
    nanos += Watched.RESYNC.toNanos() - 1;
    assertTrue(watched.isKnown());
    nanos++;
    assertFalse(watched.isKnown());
    read("1");
    assertTrue(watched.isKnown());
    assertEquals(0, woken);
  }

  @Test
  void countsFromWhenItWasAsked() {
    watched.ask();
    nanos += Watched.RESYNC.toNanos();
    watched.read(List.of(endpoints("1")));
    assertFalse(watched.isKnown());
  }

  @Test
  void readsAgainWhatHasAnotherVersion() {
    watched.changed("pg", "2");
    assertFalse(watched.isKnown());
    assertEquals(1, woken);
    read("2");
    assertTrue(watched.isKnown());
  }

  @Test
  void readsAgainWhatIsGone() {
    watched.changed("pg", null);
    assertFalse(watched.isKnown());
    assertEquals(1, woken);
    read();
    assertTrue(watched.isKnown());
  }

  @Test
  void isNotToldNewsByItsOwnVersion() {
    watched.changed("pg", "1");
    assertTrue(watched.isKnown());
    read();
    watched.changed("pg", null);
    assertTrue(watched.isKnown());
    assertEquals(0, woken);
  }

  @Test
  void isNotToldNewsByItsOwnWrite() {
    watched.ask();
    watched.changed("pg", "2");
    watched.wrote(List.of(endpoints("2")));
    assertTrue(watched.isKnown());
    assertEquals("2", watched.objects().get(0).getMetadata().getResourceVersion());

    watched.ask();
    watched.wrote(List.of(endpoints("3")));
    watched.changed("pg", "3");
    assertTrue(watched.isKnown());

    watched.ask();
    watched.changed("pg", null);
    watched.wrote(List.of());
    assertTrue(watched.isKnown());
    assertEquals(0, woken);
  }

  @Test
  void isToldNewsByAnothersWriteAfterItsOwn() {
    watched.ask();
    watched.changed("pg", "2");
    watched.changed("pg", "3");
    watched.wrote(List.of(endpoints("2")));
    assertFalse(watched.isKnown());
    assertEquals(1, woken);
  }

  @Test
  void readsOnceMoreForAnEventThatComesLate() {
    watched.ask();
    watched.changed("pg", "2");
    watched.read(List.of(endpoints("3")));
    assertFalse(watched.isKnown());
    assertEquals(1, woken);

    read("3");
    assertTrue(watched.isKnown());
    assertEquals("3", watched.objects().get(0).getMetadata().getResourceVersion());
  }

  @Test
  void knowsNothingOfARequestThatFailed() {
    watched.ask();
    assertFalse(watched.isKnown());
    watched.unanswered();
    assertFalse(watched.isKnown());
    watched.changed("pg", "2");
    assertEquals(1, woken, "it had an effect");
  }

  @Test
  void knowsNothingOnceTheWatchIsClosed() {
    watched.closed();
    assertFalse(watched.isKnown());
    read("1");
    assertFalse(watched.isKnown());
  }

  @Test
  void doesNotTrustAnAnswerAcrossAGapOfTheWatch() {
    watched.closed();
    watched.ask();
    watched.opened();
    watched.read(List.of(endpoints("1")));
    assertFalse(watched.isKnown(), "opened after it was asked");

    watched.ask();
    watched.closed();
    watched.opened();
    watched.read(List.of(endpoints("1")));
    assertFalse(watched.isKnown(), "closed and opened in between");
    read("1");
    assertTrue(watched.isKnown());
  }

  @Test
  void wakesACycleForWhatItMissedWhileTheWatchWasClosed() {
    watched.closed();
    watched.opened();
    assertEquals(1, woken);
  }

  @Test
  void readsInEachLeadership() {
    term++;
    assertFalse(watched.isKnown());
    read("1");
    assertTrue(watched.isKnown());
  }

  @Test
  void findsOutThatTheWatchIsDeaf() {
    nanos += Watched.RESYNC.toNanos();
    assertTrue(read("1"));
    nanos += Watched.RESYNC.toNanos();
    assertFalse(read("2"), "nobody told");
    assertTrue(read("2"));

    watched.changed("pg", "3");
    assertTrue(read("3"), "it was told");
    watched.closed();
    assertTrue(read("4"), "nobody listened");
  }

  private boolean read(String... versions) {
    watched.ask();
    return watched.read(List.of(versions).stream().map(WatchedTest::endpoints).toList());
  }

  private static Endpoints endpoints(String version) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withName("pg")
        .withResourceVersion(version)
        .endMetadata()
        .build();
  }
}
