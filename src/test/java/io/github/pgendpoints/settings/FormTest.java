package io.github.pgendpoints.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** Compares the regular expressions of numbers with the numbers. */
class FormTest {
  @Property
  void matchesTheWholeNumbersOfARange(
      @ForAll @LongRange(min = 0, max = 70_000) long a,
      @ForAll @LongRange(min = 0, max = 70_000) long b,
      @ForAll @LongRange(min = 0, max = 100_000) long tried) {
    long min = Math.min(a, b);
    long max = Math.max(a, b);
    Form form = Form.integers(min, max);
    for (long number : new long[] {tried, min, max, min - 1, max + 1}) {
      assertEquals(
          number >= min && number <= max, form.matches(String.valueOf(number)), form.regex());
      assertEquals(number >= min && number <= max, form.matches("00" + number), form.regex());
    }
  }

  @Property
  void matchesTheDecimalsOfARange(
      @ForAll @IntRange(min = 0, max = 12_000) int a,
      @ForAll @IntRange(min = 0, max = 12_000) int b,
      @ForAll @IntRange(min = 0, max = 13_000) int tried) {
    BigDecimal min = BigDecimal.valueOf(Math.min(a, b), 3);
    BigDecimal max = BigDecimal.valueOf(Math.max(a, b), 3);
    BigDecimal step = new BigDecimal("0.001");
    Form form = Form.decimals(min, max, 3);
    for (BigDecimal number :
        new BigDecimal[] {
          BigDecimal.valueOf(tried, 3), min, max, min.subtract(step), max.add(step)
        }) {
      boolean isIn = number.compareTo(min) >= 0 && number.compareTo(max) <= 0;
      assertEquals(isIn, form.matches(number.toPlainString()), number + " " + form.regex());
      String shortest = number.stripTrailingZeros().toPlainString();
      assertEquals(isIn, form.matches(shortest), shortest + " " + form.regex());
    }
  }

  @Test
  void matchesNoOtherText() {
    Form form = Form.decimals(new BigDecimal("0.05"), BigDecimal.TEN, 2);
    for (String text : new String[] {"", ".", "1.", ".5", "1.234", "-1", "1e1", "٣", "1 ", "0"}) {
      assertEquals(false, form.matches(text), text);
    }
  }
}
