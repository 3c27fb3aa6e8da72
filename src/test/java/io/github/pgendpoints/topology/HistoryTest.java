package io.github.pgendpoints.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

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
  void reportsWhereTwoPrimariesParted(
      String name, long one, String file, long two, String other, long timeline, String end) {
    History a = history(one, file);
    History b = history(two, other);

    assertEquals(new History.Ancestor(timeline, Lsn.of(end)), a.partedFrom(b));
    assertEquals(new History.Ancestor(timeline, Lsn.of(end)), b.partedFrom(a));
  }

  @Test
  void readsAFileAsTheServerWritesIt() {
    History history =
        History.of(
            3,
            "1\\t0/3000098\\tno recovery target specified\\n\\n2\\t0/4000000\\tx\\n"
                .translateEscapes());

    assertEquals(
        "[Ancestor[timeline=1, end=0/3000098], Ancestor[timeline=2, end=0/4000000]]",
        history.ancestors().toString());
    assertEquals(Lsn.of("0/4000000"), history.begin());
    assertEquals(Lsn.of("0/3000098"), history.beginOf(2));
    assertEquals(Lsn.ZERO, history.beginOf(1));
    assertEquals(Lsn.of("0/4000000"), history.endOf(2));
    assertNull(history.endOf(3));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "no file above timeline 1    | 2 | -",
        "cut off in a line           | 3 | 1 0/30,2",
        "not a history               | 2 | <html>",
        "out of order                | 4 | 1 0/30,3 0/40,2 0/50",
        "an ancestor of itself       | 2 | 1 0/30,2 0/40",
        "positions that go back      | 3 | 1 0/30,2 0/20",
      })
  void rejectsAFileThatIsNoHistoryOfItsTimeline(String name, long timeline, String file) {
    assertThrows(IllegalArgumentException.class, () -> history(timeline, file));
  }

  @ParameterizedTest(name = "{0} {1} contains timeline {2} from {3}: {4}")
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "3 | 1 0/30,2 0/50 | 2 | 0/30 | true",
        "3 | 1 0/30,2 0/50 | 2 | 0/31 | false",
        "3 | 1 0/30,2 0/50 | 2 | -    | true",
        "3 | 1 0/30,2 0/50 | 1 | 0/0  | true",
        "3 | 1 0/30        | 2 | 0/30 | false",
        "3 | 1 0/30        | 2 | -    | false",
        "3 | 1 0/30,2 0/50 | 3 | 0/50 | true",
        "3 | 1 0/30,2 0/50 | 4 | -    | false",
        "7 | 5 0/30,6 0/50 | 6 | 0/30 | true",
        "7 | 5 0/30,6 0/50 | 6 | 0/31 | false",
        "7 | 5 0/30,6 0/50 | 5 | -    | true",
        "7 | 5 0/30,6 0/50 | 5 | 0/20 | false",
        "7 | 5 0/30,6 0/50 | 4 | -    | false",
      })
  void containsALineByNumberAndBegin(
      long timeline, String file, long line, String begin, boolean contains) {
    assertEquals(contains, history(timeline, file).contains(new Line("7", line, Lsn.of(begin))));
  }

  @ParameterizedTest(name = "{0} {1} excludes timeline {2} from {3}: {4}")
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "3 | 1 0/30,2 0/50 | 2 | 0/30 | false",
        "3 | 1 0/30,2 0/50 | 2 | 0/31 | true",
        "3 | 2 0/50        | 1 | 0/0  | false",
        "7 | 5 0/30,6 0/50 | 6 | 0/31 | true",
        "7 | 5 0/30,6 0/50 | 8 | -    | true",
        "7 | 5 0/30,6 0/50 | 5 | 0/20 | false",
        "7 | 5 0/30,6 0/50 | 4 | -    | false",
      })
  void excludesALineOnlyAsFarAsItReachesBack(
      long timeline, String file, long line, String begin, boolean excludes) {
    Line published = new Line("7", line, Lsn.of(begin));

    assertEquals(excludes, history(timeline, file).excludes(published));
  }

  private static History history(long timeline, String file) {
    return History.of(timeline, file == null ? null : file.replace(",", "\n"));
  }
}
