package io.github.pgendpoints.settings;

import java.util.List;

/** Settings that are wrong: everything that is, at once, so that one try mends all. */
public final class InvalidSettingsException extends Exception {
  private final transient List<String> faults;

  /** The faults, one sentence each, naming the variable, its value and what is allowed. */
  public InvalidSettingsException(List<String> faults) {
    super(String.join("; ", faults));
    this.faults = List.copyOf(faults);
  }

  /** One sentence a fault. */
  public List<String> faults() {
    return faults;
  }
}
