package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is known counts only while nothing speaks against it. */
class KnownObjectTest {
  private long nanos = Long.MAX_VALUE - 5;
  private int term;
  private int woken;
  private boolean watching = true;
  private final KnownObject<Endpoints> known = fresh();

  @BeforeEach
  void isKnown() {
    read("1");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void knowsNothingAtTheStart() {
    assertFalse(fresh().isKnown(true));
    assertNull(fresh().object());
  }

  @Test
  void knowsWhatWasReadAndThatThereIsNothing() {
    assertEquals("1", known.object().getMetadata().getResourceVersion());
    read(null);
    assertTrue(known.isKnown(watching));
    assertNull(known.object());
  }

  @Test
  void knowsItForHalfAMinute() {
    nanos += KnownObject.RESYNC.toNanos() - 1;
    assertTrue(known.isKnown(watching));
    nanos++;
    assertFalse(known.isKnown(watching));
    read("1");
    assertTrue(known.isKnown(watching));
    assertEquals(0, woken);
  }

  @Test
  void countsFromWhenItWasAsked() {
    known.ask(watching);
    nanos += KnownObject.RESYNC.toNanos();
    known.read(endpoints("1"));
    assertFalse(known.isKnown(watching));
  }

  @Test
  void readsAgainWhatHasAnotherVersion() {
    known.changed("2");
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);
    read("2");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void readsAgainWhatIsGone() {
    known.changed(null);
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);
    read(null);
    assertTrue(known.isKnown(watching));
  }

  @Test
  void isNotToldNewsByItsOwnVersion() {
    known.changed("1");
    assertTrue(known.isKnown(watching));
    read(null);
    known.changed(null);
    assertTrue(known.isKnown(watching));
    assertEquals(0, woken);
  }

  @Test
  void isNotToldNewsByItsOwnWrite() {
    known.ask(watching);
    known.changed("2");
    known.wrote(endpoints("2"));
    assertTrue(known.isKnown(watching));
    assertEquals("2", known.object().getMetadata().getResourceVersion());

    known.ask(watching);
    known.wrote(endpoints("3"));
    known.changed("3");
    assertTrue(known.isKnown(watching));

    known.ask(watching);
    known.changed(null);
    known.wrote(null);
    assertTrue(known.isKnown(watching));
    assertEquals(0, woken);
  }

  @Test
  void isToldNewsByAnothersWriteAfterItsOwn() {
    known.ask(watching);
    known.changed("2");
    known.changed("3");
    known.wrote(endpoints("2"));
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);
  }

  @Test
  void readsOnceMoreForAnEventThatComesLate() {
    known.ask(watching);
    known.changed("2");
    known.read(endpoints("3"));
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);

    read("3");
    assertTrue(known.isKnown(watching));
    assertEquals("3", known.object().getMetadata().getResourceVersion());
  }

  @Test
  void knowsNothingOfARequestThatFailed() {
    known.ask(watching);
    assertFalse(known.isKnown(watching));
    known.failed();
    assertFalse(known.isKnown(watching));
    known.changed("2");
    assertEquals(1, woken, "it had an effect");
  }

  @Test
  void knowsNothingWhileTheInformerDoesNotWatch() {
    watching = false;
    assertFalse(known.isKnown(watching));
    read("1");
    assertFalse(known.isKnown(watching));
  }

  @Test
  void knowsWhatWasReadMeanwhileOnceTheInformerHasCaughtUp() {
    watching = false;
    read("3");
    watching = true;
    assertTrue(known.isKnown(watching));
    known.changed("2");
    assertFalse(known.isKnown(watching), "reported late");
    known.changed("3");
    assertEquals(1, woken);
    read("3");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void readsInEachLeadership() {
    term++;
    assertFalse(known.isKnown(watching));
    read("1");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void findsAChangeThatTheInformerMissed() {
    nanos += KnownObject.RESYNC.toNanos();
    assertFalse(read("1"));
    nanos += KnownObject.RESYNC.toNanos();
    assertTrue(read("2"), "not reported");
    assertFalse(read("2"));

    known.changed("3");
    assertFalse(read("3"), "reported before the read");
    nanos += KnownObject.RESYNC.toNanos();
    known.ask(watching);
    known.changed("4");
    assertFalse(known.read(endpoints("4")), "reported during the read");
    watching = false;
    assertFalse(read("5"), "not watching");
  }

  private boolean read(String version) {
    known.ask(watching);
    return known.read(version == null ? null : endpoints(version));
  }

  private KnownObject<Endpoints> fresh() {
    return new KnownObject<>(() -> term, () -> woken++, () -> nanos);
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
