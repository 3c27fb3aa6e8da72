package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.primary;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HistoryTest {
  @ParameterizedTest(name = "{0}: {5} at {6}")
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "one was promoted from the other | 1 | - | 2 | 1 0/30 | 1 | 0/30",
        "both were promoted apart        | 2 | 1 0/30 | 2 | 1 0/40 | 1 | 0/30",
        "both at the same place          | 2 | 1 0/30 | 2 | 1 0/30 | 1 | 0/30",
        "later of a common history       | 3 | 1 0/30,2 0/50 | 4 | 1 0/30,2 0/60,3 0/70 | 2 | 0/50",
        "one stayed on a timeline        | 2 | 1 0/30 | 3 | 1 0/30,2 0/60 | 2 | 0/60",
        "other numbers after a fork      | 3 | 1 0/30 | 2 | 1 0/30 | 1 | 0/30",
      })
  void tellsWhereTwoPrimariesParted(
      String name, long one, String file, long two, String other, long timeline, String end) {
    History a = history(one, file);
    History b = history(two, other);

    assertEquals(new History.Segment(timeline, Lsn.of(end)), a.partedFrom(b));
    assertEquals(new History.Segment(timeline, Lsn.of(end)), b.partedFrom(a));
  }

  @Test
  void readsAFileAsTheServerWritesIt() {
    History history =
        History.of(
            primary("db1", 3),
            "1\\t0/3000098\\tno recovery target specified\\n\\n2\\t0/4000000\\tx\\n"
                .translateEscapes());

    assertEquals(
        "[Segment[timeline=1, end=0/3000098], Segment[timeline=2, end=0/4000000],"
            + " Segment[timeline=3, end=null]]",
        history.segments().toString());
  }

  @Test
  void tellsNothingWithoutTheRightToRead() {
    assertNull(History.unknown(primary("db1", 1)).partedFrom(history(2, "1 0/30")));
    assertNull(history(1, null).partedFrom(history(1, null)));
  }

  private static History history(long timeline, String file) {
    return History.of(
        primary("db" + timeline, timeline), file == null ? null : file.replace(",", "\n"));
  }
}
