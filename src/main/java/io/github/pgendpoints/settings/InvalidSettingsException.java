package io.github.pgendpoints.settings;

import java.util.List;

/** Reports all invalid settings at once, so that the user can correct them in one go. */
public final class InvalidSettingsException extends Exception {
  private final transient List<String> faults;

  /**
   * @param faults one sentence each, with the variable, its value, and what is allowed
   */
  public InvalidSettingsException(List<String> faults) {
    super(String.join("; ", faults));
    this.faults = List.copyOf(faults);
  }

  public List<String> faults() {
    return faults;
  }
}
