package io.github.pgendpoints.bench;

import java.util.List;

/** Several measurements of one thing. */
record Values(List<Double> sorted) {
  Values {
    sorted = sorted.stream().sorted().toList();
  }

  double median() {
    return sorted.get(sorted.size() / 2);
  }

  double worst() {
    return sorted.get(sorted.size() - 1);
  }

  /** Formats the median and the worst value, both in milliseconds. */
  String medianAndWorst() {
    return "%.0f ms / %.0f ms".formatted(median(), worst());
  }
}
